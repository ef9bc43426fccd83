"""Small builders shared by this room's tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st

from interlock.judge import score, verdict
from interlock.judge.tallies import tally_all
from interlock.model.assessment import Assessment
from interlock.model.base import Evidence, GapClass, Gate, Owner, RuleOutcome, Scope, Severity
from interlock.model.finding import PRODUCT, Finding, Subject, finding_key
from interlock.model.gap_graph import GapGraph
from interlock.model.observation import Observation, RequestRecord, Target
from interlock.model.organization import Organization
from interlock.model.plan import Plan
from interlock.model.readiness import OrgReadiness, Score, Totals, Verdict
from interlock.model.rule import RoutineTask, Rule
from interlock.plan.graph import build
from interlock.plan.options import PlanOptions
from interlock.plan.schedule import make_plan

GAP, MET, UNKNOWN = RuleOutcome.GAP, RuleOutcome.MET, RuleOutcome.UNKNOWN
NOT_APPLICABLE, ERROR = RuleOutcome.NOT_APPLICABLE, RuleOutcome.ERROR
MONDAY = date(2026, 1, 5)


def lead(
    low: float, expected: float, high: float, unit: str = "working_days", grade: str = "judgement"
) -> dict[str, Any]:
    source = "judgement" if grade == "judgement" else "https://example.org/rule"
    return {
        "low": low,
        "expected": expected,
        "high": high,
        "unit": unit,
        "source": source,
        "grade": grade,
        "as_of": "2026-08",
    }


def effort(low: float, expected: float, high: float) -> dict[str, float]:
    return {"low": low, "expected": expected, "high": high}


def fixed(days: float) -> dict[str, float]:
    """An effort that is certain."""
    return effort(days, days, days)


def rule(
    name: str,
    scope: Scope = Scope.ORG,
    *,
    gap_class: GapClass = GapClass.GAP,
    gate: Gate = Gate.SANDBOX,
    severity: Severity = Severity.HIGH,
    after: Sequence[str] = (),
    owner: Owner = Owner.US,
    work: dict[str, float] | None = None,
    wait: dict[str, Any] | None = None,
    **more: Any,
) -> Rule:
    return Rule.model_validate(
        {
            "id": name,
            "title": f"Title of {name}",
            "scope": scope,
            "class": gap_class,
            "gate": gate,
            "severity": severity,
            "gap_when": "true",
            "message": "unused",
            "why": f"Why {name} matters",
            "depends_on": tuple(after),
            "source": ("S01",),
            "remediation": {
                "text": f"Do {name}. Then tell everyone.",
                "owner": owner,
                "effort": work or effort(1, 2, 5),
                "lead_time": wait,
            },
            "tests": ({"given": {}, "expect": "gap"},),
            **more,
        }
    )


def rules_of(*rules: Rule) -> dict[str, Rule]:
    return {rule_.id: rule_ for rule_ in rules}


def org(name: str, vendor: str = "epic") -> Organization:
    return Organization(id=name, name=f"{name.capitalize()} Hospital", vendor=vendor)


def at_org(name: str) -> Subject:
    return Subject(scope=Scope.ORG, id=name)


def at_vendor(name: str) -> Subject:
    return Subject(scope=Scope.VENDOR, id=name)


def finding(of: Rule, subject: Subject = PRODUCT, outcome: RuleOutcome = GAP, **more: Any) -> Finding:
    value = {MET: 1.0, GAP: 0.0}.get(outcome)
    defaults = {"message": f"{of.id} is open at {subject}", "value": value}
    return Finding(
        key=finding_key(of.id, subject), rule=of.id, subject=subject, outcome=outcome, **{**defaults, **more}
    )


def everywhere(
    rules: Mapping[str, Rule], orgs: Sequence[Organization], outcomes: Mapping[str, RuleOutcome] | None = None
) -> tuple[Finding, ...]:
    """One finding a rule and subject, gaps unless ``outcomes`` (by key) says otherwise."""
    findings = []
    for of in rules.values():
        if of.scope is Scope.PRODUCT:
            subjects = [PRODUCT]
        elif of.scope is Scope.VENDOR:
            subjects = [at_vendor(vendor) for vendor in sorted({o.vendor for o in orgs})]
        else:
            subjects = [at_org(o.id) for o in orgs]
        for subject in subjects:
            outcome = (outcomes or {}).get(finding_key(of.id, subject), GAP)
            findings.append(finding(of, subject, outcome))
    return tuple(findings)


def task(name: str, scope: Scope = Scope.ORG, **more: Any) -> RoutineTask:
    return RoutineTask.model_validate(
        {
            "id": name,
            "title": f"Title of {name}",
            "scope": scope,
            "owner": Owner.ORG,
            "gate": Gate.PILOT,
            **more,
        }
    )


def plan_of(
    findings: Sequence[Finding],
    rules: Mapping[str, Rule],
    orgs: Sequence[Organization] = (),
    tasks: Sequence[RoutineTask] = (),
    **more: Any,
) -> Plan:
    target, argue = more.pop("target_gate", Gate.PRODUCTION), more.pop("argue", ())
    graph: GapGraph = build(findings, rules, orgs, target)
    settings = {"start": MONDAY, "seed": 7, "runs": 1_000, "capacity": {}, **more}
    return make_plan(graph, rules, tasks, findings, orgs, PlanOptions(target_gate=target, **settings), argue)


def observation(name: str, outcome: str = "observed", failure: str | None = None) -> Observation:
    request = RequestRecord(method="GET", url="https://ehr.example.org", elapsed_ms=1.0, failure=failure)
    return Observation.model_validate(
        {
            "target": Target(base_url="https://ehr.example.org", org=name),
            "started": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
            "elapsed_ms": 1.0,
            "outcome": outcome,
            "requests": (request,),
        }
    )


def product_score(findings: Sequence[Finding], rules: Mapping[str, Rule]) -> Score:
    return score.product_score(tally_all(findings, rules))


def readiness(
    orgs: Sequence[Organization],
    findings: Sequence[Finding],
    rules: Mapping[str, Rule],
    observations: Mapping[str, Observation],
    target_gate: Gate,
    accepts: Mapping[Gate, Evidence] | None = None,
) -> tuple[OrgReadiness, ...]:
    tallies = tally_all(findings, rules, accepts)
    blockers = tallies.product_blockers()
    return tuple(
        score.org_readiness(organization, tallies, blockers, observations.get(organization.id), target_gate)
        for organization in orgs
    )


def decide(
    findings: Sequence[Finding],
    rules: Mapping[str, Rule],
    stands: Sequence[OrgReadiness],
    orgs: Sequence[Organization],
) -> Verdict:
    return verdict.decide(verdict.ballot_of(tally_all(findings, rules), orgs), stands, orgs)


def assessment(
    findings: Sequence[Finding],
    rules: Mapping[str, Rule],
    orgs: Sequence[Organization] = (),
    tasks: Sequence[RoutineTask] = (),
    *,
    target_gate: Gate = Gate.PRODUCTION,
    **plan_settings: Any,
) -> Assessment:
    stands = readiness(orgs, findings, rules, {}, target_gate)
    return Assessment(
        name="test",
        product="Test product",
        description=None,
        target_gate=target_gate,
        ruleset="core 1",
        questionnaires={},
        organizations=tuple(orgs),
        rules=dict(rules),
        findings=tuple(findings),
        fit=(),
        contradictions=(),
        product_score=product_score(findings, rules),
        readiness=stands,
        graph=build(findings, rules, orgs, target_gate),
        verdict=decide(findings, rules, stands, orgs),
        plan=plan_of(findings, rules, orgs, tasks, target_gate=target_gate, **plan_settings),
        totals=Totals(
            organizations=len(orgs),
            observed=0,
            by_stage={},
            findings={},
            questions=0,
            answered=0,
            unknown=0,
            not_applicable=0,
        ),
    )


@st.composite
def graphs(draw: st.DrawFn, most: int = 14) -> list[list[int]]:
    """Predecessors by node; edges go from lower to higher numbers."""
    size = draw(st.integers(0, most))
    return [sorted(draw(st.sets(st.integers(0, node - 1), max_size=node))) if node else [] for node in range(size)]
