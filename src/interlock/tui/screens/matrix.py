"""Every organisation's questions in one table: answered one by one, many at once, or as another organisation did."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import DataTable

from interlock.model import words
from interlock.model.base import Scope
from interlock.model.text import plain
from interlock.tui.keys import bindings, key_of, keyed
from interlock.tui.page import ACCENT, DIM, STATUS, WARN, Page, line, text
from interlock.tui.progress import questions
from interlock.tui.screens.answering_many import AnsweringMany, Cell
from interlock.tui.screens.section import Pick
from interlock.tui.state import State
from interlock.tui.widgets.flow import Flow

if TYPE_CHECKING:
    from interlock.usecases.load import Inputs
    from interlock.usecases.questions import Asked

#: Cells that an answer takes at least and at most, and a question.
_ANSWER, _QUESTION = (20, 60), (28, 52)
#: Cells around a column of Textual's, and around the table.
_PADDING, _AROUND = 2, 5


class Cells(DataTable[Text]):
    """The table, with vim's keys to move."""

    BINDINGS = bindings("table")


#: What else there is for cells: the foot has room for six keys.
_TOOLS = "{matrix.same-as} same as  {matrix.confirm} confirm  {matrix.unknown} unknown  {matrix.area} area"


class MatrixPage(AnsweringMany):
    """The page of all organisations' questions, on top of the section from which it was opened."""

    TITLE = "Matrix"
    ABOUT = (
        "One question a row, one organisation a column; {matrix.area} lists one area only. Enter answers the "
        "highlighted cell, or the marked ones, question by question. Space marks a cell, {matrix.mark-row} its row, "
        "{matrix.mark-column} its column, shift with an arrow a range; {matrix.same-as} fills the marked cells as "
        "another organisation answered, {matrix.confirm} takes over what is proposed for all of them. Below is the "
        "whole text of the cell. Whatever one key changes, one {app.undo} takes back."
    )
    INITIAL_FOCUS = "#matrix"
    PANELS = {"#matrix-panel": "Organisations' questions"}
    BINDINGS = bindings("matrix")

    def __init__(self, item: str | None = None, org: str | None = None) -> None:
        """``item`` and ``org``: the cell that is highlighted first."""
        super().__init__()
        self._first = item, org
        self._rows: list[str] = []
        self._drawn: dict[Cell, Text] = {}
        self._area: str | None = None
        self._range: tuple[Cell, Cell, frozenset[Cell]] | None = None  # its ends, and what was marked before it
        self._widths = (_QUESTION[0], _ANSWER[0], 1)  # of a question and an answer, and lines of a row

    def body(self) -> ComposeResult:
        """The table above what is highlighted."""
        with Vertical():
            with Vertical(classes="panel", id="matrix-panel"):
                yield Cells(id="matrix", fixed_columns=1, cursor_foreground_priority="renderable")
            yield Flow(id="cell")

    @property
    def _table(self) -> DataTable[Text]:
        return self.query_one("#matrix", DataTable)

    def show(self, old: State | None, new: State) -> None:
        """Draw what changed: the whole table when questions or organisations did, else single cells."""
        inputs = new.inputs
        if inputs is not None and (old is None or old.inputs is not inputs):
            self._list(inputs)
        elif old is not None and old.assessment is not new.assessment:  # what was seen may contradict an answer
            self._update()
            self._tell()

    def _list(self, inputs: Inputs) -> None:
        columns = [org.id for org in inputs.organizations]
        by_org = {org: {asked.item.id: asked for asked in questions(inputs, org)} for org in columns}
        self._asked = {(item, org): asked for org, entries in by_org.items() for item, asked in entries.items()}
        areas = {item: asked.area for (item, _), asked in self._asked.items()}
        rows = [
            item.id
            for questionnaire in inputs.content.questionnaires
            for item in questionnaire.questions()
            if item.scope is Scope.ORG and item.id in areas and self._area in {None, areas[item.id]}
        ]
        panel = self.query_one("#matrix-panel")
        panel.border_title = text(self._area or "Organisations' questions")
        panel.border_subtitle = text(keyed(_TOOLS))
        widths = self._fitting(len(columns))
        if (rows, columns, widths) != (self._rows, self._columns, self._widths):
            at = self._here or self._first
            self._rows, self._columns, self._widths = rows, columns, widths
            self._build(inputs, *at)
        else:
            self._update()
        self._tell()

    def _fitting(self, columns: int) -> tuple[int, int, int]:
        """Widths of a question and an answer, and lines of a row, by what the terminal has room for."""
        width, height = self.app.size
        question = min(_QUESTION[1], max(_QUESTION[0], width // 4))
        room = (width - _AROUND - question - _PADDING) // max(1, columns) - _PADDING
        lines = 1 if height < 22 else 2 if height < 50 else 3
        return question, min(_ANSWER[1], max(_ANSWER[0], room)), lines

    def on_resize(self) -> None:
        """Other widths, where there is other room."""
        if self.state.inputs is not None and self._asked and self._fitting(len(self._columns)) != self._widths:
            self._list(self.state.inputs)

    def _build(self, inputs: Inputs, item: str | None, org: str | None) -> None:
        table = self._table
        question, answer, lines = self._widths
        table.clear(columns=True)
        self._marked &= self._asked.keys()
        table.add_column(_cut("Question", question, 1), width=question, key="")
        for column in self._columns:
            table.add_column(_cut(plain(self.state.name_of(column), 80), answer, 1), width=answer, key=column)
        self._drawn = {(row, column): self._cell((row, column)) for row in self._rows for column in self._columns}
        for row in self._rows:
            asked = _cut(plain(inputs.content.items[row].text, 400), question, lines)
            table.add_row(asked, *(self._drawn[row, column] for column in self._columns), key=row, height=lines)
        if self._rows and self._columns:
            at_row = self._rows.index(item) if item in self._rows else 0
            at_column = self._columns.index(org) if org in self._columns else 0
            table.move_cursor(row=at_row, column=at_column + 1)

    def _update(self) -> None:
        """Draw the cells that look otherwise than before."""
        for (row, column), before in self._drawn.items():
            now = self._cell((row, column))
            if now != before:
                self._drawn[row, column] = now
                self._table.update_cell(row, column, now)

    def _cell(self, cell: Cell) -> Text:
        asked = self._asked.get(cell)
        if asked is None:
            return _cut("–", 1, 1, "dim")
        said = asked.shown_answer() if asked.response is not None and asked.response.value is not None else ""
        marked = cell in self._marked
        _, width, lines = self._widths
        against = "≠ " if self.state.contradiction(asked.scope, asked.item.id) is not None else ""
        shown = f"{'▪' if marked else ' '} {STATUS[asked.status].glyph} {against}{plain(said, 300)}".rstrip()
        return _cut(shown, width, lines, "bold" if marked else "")

    @property
    def _here(self) -> Cell | None:
        row, column = self._table.cursor_coordinate
        if not (0 <= row < len(self._rows) and 0 < column <= len(self._columns)):
            return None
        return self._rows[row], self._columns[column - 1]

    @on(DataTable.CellHighlighted)
    def _tell(self) -> None:
        cell = self._here
        asked = self._asked.get(cell) if cell is not None else None
        state = self.state

        def draw(page: Page) -> None:
            if cell is None:
                page.para("No organisation yet: section 7 (Organisations) adds the first one.")
            elif asked is None:
                page.para(f"This question is not asked of {state.name_of(cell[1])}.", DIM)
            else:
                page.line((asked.text, "bold"), (f"  {asked.area}", DIM))
                said = plain(asked.shown_answer(), 2000)
                by = f"  {words.EVIDENCE[asked.response.evidence].phrase}" if asked.response is not None else ""
                by += f", {plain(asked.response.by, 60)}" if asked.response is not None and asked.response.by else ""
                page.bullet(text(f"{state.name_of(cell[1])} ", ACCENT), said, (by, DIM))
                contradiction = state.contradiction(asked.scope, asked.item.id)
                if contradiction is not None:
                    page.bullet(text("≠", f"bold {WARN}"), ("observed ", WARN), contradiction.observed)
            if self._marked:
                marked = words.count(len(self._marked), "cell")
                keys = words.listed([key_of(f"matrix.{does}") for does in ("same-as", "confirm", "unknown")])
                page.line((f"{marked} marked: Enter, {keys} are for all of them.", DIM))

        self.query_one("#cell", Flow).draw(draw)

    # -- marking --------------------------------------------------------------------------------------------------

    def action_mark(self) -> None:
        """Mark the highlighted cell, or take its mark away."""
        if self._here in self._asked and self._here is not None:
            self._mark([self._here])

    def action_mark_row(self) -> None:
        """Mark the whole question."""
        if self._here is not None:
            self._mark(cell for cell in self._asked if cell[0] == self._here[0])

    def action_mark_column(self) -> None:
        """Mark the whole organisation."""
        if self._here is not None:
            self._mark(cell for cell in self._asked if cell[1] == self._here[1])

    def _mark(self, cells: Iterable[Cell]) -> None:
        wanted = set(cells)
        self._marked = self._marked - wanted if wanted <= self._marked else self._marked | wanted
        self._update()
        self._tell()

    def action_extend(self, down: int, right: int) -> None:
        """Mark the range from where the first key of its kind was pressed to the next cell."""
        here = self._here
        if here is None:
            return
        start, end, before = self._range or (here, here, frozenset(self._marked))
        if end != here:  # somebody moved on without shift: a new range begins
            start, before = here, frozenset(self._marked)
        row, column = self._cell_at(here)
        row = min(len(self._rows) - 1, max(0, row + down))
        column = min(len(self._columns) - 1, max(0, column + right))
        self._table.move_cursor(row=row, column=column + 1)
        end = self._rows[row], self._columns[column]
        (top, bottom), (left, far) = (
            sorted(pair) for pair in zip(self._cell_at(start), self._cell_at(end), strict=True)
        )
        inside = {(item, org) for item in self._rows[top : bottom + 1] for org in self._columns[left : far + 1]}
        self._marked = set(before) | (inside & self._asked.keys())
        self._range = start, end, before
        self._update()
        self._tell()

    def action_unmark(self) -> None:
        """Take all marks away."""
        self._mark(tuple(self._marked))

    @property
    def _chosen(self) -> list[Asked]:
        """What a key is for: the marked cells, or the highlighted one."""
        cells = self._marked or ({self._here} if self._here is not None else set())
        return [self._asked[cell] for cell in sorted(cells, key=self._cell_at) if cell in self._asked]

    def _cell_at(self, cell: Cell) -> tuple[int, int]:
        return self._rows.index(cell[0]), self._columns.index(cell[1])

    # -- going ---------------------------------------------------------------------------------------------------------

    def action_area(self) -> None:
        """List one area only, or all."""
        inputs = self.state.inputs
        if inputs is None:
            return
        areas: dict[str, set[str]] = {}
        for (item, _), asked in self._asked.items():
            areas.setdefault(asked.area, set()).add(item)
        lines = [(area, line(area, (f"  {words.count(len(items), 'question')}", DIM))) for area, items in areas.items()]

        def chosen(area: str) -> None:
            self._area = area or None
            self._list(inputs)

        self.ask(Pick("Which area?", [("", text("All", "bold")), *lines], self._area or ""), chosen)

    def action_open(self) -> None:
        """Go to the question of the highlighted cell."""
        cell = self._here
        if cell is not None and self.is_current:
            self.app.pop_screen()
            self.interlock.ask_questions(cell[1], cell[0])

    def action_back(self) -> None:
        """Back to the section below; pressed twice, the second time does nothing."""
        if self.is_current:
            self.app.pop_screen()


def _cut(shown: str, width: int, lines: int, style: str = "") -> Text:
    """Text in so many lines at most, cut with an ellipsis: there may be no room at all."""
    return Text(_wrapped(shown, width, lines), style, no_wrap=True, overflow="crop", end="")


@lru_cache(maxsize=4_096)
def _wrapped(shown: str, width: int, lines: int) -> str:
    """At five hundred organisations 36,000 cells say a few hundred things; to wrap each took half of the drawing."""
    wrapped = [part.plain.rstrip() for part in Content(shown).wrap(width)] or [""]
    if len(wrapped) > lines:
        rest = " ".join(wrapped[lines - 1 :])
        wrapped = [*wrapped[: lines - 1], Content(rest).truncate(width, ellipsis=True).plain]
    return "\n".join(wrapped)
