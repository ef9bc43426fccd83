"""Counting results without keeping them: a small digest of each, added up."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import NamedTuple

from interlock.model.base import CheckOutcome
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
    """Adds digests up: counters by the names that :class:`FleetSummary` gives them."""

    def __init__(self) -> None:
        self.done = 0
        self._errors = 0
        self._counters: defaultdict[str, Counter[str]] = defaultdict(Counter)

    @property
    def outcomes(self) -> Counter[str]:
        """Results by outcome."""
        return self._counters["outcomes"]

    def add(self, digest: Digest) -> None:
        """Count another result."""
        self.done += 1
        self._errors += digest.error
        vendors = self._counters["vendors"]
        known = digest.vendor in vendors or len(vendors) < _MAX_NAMES
        vendors[digest.vendor if known else _OTHERS] += 1
        self.outcomes[digest.outcome] += 1
        self._counters["reasons"].update([digest.reason] if digest.reason else [])
        self._counters["releases"].update([digest.release] if digest.release else [])
        self._counters["capability_sets"].update(digest.sets)
        self._counters["failed_checks"].update(digest.failed)

    def summary(self, *, targets: int, resumed: int, elapsed_s: float, interrupted: bool) -> FleetSummary:
        """Everything counted so far."""
        specs = {check.id: check for check in list_checks()}
        names = ("outcomes", "reasons", "vendors", "releases", "capability_sets")
        return FleetSummary(
            targets=targets,
            done=self.done,
            resumed=resumed,
            elapsed_s=round(elapsed_s, 3),
            interrupted=interrupted,
            **{name: _ranked(self._counters[name]) for name in names},
            failed_checks=tuple(
                FailedCheckCount(
                    id=check_id, title=specs[check_id].title, severity=specs[check_id].severity, count=count
                )
                for check_id, count in _ranked(self._counters["failed_checks"]).items()
                if check_id in specs
            ),
            errors=self._errors,
        )


def _ranked(counter: Counter[str]) -> dict[str, int]:
    """Most frequent first; equals by name, so that the same results give the same bytes."""
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))
