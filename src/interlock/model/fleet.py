"""Counts over a probe of many endpoints."""

from __future__ import annotations

from typing import Literal

from interlock.model.base import Model, Severity


class FailedCheckCount(Model):
    """How many targets failed one check."""

    id: str
    title: str
    severity: Severity
    count: int


class FleetSummary(Model):
    """Counts over all results of a run, those of earlier runs that it continued included.

    Every ``dict`` is name → number of targets, the most frequent first.

    :ivar targets: how many were to be probed; ``done`` have a result, ``resumed`` of those had one before this run.
    :ivar elapsed_s: seconds that this run took.
    :ivar interrupted: the run was stopped before every target had a result.
    :ivar outcomes: ``observed``, ``partial``, ``not_observed``.
    :ivar reasons: why nothing was observed: the failure's word (``dns``, ``timeout``, …) or ``http 404``, ``html``, ….
    :ivar vendors: the directory's publisher of each target, or else the software that the statement names.
    :ivar releases: FHIR releases of the statements that were read.
    :ivar capability_sets: SMART capability sets; a target may have several.
    :ivar failed_checks: the most frequent first.
    :ivar errors: targets on which a check or the probe itself went wrong: mistakes of this program.
    """

    schema_version: Literal["1"] = "1"
    targets: int
    done: int
    resumed: int = 0
    elapsed_s: float
    interrupted: bool = False
    outcomes: dict[str, int] = {}
    reasons: dict[str, int] = {}
    vendors: dict[str, int] = {}
    releases: dict[str, int] = {}
    capability_sets: dict[str, int] = {}
    failed_checks: tuple[FailedCheckCount, ...] = ()
    errors: int = 0
