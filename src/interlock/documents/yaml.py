"""Reading YAML: fast (libyaml), bounded, with the position of every value, and with YAML 1.2's booleans.

Only ``true`` and ``false`` are booleans (YAML 1.2 core schema), so ``text: No`` stays a word. Dates stay strings. Tags
and merge keys are refused. Values are built from the parser's events, one after the other and counted: no document
makes anything recurse, and a large one is refused before it is built.
Writing, with comments kept, is the workspace's own business (ruamel.yaml).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import yaml

from interlock.documents.files import check_merged, read_bytes
from interlock.documents.names import did_you_mean
from interlock.documents.parsed import parsed
from interlock.documents.resources import is_shipped
from interlock.model.address_secrets import REMEDY, SECRET_FOUND, redacted_url
from interlock.model.errors import DocumentError, Location
from interlock.model.text import forbidden, plain

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

MAX_BYTES = 4_000_000
MAX_NODES = 200_000
MAX_DEPTH = 64
#: Longest text of any value or key, in characters.
MAX_TEXT = 100_000
#: Largest whole number, and smallest without its sign: what every format that is written can hold.
MAX_INTEGER = 2**63 - 1

_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_M = TypeVar("_M", bound="BaseModel")

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
#: The values that pydantic says it expects.
_QUOTED = re.compile(r"'([^']*)'")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_TEXT_TAGS = frozenset({None, "!", "tag:yaml.org,2002:str"})

Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class YamlDocument:
    """A parsed document: plain Python ``data``, and the text that it was."""

    file: str
    data: Any
    text: str = field(repr=False)

    @cached_property
    def positions(self) -> Mapping[Path_, tuple[int, int]]:
        """For every path its 1-based line and column: read anew when somebody asks, which only an error does."""
        positions: dict[Path_, tuple[int, int]] = {}
        _build(self.text, self.file, positions)
        return positions

    def location(self, path: Path_ = ()) -> Location:
        """Position of the value at ``path``, or of its nearest parent that has one."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.positions:
                line, column = self.positions[path[:end]]
                return Location(file=self.file, line=line, column=column)
        return Location(file=self.file)


def parse_yaml(text: str, file: str) -> YamlDocument:
    """Parse one YAML document.

    :raises DocumentError: syntax, a merge that git left unfinished, a forbidden character, duplicate keys, a tag, or
        more than the bounds allow; with line and column.
    """
    if len(text) > MAX_BYTES:
        raise DocumentError(
            f"larger than {MAX_BYTES:,} characters", location=Location(file=file), remedy="split the file"
        )
    check_merged(text, file)
    return YamlDocument(file, _build(text, file), text)


def _build(text: str, file: str, positions: dict[Path_, tuple[int, int]] | None = None) -> Any:
    """The value of a text; where everything stands is put into ``positions``, if they are given."""
    builder = _Builder(file, positions)
    try:
        loader = _Loader(text)
        while loader.check_event():
            builder.take(loader.get_event())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Location(file=file, line=mark.line + 1, column=mark.column + 1) if mark else Location(file=file)
        context = f"{error.context}, " if error.context and error.problem else ""
        raise DocumentError(f"not valid YAML: {context}{error.problem or error.context}", location=where) from error
    except (yaml.YAMLError, ValueError) as error:
        raise _unreadable(text, file, error) from error
    return builder.data


def _unreadable(text: str, file: str, error: Exception) -> DocumentError:
    """The error for a text that is no YAML because of one of its characters."""
    for number, line in enumerate(text.split("\n"), 1):
        wrong = forbidden(line.removesuffix("\r"))
        if wrong is not None:
            location = Location(file=file, line=number, column=wrong.index + 1)
            return DocumentError(f"holds {wrong.description}", location=location, remedy="remove it")
    return DocumentError(f"not valid YAML: {plain(error)}", location=Location(file=file))


def read_text(path: Path, within: Path | None = None) -> str:
    """The text of a YAML file, which must be in the real folder ``within``, if there is one.

    :raises DocumentError: the file is missing, elsewhere, unreadable, not UTF-8 or too large.
    """
    try:
        return read_bytes(path, MAX_BYTES, within=within).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(
            "not UTF-8 text", location=Location(file=str(path)), remedy="save the file as UTF-8"
        ) from error


def load_yaml(path: Path, within: Path | None = None) -> YamlDocument:
    """Read and parse a file; as with :func:`read_text`.

    :raises DocumentError: it cannot be read, or is not valid YAML.
    """
    text = read_text(path, within)
    if is_shipped(path, "rulesets") or is_shipped(path, "questionnaires"):
        return YamlDocument(str(path), parsed(text, lambda: parse_yaml(text, str(path)).data), text)
    return parse_yaml(text, str(path))


def model_from_yaml(model: type[_M], document: YamlDocument, data: Any = None, at: Path_ = ()) -> _M:
    """Validate (part of) a document as a model; the first problem becomes an error with file, line and column.

    :raises DocumentError: an unknown key, a missing one, a wrong type or value; says what was expected.
    """
    from pydantic import ValidationError

    value = document.data if data is None and not at else data
    if not isinstance(value, dict):
        kind = "empty" if value is None else f"a {type(value).__name__}"
        raise DocumentError(f"expected keys and values, found {kind}", location=document.location(at))
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _readable(error, model, document, at) from error


def _readable(error: ValidationError, model: type[BaseModel], document: YamlDocument, at: Path_) -> DocumentError:
    from interlock.model.base import NEWER

    problems = error.errors(include_url=False)
    misspelt = (problem for problem in problems if problem["type"] == "extra_forbidden")
    first = next(misspelt, problems[0])  # a misspelt key is missing too, and only it has a line
    path = at + tuple(part for part in first["loc"])
    dotted = plain(".".join(str(part) for part in first["loc"]), 120)
    more = f"; and {len(problems) - 1} more" if len(problems) > 1 else ""
    kind = first["type"]
    if kind == "extra_forbidden":
        known = ", ".join(sorted(f.alias or n for n, f in model.model_fields.items())) if len(first["loc"]) == 1 else ""
        return DocumentError(
            f"unknown key {dotted!r}{more}",
            location=document.location(path),
            remedy=f"known keys: {known}" if known else None,
        )
    if kind == "missing":
        return DocumentError(f"missing key {dotted!r}{more}", location=document.location(path[:-1]))
    message = first["msg"].removeprefix("Value error, ")
    # What is wrong with an entry as a whole is said of its key.
    entry = f" ({plain(at[-1], 120)})" if at and isinstance(at[-1], str) else ""
    said = f"{dotted}: {message}" if dotted else f"{message}{entry}"
    if kind == SECRET_FOUND:  # what was found is a secret
        return DocumentError(f"{said}{more}", location=document.location(path), remedy=REMEDY)
    if not first["loc"]:
        newer = "update Interlock; if only the number is wrong, correct it there" if message.startswith(NEWER) else None
        return DocumentError(f"{said}{more}", location=document.location(path), remedy=newer)
    shown = plain(redacted_url(repr(first.get("input"))), 60)
    unquoted = kind == "string_type" and isinstance(first.get("input"), (bool, int, float))
    offered = _QUOTED.findall(first["ctx"]["expected"]) if kind in {"literal_error", "enum"} else ()
    close = did_you_mean(str(first.get("input"))[:100], offered).removeprefix("; ")
    return DocumentError(
        f"{said} (found {shown}){more}",
        location=document.location(path),
        remedy="put it in quotes: without them YAML reads it as something else" if unquoted else close or None,
    )


@dataclass(slots=True)
class _Open:
    """A list or map that is being read.

    :ivar key: the key whose value comes next, in a map.
    :ivar first: how many values were counted before it.
    :ivar height: how deep what is in it is nested, until now.
    """

    value: list[Any] | dict[str, Any]
    path: Path_
    anchor: str | None
    first: int
    key: str | None = None
    height: int = 1


@dataclass(frozen=True, slots=True)
class _Anchored:
    """A value with a name (``&name``): how many values it is, and how deeply nested."""

    value: Any
    nodes: int
    height: int


class _Builder:
    """Builds plain values of a parser's events; what an alias repeats counts again."""

    def __init__(self, file: str, positions: dict[Path_, tuple[int, int]] | None) -> None:
        self.data: Any = None
        self._positions = positions
        self._file = file
        self._count = 0
        self._documents = 0
        self._stack: list[_Open] = []
        self._anchors: dict[str, _Anchored] = {}

    def take(self, event: Any) -> None:
        """Take the next event."""
        if type(event) is yaml.ScalarEvent:  # nine of ten
            self._scalar(event)
        elif isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            self._begin(event)
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            self._end()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._fail(event, "not valid YAML: a second document starts here", "split the file")

    def _scalar(self, event: Any) -> None:
        text = event.value
        if event.tag not in _TEXT_TAGS:
            self._fail(event, f"the tag {plain(event.tag, 60)!r} is not used here", "leave it out")
        if len(text) > MAX_TEXT:
            self._fail(event, f"a text of more than {MAX_TEXT:,} characters", "shorten it")
        if not text.isprintable():
            wrong = forbidden(text)
            if wrong is not None:
                self._fail(event, f"holds {wrong.description}", "remove it")
        self._count_nodes(event, 1)
        value = self._plain(event) if event.implicit[0] else text
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(value, 1, 0)
        top = self._stack[-1] if self._stack else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            self._key(event, top, value)
        else:
            self._put(event, value, 0)

    def _plain(self, event: Any) -> Any:
        """The value of a scalar without quotes, by YAML 1.2's core schema."""
        text = event.value
        if text in _WORDS:
            return _WORDS[text]
        if text[0] not in "+-.0123456789":
            return text
        if _INTEGER.fullmatch(text):
            if len(text) > 20 or abs(int(text)) > MAX_INTEGER:
                self._fail(event, "the number is too large", "write it in quotes if it is a text")
            return int(text)
        if _FLOAT.fullmatch(text):
            number = float(text)
            return number if math.isfinite(number) else self._fail(event, "the number is too large")
        return text

    def _key(self, event: Any, top: _Open, key: Any) -> None:
        if key == "<<" and event.implicit[0]:
            self._fail(event, "merge keys (<<) are not used here", "write the keys out")
        if not isinstance(key, str):
            self._fail(event, f"the key {plain(key, 40)!r} is not text", "quote it")
        if key in top.value:
            self._fail(event, f"the key {plain(key, 60)!r} appears twice", "keep one of them")
        top.key = key
        if self._positions is not None:
            self._locate(event, (*top.path, key))

    def _begin(self, event: Any) -> None:
        if event.tag not in {None, "!"}:
            self._fail(event, f"the tag {plain(event.tag, 60)!r} is not used here", "leave it out")
        if len(self._stack) >= MAX_DEPTH:
            self._fail(event, f"nested more than {MAX_DEPTH} deep")
        first = self._count
        self._count_nodes(event, 1)
        value: list[Any] | dict[str, Any] = [] if isinstance(event, yaml.SequenceStartEvent) else {}
        path = self._put(event, value, 1)
        self._stack.append(_Open(value, path, event.anchor, first))

    def _end(self) -> None:
        closed = self._stack.pop()
        if closed.anchor is not None:
            self._anchors[closed.anchor] = _Anchored(closed.value, self._count - closed.first, closed.height)
        if self._stack:
            self._stack[-1].height = max(self._stack[-1].height, closed.height + 1)

    def _alias(self, event: Any) -> None:
        named = self._anchors.get(event.anchor)
        if named is None:
            self._fail(event, f"nothing before this is called &{plain(event.anchor, 40)}")
        if len(self._stack) + named.height > MAX_DEPTH:
            self._fail(event, f"nested more than {MAX_DEPTH} deep")
        self._count_nodes(event, named.nodes)
        self._put(event, named.value, named.height)

    def _count_nodes(self, event: Any, number: int) -> None:
        self._count += number
        if self._count > MAX_NODES:
            self._fail(event, f"more than {MAX_NODES:,} values", "split the file")

    def _put(self, event: Any, value: Any, height: int) -> Path_:
        """Put a value where it belongs; returns the path to it, where positions are asked for."""
        if not self._stack:
            self.data = value
            self._locate(event, ())
            return ()
        top = self._stack[-1]
        if height >= top.height:
            top.height = height + 1
        located = self._positions is not None
        if isinstance(top.value, list):
            path: Path_ = (*top.path, len(top.value)) if located else ()
            top.value.append(value)
            self._locate(event, path)
            return path
        if top.key is None:
            self._fail(event, "a key is text, and this is not", "write a word before the colon")
        path = (*top.path, top.key) if located else ()
        top.value[top.key] = value
        top.key = None
        return path

    def _locate(self, event: Any, path: Path_) -> None:
        if self._positions is not None:
            self._positions[path] = (event.start_mark.line + 1, event.start_mark.column + 1)

    def _fail(self, event: Any, message: str, remedy: str | None = None) -> NoReturn:
        location = Location(file=self._file, line=event.start_mark.line + 1, column=event.start_mark.column + 1)
        raise DocumentError(message, location=location, remedy=remedy)
