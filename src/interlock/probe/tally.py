"""Counting results without keeping them: a small digest of each, added up."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from interlock.model.base import CheckOutcome, Severity
from interlock.model.fleet import FailedCheckCount, FleetSummary
from interlock.model.observation import Observation
from interlock.model.text import plain
from interlock.probe.checks.registry import list_checks

#: Distinct server-chosen names that are counted; the rest is counted together.
_MAX_NAMES = 2000
_OTHERS = "others"

#: Looking a member up in its enumeration is a call in Python 3.11, too much for each of a hundred checks a target.
_FAIL, _ERROR = CheckOutcome.FAIL, CheckOutcome.ERROR


class Digest(NamedTuple):
    """The part of an observation that the summary of a run counts."""

    outcome: str
    reason: str
    vendor: str
    release: str
    sets: tuple[str, ...]
    failed: tuple[str, ...]
    error: bool


def digest_of(observation: Observation) -> Digest:
    """The digest of an observation."""
    capability, smart = observation.facts.capability, observation.facts.smart
    software = capability.software.get("name", "") if capability is not None else ""
    return Digest(
        observation.outcome,
        _reason(observation),
        plain(observation.target.vendor or software or "not known", 80),
        (capability.fhir_release or "no published release") if capability is not None else "",
        smart.capability_sets if smart is not None else (),
        tuple(check.id for check in observation.checks if check.outcome is _FAIL),
        any(check.outcome is _ERROR for check in observation.checks),
    )


def _reason(observation: Observation) -> str:
    if observation.outcome != "not_observed":
        return ""
    for request in observation.requests:
        if request.failure:
            return request.failure
        if request.status is not None and request.status >= 400:
            return f"http {request.status}"
        if request.reading not in {None, "document", "redirect"}:
            return str(request.reading)
    return "nothing received"


class Tally:
    """Adds digests up."""

    def __init__(self) -> None:
        self.done = 0
        self.outcomes: Counter[str] = Counter()
        self._errors = 0
        self._reasons: Counter[str] = Counter()
        self._vendors: Counter[str] = Counter()
        self._releases: Counter[str] = Counter()
        self._sets: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()

    def add(self, digest: Digest) -> None:
        """Count another result."""
        self.done += 1
        self._errors += digest.error
        self.outcomes[digest.outcome] += 1
        if digest.reason:
            self._reasons[digest.reason] += 1
        known = digest.vendor in self._vendors or len(self._vendors) < _MAX_NAMES
        self._vendors[digest.vendor if known else _OTHERS] += 1
        if digest.release:
            self._releases[digest.release] += 1
        self._sets.update(digest.sets)
        self._failed.update(digest.failed)

    def worst_failed(self) -> Severity | None:
        """The highest severity of a check that some target failed; none when none did."""
        severities = {check.id: check.severity for check in list_checks()}
        severities_failed = [severities[name] for name in self._failed if name in severities]
        return min(severities_failed, key=lambda severity: severity.rank, default=None)

    def summary(self, *, targets: int, resumed: int, elapsed_s: float, interrupted: bool) -> FleetSummary:
        """Everything counted so far."""
        specs = {check.id: check for check in list_checks()}
        return FleetSummary(
            targets=targets,
            done=self.done,
            resumed=resumed,
            elapsed_s=round(elapsed_s, 3),
            interrupted=interrupted,
            outcomes=_ranked(self.outcomes),
            reasons=_ranked(self._reasons),
            vendors=_ranked(self._vendors),
            releases=_ranked(self._releases),
            capability_sets=_ranked(self._sets),
            failed_checks=tuple(
                FailedCheckCount(id=name, title=specs[name].title, severity=specs[name].severity, count=count)
                for name, count in _ranked(self._failed).items()
                if name in specs
            ),
            errors=self._errors,
        )


def _ranked(counter: Counter[str]) -> dict[str, int]:
    """Most frequent first; equals by name, so that the same results give the same bytes."""
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))
