"""One release of FHIR: its types, elements, search parameters, codes and void states."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from interlock.fhir.tables.elements import Element, Elements
from interlock.fhir.tables.files import About, Invariant, ReleaseFile, TypeRow, VoidState, read
from interlock.fhir.tables.search import SearchName, SearchParameter, SearchRules
from interlock.fhir.tables.unknown import Unknown, unknown
from interlock.model.facts import FhirRelease


class Release:
    """FHIR's own facts of one release. Nothing here raises on any name: what does not exist is ``Unknown``."""

    def __init__(self, name: FhirRelease, tables: ReleaseFile) -> None:
        self.name = name
        self._tables = tables
        self._elements = Elements(tables.types, tables.value_sets)
        self._search = SearchRules(name, tables, self.resource_types)

    def __repr__(self) -> str:
        return f"Release({self.name!r})"

    @property
    def about(self) -> About:
        """Version, source and licence."""
        return self._tables.about

    @property
    def types(self) -> Mapping[str, TypeRow]:
        """Every type, resources, datatypes and primitives, by name."""
        return self._tables.types

    @property
    def resource_types(self) -> tuple[str, ...]:
        """The types that a server can hold resources of."""
        return tuple(name for name, row in self.types.items() if row.kind == "resource" and not row.abstract)

    def type_unknown(self, name: str) -> Unknown | None:
        """What is wrong with the name of a resource type; nothing when there are such resources."""
        row = self.types.get(name)
        if row is not None and row.kind == "resource" and not row.abstract:
            return None
        return unknown("type", name, self.resource_types)

    def element(self, path: str) -> Element | Unknown:
        """The element that a path leads to; a type alone leads to itself. ``elements`` says what a path may be."""
        trail = self._elements.follow(path)
        return trail if isinstance(trail, Unknown) else trail[-1]

    def elements(self, path: str) -> tuple[Element, ...] | Unknown:
        """Every element on a path, the type first (``Elements.follow``)."""
        return self._elements.follow(path)

    def children(self, path: str) -> tuple[Element, ...] | Unknown:
        """The elements directly below a type or an element, a choice as one."""
        return self._elements.children(path)

    def parameter(self, resource: str, name: str) -> SearchName | Unknown:
        """A search parameter as a request names it: with modifier, chained or reversed (``SearchRules.resolve``)."""
        return self._search.resolve(resource, name)

    def parameters(self, resource: str) -> Mapping[str, SearchParameter]:
        """The search parameters of a type by code, those of every resource among them; empty for no resource type."""
        return self._search.of(resource)

    def void_states(self, resource: str) -> tuple[VoidState, ...]:
        """The elements that can say that a resource of this type does not count; of the resource as a whole first."""
        return self._tables.void_states.get(resource, ())

    def invariants(self, resource: str) -> tuple[Invariant, ...]:
        """The constraints of this type that are about statuses or errors, such as R4's ``con-5``."""
        return self._tables.invariants.get(resource, ())


@cache
def release(name: FhirRelease) -> Release:
    """The tables of a release. The first call reads its file, about 10 ms; later ones get the same object."""
    return Release(name, read(name.lower(), ReleaseFile))
