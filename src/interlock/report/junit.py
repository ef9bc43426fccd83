"""Probe results as JUnit XML: a suite for each target, a case for each check, as build servers show them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from interlock.model.base import CheckOutcome
from interlock.model.observation import Check, Observation
from interlock.report import safe

_SKIPPED = {CheckOutcome.NOT_OBSERVED, CheckOutcome.NOT_APPLICABLE}


def to_junit(observations: Sequence[Observation], command: str = "probe") -> str:
    """JUnit's XML. A failed check is a failure, a mistake of this program an error; ``command`` names the command.

    What could not be looked at is skipped. A warning passes: its message is in the case's output.
    """
    root = Element("testsuites", {"name": f"interlock {command}", **_totals(observations)})
    for observation in observations:
        target = observation.target
        name, moment = safe.text(target.org or target.base_url, 300), observation.started.strftime("%Y-%m-%dT%H:%M:%S")
        suite = SubElement(root, "testsuite", {"name": name, **_totals([observation]), "timestamp": moment})
        properties = SubElement(suite, "properties")
        for name, value in (("base_url", target.base_url), ("outcome", observation.outcome)):
            SubElement(properties, "property", {"name": name, "value": safe.text(value, 2048)})
        for check in observation.checks:
            _case(suite, observation, check)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _totals(observations: Sequence[Observation]) -> dict[str, str]:
    count = Counter(check.outcome for observation in observations for check in observation.checks)
    return {
        "tests": str(count.total()),
        "failures": str(count[CheckOutcome.FAIL]),
        "errors": str(count[CheckOutcome.ERROR]),
        "skipped": str(sum(count[outcome] for outcome in _SKIPPED)),
        "time": f"{sum(observation.elapsed_ms for observation in observations) / 1000:.3f}",
    }


def _case(suite: Element, observation: Observation, check: Check) -> None:
    target = observation.target
    case = SubElement(
        suite,
        "testcase",
        {
            "classname": safe.text(f"{target.org or target.base_url}.{check.id.partition('-')[0]}", 400),
            "name": safe.text(f"{check.id} {check.title}", 300),
            "time": "0",
        },
    )
    message = safe.text(check.message, 1000)
    if check.outcome in _SKIPPED:
        SubElement(case, "skipped", {"message": message})
    elif check.outcome is CheckOutcome.FAIL:
        where = [f"at {evidence.url}#{evidence.pointer}" for evidence in check.evidence[:5]]
        sources = [f"see {reference.title}: {reference.url}" for reference in check.references]
        failure = SubElement(case, "failure", {"message": message, "type": check.severity.value})
        failure.text = "\n".join(safe.text(line, 2048) for line in (check.message, *where, *sources))
    elif check.outcome is CheckOutcome.ERROR:
        SubElement(case, "error", {"message": message, "type": "internal"})
    elif check.outcome is CheckOutcome.WARN:
        SubElement(case, "system-out").text = f"warning ({check.severity.value}): {message}"
