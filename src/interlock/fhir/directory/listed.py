"""What a directory lists: organisations, the base URLs that they are reached at, and lines that cannot be used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from interlock.fhir.tolerant import storable
from interlock.model.facts import FhirRelease
from interlock.model.fleet import DroppedAddress
from interlock.model.text import plain

MAX_NAME = 200
Kind = Literal["rest", "bulk"]
Environment = Literal["production", "non-production"]


class DirectoryError(Exception):
    """The file as a whole is no directory; the message is one sentence without a full stop."""


@dataclass(slots=True, eq=False)
class Base:
    """One base URL that a directory lists, in whatever spellings.

    :ivar url: the cleaned base URL, in the first of the least odd spellings (https, no two slashes in a row).
    :ivar vendors: who publishes it, as listed, each once.
    :ivar location: where it stands in the file (``line 12``, ``entry 3``); the first one when it is listed repeatedly.
    :ivar repairs: what was cleaned in ``url``, in words.
    :ivar listed: how often it is listed, in all spellings.
    :ivar release: the FHIR release that the directory states, or else that the path names (``/R4``), or none.
    :ivar environment: what the directory says of it, or none.
    :ivar respelled: how often it is listed in another spelling, like ``spelling`` (FHIR R4 http.html).
    :ivar shared_by: how many of the listed organisations have it; ``parts`` more are part of one that has it.
    """

    url: str
    location: str
    repairs: tuple[str, ...] = ()
    vendors: list[str] = field(default_factory=list)
    listed: int = 1
    release: FhirRelease | None = None
    kind: Kind = "rest"
    environment: Environment | None = None
    respelled: int = 0
    spelling: str = ""
    shared_by: int = 0
    parts: int = 0


@dataclass(slots=True, eq=False)
class ListedOrganization:
    """One organisation that a directory lists, with every base URL of it.

    :ivar name: empty where the directory gives none.
    :ivar bases: in order, each once; never empty.
    :ivar aliases: other names of it (``Organization.alias``).
    :ivar part_of: the organisation whose bases these are, where it lists none of its own (``Organization.partOf``).
    """

    name: str
    bases: list[Base]
    location: str
    vendors: list[str] = field(default_factory=list)
    aliases: tuple[str, ...] = ()
    part_of: ListedOrganization | None = None

    @property
    def vendor(self) -> str | None:
        """Who publishes its endpoints, as listed, or none."""
        return next(iter(self.vendors), None)

    def base_for(self, release: FhirRelease) -> Base:
        """The base to integrate with: of that release before others, REST before bulk, production before tests."""
        return min(
            self.bases,
            key=lambda base: (base.release not in {release, None}, base.kind != "rest", base.environment is not None),
        )


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory that was read.

    :ivar form: ``bundle``, ``resources``, ``smart``, ``json``, ``csv`` or ``list``.
    :ivar bases: one a distinct base URL, in order of first appearance.
    :ivar organizations: in order of first appearance; those that are only part of another come last.
    :ivar dropped: listed addresses that cannot be used, each with its reason.
    :ivar unreached: listed organisations that no base is known of, each with its reason.
    :ivar listed: how many addresses the file lists, dropped and repeated ones included.
    :ivar notes: what else a reader has to know of the file, one sentence each without a full stop.
    """

    form: str
    bases: tuple[Base, ...]
    organizations: tuple[ListedOrganization, ...]
    dropped: tuple[DroppedAddress, ...]
    unreached: tuple[DroppedAddress, ...]
    listed: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Owner:
    """An organisation as a row names it. ``key`` is its own where the file identifies it by more than its name."""

    name: str
    key: int | None = None
    aliases: tuple[str, ...] = ()
    location: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One listed address before it is judged; ``unfit`` is a word and a sentence when it is no FHIR base anyway."""

    location: str
    address: str
    owners: tuple[Owner, ...] = ()
    vendor: str | None = None
    unfit: tuple[str, str] | None = None
    release: FhirRelease | None = None
    environment: Environment | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """An organisation that lists no endpoint of its own: ``whole`` is the one that it is part of, or none."""

    owner: Owner
    whole: int | None
    reason: str = "no endpoint is listed for it"


def name_of(value: object) -> str:
    """A name as one bounded line; empty when it is none."""
    return plain(storable(value[: MAX_NAME * 8]), MAX_NAME) if isinstance(value, str) else ""


def owners_named(*names: str) -> tuple[Owner, ...]:
    """Owners that are known by their names alone, each once."""
    return tuple(Owner(name) for name in dict.fromkeys(names) if name)


def dropped(location: str, name: str, address: str, word: str, reason: str) -> DroppedAddress:
    """A line that cannot be used, with an address that is safe to show."""
    return DroppedAddress.trusted(location=location, name=name, address=address, word=word, reason=reason)
