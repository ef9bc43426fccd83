"""Counts over a probe of many endpoints, and the result of importing organisations from a directory of them."""

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


class ImportedOrganization(Model):
    """An organisation that was added.

    :ivar other_names: further organisations that the directory lists at the same base URL.
    :ivar repairs: what was cleaned in its address, in words.
    :ivar location: where the directory lists it.
    """

    id: str
    name: str
    vendor: str
    fhir_base_url: str
    other_names: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()
    location: str


class DroppedAddress(Model):
    """An entry of a directory that cannot be used.

    :ivar word: ``relative``, ``empty``, ``characters``, ``scheme``, ``host``, ``placeholder``, ``credentials``,
        ``too_long``, ``no_address``, ``status``, ``not_fhir`` or ``not_an_entry``.
    """

    location: str
    name: str
    address: str
    word: str
    reason: str


class ImportResult(Model):
    """Result of an import.

    :ivar listed: addresses in the file; ``distinct`` of them are different usable base URLs.
    :ivar picked: distinct ones that the name and the vendor asked for fit.
    :ivar known: base URLs that an organisation of the workspace has already, by its id; they are left as they are.
    :ivar left_out: picked and new, but beyond the limit.
    :ivar saved: false for a trial run.
    """

    schema_version: Literal["2"] = "2"
    form: str
    listed: int
    distinct: int
    picked: int
    added: tuple[ImportedOrganization, ...] = ()
    known: dict[str, str] = {}
    dropped: tuple[DroppedAddress, ...] = ()
    left_out: int = 0
    saved: bool = True
