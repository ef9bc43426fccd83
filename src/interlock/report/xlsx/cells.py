"""What a cell may hold, and how text gets into it."""

from __future__ import annotations

from datetime import date
from typing import Literal

from interlock.report import safe
from interlock.report.work.trackers import cell as no_formula

#: Characters (UTF-16 code units) of one cell, and rows of one sheet: Excel specifications and limits.
CELL_LIMIT, ROW_LIMIT = 32_767, 1_048_576
Value = str | float | date | None
Row = tuple[Value, ...]
Kind = Literal["text", "number", "score", "share", "date", "moment"]


def cell_text(value: str) -> str:
    """Text as a cell takes it: lines kept, nothing unprintable, never a formula, and cut with a word where too long."""
    clean = "\n".join(whole(line) for line in value.split("\n"))
    return _cut(no_formula(clean))


def whole(value: object) -> str:
    """One safe line, uncut."""
    written = str(value)
    return safe.text(written, max(1, len(written)))


def _cut(value: str) -> str:
    if 2 * len(value) <= CELL_LIMIT:
        return value
    units = value.encode("utf-16-le")
    if len(units) <= 2 * CELL_LIMIT:
        return value
    note = f"… [cut: a cell holds {CELL_LIMIT:,} characters, the whole text has {len(units) // 2:,}]"
    return units[: 2 * (CELL_LIMIT - len(note))].decode("utf-16-le", "ignore") + note
