"""CapabilityStatement and DSTU2 Conformance as facts.

Covers DSTU2 1.0, STU3 3.0, R4 4.0, R4B 4.3 and R5 5.0 in one reading, because servers mix their forms. Several ``rest``
entries of mode server are merged and client entries are ignored (FHIR R4, CapabilityStatement.rest.mode).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from interlock.fhir.oauth_uris import OAuthUriReader
from interlock.fhir.statement import (
    MAX_ENTRIES,
    MAX_PARAMETERS,
    MAX_RESOURCES,
    MEMBERS,
    TOLD_ONCE,
    Combination,
    Operation,
    beside_resources,
    codes_at,
    combinations_at,
    is_statement,
    lacks,
    names_at,
    operations_at,
    references_at,
    sift,
    sift_resource,
)
from interlock.fhir.statement_codes import A_STRING, AN_OBJECT, Mark, marks_of, note_codes, types_of_operations
from interlock.fhir.tolerant import (
    MAX_CODE,
    MAX_PROBLEMS,
    MAX_URL,
    Problems,
    bool_at,
    entries_at,
    kind_of,
    numbered_at,
    object_at,
    objects_at,
    repeated_members,
    shown,
    text_at,
    texts_at,
    whole_object,
)
from interlock.model.base import maker
from interlock.model.facts import CapabilityFacts, FhirRelease, ResourceFacts, SecurityFacts

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
    :ivar lacking: elements that are required where their parent is given, below ``rest``, and where each lacks first.
    :ivar reverse_includes: ``searchRevInclude`` by type; ``combinations`` likewise, of types that list any.
    :ivar twice: types that a ``rest`` lists more than once.
    """

    members: dict[str, Any]
    modes: dict[int, str | None]
    operations: tuple[tuple[str | None, Operation], ...]
    facts: CapabilityFacts
    lacking: dict[str, str] = field(default_factory=dict)
    reverse_includes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    combinations: dict[str, tuple[Combination, ...]] = field(default_factory=dict)
    twice: tuple[str, ...] = ()


def decode(text: str) -> Statement | None:
    """The statement that a text is; none when it is no statement, or one that only Python's own parser takes."""
    try:
        sent = sift(text)
        if not is_statement(sent):
            return None
        return tolerate(sent, repeated_members(text, TOLD_ONCE, beside_resources(text, sent)))
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return None


def tolerate(document: object, slips: Sequence[str] = ()) -> Statement:
    """The statement in any JSON value. Never raises; what does not fit is left out and named in its ``problems``.

    ``slips`` are those of the JSON itself, which are named with them.
    """
    problems = Problems()
    for slip in slips:
        problems.add(slip)
    members = whole_object(document, problems)
    if isinstance(document, dict) and not is_statement(document):
        problems.add("resourceType is neither CapabilityStatement nor Conformance")
    rest = _Rests(members, problems)
    members = {name: members[name] for name in MEMBERS if name in members}
    facts = _facts(members, rest, problems)
    declared = (tuple(rest.operations), facts, rest.lacking, rest.reverse_includes, rest.combinations)
    return Statement(members, rest.modes, *declared, tuple(rest.twice))


def parse(document: object) -> CapabilityFacts:
    """Facts of a statement in any JSON value.

    Interactions keep the specification's codes (``read``, ``search-type``, …); a leading ``$`` of an operation's name
    is removed; parameters of ``rest.searchParam`` apply to every type and are added to each; ``supportedProfile`` gives
    ``profiles`` and ``profile`` (string or Reference) gives ``profile``.
    """
    return tolerate(document).facts


def _facts(members: dict[str, Any], rest: _Rests, problems: Problems) -> CapabilityFacts:
    version = _version(members, problems)
    release = release_of(version)
    if version and release is None:
        problems.add(f"fhirVersion {shown(version)} belongs to no published release")
    note_codes(members, rest, release, problems)
    implementation, software = (object_at(members, key, problems) for key in ("implementation", "software"))
    return CapabilityFacts.trusted(
        fhir_version=version,
        fhir_release=release,
        kind=text_at(members, "kind", problems, MAX_CODE),
        status=text_at(members, "status", problems, MAX_CODE),
        date=text_at(members, "date", problems, MAX_CODE),
        software={
            key: text
            for key in ("name", "version", "releaseDate")
            if (text := text_at(software, key, problems)) is not None
        },
        publisher=text_at(members, "publisher", problems),
        implementation_url=text_at(implementation, "url", problems, MAX_URL),
        formats=texts_at(members, "format", problems, MAX_ENTRIES) or (),
        instantiates=texts_at(members, "instantiates", problems, MAX_ENTRIES, MAX_URL) or (),
        resources=rest.resources,
        system_interactions=tuple(rest.system_interactions),
        operations=_distinct(_names([operation for type_name, operation in rest.operations if type_name is None])),
        operation_types=types_of_operations(rest.operations, release),
        profiles=references_at(members, "profile", problems),
        security=rest.security(),
        # Elements may have been left out (FHIR R4 http.html, summaries).
        subsetted="SUBSETTED" in names_at(object_at(members, "meta", problems), "tag", "code", problems),
        repeated=tuple(rest.repeated),
        problems=problems.notes(),
        limits=problems.limits(),
    )


class _Entry(NamedTuple):
    """What one ``rest.resource`` declares.

    :ivar repeats: it names a search parameter twice.
    :ivar marks: what its release may not have (:data:`~interlock.fhir.statement_codes.Mark`).
    :ivar lacks: required elements that are not there.
    :ivar reverse_includes: ``searchRevInclude``.
    :ivar combinations: of search parameters, as FHIR's extension declares them.
    """

    type: str
    facts: ResourceFacts
    operations: list[Operation]
    repeats: bool
    marks: frozenset[Mark]
    lacks: tuple[str, ...]
    reverse_includes: tuple[str, ...] = ()
    combinations: tuple[Combination, ...] = ()


_facts_of_type = maker(ResourceFacts)


def _entry(resource: object, problems: Problems) -> _Entry | None:
    """A large statement has hundreds of these, so what most of them lack costs a look only."""
    if not isinstance(resource, dict):
        problems.add(f"resource holds {kind_of(resource)} where an object belongs")
        return None
    type_name = text_at(resource, "type", problems, MAX_CODE)
    if type_name is None:
        given = resource.get("type")
        if not isinstance(given, str) or len(given) <= MAX_CODE:  # a longer one is there, and its limit is told
            problems.add("a resource entry has no type and was ignored")
        return None
    interactions = names_at(resource, "interaction", "code", problems)
    parameters = names_at(resource, "searchParam", "name", problems, MAX_PARAMETERS)
    operations = operations_at(resource, problems) if "operation" in resource else []
    facts = _facts_of_type(
        {
            "interactions": _distinct(interactions),
            "search_params": _distinct(parameters),
            "profiles": references_at(resource, "supportedProfile", problems),
            "profile": next(iter(references_at(resource, "profile", problems)), None),
            "operations": _distinct(_names(operations)) if operations else (),
            "versioning": text_at(resource, "versioning", problems, MAX_CODE),
            "conditional_create": bool_at(resource, "conditionalCreate", problems),
        }
    )
    forms = _NO_PROFILE
    if "supportedProfile" in resource or "profile" in resource:
        sent = [*_list(resource.get("supportedProfile")), *_list(resource.get("profile"))]
        forms = frozenset([AN_OBJECT if isinstance(profile, dict) else A_STRING for profile in sent])
    types = codes_at(resource, "searchParam", "type", problems)
    whole = len(interactions) == len(_list(resource.get("interaction"))) and len(parameters) == len(types.sent)
    whole = whole and types.each
    whole = whole and (not operations or all(operation.name and operation.definition for operation in operations))
    return _Entry(
        type_name,
        facts,
        operations,
        len(facts.search_params) < len(parameters),
        marks_of(facts.interactions, types.codes, forms),
        () if whole else _lacking(resource),
        texts_at(resource, "searchRevInclude", problems, MAX_ENTRIES) or () if "searchRevInclude" in resource else (),
        combinations_at(resource) if "extension" in resource else (),
    )


_NO_PROFILE: frozenset[str] = frozenset()


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


#: What each object of a list must have, in every release.
_REQUIRED = (
    ("interaction", "code"),
    ("searchParam", "name"),
    ("searchParam", "type"),
    ("operation", "name"),
    ("operation", "definition"),
)


def _lacking(parent: dict[str, Any]) -> tuple[str, ...]:
    return tuple([f"{key}.{name}" for key, name in _REQUIRED if key in parent and lacks(parent, key, name)])


def _sent_entry(text: bytes, problems: Problems) -> _Entry | None:
    if len(text) <= _MAX_REMEMBERED and _met_before(text) and (entry := _known(text)) is not None:
        return entry
    return _entry(sift_resource(text), problems)


_MAX_REMEMBERED = 8192
#: Hashes of entries that came, and how many of them.
_MET: set[int] = set()
_MAX_MET = 8192


def _met_before(text: bytes) -> bool:
    """Whether an entry came before, probably.

    To remember each at once would fill the processor's caches with what never comes again: where no two statements
    share an entry, a probe took a third longer.
    """
    number = hash(text)
    if number in _MET:
        return True
    if len(_MET) >= _MAX_MET:
        _MET.clear()
    _MET.add(number)
    return False


@lru_cache(maxsize=4096)
def _known(text: bytes) -> _Entry | None:
    """An entry about which there is nothing to note.

    The tenants of one vendor's release send the same entries, whatever else their statements say (judgement).
    """
    problems = Problems()
    entry = _entry(sift_resource(text), problems)
    return None if problems else entry


class _Rests:
    """Collects the ``rest`` entries of mode server: several of them declare what any of them declares."""

    def __init__(self, document: dict[str, Any], problems: Problems) -> None:
        self._problems = problems
        self._oauth = OAuthUriReader(problems)
        self._services: dict[str, None] = {}
        self._cors: bool | None = None
        self.modes: dict[int, str | None] = {}
        self.resources: dict[str, ResourceFacts] = {}
        self.system_interactions: dict[str, None] = {}
        self.sent_interactions: set[str] = set()
        self.operations: list[tuple[str | None, Operation]] = []
        self.repeated: list[str] = []
        self.twice: dict[str, None] = {}
        self.lacking: dict[str, str] = {}
        self.reverse_includes: dict[str, tuple[str, ...]] = {}
        self.combinations: dict[str, tuple[Combination, ...]] = {}
        self.marks: dict[frozenset[Mark], str] = {}
        for position, rest in numbered_at(document, "rest", problems, MAX_ENTRIES):
            self.modes[position] = text_at(rest, "mode", problems, MAX_CODE)
            if self.modes[position] != "client":
                self._add(position, rest)

    def _add(self, position: int, rest: dict[str, Any]) -> None:
        problems = self._problems
        if self.modes[position] != "server":
            problems.add("a rest entry says neither mode server nor mode client; it was read as the server's")
        everywhere = names_at(rest, "searchParam", "name", problems, MAX_PARAMETERS)
        of_rest = codes_at(rest, "searchParam", "type", problems).codes
        self.marks[marks_of((), of_rest, frozenset())] = "every type"
        for element in _lacking(rest):
            self.lacking.setdefault(f"rest.{element}", f"/rest/{position}/{element.partition('.')[0]}")
        self._add_resources(f"/rest/{position}/resource", rest, everywhere)
        sent = names_at(rest, "interaction", "code", problems)
        self.sent_interactions.update(sent)
        self.system_interactions.update(dict.fromkeys(sent))
        transactions = text_at(rest, "transactionMode", problems, MAX_CODE)
        self.system_interactions.update(dict.fromkeys(_TRANSACTION_MODES.get(transactions or "", ())))
        self.operations += [(None, operation) for operation in operations_at(rest, problems)]
        self._add_security(object_at(rest, "security", problems))

    def _add_resources(self, pointer: str, rest: dict[str, Any], everywhere: list[str]) -> None:
        listed_types: set[str] = set()
        for index, resource in enumerate(entries_at(rest, "resource", self._problems, MAX_RESOURCES)):
            is_text = isinstance(resource, msgspec.Raw)
            entry = _sent_entry(bytes(resource), self._problems) if is_text else _entry(resource, self._problems)
            if entry is None:
                continue
            type_name, facts, operations, repeats, marks, lacking, reverse_includes, combinations = entry
            if repeats:
                self._repeat(f"{pointer}/{index}/searchParam")
            self.marks.setdefault(marks, type_name)
            for element in lacking:
                self.lacking.setdefault(f"rest.resource.{element}", f"{pointer}/{index}/{element.partition('.')[0]}")
            if everywhere:
                facts = facts.model_copy(update={"search_params": _distinct([*facts.search_params, *everywhere])})
            if operations:
                self.operations += [(type_name, operation) for operation in operations]
            if reverse_includes:
                self.reverse_includes[type_name] = (*self.reverse_includes.get(type_name, ()), *reverse_includes)
            if combinations:
                self.combinations[type_name] = (*self.combinations.get(type_name, ()), *combinations)
            if type_name in self.resources:
                if type_name in listed_types:
                    self._problems.add(f"the type {shown(type_name)} is listed more than once; the entries were merged")
                    self._repeat(f"{pointer}/{index}")
                    self.twice[type_name] = None
                self.resources[type_name] = _merged(self.resources[type_name], facts)
            elif len(self.resources) < MAX_RESOURCES:
                self.resources[type_name] = facts
            else:
                self._problems.cut(f"there are more than {MAX_RESOURCES:,} resource types; the rest was not read")
            listed_types.add(type_name)

    def _repeat(self, pointer: str) -> None:
        if len(self.repeated) < MAX_PROBLEMS and pointer not in self.repeated:
            self.repeated.append(pointer)

    def _add_security(self, security: dict[str, Any]) -> None:
        problems = self._problems
        if (cors := bool_at(security, "cors", problems)) is not None:
            self._cors = cors if self._cors is None else self._cors and cors
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
            oauth_uris_misspelt=self._oauth.misspelt,
        )


def _distinct(names: list[str]) -> tuple[str, ...]:
    return tuple(names if len(set(names)) == len(names) else dict.fromkeys(names))


def _merged(entry: ResourceFacts, other: ResourceFacts) -> ResourceFacts:
    """Two entries of one type: everything that either declares."""
    return ResourceFacts(
        interactions=_distinct([*entry.interactions, *other.interactions]),
        search_params=_distinct([*entry.search_params, *other.search_params]),
        profiles=_distinct([*entry.profiles, *other.profiles]),
        profile=entry.profile or other.profile,
        operations=_distinct([*entry.operations, *other.operations]),
        versioning=entry.versioning or other.versioning,
        conditional_create=entry.conditional_create or other.conditional_create,
    )


def _names(operations: Sequence[Operation]) -> list[str]:
    return [name for operation in operations if (name := operation.name.lstrip("$"))]


def _version(document: dict[str, Any], problems: Problems) -> str | None:
    value = document.get("fhirVersion")
    if isinstance(value, float) and 0 < value < 100:
        problems.add("fhirVersion is a number, not a string")
        return str(value)
    return text_at(document, "fhirVersion", problems, MAX_CODE)
