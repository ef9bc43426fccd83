"""Probe results as SARIF 2.1.0, for code scanning services.

A finding is at the file of its organisation (``orgs/ID.yaml``): that is where a workspace says which server it means,
and services accept only addresses of files. A target without an organisation is at a path made of its address.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from interlock import __version__
from interlock.documents.visible import to_json
from interlock.model.base import CheckOutcome, Severity
from interlock.model.content import ContentChange, first_changes, told_changes
from interlock.model.observation import Check, Observation
from interlock.model.text import plain

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "interlockCheckTarget/v1"

#: What services rank security alerts by, 0 to 10; the product's own weights of the severities.
_RANK = {severity: f"{severity.weight:.1f}" for severity in Severity}


def to_sarif(
    observations: Sequence[Observation],
    ruleset: str = "",
    content_changes: Sequence[ContentChange] = (),
    *,
    what: str = "probe",
    file: str | None = None,
) -> str:
    """One SARIF log with one run: a rule for each check, a result for each that failed or warns.

    :param ruleset: what the workspace judges by, in words; ``content_changes``: how that differs from what is shipped.
    :param what: the command that looked; ``file``: where findings are, if not at the files of organisations.

    What was not observed is no finding about a server: it becomes a notification of the run, as do mistakes of this
    program. The same observations give the same bytes.
    """
    checks = {check.id: check for observation in observations for check in observation.checks}
    rules = [_rule(checks[name]) for name in sorted(checks)]
    index = {rule["id"]: position for position, rule in enumerate(rules)}
    results = [
        _result(observation, check, index[check.id], file)
        for observation in observations
        for check in observation.checks
        if check.outcome in {CheckOutcome.FAIL, CheckOutcome.WARN}
    ]
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "interlock",
                "semanticVersion": __version__,
                "rules": rules,
            }
        },
        "automationDetails": {"id": f"interlock/{what}/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {"executionSuccessful": True, "toolExecutionNotifications": list(_notifications(observations))}
        ],
        "results": results,
    }
    if content_changes:
        told = (told_changes(content_changes), *first_changes(content_changes, 10, "the properties of this run"))
        level = "warning" if any(change.blocker for change in content_changes) else "note"
        run["invocations"][0]["toolConfigurationNotifications"] = [
            {"level": level, "message": {"text": _text(" ".join(told), 4000)}}
        ]
        run["properties"] = {
            "ruleset": plain(ruleset),
            "contentChanges": [change.model_dump(mode="json") for change in content_changes],
        }
    return to_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(check: Check) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "id": check.id,
        "shortDescription": {"text": _text(check.title)},
        "defaultConfiguration": {"level": _level(CheckOutcome.FAIL, check.severity)},
        "properties": {"tags": ["interoperability", check.id.partition("-")[0]], "severity": check.severity.value},
    }
    if check.references:
        titles = "; ".join(reference.title for reference in check.references)
        rule["helpUri"] = check.references[0].url
        rule["help"] = {"text": _text(f"{check.title}. Source: {titles}", 2000)}
    return rule


def _result(observation: Observation, check: Check, index: int, file: str | None) -> dict[str, Any]:
    target = observation.target
    names = [f"{evidence.url}#{evidence.pointer}" for evidence in check.evidence[:5]] or [target.base_url]
    return {
        "ruleId": check.id,
        "ruleIndex": index,
        "level": _level(check.outcome, check.severity),
        "message": {"text": _text(f"{target.org or target.base_url}: {check.message}", 2000)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": file or _artifact(observation)},
                    "region": {"startLine": 1},
                },
                "logicalLocations": [{"fullyQualifiedName": plain(name, 2048)} for name in names],
            }
        ],
        "partialFingerprints": {FINGERPRINT: fingerprint(observation, check)},
        "properties": {
            "outcome": check.outcome.value,
            "severity": check.severity.value,
            "rank": _RANK[check.severity],
            "baseUrl": plain(target.base_url, 2048),
        },
    }


def fingerprint(observation: Observation, check: Check) -> str:
    """What makes two results of different runs the same: the check, and the organisation or else the address.

    Not the message, which may hold dates and counts, nor the place in a document.
    """
    target = observation.target
    subject = f"org:{target.org}" if target.org else f"url:{target.base_url.rstrip('/')}"
    return hashlib.sha256(f"{check.id}\n{subject}".encode("utf-8", "replace")).hexdigest()


def _artifact(observation: Observation) -> str:
    target = observation.target
    if target.org:
        return f"orgs/{quote(target.org)}.yaml"
    try:
        parts = urlsplit(plain(target.base_url, 2048))
        host, path = parts.netloc, parts.path
    except ValueError:
        host, path = plain(target.base_url, 200), ""
    kept = [part for part in (host, *path.split("/")) if part.strip(".")]
    return "endpoints/" + "/".join(quote(part, safe="-._~") for part in kept)


def _notifications(observations: Iterable[Observation]) -> Iterable[dict[str, Any]]:
    for observation in observations:
        name = observation.target.org or observation.target.base_url
        reason = observation.reason_not_observed()
        if reason is not None:
            yield {"level": "warning", "message": {"text": _text(f"{name} was not observed: {reason}", 1000)}}
        for check in observation.checks:
            if check.outcome is CheckOutcome.ERROR:
                yield {"level": "error", "message": {"text": _text(f"{name}: {check.id}: {check.message}", 1000)}}


def _level(outcome: CheckOutcome, severity: Severity) -> str:
    """SARIF's three levels; a warning is one level below the failure of the same severity."""
    levels = ["error", "error", "warning", "note", "note"]
    return levels[severity.rank + (outcome is CheckOutcome.WARN) * (2 if severity is Severity.CRITICAL else 1)]


def _text(text: str, limit: int = 500) -> str:
    """A plain text message: backslashes, brackets (links) and braces (placeholders) stand for themselves.

    SARIF 2.1.0 sections 3.11.5 and 3.11.6.
    """
    escaped = re.sub(r"([\\\[\]])", r"\\\1", plain(text, limit))
    return escaped.replace("{", "{{").replace("}", "}}")
