"""The workbook being written: sheets, tables, formats and heights."""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Literal

import xlsxwriter.workbook
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from interlock.model import words
from interlock.model.language import _
from interlock.report import safe
from interlock.report.sections.context import Context
from interlock.report.work.trackers import cell as no_formula

#: Characters (UTF-16 code units) of one cell, and rows of one sheet: Excel specifications and limits.
CELL_LIMIT, ROW_LIMIT = 32_767, 1_048_576
Value = str | float | date | None
Row = tuple[Value, ...]
Kind = Literal["text", "number", "score", "share", "date", "moment"]

_FORMATS: Mapping[Kind, str] = {
    "text": "General",
    "number": "General",
    "score": "0.0",
    "share": "0.0%",
    "date": "d mmm yyyy",
    "moment": "d mmm yyyy hh:mm",
}
#: Characters of a sheet's name, and those that it may not have.
_NAME_LIMIT, _REFUSED = 31, re.compile(r"[\[\]:*?/\\']")
_INK, _RULE = "#1f3a4d", "#c9d2d8"
A3, A4 = 8, 9
#: Height of a line of text and of the tallest row, in points.
_LINE, _TALLEST = 13.2, 409.0
#: How every workbook is written: text stays text.
OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_LETTERS = tuple(map(xl_col_to_name, range(100)))
#: Letters of running text that fit into the width of one digit of the standard font.
_NARROWER = 1.2


@dataclass(frozen=True)
class Column:
    """``width`` in characters; ``kind`` is how numbers and dates are shown, text stays text.

    :ivar mixed: it holds text as well as numbers and dates, so that these stand at the left too.
    """

    head: str
    width: float
    kind: Kind = "text"
    mixed: bool = False


class _Sheet(Worksheet):  # type: ignore[misc]  # xlsxwriter is not typed
    """A sheet whose rows are text as soon as they are written.

    xlsxwriter keeps an object of every cell until the end, which takes three times as long: 50 organisations have
    240,000 cells.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[str] = []
        self._shared: dict[str, str] = {}
        self._styled = _Styles()

    def line(self, row: int, height: float, cells: Sequence[str]) -> None:
        """A row (0-based) of this height in points; of each cell what :meth:`text` and the like give."""
        self._check_dimensions(row, 0)
        self._check_dimensions(row, len(cells) - 1)
        pixels = int(height * 4 / 3 + 0.5)
        size = "" if pixels == self.default_row_height else f' ht="{pixels * 0.75:.16g}" customHeight="1"'
        number = row + 1
        written = [f'<c r="{column}{number}"{cell}' for column, cell in zip(_LETTERS, cells, strict=False)]
        self._lines.append(f'<row r="{number}"{size}>{"".join(written)}</row>')

    def text(self, value: str, style: Any = None) -> str:
        """A cell that holds a text."""
        shared = self._shared.get(value)
        if shared is None:
            index = self.str_table._get_shared_string_index(cell_text(value))
            shared = self._shared[value] = f' t="s"><v>{index}</v></c>'
        else:
            self.str_table.count += 1
        return self._styled[style] + shared

    def number(self, value: float, style: Any) -> str:
        """A cell that holds a number."""
        return f"{self._styled[style]}><v>{value:.16G}</v></c>"

    def date(self, value: date, style: Any) -> str:
        """A cell that holds a day, or a moment."""
        return self.number(self._convert_date_time(value), style)

    def empty(self, style: Any) -> str:
        """A cell that holds nothing, with its lines around it."""
        return f"{self._styled[style]}/>"

    def _write_rows(self) -> None:
        self.fh.write("".join(self._lines))


class _Workbook(xlsxwriter.Workbook):  # type: ignore[misc]  # as above
    """A workbook whose parts are not packed: the seal packs them, once more would be a fifth of the time."""

    def _store_workbook(self) -> None:
        xlsxwriter.workbook.ZIP_DEFLATED = zipfile.ZIP_STORED
        try:
            super()._store_workbook()
        finally:
            xlsxwriter.workbook.ZIP_DEFLATED = zipfile.ZIP_DEFLATED


class _Styles(dict[Any, str]):
    """Of each format how a cell names it."""

    def __missing__(self, style: Any) -> str:
        self[style] = f' s="{style._get_xf_index()}"' if style else ""
        return self[style]


class Book:
    """The workbook being written: every cell of a table goes through :meth:`_cell`."""

    def __init__(self, target: io.BytesIO, context: Context, version: str) -> None:
        assessment = context.assessment
        self._book: Any = _Workbook(target, OPTIONS)
        product = safe.text(assessment.product, 60)
        created = safe.parse_day(assessment.as_of) or safe.parse_day(assessment.plan.start) or date(2000, 1, 1)
        self._book.set_properties(
            {
                "title": _("%(product)s: integration readiness", product=safe.name(assessment.product)),
                "comments": _("Written by Interlock %(version)s", version=safe.text(version, 40)),
                "created": datetime(created.year, created.month, created.day),
            }
        )
        plain = {"font_size": 10, "valign": "top", "bottom": 1, "bottom_color": _RULE}
        aligned: dict[bool, dict[str, Any]] = {True: {"align": "left"}, False: {"align": "right", "indent": 1}}
        self._text = self._book.add_format(plain | {"text_wrap": True})
        self._cells = {
            (kind, mixed): self._book.add_format(plain | aligned[mixed] | {"num_format": _FORMATS[kind]})
            for kind in _FORMATS
            for mixed in aligned
        }
        head = {"bold": True, "font_size": 10, "font_color": "#ffffff", "bg_color": _INK, "text_wrap": True}
        self._heads = {mixed: self._book.add_format(head | aligned[mixed] | {"valign": "top"}) for mixed in aligned}
        self._title = self._book.add_format({"bold": True, "font_size": 16, "font_color": _INK})
        self._footer = f"&L{product.replace('&', '&&')}&C&A&R{_('Page %(page)s of %(pages)s', page='&P', pages='&N')}"

    def close(self) -> None:
        """Finish the file."""
        self._book.close()

    def sheet(self, name: str, columns: Sequence[Column], *, fixed: int, paper: int = A3) -> _Sheet:
        """An empty sheet whose first row stays in sight and is repeated on every page, and ``fixed`` columns."""
        sheet: _Sheet = self._book.add_worksheet(self._free(sheet_title(name)), _Sheet)
        for index, column in enumerate(columns):
            sheet.set_column(index, index, column.width)
        sheet.freeze_panes(1, fixed)
        sheet.set_landscape()
        sheet.set_paper(paper)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.set_footer(self._footer)
        sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        return sheet

    def _free(self, title: str) -> str:
        """A name that no sheet of this workbook has yet: a translation may give two the same."""
        names = {sheet.name.casefold() for sheet in self._book.worksheets()}
        free = (f"{title[: _NAME_LIMIT - 3]} {number}" for number in range(2, 100))
        return title if title.casefold() not in names else next(name for name in free if name.casefold() not in names)

    def title(self, sheet: _Sheet, text: str) -> None:
        """The first row of a sheet that is more than one table."""
        sheet.line(0, 24, [sheet.text(text, self._title)])

    def rows(
        self, sheet: _Sheet, top: int, columns: Sequence[Column], rows: Sequence[Row], *, filtered: bool = True
    ) -> int:
        """A table with its header at row ``top`` (0-based); returns the row after it."""
        heads = [cell_text(_(column.head)) for column in columns]
        tallest = max(_lines_of(head, 0.8 * column.width) for column, head in zip(columns, heads, strict=True))
        styles = [self._heads[column.kind == "text" or column.mixed] for column in columns]
        sheet.line(top, _LINE * (0.5 + tallest), list(map(sheet.text, heads, styles)))
        room = ROW_LIMIT - top - 1
        kept = rows if len(rows) <= room else rows[: room - 1]
        widths = [column.width for column in columns]
        for number, row in enumerate(kept, start=top + 1):
            cells = [self._cell(sheet, value, column) for column, value in zip(columns, row, strict=True)]
            sheet.line(number, row_height(widths, row), cells)
        last = top + len(kept)
        if filtered:
            sheet.autofilter(top, 0, max(last, top), len(columns) - 1)
        if len(kept) < len(rows):
            last += 1
            more = _(
                "%(rows)s more rows do not fit into a sheet and are left out here.",
                rows=words.number(len(rows) - len(kept)),
            )
            sheet.line(last, _LINE, [sheet.text(more)])
        return last + 1

    def _cell(self, sheet: _Sheet, value: Value, column: Column) -> str:
        if isinstance(value, str):
            return sheet.text(value, self._text) if value else sheet.empty(self._text)
        if value is None:
            return sheet.empty(self._text)
        if isinstance(value, date):
            if value.year < 1900:  # before the first day that a spreadsheet knows
                return sheet.text(value.isoformat(), self._text)
            kind: Kind = "moment" if isinstance(value, datetime) else "date"
            return sheet.date(value, self._cells[kind, column.mixed])
        if isinstance(value, float) and not math.isfinite(value):
            return sheet.text(_("not known"), self._text)
        return sheet.number(value, self._cells[column.kind, column.mixed])


def sheet_title(name: str) -> str:
    """A sheet's name in the report's language, without what Excel refuses in one."""
    return _REFUSED.sub(" ", _(name))[:_NAME_LIMIT].strip() or name


def row_height(widths: Sequence[float], row: Sequence[Value]) -> float:
    """Points that the row's longest text takes; not every program finds the height by itself, so it is given."""
    lines = [_all_lines_of(value, width) for width, value in zip(widths, row, strict=True) if isinstance(value, str)]
    return min(_TALLEST, _LINE * max(lines, default=1) + 2)


@lru_cache(maxsize=20_000)
def _all_lines_of(text: str, width: float) -> int:
    return sum(_lines_of(line, width) for line in text.split("\n"))


def _lines_of(text: str, width: float) -> int:
    """Lines that a text takes, about: a column is as many digits wide, and letters are narrower."""
    room = max(1, int(_NARROWER * width))
    if len(text) <= room:
        return 1
    lines, used = 1, 0
    for word in text.split(" "):
        if used and used + 1 + len(word) > room:
            lines, used = lines + 1, 0
        used += len(word) + (used > 0)
        if used > room:  # a word without a place to break it
            lines, used = lines + (used - 1) // room, (used - 1) % room + 1
    return lines


def cell_text(value: str) -> str:
    """Text as a cell takes it: lines kept, nothing unprintable, never a formula, and cut with a word where too long."""
    return _cut(_clean(value))


@lru_cache(maxsize=20_000)  # a sheet says most of its texts many times: with their heights, a third of the workbook
def _clean(value: str) -> str:
    return no_formula("\n".join(whole(line) for line in value.split("\n")))


@lru_cache(maxsize=20_000, typed=True)
def whole(value: object) -> str:
    """One safe line, uncut."""
    written = str(value)
    return safe.text(written, max(1, len(written)))


def lines(*parts: str) -> str:
    """The parts that say something, a line each."""
    return "\n".join(whole(part) for part in parts if part)


def day(value: str) -> Value:
    """A real date; text that is none stays text."""
    return safe.parse_day(value) or whole(value)


def moment(value: str | None) -> Value:
    """A real date with time in UTC; text that is none stays text."""
    try:
        parsed = datetime.fromisoformat(value or "")
    except ValueError:
        return day(value or "")
    return (parsed.astimezone(UTC) if parsed.tzinfo else parsed).replace(tzinfo=None)


def _cut(value: str) -> str:
    if 2 * len(value) <= CELL_LIMIT:
        return value
    units = value.encode("utf-16-le")
    if len(units) <= 2 * CELL_LIMIT:
        return value
    note = _(
        "… [cut: a cell holds %(cell_limit)s characters, the whole text has %(units)s]",
        cell_limit=words.number(CELL_LIMIT),
        units=words.number(len(units) // 2),
    )
    return units[: 2 * (CELL_LIMIT - len(note))].decode("utf-16-le", "ignore") + note
