"""FHIR's value sets and code systems, as published, into lists of codes; only what can be told without a server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Resource = dict[str, Any]
Codes = dict[str, None]

#: Properties of a concept that is there to group others.
_ABSTRACT = frozenset({"notSelectable", "abstract"})

#: Imports of imports that are followed.
_MAX_DEPTH = 6


class ValueSets:
    """The value sets and code systems of one release's bundle."""

    def __init__(self, bundle: Resource) -> None:
        resources = [entry["resource"] for entry in bundle["entry"]]
        self._value_sets: Mapping[str, Resource] = {one["url"]: one for one in resources if _is(one, "ValueSet")}
        systems = {one["url"]: one.get("concept", []) for one in resources if _is(one, "CodeSystem")}
        inline = (one["codeSystem"] for one in self._value_sets.values() if "codeSystem" in one)  # DSTU2
        self._systems: Mapping[str, list[Resource]] = systems | {one["system"]: one["concept"] for one in inline}

    def codes(self, url: str, depth: int = 0) -> Codes | None:
        """The codes of a value set in its order, abstract ones left out; none when the bundle lacks a part of it."""
        value_set = self._value_sets.get(url.partition("|")[0])
        if value_set is None or depth > _MAX_DEPTH:
            return None
        compose = value_set.get("compose", {})
        parts: list[Codes | None] = []
        if "codeSystem" in value_set:
            parts.append(_selectable(value_set["codeSystem"]["concept"]))
        parts += [self.codes(imported, depth + 1) for imported in compose.get("import", [])]
        parts += [self._included(one, depth) for one in compose.get("include", [])]
        excluded = [self._included(one, depth) for one in compose.get("exclude", [])]
        found: Codes = {}
        for part in parts:
            if part is None:
                return None
            found |= part
        for part in excluded:
            if part is None:
                return None
            found = {code: None for code in found if code not in part}
        return found

    def _included(self, include: Resource, depth: int) -> Codes | None:
        found = self._of_system(include) if "system" in include else None
        if found is None and "system" in include:
            return None
        for url in include.get("valueSet", []):
            imported = self.codes(url, depth + 1)
            if imported is None:
                return None
            found = imported if found is None else {code: None for code in found if code in imported}
        return found

    def _of_system(self, include: Resource) -> Codes | None:
        if "concept" in include:
            return {one["code"]: None for one in include["concept"]}
        concepts = self._systems.get(include["system"])
        if not concepts:
            return None
        found = _selectable(concepts)
        for one in include.get("filter", []):
            root = next((concept for concept in _all(concepts) if concept["code"] == one["value"]), None)
            if root is None or one["op"] not in {"is-a", "descendent-of"}:
                return None
            below = _selectable([root] if one["op"] == "is-a" else root.get("concept", []))
            found = {code: None for code in found if code in below}
        return found


def _is(resource: Resource, kind: str) -> bool:
    return bool(resource["resourceType"] == kind)


def _all(concepts: Iterable[Resource]) -> Iterator[Resource]:
    for concept in concepts:
        yield concept
        yield from _all(concept.get("concept", []))


def _selectable(concepts: Iterable[Resource]) -> Codes:
    return {concept["code"]: None for concept in _all(concepts) if not _is_abstract(concept)}


def _is_abstract(concept: Resource) -> bool:
    marks = [one.get("valueBoolean") for one in concept.get("property", []) if one["code"] in _ABSTRACT]
    marks += [one.get("valueBoolean") for one in concept.get("extension", []) if one["url"].endswith("abstract")]
    return bool(concept.get("abstract") or any(marks))
