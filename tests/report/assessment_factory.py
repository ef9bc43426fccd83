"""Hand-made assessments for the report's tests: a realistic one, a minimal one, a large one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from interlock.model.assessment import Assessment
from interlock.model.base import (
    CheckOutcome,
    Evidence,
    GapClass,
    Gate,
    Grade,
    Owner,
    Recommendation,
    Reference,
    RuleOutcome,
    Scope,
    Severity,
    VerdictValue,
)
from interlock.model.contract import ContractFit, NeedMatch
from interlock.model.facts import CapabilityFacts, Facts, ResourceFacts, SmartFacts
from interlock.model.finding import PRODUCT, Contradiction, Finding, Subject, finding_key
from interlock.model.forecast import OrgForecast, Quantiles, SpreadPart
from interlock.model.gap_graph import GapEdge, GapGraph, GapNode, RootCause
from interlock.model.observation import Check, CheckEvidence, Observation, RequestRecord, Target
from interlock.model.organization import Organization
from interlock.model.pattern import PatternMatch
from interlock.model.plan import FirstThing, Plan, PlanTask
from interlock.model.readiness import (
    GateState,
    Interval,
    OrgReadiness,
    Score,
    Totals,
    Verdict,
    VerdictReason,
)
from interlock.model.rule import Effort, LeadTime, Remediation, Rule, RuleTest
from interlock.plan.ground import ground
from interlock.report.view import ReportView

GENERATED = "2026-09-08T14:03:00Z"
HTI1 = Reference(title="45 CFR 170.404(b)(1)", url="https://www.ecfr.gov/current/title-45/section-170.404")
RFC7517 = Reference(title="RFC 7517, JSON Web Key, section 5", url="https://www.rfc-editor.org/rfc/rfc7517#section-5")
SMART = Reference(
    title="SMART App Launch 2.2, Backend Services", url="https://hl7.org/fhir/smart-app-launch/backend-services.html"
)
JUDGED = LeadTime(
    low=5, expected=15, high=40, unit="working_days", source="judgement", grade=Grade.JUDGEMENT, as_of="2026-08"
)
REGULATED = LeadTime(
    low=1, expected=10, high=15, unit="working_days", source=HTI1.url, grade=Grade.REGULATION, as_of="2026-08"
)


def make_rule(
    rule_id: str,
    title: str,
    *,
    gap_class: GapClass = GapClass.GAP,
    gate: Gate = Gate.SANDBOX,
    severity: Severity = Severity.HIGH,
    scope: Scope = Scope.ORG,
    owner: Owner = Owner.US,
    why: str = "Without it the integration stops at the first real user",
    action: str = "Write down what is needed, agree it with the organisation, and test it in the sandbox",
    source: Sequence[str] = ("S21",),
    references: Sequence[Reference] = (),
    effort: tuple[float, float, float] = (1, 2, 5),
    lead_time: LeadTime | None = None,
    depends_on: Sequence[str] = (),
) -> Rule:
    return Rule(
        id=rule_id,
        title=title,
        scope=scope,
        gap_class=gap_class,
        gate=gate,
        severity=severity,
        gap_when="responses.x.y == 'no'",
        message="{org.name}: " + title,
        why=why,
        depends_on=tuple(depends_on),
        source=tuple(source),
        references=tuple(references),
        remediation=Remediation(
            text=action,
            owner=owner,
            effort=Effort(low=effort[0], expected=effort[1], high=effort[2]),
            lead_time=lead_time,
        ),
        tests=(RuleTest(given={"responses.x.y": "no"}, expect="gap"),),
    )  # type: ignore[call-arg]


RULES = (
    make_rule(
        "BND-001", "The AI output is not stable", gap_class=GapClass.PRODUCT_BLOCKER, gate=Gate.DESIGN,
        severity=Severity.CRITICAL, scope=Scope.PRODUCT, source=["S01", "S04"],
    ),
    make_rule(
        "CON-004", "What happens when the output is wrong is only partly defined", gate=Gate.DESIGN,
        severity=Severity.HIGH, scope=Scope.PRODUCT, source=["S14"], effort=(2, 4, 8),
        why="A nurse who signs a wrong score needs a way back that everybody knows",
        action=(
            "Write detect, correct, withdraw, notify and audit into the contract. For each, name who acts and what the "
            "record then shows"
        ),
    ),
    make_rule(
        "AUTH-001", "No client is registered for this organisation", gap_class=GapClass.INTEGRATION_BLOCKER,
        severity=Severity.CRITICAL, owner=Owner.VENDOR, source=["S20", "S21"], references=[HTI1], lead_time=REGULATED,
        why="Without a client id that this organisation has activated no token is ever issued",
        action="Register the client with the vendor’s programme and ask the organisation to activate it",
    ),
    make_rule(
        "AUTH-003", "Backend client has no JWK Set that this vendor accepts", gap_class=GapClass.INTEGRATION_BLOCKER,
        severity=Severity.CRITICAL, source=["S21", "S29"], references=[RFC7517, SMART], depends_on=["AUTH-001"],
        lead_time=JUDGED, effort=(1, 3, 6), why="A backend client proves itself by its published keys alone",
        action="Host a JWK Set over https with an RS384 or ES384 key, a kid each, and register its address",
    ),
    make_rule(
        "AUTH-007", "The server offers no EHR launch", gap_class=GapClass.INTEGRATION_BLOCKER, severity=Severity.HIGH,
        owner=Owner.ORG, source=["S25", "S28"], references=[SMART], depends_on=["AUTH-001"], lead_time=JUDGED,
        gate=Gate.PILOT, why="The workflow starts from the chart; without EHR launch nobody starts it",
        action="Ask the organisation which launch it enables for your app class, or change the launch to standalone",
    ),
    make_rule(
        "FHIR-002", "The organisation runs a FHIR release that the contract does not name", severity=Severity.HIGH,
        source=["S19"], gap_class=GapClass.INTEGRATION_BLOCKER, effort=(5, 15, 40),
        why="STU3 and R4 differ in nearly every resource that the workflow reads",
        action="Decide with the organisation whether it upgrades or you map STU3",
    ),
    make_rule(
        "FHIR-005", "Resources that the workflow reads are not declared", severity=Severity.HIGH, source=["S11", "S30"],
        depends_on=["FHIR-002"], effort=(3, 8, 20), lead_time=JUDGED, owner=Owner.ORG,
        action="Go through the contract's table with the organisation's interface team, resource by resource",
    ),
    make_rule(
        "FHIR-006", "Outputs cannot be written back", severity=Severity.CRITICAL, source=["S16", "S39"],
        depends_on=["FHIR-005", "AUTH-003"], gap_class=GapClass.INTEGRATION_BLOCKER, gate=Gate.PILOT,
        effort=(3, 10, 25), lead_time=JUDGED,
        action="Agree on Observation and DocumentReference create, or deliver the score outside the record",
    ),
    make_rule(
        "SES-002", "Sessions do not end at the organisation's boundary", severity=Severity.HIGH, scope=Scope.PRODUCT,
        source=["S24"], gate=Gate.PILOT, effort=(3, 5, 12),
    ),
    make_rule(
        "OPS-003", "Auth events are not logged well enough to debug with", severity=Severity.MEDIUM,
        scope=Scope.PRODUCT, source=["S27"], gate=Gate.PILOT,
    ),
    make_rule(
        "TERM-001", "Local laboratory codes are not mapped to LOINC", severity=Severity.MEDIUM, source=["S50"],
        owner=Owner.ORG, gate=Gate.PILOT, depends_on=["FHIR-005"], effort=(4, 10, 30),
    ),
    make_rule(
        "TEST-002", "No sandbox window is booked", severity=Severity.MEDIUM, source=["S41", "S46"], lead_time=JUDGED,
        depends_on=["AUTH-003", "AUTH-007"], gate=Gate.PILOT,
    ),
    make_rule(
        "SEC-009", "Access tokens live longer than an hour", severity=Severity.LOW, gap_class=GapClass.ADVICE,
        gate=Gate.PRODUCTION, source=["S33"],
    ),
)  # fmt: skip

ORGANIZATIONS = (
    Organization(
        id="riverside", name="Riverside Regional Medical Center", vendor="epic",
        fhir_base_url="https://fhir.riverside.example/api/FHIR/R4",
    ),
    Organization(
        id="lakeshore", name="Lakeshore Health System", vendor="oracle",
        fhir_base_url="https://fhir.lakeshore.example/r4",
    ),
    Organization(
        id="pinecrest", name="Pinecrest Community Hospital", vendor="other", environment="production",
        fhir_base_url="https://ehr.pinecrest.example/fhir/stu3",
    ),
    Organization(
        id="harborview", name="Harborview Clinics", vendor="epic",
        fhir_base_url="https://fhir.harborview.example/api/FHIR/R4",
    ),
)  # fmt: skip

_OPEN = {
    "CON-004": ["product"],
    "AUTH-001": ["lakeshore"],
    "AUTH-003": ["lakeshore", "pinecrest"],
    "AUTH-007": ["lakeshore"],
    "FHIR-002": ["pinecrest"],
    "FHIR-005": ["pinecrest"],
    "FHIR-006": ["pinecrest", "lakeshore"],
    "TEST-002": ["lakeshore"],
    "OPS-003": ["product"],
    "SEC-009": ["riverside"],
}
_UNDECIDED = {
    "AUTH-003": ["harborview"],
    "AUTH-007": ["harborview"],
    "FHIR-002": ["harborview"],
    "FHIR-005": ["harborview"],
    "SES-002": ["product"],
    "TERM-001": ["lakeshore"],
}


def _subject(word: str) -> Subject:
    return PRODUCT if word == "product" else Subject(scope=Scope.ORG, id=word)


_FOUND = {
    ("AUTH-001", "lakeshore"): "the answer says that registration has not been started",
    ("AUTH-003", "lakeshore"): "keys are sent by mail; no address is registered where the vendor could read them",
    ("AUTH-003", "pinecrest"): "the hosted set holds one RS256 key without a kid",
    ("AUTH-007", "lakeshore"): "the SMART configuration lists launch-standalone and no launch-ehr",
    ("FHIR-002", "pinecrest"): "the statement says 3.0.1 (STU3), the contract is written for R4",
    ("FHIR-005", "pinecrest"): "Observation.search, Condition.search and 2 more are not declared",
    ("FHIR-006", "pinecrest"): "Observation.create and DocumentReference.create are not declared",
    ("TEST-002", "lakeshore"): "the shared sandbox has no window before November",
    ("CON-004", "product"): "detect and correct are written down; withdraw, notify and audit are not",
    ("SEC-009", "riverside"): "tokens are valid for eight hours",
}


def _finding(rule: Rule, word: str) -> Finding:
    subject = _subject(word)
    outcome = RuleOutcome.MET
    if word in _OPEN.get(rule.id, []):
        outcome = RuleOutcome.GAP
    elif word in _UNDECIDED.get(rule.id, []):
        outcome = RuleOutcome.UNKNOWN
    undecided = outcome is RuleOutcome.UNKNOWN
    names = {org.id: org.name for org in ORGANIZATIONS}
    lead = f"{names[word]}: " if word in names else ""
    return Finding(
        key=finding_key(rule.id, subject),
        rule=rule.id,
        subject=subject,
        outcome=outcome,
        message=lead + _FOUND.get((rule.id, word), rule.title[0].lower() + rule.title[1:]),
        value=None if undecided else (0.0 if outcome is RuleOutcome.GAP else 1.0),
        evidence=None if undecided else Evidence.OBSERVED,
        missing_answers=("session.isolation",) if undecided and word == "product" else (),
        missing_facts=("probe.capability", "probe.smart") if undecided and word == "harborview" else (),
        detail="the terminology question is answered “unknown”" if undecided and word == "lakeshore" else None,
    )


FINDINGS = tuple(
    _finding(rule, word)
    for rule in RULES
    for word in (["product"] if rule.scope is Scope.PRODUCT else [org.id for org in ORGANIZATIONS])
)


def make_node(rule: Rule, subject: Subject, kind: str, wave: int, blocks: int) -> GapNode:
    return GapNode(
        key=finding_key(rule.id, subject),
        rule=rule.id,
        subject=subject,
        kind="gap" if kind == "gap" else "discovery",
        title=rule.title,
        message=rule.title,
        severity=rule.severity,
        gap_class=rule.gap_class,
        gate=rule.gate,
        owner=rule.remediation.owner,
        wave=wave,
        blocks=blocks,
        orgs=(subject.id,) if subject.id else tuple(org.id for org in ORGANIZATIONS),
        outcome=RuleOutcome.GAP if kind == "gap" else RuleOutcome.UNKNOWN,
    )


def _graph() -> GapGraph:
    rules = {rule.id: rule for rule in RULES}
    waves = {"AUTH-003@lakeshore": 1, "AUTH-007@lakeshore": 1, "FHIR-005@pinecrest": 1, "FHIR-006@pinecrest": 2,
             "FHIR-006@lakeshore": 2, "TEST-002@lakeshore": 2, "FHIR-005@harborview": 1}  # fmt: skip
    nodes = []
    for kind, table in (("gap", _OPEN), ("discovery", _UNDECIDED)):
        for rule_id, words in table.items():
            if rule_id == "SEC-009":
                continue
            for word in words:
                subject = _subject(word)
                key = finding_key(rule_id, subject)
                nodes.append(make_node(rules[rule_id], subject, kind, waves.get(key, 0), 1 + len(rule_id) % 3))
    nodes.sort(key=lambda node: (node.wave, node.severity.rank, node.key))
    pairs = [
        ("AUTH-001@lakeshore", "AUTH-003@lakeshore"), ("AUTH-001@lakeshore", "AUTH-007@lakeshore"),
        ("AUTH-003@lakeshore", "FHIR-006@lakeshore"), ("AUTH-003@lakeshore", "TEST-002@lakeshore"),
        ("AUTH-007@lakeshore", "TEST-002@lakeshore"), ("FHIR-002@pinecrest", "FHIR-005@pinecrest"),
        ("FHIR-005@pinecrest", "FHIR-006@pinecrest"), ("AUTH-003@pinecrest", "FHIR-006@pinecrest"),
        ("FHIR-002@harborview", "FHIR-005@harborview"),
    ]  # fmt: skip
    edges = tuple(GapEdge(before=before, after=after) for before, after in pairs)
    by_wave = tuple(tuple(node.key for node in nodes if node.wave == wave) for wave in range(3))
    return GapGraph(
        nodes=tuple(nodes),
        edges=edges,
        reduced=edges,
        waves=by_wave,
        root_causes=(
            RootCause(
                key="AUTH-001@lakeshore", orgs=("lakeshore",), gate=Gate.PILOT,
                sentence="Until the client is registered at Lakeshore Health System, four other gaps cannot be closed",
            ),
            RootCause(
                key="FHIR-002@pinecrest", orgs=("pinecrest",), gate=Gate.PILOT,
                sentence="Everything at Pinecrest Community Hospital waits for the decision on STU3",
            ),
        ),
    )  # fmt: skip


def make_score(low: float, high: float, *, confidence: float = 0.7, caps: Sequence[str] = ()) -> Score:
    return Score(
        interval=Interval(low=low, high=high), uncapped=Interval(low=min(low + 12, 100), high=min(high + 18, 100)),
        completeness=1 - (high - low) / 100, confidence=confidence, not_applicable=0.04, caps=tuple(caps),
    )  # fmt: skip


def _gates(org: str) -> tuple[GateState, ...]:
    states = []
    for gate in Gate:
        ids = [finding for finding in FINDINGS if finding.subject.id == org]
        own = [finding for finding in ids if next(rule for rule in RULES if rule.id == finding.rule).gate is gate]
        opened = tuple(finding.key for finding in own if finding.outcome is RuleOutcome.GAP)
        undecided = tuple(finding.key for finding in own if finding.outcome is RuleOutcome.UNKNOWN)
        met = len(own) - len(opened) - len(undecided)
        states.append(
            GateState(gate=gate, holds=not opened and not undecided, required=len(own), met=met, open=opened,
                      undecided=undecided)
        )  # fmt: skip
    return tuple(states)


STANDINGS = (
    OrgReadiness(
        org="riverside", observed="observed", observed_at="2026-09-07T09:12:00Z",
        score=make_score(86, 93, confidence=0.86),
        stage=Gate.PILOT, stage_if_unknowns_hold=Gate.PILOT, gates=_gates("riverside"), verdict=VerdictValue.INTEGRATE,
        latest_verdict=VerdictValue.INTEGRATE, recommendation=Recommendation.START,
        because="no blocker is open or unknown up to the pilot gate",
    ),
    OrgReadiness(
        org="lakeshore", observed="observed", observed_at="2026-09-07T09:12:04Z",
        score=make_score(34, 39, caps=["Held at 39 by the open integration blockers AUTH-001, AUTH-003 and AUTH-007"]),
        stage=Gate.DESIGN, stage_if_unknowns_hold=Gate.DESIGN, gates=_gates("lakeshore"), verdict=VerdictValue.MAP_AUTH,
        latest_verdict=VerdictValue.MAP_AUTH, recommendation=Recommendation.MAP_FIRST,
        because="No client is registered for this organisation",
    ),
    OrgReadiness(
        org="pinecrest", observed="partial", observed_at="2026-09-07T09:12:09Z",
        not_observed_because="the SMART configuration did not answer within 10 s",
        score=make_score(21, 39, confidence=0.61, caps=["Held at 39 by the open integration blocker FHIR-002"]),
        stage=None, stage_if_unknowns_hold=Gate.DESIGN, gates=_gates("pinecrest"), verdict=VerdictValue.DEFINE_CONTRACT,
        latest_verdict=VerdictValue.DEFINE_CONTRACT, recommendation=Recommendation.MAP_FIRST,
        because="The release differs",
    ),
    OrgReadiness(
        org="harborview", observed="not_observed", not_observed_because="connection timed out after 10 s",
        score=make_score(28, 69, confidence=0.33, caps=["Held at 69 by undecided gate requirements"]),
        stage=Gate.DESIGN, stage_if_unknowns_hold=Gate.PILOT, gates=_gates("harborview"), verdict=VerdictValue.MAP_AUTH,
        latest_verdict=VerdictValue.INTEGRATE, recommendation=Recommendation.COULD_NOT_LOOK,
        because="3 findings cannot be decided without it",
    ),
)  # fmt: skip


def make_quantiles(p50: float, p80: float, p90: float, dates: tuple[str, str, str]) -> Quantiles:
    return Quantiles(p50_days=p50, p80_days=p80, p90_days=p90, p50_date=dates[0], p80_date=dates[1], p90_date=dates[2])


def _plan() -> Plan:
    graph = _graph()
    rules = {rule.id: rule for rule in RULES}
    tasks = [
        PlanTask(
            id=node.key, title=node.title, kind=node.kind, org=node.subject.id or None, owner=node.owner,
            gate=node.gate, wave=node.wave, after=(), effort=rules[node.rule].remediation.effort,
            lead_time=rules[node.rule].remediation.lead_time,
            start_p50=20.0 * node.wave, finish_p50=20.0 * node.wave + 14.4,
            criticality=0.73 if node.rule == "AUTH-001" else 0.004 if node.rule == "OPS-003" else 0.31,
        )
        for node in graph.nodes
    ]  # fmt: skip
    tasks.append(
        PlanTask(
            id="review.security@lakeshore", title="The hospital's own security review", kind="routine",
            org="lakeshore", owner=Owner.ORG,
            gate=Gate.PILOT, wave=3, after=("AUTH-003@lakeshore",), effort=None, lead_time=JUDGED,
            start_p50=60, finish_p50=92, criticality=0.94,
        )
    )  # fmt: skip
    quantiles = {
        "riverside": make_quantiles(22, 31, 38, ("2026-10-08", "2026-10-21", "2026-10-30")),
        "lakeshore": make_quantiles(92, 131, 158, ("2027-01-14", "2027-03-10", "2027-04-16")),
        "pinecrest": make_quantiles(118, 160, 190, ("2027-02-19", "2027-04-20", "2027-06-01")),
        "harborview": make_quantiles(60, 110, 150, ("2026-12-01", "2027-02-09", "2027-04-06")),
    }
    return Plan(
        start="2026-09-08",
        seed=20260101,
        runs=5000,
        target_gate=Gate.PILOT,
        finish=make_quantiles(124, 166, 198, ("2027-03-01", "2027-04-28", "2027-06-11")),
        most_likely_days=71,
        probability_of_most_likely=0.038,
        orgs=tuple(
            OrgForecast(org=org, finish=finish, most_likely_days=finish.p50_days * 0.6, probability_of_most_likely=0.06)
            for org, finish in quantiles.items()
        ),
        tasks=tuple(tasks),
        first=(
            FirstThing(
                key="AUTH-001@lakeshore", title=rules["AUTH-001"].title, owner=Owner.VENDOR,
                action=rules["AUTH-001"].remediation.text, p80_days_saved_per_person_day=6.4, unlocks=9,
                p80_days_saved=12.8,
                criticality=0.73, because="it is on the critical path in 73% of runs and four other gaps wait for it",
            ),
            FirstThing(
                key="FHIR-002@pinecrest", title=rules["FHIR-002"].title, owner=Owner.US,
                action=rules["FHIR-002"].remediation.text, p80_days_saved_per_person_day=1.9, unlocks=6,
                criticality=0.31, because="the whole of Pinecrest waits for this decision",
            ),
            FirstThing(
                key="FHIR-002@harborview", title=rules["FHIR-002"].title, owner=Owner.US,
                action="Probe Harborview Clinics again, or ask its interface team for the capability statement",
                p80_days_saved_per_person_day=1.2, unlocks=5, criticality=0.31,
                because="an answer here decides five requirements",
            ),
        ),
        spread=(
            SpreadPart(cause="org", grade=Grade.JUDGEMENT, share=0.64),
            SpreadPart(cause="gaps", grade=Grade.REGULATION, share=0.22),
            SpreadPart(cause="vendor", grade=Grade.VENDOR, share=0.14),
        ),
        notes=("Capacity is one person of the product team",),
    )  # fmt: skip


def _need(
    direction: str, resource: str | None, kind: str, name: str, outcome: str, note: str | None = None
) -> NeedMatch:
    return NeedMatch.model_validate(
        {"direction": direction, "resource": resource, "kind": kind, "name": name, "outcome": outcome, "note": note}
    )


NEEDS: tuple[tuple[str, str | None, str, str], ...] = (
    ("release", None, "release", "R4"),
    ("launch", None, "launch", "ehr"),
    ("launch", None, "launch", "backend"),
    ("launch", None, "scope", "launch/patient"),
    ("input", "Patient", "interaction", "read"),
    ("input", "Encounter", "interaction", "search"),
    ("input", "Observation", "interaction", "search"),
    ("input", "Observation", "search_parameter", "category"),
    ("input", "Observation", "profile", "http://hl7.org/fhir/us/core/StructureDefinition/us-core-vital-signs"),
    ("input", "Condition", "interaction", "search"),
    ("output", "Observation", "interaction", "create"),
    ("output", "DocumentReference", "interaction", "create"),
)
_FIT = {
    "riverside": "ssssssssussss",
    "lakeshore": "smsussssussss",
    "pinecrest": "mnnnssmmummmm",
    "harborview": "n" * 12,
}
_WORD = {"s": "supported", "m": "missing", "u": "undeclared", "n": "not_observed"}


def _fits() -> tuple[ContractFit, ...]:
    return tuple(
        ContractFit(
            org=org,
            observed=org != "harborview",
            matches=tuple(
                _need(*need, _WORD[letter], "declared for R4 only" if letter == "m" else None)
                for need, letter in zip(NEEDS, letters, strict=False)
            ),
        )
        for org, letters in _FIT.items()
    )


def make_totals(readiness: Sequence[OrgReadiness], findings: Sequence[Finding]) -> Totals:
    by_stage: dict[str, int] = {}
    for own in readiness:
        stage = own.stage.value if own.stage else "none"
        by_stage[stage] = by_stage.get(stage, 0) + 1
    counts = {outcome: sum(1 for finding in findings if finding.outcome is outcome) for outcome in RuleOutcome}
    return Totals(
        organizations=len(readiness), observed=sum(1 for own in readiness if own.observed == "observed"),
        by_stage=by_stage, findings=counts, questions=84, answered=71, unknown=5, not_applicable=3,
    )  # fmt: skip


def _patterns() -> tuple[PatternMatch, ...]:
    texts = {
        "means": "A newer release is not a superset of an older one",
        "action": "Decide for each organisation which release it is to run",
        "owner": Owner.US, "source": ("S19",), "references": (SMART,),
    }  # fmt: skip
    return (
        PatternMatch(
            pattern="PAT-001", title="The issuer lives on another host", scope="org", outcome="matched",
            orgs=("lakeshore",), messages=("Lakeshore Health System: the issuer is elsewhere",), **texts,
        ),
        PatternMatch(
            pattern="PAT-002", title="The FHIR releases differ between organisations", scope="fleet",
            outcome="undecided", undecided_orgs=("harborview",), detail="harborview was not observed", **texts,
        ),
        PatternMatch(pattern="PAT-003", title="One key for all", scope="fleet", outcome="not_matched", **texts),
    )  # type: ignore[arg-type]  # fmt: skip


def sample() -> Assessment:
    """Four organisations: ready, blocked on auth, another release, and one that could not be reached."""
    assessed = Assessment(
        name="Sentinel Sepsis, first four hospitals",
        product="Sentinel Sepsis",
        description="An early-warning model for sepsis: it opens from the chart and writes a score that a nurse signs.",
        target_gate=Gate.PILOT,
        ruleset="core 1.0.0",
        questionnaires={"boundary": "1.0.0", "auth": "1.0.0", "contract": "1.0.0", "delivery": "1.0.0"},
        organizations=ORGANIZATIONS,
        rules={rule.id: rule for rule in RULES},
        findings=FINDINGS,
        fit=_fits(),
        contradictions=(
            Contradiction(
                item="auth.ehr_launch", org="lakeshore", answered="yes",
                observed="no launch-ehr capability is declared",
                evidence="https://fhir.lakeshore.example/r4/.well-known/smart-configuration /capabilities",
            ),
        ),
        patterns=_patterns(),
        product_score=make_score(64, 71),
        readiness=STANDINGS,
        graph=_graph(),
        verdict=Verdict(
            value=VerdictValue.PRODUCT_FIRST, latest=VerdictValue.MAP_AUTH,
            headline="Not decided: product first … map the auth surface; 1 answer settles it.",
            organizations="Start at Riverside Regional; map first at Lakeshore Health System and Pinecrest.",
            reasons=(
                VerdictReason(
                    key="AUTH-001@lakeshore", title="No client is registered for this organisation",
                    message="Lakeshore Health System: no client is registered", outcome=RuleOutcome.GAP,
                ),
                VerdictReason(
                    key="AUTH-003@pinecrest", title="Backend client has no JWK Set that this vendor accepts",
                    message="Pinecrest Community Hospital: no usable JWK Set for the backend client",
                    outcome=RuleOutcome.GAP,
                ),
                VerdictReason(
                    key="AUTH-003@harborview", title="Backend client has no JWK Set that this vendor accepts",
                    message="Harborview Clinics: no usable JWK Set for the backend client", outcome=RuleOutcome.UNKNOWN,
                ),
            ),
            undecided=(
                VerdictReason(
                    key="SES-002", title="Sessions do not end at the organisation's boundary",
                    message="sessions do not end at the boundary", outcome=RuleOutcome.UNKNOWN,
                ),
            ),
            next_step="Register the client at Lakeshore Health System and host one JWK Set for all organisations",
            next_step_owner=Owner.US,
            counterfactual="With AUTH-001, AUTH-003 and AUTH-007 closed at both the verdict is Integrate",
        ),
        plan=_plan(),
        totals=make_totals(STANDINGS, FINDINGS),
    )  # fmt: skip
    return grounded(assessed)


def grounded(assessed: Assessment) -> Assessment:
    """With what may be said of the plan's dates."""
    said = ground(assessed.plan, assessed.verdict, assessed.readiness, assessed.organizations)
    return assessed.model_copy(update={"plan": assessed.plan.model_copy(update={"ground": said})})


def firm() -> Assessment:
    """The sample with every organisation observed and the verdict settled as integrate."""
    assessed = sample()
    value = {"value": VerdictValue.INTEGRATE, "latest": VerdictValue.INTEGRATE}
    seen = tuple(own.model_copy(update={"observed": "observed"}) for own in assessed.readiness)
    verdict = assessed.verdict.model_copy(update=value)
    return grounded(assessed.model_copy(update={"verdict": verdict, "readiness": seen}))


def observations() -> dict[str, Observation]:
    """What the sample's probes saw."""
    started = datetime(2026, 9, 7, 9, 12, tzinfo=UTC)
    release_check = Check(
        id="CAP-007", title="FHIR release family", outcome=CheckOutcome.FAIL, severity=Severity.HIGH,
        message="The statement says 3.0.1 (STU3); the contract is written for R4",
        evidence=(CheckEvidence(url="https://ehr.pinecrest.example/fhir/stu3/metadata", pointer="/fhirVersion"),),
        references=(Reference(title="FHIR R4, CapabilityStatement", url="https://hl7.org/fhir/R4/capabilitystatement.html"),),
    )  # fmt: skip
    passed = Check(
        id="CAP-001",
        title="Statement without a token",
        outcome=CheckOutcome.PASS,
        severity=Severity.MEDIUM,
        message="200",
    )
    pkce = Check(
        id="SMART-004", title="PKCE with S256", outcome=CheckOutcome.WARN, severity=Severity.MEDIUM,
        message="S256 is offered, and so is plain",
        evidence=(CheckEvidence(url="https://fhir.lakeshore.example/r4/.well-known/smart-configuration",
                                pointer="/code_challenge_methods_supported"),),
        references=(SMART,),
    )  # fmt: skip

    def capability(version: str, release: str, software: str, resources: int) -> CapabilityFacts:
        return CapabilityFacts.model_validate(
            {
                "fhir_version": version, "fhir_release": release, "software": {"name": software, "version": "2026.1"},
                "resources": {f"Type{index}": ResourceFacts() for index in range(resources)},
            }
        )  # fmt: skip

    smart = SmartFacts(
        capabilities=("launch-ehr", "permission-v2"), capability_sets=("clinician access for EHR launch",),
        launch_modes=("ehr", "standalone"), client_types=("confidential-asymmetric",), pkce_s256=True, scopes_v1=True,
        scopes_v2=True,
    )  # fmt: skip
    ok = RequestRecord(method="GET", url="https://fhir.riverside.example/metadata", status=200, elapsed_ms=120.0)
    slow = RequestRecord(method="GET", url="https://fhir.harborview.example/metadata", elapsed_ms=10000.0,
                         failure="timeout", detail="connection timed out after 10 s")  # fmt: skip
    observed = {
        "riverside": (
            "observed", Facts(capability=capability("4.0.1", "R4", "Epic", 62), smart=smart), (passed,), (ok, ok)
        ),
        "lakeshore": (
            "observed",
            Facts(capability=capability("4.0.1", "R4", "Oracle Health Millennium", 41), smart=smart),
            (passed, pkce),
            (ok, ok, ok),
        ),
        "pinecrest": (
            "partial", Facts(capability=capability("3.0.1", "STU3", "OpenEHR Bridge", 14)), (release_check,), (ok, slow)
        ),
        "harborview": ("not_observed", Facts(), (), (slow,)),
    }  # fmt: skip
    urls = {org.id: org.fhir_base_url or "" for org in ORGANIZATIONS}
    return {
        org: Observation.model_validate(
            {
                "target": Target(base_url=urls[org], org=org), "started": started, "elapsed_ms": 1840.0,
                "outcome": outcome, "facts": facts, "checks": checks, "requests": requests,
            }
        )
        for org, (outcome, facts, checks, requests) in observed.items()
    }  # fmt: skip


def minimal() -> Assessment:
    """No organisation, no probe, nothing open."""
    zero = make_quantiles(0, 0, 0, ("2026-09-08",) * 3)
    return Assessment(
        name="empty", product="Nothing Yet", description=None, target_gate=Gate.PILOT, ruleset="core 1.0.0",
        questionnaires={}, organizations=(), rules={}, findings=(), fit=(), contradictions=(),
        product_score=Score(interval=Interval(low=100, high=100), uncapped=Interval(low=100, high=100), completeness=1,
                            confidence=1, not_applicable=0),
        readiness=(), graph=GapGraph(),
        verdict=Verdict(
            value=VerdictValue.INTEGRATE, latest=VerdictValue.INTEGRATE,
            headline="Nothing stands in the way.", reasons=(),
            next_step="Add the first organisation", next_step_owner=Owner.US, counterfactual="Nothing would change it",
        ),
        plan=Plan(
            start="2026-09-08", seed=1, runs=1000, target_gate=Gate.PILOT, finish=zero, most_likely_days=0,
            probability_of_most_likely=1, orgs=(), tasks=(), first=(),
        ),
        totals=Totals(organizations=0, observed=0, by_stage={}, findings={}, questions=0, answered=0, unknown=0,
                      not_applicable=0),
    )  # fmt: skip


def large(organizations: int = 60, rules: int = 40, open_share: int = 6) -> Assessment:
    """Many organisations and a graph of hundreds of nodes, deterministic."""
    base = sample()
    orgs = tuple(
        Organization(
            id=f"org-{index:02d}", name=f"Hospital Number {index}", vendor=("epic", "oracle", "other")[index % 3]
        )
        for index in range(organizations)
    )
    requirements = tuple(
        make_rule(
            f"FAM{'ABCDEFGH'[index % 8]}-{index:03d}", f"Requirement {index} of the integration is not met",
            severity=list(Severity)[index % 4], gate=list(Gate)[index % 3], source=[f"S{10 + index % 30:02d}"],
        )
        for index in range(rules)
    )  # fmt: skip
    findings, nodes, edges = [], [], []
    for position, org in enumerate(orgs):
        subject = Subject(scope=Scope.ORG, id=org.id)
        before = ""
        for index, rule in enumerate(requirements):
            gap = (position + index) % open_share == 0
            key = finding_key(rule.id, subject)
            findings.append(
                Finding(
                    key=key, rule=rule.id, subject=subject, outcome=RuleOutcome.GAP if gap else RuleOutcome.MET,
                    message=f"{org.name}: requirement {index}", value=0.0 if gap else 1.0, evidence=Evidence.ASSERTED,
                )
            )  # fmt: skip
            if gap:
                wave = sum(1 for node in nodes if node.subject.id == org.id) % 5
                nodes.append(make_node(rule, subject, "gap", wave, 5 - wave))
                if before and wave:
                    edges.append(GapEdge(before=before, after=key))
                before = key
    readiness = tuple(
        OrgReadiness(
            org=org.id, observed="observed" if position % 7 else "not_observed",
            not_observed_because=None if position % 7 else "no route to host",
            score=make_score(20 + position, 39 + position),
            stage=None if position % 3 else Gate.DESIGN, stage_if_unknowns_hold=Gate.DESIGN,
            gates=tuple(GateState(gate=gate, holds=False, required=4, met=1) for gate in Gate),
            verdict=VerdictValue.MAP_AUTH, latest_verdict=VerdictValue.MAP_AUTH,
            recommendation=Recommendation.MAP_FIRST, because="No client is registered",
        )
        for position, org in enumerate(orgs)
    )  # fmt: skip
    fits = tuple(
        ContractFit(
            org=org.id, observed=bool(position % 7),
            matches=tuple(_need(*need, "supported" if position % 7 else "not_observed") for need in NEEDS),
        )
        for position, org in enumerate(orgs)
    )  # fmt: skip
    tasks = tuple(
        PlanTask(
            id=node.key, title=node.title, kind=node.kind, org=node.subject.id, owner=node.owner, gate=node.gate,
            wave=node.wave, after=(), effort=Effort(low=1, expected=2, high=3), lead_time=JUDGED,
            start_p50=10.0 * node.wave, finish_p50=10.0 * node.wave + 5, criticality=0.1,
        )
        for node in nodes
    )  # fmt: skip
    finish = base.plan.finish
    plan = base.plan.model_copy(
        update={
            "tasks": tasks,
            "first": (),
            "orgs": tuple(
                OrgForecast(org=org.id, finish=finish, most_likely_days=50, probability_of_most_likely=0.02)
                for org in orgs
            ),
        }
    )
    waves = tuple(tuple(node.key for node in nodes if node.wave == wave) for wave in range(5))
    return base.model_copy(
        update={
            "organizations": orgs,
            "rules": {rule.id: rule for rule in requirements},
            "findings": tuple(findings),
            "fit": fits,
            "contradictions": (),
            "readiness": readiness,
            "graph": GapGraph(
                nodes=tuple(nodes), edges=tuple(edges), reduced=tuple(edges), waves=waves,
                root_causes=tuple(
                    RootCause(key=node.key, orgs=node.orgs, gate=node.gate, sentence=f"{node.rule} holds up the rest")
                    for node in nodes[:3]
                ),
            ),
            "verdict": base.verdict.model_copy(update={"reasons": (), "undecided": ()}),
            "plan": plan,
            "totals": make_totals(readiness, findings),
        }
    )  # fmt: skip


_FREE_TEXT = frozenset({
    "name", "product", "description", "message", "title", "detail", "note", "because", "action", "headline",
    "next_step", "counterfactual", "sentence", "answered", "observed", "evidence", "not_observed_because", "caps",
    "text", "why", "severity_because", "notes",
})  # fmt: skip


def hostile(payload: str) -> Assessment:
    """The sample with ``payload`` inside every text that a person, a file or a server chose."""

    def walk(value: object, key: str) -> object:
        if isinstance(value, dict):
            keep = {"tests", "grades", "findings"} if "by_stage" in value or key == "tests" else {"tests"}
            return {name: item if name in keep else walk(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [walk(item, key) for item in value]
        if key == "url":
            return f"javascript:{payload}"
        if key == "fhir_base_url":
            return f"https://{payload}"
        is_enumeration = value in {"observed", "partial", "not_observed", "asserted", "documented"}
        if key in _FREE_TEXT and isinstance(value, str) and not is_enumeration:
            return f"{payload} {value}"[: 200 if key == "name" or key == "product" else None]
        return value

    return Assessment.model_validate(walk(sample().model_dump(mode="json", by_alias=True), ""))


def hostile_observations(payload: str) -> dict[str, Observation]:
    """The sample's observations with ``payload`` inside everything that a server chose."""

    def walk(value: object, key: str) -> object:
        if isinstance(value, dict):
            return {name: item if name == "references" else walk(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [walk(item, key) for item in value]
        if key in {
            "url",
            "base_url",
            "pointer",
            "message",
            "title",
            "version",
            "name",
            "capability_sets",
            "launch_modes",
        }:
            return f"{payload}{value}"
        return value

    return {
        org: Observation.model_validate(walk(observation.model_dump(mode="json", by_alias=True), ""))
        for org, observation in observations().items()
    }


def shown(part: Any) -> Any:
    """A part of the report with its names as attributes, as templates see it."""
    if isinstance(part, dict):
        return SimpleNamespace(**{name: shown(value) for name, value in part.items()})
    return tuple(map(shown, part)) if isinstance(part, (list, tuple)) else part


def content(report: ReportView, section: str) -> Any:
    """What one section of the report holds."""
    return next(shown(each["content"]) for each in report.sections if each["id"] == section)
