"""A capability statement's JSON as far as anybody reads it: documentation, nine tenths of a large one, is passed over.

:func:`sift` takes any JSON. Where a value has not the type that FHIR gives it, it stays as it was sent, for the one
reader (:mod:`interlock.fhir.capability`) to tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypedDict

import msgspec

from interlock.fhir.tolerant import MAX_CODE, MAX_URL, Problems, are_plain, list_at, objects_at, text_at

STATEMENT_TYPES = frozenset({"CapabilityStatement", "Conformance"})

MAX_RESOURCES = 1000
MAX_PARAMETERS = 1000
MAX_ENTRIES = 500
MAX_OPERATIONS = 5000

_Scalar = bool | int | float | str | None
_NoList = dict[str, Any] | _Scalar


class _Coded(TypedDict, total=False):
    code: Any


class _Parameter(TypedDict, total=False):
    name: Any
    type: Any


class _Defined(TypedDict, total=False):
    name: Any
    definition: Any


_Interactions = list[_Coded | list[Any] | _Scalar] | _NoList
_Parameters = list[_Parameter | list[Any] | _Scalar] | _NoList
_Operations = list[_Defined | list[Any] | _Scalar] | _NoList


class _Resource(TypedDict, total=False):
    type: Any
    interaction: _Interactions
    searchParam: _Parameters
    operation: _Operations
    supportedProfile: Any
    profile: Any
    versioning: Any
    conditionalCreate: Any
    searchRevInclude: Any
    extension: Any


class _Rest(TypedDict, total=False):
    mode: Any
    resource: list[msgspec.Raw] | _NoList
    interaction: _Interactions
    searchParam: _Parameters
    operation: _Operations
    transactionMode: Any
    security: Any


class _Members(TypedDict, total=False):
    resourceType: Any
    url: Any
    name: Any
    status: Any
    date: Any
    publisher: Any
    description: Any
    kind: Any
    instantiates: Any
    implementationGuide: Any
    software: Any
    implementation: Any
    fhirVersion: Any
    acceptUnknown: Any
    format: Any
    profile: Any
    meta: Any
    messaging: Any
    document: Any


class _Sent(_Members, total=False):
    rest: list[_Rest | list[Any] | _Scalar] | _NoList


#: The members of a statement, beside ``rest``, that anybody looks at.
MEMBERS = tuple(_Members.__annotations__)

#: Members of a statement that are written nowhere else in it.
TOLD_ONCE = ("fhirVersion", "kind", "instantiates", "implementation", "software")

_DECODER = msgspec.json.Decoder(_Sent)
_RESOURCE_DECODER = msgspec.json.Decoder(_Resource | list[Any] | _Scalar)


class Operation(NamedTuple):
    """An ``operation``: its name as sent, empty when there is none that can be read, and its definition's address."""

    name: str
    definition: str | None


def is_statement(document: object) -> bool:
    """Whether a JSON value says that it is a capability statement of any release."""
    name = document.get("resourceType") if isinstance(document, dict) else None
    return isinstance(name, str) and name in STATEMENT_TYPES


def sift(text: str) -> Any:
    """The JSON object in a text without what nobody reads; each ``rest.resource`` is left as text.

    :raises msgspec.DecodeError: it is none, or holds something that Python's parser may still take.
    """
    return _DECODER.decode(text)


def beside_resources(text: str, sent: dict[str, Any]) -> str:
    """The text of a statement without most of its one ``rest``, which is nearly all of it; all of it when unsure."""
    start = text.find('"rest":')
    rests = sent.get("rest")
    if start < 0 or not isinstance(rests, list) or len(rests) != 1:
        return text
    resources = rests[0].get("resource") if isinstance(rests[0], dict) else None
    if not isinstance(resources, list) or not resources:
        return text
    last = bytes(resources[-1])[-64:].decode(errors="ignore")
    return text[:start] + text[text.rfind(last) :]


def sift_resource(text: bytes) -> Any:
    """The same of a ``rest.resource``."""
    return _RESOURCE_DECODER.decode(text)


def operations_at(parent: dict[str, Any], problems: Problems) -> list[Operation]:
    """The operations that a resource, or the whole system, has."""
    return [
        Operation(
            text_at(entry, "name", problems, MAX_CODE) or "",
            next(iter(references_at(entry, "definition", problems)), None),
        )
        for entry in objects_at(parent, "operation", problems, MAX_OPERATIONS)
    ]


#: FHIR's extension for search parameters that are supported together (R4, extension
#: capabilitystatement-search-parameter-combination: parts ``required`` and ``optional``).
_COMBINATION = "http://hl7.org/fhir/StructureDefinition/capabilitystatement-search-parameter-combination"


class Combination(NamedTuple):
    """Search parameters that are declared to work together: all of ``required``, and any of ``optional``."""

    required: frozenset[str]
    optional: frozenset[str]

    def covers(self, parameters: frozenset[str]) -> bool:
        """Whether a search by these parameters is declared."""
        return self.required <= parameters <= self.required | self.optional


def combinations_at(parent: dict[str, Any]) -> tuple[Combination, ...]:
    """The combinations that a resource declares; what does not fit the extension's form declares none."""
    combinations = []
    unheard = Problems()  # an extension that reads badly is no problem of the statement's own elements
    for extension in objects_at(parent, "extension", unheard, MAX_ENTRIES):
        if extension.get("url") != _COMBINATION:
            continue
        parts: dict[str, set[str]] = {"required": set(), "optional": set()}
        for part in objects_at(extension, "extension", unheard, MAX_ENTRIES):
            name, value = part.get("url"), part.get("valueString")
            if isinstance(name, str) and name in parts and isinstance(value, str):
                parts[name].add(value[:MAX_CODE])
        combinations.append(Combination(frozenset(parts["required"]), frozenset(parts["optional"])))
    return tuple(combinations)


def names_at(parent: dict[str, Any], key: str, name: str, problems: Problems, cap: int = MAX_ENTRIES) -> list[str]:
    """``name`` of every object in the list ``key`` that has one."""
    entries = parent.get(key)
    if entries is None:
        return []
    if isinstance(entries, list) and len(entries) <= cap:
        try:
            names = [entry[name] for entry in entries]
        except (KeyError, TypeError):
            names = []
        if are_plain(names, MAX_CODE):
            return names
    texts = (text_at(entry, name, problems, MAX_CODE) for entry in objects_at(parent, key, problems, cap))
    return [text for text in texts if text]


#: Types of search parameters that need no second look, whatever the release.
_USUAL_TYPES = frozenset({"number", "date", "string", "token", "reference", "composite", "quantity", "uri", "special"})


class Codes(NamedTuple):
    """The distinct codes of the objects in a list, the list as sent, and whether each object has one."""

    codes: frozenset[str] = frozenset()
    sent: Sequence[Any] = ()
    each: bool = True


def codes_at(parent: dict[str, Any], key: str, name: str, problems: Problems) -> Codes:
    """The codes ``name`` of the objects in the list ``key``."""
    entries = parent.get(key)
    if not isinstance(entries, list):
        return Codes()
    try:
        codes = frozenset([entry[name] for entry in entries])
        if codes <= _USUAL_TYPES:
            return Codes(codes, entries)
    except (KeyError, TypeError):
        pass  # an entry without it, no object, or no string: the rare case
    objects = [entry for entry in entries[:MAX_PARAMETERS] if isinstance(entry, dict)]
    texts = [text_at(entry, name, problems, MAX_CODE) for entry in objects]
    return Codes(frozenset(text for text in texts if text), entries, each=False)


def lacks(parent: dict[str, Any], key: str, name: str) -> bool:
    """Whether an object in the list ``key`` has no ``name``."""
    entries = parent.get(key)
    return isinstance(entries, list) and any(
        isinstance(entry, dict) and entry.get(name) in (None, "") for entry in entries
    )


def references_at(parent: dict[str, Any], key: str, problems: Problems) -> tuple[str, ...]:
    """Canonicals (R4 and later) or References (DSTU2, STU3), one or a list of them, each once."""
    value = parent.get(key)
    if value is None:
        return ()
    entries = list_at(parent, key, problems, MAX_ENTRIES) or [] if isinstance(value, list) else [value]
    if are_plain(entries, MAX_URL):
        return tuple(dict.fromkeys(entries))
    holders = [entry if isinstance(entry, dict) else {"reference": entry} for entry in entries]
    texts = (text_at(holder, "reference", problems, MAX_URL) for holder in holders)
    return tuple(dict.fromkeys(text for text in texts if text is not None))
