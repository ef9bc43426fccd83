"""What differs between two releases, for the elements that somebody uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from interlock.fhir.tables.elements import Element
from interlock.fhir.tables.release import Release
from interlock.fhir.tables.unknown import Unknown

Field = Literal["presence", "min", "max", "types", "targets", "strength", "value_set", "codes", "is_modifier"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing about an element that is not the same in two releases.

    :ivar path: as it was asked for.
    :ivar at: the element on that path that differs: ``Observation.subject`` of ``Observation.subject.identifier``.
    :ivar field: ``presence``: only one of them has it; the others are what FHIR's element definitions say. Codes are
        compared where both bindings are required and all codes known.
    :ivar old, new: in the first and the second release, for ``presence`` empty where it is missing; sorted.
    """

    path: str
    at: str
    field: Field
    old: tuple[str, ...]
    new: tuple[str, ...]


def differences(old: Release, new: Release, paths: Iterable[str]) -> tuple[Difference, ...]:
    """What differs for each of these paths, itself and the elements above it, between two releases.

    Nothing for paths that neither has. A renamed element is missing in one and new in the other.
    """
    return tuple(dict.fromkeys(difference for path in dict.fromkeys(paths) for difference in _of_path(old, new, path)))


def _of_path(old: Release, new: Release, path: str) -> Iterator[Difference]:
    before, after = old.elements(path), new.elements(path)
    if isinstance(before, Unknown) or isinstance(after, Unknown):
        there = [() if isinstance(trail, Unknown) else (path,) for trail in (before, after)]
        if any(there):
            yield Difference(path, path, "presence", *there)
        return
    for element, other in zip(before[1:], after[1:], strict=True):
        yield from _of_element(path, element, other)


def _of_element(path: str, old: Element, new: Element) -> Iterator[Difference]:
    before, after = _facts(old), _facts(new)
    if not (before["codes"] and after["codes"]):
        del before["codes"]
    for field, value in before.items():
        if value != after[field]:
            yield Difference(path, old.path, field, value, after[field])


def _facts(element: Element) -> dict[Field, tuple[str, ...]]:
    binding = element.binding
    return {
        "min": (str(element.min),),
        "max": ("*" if element.max is None else str(element.max),),
        "types": tuple(sorted(element.types)),
        "targets": tuple(sorted({*element.targets, *element.canonical_targets})),
        "is_modifier": ("true" if element.is_modifier else "false",),
        "strength": (binding.strength,) if binding else (),
        "value_set": (binding.value_set,) if binding else (),
        "codes": tuple(sorted(binding.codes)) if binding and binding.strength == "required" else (),
    }
