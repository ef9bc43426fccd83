"""Which findings of a probe become which question to an organisation.

Which of them a person must ask, and what blocks, is our judgement; what each rests on stands with its check. A question
is written to be read by the organisation: full sentences, the words of its own documents, no ids of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from interlock.model.facts import SmartFacts
from interlock.model.observation import Observation


class Question(NamedTuple):
    """A question, and the checks that raise it when one of them fails or warns.

    :ivar ask: what is asked; ``{said}`` is what the first of the checks says, as a sentence, ``{seen}`` that within
        one, ``{tail}`` what stands after its "for", ``{rest}`` what it names after its colon; other words are those of
        :func:`~interlock.model.card_values.values_of`. Empty where nobody has to be asked.
    :ivar do: what to do where it blocks; ``{ask}`` is "ask them question N".
    :ivar aside: what the user is told beside a question.
    :ivar apart: it goes to their security or privacy contact alone.
    """

    checks: tuple[str, ...]
    ask: str
    do: str = "{ask}."
    aside: str = ""
    apart: bool = False


_CHANGE = "{ask}. If the answer is no, the contract or the product has to change for this organisation."
_IN_TIME = "{ask}: only they can renew or correct the certificate."

QUESTIONS: tuple[Question, ...] = (
    Question(
        ("NET-010", "NET-011", "NET-012", "NET-013", "NET-003", "NET-009", "NET-017", "NET-014", "NET-015"),
        "Our client cannot connect to {base} safely. {said} When will this be corrected?",
        _IN_TIME,
    ),
    Question(
        ("CAP-046", "CAP-001"),
        "Which is the FHIR base URL that we should use? We were given {base}. {said}",
        "{try_base} {ask}.",
    ),
    Question(
        ("CAP-050",),
        "Is there a base URL of yours for the FHIR release that our product is written for? {said}",
        "{ask}. If there is none, the contract or the product has to change for this organisation.",
    ),
    Question(
        ("NET-008",),
        "{said} Can you correct this, or tell us why it is so?",
        "Probe it again later; if it stays so, {ask}.",
    ),
    Question(
        ("NET-024",),
        "Something in front of your server, perhaps a firewall, seems to answer our program in the server's place. "
        "{said} We called on {moment}, from the address [fill in the address that you call from]. Can our program be "
        "let in?",
        "{ask}; fill in the address that you call from, by which they find the call.",
    ),
    Question(
        ("SMART-001", "SMART-016"),
        "We find no SMART configuration at {base}/.well-known/smart-configuration{smart_status}{services}. Is it "
        "somewhere else, or when will it be published? Until then: which launches (EHR, standalone, backend service), "
        "scopes and PKCE methods do you support?",
        "{ask}: {sign_in}.",
    ),
    Question(
        ("NEG-004",),
        "{said} Is it intended that {open} without a token at {base}?",
        "Ask their security or privacy contact the question that goes apart, and send no patient's data there before "
        "the answer.",
        "Goes apart, to their security or privacy contact alone.",
        apart=True,
    ),
    Question(("CDS-001", "CDS-002", "CDS-003"), "", "Correct your own CDS service; nobody has to be asked."),
    Question(
        ("CAP-051", "CAP-052", "CAP-053", "CAP-054", "CAP-055"),
        "Our product needs what your capability statement does not list: {rest}. Is it supported all the same, or can "
        "it be enabled?",
        _CHANGE,
    ),
    Question(
        ("SMART-050", "SMART-051", "SMART-052"),
        "Our product needs a way in that your SMART configuration does not list: {rest}. Is it supported all the "
        "same, or can it be enabled?",
        _CHANGE,
    ),
    Question(
        ("SMART-053",),
        "Our product needs launch context that your SMART configuration does not list: {rest}. Is it given all "
        "the same?",
        _CHANGE,
    ),
    Question(("SMART-054", "SMART-056"), "Can our client be registered as it is? {said}", _CHANGE),
    Question(
        ("SMART-055",),
        "Can our client be granted scopes that your SMART configuration does not list: {rest}?{scopes}",
        _CHANGE,
        "Does not block yet: a list of scopes need not be complete.",
    ),
    Question(
        ("DRIFT-001", "DRIFT-002"),
        "Since we last looked, something that our product uses changed. {said} Was that intended, and will it stay?",
        "Look at what changed (interlock diff), then {ask}.",
    ),
    Question(
        ("DATA-001",),
        "Your token endpoint gives our client no token. {said} Is our client registered and active, and with which "
        "authentication method?",
        "Check the credentials that were used, then {ask}.",
    ),
    Question(
        ("DATA-002",),
        "Our client may not read what it needs. {said} Which scopes or roles does it need?",
        "Check which scopes your token has, then {ask}.",
    ),
    Question(
        ("CORS-001", "CORS-002", "CORS-003", "CORS-004"),
        "Our app runs in the browser, and your server does not let it read the answers (CORS). {said} Can our origin "
        "be allowed?",
    ),
    Question(
        ("CAP-002",),
        "Your capability statement at {base}/metadata is answered only to clients with a token{statement_status}. Can "
        "you send us the statement, or tell us how our client gets to read it?",
    ),
    Question(
        ("SMART-015",),
        "Your capability statement and your SMART configuration name different addresses for {tail}{addresses} "
        "Which is right?",
        "{ask}. Meanwhile try the address of the SMART configuration, whose form is the newer one.",
    ),
    Question(
        ("SMART-007", "OIDC-001", "OIDC-003", "JWKS-001"),
        "How do we verify your ID tokens? We read that {seen} Please tell us the issuer and the address of "
        "its keys (jwks_uri).",
    ),
    Question(
        ("OIDC-002", "OIDC-011"),
        "Which issuer (iss) do your ID tokens carry? In your documents, {seen}",
    ),
    Question(
        ("SMART-010",),
        "Your SMART configuration names addresses that we cannot reach from outside your network. {said} Which "
        "addresses are for clients outside?",
    ),
    Question(
        ("CAP-010",),
        "Your capability statement calls its own base URL {own_base}; we were given {base}. Are both the same system, "
        "and which one should we use?",
    ),
    Question(
        ("SMART-004",),
        "Do you support PKCE with the method S256? In your SMART configuration, {seen}",
    ),
    Question(
        ("SMART-005",),
        "SMART requires {lacking} in your SMART configuration, and we cannot read it there. What is its value?",
    ),
    Question(
        ("SMART-013",),
        "Which scope syntax do you grant: v1 (patient/Observation.read), v2 (patient/Observation.rs) or both? In your "
        "SMART configuration, {seen}",
    ),
    Question(
        ("CAP-017", "CAP-018", "USC-001"),
        "{edition} In your capability statement, {seen}",
    ),
    Question(
        ("USC-002", "USC-003"),
        "Of what US Core requires of the types that you declare, your capability statement leaves out: {rest}. Is it "
        "supported all the same?",
    ),
    Question(
        ("CAP-019",),
        "Your capability statement is dated {date}. Does it still describe what your server does today?",
    ),
    Question(
        ("CAP-045", "CAP-042"),
        "Is {base} the system that our users will work with? {said}",
    ),
    Question(
        ("CAP-011",),
        "Which software and version answers at {base}, and how do you announce upgrades? Your capability statement "
        "does not say the version.",
    ),
    Question(("DATA-003", "DATA-004"), "We looked at a page of test data. {said} Will it be so in production?"),
    Question(
        ("BULK-002", "BULK-003", "BULK-004"),
        "Does your $export behave as the Bulk Data Access guide says, and how do we find the group to export? In "
        "your capability statement, {seen}",
    ),
)

#: By the last words of its purpose, what a failed look at the base means for a reader.
UNREACHED: Mapping[str, str] = {
    "dns": "Check the address for a mistake and look from another network; if it stays so, send them the "
    "question below.",
    "connect": "Check address and port, and look from another network, such as one that they let in (VPN, allow-list); "
    "if it stays so, send them the question below.",
    "tls": "Send them the question below: a client that checks certificates cannot connect.",
    "timeout": "Try again with more time (--timeout 60); if it stays so, send them the question below.",
    "refused": "The address is private. If it is the one you mean, allow it: --allow-private HOST.",
}


def asked_by_facts(observation: Observation) -> list[str]:
    """Questions that a SMART configuration leaves open though no check speaks of them as a whole."""
    smart = observation.facts.smart
    if smart is None or smart.source != "well-known":
        return []
    return [ask for ask in (look(smart) for look in _OPEN) if ask]


def _scopes(smart: SmartFacts) -> str:
    listed = smart.scopes_supported is not None
    return "" if listed else "Which scopes can our client be granted? Your SMART configuration lists none."


def _methods(smart: SmartFacts) -> str:
    listed = smart.token_endpoint_auth_methods_supported is not None
    said = "Which client authentication methods does your token endpoint take? Your SMART configuration does not say."
    return "" if listed else said


def _algorithms(smart: SmartFacts) -> str:
    signs = "private_key_jwt" in (smart.token_endpoint_auth_methods_supported or ()) or (
        "client-confidential-asymmetric" in (smart.capabilities or ())
    )
    if not signs or smart.token_endpoint_auth_signing_alg_values_supported is not None:
        return ""
    return (
        "With which algorithms may a client sign its assertion (private_key_jwt): RS384, ES384 or both? Your SMART "
        "configuration lists none."
    )


def _backend(smart: SmartFacts) -> str:
    if "client_credentials" not in (smart.grant_types_supported or ()) or not smart.lacks_system_scopes:
        return ""
    return (
        "Do you offer SMART Backend Services, and with which system/ scopes? Your SMART configuration lists "
        "client_credentials and no system/ scope."
    )


_OPEN: tuple[Callable[[SmartFacts], str], ...] = (_scopes, _methods, _algorithms, _backend)
