"""References between the resources of one file, resolved as FHIR says (R4 references.html and bundle.html#references).

A directory is read as it lies there: nothing is fetched. A reference that leads out of the file stays unresolved.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from interlock.fhir.tolerant import objects_of

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_VERSIONED = re.compile(r"(.+)/_history/([A-Za-z0-9.\-]{1,64})")


class Entry(NamedTuple):
    """A resource of the file, with the ``fullUrl`` of its entry where there is one, and where it stands."""

    resource: dict[str, Any]
    full_url: str | None
    location: str


class References:
    """Finds the entry that a reference of another entry means, by its place in the list of all entries."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._by_url: dict[tuple[str, str], int] = {}
        self._by_version: dict[tuple[str, str, str], int] = {}
        self._by_id: dict[tuple[str, str], int] = {}
        self._by_identifier: dict[tuple[str, object, object], int | None] = {}
        for number, entry in enumerate(entries):
            kind = entry.resource["resourceType"]
            if entry.full_url:
                self._by_url.setdefault((kind, entry.full_url), number)
                if isinstance(version := _version(entry.resource), str):
                    self._by_version.setdefault((kind, entry.full_url, version), number)
            if _root(entry) is None:
                self._by_id.setdefault((kind, _type_and_id(entry.resource)), number)
            for identifier in objects_of(entry.resource, "identifier"):
                if (key := _identifier_key(kind, identifier)) is not None:
                    known = self._by_identifier.setdefault(key, number)
                    if known != number:
                        self._by_identifier[key] = None

    def find(self, reference: object, within: Entry, kind: str) -> int | None:
        """The entry of resource type ``kind`` that a Reference of the entry ``within`` means, or none.

        A relative reference is one to the server that the entry's own ``fullUrl`` names. Without such a ``fullUrl`` it
        means the entry of that type and id which has none either: lists of resources are written so. A version
        picks among several versions; one that is not there does not make the entry another one. Where only an
        identifier is given, the one entry that has it is meant.
        """
        if not isinstance(reference, dict):
            return None
        target = reference.get("reference")
        if isinstance(target, str) and target:
            return self._found(target, within, kind)
        key = _identifier_key(kind, reference.get("identifier"))
        return self._by_identifier.get(key) if key is not None else None

    def _found(self, target: str, within: Entry, kind: str) -> int | None:
        versioned = _VERSIONED.fullmatch(target)
        unversioned, version = versioned.groups() if versioned else (target, "")
        urls = [unversioned]
        if not _SCHEME.match(unversioned) and (root := _root(within)) is not None:
            urls.append(f"{root}{unversioned}")
        for url in urls:
            number = self._by_version.get((kind, url, version), self._by_url.get((kind, url)))
            if number is not None:
                return number
        return self._by_id.get((kind, unversioned)) if not _SCHEME.match(unversioned) else None


def contained_in(resource: dict[str, Any], reference: object, kind: str) -> dict[str, Any] | None:
    """The contained resource that a Reference means: ``#id``, or the bare id that some directories write."""
    target = reference.get("reference") if isinstance(reference, dict) else None
    if not isinstance(target, str) or not target:
        return None
    return next(
        (
            inner
            for inner in objects_of(resource, "contained")
            if inner.get("resourceType") == kind and inner.get("id") == target.removeprefix("#")
        ),
        None,
    )


def _root(entry: Entry) -> str | None:
    """The base of the server that an entry's ``fullUrl`` names, with its slash; none when it names no server."""
    url, ending = entry.full_url or "", _type_and_id(entry.resource)
    return url.removesuffix(ending) if url.startswith(("http://", "https://")) and url.endswith(f"/{ending}") else None


def _type_and_id(resource: dict[str, Any]) -> str:
    return f"{resource.get('resourceType')}/{resource.get('id')}"


def _version(resource: dict[str, Any]) -> object:
    meta = resource.get("meta")
    return meta.get("versionId") if isinstance(meta, dict) else None


def _identifier_key(kind: str, identifier: object) -> tuple[str, object, object] | None:
    if not isinstance(identifier, dict):
        return None
    system, value = identifier.get("system"), identifier.get("value")
    if not isinstance(value, str) or not isinstance(system, str | None):
        return None
    return kind, system, value
