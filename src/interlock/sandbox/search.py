"""Searches: exactly the parameters that the statement declares, and the pages of what they found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from interlock.sandbox.declared import DeclaredType
from interlock.sandbox.hospital import Hospital, Pairs, Result, with_parameters
from interlock.sandbox.matching import BUILT_IN, Matcher, matcher, span_of, split, target_of
from interlock.sandbox.organizations import Document
from interlock.sandbox.parameters import COMPOSITES, TARGETS, paths_of, reach, values_of
from interlock.sandbox.replies import RefusalError
from interlock.sandbox.store import Version

#: Whether the asking client may see a resource.
Sees = Callable[[Version], bool]

DEFAULT_COUNT, MAX_COUNT = 50, 100
_MAX_PARAMETERS, _MAX_VALUE, _MAX_INCLUDED = 50, 4_000, 1_000
#: Understood by every server that pages and negotiates; whatever else shapes a result is used where it is declared.
_GENERAL = ("_format", "_pretty", "_count")
_SHAPING = ("_sort", "_summary", "_elements")
#: One of these must be given where a type belongs to patients: nobody may search across them.
_NARROWING = frozenset({"patient", "subject", "_id", "identifier", "target", "encounter"})


@dataclass(slots=True)
class Query:
    """A search as it was understood. ``used`` is what the self link says, ``notes`` what was left out and why."""

    used: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tests: list[Callable[[Version], bool]] = field(default_factory=list)
    includes: list[str] = field(default_factory=list)
    reverse_includes: list[str] = field(default_factory=list)
    sort: list[str] = field(default_factory=list)
    elements: tuple[str, ...] = ()
    count: int = DEFAULT_COUNT


def search(hospital: Hospital, kind: str, pairs: Pairs, base: str, sees: Sees, *, lenient: bool = False) -> Result:
    """All matches of a search.

    :param lenient: leave out what is not understood (``Prefer: handling=lenient``) instead of refusing.
    :raises RefusalError: 400, a parameter that is not declared, a value that cannot be read, a search across patients.
    """
    query = _understood(hospital, kind, pairs, base, lenient)
    _require_narrow(hospital.declared.types[kind], kind, query)
    versions = [
        version for version in hospital.store.of(kind) if all(test(version) for test in query.tests) and sees(version)
    ]
    for name in reversed(query.sort):
        plain = name.removeprefix("-")
        versions.sort(key=lambda version: _sort_key(version, plain), reverse=name.startswith("-"))
    return Result(
        "searchset", kind, tuple(query.used), tuple(versions), query.count, tuple(query.includes),
        tuple(query.reverse_includes), query.elements, tuple(query.notes),
    )  # fmt: skip


def matches(hospital: Hospital, kind: str, pairs: Pairs, base: str) -> list[Version]:
    """Matches of the criteria of a conditional interaction, which may search everywhere.

    :raises RefusalError: 400, they cannot be read; 412, there are none.
    """
    query = _understood(hospital, kind, [pair for pair in pairs if pair[0] not in _GENERAL], base, lenient=False)
    if not query.tests:
        raise RefusalError(412, "incomplete", "a condition needs at least one search parameter")
    return [version for version in hospital.store.of(kind) if all(test(version) for test in query.tests)]


def page(hospital: Hospital, result: Result, base: str, sees: Sees, start: int = 0, name: str = "") -> Document:
    """One page of a result as a Bundle, with opaque links onward (FHIR R4 http.html#paging)."""
    shown = result.matches[start : start + result.count]
    links = [{"relation": "self", "url": f"{base}/{result.path}{_suffix(result.query)}"}]
    if result.count and start + result.count < len(result.matches):
        name = name or hospital.keep(result)
        links.append({"relation": "next", "url": f"{base}/{result.path}?_page={name}.{start + result.count}"})
    bundle: Document = {"resourceType": "Bundle", "type": result.kind, "total": len(result.matches), "link": links}
    entries = [_history_entry(version, base) for version in shown] if result.kind == "history" else [
        _entry(version, base, "match", result.elements) for version in shown
    ]  # fmt: skip
    entries += [
        _entry(version, base, "include", ()) for version in _included(hospital, result, shown, base) if sees(version)
    ]
    if result.notes and start == 0:
        issues = [{"severity": "warning", "code": "not-supported", "diagnostics": note} for note in result.notes]
        entries.append(
            {"resource": {"resourceType": "OperationOutcome", "issue": issues}, "search": {"mode": "outcome"}}
        )
    return {**bundle, "entry": entries} if entries else bundle


def next_page(hospital: Hospital, path: str, name: str, base: str, sees: Sees) -> Document:
    """The page behind an opaque link.

    :raises RefusalError: 410, it is no longer kept; 400, the link was altered.
    """
    name, _, start = name.rpartition(".")
    result = hospital.result(name)
    if result.path != path or not start.isascii() or not start.isdigit() or int(start[:6]) > len(result.matches):
        raise RefusalError(400, "invalid", "this is no link of this server: follow next as it is given")
    visible = tuple(version for version in result.matches if sees(version))  # the link may have come to somebody else
    return page(hospital, replace(result, matches=visible), base, sees, int(start), name)


def _understood(hospital: Hospital, kind: str, pairs: Pairs, base: str, lenient: bool) -> Query:
    declared, query = hospital.declared.types[kind], Query()
    if len(pairs) > _MAX_PARAMETERS or any(len(value) > _MAX_VALUE for _, value in pairs):
        raise RefusalError(400, "too-long", f"at most {_MAX_PARAMETERS} parameters of {_MAX_VALUE} letters")
    for name, value in pairs:
        try:
            _understand(hospital, kind, declared, query, name, value, base)
        except RefusalError as refusal:
            if not lenient or refusal.code != "not-supported":
                raise
            query.notes.append(refusal.words)
        else:
            if name not in ("_format", "_pretty"):
                query.used.append((name, value))
    return query


def _understand(
    hospital: Hospital, kind: str, declared: DeclaredType, query: Query, name: str, value: str, base: str
) -> None:
    """Add one parameter to the query, or say why not."""
    if name in ("_format", "_pretty"):
        return
    if name == "_count":
        if not value.isascii() or not value.isdigit() or len(value) > 6:
            raise RefusalError(400, "invalid", "_count is a whole number from 0")
        query.count = min(int(value), MAX_COUNT)
    elif name in ("_include", "_revinclude"):
        listed = declared.includes if name == "_include" else declared.reverse_includes
        if not listed & {value, ":".join(value.split(":")[:2]), "*"}:
            raise RefusalError(400, "not-supported", f"{name}={value[:100]} is not declared for {kind}")
        (query.includes if name == "_include" else query.reverse_includes).append(value)
    elif name in _SHAPING and name in declared.parameters:
        _shape(declared, query, name, value)
    else:
        query.tests.append(_criterion(hospital, kind, declared, name, value, base))


def _shape(declared: DeclaredType, query: Query, name: str, value: str) -> None:
    if name == "_elements":
        query.elements = tuple(part.strip() for part in value.split(",") if part.strip())
    elif name == "_summary":
        if value not in ("count", "false"):
            raise RefusalError(400, "not-supported", "of _summary this server does count alone")
        query.count = 0 if value == "count" else query.count
    else:
        query.sort = [part for part in value.split(",") if part]
        for part in query.sort:
            if part.removeprefix("-") not in declared.parameters:
                raise RefusalError(400, "not-supported", f"sorting by {part[:100]} is not declared")


def _criterion(
    hospital: Hospital, kind: str, declared: DeclaredType, name: str, value: str, base: str
) -> Callable[[Version], bool]:
    code, colon, modifier = name.partition(":")
    if "." in name and name in declared.parameters:
        return _chain(hospital, kind, name, value, base)
    parameter = declared.parameters.get(name) or declared.parameters.get(code)
    if parameter is None or code in (*_SHAPING, "_include", "_revinclude"):
        raise RefusalError(400, "not-supported", f"the statement declares no search of {kind} by {name[:100]}")
    typed = parameter == "reference" and modifier[:1].isupper() and modifier.isalpha()
    if (
        colon
        and name not in declared.parameters
        and modifier not in BUILT_IN.get(parameter, ("missing",))
        and not typed
    ):
        raise RefusalError(
            400, "not-supported", f"{name[:100]}: this server does not know the modifier :{modifier[:50]}"
        )
    if parameter == "composite":
        return _composite(code, value, base)
    decide = matcher(code, parameter, modifier, value, base)
    return lambda version: decide(list(values_of(version.content, kind, code)))


def _chain(hospital: Hospital, kind: str, name: str, value: str, base: str) -> Callable[[Version], bool]:
    """``patient.identifier``, ``subject:Patient.name``: what the reference leads to matches (search.html#chaining)."""
    head, _, rest = name.partition(".")
    code, _, target = head.partition(":")
    target = target or TARGETS.get(code, "") or "Patient"
    kept = hospital.declared.types.get(target)
    decide = matcher(rest, (kept.parameters.get(rest) if kept else None) or "string", "", value, base)

    def leads(version: Version) -> bool:
        for reference in values_of(version.content, kind, code):
            type_name, _, identity = (target_of(reference, base) or "").partition("/")
            referred = hospital.store.get(type_name, identity) if type_name == target else None
            if (
                referred is not None
                and referred.resource is not None
                and decide(list(values_of(referred.content, target, rest)))
            ):
                return True
        return False

    return leads


def _composite(code: str, value: str, base: str) -> Callable[[Version], bool]:
    if code not in COMPOSITES:
        raise RefusalError(400, "not-supported", f"the composite {code[:100]} is not simulated")
    within, *parts = COMPOSITES[code]
    alternatives: list[list[tuple[str, Matcher]]] = []
    for alternative in split(value, ","):
        pieces = split(alternative, "$")
        if len(pieces) != len(parts):
            raise RefusalError(400, "invalid", f"{code} takes {len(parts)} values separated by $")
        pairs = zip(parts, pieces, strict=True)
        alternatives.append([(path, matcher(code, kind, "", piece, base)) for (path, kind), piece in pairs])

    def together(version: Version) -> bool:
        return any(
            all(decide(list(reach(element, path))) for path, decide in tests)
            for element in reach(version.content, within)
            for tests in alternatives
        )

    return together


def _require_narrow(declared: DeclaredType, kind: str, query: Query) -> None:
    """A type that belongs to patients is searched for one of them (both R4 hospitals say so in their statements)."""
    if "patient" not in declared.parameters and "subject" not in declared.parameters:
        return
    if not any(name.partition(":")[0].partition(".")[0] in _NARROWING for name, _ in query.used):
        raise RefusalError(400, "required", "patient or _id is needed: nobody searches across patients here")


def _sort_key(version: Version, name: str) -> tuple[bool, Any]:
    """Missing values last; dates by their beginning, anything else as text."""
    for value in values_of(version.content, version.kind, name):
        known = span_of(value)
        return False, known[0].isoformat() if known else str(value).casefold()
    return True, ""


def _included(hospital: Hospital, result: Result, shown: Sequence[Version], base: str) -> list[Version]:
    """What the shown matches lead to, and what leads to them, once each (search.html#include, #revinclude)."""
    already = {version.address for version in shown}
    included: dict[str, Version] = {}
    for include in result.includes:
        for version in shown:
            for reference in _references(version, include, base):
                kind, _, identity = reference.partition("/")
                target = hospital.store.get(kind, identity)
                if target is not None and target.resource is not None and reference not in already:
                    included[reference] = target
    for include in result.reverse_includes:
        for version in hospital.store.of(include.partition(":")[0]):
            if version.address not in already and already & set(_references(version, include, base)):
                included[version.address] = version
    return list(included.values())[:_MAX_INCLUDED]


def _references(version: Version, include: str, base: str) -> Iterator[str]:
    """References of a resource that an include follows: ``Observation:patient``, ``Observation:subject:Patient``."""
    source, _, rest = include.partition(":")
    code, _, only = rest.partition(":")
    if source != version.kind:
        return
    for path in paths_of(version.kind, code):
        for value in reach(version.content, path):
            target = target_of(value, base)
            expected = only or TARGETS.get(code)
            if target is not None and (not expected or target.startswith(f"{expected}/")):
                yield target


def _entry(version: Version, base: str, mode: str, elements: Sequence[str]) -> Document:
    resource = version.filled(base)
    shown = with_parameters(resource, elements) if elements else resource
    return {"fullUrl": f"{base}/{version.address}", "resource": shown, "search": {"mode": mode}}


def _history_entry(version: Version, base: str) -> Document:
    """One version with what made it (FHIR R4 http.html#history)."""
    address = version.kind if version.method == "POST" else version.address
    status = {"POST": "201", "DELETE": "204"}.get(version.method, "200")
    entry: Document = {
        "fullUrl": f"{base}/{version.address}",
        "request": {"method": version.method, "url": address},
        "response": {"status": status, "etag": version.tag, "lastModified": version.updated},
    }
    return entry if version.resource is None else {**entry, "resource": version.filled(base)}


def _suffix(query: Pairs) -> str:
    return f"?{urlencode(list(query))}" if query else ""
