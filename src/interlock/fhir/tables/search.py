"""Search parameters of a release, and what a name such as ``subject:Patient.name`` or ``code:in`` asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from interlock.fhir.tables.files import SEARCH_PARAMETERS, ParameterRow, ParameterType, ReleaseFile
from interlock.fhir.tables.unknown import MAX_NAME, Unknown, unknown
from interlock.model.facts import FhirRelease

#: Longest chain that is followed, and most types that one link of it is followed to.
MAX_LINKS = 8

_PAGE = "https://hl7.org/fhir/{}/search.html#{}"


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """One search parameter of a type. Where the specification does not say, lists are empty and booleans none.

    :ivar base: the type that defines it: ``Resource`` and ``DomainResource`` do for others; empty for the parameters of
        any search that no type defines, such as ``_count``.
    :ivar type: empty where it has none, as ``_count``.
    :ivar targets: types that a reference may point to; ``Resource`` stands for any. One definition often serves several
        types, so that this may name more than the element's own targets.
    :ivar definition: canonical address; empty where there is none.
    """

    base: str
    code: str
    type: ParameterType | Literal[""]
    targets: tuple[str, ...] = ()
    definition: str = ""
    comparators: tuple[str, ...] = ()
    multiple_or: bool | None = None
    multiple_and: bool | None = None
    modifiers: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()

    def reaches(self, resource: str) -> bool:
        """Whether a reference of it may point to resources of this type."""
        return resource in self.targets or "Resource" in self.targets


@dataclass(frozen=True, slots=True)
class SearchName:
    """A search parameter as a request names it.

    :ivar name: its base name, as a capability statement declares it: ``subject`` of ``subject:Patient.name``.
    :ivar parameter: what is compared in the end: ``name``.
    :ivar on: types of which ``parameter`` is one; several where a chain can lead to several.
    :ivar links: what leads there: the references of a chain in turn, or of ``_has`` the one that points back.
    :ivar modifier: behind the last name, without colon.
    :ivar modifier_allowed: whether such a parameter takes it; none where the release's page was not read for that, or
        leaves it to the parameter's definition.
    :ivar section: address of the section that says so; empty where none was read.
    :ivar note: under which condition.
    """

    name: str
    parameter: SearchParameter
    on: tuple[str, ...]
    links: tuple[SearchParameter, ...] = ()
    modifier: str = ""
    modifier_allowed: bool | None = None
    section: str = ""
    note: str = ""

    @property
    def is_reverse(self) -> bool:
        """Whether it is a ``_has``."""
        return self.name == "_has"


class SearchRules:
    """The search parameters of one release, and its rules of what may stand behind their names."""

    def __init__(self, release: FhirRelease, tables: ReleaseFile, resource_types: Sequence[str]) -> None:
        self._release = release
        self._tables = tables
        self._resource_types = resource_types
        #: Made once a type: a chain to any type asks for all of them (2 ms, 26 ms without).
        self._of: dict[str, dict[str, SearchParameter]] = {}

    def of(self, resource: str) -> Mapping[str, SearchParameter]:
        """The search parameters of a type by code, those of every resource included."""
        if resource not in self._resource_types:
            return {}
        if resource not in self._of:
            self._of[resource] = dict(self._made(resource))
        return self._of[resource]

    def _made(self, resource: str) -> Mapping[str, SearchParameter]:
        parameters: dict[str, SearchParameter] = {}
        kind = resource
        while kind:
            for code, row in self._tables.parameters.get(kind, {}).items():
                parameters.setdefault(code, _parameter(kind, code, row))
            kind = self._tables.types[kind].base if kind in self._tables.types else ""
        for code, common in self._tables.common.items():
            parameters.setdefault(code, SearchParameter("", code, common.type))
        return parameters

    def resolve(self, resource: str, name: str) -> SearchName | Unknown:
        """What a name asks for at a type: ``code:in``, ``subject:Patient.name``, ``_has:Observation:patient:code``.

        A link of a chain without a type is followed to every type that it may point to, and leads to those that have
        the next parameter. Never raises; longer names and chains than any are unknown.
        """
        if resource not in self._resource_types:
            return unknown("type", resource, self._resource_types)
        if len(name) > MAX_NAME or name.count(".") > MAX_LINKS or name.count(":") > 2 * MAX_LINKS:
            return unknown("parameter", name, (), resource)
        if name.startswith("_has:"):
            return self._reversed(resource, name)
        return self._chained((resource,), name)

    def _reversed(self, resource: str, name: str) -> SearchName | Unknown:
        """``_has:Type:reference:parameter``, the last of which may be all that a name may be."""
        if "_has" not in self._tables.common:
            return unknown("parameter", "_has", (), resource)
        _, _, asked = name.partition(":")
        kind, _, rest = asked.partition(":")
        back, _, last = rest.partition(":")
        if kind not in self._resource_types:
            return unknown("type", kind, self._resource_types, "_has")
        parameters = self.of(kind)
        link = parameters.get(back)
        if link is None or not link.reaches(resource):
            fitting = [code for code, parameter in parameters.items() if parameter.reaches(resource)]
            return unknown("parameter", back, fitting, kind)
        following = self.resolve(kind, last)
        if isinstance(following, Unknown):
            return following
        return replace(following, name="_has", links=(link, *following.links))

    def _chained(self, types: Sequence[str], name: str) -> SearchName | Unknown:
        """A name at types of which each may have it: the first link, and what stands behind it."""
        written, dot, rest = name.partition(".")
        code, colon, behind = written.partition(":")
        having = [(kind, own) for kind in types if (own := self.of(kind).get(code)) is not None]
        if not having:
            known = dict.fromkeys(known_code for kind in types for known_code in self.of(kind))
            return unknown("parameter", code, known, types[0] if len(types) == 1 else "")
        parameter = having[0][1]
        if not dot:
            asked = SearchName(code, parameter, tuple(kind for kind, _ in having))
            return self._modified(asked, behind) if colon else asked
        targets = self._targets(own for _, own in having)
        if colon:
            if behind not in targets:
                return unknown("type", behind, targets, code)
            targets = (behind,)
        if not targets:
            return unknown("parameter", rest, (), code)
        following = self._chained(targets, rest)
        if isinstance(following, Unknown):
            return following if following.at else replace(following, at=code)
        return replace(following, name=code, links=(parameter, *following.links))

    def _targets(self, parameters: Iterable[SearchParameter]) -> tuple[str, ...]:
        references = (parameter for parameter in parameters if parameter.type == "reference")
        targets = dict.fromkeys(target for reference in references for target in reference.targets)
        return tuple(self._resource_types) if "Resource" in targets else tuple(targets)

    def _modified(self, asked: SearchName, modifier: str) -> SearchName | Unknown:
        """The same with a modifier, and whether the parameter takes it."""
        kind = asked.parameter.type
        rules, row = self._tables.modifiers, None
        if kind == "reference" and modifier in self._resource_types:
            if not asked.parameter.reaches(modifier):
                return unknown("type", modifier, asked.parameter.targets, asked.name)
            row = rules.get("[type]", {}).get(kind)
        elif modifier not in self._modifier_names:
            known = [*self._modifier_names, *(asked.parameter.targets if kind == "reference" else ())]
            return unknown("modifier", modifier, known, asked.name)
        else:
            row = rules.get(_SPELLINGS.get(modifier, modifier), {}).get(kind or asked.name)
        if modifier in asked.parameter.modifiers:
            return replace(asked, modifier=modifier, modifier_allowed=True)
        if row is None:
            return replace(asked, modifier=modifier)
        section = _PAGE.format(self._release, row.section)
        return replace(asked, modifier=modifier, modifier_allowed=row.allowed, section=section, note=row.note)

    @property
    def _modifier_names(self) -> tuple[str, ...]:
        """The modifiers that the release knows for any parameter: its own code list, and those read on its page."""
        codes = self._tables.value_sets["search-modifier-code"].codes  # bound to SearchParameter.modifier
        named = dict.fromkeys([*codes, *(_SPELLINGS.get(code, code) for code in codes), *self._tables.modifiers])
        return tuple(name for name in named if name not in {"[type]", "type"})


#: R4 and R4B write this modifier in two ways: the code system one, the page the other.
_SPELLINGS = {"ofType": "of-type"}


def _parameter(base: str, code: str, row: ParameterRow) -> SearchParameter:
    return SearchParameter(
        base=base,
        code=code,
        type=row.type,
        targets=row.targets,
        definition=SEARCH_PARAMETERS + (row.definition or f"{base}-{code}"),
        comparators=row.comparators,
        multiple_or=row.multiple_or,
        multiple_and=row.multiple_and,
        modifiers=row.modifiers,
        chain=row.chain,
    )
