"""Result of importing organisations from a directory, done or only tried."""

from __future__ import annotations

from typing import Literal

from interlock.model.base import Model


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
