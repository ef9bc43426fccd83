"""Reading YAML: fast (libyaml), bounded, with the position of every value, and with YAML 1.2's booleans.

Only ``true`` and ``false`` are booleans (YAML 1.2 core schema), so ``text: No`` stays a word. Dates stay strings.
Writing, with comments kept, is the workspace's own business (ruamel.yaml).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from interlock.documents.files import read_bytes
from interlock.documents.text import plain
from interlock.model.address import REMEDY, SECRET_FOUND
from interlock.model.address_secrets import redacted_url
from interlock.model.errors import DocumentError, Place

MAX_BYTES = 4_000_000
MAX_NODES = 200_000
MAX_DEPTH = 64

_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_M = TypeVar("_M", bound=BaseModel)


class _Yaml12Loader(_Loader):  # type: ignore[misc]  # the base is chosen at run time
    """CSafeLoader with YAML 1.2 core scalars: no ``yes``/``no``, no dates, no sexagesimal or octal surprises."""


_Yaml12Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("tag:yaml.org,2002:null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$",
        "-+.0123456789",
    ),
    ("tag:yaml.org,2002:merge", r"^<<$", "<"),
):
    _Yaml12Loader.add_implicit_resolver(_tag, re.compile(_pattern), list(_first))

Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class YamlDocument:
    """A parsed document: plain Python ``data`` and, for every path, its 1-based (line, column)."""

    file: str
    data: Any
    positions: dict[Path_, tuple[int, int]] = field(repr=False)

    def place(self, path: Path_ = ()) -> Place:
        """Position of the value at ``path``, or of its nearest parent that has one."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.positions:
                line, column = self.positions[path[:end]]
                return Place(file=self.file, line=line, column=column)
        return Place(file=self.file)


def parse_yaml(text: str, file: str) -> YamlDocument:
    """Parse one YAML document.

    :raises DocumentError: syntax, duplicate keys, a tag, or more than :data:`MAX_NODES` nodes; with line and column.
    """
    if len(text) > MAX_BYTES:
        raise DocumentError(f"larger than {MAX_BYTES:,} characters", place=Place(file=file), remedy="split the file")
    try:
        loader = _Yaml12Loader(text)
        try:
            node = loader.get_single_node()
            positions: dict[Path_, tuple[int, int]] = {}
            data = _construct(loader, node, (), positions, file) if node is not None else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Place(file=file, line=mark.line + 1, column=mark.column + 1) if mark else Place(file=file)
        context = f"{error.context}, " if error.context and error.problem else ""
        raise DocumentError(f"not valid YAML: {context}{error.problem or error.context}", place=where) from error
    except (yaml.YAMLError, ValueError) as error:
        raise DocumentError(f"not valid YAML: {plain(error)}", place=Place(file=file)) from error
    except RecursionError as error:
        raise DocumentError("nested too deeply", place=Place(file=file)) from error
    return YamlDocument(file, data, positions)


def load_yaml(path: Path, shown_as: str | None = None) -> YamlDocument:
    """Read and parse a file. ``shown_as`` is the name that errors give.

    :raises DocumentError: the file is missing, unreadable, not UTF-8, too large or not valid YAML.
    """
    name = shown_as or str(path)
    try:
        text = read_bytes(path, MAX_BYTES, name).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError("not UTF-8 text", place=Place(file=name), remedy="save the file as UTF-8") from error
    return parse_yaml(text, name)


def model_from_yaml(model: type[_M], document: YamlDocument, data: Any = None, at: Path_ = ()) -> _M:
    """Validate (part of) a document as a model; the first problem becomes an error with file, line and column.

    :raises DocumentError: an unknown key, a missing one, a wrong type or value; says what was expected.
    """
    value = document.data if data is None and not at else data
    if not isinstance(value, dict):
        kind = "empty" if value is None else f"a {type(value).__name__}"
        raise DocumentError(f"expected keys and values, found {kind}", place=document.place(at))
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _readable(error, model, document, at) from error


def _readable(error: ValidationError, model: type[BaseModel], document: YamlDocument, at: Path_) -> DocumentError:
    problems = error.errors(include_url=False)
    first = problems[0]
    path = at + tuple(part for part in first["loc"])
    dotted = plain(".".join(str(part) for part in first["loc"]), 120) or model.__name__
    more = f"; and {len(problems) - 1} more" if len(problems) > 1 else ""
    kind = first["type"]
    if kind == "extra_forbidden":
        known = ", ".join(sorted(f.alias or n for n, f in model.model_fields.items())) if len(first["loc"]) == 1 else ""
        return DocumentError(
            f"unknown key {dotted!r}{more}",
            place=document.place(path),
            remedy=f"known keys: {known}" if known else None,
        )
    if kind == "missing":
        return DocumentError(f"missing key {dotted!r}{more}", place=document.place(path[:-1]))
    message = first["msg"].removeprefix("Value error, ")
    if kind == SECRET_FOUND:  # what was found is a secret
        return DocumentError(f"{dotted}: {message}{more}", place=document.place(path), remedy=REMEDY)
    shown = plain(redacted_url(repr(first.get("input"))), 60)
    unquoted = kind == "string_type" and isinstance(first.get("input"), (bool, int, float))
    return DocumentError(
        f"{dotted}: {message} (found {shown}){more}",
        place=document.place(path),
        remedy="put it in quotes: without them YAML reads it as something else" if unquoted else None,
    )


class _Budget:
    """Counts constructed nodes, aliases included, so that an alias bomb stops early."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_NODES


def _construct(loader: Any, root: Any, at: Path_, positions: dict[Path_, tuple[int, int]], file: str) -> Any:
    budget = _Budget()

    def build(node: Any, path: Path_) -> Any:
        budget.left -= 1
        where = Place(file=file, line=node.start_mark.line + 1, column=node.start_mark.column + 1)
        if budget.left < 0:
            raise DocumentError(f"more than {MAX_NODES:,} values", place=where, remedy="split the file")
        if len(path) > MAX_DEPTH:
            raise DocumentError(f"nested more than {MAX_DEPTH} deep", place=where)
        positions[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if isinstance(node, yaml.ScalarNode):
            return loader.construct_object(node)
        if isinstance(node, yaml.SequenceNode):
            return [build(child, (*path, index)) for index, child in enumerate(node.value)]
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node)
            place = Place(file=file, line=key_node.start_mark.line + 1, column=key_node.start_mark.column + 1)
            if not isinstance(key, str):
                raise DocumentError(f"the key {plain(key, 40)!r} is not text", place=place, remedy="quote it")
            if key in result:
                raise DocumentError(f"the key {plain(key, 60)!r} appears twice", place=place, remedy="keep one of them")
            result[key] = build(value_node, (*path, key))
            positions[(*path, key)] = (place.line or 1, place.column or 1)
        return result

    return build(root, at)
