"""A capability statement as far as facts are read from it: cleaned, bounded, and decoded no further than that.

Most of a statement's bytes are documentation. :func:`decode` reads a text that has the types that FHIR gives it, which
is the rule, straight into the parts below, for half of what reading everything costs. :func:`tolerate` makes the same
parts of any JSON value and notes what did not fit. Where both apply they agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict, cast

import msgspec
from msgspec import Meta, Struct

from interlock.fhir.tolerant import (
    MAX_CODE,
    MAX_URL,
    Problems,
    kind_of,
    numbered_at,
    object_at,
    objects_at,
    text_at,
)

STATEMENT_TYPES = frozenset({"CapabilityStatement", "Conformance"})

MAX_RESOURCES = 1000
MAX_PARAMETERS = 1000
MAX_ENTRIES = 500

_Code = Annotated[str, Meta(min_length=1, max_length=MAX_CODE)]
_Url = Annotated[str, Meta(min_length=1, max_length=MAX_URL)]


class Coded(Struct, gc=False):
    """An ``interaction``."""

    code: _Code


class Named(Struct, gc=False):
    """A ``searchParam``."""

    name: _Code


class Pointed(Struct, gc=False):
    """A Reference, which DSTU2 and STU3 have where later releases have a canonical."""

    reference: _Url


class Operation(Struct, gc=False):
    """An ``operation``; its name as sent, empty when there is none that can be read."""

    name: _Code
    definition: _Url | Pointed | None = None


class Resource(Struct, gc=False):
    """A ``rest.resource``."""

    type: _Code
    interaction: Annotated[list[Coded], Meta(max_length=MAX_ENTRIES)] = []
    searchParam: Annotated[list[Named], Meta(max_length=MAX_PARAMETERS)] = []  # noqa: N815 - FHIR's own name
    operation: Annotated[list[Operation], Meta(max_length=MAX_ENTRIES)] = []
    supportedProfile: Annotated[list[_Url | Pointed], Meta(max_length=MAX_ENTRIES)] = []  # noqa: N815
    profile: _Url | Pointed | None = None
    versioning: _Code | None = None


class Rest(Struct, gc=False):
    """A ``rest`` entry; when it describes a client, its mode alone is read.

    :ivar resource: the entries, each cleaned or still as text (:func:`decode_resource`); none for what is no entry.
    """

    mode: _Code | None = None
    resource: Sequence[msgspec.Raw | Resource | None] = []
    interaction: Annotated[list[Coded], Meta(max_length=MAX_ENTRIES)] = []
    searchParam: Annotated[list[Named], Meta(max_length=MAX_PARAMETERS)] = []  # noqa: N815
    operation: Annotated[list[Operation], Meta(max_length=MAX_ENTRIES)] = []
    transactionMode: _Code | None = None  # noqa: N815
    security: dict[str, Any] = {}


class _SentRest(Rest, gc=False):
    resource: Annotated[list[msgspec.Raw], Meta(max_length=MAX_RESOURCES)] = []


class _Members(TypedDict, total=False):
    """The members of a statement that anybody looks at."""

    resourceType: Any
    url: Any
    name: Any
    status: Any
    date: Any
    publisher: Any
    description: Any
    kind: Any
    instantiates: Any
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
    rest: Annotated[list[_SentRest], Meta(max_length=MAX_ENTRIES)]


_DECODER = msgspec.json.Decoder(_Sent)
_RESOURCE_DECODER = msgspec.json.Decoder(Resource)
_NAMES = tuple(_Members.__annotations__)


@dataclass(frozen=True, slots=True)
class Parts:
    """The elements that are read of a capability statement, cleaned.

    :ivar members: what stands beside ``rest``, as sent; documentation that nobody reads is left out.
    :ivar rest: the ``rest`` entries, none where one was no object.
    :ivar problems: what did not fit so far; whoever reads on adds to it.
    """

    members: dict[str, Any]
    rest: Sequence[Rest | None]
    problems: Problems


def is_statement(document: object) -> bool:
    """Whether a JSON value says that it is a capability statement of any release."""
    name = document.get("resourceType") if isinstance(document, dict) else None
    return isinstance(name, str) and name in STATEMENT_TYPES


def decode(text: str) -> Parts | None:
    """The parts of a text that has the types that FHIR gives it; none for any other.

    Entries of resources are left as text. Words are within their limits and not empty, and no more is known of them:
    whoever reads them makes sure that there is nothing to trim (:func:`~interlock.fhir.tolerant.is_plain`).
    """
    try:
        sent = _DECODER.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return None
    if not is_statement(sent):
        return None
    rest: list[_SentRest] = sent.pop("rest", [])
    return Parts(cast(dict[str, Any], sent), rest, Problems())


def decode_resource(text: bytes) -> Resource | None:
    """A ``rest.resource`` from its text in :func:`decode`'s result; none when its types are not those of FHIR."""
    try:
        return _RESOURCE_DECODER.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def address(value: str | Pointed) -> str:
    """A canonical, or what a Reference points at."""
    return value if isinstance(value, str) else value.reference


def tolerate(document: object) -> Parts:
    """The parts of any JSON value. Never raises; what does not fit is left out and noted."""
    problems = Problems()
    if not isinstance(document, dict):
        problems.add(f"the document is {kind_of(document)}, not an object")
        document = {}
    elif not is_statement(document):
        problems.add("resourceType is neither CapabilityStatement nor Conformance")
    rest: list[Rest | None] = []
    for position, entry in numbered_at(document, "rest", problems, MAX_ENTRIES):
        rest += [None] * (position - len(rest))
        rest.append(_rest(entry, problems))
    return Parts({name: document[name] for name in _NAMES if name in document}, rest, problems)


def _rest(entry: dict[str, Any], problems: Problems) -> Rest:
    mode = text_at(entry, "mode", problems, MAX_CODE)
    if mode == "client":
        return Rest(mode=mode)
    parameters = [Named(name) for name in names_at(entry, "searchParam", "name", problems, MAX_PARAMETERS)]
    resources: list[Resource | None] = []
    for index, resource in numbered_at(entry, "resource", problems, MAX_RESOURCES):
        resources += [None] * (index - len(resources))
        resources.append(_resource(resource, problems))
    return Rest(
        mode=mode,
        resource=resources,
        interaction=[Coded(code) for code in names_at(entry, "interaction", "code", problems, MAX_ENTRIES)],
        searchParam=parameters,
        operation=_operations(entry, problems),
        transactionMode=text_at(entry, "transactionMode", problems, MAX_CODE),
        security=object_at(entry, "security", problems),
    )


def _resource(entry: dict[str, Any], problems: Problems) -> Resource | None:
    type_name = text_at(entry, "type", problems, MAX_CODE)
    if type_name is None:
        problems.add("a resource entry has no type and was ignored")
        return None
    profiles = references_at(entry, "profile", problems)
    return Resource(
        type=type_name,
        interaction=[Coded(code) for code in names_at(entry, "interaction", "code", problems, MAX_ENTRIES)],
        searchParam=[Named(name) for name in names_at(entry, "searchParam", "name", problems, MAX_PARAMETERS)],
        operation=_operations(entry, problems),
        supportedProfile=list(references_at(entry, "supportedProfile", problems)),
        profile=next(iter(profiles), None),
        versioning=text_at(entry, "versioning", problems, MAX_CODE),
    )


def _operations(parent: dict[str, Any], problems: Problems) -> list[Operation]:
    return [
        Operation(
            text_at(entry, "name", problems, MAX_CODE) or "",
            next(iter(references_at(entry, "definition", problems)), None),
        )
        for entry in objects_at(parent, "operation", problems, MAX_ENTRIES)
    ]


def names_at(parent: dict[str, Any], key: str, name: str, problems: Problems, cap: int) -> list[str]:
    """``name`` of every object in the list ``key`` that has one."""
    texts = (text_at(entry, name, problems, MAX_CODE) for entry in objects_at(parent, key, problems, cap))
    return [text for text in texts if text]


def references_at(parent: dict[str, Any], key: str, problems: Problems) -> tuple[str, ...]:
    """Canonicals (R4 and later) or References (DSTU2, STU3), one or a list of them, each once."""
    value = parent.get(key)
    if value is None:
        return ()
    entries = value if isinstance(value, list) else [value]
    if len(entries) > MAX_ENTRIES:
        problems.add(f"{key} has {len(entries)} entries; only the first {MAX_ENTRIES} were read")
        entries = entries[:MAX_ENTRIES]
    references: dict[str, None] = {}
    for entry in entries:
        holder = entry if isinstance(entry, dict) else {"reference": entry}
        if (text := text_at(holder, "reference", problems, MAX_URL)) is not None:
            references[text] = None
    return tuple(references)
