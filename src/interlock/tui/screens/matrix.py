"""Every organisation's questions in one table: answered one by one, many at once, or as another organisation did."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import DataTable

from interlock.model import words
from interlock.model.base import Scope, Status
from interlock.model.choices import Choice, choices_of
from interlock.model.errors import InterlockError
from interlock.model.response import Response
from interlock.model.text import plain
from interlock.tui.page import ACCENT, DIM, STATUS, Page, text
from interlock.tui.progress import questions
from interlock.tui.screens.section import AskText, Pick, Section
from interlock.tui.state import Answer, State
from interlock.tui.widgets.flow import Flow

if TYPE_CHECKING:
    from interlock.usecases.answer import Raw
    from interlock.usecases.questions import Asked

#: Cells that a question and an answer take.
_QUESTION, _ANSWER = 34, 20
#: One cell: a question's id and an organisation's.
Cell = tuple[str, str]


class MatrixPage(Section):
    """The page of all organisations' questions, on top of the section from which it was opened."""

    TITLE = "Matrix"
    ABOUT = (
        "One question a row, one organisation a column. Enter answers the highlighted cell, or every marked one of its "
        "row. Space marks a cell, a its row, c its column; s fills the marked cells as another organisation answered, "
        "y takes over what is proposed for all of them. Whatever one key changes, one ctrl+z takes back."
    )
    INITIAL_FOCUS = "#matrix"
    PANELS = {"#matrix-panel": "Organisations' questions"}
    BINDINGS = [
        Binding("escape", "back", "Back", tooltip="Back to the questions"),
        Binding("space", "mark", "Mark", tooltip="Mark the cell, or take its mark away"),
        Binding("a", "mark_row", "Row", tooltip="Mark every organisation of this question"),
        Binding("c", "mark_column", "Column", tooltip="Mark every question of this organisation"),
        Binding("x", "unmark", "Unmark", show=False, tooltip="Take all marks away"),
        Binding("s", "same_as", "Same as", tooltip="Fill the marked cells as another organisation answered"),
        Binding("y", "confirm", "Confirm", tooltip="Take over what is proposed for every organisation"),
        Binding("u", "unknown", "Unknown", show=False, tooltip="Say that the answers are not known yet"),
        Binding("delete", "take_back", "Take back", show=False, tooltip="Take the answers back"),
        Binding("o", "open", "Open", show=False, tooltip="Go to the question of the highlighted cell"),
    ]

    def __init__(self, item: str | None = None, org: str | None = None) -> None:
        """``item`` and ``org``: the cell that is highlighted first."""
        super().__init__()
        self._first = item, org
        self._asked: dict[Cell, Asked] = {}
        self._rows: list[str] = []
        self._columns: list[str] = []
        self._drawn: dict[Cell, Text] = {}
        self._marked: set[Cell] = set()

    def body(self) -> ComposeResult:
        """What is highlighted above the table."""
        with Vertical():
            yield Flow(id="cell")
            with Vertical(classes="panel", id="matrix-panel"):
                yield DataTable[Text](id="matrix", fixed_columns=1, cursor_foreground_priority="renderable")

    @property
    def _table(self) -> DataTable[Text]:
        return self.query_one("#matrix", DataTable)

    def show(self, old: State | None, new: State) -> None:
        """Draw what changed: the whole table when questions or organisations did, else single cells."""
        inputs = new.inputs
        if inputs is None or (old is not None and old.inputs is inputs):
            return
        columns = [org.id for org in inputs.organizations]
        by_org = {org: {asked.item.id: asked for asked in questions(inputs, org)} for org in columns}
        rows = [
            item.id
            for questionnaire in inputs.content.questionnaires
            for item in questionnaire.questions()
            if item.scope is Scope.ORG and any(item.id in asked for asked in by_org.values())
        ]
        self._asked = {(item, org): asked for org, entries in by_org.items() for item, asked in entries.items()}
        if (rows, columns) != (self._rows, self._columns):
            self._rows, self._columns = rows, columns
            self._build(new)
        else:
            self._update()
        self._tell()

    def _build(self, state: State) -> None:
        table, (item, org) = self._table, self._first
        table.clear(columns=True)
        self._marked &= self._asked.keys()
        table.add_column(_one_line("Question"), width=_QUESTION, key="")
        for column in self._columns:
            table.add_column(_one_line(plain(state.name_of(column), _ANSWER)), width=_ANSWER, key=column)
        self._drawn = {(row, column): self._cell((row, column)) for row in self._rows for column in self._columns}
        contents = state.inputs.content.items if state.inputs else {}
        for row in self._rows:
            question = _one_line(_short(contents[row].text, _QUESTION))
            table.add_row(question, *(self._drawn[row, column] for column in self._columns), key=row)
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
            return _one_line("–", "dim")
        said = asked.shown_answer() if asked.response is not None and asked.response.value is not None else ""
        shown = _short(f"{STATUS[asked.status].glyph} {plain(said, 100)}".strip(), _ANSWER - 2)
        marked = cell in self._marked
        return _one_line(f"▪ {shown}" if marked else f"  {shown}", "bold" if marked else "")

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
                page.para(asked.text, "bold")
                said = plain(asked.shown_answer(), 300)
                page.line((f"{state.name_of(cell[1])}  ", ACCENT), said)
            marked = f"{words.count(len(self._marked), 'cell')} marked: Enter, s, y, u or Delete is for all of them."
            page.para(marked if self._marked else "", DIM)

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

    def action_unmark(self) -> None:
        """Take all marks away."""
        self._mark(tuple(self._marked))

    @property
    def _chosen(self) -> list[Asked]:
        """What a key is for: the marked cells, or the highlighted one."""
        cells = self._marked or ({self._here} if self._here is not None else set())
        return [self._asked[cell] for cell in sorted(cells, key=self._place) if cell in self._asked]

    def _place(self, cell: Cell) -> tuple[int, int]:
        return self._rows.index(cell[0]), self._columns.index(cell[1])

    # -- answering ------------------------------------------------------------------------------------------------

    @on(DataTable.CellSelected)
    def _answer(self) -> None:
        """Answer the highlighted cell, or the marked ones of one question."""
        chosen = self._chosen
        if not chosen:
            return
        if len({asked.item.id for asked in chosen}) > 1:
            self.notify("The marked cells are of several questions: s fills them as another organisation answered.")
            return
        item = chosen[0].item
        choices = {f"{choice.kind}:{choice.value}": choice for choice in choices_of(item)}
        whose = self.state.name_of(chosen[0].scope) if len(chosen) == 1 else f"{len(chosen)} organisations"
        lines = [(key, text(choice.label)) for key, choice in choices.items()]
        self.ask(
            Pick(f"{plain(item.text, 300)} ({plain(whose, 80)})", lines), lambda key: self._choose(chosen, choices[key])
        )

    def _choose(self, chosen: list[Asked], choice: Choice) -> None:
        item = chosen[0].item
        if choice.kind == "typed":
            self.ask(
                AskText("The answer", item.text, check=lambda typed: self._made(chosen, typed)),
                lambda typed: self._give(chosen, partial(self._one, raw=typed)),
            )
        elif choice.value == Status.NOT_APPLICABLE.value:
            exempt = partial(self._one, raw=None, status=Status.NOT_APPLICABLE)
            self.ask(
                AskText("Why does this not apply?", item.text, check=lambda reason: exempt(chosen[0], reason=reason)),
                lambda reason: self._give(chosen, partial(exempt, reason=reason)),
            )
        elif choice.kind == "status":
            self.action_unknown()
        else:
            several = item.type.value == "multi_choice"
            self._give(chosen, partial(self._one, raw=[choice.value] if several else choice.value))

    def _made(self, chosen: list[Asked], typed: str) -> None:
        for asked in chosen:
            self._one(asked, raw=typed)

    def _one(
        self, asked: Asked, *, raw: Raw | None, status: Status = Status.ANSWERED, reason: str | None = None
    ) -> Response | None:
        """The answer of one cell; what was said beside an earlier answer stays only where it is the same."""
        from interlock.usecases.answer import make_response

        return make_response(asked.item, raw, status=status, reason=reason, by=self.interlock.author)

    def _give(self, chosen: list[Asked], make: Callable[[Asked], Response | None]) -> None:
        """Answer all of these, as one step."""
        try:
            made = [(asked, make(asked)) for asked in chosen]
        except InterlockError as error:
            self.notify(plain(error, 400), severity="warning", markup=False)
            return
        answers = [
            Answer(asked.scope, asked.item.id, response, asked.response)
            for asked, response in made
            if response is not None or asked.response is not None
        ]
        if not answers:
            return
        over = sum(answer.before is not None for answer in answers)
        self.interlock.answer(*answers)
        if over:
            told = f"{words.count(over, 'answer')} {'was' if over == 1 else 'were'} there before"
            self.notify(f"{told}, with evidence and note: ctrl+z brings back what was.", markup=False)

    def action_unknown(self) -> None:
        """Say that the answers are not known yet."""
        self._give(self._chosen, partial(self._one, raw=None, status=Status.UNKNOWN))

    def action_take_back(self) -> None:
        """Make the questions open again."""
        self._give(self._chosen, lambda _: None)

    def action_same_as(self) -> None:
        """Fill the marked cells as another organisation answered; its evidence and notes stay its own."""
        chosen = self._chosen
        others = [org for org in self._columns if any(asked.scope != org for asked in chosen)]
        if not chosen or not others:
            self.notify("There is no other organisation to take answers from.")
            return
        lines = [(org, text(self.state.name_of(org))) for org in others]
        self.ask(Pick("Answer as which organisation did?", lines), lambda org: self._fill(chosen, org))

    def _fill(self, chosen: list[Asked], source: str) -> None:
        taken = [
            asked
            for asked in chosen
            if asked.scope != source
            and (given := self._asked.get((asked.item.id, source))) is not None
            and given.status in {Status.ANSWERED, Status.NOT_APPLICABLE}
        ]
        if not taken:
            self.notify(f"{plain(self.state.name_of(source), 80)} answered none of these.", markup=False)
            return

        def same(asked: Asked) -> Response | None:
            given = self._asked[asked.item.id, source].response
            assert given is not None  # or it would not be among what is taken
            value = list(given.value) if isinstance(given.value, tuple) else given.value
            return self._one(asked, raw=value, status=given.status, reason=given.reason)

        self._give(taken, same)

    def action_confirm(self) -> None:
        """Take over what is proposed for every organisation, in the marked cells or wherever nobody answered."""
        from interlock.usecases.answer import confirmed, proposal_at

        inputs = self.state.inputs
        if inputs is None:
            return
        among = self._chosen if self._marked else list(self._asked.values())
        proposed = [asked for asked in among if proposal_at(inputs, asked.scope, asked.item) is not None]
        answers = [
            Answer(change.scope, change.item, change.response, change.before)
            for asked in proposed
            for change in confirmed(inputs, asked.item, [asked.scope], self.interlock.author)
        ]
        if answers:
            self.interlock.answer(*answers)
        else:
            self.notify("Nothing is proposed here that somebody has not answered already.")

    # -- going ----------------------------------------------------------------------------------------------------

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


def _one_line(shown: str, style: str = "") -> Text:
    """Text that is cut and never wrapped: there may be no room at all."""
    return Text(shown, style, no_wrap=True, overflow="crop", end="")


def _short(shown: str, width: int) -> str:
    return shown if len(shown) <= width else f"{shown[: width - 1].rstrip()}…"
