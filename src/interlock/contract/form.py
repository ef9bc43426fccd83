"""The workflow contract as a form: everything that it says or could say, each with its place in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from interlock.documents.yaml import Path_
from interlock.fhir.tables import Binding, Unknown, release, us_core
from interlock.fhir.tables.us_core import EDITIONS
from interlock.model.contract import WorkflowContract
from interlock.model.facts import FhirRelease

Kind = Literal["group", "list", "text", "number", "flag", "choice"]
#: Fields that nobody edits by hand: the schema's number is the file's, and an approval is for an exported page.
_NOT_EDITED = frozenset({"schema_version"})
_IVAR = re.compile(r":ivar ([\w, ]+):\s(.*?)(?=\n\s*:ivar|\Z)", re.DOTALL)


@dataclass(frozen=True)
class Slot:
    """One place of the contract.

    :ivar path: keys and indexes that lead there in the file.
    :ivar value: what is there; none where nothing is.
    :ivar choices: of a ``choice``, what it can be.
    :ivar needed: the part that it belongs to cannot be without it.
    :ivar about: what it means, where the model says more than its name.
    :ivar parts: what is below it: the fields of a group, the entries of a list.
    :ivar entry: of a list, what one entry is.
    """

    path: Path_
    kind: Kind
    value: Any = None
    choices: tuple[str, ...] = ()
    needed: bool = False
    about: str = ""
    parts: tuple[Slot, ...] = ()
    entry: Any = None

    @property
    def name(self) -> str:
        """Its name in words: ``required fields``; an entry of a list has its number."""
        last = self.path[-1]
        return f"{last + 1}" if isinstance(last, int) else last.replace("_", " ")

    @property
    def is_leaf(self) -> bool:
        """A single value, and no parts."""
        return self.kind not in {"group", "list"}

    @property
    def is_empty(self) -> bool:
        """Nothing is said there."""
        if self.is_leaf:
            return self.value is None
        return all(part.is_empty for part in self.parts)

    @property
    def is_said(self) -> bool:
        """It cannot be left out, or something is said there that is no plain no."""
        if not self.is_leaf:
            return self.needed or any(part.is_said for part in self.parts)
        return self.needed or (self.value is not None and self.value is not False)

    def walk(self) -> Iterator[Slot]:
        """It and everything below it."""
        yield self
        for part in self.parts:
            yield from part.walk()


def slots(contract: WorkflowContract) -> tuple[Slot, ...]:
    """Every part of a contract, in the order of the model, with what it says now."""
    return _fields(WorkflowContract, contract, ())


def entry_slots(entry: Any, path: Path_) -> tuple[Slot, ...]:
    """What a new entry of a list, or a part that is not there yet, cannot be without; the entry itself for a value."""
    if isinstance(entry, type) and issubclass(entry, BaseModel):
        return tuple(slot for slot in _fields(entry, None, path) if slot.needed)
    return (_slot(path, entry, None, needed=True),)


def _fields(model: type[BaseModel], value: BaseModel | None, path: Path_) -> tuple[Slot, ...]:
    return tuple(
        _slot(
            (*path, field.alias or name),
            field.annotation if not field.metadata else Annotated[field.annotation, *field.metadata],
            getattr(value, name, None),
            needed=field.is_required(),
            about=_about(model).get(name, ""),
        )
        for name, field in model.model_fields.items()
        if name not in _NOT_EDITED
    )


@cache
def _about(model: type[BaseModel]) -> Mapping[str, str]:
    """What the docstring of a model says of its fields."""
    told: dict[str, str] = {}
    for names, about in _IVAR.findall(model.__doc__ or ""):
        for name in names.split(","):
            told[name.strip()] = " ".join(about.replace("``", "").split())
    return told


def _slot(path: Path_, annotation: Any, value: Any, *, needed: bool = False, about: str = "") -> Slot:
    annotation = _bare(annotation)
    origin = get_origin(annotation)
    if origin is tuple:
        inner = get_args(annotation)[0]
        entries = tuple(_slot((*path, index), inner, entry) for index, entry in enumerate(value or ()))
        return Slot(path, "list", None, (), needed, about, entries, inner)
    if origin is Literal:
        return Slot(path, "choice", value, tuple(map(str, get_args(annotation))), needed, about)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return Slot(path, "group", None, (), needed, about, _fields(annotation, value, path), annotation)
    if annotation is bool:
        return Slot(path, "flag", value, ("yes", "no"), needed, about)
    if annotation in {int, float}:
        return Slot(path, "number", value, (), needed, about)
    return Slot(path, "text", value, (), needed, about)


def _bare(annotation: Any) -> Any:
    """An annotation without its constraints, and without *or none*."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in {Union, UnionType}:
            others = [inner for inner in get_args(annotation) if inner is not NoneType]
            if len(others) > 1:
                return str  # of several types: typed as it would stand in the file
            annotation = others[0]
        else:
            return annotation


# -- what FHIR has for a place ---------------------------------------------------------------------------------------

#: Depth of the elements that are offered: ``valueQuantity.code`` is two.
_DEPTH = 2
#: Types whose elements no workflow asks for one by one.
_CLOSED = frozenset({"Reference", "Extension", "Narrative", "Meta", "Resource"})


def offered(
    of: FhirRelease, slot: Slot, resource: str | None, element: str | None = None
) -> tuple[tuple[str, str], ...]:
    """What FHIR's tables have for a place, as (name, what it is); empty where anything may be typed.

    :param resource: the resource type that the place is about, if there is one.
    :param element: the element of it that the place is about: a binding's.
    """
    names = [step for step in slot.path if isinstance(step, str)]
    tables = release(of)
    match names[-1]:
        case "resource":
            return tuple((name, "") for name in tables.resource_types)
        case "search_parameters" if resource:
            parameters = tables.parameters(resource)
            return tuple((code, parameter.type or "") for code, parameter in sorted(parameters.items()))
        case "required_fields" | "path" | "field" if resource and "endpoints" not in names:
            return tuple(_elements(of, resource, "", _DEPTH))
        case "value_set" if resource:
            return tuple(_value_sets(of, resource, element))
        case "codes" if resource and element:
            bound = [binding for path, binding in _bindings(of, resource) if path == element]
            return tuple(
                (f"{system}|{code}", "") for each in bound for system in each.systems[:1] for code in each.codes
            )
        case "terminology" if resource:
            systems: dict[str, list[str]] = {}
            for path, binding in _bindings(of, resource):
                for system in binding.systems:
                    systems.setdefault(system, []).append(path)
            return tuple((system, ", ".join(dict.fromkeys(paths))) for system, paths in systems.items())
        case "profile" if resource:
            edition = us_core(EDITIONS[-1])
            return tuple((profile.url, profile.id) for profile in edition.profiles_of(resource))
        case _:
            return ()


def _bindings(of: FhirRelease, resource: str) -> Iterator[tuple[str, Binding]]:
    """Every element of a resource that is bound to a value set, with its binding."""
    for path, _ in _elements(of, resource, "", _DEPTH):
        element = release(of).element(f"{resource}.{path}")
        if not isinstance(element, Unknown) and element.binding is not None:
            yield path, element.binding


def _value_sets(of: FhirRelease, resource: str, element: str | None) -> Iterator[tuple[str, str]]:
    """The value sets of a resource, that of the element first: which element, how strongly, how many codes."""
    bound = sorted(_bindings(of, resource), key=lambda entry: entry[0] != element)
    first: dict[str, tuple[str, Binding]] = {}
    for path, binding in bound:
        first.setdefault(binding.value_set, (path, binding))
    for path, binding in first.values():
        codes = f", {len(binding.codes)} codes" if binding.codes else ""
        yield binding.value_set, f"{path}, {binding.strength}{codes}"


def _elements(of: FhirRelease, resource: str, below: str, depth: int) -> Iterator[tuple[str, str]]:
    children = release(of).children(f"{resource}.{below}" if below else resource)
    for element in () if isinstance(children, Unknown) else children:
        for name, kind in zip(element.json_names, element.types, strict=False):
            path = f"{below}.{name}" if below else name
            yield path, kind
            if (
                depth > 1
                and kind[:1].isupper()
                and kind not in {"Reference", "Extension", "Narrative", "Meta", "Resource"}
            ):
                yield from _elements(of, resource, path, depth - 1)
