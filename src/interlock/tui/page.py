"""Drawing text for a given width: styles and marks, bars of block characters, lines, and pages of them.

Every piece of text is made plain and is never read as markup. A style only supports a word: everything can be read
without colour. Bars have three shades: ``█`` verified or done, ``▒`` possible or not known, ``░`` the rest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from textual.content import Content

from interlock.model import words
from interlock.model.base import CheckOutcome, Gate, Severity, Status, TaskState
from interlock.model.forecast import Quantiles
from interlock.model.readiness import Interval
from interlock.model.text import paragraph, plain

Piece = str | Content | tuple[str, str]

_SPACES = re.compile(r"(^ +| {2,}| +$)")


def text(value: object, style: str = "", limit: int = 2000) -> Content:
    """One line of plain text in a style; nothing in it is markup."""
    return Content.styled(plain(value, limit), style)


def line(*pieces: Piece) -> Content:
    """Pieces side by side; strings are made plain."""
    return Content.assemble(*(_piece(piece) for piece in pieces))


def _piece(piece: Piece) -> Content:
    if isinstance(piece, Content):
        return piece
    value, style = piece if isinstance(piece, tuple) else (piece, "")
    # Spaces belong to the layout; `plain` would take the outer ones away and leave one of several.
    return Content.styled(
        "".join(part if part.isspace() else plain(part, 2000) for part in _SPACES.split(value) if part), style
    )


def mark(sign: Mark) -> Content:
    """Glyph and word together."""
    return Content.assemble((sign.glyph, sign.style), f" {sign.word}")


def fit(content: Content, width: int, *, right: bool = False) -> Content:
    """Exactly ``width`` cells: cut with an ellipsis, or filled up."""
    if width <= 0:
        return Content("")
    cut = content.truncate(width, ellipsis=True)
    missing = width - cut.cell_length
    return cut.pad_left(missing) if right else cut.pad_right(missing)


def hang(content: Content, width: int, first: Content | str = "", rest: int | None = None) -> list[Content]:
    """Wrap to ``width`` cells behind a lead; further lines are indented by ``rest`` cells, or by the lead's."""
    lead = Content(first) if isinstance(first, str) else first
    indent = lead.cell_length if rest is None else rest
    room = max(8, width - max(indent, lead.cell_length))
    lines = [entry.rstrip() for entry in content.wrap(room)] or [Content("")]
    return [Content.assemble(lead if index == 0 else " " * indent, entry) for index, entry in enumerate(lines)]


class Page:
    """Lines of a page of ``width`` cells, from top to bottom."""

    def __init__(self, width: int) -> None:
        self.width = max(20, width)
        self._lines: list[Content] = []

    def blank(self) -> None:
        """An empty line, unless the page starts here or the last line is empty already."""
        if self._lines and self._lines[-1].plain.strip():
            self._lines.append(Content(""))

    def add(self, *lines: Content) -> None:
        """Finished lines."""
        self._lines.extend(lines)

    def line(self, *pieces: Piece) -> None:
        """One line, wrapped where it must be."""
        self.add(*hang(line(*pieces), self.width))

    def heading(self, title: str, aside: str = "") -> None:
        """A heading with room above it; ``aside`` stands quietly behind it."""
        self.blank()
        self.add(line((plain(title), f"bold {PRIMARY}"), (f"  {plain(aside)}" if aside else "", DIM)))

    def para(self, value: object, style: str = "", indent: int = 0) -> None:
        """A wrapped paragraph; its own line feeds stay."""
        for part in paragraph(value).splitlines():
            self.add(*hang(Content.styled(part, style), self.width, " " * indent))

    def bullet(self, lead: str | Content, *pieces: Piece) -> None:
        """A line behind a mark, wrapped with a hanging indent."""
        head = Content.assemble(lead if isinstance(lead, Content) else Content(lead), " ")
        self.add(*hang(line(*pieces), self.width, head))

    def field(self, label: str, value: object, *, style: str = "", label_width: int = 14) -> None:
        """A label with its value beside it, the value wrapped in its own column."""
        head = fit(Content.styled(plain(label), DIM), label_width)
        content = value if isinstance(value, Content) else Content.styled(plain(value, 2000), style)
        self.add(*hang(content, self.width, Content.assemble(head, " ")))

    def columns(self, rows: Sequence[Sequence[Content]]) -> None:
        """Rows with columns as wide as their widest cell; the last one takes what is left and wraps."""
        widths = [max(cell.cell_length for cell in column) for column in zip(*rows, strict=True)][:-1]
        for row in rows:
            lead = Content.assemble(
                *(Content.assemble(fit(cell, width), "  ") for cell, width in zip(row, widths, strict=False))
            )
            self.add(*hang(row[-1], self.width, lead))

    def content(self) -> Content:
        """Everything so far."""
        return Content("\n").join(self._lines)


_Value = TypeVar("_Value")

OK, WARN, BAD, DIM, PRIMARY, ACCENT = "$success", "$warning", "$error", "$text-muted", "$primary", "$accent"


class Mark(NamedTuple):
    """A one-cell glyph, the word for it and a style that names a theme's colour."""

    glyph: str
    word: str
    style: str


def _marks(table: Mapping[_Value, words.Word], styles: Mapping[_Value, str]) -> dict[_Value, Mark]:
    """Every value of a table of words with its style, in the table's order."""
    return {value: Mark(word.glyph, word.phrase, styles[value]) for value, word in table.items()}


STATUS = _marks(
    words.STATUS,
    {Status.ANSWERED: OK, Status.UNKNOWN: WARN, Status.NOT_APPLICABLE: DIM, Status.UNANSWERED: DIM},
)
OBSERVED = _marks(words.OBSERVED, {"observed": OK, "partial": WARN, "not_observed": WARN, "never_probed": DIM})
CHECK = _marks(
    words.CHECK,
    {
        CheckOutcome.PASS: OK,
        CheckOutcome.WARN: WARN,
        CheckOutcome.FAIL: BAD,
        CheckOutcome.ERROR: BAD,
        CheckOutcome.NOT_OBSERVED: DIM,
        CheckOutcome.NOT_APPLICABLE: DIM,
    },
)
SEVERITY = _marks(
    words.SEVERITY, {Severity.CRITICAL: BAD, Severity.HIGH: BAD, Severity.MEDIUM: WARN, Severity.LOW: DIM}
)
REHEARSAL = _marks(
    words.REHEARSAL,
    {"broke": BAD, "inconclusive": WARN, "not_reached": WARN, "needs_hook": DIM, "held": OK, "not_applicable": DIM},
)
SETTING = _marks(
    words.SETTING,
    {"missing": BAD, "mistyped": BAD, "unknown": BAD, "universal": BAD, "defaulted": WARN, "own": OK, "default": OK},
)
FIT = _marks(
    words.FIT,
    {"supported": OK, "missing": BAD, "undeclared": WARN, "restricted": WARN, "not_fhir": BAD, "not_observed": DIM},
)
TASK = _marks(words.TASK, {"gap": PRIMARY, "discovery": WARN, "evidence": PRIMARY, "routine": DIM})
TASK_STATE = _marks(words.TASK_STATE, {TaskState.NOT_BEGUN: DIM, TaskState.BEGUN: ACCENT, TaskState.DONE: OK})
AUTH_PATH = _marks(words.AUTH_PATH, {"possible": OK, "not_offered": BAD, "cannot_tell": WARN})
DRIFT = _marks(
    words.DRIFT,
    {"contract_broken": BAD, "contract_changed": WARN, "removed": WARN, "changed": PRIMARY, "added": OK},
)


FULL, PART, REST = "█", "▒", "░"
_POSSIBLE, _TRACK = "$possible", "$track"


def cells(share: float, width: int) -> int:
    """How many cells a share in [0, 1] fills: more than nothing fills at least one, and only 1.0 fills all."""
    share = min(1.0, max(0.0, share))
    filled = max(round(share * width), 1 if share > 0 else 0)
    return max(0, min(filled, width - 1 if share < 1 else width))


def three(first: float, second: float, width: int) -> Content:
    """A bar of three parts: ``first`` solid, up to ``second`` shaded, then the track. Shares in [0, 1]."""
    solid = cells(first, width)
    shaded = max(0, cells(max(first, second), width) - solid)
    return Content.assemble((FULL * solid, OK), (PART * shaded, _POSSIBLE), (REST * (width - solid - shaded), _TRACK))


def interval_bar(interval: Interval, width: int) -> Content:
    """A score interval on 0 to 100: solid is verified so far, shaded the best case."""
    return three(interval.low / 100, interval.high / 100, width)


def stage_bar(stage: Gate | None) -> str:
    """Gates passed of the four, as four cells: ``■■□□``."""
    passed = 0 if stage is None else stage.rank + 1
    return "■" * passed + "□" * (len(Gate) - passed)


def count_bar(done: int, unsure: int, total: int, width: int) -> Content:
    """Counts: solid is done, shaded is said to be not known, the rest is open."""
    if total <= 0:
        return Content.styled(REST * width, _TRACK)
    return three(done / total, (done + unsure) / total, width)


def quantile_bar(quantiles: Quantiles, longest: float, width: int) -> Content:
    """Days to the P50 solid, on to the P80 shaded, on to the P90 light, on a scale that ends at ``longest`` days."""
    if longest <= 0:
        return Content.blank(width)
    solid = cells(quantiles.p50_days / longest, width)
    shaded = max(0, cells(quantiles.p80_days / longest, width) - solid)
    light = max(0, cells(quantiles.p90_days / longest, width) - solid - shaded)
    left = width - solid - shaded - light
    return Content.assemble((FULL * solid, PRIMARY), (PART * shaded, _POSSIBLE), (REST * light, _TRACK), " " * left)


def span_bar(start: float, finish: float, longest: float, width: int, *, critical: bool) -> Content:
    """A task's median start and finish on a scale that ends at ``longest`` days; ``critical`` is drawn solid."""
    if longest <= 0 or width <= 0:
        return Content.blank(max(0, width))
    left = min(width - 1, int(start / longest * width))
    length = max(1, min(width - left, round((finish - start) / longest * width)))
    glyph, style = (FULL, PRIMARY) if critical else (PART, _POSSIBLE)
    return Content.assemble(("·" * left, _TRACK), (glyph * length, style), ("·" * (width - left - length), _TRACK))
