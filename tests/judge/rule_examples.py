"""Small questionnaires, rules and inputs, built from what a test is about."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from interlock.judge.evaluate import evaluate
from interlock.judge.variables import RuleInputs
from interlock.model.contract import ContractFit, WorkflowContract
from interlock.model.facts import Facts
from interlock.model.finding import Finding
from interlock.model.observation import Check, Observation
from interlock.model.organization import Organization
from interlock.model.questionnaire import Questionnaire
from interlock.model.response import Response
from interlock.model.rule import Rule, Ruleset

WEIGHTS = (("none", 0.0), ("some", 0.5), ("all", 1.0))


def choice(item_id: str, scope: str = "org", **more: Any) -> dict[str, Any]:
    options = [{"value": value, "label": value.title(), "weight": weight} for value, weight in WEIGHTS]
    return {
        "id": item_id,
        "type": "choice",
        "text": "?",
        "scope": scope,
        "na": "with_reason",
        "options": options,
        **more,
    }


def boolean(item_id: str, scope: str = "org", **more: Any) -> dict[str, Any]:
    return {"id": item_id, "type": "boolean", "text": "?", "scope": scope, "na": "with_reason", **more}


def several(item_id: str, scope: str = "org", **more: Any) -> dict[str, Any]:
    return {**choice(item_id, scope, **more), "type": "multi_choice"}


def form(*items: dict[str, Any], name: str = "form") -> Questionnaire:
    return Questionnaire.model_validate({"id": name, "version": "1", "title": "Form", "items": list(items)})


def rule_data(gap_when: str, rule_id: str = "TEST-001", **more: Any) -> dict[str, Any]:
    return {
        "id": rule_id,
        "title": "A rule",
        "scope": "org",
        "class": "gap",
        "gate": "pilot",
        "severity": "high",
        "gap_when": gap_when,
        "message": "Something is wrong",
        "why": "Because.",
        "source": ["S01"],
        "remediation": {"text": "Do it", "owner": "us", "effort": {"low": 1, "expected": 2, "high": 3}},
        "tests": [{"given": {}, "expect": "unknown"}],
        **more,
    }


def rule(gap_when: str, rule_id: str = "TEST-001", **more: Any) -> Rule:
    return Rule.model_validate(rule_data(gap_when, rule_id, **more))


def ruleset(*rules: Rule, tasks: tuple[Any, ...] = ()) -> Ruleset:
    return Ruleset.model_validate({"id": "test", "version": "1", "title": "Test", "rules": rules, "tasks": tasks})


def answered(value: Any, evidence: str = "asserted") -> Response:
    return Response.model_validate({"status": "answered", "value": value, "evidence": evidence})


UNKNOWN = Response.model_validate({"status": "unknown"})
NOT_APPLICABLE = Response.model_validate({"status": "not_applicable", "reason": "we have none"})


def organization(org: str = "riverside", **more: Any) -> Organization:
    data = {
        "id": org,
        "name": f"{org.title()} Hospital",
        "vendor": "epic",
        "fhir_base_url": f"https://{org}.example/r4",
    }
    return Organization.model_validate({**data, **more})


def observation(org: str = "riverside", outcome: str = "observed", **facts: Any) -> Observation:
    checks = facts.pop("checks", {})
    requests = facts.pop("requests", [])
    return Observation.model_validate(
        {
            "target": {"base_url": f"https://{org}.example/r4", "org": org},
            "started": datetime(2026, 1, 31, 12, 0, tzinfo=UTC),
            "elapsed_ms": 12,
            "outcome": outcome,
            "facts": Facts.model_validate(facts),
            "checks": [
                Check.model_validate({"id": name, "title": name, "outcome": result, "severity": "high", "message": "m"})
                for name, result in checks.items()
            ],
            "requests": requests,
        }
    )


def contract(**more: Any) -> WorkflowContract:
    return WorkflowContract.model_validate({"version": "1", "title": "Contract", **more})


def fit(org: str = "riverside", *matches: tuple[str, str, str], observed: bool = True) -> ContractFit:
    """Matches as (kind, name, outcome); a name with a dot has its resource in front."""
    found = []
    for kind, name, outcome in matches:
        resource, _, short = name.rpartition(".")
        optional = outcome.endswith("?")
        found.append(
            {
                "direction": "input",
                "resource": resource or None,
                "kind": kind,
                "name": short,
                "outcome": outcome.rstrip("?"),
                "optional": optional,
            }
        )
    return ContractFit.model_validate({"org": org, "observed": observed, "matches": found})


def inputs(*items: dict[str, Any], **more: Any) -> RuleInputs:
    """Inputs of one organisation, ``riverside``. ``own`` and ``product`` are its and the product's responses."""
    own = more.pop("own", {})
    more.setdefault("organizations", (organization(),))
    if own:
        more["by_org"] = {"riverside": own}
    return RuleInputs(questionnaires=(form(*items),) if items else (), **more)


def conclude(checked: Rule, given: RuleInputs) -> Finding:
    """The finding of a rule that has one subject."""
    (finding,) = evaluate(ruleset(checked), given)
    return finding


def line_of(path: Path, text: str) -> int:
    """Number of the first line of a file that has the text."""
    return next(number for number, line in enumerate(path.read_text().splitlines(), 1) if text in line)
