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


class ListedBase(Model):
    """A base URL as a directory lists it.

    :ivar release: the FHIR release that the directory states or that the path names, or none.
    :ivar kind: ``rest``, or ``bulk`` where its path or its name says so.
    """

    fhir_base_url: str
    release: str | None = None
    kind: Literal["rest", "bulk"] = "rest"


class ImportedOrganization(Model):
    """An organisation that was added.

    :ivar release: the FHIR release of its base, as listed, or none.
    :ivar shared_by: how many organisations the directory lists at that base, this one included,
        without those that are part of another.
    :ivar other_bases: further base URLs that the directory lists for it.
    :ivar part_of: the organisation whose base it is, where the directory lists none for this one.
    :ivar repairs: what was cleaned in its address, in words.
    :ivar location: where the directory lists it.
    """

    id: str
    name: str
    vendor: str
    environment: Literal["sandbox", "non-production", "production"]
    fhir_base_url: str
    release: str | None = None
    shared_by: int = 1
    other_bases: tuple[ListedBase, ...] = ()
    part_of: str | None = None
    repairs: tuple[str, ...] = ()
    location: str


class KnownOrganization(Model):
    """An organisation of the workspace that a directory lists too; it is left as it is."""

    id: str
    name: str
    fhir_base_url: str


class DroppedAddress(Model):
    """An entry of a directory that cannot be used, or an organisation in it that has no base URL.

    :ivar word: ``relative``, ``empty``, ``characters``, ``scheme``, ``host``, ``placeholder``, ``credentials``,
        ``too_long``, ``no_address``, ``status``, ``ended``, ``not_begun``, ``not_fhir``, ``not_an_entry``; of an
        organisation ``no_base``.
    """

    location: str
    name: str
    address: str
    word: str
    reason: str


class ImportResult(Model):
    """Result of an import.

    :ivar listed: addresses in the file; ``distinct`` of them are different usable base URLs.
    :ivar organizations: how many organisations the file lists at them.
    :ivar picked: those that the name and the vendor asked for fit; an organisation that is part of another and uses its
        base counts only when its name was asked for.
    :ivar parts: how many such organisations were not added by themselves.
    :ivar known: picked organisations that the workspace has already.
    :ivar unreached: listed organisations that have no base URL, each with its reason.
    :ivar left_out: picked and new, but beyond the limit.
    :ivar notes: what else there is to know of the file, in sentences without a full stop.
    :ivar saved: false for a trial run.
    """

    schema_version: Literal["3"] = "3"
    form: str
    listed: int
    distinct: int
    organizations: int
    picked: int
    parts: int = 0
    added: tuple[ImportedOrganization, ...] = ()
    known: tuple[KnownOrganization, ...] = ()
    dropped: tuple[DroppedAddress, ...] = ()
    unreached: tuple[DroppedAddress, ...] = ()
    left_out: int = 0
    notes: tuple[str, ...] = ()
    saved: bool = True
