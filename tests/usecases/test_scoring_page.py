"""The worked example of docs/scoring.md, read from the page and computed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from interlock.judge.score import org_readiness
from interlock.judge.tallies import tally_all
from interlock.model.base import Evidence, Gate, RuleOutcome, Scope
from interlock.model.finding import Finding, Subject, finding_key
from interlock.model.organization import Organization
from interlock.model.readiness import OrgReadiness
from interlock.model.rule import Rule

pytestmark = pytest.mark.fast

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "scoring.md").read_text("utf-8")
EXAMPLE = PAGE[PAGE.index("## Worked example") : PAGE.index("## Gates and stages")]
ROW = re.compile(r"^\| (EX-\d{3}), (\w+)(?:, ([a-z ]+))? \| ([^|]+) \| ([^|]+) \|", re.MULTILINE)


def example(outcome_of_3: str = "unknown", **weights: float) -> OrgReadiness:
    """The example's organisation; a severity's weight may be another one."""
    subject = Subject(scope=Scope.ORG, id="example")
    rules: dict[str, Rule] = {}
    findings = []
    for rule_id, severity, gap_class, outcome, weight in ROW.findall(EXAMPLE):
        outcome = outcome_of_3 if rule_id == "EX-003" else outcome
        effort = {"low": 1, "expected": 2, "high": 3}
        data: dict[str, Any] = {
            "id": rule_id,
            "title": rule_id,
            "scope": "org",
            "class": (gap_class or "gap").replace(" ", "_"),
            "gate": "design",
            "severity": severity,
            "weight": weights.get(severity),
            "gap_when": "true",
            "message": rule_id,
            "why": "Because.",
            "source": ["S01"],
            "remediation": {"text": "Do it", "owner": "us", "effort": effort},
            "tests": [{"given": {}, "expect": "gap"}],
        }
        rule = Rule.model_validate(data)
        assert rule.score_weight == weights.get(severity, float(weight.strip("()")))
        kind, *more = outcome.split(", ")
        value = [float(line.removeprefix("option value ")) for line in more if line.startswith("option value ")]
        evidence = [line for line in more if not line.startswith("option value ")]
        rules[rule_id] = rule
        finding = Finding(
            key=finding_key(rule_id, subject),
            rule=rule_id,
            subject=subject,
            message=rule_id,
            outcome=RuleOutcome(kind.replace(" ", "_")),
            value=value[0] if value else {"met": 1.0, "gap": 0.0}.get(kind),
            evidence=Evidence(evidence[0]) if evidence else None,
        )
        findings.append(finding)
    tallies = tally_all(findings, rules)
    return org_readiness(
        Organization(id="example", name="Example"), tallies, tallies.product_blockers(), None, Gate.PILOT
    )


def test_the_example_gives_the_figures_of_the_page() -> None:
    score = example().score
    assert (score.uncapped.low, score.uncapped.high) == (57.5, 77.5)
    assert (score.interval.low, score.interval.high) == (39.0, 77.5)
    assert (score.completeness, score.confidence, score.not_applicable) == (0.8, 0.625, 0.2308)
    for shown in (
        "= 57.5",
        "= 77.5",
        "= 80 %",
        "= 62.5 %",
        "= 23.08 %",
        "the interval is 39 to 77.5",
        "met it is 77.5",
    ):
        assert shown in EXAMPLE
    met = example("met, observed").score.interval
    assert (met.low, met.high) == (77.5, 77.5)


def test_other_weights_give_the_figures_of_the_page() -> None:
    score = example(critical=20.0).score
    assert (score.uncapped.low, score.uncapped.high, score.confidence) == (69.6, 83.9, 0.7321)
    assert "= 69.6, U = 69.6 + 5 / 35 = 83.9, confidence = 25.625 / 35 = 73.2 %" in EXAMPLE
    assert example(critical=20.0).gates == example().gates
