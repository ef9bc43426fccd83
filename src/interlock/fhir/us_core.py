"""US Core against a capability statement: which edition is claimed, and what of each edition's SHALL is declared.

The requirements are those of the guide's own server statement (``us-core-server``) in each edition, as
the tables have them. The guide asks a server for Patient and one type more, and for all of a type's rows once that type
is supported; certification asks for more. So a type that is left out is told apart from a row of a declared type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import NamedTuple

from interlock.fhir.capability import Statement
from interlock.fhir.statement import Combination, Operation
from interlock.fhir.tables import us_core
from interlock.fhir.tables.us_core import BASE, EDITIONS, PROFILES
from interlock.fhir.tolerant import MAX_URL, storable
from interlock.model.text import plain
from interlock.model.us_core import EditionFacts, UsCoreFacts

SERVER = f"{BASE}CapabilityStatement/us-core-server"

#: Editions and profiles that a statement names and nobody knows: so many are kept.
_MAX_NAMES = 10
_JSON = ("json", "application/fhir+json", "application/json", "application/json+fhir")

#: Editions as bits of a number, so that one look at a statement serves all of them: they differ in little.
_BITS: dict[str, int] = {edition: 1 << position for position, edition in enumerate(EDITIONS)}
_ALL = (1 << len(EDITIONS)) - 1


@dataclass(slots=True)
class _Type:
    """What editions require of a resource type, each requirement with the editions that do.

    :ivar listed: editions that require the type itself.
    """

    listed: int = 0
    interactions: dict[str, int] = field(default_factory=dict)
    parameters: dict[str, int] = field(default_factory=dict)
    combinations: dict[frozenset[str], tuple[int, str]] = field(default_factory=dict)
    combined: frozenset[str] = frozenset()
    reverse_includes: dict[str, int] = field(default_factory=dict)
    operations: dict[str, tuple[int, str]] = field(default_factory=dict)
    profiles: dict[str, int] = field(default_factory=dict)

    def masks(self) -> Iterator[int]:
        """The editions of each requirement, the type's own included."""
        yield self.listed
        for group in (self.interactions, self.parameters, self.reverse_includes, self.profiles):
            yield from group.values()
        for pair in (*self.combinations.values(), *self.operations.values()):
            yield pair[0]


@dataclass(frozen=True, slots=True)
class _Requirements:
    """All editions together.

    :ivar numbers: type → number of its requirements, by edition in their order.
    :ivar profiles: address of each profile → editions that have it.
    """

    types: dict[str, _Type]
    numbers: dict[str, tuple[int, ...]]
    profiles: dict[str, int]
    format: int
    instantiates: int


@cache
def _requirements() -> _Requirements:
    types: dict[str, _Type] = {}
    profiles: dict[str, int] = {}
    json = instantiates = 0
    for edition, bit in _BITS.items():
        table = us_core(edition)
        json |= bit * (table.system.get("format:json") == "SHALL")
        instantiates |= bit * (table.system.get(f"instantiates:{SERVER}") == "SHALL")
        for name, needs in table.resources.items():
            kind = types.setdefault(name, _Type())
            kind.listed |= bit * (needs.verb == "SHALL")
            for code in (code for code, verb in needs.interactions.items() if verb == "SHALL"):
                kind.interactions[code] = kind.interactions.get(code, 0) | bit
            for code in (parameter.code for parameter in needs.parameters if parameter.verb == "SHALL"):
                kind.parameters[code] = kind.parameters.get(code, 0) | bit
            for names in (together.parameters for together in needs.combinations if together.verb == "SHALL"):
                key = frozenset(names)
                kind.combinations[key] = (kind.combinations.get(key, (0, ""))[0] | bit, "&".join(names))
            for path in (path for path, verb in needs.rev_includes.items() if verb == "SHALL"):
                kind.reverse_includes[path] = kind.reverse_includes.get(path, 0) | bit
            for operation in needs.operations:
                if operation.verb != "SHALL":
                    continue
                mask = kind.operations.get(operation.name, (0, ""))[0] | bit
                kind.operations[operation.name] = (mask, operation.definition)
        for profile in table.profiles.values():
            profiles[profile.url] = profiles.get(profile.url, 0) | bit
            if profile.declared and profile.verb == "SHALL":
                kind = types.setdefault(profile.resource, _Type())
                kind.profiles[profile.url] = kind.profiles.get(profile.url, 0) | bit
    for kind in types.values():
        kind.combined = frozenset().union(*kind.combinations)
    numbers = {
        name: tuple(sum(bool(mask & bit) for mask in kind.masks()) for bit in _BITS.values())
        for name, kind in types.items()
    }
    return _Requirements(types, numbers, profiles, json, instantiates)


def required_types() -> frozenset[str]:
    """Types of which any edition requires something."""
    return frozenset(_requirements().types)


class _Tally(NamedTuple):
    """What is not declared, each with the editions that require it.

    :ivar missing: the statement gives a list and leaves it out; ``undeclared``: it gives none.
    :ivar elsewhere: editions of profiles that are declared in another version only.
    :ivar combinations: editions of combinations that are not spoken of, though each parameter is declared.
    """

    missing: dict[str, int]
    undeclared: dict[str, int]
    elsewhere: list[int]
    combinations: list[int]

    def note(self, label: str, editions: int, *, listed: bool) -> None:
        """Something that is not declared, beside a list or without one."""
        (self.missing if listed else self.undeclared)[label] = editions


class _Declared(NamedTuple):
    """What a statement declares of one type."""

    type: str
    interactions: tuple[str, ...]
    parameters: tuple[str, ...]
    reverse_includes: tuple[str, ...]
    combinations: tuple[Combination, ...]
    operations: tuple[Operation, ...]
    profiles: tuple[str, ...]
    profile: str | None


class _Sent(NamedTuple):
    """What a statement says that editions of US Core speak of.

    :ivar in_part: it is a summary, or was read in part only: what a list leaves out may be there.
    """

    types: tuple[_Declared, ...]
    lists_types: bool
    in_part: bool
    formats: tuple[str, ...]
    instantiates: tuple[str, ...]
    guides: tuple[str, ...]
    meta: tuple[str, ...]


def parse(statement: Statement) -> UsCoreFacts | None:
    """US Core in a statement of R4, the release of all these editions; none for another. Never raises."""
    facts = statement.facts
    if facts.fhir_release != "R4":
        return None
    operations: dict[str | None, tuple[Operation, ...]] = {}
    for of, operation in statement.operations:
        operations[of] = (*operations.get(of, ()), operation)
    general = operations.get(None, ())
    resources, reverse, combined = facts.resources, statement.reverse_includes, statement.combinations
    types = [
        _Declared(
            name,
            declared.interactions,
            declared.search_params,
            reverse.get(name, ()),
            combined.get(name, ()),
            (*operations.get(name, ()), *general) if name in operations or general else (),
            declared.profiles,
            declared.profile,
        )
        for name in _requirements().types
        if (declared := resources.get(name)) is not None
    ]
    meta = statement.members.get("meta")
    return _compared(
        _Sent(
            tuple(types),
            bool(resources),
            facts.subsetted or bool(facts.limits),
            facts.formats,
            facts.instantiates,
            _texts(statement.members.get("implementationGuide")),
            _texts(meta.get("profile")) if isinstance(meta, dict) else (),
        )
    )


@lru_cache(maxsize=256)
def _compared(sent: _Sent) -> UsCoreFacts:
    """The comparison with every edition.

    Remembered, because the tenants of a vendor's release say the same: it takes 0.3 to 0.6 ms, of the 1.8 ms of
    processor time that a target of two documents costs.
    """
    needs, tally = _requirements(), _Tally({}, {}, [], [])
    required = [0] * len(EDITIONS)
    types = {name: kind.listed for name, kind in needs.types.items() if kind.listed}
    for declared in sent.types:
        types.pop(declared.type, None)
        _compare_type(needs.types[declared.type], declared, tally, whole=not sent.in_part)
        required = [sum(pair) for pair in zip(required, needs.numbers[declared.type], strict=True)]
    for name, mask in types.items():
        for position, number in enumerate(needs.numbers[name]):
            required[position] += number if mask >> position & 1 else 0
    _compare_system(sent, needs, tally)
    if sent.in_part or not sent.lists_types:
        tally.undeclared.update(types)
        types = {}
    editions: dict[str, EditionFacts] = {
        edition: _counts(position, required[position], types, tally, needs) for position, edition in enumerate(EDITIONS)
    }
    return _told(sent, needs, editions, types, tally)


def _told(
    sent: _Sent, needs: _Requirements, editions: dict[str, EditionFacts], types: dict[str, int], tally: _Tally
) -> UsCoreFacts:
    """The facts, with the edition that is claimed, or comes closest."""
    profiles = [profile for declared in sent.types for profile in declared.profiles if profile.startswith(PROFILES)]
    mask = _ALL
    for profile in profiles:
        if "|" not in profile:
            mask &= needs.profiles.get(profile, mask) or mask
    possible = _editions(mask)
    claims = _claims(sent, profiles)
    known = [edition for edition in EDITIONS if edition in claims]
    nearest = min(
        reversed(possible or EDITIONS), key=lambda edition: editions[edition].lacking + editions[edition].undeclared
    )
    unknown = dict.fromkeys(url for profile in profiles if (url := profile.partition("|")[0]) not in needs.profiles)
    return UsCoreFacts.trusted(
        claimed=claims,
        named=bool(claims or profiles or sent.guides) or any(map(_is_server, sent.instantiates)),
        unknown_profiles=tuple([plain(storable(url), 200) for url in list(unknown)[:_MAX_NAMES]]),
        possible=possible if any("|" not in profile for profile in profiles) else (),
        closest=known[-1] if known else nearest,
        editions=editions,
        types=_by_label(types),
        missing=_by_label(tally.missing),
        undeclared=_by_label(tally.undeclared),
    )


def _compare_type(kind: _Type, sent: _Declared, tally: _Tally, *, whole: bool) -> None:
    """One declared type, each of its lists against what editions require of it; ``whole``: it was read whole."""
    name = sent.type
    for group, declared, label in (
        (kind.interactions, sent.interactions, f"{name}."),
        (kind.parameters, sent.parameters, f"{name}?"),
        (kind.reverse_includes, sent.reverse_includes, f"{name}?_revinclude="),
    ):
        for code in group.keys() - frozenset(declared):
            tally.note(label + code, group[code], listed=bool(declared) and whole)
    parameters = frozenset(sent.parameters)
    for names, (mask, label) in kind.combinations.items():
        if any(together.covers(names) for together in sent.combinations):
            continue
        if names <= parameters:
            tally.combinations.append(mask)
        else:
            tally.note(f"{name}?{label}", mask, listed=bool(parameters) and whole)
    for operation, (mask, definition) in kind.operations.items():
        if not any(own.name.lstrip("$") == operation or own.definition == definition for own in sent.operations):
            tally.note(f"{name}/${operation}", mask, listed=bool(sent.operations) and whole)
    _compare_profiles(kind, sent, tally, whole=whole)


def _compare_profiles(kind: _Type, sent: _Declared, tally: _Tally, *, whole: bool) -> None:
    """A profile without a version is declared for every edition that has it; with one, for that edition alone.

    ``rest.resource.profile`` is no claim of the profile that it names, but it is not left out either.
    """
    meant: dict[str, int] = {}
    for profile in sent.profiles:
        url, _, version = profile.partition("|")
        meant[url] = meant.get(url, 0) | (_BITS.get(version, 0) if version else _ALL)
    overall = (sent.profile or "").partition("|")[0]
    for url, mask in kind.profiles.items():
        rest = mask & ~meant.get(url, 0)
        if rest and url in meant:
            tally.elsewhere.append(rest)
        elif rest:
            tally.note(url.rpartition("/")[2], rest, listed=bool(meant) and overall != url and whole)


def _compare_system(sent: _Sent, needs: _Requirements, tally: _Tally) -> None:
    """JSON among the formats, and the guide's own statement among those that are instantiated."""
    if not any(text.partition(";")[0].strip().lower() in _JSON for text in sent.formats):
        tally.note("format json", needs.format, listed=bool(sent.formats) and not sent.in_part)
    meant = 0
    versions = [url.partition("|")[2] for url in sent.instantiates if _is_server(url)]
    for version in versions:
        meant |= _BITS.get(version, 0) if version else _ALL
    if rest := needs.instantiates & ~meant:
        # What is required is the word in the statement itself: without it, it is missing.
        tally.note("instantiates us-core-server", rest, listed=not versions and not sent.in_part)


def _is_server(url: str) -> bool:
    """Whether an address is that of US Core's server, which edition 8 prints with another capital (UC-02)."""
    return url.partition("|")[0].lower() == SERVER.lower()


def _counts(position: int, required: int, types: dict[str, int], tally: _Tally, needs: _Requirements) -> EditionFacts:
    bit = 1 << position
    system = bool(needs.format & bit) + bool(needs.instantiates & bit)
    of_types = sum([needs.numbers[name][position] for name, mask in types.items() if mask & bit])
    return EditionFacts.trusted(
        required=required + system,
        lacking=of_types + sum([mask >> position & 1 for mask in tally.missing.values()]),
        undeclared=sum([mask >> position & 1 for mask in tally.undeclared.values()]),
        other_versions=sum([mask >> position & 1 for mask in tally.elsewhere]),
        combinations=sum([mask >> position & 1 for mask in tally.combinations]),
    )


@lru_cache(maxsize=64)
def _editions(mask: int) -> tuple[str, ...]:
    return tuple([edition for edition, bit in _BITS.items() if mask & bit])


def _by_label(masks: dict[str, int]) -> dict[str, tuple[str, ...]]:
    return {label: _editions(masks[label]) for label in sorted(masks)}


def _claims(sent: _Sent, profiles: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Each edition that the statement names by number, and where, in the order of the editions."""
    claims: dict[str, Iterable[str]] = {
        "instantiates": filter(_is_server, sent.instantiates),
        "implementationGuide": sent.guides,
        "supportedProfile": profiles,
        "meta": sent.meta,
    }
    sources: dict[str, list[str]] = {}
    for source, urls in claims.items():
        versions = {version for _, _, version in (url.partition("|") for url in urls) if version}
        for version in sorted(versions)[:_MAX_NAMES]:
            sources.setdefault(plain(storable(version), 40), []).append(source)
    return {
        edition: tuple(sources[edition])
        for edition in sorted(sources, key=lambda edition: (_BITS.get(edition, 0), edition))
    }


def _texts(value: object) -> tuple[str, ...]:
    """The addresses of US Core in a list of any JSON."""
    if not isinstance(value, list):
        return ()
    return tuple([url[:MAX_URL] for url in value[:100] if isinstance(url, str) and url.startswith(BASE)])
