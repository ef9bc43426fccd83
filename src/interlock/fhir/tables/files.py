"""The tables' files as they lie in ``data/``: what a row holds, and how a file is read (docs/adr/0020-fhir-tables.md).

A file is gzipped JSON, an object whose rows are arrays; what a row does not say at its end has the default here. Files
are the package's own and trusted: nothing here is bounded.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

DATA = Path(__file__).with_name("data")

VALUE_SETS = "http://hl7.org/fhir/ValueSet/"
SEARCH_PARAMETERS = "http://hl7.org/fhir/SearchParameter/"

BindingStrength = Literal["required", "extensible", "preferred", "example"]
ParameterType = Literal["number", "date", "string", "token", "reference", "composite", "quantity", "uri", "special"]

_File = TypeVar("_File", bound="TableFile")


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One row: an array in the file."""


class About(msgspec.Struct, frozen=True):
    """What a file is of, from where its facts are, and under which licence."""

    title: str
    version: str
    licence: str
    source: str


class TableFile(msgspec.Struct, frozen=True):
    """What every file of the tables begins with."""

    about: About


class ElementRow(Row, frozen=True):
    """One element as its type defines it.

    :ivar path: below the type: ``component.code``.
    :ivar maximum: none for ``*``.
    :ivar flags: ``m`` where it is a modifier, ``s`` where it belongs to the summary.
    :ivar value_set: of its binding, without version; a bare name is one of ``VALUE_SETS``.
    :ivar content: path, from the type on, whose definition is used again.
    """

    path: str
    minimum: int
    maximum: int | None
    types: tuple[str, ...] = ()
    flags: str = ""
    strength: BindingStrength | Literal[""] = ""
    value_set: str = ""
    targets: tuple[str, ...] = ()
    canonical_targets: tuple[str, ...] = ()
    content: str = ""


class TypeRow(Row, frozen=True):
    """One type with the elements that it does not have from ``base``, and those that it defines otherwise.

    :ivar kind: ``resource``, ``complex-type`` or ``primitive-type``.
    :ivar maturity: as the specification states it, from 0 to 5; empty where it states none.
    """

    kind: Literal["resource", "complex-type", "primitive-type"]
    base: str
    abstract: bool
    maturity: str
    elements: tuple[ElementRow, ...]


class ParameterRow(Row, frozen=True):
    """One search parameter of a type. Empty and none: the specification does not say.

    :ivar definition: the end of its canonical address; empty where that is ``Base-code``.
    """

    type: ParameterType
    targets: tuple[str, ...] = ()
    definition: str = ""
    comparators: tuple[str, ...] = ()
    multiple_or: bool | None = None
    multiple_and: bool | None = None
    modifiers: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()


class ValueSetRow(Row, frozen=True):
    """The codes of a value set that elements are bound to; none where they cannot be listed, ``note`` says why."""

    systems: tuple[str, ...]
    codes: tuple[str, ...]
    note: str = ""


class VoidState(Row, frozen=True):
    """An element that can say that a resource does not count.

    :ivar path: ``Condition.verificationStatus``; deeper ones void a part of the resource.
    :ivar kind: ``error-code``: ``codes`` say that it was entered in error; ``status-without-error-code``: none does;
        ``active-flag``: false (or ``inactive`` true) says that it is no longer in use, which is no error.
    :ivar codes: entered in error: the resource counts for nothing.
    :ivar negative: codes from a fixed list of words such as ``cancelled``, ``not-done``, ``refuted``, ``retired``: no
        error, a hint only that what it tells did not happen, or no longer holds (judgement).
    """

    path: str
    kind: Literal["error-code", "status-without-error-code", "active-flag"]
    codes: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()


class ModifierRow(Row, frozen=True):
    """Whether a modifier goes with a type of parameter; none: as the parameter's own definition says."""

    allowed: bool | None
    section: str
    note: str = ""


class CommonRow(Row, frozen=True):
    """A parameter of every search: ``kind`` is filter, result or general; ``type`` is empty where it has none."""

    kind: Literal["filter", "result", "general"]
    type: ParameterType | Literal[""]
    section: str


class Invariant(Row, frozen=True):
    """A constraint of a type that is about statuses or errors; ``expression`` is FHIRPath, in DSTU2 XPath."""

    key: str
    path: str
    severity: Literal["error", "warning"]
    expression: str


class ReleaseFile(TableFile, frozen=True):
    """One release of FHIR. ``modifiers``: name → type of parameter → row; ``prefixes``: type → prefixes."""

    types: dict[str, TypeRow]
    parameters: dict[str, dict[str, ParameterRow]]
    value_sets: dict[str, ValueSetRow]
    void_states: dict[str, tuple[VoidState, ...]]
    invariants: dict[str, tuple[Invariant, ...]]
    modifiers: dict[str, dict[str, ModifierRow]]
    prefixes: dict[str, tuple[str, ...]]
    common: dict[str, CommonRow]


def read(name: str, kind: type[_File]) -> _File:
    """A file of the tables by its name without ``.json.gz``."""
    return msgspec.json.decode(gzip.decompress((DATA / f"{name}.json.gz").read_bytes()), type=kind)
