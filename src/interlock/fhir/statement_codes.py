"""The codes of a capability statement by release, where FHIR binds an element to them as required, and what is none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from functools import cache, lru_cache
from typing import Any, NamedTuple, Protocol

from interlock.fhir.statement import Operation
from interlock.fhir.tables import Element, release
from interlock.fhir.tolerant import Problems, shown
from interlock.model.facts import FhirRelease, ResourceFacts
from interlock.model.text import plain

#: Forms of a profile.
A_STRING, AN_OBJECT = "a string", "an object"

_SHORT_FORMATS = frozenset({"xml", "json", "ttl"})
_MIME_TYPE = re.compile(r"[\w.+-]+/[\w.+*-]+(?:\s*;.*)?", re.ASCII)

#: Releases in which a profile is a canonical address, not a Reference.
_CANONICAL = frozenset({"R4", "R4B", "R5"})


#: What an entry of a statement declares, of which a release may not have the like: ``interaction`` or ``searchParam``
#: with a code, ``profile`` with the JSON type that it is given in.
Mark = tuple[str, str]


@lru_cache(maxsize=1024)
def marks_of(interactions: tuple[str, ...], parameter_types: frozenset[str], forms: frozenset[str]) -> frozenset[Mark]:
    """The marks of an entry: its interactions, the types of its search parameters, and the forms of its profiles.

    Most entries have one of a few dozen combinations.
    """
    marks = {("interaction", code) for code in interactions}
    return frozenset(
        marks | {("searchParam", code) for code in parameter_types} | {("profile", form) for form in forms}
    )


class _Codes(NamedTuple):
    """The codes that a release has for what a statement declares."""

    types: frozenset[str]
    marks: frozenset[Mark]
    of_system: frozenset[str]
    kinds: frozenset[str]


@cache
def codes_of(release_name: FhirRelease) -> _Codes:
    """The codes of a release, from FHIR's own tables."""
    tables = release(release_name)
    statement = "Conformance" if release_name == "DSTU2" else "CapabilityStatement"

    def bound(path: str) -> frozenset[str]:
        element = tables.element(f"{statement}.{path}")
        binding = element.binding if isinstance(element, Element) else None
        return frozenset(binding.codes if binding is not None else ())

    interactions, types = bound("rest.resource.interaction.code"), bound("rest.resource.searchParam.type")
    marks = marks_of(tuple(interactions), types, frozenset({A_STRING if release_name in _CANONICAL else AN_OBJECT}))
    return _Codes(frozenset(tables.resource_types), marks, bound("rest.interaction.code"), bound("kind"))


class Rest(Protocol):
    """What the ``rest`` entries declare, as far as codes are concerned.

    :ivar sent_interactions: with the whole system, as sent: DSTU2 says some of them in another element.
    :ivar marks: those of each entry, with the first resource type that has them.
    """

    resources: dict[str, ResourceFacts]
    sent_interactions: set[str]
    marks: dict[frozenset[Mark], str]


def is_format(text: str) -> bool:
    """Whether a ``format`` is one that FHIR allows: a MIME type, or ``xml``, ``json`` or ``ttl``."""
    return text in _SHORT_FORMATS or _MIME_TYPE.fullmatch(text) is not None


def note_codes(members: Mapping[str, Any], rest: Rest, release_name: FhirRelease | None, problems: Problems) -> None:
    """Name the codes that a statement's release does not have; of an unknown release nothing can be said."""
    formats = members.get("format")
    for text in formats[:100] if isinstance(formats, list) else ():
        if isinstance(text, str) and text.strip() and not is_format(text.strip()):
            problems.add(f"the format {shown(text)} is neither a MIME type nor xml, json or ttl")
    if release_name is None:
        return
    codes = codes_of(release_name)
    kind = members.get("kind")
    if isinstance(kind, str) and kind.strip() and kind.strip() not in codes.kinds:
        problems.add(f"the kind {shown(kind)} is none of {', '.join(sorted(codes.kinds))}")
    _name(problems, rest.resources.keys() - codes.types, f"no resource type of {release_name}")
    _name(problems, rest.sent_interactions - codes.of_system, f"no interaction with a system in {release_name}")
    for marks, type_name in rest.marks.items():
        if marks <= codes.marks:  # the rule
            continue
        for element, code in sorted(marks - codes.marks)[:10]:
            problems.add(_odd(element, code, release_name, plain(type_name, 64)))


def _odd(element: str, code: str, release_name: FhirRelease, type_name: str) -> str:
    if element == "profile":
        wanted = "an address (canonical)" if release_name in _CANONICAL else "a Reference"
        return f"a profile is {code}, where {release_name} has {wanted}"
    kind = "interaction with a type" if element == "interaction" else "type of a search parameter"
    return f"{shown(code)} is no {kind} in {release_name} ({type_name})"


def _name(problems: Problems, codes: Set[str], complaint: str) -> None:
    for code in sorted(codes)[:10]:
        problems.add(f"{shown(code)} is {complaint}")


def types_of_operations(
    operations: Sequence[tuple[str | None, Operation]], release: FhirRelease | None
) -> dict[str, tuple[str, ...]]:
    """Types of the operations of the whole system whose definitions all name one: ``Patient-everything`` is Patient's.

    FHIR names its own definitions so (R4, operations); servers list operations of types at ``rest.operation`` too.
    """
    types: dict[str, list[str]] = {}
    untyped: set[str] = set()
    known = codes_of(release or "R4").types if operations else frozenset()
    for type_name, operation in operations:
        name = operation.name.lstrip("$")
        if type_name is not None or not name:
            continue
        acts_on = (operation.definition or "").rpartition("/OperationDefinition/")[2].partition("-")[0]
        if acts_on in known:
            types.setdefault(name, []).append(acts_on)
        else:
            untyped.add(name)
    return {name: tuple(dict.fromkeys(acting)) for name, acting in types.items() if name not in untyped}
