"""The statements that this program puts to the test: what questions, rules and patterns cite as their source.

They are the claims of the article that the method follows, in its order; numbers that are missing were never given.
"""

from __future__ import annotations

from interlock.model.base import Model


class Statement(Model):
    """One statement: the part of the article that makes it, a short title, and what it claims."""

    id: str
    theme: str
    title: str
    text: str


_TEXTS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Boundary: product or integration": (
        ("S01", "Stable output", "The AI output is stable."),
        ("S02", "Settled workflow", "The user workflow has stopped changing."),
        ("S03", "Defined clinical action", "The clinical action that follows is defined."),
        (
            "S04",
            "Blocker named honestly",
            "When one of these fails, say so by name before calling the EHR vendor the blocker.",
        ),
        (
            "S05",
            "Value proven outside the EHR first",
            "If value can be proven outside the EHR first, prove adoption there before the full surface.",
        ),
        ("S06", "Depth of embedding chosen", "Depth of embedding is a choice, and deep is not always right."),
        (
            "S07",
            "Integrate, or tighten first",
            "Workflow real and auth path understood: integrate. Either still moving: tighten that first.",
        ),
        (
            "S08",
            "Next step named",
            ("The answer names the next step: build the integration, or assess architecture and workflow risk first."),
        ),
    ),
    "Workflow contract": (
        ("S10", "Clinical event", "The exact clinical event."),
        ("S11", "Target resources", "The target resources."),
        ("S12", "Required fields", "The fields that are really required."),
        ("S13", "Triggering states", "The states that trigger the AI behaviour."),
        ("S14", "Wrong output", "What happens when the output is wrong."),
        ("S15", "No fuzzy contract", "A fuzzy contract means not ready, however good the product."),
        (
            "S16",
            "Narrow combination against the standard",
            (
                "The narrow combination (patient context, diagnostic output, task routing, note creation, "
                "alerting) against what the standard resources represent only in part."
            ),
        ),
        (
            "S17",
            "Universal or the organisation's own",
            "Which behaviours are universal and which are the organisation's, from the start.",
        ),
        (
            "S18",
            "No single configuration for all",
            (
                "One configuration for all breaks at the second health system: other models enabled, other EHR "
                "behaviours, other workflow steps."
            ),
        ),
        (
            "S19",
            "Version reality",
            ("Version reality: the FHIR release, profile versions and local extensions each organisation really runs."),
        ),
    ),
    "Auth and identity": (
        ("S20", "Auth paths differ", "Auth paths differ by organisation, user type and launch context."),
        (
            "S21",
            "A binding for each organisation",
            "Each organisation has its own binding, credentials and certificates.",
        ),
        (
            "S22",
            "Parameterised from the first integration",
            "Parameterised by organisation from the first integration.",
        ),
        ("S23", "Enabled features differ", "Each has its own set of enabled features."),
        (
            "S24",
            "Sessions keep the boundary",
            (
                "Sessions enforce the organisation's boundary; a clinician who works at two is not a bridge "
                "between them."
            ),
        ),
        ("S25", "Launch context captured", "EHR launch context is captured correctly."),
        ("S26", "Cross-domain cases", "Cross-domain cases are handled."),
        ("S27", "Auth logging to debug with", "Auth logging is complete enough to debug with."),
        (
            "S28",
            "Organisation auth, launch context, or both",
            "Per-organisation auth, launch context, or both: decided.",
        ),
        (
            "S29",
            "Credentials and isolation planned",
            (
                "Credential management, certificate infrastructure and session isolation planned from the start "
                "(JWK, RFC 7517)."
            ),
        ),
    ),
    "Production behaviour": (
        (
            "S30",
            "Real data and permissions",
            "Real resource versions, incomplete records, permission differences, downstream expectations.",
        ),
        ("S31", "Two kinds of users", "FHIR-sourced users and standard users take different auth paths, each handled."),
        ("S32", "No redirect attacks", "Redirect attacks are prevented."),
        ("S33", "Access control by auth context", "Access control per auth context."),
        ("S34", "Operations stay with their user type", "An operation for one user type is never applied to another."),
        ("S35", "A required field is missing", "A required field is missing: then what?"),
        ("S36", "The user may not see the resource", "The user may not see the resource: then what?"),
        (
            "S37",
            "Human review before the record",
            "The output needs human review before it enters the record: then what?",
        ),
        (
            "S38",
            "Every endpoint is covered",
            (
                "Auth covers every endpoint a clinician touches, the peripheral ones too (waveform viewers, "
                "filter interfaces)."
            ),
        ),
        ("S39", "Document states and downstream use", "Document states and downstream consumption."),
    ),
    "Delivery and test path": (
        (
            "S40",
            "Planned as workflow delivery",
            "Planned as workflow delivery with a security surface, not as a thin connector.",
        ),
        ("S41", "Dependence on sandbox windows", "Which tests depend on shared sandbox windows, and what that costs."),
        ("S42", "Simulated as far as possible", "As much of the path as possible is simulated."),
        (
            "S43",
            "Real EHR time kept for what needs it",
            "Real EHR environments are kept for the critical behaviours that need them.",
        ),
        (
            "S44",
            "Known patterns applied early",
            "Patterns known from earlier integrations are applied before they become incidents.",
        ),
        ("S45", "Workflow, data and test path agree", "Real workflow, real data shape and real test path agree."),
        ("S46", "Delays are in the plan", "Sandbox, registration and review delays are in the plan."),
        ("S47", "Organisations compound the work", "Several organisations compound each of these."),
        (
            "S50",
            "Terminology agrees",
            (
                "Terminology: the codes the product expects are the codes the organisation records (UMLS, LOINC,"
                " SNOMED CT, RxNorm)."
            ),
        ),
    ),
}

#: Every statement, in order.
STATEMENTS: tuple[Statement, ...] = tuple(
    Statement(id=number, theme=theme, title=title, text=text)
    for theme, entries in _TEXTS.items()
    for number, title, text in entries
)
