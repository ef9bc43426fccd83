"""The codes of a capability statement by release, where FHIR binds an element to them as required, and what is none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from functools import cache
from typing import Any, NamedTuple, Protocol

from interlock.fhir.tables import Element, release
from interlock.fhir.tolerant import Problems, shown
from interlock.model.observation import FhirRelease, ResourceFacts

_SHORT_FORMATS = frozenset({"xml", "json", "ttl"})
_MIME_TYPE = re.compile(r"[\w.+-]+/[\w.+*-]+(?:\s*;.*)?", re.ASCII)

#: Releases in which a profile is a canonical address, not a Reference.
_CANONICAL = frozenset({"R4", "R4B", "R5"})


class _Codes(NamedTuple):
    """The codes that a release has for what a statement declares."""

    types: frozenset[str]
    interactions: frozenset[str]
    of_system: frozenset[str]
    parameter_types: frozenset[str]
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

    return _Codes(
        frozenset(tables.resource_types),
        bound("rest.resource.interaction.code"),
        bound("rest.interaction.code"),
        bound("rest.resource.searchParam.type"),
        bound("kind"),
    )


class Rest(Protocol):
    """What the ``rest`` entries declare, as far as codes are concerned.

    :ivar sent_interactions: with the whole system, as sent: DSTU2 says some of them in another element.
    :ivar parameter_types: types of search parameters, each with a resource type that has such a parameter.
    :ivar profiles_as: the JSON types in which the profiles of resource types are given.
    """

    resources: dict[str, ResourceFacts]
    sent_interactions: set[str]
    parameter_types: dict[str, str]
    profiles_as: set[object]


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
    for type_name, facts in rest.resources.items():
        if not codes.interactions.issuperset(facts.interactions):
            odd = set(facts.interactions) - codes.interactions
            _name(problems, odd, f"no interaction with a type in {release_name} ({type_name[:64]})")
    _name(problems, rest.sent_interactions - codes.of_system, f"no interaction with a system in {release_name}")
    for code in rest.parameter_types.keys() - codes.parameter_types:
        _name(problems, {code}, f"no type of a search parameter in {release_name} ({rest.parameter_types[code][:64]})")
    if release_name in _CANONICAL and dict in rest.profiles_as:
        problems.add(f"a profile is an object, where {release_name} has an address (canonical)")
    elif release_name not in _CANONICAL and str in rest.profiles_as:
        problems.add(f"a profile is a string, where {release_name} has a Reference")


def _name(problems: Problems, codes: Set[str], what: str) -> None:
    for code in sorted(codes)[:10]:
        problems.add(f"{shown(code)} is {what}")
