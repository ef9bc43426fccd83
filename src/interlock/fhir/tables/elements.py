"""Elements of FHIR's types, and the way from a path such as ``Observation.valueQuantity.value`` to one of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from interlock.fhir.tables.files import VALUE_SETS, BindingStrength, ElementRow, TypeRow, ValueSetRow
from interlock.fhir.tables.unknown import MAX_NAME, Unknown, unknown

#: Deepest path that is followed: twice what the deepest resource has.
MAX_STEPS = 32

# A name, then what may stand behind it: a choice's [x], an index, a slice's name as element ids have it, or what a
# function of FHIRPath is given. Nothing in it can be read in two ways, so that no text makes it slow.
_STEP = re.compile(r"(_?[A-Za-z][A-Za-z0-9]*)(\[x\])?(?:\[\d+\])?(?::[^.()\[\]]+)?(?:\(([^()]*)\))?(?:\.|$)")
#: Functions of FHIRPath that leave an element what it is.
_SELECTING = frozenset({"where", "first", "last", "single", "exists"})


@dataclass(frozen=True, slots=True)
class Binding:
    """The value set that an element's codes are of.

    :ivar value_set: canonical address without version.
    :ivar codes: empty where they are too many or cannot be listed; ``note`` says why.
    """

    strength: BindingStrength
    value_set: str
    systems: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    note: str = ""

    def unknown(self, code: str, at: str = "") -> Unknown | None:
        """What is wrong with a code: nothing unless the binding is required and all its codes are known."""
        if self.strength != "required" or not self.codes or code in self.codes:
            return None
        return unknown("code", code, self.codes, at)


@dataclass(frozen=True, slots=True)
class Element:
    """One element, as its type defines it.

    :ivar path: as FHIR has it: ``Observation.value[x]``, ``Quantity.value``.
    :ivar name: as it was asked for: ``valueQuantity``; among children as FHIR has it: ``value[x]``.
    :ivar types: of a choice, the one that the name picks, or all; empty where ``content_reference`` stands instead.
    :ivar min: how many there are at least wherever the element above is present.
    :ivar max: how many there may be; none for ``*``.
    :ivar targets: types that a reference may point to; ``Resource`` stands for any.
    :ivar content_reference: path of the element whose content this one repeats.
    """

    path: str
    name: str
    types: tuple[str, ...]
    min: int
    max: int | None
    targets: tuple[str, ...] = ()
    canonical_targets: tuple[str, ...] = ()
    binding: Binding | None = None
    content_reference: str = ""
    is_modifier: bool = False
    is_summary: bool = False

    @property
    def is_choice(self) -> bool:
        """Whether several types share it, each under a name of its own in JSON."""
        return self.path.endswith("[x]") and len(self.types) > 1

    @property
    def json_names(self) -> tuple[str, ...]:
        """The members of a JSON object that hold it: ``valueQuantity``, ``valueString``, ….; one unless a choice."""
        stem = self.path.rpartition(".")[2]
        if not stem.endswith("[x]"):
            return (stem,)
        return tuple(_json_name(stem.removesuffix("[x]"), kind) for kind in self.types)

    @property
    def repeats(self) -> bool:
        """Whether JSON has it as a list."""
        return self.max is None or self.max > 1


def _json_name(stem: str, kind: str) -> str:
    return stem + kind[0].upper() + kind[1:]


class _Position(NamedTuple):
    """Where children are looked for: in a type, below one of its elements; ``path`` is empty at the type itself."""

    type: str
    path: str


#: Places of which the first that has a name says what it is: an element's own children go before those of its type.
_Positions = tuple[_Position, ...]


class _Match(NamedTuple):
    """A row of a type that a name leads to, with the one type that the name picks of a choice."""

    owner: str
    row: ElementRow
    picked: str | None = None

    @property
    def types(self) -> tuple[str, ...]:
        return (self.picked,) if self.picked else self.row.types


class _Walked(NamedTuple):
    """A path that was followed: its elements, and where the children of the last one are, for each of its types."""

    trail: tuple[Element, ...]
    ways: tuple[_Positions, ...]


class Elements:
    """The elements of all types of one release."""

    def __init__(self, types: Mapping[str, TypeRow], value_sets: Mapping[str, ValueSetRow]) -> None:
        self._types = types
        self._value_sets = value_sets
        self._below: dict[str, dict[str, dict[str, ElementRow]]] = {}

    def follow(self, path: str) -> tuple[Element, ...] | Unknown:
        """Every element of a path in turn, the type itself first.

        A choice is named as in JSON (``valueQuantity``), as in FHIR (``value[x]``) or as in FHIRPath (``value``,
        ``value.ofType(Quantity)``); indexes, names of slices, what ``extension(…)`` and ``where(…)`` are given, and the
        underscore before a primitive's extensions are passed over. Where several types of a choice have the next
        element, the answer is what they have in common. Never raises; longer and deeper paths than any are unknown.
        """
        walked = self._walk(path)
        return walked if isinstance(walked, Unknown) else walked.trail

    def children(self, path: str) -> tuple[Element, ...] | Unknown:
        """The elements directly below a type or an element, in the specification's order: a choice is one."""
        walked = self._walk(path)
        if isinstance(walked, Unknown):
            return walked
        return tuple(self._element(self._matches(walked.ways, name), name) for name in self._names(walked.ways))

    def _walk(self, path: str) -> _Walked | Unknown:
        steps = _steps(path)
        if not steps:
            return unknown("element", path, ())
        start = steps[0].name
        if start not in self._types:
            return unknown("type", start, self._types)
        ways: tuple[_Positions, ...] = ((_Position(start, ""),),)
        trail = [Element(start, start, (start,), 0, None)]
        matches: list[_Match] = []
        for step in steps[1:]:
            if step.name in _SELECTING:
                continue
            last = trail[-1]
            if step.name == "ofType":
                matches = [match._replace(picked=step.given) for match in matches if self._can_be(match, step.given)]
                if not matches:
                    return unknown("type", step.given, last.types, last.path)
                trail[-1] = self._element(matches, last.name)
            else:
                matches = self._matches(ways, step.name)
                if not matches:
                    children = (self._element(self._matches(ways, name), name) for name in self._names(ways))
                    names = [name for child in children for name in child.json_names]
                    return unknown("element", step.name, names, last.path)
                trail.append(self._element(matches, step.name))
            ways = tuple(dict.fromkeys(way for match in matches for way in self._ways(match)))
        return _Walked(tuple(trail), ways)

    def _can_be(self, match: _Match, kind: str) -> bool:
        if kind in match.types:
            return True
        return "Resource" in match.types and kind in self._types and self._types[kind].kind == "resource"

    def _ways(self, match: _Match) -> Iterator[_Positions]:
        """Where the children of an element are: below it in its own type, or in each of its types."""
        owner, path = match.owner, match.row.path
        if match.row.content:
            owner, _, path = match.row.content.partition(".")
            match = _Match(owner, next(row for row in self._types[owner].elements if row.path == path))
        types = tuple(_Position(kind, "") for kind in match.types if kind in self._types)
        if path in self._nested(owner):
            yield (_Position(owner, path), *types)
        else:
            yield from ((position,) for position in types)

    def _nested(self, owner: str) -> dict[str, dict[str, ElementRow]]:
        """The rows of a type by the path above them and their names."""
        if (known := self._below.get(owner)) is None:
            known = self._below[owner] = {}
            for row in self._types[owner].elements:
                above, _, name = row.path.rpartition(".")
                known.setdefault(above, {})[name] = row
        return known

    def _names(self, ways: Iterable[_Positions]) -> dict[str, None]:
        """The names of the elements in places, in the specification's order: what a type has of its base first."""
        names: dict[str, None] = {}
        for kind, path in (position for way in ways for position in reversed(way)):
            line = [kind]
            while not path and self._types[line[-1]].base in self._types:
                line.append(self._types[line[-1]].base)
            for type_name in reversed(line):
                names |= dict.fromkeys(self._nested(type_name).get(path, {}))
        return names

    def _matches(self, ways: Iterable[_Positions], name: str) -> list[_Match]:
        """What a name leads to in each way, in the first place there that has it."""
        tried = (next((match for position in way if (match := self._child(position, name))), None) for way in ways)
        return [match for match in tried if match is not None]

    def _child(self, position: _Position, name: str) -> _Match | None:
        """The element of this name in a place, or in what the type there is made from."""
        rows = self._nested(position.type).get(position.path, {})
        plain = name.removeprefix("_")
        if (row := rows.get(plain)) is not None or (row := rows.get(f"{plain}[x]")) is not None:
            return _Match(position.type, row)
        for stem, row in rows.items():
            if stem.endswith("[x]") and plain.startswith(stem[:-3]):
                for kind in row.types:
                    if _json_name(stem[:-3], kind) == plain:
                        return _Match(position.type, row, kind)
        base = self._types[position.type].base
        return self._child(_Position(base, ""), name) if not position.path and base in self._types else None

    def _element(self, matches: list[_Match], name: str) -> Element:
        """One element of what a name leads to: of several, what they have in common."""
        rows = [match.row for match in matches]
        first = rows[0]
        bindings = {(row.strength, row.value_set) for row in rows}
        return Element(
            path=f"{matches[0].owner}.{first.path}",
            name=name,
            types=tuple(dict.fromkeys(kind for match in matches for kind in match.types)),
            min=min(row.minimum for row in rows),
            max=None if any(row.maximum is None for row in rows) else max(row.maximum or 0 for row in rows),
            targets=tuple(dict.fromkeys(target for row in rows for target in row.targets)),
            canonical_targets=tuple(dict.fromkeys(target for row in rows for target in row.canonical_targets)),
            binding=self._binding(first) if len(bindings) == 1 else None,
            content_reference=first.content,
            is_modifier=any("m" in row.flags for row in rows),
            is_summary=any("s" in row.flags for row in rows),
        )

    def _binding(self, row: ElementRow) -> Binding | None:
        if not row.strength:
            return None
        address = row.value_set
        if address and "/" not in address and ":" not in address:
            address = VALUE_SETS + address
        known = self._value_sets.get(row.value_set)
        if known is None:
            return Binding(row.strength, address)
        return Binding(row.strength, address, known.systems, known.codes, known.note)


class _Step(NamedTuple):
    """One step of a path: a name, and what stands in the parentheses of a function."""

    name: str
    given: str


def _steps(path: str) -> list[_Step]:
    """The steps of a path; empty when it is none, or longer or deeper than any."""
    if len(path) > MAX_NAME:
        return []
    steps: list[_Step] = []
    end = 0
    while end < len(path) and len(steps) < MAX_STEPS:
        if (match := _STEP.match(path, end)) is None or match.end() == end:
            return []
        steps.append(_Step(match[1] + (match[2] or ""), match[3] or ""))
        end = match.end()
    return steps if end == len(path) and not path.endswith(".") else []
