"""Workbooks (XLSX, ECMA-376) that somebody else saved: the cells of named sheets, read within bounds.

A workbook is a ZIP file of XML parts. Only the few parts that hold cells are unpacked, each bounded while it unfolds;
no part may declare a document type, so there are no entities; and a formula is told, never evaluated.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from interlock.documents.files import read_bytes
from interlock.model.errors import DocumentError, Location
from interlock.model.text import plain

#: Largest file in bytes, most parts in it, and largest part when it is unpacked. Our own sheets are a fiftieth of it.
MAX_BYTES, MAX_PARTS, MAX_UNPACKED = 5_000_000, 1_000, 20_000_000
#: Most cells and most shared texts, and deepest nesting of XML.
MAX_CELLS, MAX_DEPTH = 200_000, 64
#: Most columns and rows of a sheet (Excel specifications and limits).
MAX_COLUMN, MAX_ROW = 16_384, 1_048_576

_CHUNK = 65_536
_ZIP, _COMPOUND = b"PK\x03\x04", bytes.fromhex("d0cf11e0a1b11ae1")
_PLAIN = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?")
#: How a cell writes a character that XML cannot hold.
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_SAVE_AS = "open it in a spreadsheet program and save it as an Excel workbook (.xlsx)"

Value = str | float | bool
Position = tuple[int, int]


@dataclass(frozen=True)
class Cell:
    """What a cell holds; dates are numbers, as they are saved. ``formula``: it is computed, whatever it shows."""

    value: Value
    formula: bool = False


@dataclass(frozen=True)
class Workbook:
    """The cells of the sheets that were asked for, by name of the sheet, then by row and column, both from 1.

    :ivar from_1904: dates count from 1904 instead of 1900.
    """

    sheets: Mapping[str, Mapping[Position, Cell]]
    from_1904: bool = False


def cell_name(cell: Position) -> str:
    """A cell's address as a spreadsheet shows it: ``C7``."""
    row, column = cell
    letters = ""
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{row}"


def read_workbook(path: Path, sheets: Collection[str]) -> Workbook:
    """The sheets of these names, as far as the workbook has them.

    :raises DocumentError: the file is missing, too large, encrypted, no workbook, or beyond a bound; with the part.
    """
    raw = read_bytes(path, MAX_BYTES)
    location = Location(file=str(path))
    if raw.startswith(_COMPOUND):
        raise DocumentError(
            "this workbook is encrypted with a password, or of a program before 2007",
            location=location,
            remedy="remove the password, or save it as an Excel workbook (.xlsx)",
        )
    if not raw.startswith(_ZIP):
        raise DocumentError("this is no workbook", location=location, remedy=_SAVE_AS)
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            return _Parts(archive, str(path)).workbook(sheets)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise DocumentError(f"this workbook is damaged: {plain(error, 200)}", location=location, remedy=_SAVE_AS) from (
            error
        )


class _Parts:
    """The parts of one workbook."""

    def __init__(self, archive: zipfile.ZipFile, file: str) -> None:
        self._archive = archive
        self._file = file
        self._cells = 0
        entries = archive.infolist()
        if len(entries) > MAX_PARTS:
            raise self._error(f"this workbook has more than {MAX_PARTS:,} parts")
        self._entries = {entry.filename: entry for entry in entries}
        if len(self._entries) < len(entries):
            raise self._error("this workbook has two parts of one name")
        if "xl/workbook.xml" not in self._entries:
            raise self._error("this is no Excel workbook")

    def _error(self, message: str, part: str | None = None) -> DocumentError:
        return DocumentError(message, location=Location(file=self._file, pointer=part), remedy=_SAVE_AS)

    def workbook(self, wanted: Collection[str]) -> Workbook:
        """Read what is needed for these sheets."""
        book, relations = _Book(), _Relations()
        self._parse("xl/workbook.xml", book)
        self._parse("xl/_rels/workbook.xml.rels", relations)
        texts = _Texts()
        for kind, target in relations.targets.values():
            if kind.endswith("/sharedStrings"):
                self._parse(_part(target), texts)
        sheets = {}
        for name, relation in book.sheets:
            if name in wanted and relation in relations.targets:
                if name in sheets:
                    raise self._error(f"this workbook has two sheets of the name {name!r}")
                cells = _Cells(texts.texts)
                self._parse(_part(relations.targets[relation][1]), cells)
                sheets[name] = cells.cells
        return Workbook(sheets, book.from_1904)

    def _parse(self, part: str, handler: _Handler) -> None:
        """Unpack a part and hand its elements to ``handler``, bit by bit."""
        entry = self._entries.get(part)
        if entry is None:
            raise self._error("this workbook lacks a part that it names", part)
        if entry.flag_bits & 1:
            raise self._error("this part is encrypted", part)
        if entry.compress_type not in _PLAIN:
            raise self._error("this part is packed in a way that no spreadsheet program uses", part)
        # All programs write UTF-8; a part that names another encoding chooses among Python's codecs otherwise.
        parser = expat.ParserCreate("UTF-8", " ")
        parser.buffer_text = True
        depth = 0

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal depth
            depth += 1
            if depth > MAX_DEPTH:
                raise self._error(f"its elements are nested more than {MAX_DEPTH} deep", part)
            handler.start(_local(name), {_local(key): value for key, value in attributes.items()})

        def end(name: str) -> None:
            nonlocal depth
            depth -= 1
            handler.end(_local(name))

        def refuse(*_: object) -> None:
            raise self._error("it declares a document type, which no spreadsheet program writes", part)

        parser.StartElementHandler, parser.EndElementHandler = start, end
        parser.CharacterDataHandler = handler.text
        parser.StartDoctypeDeclHandler = refuse
        unpacked = 0
        try:
            with self._archive.open(entry) as handle:
                while chunk := handle.read(_CHUNK):
                    unpacked += len(chunk)
                    if unpacked > MAX_UNPACKED:
                        raise self._error(f"it unfolds to more than {MAX_UNPACKED:,} bytes", part)
                    parser.Parse(chunk, False)
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise self._error(f"not valid XML: {plain(error, 120)}", part) from error
        except _BoundsError as error:
            raise self._error(str(error), part) from error


class _BoundsError(Exception):
    """A part holds more than it may, or what no part of its kind holds."""


def _local(name: str) -> str:
    """An element's name without its namespace: workbooks of the strict kind have other ones."""
    return name.rpartition(" ")[2]


def _part(target: str) -> str:
    """The name of the part that a relation of the workbook leads to."""
    return posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")


class _Handler:
    """What is done with a part's elements; by default nothing."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, text: str) -> None:
        """Text of an element, or a piece of it."""


@dataclass
class _Book(_Handler):
    """``workbook.xml``: names of sheets with their relations."""

    sheets: list[tuple[str, str]] = field(default_factory=list)
    from_1904: bool = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "sheet":
            self.sheets.append((attributes.get("name", ""), attributes.get("id", "")))
        elif name == "workbookPr":
            self.from_1904 = attributes.get("date1904", "0") in {"1", "true"}


@dataclass
class _Relations(_Handler):
    """``workbook.xml.rels``: by a relation's id its type and the part that it leads to."""

    targets: dict[str, tuple[str, str]] = field(default_factory=dict)

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            self.targets[attributes.get("Id", "")] = (attributes.get("Type", ""), attributes.get("Target", ""))


@dataclass
class _Texts(_Handler):
    """``sharedStrings.xml``: texts that cells name by number; runs of one text are joined, readings aids left out."""

    texts: list[str] = field(default_factory=list)
    _pieces: list[str] = field(default_factory=list)
    _inside: bool = False
    _aid: bool = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "si":
            self._pieces = []
        self._aid = self._aid or name == "rPh"
        self._inside = name == "t" and not self._aid

    def end(self, name: str) -> None:
        self._inside = False
        if name == "rPh":
            self._aid = False
        elif name == "si":
            if len(self.texts) >= MAX_CELLS:
                raise _BoundsError(f"it holds more than {MAX_CELLS:,} texts")
            self.texts.append(_unescaped("".join(self._pieces)))

    def text(self, text: str) -> None:
        if self._inside:
            self._pieces.append(text)


class _Cells(_Handler):
    """A sheet's cells that hold something."""

    def __init__(self, texts: list[str]) -> None:
        self.cells: dict[Position, Cell] = {}
        self._texts = texts
        self._row = self._column = 0
        self._type = "n"
        self._formula = False
        self._pieces: list[str] = []
        self._into: str | None = None
        self._within_cell = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "row":
            given = attributes.get("r", "")
            self._row = int(given) if re.fullmatch("[0-9]{1,7}", given) else self._row + 1
            self._column = 0
        elif name == "c":
            self._position(attributes.get("r"))
            self._type = attributes.get("t", "n")
            self._pieces, self._formula, self._within_cell = [], False, True
        elif name == "f":
            self._formula = self._formula or self._within_cell
        self._into = name if self._within_cell and name in {"v", "t"} else None

    def _position(self, reference: str | None) -> None:
        if reference is None:
            self._column += 1
        else:
            match = _REFERENCE.fullmatch(reference)
            if match is None:
                raise _BoundsError(f"{plain(reference, 40)!r} is no address of a cell")
            self._row, self._column = int(match[2]), _column(match[1])
        if not (1 <= self._row <= MAX_ROW and self._column <= MAX_COLUMN):
            raise _BoundsError(f"it has a cell beyond {cell_name((MAX_ROW, MAX_COLUMN))}")

    def end(self, name: str) -> None:
        self._into = None
        if name == "c":
            self._within_cell = False
            value = self._value("".join(self._pieces))
            if value is not None or self._formula:
                if len(self.cells) >= MAX_CELLS:
                    raise _BoundsError(f"it holds more than {MAX_CELLS:,} cells")
                self.cells[self._row, self._column] = Cell("" if value is None else value, self._formula)

    def text(self, text: str) -> None:
        if self._into is not None:
            self._pieces.append(text)

    def _value(self, text: str) -> Value | None:
        if text == "":
            return None
        if self._type == "s":
            if not re.fullmatch("[0-9]{1,9}", text) or int(text) >= len(self._texts):
                raise _BoundsError(f"{cell_name((self._row, self._column))} names a text that is not there")
            return self._texts[int(text)] or None
        if self._type == "b":
            return text == "1"
        if self._type != "n":
            return _unescaped(text)
        if not _NUMBER.fullmatch(text):
            raise _BoundsError(f"{cell_name((self._row, self._column))} holds {plain(text, 40)!r} as a number")
        return float(text)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text
