"""SARIF and JUnit of observations: valid, stable, and safe with whatever a server says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from interlock.model.base import CheckOutcome, Reference, Severity
from interlock.model.observation import Check, CheckEvidence, Observation, RequestRecord, Target
from interlock.report.junit import to_junit
from interlock.report.sarif import FINGERPRINT, to_sarif

pytestmark = pytest.mark.fast

HOSTILE = "\x1b[31m]]> <b>&amp; {0} [link](1) \\ =CMD() \x00\ufffe\ud800 \u202e “quoted” \n next"

#: The parts of SARIF 2.1.0 (OASIS standard, sections 3.13 to 3.59) that this writer uses: what they require.
SARIF_SUBSET: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$defs": {
        "message": {
            "type": "object",
            "required": ["text"],
            "additionalProperties": False,
            "properties": {"text": {"type": "string", "minLength": 1}},
        },
        "level": {"enum": ["none", "note", "warning", "error"]},
        "rule": {
            "type": "object",
            "required": ["id", "shortDescription"],
            "properties": {
                "id": {"type": "string"},
                "shortDescription": {"$ref": "#/$defs/message"},
                "help": {"$ref": "#/$defs/message"},
                "helpUri": {"type": "string", "format": "uri"},
                "defaultConfiguration": {"type": "object", "properties": {"level": {"$ref": "#/$defs/level"}}},
                "properties": {"properties": {"tags": {"type": "array", "uniqueItems": True}}},
            },
            "additionalProperties": False,
        },
        "location": {
            "type": "object",
            "required": ["physicalLocation"],
            "properties": {
                "physicalLocation": {
                    "required": ["artifactLocation"],
                    "properties": {
                        "artifactLocation": {
                            "required": ["uri"],
                            "properties": {"uri": {"type": "string", "pattern": "^[A-Za-z0-9._~%/:-]+$"}},
                        },
                        "region": {"properties": {"startLine": {"type": "integer", "minimum": 1}}},
                    },
                },
                "logicalLocations": {
                    "type": "array",
                    "items": {"properties": {"fullyQualifiedName": {"type": "string"}}, "additionalProperties": False},
                },
            },
            "additionalProperties": False,
        },
        "result": {
            "type": "object",
            "required": ["message", "ruleId", "locations", "partialFingerprints"],
            "properties": {
                "ruleId": {"type": "string"},
                "ruleIndex": {"type": "integer", "minimum": 0},
                "level": {"$ref": "#/$defs/level"},
                "message": {"$ref": "#/$defs/message"},
                "locations": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/location"}},
                "partialFingerprints": {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                },
                "properties": {"type": "object"},
            },
            "additionalProperties": False,
        },
        "notification": {
            "type": "object",
            "required": ["message"],
            "properties": {"level": {"$ref": "#/$defs/level"}, "message": {"$ref": "#/$defs/message"}},
            "additionalProperties": False,
        },
    },
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "$schema": {"type": "string"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name"],
                                "properties": {"rules": {"type": "array", "items": {"$ref": "#/$defs/rule"}}},
                            }
                        },
                    },
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "automationDetails": {"required": ["id"]},
                    "invocations": {
                        "type": "array",
                        "items": {
                            "required": ["executionSuccessful"],
                            "properties": {
                                "executionSuccessful": {"type": "boolean"},
                                "toolExecutionNotifications": {
                                    "type": "array",
                                    "items": {"$ref": "#/$defs/notification"},
                                },
                            },
                        },
                    },
                    "results": {"type": "array", "items": {"$ref": "#/$defs/result"}},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}


def check(number: int, outcome: CheckOutcome, message: str = "something", severity: Severity = Severity.HIGH) -> Check:
    return Check(
        id=f"SMART-{number:03d}",
        title=f"Check {number} {{}} [x]",
        outcome=outcome,
        severity=severity,
        message=message,
        evidence=(CheckEvidence(url="https://ehr.example/r4/metadata", pointer="/rest/0"),),
        references=(Reference(title="SMART App Launch 2.2, section X", url="https://hl7.org/fhir/smart-app-launch/"),),
    )


def observation(
    *checks: Check, url: str = "https://ehr.example/r4", org: str | None = None, **more: Any
) -> Observation:
    fields: dict[str, Any] = {
        "target": Target(base_url=url, org=org),
        "started": datetime(2026, 5, 1, tzinfo=UTC),
        "elapsed_ms": 1234.5,
        "outcome": "observed",
        "checks": checks,
    }
    return Observation(**(fields | more))


EVERY = tuple(check(number, outcome) for number, outcome in enumerate(CheckOutcome, 1))


def sarif(*observations: Observation) -> Any:
    log = json.loads(to_sarif(observations))
    jsonschema.validate(log, SARIF_SUBSET, format_checker=jsonschema.FormatChecker())
    return log["runs"][0]


def test_failures_and_warnings_are_results_and_nothing_else_is() -> None:
    run = sarif(observation(*EVERY, org="north"))
    assert [(result["ruleId"], result["level"]) for result in run["results"]] == [
        ("SMART-002", "warning"),
        ("SMART-003", "error"),
    ]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == ["SMART-002", "SMART-003"]
    assert rules[2]["helpUri"] == "https://hl7.org/fhir/smart-app-launch/"
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "orgs/north.yaml"
    (mistake,) = run["invocations"][0]["toolExecutionNotifications"]
    assert mistake["level"] == "error"


@pytest.mark.parametrize(
    ("severity", "fail", "warn"),
    [
        ("critical", "error", "warning"),
        ("high", "error", "warning"),
        ("medium", "warning", "note"),
        ("low", "note", "note"),
    ],
)
def test_levels(severity: str, fail: str, warn: str) -> None:
    both = [check(1, outcome, severity=Severity(severity)) for outcome in (CheckOutcome.FAIL, CheckOutcome.WARN)]
    assert [result["level"] for result in sarif(observation(*both))["results"]] == [fail, warn]


def test_a_target_that_was_not_seen_is_a_notification_and_no_finding() -> None:
    record = RequestRecord(
        method="GET", url="https://ehr.example/r4/metadata", elapsed_ms=1, failure="dns", detail="no name"
    )
    run = sarif(observation(outcome="not_observed", requests=(record,)))
    assert run["results"] == []
    assert "no name" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def fingerprints(*observations: Observation) -> list[str]:
    return [result["partialFingerprints"][FINGERPRINT] for result in sarif(*observations)["results"]]


def test_fingerprints_hold_across_runs_and_tell_findings_apart() -> None:
    first = observation(check(1, CheckOutcome.FAIL, "12 days left"), org="north")
    later = observation(
        check(1, CheckOutcome.FAIL, "11 days left"), org="north", started=datetime.now(UTC) + timedelta(days=1)
    )
    assert fingerprints(first) == fingerprints(later)
    moved = first.model_copy(update={"target": Target(base_url="https://new.example/r4", org="north")})
    assert fingerprints(moved) == fingerprints(first)
    others = [
        observation(check(2, CheckOutcome.FAIL), org="north"),
        observation(check(1, CheckOutcome.FAIL), org="south"),
        observation(check(1, CheckOutcome.FAIL), url="https://a.example/r4"),
        observation(check(1, CheckOutcome.FAIL), url="https://b.example/r4"),
    ]
    assert len(set(fingerprints(first, *others))) == 5
    assert fingerprints(observation(check(1, CheckOutcome.FAIL), url="https://a.example/r4/")) == [
        fingerprints(others[2])[0]
    ]


def test_the_same_observations_give_the_same_bytes() -> None:
    assert to_sarif([observation(*EVERY)]) == to_sarif([observation(*EVERY)])
    assert to_junit([observation(*EVERY)]) == to_junit([observation(*EVERY)])


def test_hostile_text_is_inert_in_sarif() -> None:
    hostile = check(1, CheckOutcome.FAIL, HOSTILE)
    run = sarif(observation(hostile, url=f"https://ehr.example/../..//{HOSTILE}", outcome="partial"))
    (result,) = run["results"]
    text = result["message"]["text"]
    assert "\x1b" not in text and "\x00" not in text and "\u202e" not in text and "\n" not in text
    assert "{{0}}" in text and "\\[link\\](1)" in text
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.startswith("endpoints/ehr.example/") and ".." not in uri.split("/")


def test_junit_counts_and_kinds() -> None:
    root = ElementTree.fromstring(to_junit([observation(*EVERY, org="north"), observation(url="https://b.example")]))
    assert (root.get("tests"), root.get("failures"), root.get("errors"), root.get("skipped")) == ("6", "1", "1", "2")
    suite = root[0]
    assert (suite.get("name"), suite.get("time"), suite.get("timestamp")) == ("north", "1.234", "2026-05-01T00:00:00")
    kinds = {case.get("name"): [child.tag for child in case] for case in suite.iter("testcase")}
    assert sorted(tag for tags in kinds.values() for tag in tags) == [
        "error",
        "failure",
        "skipped",
        "skipped",
        "system-out",
    ]
    failure = next(suite.iter("failure"))
    assert failure.get("type") == "high"
    assert "at https://ehr.example/r4/metadata#/rest/0" in (failure.text or "")
    assert "see SMART App Launch 2.2" in (failure.text or "")


def test_hostile_text_is_inert_in_junit() -> None:
    checks = [check(number, outcome, HOSTILE) for number, outcome in enumerate(CheckOutcome)]
    text = to_junit([observation(*checks, url=f"https://ehr.example/{HOSTILE}")])
    text.encode("utf-8")
    root = ElementTree.fromstring(text)
    assert "\x1b" not in text and "\x00" not in text and "\ufffe" not in text and "<b>" not in text
    (failure,) = root.iter("failure")
    assert "]]> <b>&amp; {0} [link](1)" in (failure.get("message") or "")
