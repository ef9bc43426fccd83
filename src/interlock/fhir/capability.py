"""CapabilityStatement and DSTU2 Conformance as facts.

Covers DSTU2 1.0, STU3 3.0, R4 4.0, R4B 4.3 and R5 5.0 in one reading, because servers mix their forms. Several ``rest``
entries of mode server are merged and client entries are ignored (FHIR R4, CapabilityStatement.rest.mode).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from interlock.fhir import statement
from interlock.fhir.oauth_uris import OAuthUriReader
from interlock.fhir.statement import (
    MAX_ENTRIES,
    MAX_RESOURCES,
    Operation,
    Parts,
    Resource,
    Rest,
    address,
    names_at,
    references_at,
)
from interlock.fhir.tolerant import (
    MAX_CODE,
    MAX_PROBLEMS,
    MAX_URL,
    Problems,
    is_plain,
    kind_of,
    object_at,
    objects_at,
    shown,
    text_at,
    texts_at,
)
from interlock.model.observation import CapabilityFacts, FhirRelease, ResourceFacts, SecurityFacts

#: First two numbers of ``fhirVersion`` → release. 4.1 was the R4B ballot; drafts in between belong to no release.
_RELEASES: dict[str, FhirRelease] = {
    "1.0": "DSTU2",
    "3.0": "STU3",
    "4.0": "R4",
    "4.1": "R4B",
    "4.3": "R4B",
    "5.0": "R5",
}

#: DSTU2's ``rest.transactionMode`` → the system interactions that it stands for.
_TRANSACTION_MODES = {"batch": ("batch",), "transaction": ("transaction",), "both": ("batch", "transaction")}


def release_of(version: str | None) -> FhirRelease | None:
    """Release family from the first two numbers of a ``fhirVersion``; none when it is no published release."""
    return _RELEASES.get(".".join(version.split(".")[:2])) if version else None


@dataclass(frozen=True, slots=True)
class Statement:
    """A capability statement as it was read.

    :ivar members: what stands beside ``rest``, as sent; documentation that nobody reads is left out.
    :ivar modes: ``rest.mode`` by position; none where it is missing.
    :ivar operations: of mode server, each with its resource type or, for the whole system, none.
    """

    members: dict[str, Any]
    modes: dict[int, str | None]
    operations: tuple[tuple[str | None, Operation], ...]
    facts: CapabilityFacts


def decode(text: str) -> Statement | None:
    """The statement that a text is, read at once; none when it is no statement, or asks for patience."""
    parts = statement.decode(text)
    if parts is None:
        return None
    try:
        return _statement(parts, at_once=True)
    except _NotPlainError:
        return None


def tolerate(document: object) -> Statement:
    """The statement in any JSON value. Never raises; what does not fit is left out and named in its ``problems``."""
    return _statement(statement.tolerate(document), at_once=False)


def _statement(parts: Parts, *, at_once: bool) -> Statement:
    rest = _Rests(parts, at_once=at_once)
    return Statement(parts.members, rest.modes, tuple(rest.operations), _facts(parts, rest))


def parse(document: object) -> CapabilityFacts:
    """Facts of a statement in any JSON value.

    Interactions keep the specification's codes (``read``, ``search-type``, …); a leading ``$`` of an operation's name
    is removed; parameters of ``rest.searchParam`` apply to every type and are added to each; ``supportedProfile`` gives
    ``profiles`` and ``profile`` (string or Reference) gives ``profile``.
    """
    return tolerate(document).facts


def _facts(parts: Parts, rest: _Rests) -> CapabilityFacts:
    problems, members = parts.problems, parts.members
    version = _version(members, problems)
    release = release_of(version)
    if version and release is None:
        problems.add(f"fhirVersion {shown(version)} belongs to no published release")
    implementation = object_at(members, "implementation", problems)
    return CapabilityFacts.trusted(
        fhir_version=version,
        fhir_release=release,
        kind=text_at(members, "kind", problems, MAX_CODE),
        status=text_at(members, "status", problems, MAX_CODE),
        date=text_at(members, "date", problems, MAX_CODE),
        software=_software(members, problems),
        publisher=text_at(members, "publisher", problems),
        implementation_url=text_at(implementation, "url", problems, MAX_URL),
        formats=texts_at(members, "format", problems, MAX_ENTRIES) or (),
        instantiates=texts_at(members, "instantiates", problems, MAX_ENTRIES, MAX_URL) or (),
        resources=rest.resources,
        system_interactions=tuple(rest.system_interactions),
        operations=_distinct(_names([operation for type_name, operation in rest.operations if type_name is None])),
        profiles=references_at(members, "profile", problems),
        security=rest.security(),
        subsetted=_subsetted(members, problems),
        repeated=tuple(rest.repeated),
        problems=problems.notes(),
    )


class _NotPlainError(Exception):
    """Text that was to be read at once holds words that need a second look."""


def _plain(texts: Iterable[str]) -> None:
    """Make sure that there is nothing to trim or to replace.

    :raises _NotPlainError: there is.
    """
    if not is_plain("".join(texts)):
        raise _NotPlainError


class _Entry(NamedTuple):
    """What one ``rest.resource`` declares. ``repeats``: it names a search parameter twice."""

    type: str
    facts: ResourceFacts
    operations: tuple[Operation, ...]
    repeats: bool


def _entry(resource: Resource) -> _Entry:
    """A large statement has hundreds of these, so what most of them lack costs a look only."""
    parameters = [parameter.name for parameter in resource.searchParam]
    repeats = len(set(parameters)) < len(parameters)
    operations, profiles, profile = resource.operation, resource.supportedProfile, resource.profile
    facts = ResourceFacts.trusted(
        interactions=_distinct([interaction.code for interaction in resource.interaction]),
        search_params=_distinct(parameters) if repeats else tuple(parameters),
        profiles=_distinct(map(address, profiles)) if profiles else (),
        profile=address(profile) if profile is not None else None,
        operations=_distinct(_names(operations)) if operations else (),
        versioning=resource.versioning,
    )
    return _Entry(resource.type, facts, tuple(operations) if operations else (), repeats)


def _sent(raw: msgspec.Raw) -> _Entry:
    """:raises _NotPlainError: it has not the types that FHIR gives it, or words that need a second look."""
    text = bytes(raw)
    return _known(text) if len(text) <= _MAX_REMEMBERED else _read(text)


def _read(text: bytes) -> _Entry:
    resource = statement.decode_resource(text)
    if resource is None:
        raise _NotPlainError
    entry = _entry(resource)
    facts = entry.facts
    texts = [entry.type, *facts.interactions, *facts.search_params, *facts.profiles]
    if entry.operations:
        texts += [*facts.operations, *_definitions(entry.operations)]
    _plain((*texts, facts.profile or "", facts.versioning or ""))
    return entry


#: The tenants of one vendor's release send the same entries, whatever else their statements say (judgement).
_known = lru_cache(maxsize=4096)(_read)
_MAX_REMEMBERED = 8192


class _Rests:
    """Merges the ``rest`` entries of mode server.

    :raises _NotPlainError: text that was to be read at once needs a second look.
    """

    def __init__(self, parts: Parts, *, at_once: bool) -> None:
        self._at_once = at_once
        self._problems = parts.problems
        self._oauth = OAuthUriReader(parts.problems)
        self._services: dict[str, None] = {}
        self._cors: bool | None = None
        self.modes: dict[int, str | None] = {}
        self.resources: dict[str, ResourceFacts] = {}
        self.system_interactions: dict[str, None] = {}
        self.operations: list[tuple[str | None, Operation]] = []
        self.repeated: list[str] = []
        for position, rest in enumerate(parts.rest):
            if rest is not None:
                self.modes[position] = rest.mode
                if rest.mode != "client":
                    self._add(position, rest)

    def _add(self, position: int, rest: Rest) -> None:
        if rest.mode != "server":
            self._problems.add("a rest entry says neither mode server nor mode client; it was read as the server's")
        everywhere = [parameter.name for parameter in rest.searchParam]
        self._add_resources(f"/rest/{position}/resource", rest.resource, everywhere)
        codes = [interaction.code for interaction in rest.interaction]
        self.system_interactions.update(dict.fromkeys(codes))
        self.system_interactions.update(dict.fromkeys(_TRANSACTION_MODES.get(rest.transactionMode or "", ())))
        self.operations += [(None, operation) for operation in rest.operation]
        self._add_security(rest.security)
        if self._at_once:
            texts = (rest.mode or "", rest.transactionMode or "", *codes, *everywhere, *_names(rest.operation))
            _plain((*texts, *_definitions(rest.operation)))

    def _add_resources(
        self, pointer: str, resources: Sequence[msgspec.Raw | Resource | None], everywhere: list[str]
    ) -> None:
        listed_types: list[str] = []
        for index, resource in enumerate(resources):
            if resource is None:
                continue
            type_name, facts, operations, repeats = (
                _entry(resource) if isinstance(resource, Resource) else _sent(resource)
            )
            if repeats:
                self._repeat(f"{pointer}/{index}/searchParam")
            if everywhere:
                facts = facts.model_copy(update={"search_params": _distinct([*facts.search_params, *everywhere])})
            if operations:
                self.operations += [(type_name, operation) for operation in operations]
            if type_name in self.resources:
                if type_name in listed_types:
                    note = f"the type {shown(type_name)} is listed more than once; the entries were merged"
                    self._problems.add(note)
                    self._repeat(pointer)
                self.resources[type_name] = _merged(self.resources[type_name], facts)
            elif len(self.resources) < MAX_RESOURCES:
                self.resources[type_name] = facts
            else:
                self._problems.add(f"more than {MAX_RESOURCES} resource types; the rest was not read")
            listed_types.append(type_name)

    def _repeat(self, pointer: str) -> None:
        if len(self.repeated) < MAX_PROBLEMS and pointer not in self.repeated:
            self.repeated.append(pointer)

    def _add_security(self, security: dict[str, Any]) -> None:
        problems = self._problems
        cors = security.get("cors")
        if isinstance(cors, bool):
            self._cors = cors if self._cors is None else self._cors and cors
        elif cors is not None:
            problems.add(f"cors is {kind_of(cors)}, not a boolean")
        for service in objects_at(security, "service", problems, MAX_ENTRIES):
            codes = names_at(service, "coding", "code", problems, MAX_ENTRIES)
            text = text_at(service, "text", problems)
            self._services.update(dict.fromkeys(codes or ([text] if text else [])))
        self._oauth.add(security)

    def security(self) -> SecurityFacts:
        return SecurityFacts.trusted(
            services=tuple(self._services),
            cors=self._cors,
            oauth_uris=self._oauth.uris(),
            oauth_uris_count=self._oauth.count,
        )


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _merged(entry: ResourceFacts, other: ResourceFacts) -> ResourceFacts:
    """Two entries of one type: everything that either declares."""
    return ResourceFacts(
        interactions=_distinct([*entry.interactions, *other.interactions]),
        search_params=_distinct([*entry.search_params, *other.search_params]),
        profiles=_distinct([*entry.profiles, *other.profiles]),
        profile=entry.profile or other.profile,
        operations=_distinct([*entry.operations, *other.operations]),
        versioning=entry.versioning or other.versioning,
    )


def _names(operations: Sequence[Operation]) -> list[str]:
    return [name for operation in operations if (name := operation.name.lstrip("$"))]


def _definitions(operations: Sequence[Operation]) -> list[str]:
    return [address(operation.definition) for operation in operations if operation.definition is not None]


def _version(document: dict[str, Any], problems: Problems) -> str | None:
    value = document.get("fhirVersion")
    if isinstance(value, float) and 0 < value < 100:
        problems.add("fhirVersion is a number, not a string")
        return str(value)
    return text_at(document, "fhirVersion", problems, MAX_CODE)


def _software(document: dict[str, Any], problems: Problems) -> dict[str, str]:
    software = object_at(document, "software", problems)
    values = ((key, text_at(software, key, problems)) for key in ("name", "version", "releaseDate"))
    return {key: value for key, value in values if value is not None}


def _subsetted(document: dict[str, Any], problems: Problems) -> bool:
    """Whether ``meta.tag`` says that elements were left out (FHIR R4 http.html, summaries)."""
    meta = object_at(document, "meta", problems)
    return "SUBSETTED" in names_at(meta, "tag", "code", problems, MAX_ENTRIES)
