"""Rows of a directory put together: one base for all its spellings, one organisation for all its bases, none lost."""

from __future__ import annotations

import functools
from collections import Counter

from interlock.fhir.addresses import Repaired, base_key, repair_address
from interlock.fhir.directory import states
from interlock.fhir.directory.listed import Base, Directory, ListedOrganization, Owner, Part, Row, dropped
from interlock.fhir.tolerant import storable
from interlock.model import words
from interlock.model.address_secrets import redacted_base
from interlock.model.facts import FhirRelease
from interlock.model.fleet import DroppedAddress
from interlock.model.text import plain

#: Publishers of one base or organisation that are kept: a country has fewer.
_MAX_VENDORS = 200
#: Whose a base is that nobody is named for.
_NOBODY = (Owner(""),)


class Merger:
    """Adds rows up to a directory.

    An organisation that its file identifies (an ``Organization`` resource) has all bases that are linked with it. One
    that is known by name alone is the same on one base, and on bases that differ in the release in their paths only
    (``/FHIR/R4``, ``/FHIR/DSTU2``); elsewhere the same name is another organisation until somebody knows better.

    :ivar listed: how many addresses were added, dropped ones included.
    """

    def __init__(self) -> None:
        self.listed = 0
        self._bases: dict[str, Base] = {}
        self._organizations: dict[int | tuple[str, str], ListedOrganization] = {}
        self._linked: set[tuple[int, Base]] = set()
        self._parts: list[Part] = []
        self._dropped: list[DroppedAddress] = []
        self._unused: dict[int, tuple[Owner, str, str]] = {}

    def add(self, row: Row) -> None:
        """Add one listed address with its organisations."""
        self.listed += 1
        repaired, same, release, stem = _cleaned(row.address)
        unfit = row.unfit or (None if repaired.url else (repaired.word, repaired.reason))
        if unfit is not None or repaired.url is None:
            word, reason = unfit or ("address", "")
            shown = plain(redacted_base(storable(row.address[:400])), 200)
            name = row.owners[0].name if row.owners else row.label
            self._dropped.append(dropped(row.location, name, shown, word, reason))
            for owner in row.owners:
                if owner.key is not None:
                    self._unused.setdefault(owner.key, (owner, shown, reason))
            return
        base = self._base(same, row, repaired.url, repaired.repairs, release)
        for owner in row.owners or _NOBODY:
            key = owner.key if owner.key is not None else (owner.name.casefold(), stem)
            organization = self._organizations.get(key)
            if organization is None:
                location = owner.location or row.location
                organization = self._organizations[key] = ListedOrganization(
                    owner.name, [], location, [], owner.aliases
                )
            if self._is_new(key, base, organization):
                organization.bases.append(base)
                base.shared_by += 1
            _note_vendor(row.vendor, organization.vendors)

    def _is_new(self, key: int | tuple[str, str], base: Base, organization: ListedOrganization) -> bool:
        """Whether an organisation has that base not yet: one known by name has few, an identified one any number."""
        if not isinstance(key, int):
            return base not in organization.bases
        known = len(self._linked)
        self._linked.add((key, base))
        return len(self._linked) > known

    def add_part(self, part: Part) -> None:
        """Add an organisation that no row names."""
        self._parts.append(part)

    def _base(self, key: str, row: Row, url: str, repairs: tuple[str, ...], release: FhirRelease | None) -> Base:
        base = self._bases.get(key)
        if base is None:
            kind = states.kind_of(url, row.label)
            base = self._bases[key] = Base(
                url, row.location, repairs, [], 0, row.release or release, kind, row.environment
            )
        elif url != base.url:
            if _oddness(url) < _oddness(base.url):
                base.url, url, base.repairs = url, base.url, repairs
            base.spelling = base.spelling or url
            base.respelled += 1
        base.listed += 1
        _note_vendor(row.vendor, base.vendors)
        return base

    def directory(self, form: str, notes: list[str]) -> Directory:
        """Everything that was added."""
        self._drop_doubles()
        by_key = {key: organization for key, organization in self._organizations.items() if isinstance(key, int)}
        organizations = list(self._organizations.values())
        unreached = [
            dropped(owner.location, owner.name, shown, "no_base", f"its endpoint cannot be used: {reason}")
            for key, (owner, shown, reason) in self._unused.items()
            if key not in by_key
        ]
        organizations.extend(self._placed(by_key, unreached))
        return Directory(
            form,
            tuple(self._bases.values()),
            tuple(organizations),
            tuple(self._dropped),
            tuple(unreached),
            self.listed,
            (*notes, *_about_spellings(self._bases)),
        )

    def _placed(
        self, by_key: dict[int, ListedOrganization], unreached: list[DroppedAddress]
    ) -> list[ListedOrganization]:
        """The organisations that use the bases of the one that they are part of, however far up; a cycle has no top."""
        wholes = {part.owner.key: part.whole for part in self._parts if part.owner.key is not None}
        tops: dict[int, ListedOrganization | None] = {}
        circling: set[int] = set()
        placed = []
        parts = Counter[int]()
        for part in self._parts:
            way: dict[int, None] = {}
            key = part.whole
            while key is not None and key not in by_key and key not in tops and key not in way:
                way[key] = None
                key = wholes.get(key)
            top = None if key is None else by_key.get(key) or tops.get(key)
            tops.update(dict.fromkeys(way, top))
            circling.update(way if key in way or key in circling else ())
            if top is None:
                in_circle = part.whole in circling
                reason = "the organisations that it is part of go in a circle" if in_circle else part.reason
                unreached.append(dropped(part.owner.location, part.owner.name, "", "no_base", reason))
                continue
            owner = part.owner
            parts[id(top)] += 1
            placed.append(
                ListedOrganization(owner.name, top.bases, owner.location, top.vendors, owner.aliases, part_of=top)
            )
        for top in by_key.values():
            for base in top.bases:
                base.parts += parts[id(top)]
        return placed

    def _drop_doubles(self) -> None:
        """Forget what is known by name alone, or not even so, where somebody else at the base says as much or more."""
        identified = {(self._organizations[key].name.casefold(), base) for key, base in self._linked}
        for key, organization in list(self._organizations.items()):
            if isinstance(key, int) or (key[0] and not identified):
                continue
            doubles = [
                base
                for base in organization.bases
                if (key[0], base) in identified or (not key[0] and base.shared_by > 1)
            ]
            for base in doubles:
                base.shared_by -= 1
                organization.bases.remove(base)
            if not organization.bases:
                del self._organizations[key]


@functools.lru_cache(maxsize=1)
def _cleaned(address: str) -> tuple[Repaired, str, FhirRelease | None, str]:
    """A listed address cleaned, what is the same for all its spellings, the release in its path and the rest of that.

    In the recorded list of the United States 36,847 of 67,038 lines repeat the address of the line before.
    """
    repaired = repair_address(address)
    same = base_key(repaired.url or "")
    return repaired, same, *states.release_in_path(same)


def _oddness(url: str) -> tuple[bool, bool]:
    """How far a spelling is from the one to use: https, and no two slashes in a row, are meant."""
    return url.startswith("http:"), "//" in url.partition("://")[2]


def _note_vendor(vendor: str | None, vendors: list[str]) -> None:
    if vendor and vendor not in vendors and len(vendors) < _MAX_VENDORS:
        vendors.append(vendor)


def _about_spellings(bases: dict[str, Base]) -> list[str]:
    """What was taken as one base although it is written in several ways, and what was not (FHIR R4 http.html)."""
    notes = []
    several = [base for base in bases.values() if base.respelled]
    if several:
        times = sum(base.respelled for base in several)
        notes.append(
            f"{words.count(times, 'line')} with another spelling of a base that is listed too (http for https, two "
            f"slashes for one), like {several[0].spelling} for {several[0].url}"
        )
    folded = Counter(key.casefold() for key in bases)
    alike = [base.url for key, base in bases.items() if folded[key.casefold()] > 1]
    if alike:
        notes.append(
            f"{len(alike):,} bases differ from another in the case of their path only, like {alike[0]}; "
            "a path is case-sensitive, so each is a base of its own"
        )
    return notes
