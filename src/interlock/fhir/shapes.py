"""What stands in JSON for each element of a FHIR type, as FHIR's own tables say (:mod:`interlock.fhir.tables`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from interlock.fhir import tables
from interlock.model.facts import FhirRelease

#: A ``whole`` number has no point; ``whole_or_text`` is R5's integer64, a string that servers write as a number.
Kind = Literal["boolean", "number", "whole", "whole_or_text", "string", "object", "resource"]

_KINDS: dict[str, Kind] = {
    "boolean": "boolean",
    "decimal": "number",
    "integer": "whole",
    "integer64": "whole_or_text",
    "positiveInt": "whole",
    "unsignedInt": "whole",
    "Resource": "resource",
}
#: Types whose elements stand below the element itself, not in the type.
_OWN = frozenset({"", "Element", "BackboneElement"})


@dataclass(frozen=True)
class Slot:
    """One member of a JSON object.

    :ivar name: the element's: ``value[x]`` of ``valueString``. Members of one element exclude one another.
    :ivar inner: the shape of the object in it; none for a primitive, and for a resource, which says its own type.
    :ivar codes: those that it has one of, where FHIR requires that and they can be listed.
    """

    name: str
    kind: Kind
    many: bool
    required: bool
    inner: Callable[[], Shape] | None = None
    codes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Shape:
    """The members that an object can have, by name.

    :ivar foreign: those that R4 has and R4B has not: a model of R4B is not given them.
    """

    name: str
    slots: Mapping[str, Slot]
    foreign: frozenset[str]


def resource_shape(release: FhirRelease, name: object) -> Shape | None:
    """The shape of a resource type; none where the release has none of this name."""
    return _shape(release, name) if isinstance(name, str) and name in _resource_types(release) else None


@cache
def _resource_types(release: FhirRelease) -> frozenset[str]:
    return frozenset(tables.release(release).resource_types)


@cache
def differs_in_r4b(name: str) -> bool:
    """Whether a resource type of R4 is not in R4B, or has elements there that are not those of R4."""
    r4, r4b = tables.release("R4"), tables.release("R4B")
    paths = [f"{name}.{child.path.rpartition('.')[2]}" for child in _children("R4", name)]
    return any(difference.field in {"presence", "min", "max"} for difference in tables.differences(r4, r4b, paths))


@cache
def _shape(release: FhirRelease, path: str) -> Shape:
    slots = dict(_slots(release, path))
    if release == "DSTU2":  # DSTU2 lets comments stand anywhere (hl7.org/fhir/DSTU2/json.html)
        slots["fhir_comments"] = Slot("fhir_comments", "string", True, False)
    foreign: frozenset[str] = frozenset()
    if release == "R4" and isinstance(tables.release("R4B").element(path), tables.Element):
        foreign = frozenset(slots) - frozenset(dict(_slots("R4B", path)))
    return Shape(path, slots, foreign)


def _children(release: FhirRelease, path: str) -> tuple[tables.Element, ...]:
    children = tables.release(release).children(path)
    return () if isinstance(children, tables.Unknown) else children


def _slots(release: FhirRelease, path: str) -> Iterator[tuple[str, Slot]]:
    for child in _children(release, path):
        name = child.path.rpartition(".")[2]
        kinds = child.types if name.endswith("[x]") else child.types[:1] or ("",)
        for member, kind in zip(child.json_names, kinds, strict=True):
            slot = _slot(release, child, name, kind)
            yield member, slot
            if slot.kind not in {"object", "resource"}:
                yield f"_{member}", Slot(f"_{name}", "object", child.repeats, False, _later(release, "Element"))


def _slot(release: FhirRelease, child: tables.Element, name: str, kind: str) -> Slot:
    row = tables.release(release).types.get(kind)
    required = child.min > 0
    if child.content_reference:
        return Slot(name, "object", child.repeats, required, _later(release, child.content_reference))
    if kind in _KINDS:
        return Slot(name, _KINDS[kind], child.repeats, required)
    if kind in _OWN:
        return Slot(name, "object", child.repeats, required, _later(release, child.path))
    if row is None or row.kind == "primitive-type":
        return Slot(name, "string", child.repeats, required, codes=_codes(child) if kind == "code" else frozenset())
    return Slot(name, "object", child.repeats, required, _later(release, kind))


def _codes(child: tables.Element) -> frozenset[str]:
    binding = child.binding
    return frozenset(binding.codes) if binding is not None and binding.strength == "required" else frozenset()


def _later(release: FhirRelease, path: str) -> Callable[[], Shape]:
    return lambda: _shape(release, path)
