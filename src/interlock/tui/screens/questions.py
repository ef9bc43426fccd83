"""Questions, one at a time: a list on the left, the question on the right, the score at the foot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static, TextArea

from interlock.model.base import Status
from interlock.model.text import plain
from interlock.tui.keys import bindings, key_of, keyed
from interlock.tui.page import ACCENT, DIM, STATUS, WARN, Page, line, text
from interlock.tui.progress import KINDS, QuestionFilter, count, question_rows, questions, scope_line, settled
from interlock.tui.question_help import draw_question_help
from interlock.tui.screens.answering import Answering
from interlock.tui.screens.matrix import MatrixPage
from interlock.tui.screens.search import Entry, Search
from interlock.tui.screens.section import Pick
from interlock.tui.state import State
from interlock.tui.widgets.fields import Choices
from interlock.tui.widgets.question_form import QuestionForm, Shown
from interlock.tui.widgets.rows import Column, Rows
from interlock.tui.widgets.standing import ScoreLine

if TYPE_CHECKING:
    from interlock.usecases.load import Inputs
    from interlock.usecases.questions import Asked

#: What else there is for a question: the foot has room for six keys.
_TOOLS = (
    "{questions.evidence} evidence  {questions.pieces} pieces  {questions.note} note  {questions.scope} who  "
    "{questions.list} list  {questions.find} find  {questions.table} table  {app.undo} undo"
)
_COLUMNS = (Column("", 1), Column("Question", 20, grow=1))


class QuestionsSection(Answering):
    """The section of the questions: those of the product, then of each organisation."""

    MODE = "questions"
    ABOUT = (
        "One question at a time. Its number takes an answer, or the arrows and Enter: it is saved at once, and the "
        "score at the foot moves. Enter on what is taken already goes on to the next question. Say how you know it "
        "(evidence), and leave a note for the next reader. The product's questions are asked once; each organisation "
        "has its own: {questions.scope} switches between them. {questions.worth} goes to the question that settles "
        "most. {questions.filter} lists only some, {questions.find} finds words, {questions.area} goes to an area, "
        "{questions.table} shows all organisations in one table. Numbers go to sections only after {app.go} here."
    )
    INITIAL_FOCUS = "#choices"
    PANELS = {"#form": "Question", "#question-list": "Questions"}
    NUMBERED = False
    BINDINGS = bindings("questions")

    def __init__(self) -> None:
        super().__init__()
        self._item: str | None = None
        self._asked: tuple[Asked, ...] = ()
        self._asked_of: tuple[str, Inputs] | None = None
        self._drawn: tuple[object, ...] = ()
        self._filter = QuestionFilter()
        self._foot = ""  # what stands below the form

    def body(self) -> ComposeResult:
        """List beside form, score below."""
        with Horizontal(classes="sides"):
            with Vertical(id="question-list", classes="panel"):
                yield Static("", id="scope", markup=False)
                yield Rows(_COLUMNS, id="questions", empty="No questions are asked here.", head=False)
            yield QuestionForm()
        yield ScoreLine(id="score-line")

    # -- showing --------------------------------------------------------------------------------------------------

    def show(self, old: State | None, new: State) -> None:
        """Draw what changed: the list and the question with the inputs, the score with the judgement."""
        if new.inputs is None:
            return
        if self._scope != "product" and new.organization(self._scope) is None:
            self._scope, self._item = "product", None
        if self._asked_of is None or self._asked_of[0] != self._scope or self._asked_of[1] is not new.inputs:
            self._asked_of = (self._scope, new.inputs)
            self._asked = questions(new.inputs, self._scope)
        if self._item not in {asked.item.id for asked in self._asked}:
            still_open = (asked for asked in self._asked if asked.status is Status.UNANSWERED)
            first = next(still_open, next(iter(self._asked), None))
            self._item = first.item.id if first else None
        self._show_list(new)
        self._show_form(new)
        self.query_one(ScoreLine).show(old, new, self._scope)

    def _show_list(self, state: State) -> None:
        table = self.query_one("#questions", Rows)
        with self.prevent(Rows.Moved):
            contradictions = state.assessment.contradictions if state.assessment else ()
            failed = tuple(entry.answer.key for entry in state.unsaved)
            here = self._item if self._filter.is_set else None
            basis = (self._asked, contradictions, failed, self._filter, here)
            if basis != self._drawn:  # drawing a long list anew for nothing would delay the score
                self._drawn = basis
                self.query_one("#scope", Static).update(self._list_head(state), layout=False)
                table.set_rows(question_rows(self._listed(), state, self._asked))
            if self._item is not None:
                table.select(self._item)

    def _list_head(self, state: State) -> Content:
        """The line above the list: whose questions, how many are settled, and which filter is on."""
        counts = count(self._asked)
        parts = [(state.name_of(self._scope), "bold"), (f"  {settled(counts)} of {counts.total()}", DIM)]
        if self._filter.is_set:
            shown = len(self._listed())
            parts += [
                (f"  {shown} {self._filter.summary}", f"bold {WARN}"),
                (f"  {key_of('questions.clear')} clears", ACCENT),
            ]
        else:
            parts += [(f"  {key_of('questions.scope')}", ACCENT), (" switches", DIM)]
        return line(*parts)

    def _listed(self) -> tuple[Asked, ...]:
        """The questions that the filter takes, and the question on the form: answering it does not make it vanish."""
        taken = {asked.item.id for asked in self._filter.among(self._asked, self.state, self.interlock.author)}
        return tuple(asked for asked in self._asked if asked.item.id == self._item or asked.item.id in taken)

    def _show_form(self, state: State) -> None:
        index = self._index()
        form = self.query_one(QuestionForm)
        form.set_class(index is None, "-none")
        only = f"only those {self._filter.summary}; {{questions.clear}} lists all" if self._filter.is_set else _TOOLS
        if only != self._foot:  # to write it, even the same again, would draw the whole form
            self._foot = only
            form.border_subtitle = text(keyed(only))
        if index is None:
            return
        asked = self._asked[index]
        key = (self._scope, asked.item.id)
        draft = self._drafts.get(key)
        form.show(
            Shown(
                asked,
                index + 1,
                len(self._asked),
                state.name_of(self._scope),
                state.inputs.today if state.inputs else date.today(),
                self._proposed,
                waiting.error if (waiting := state.waiting.get(key)) else None,
                state.disputes.get(key),
                state.contradiction(self._scope, asked.item.id),
                state.worth_of(self._scope, asked.item.id),
            ),
            fresh=key != self._on_form,
            draft=draft.typed if draft else None,
        )
        if key != self._on_form and draft is not None:
            form.error(draft.error)
        if key != self._on_form:
            self._on_form = key
            self.refresh_bindings()

    def _index(self) -> int | None:
        return next((index for index, asked in enumerate(self._asked) if asked.item.id == self._item), None)

    @property
    def _current(self) -> Asked | None:
        index = self._index()
        return self._asked[index] if index is not None else None

    def _question(self, scope: str, item: str) -> Asked | None:
        inputs = self.state.inputs
        if inputs is None or (scope != "product" and self.state.organization(scope) is None):
            return None
        return next((asked for asked in questions(inputs, scope) if asked.item.id == item), None)

    # -- going ----------------------------------------------------------------------------------------------------

    def go_to(self, scope: str, item: str | None = None) -> None:
        """Show a scope's questions, at the named question or else at the first without an answer."""
        self.commit()
        self._scope, self._item = scope, item
        self._again()

    @property
    def position(self) -> tuple[str, str | None]:
        """Whose question is shown, and which."""
        return self._scope, self._item

    def _again(self) -> None:
        """Draw anew without a change of the app's state."""
        if self.state.inputs is not None:
            self.remove_class("-listing")
            self.show(self.state, self.state)

    def action_step(self, step: int) -> None:
        """The next or previous question of this scope."""
        self.commit()
        listed = self._listed()
        index = next((index for index, asked in enumerate(listed) if asked.item.id == self._item), None)
        if index is None:
            return
        if not 0 <= index + step < len(listed):
            which = "last" if step > 0 else "first"
            more = keyed(
                "{questions.clear} lists all"
                if self._filter.is_set
                else "{questions.next-open} goes to the next open one, {questions.scope} switches"
            )
            self.notify(f"This is the {which} question here. {more}.", markup=False)
            return
        self._item = listed[index + step].item.id
        self._again()

    def action_next_open(self) -> None:
        """Go to the next question without an answer: after this one, before it, then in the scopes that follow."""
        self.commit()
        inputs = self.state.inputs
        if inputs is None:
            return
        index = self._index() or 0
        here = [*self._asked[index + 1 :], *self._asked[: index + 1]]
        scopes = self._scopes()
        here_at = self._index_in(scopes)
        candidates: list[Sequence[Asked]] = [here]
        candidates += [questions(inputs, scope) for scope in (*scopes[here_at + 1 :], *scopes[:here_at])]
        for asked in (asked for group in candidates for asked in group):
            if asked.status is Status.UNANSWERED:
                self._scope, self._item = asked.scope, asked.item.id
                self._again()
                return
        self.notify("Every question has an answer.", title="Done", markup=False)

    def action_worth(self) -> None:
        """Go to the open question that settles most."""
        self.commit()
        self.interlock.ask_next()

    # -- which are listed -----------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        """List only some questions."""
        options = []
        for kind, label in KINDS.items():
            taken = QuestionFilter(kind).among(self._asked, self.state, self.interlock.author)
            options.append((kind, line((f"{len(taken):>4}  ", DIM), label)))
        dialog = Pick("Which questions?", options, self._filter.kind)
        self.ask(dialog, lambda kind: self._list_only(QuestionFilter(kind)))

    def action_find(self) -> None:
        """Find a question of any scope by its words, its answer or its id, and go there."""
        inputs = self.state.inputs
        if inputs is None:
            return
        self.commit()
        names = self.state.names | {"product": self.state.name_of("product")}
        entries = [
            Entry(f"{scope}\n{asked.item.id}", _searched(asked), partial(_found, asked, names[scope]))
            for scope in self._scopes()
            for asked in questions(inputs, scope)
        ]
        dialog = Search("Find a question", "words of the question, its help, its answer, a note, or an id", entries)
        self.ask(dialog, lambda position: self.go_to(*position.split("\n")))

    def action_clear(self) -> None:
        """List every question."""
        self._list_only(QuestionFilter())

    def _list_only(self, chosen: QuestionFilter) -> None:
        """List the questions that the filter takes, and go to the first."""
        self.commit()
        self._filter = chosen
        taken = [asked.item.id for asked in chosen.among(self._asked, self.state, self.interlock.author)]
        if taken and self._item not in taken:
            self._item = taken[0]
        elif not taken:
            self.notify(f"No question here {chosen.summary}.", markup=False)
            self._filter = QuestionFilter()
        self._again()

    def action_area(self) -> None:
        """Jump to an area: its first question without an answer, or its first one."""
        areas: dict[str, list[Asked]] = {}
        for asked in self._asked:
            areas.setdefault(asked.area, []).append(asked)
        options = []
        for area, questions_there in areas.items():
            counts = count(questions_there)
            options.append((area, line((f"{settled(counts):>3} of {counts.total():<3}  ", DIM), area)))
        current = self._current

        def chosen(area: str) -> None:
            opened = [asked for asked in areas[area] if asked.status is Status.UNANSWERED]
            self.go_to(self._scope, (opened or areas[area])[0].item.id)

        self.ask(Pick("Which area?", options, current.area if current else None), chosen)

    # -- whose ----------------------------------------------------------------------------------------------------

    def _scopes(self) -> list[str]:
        organizations = self.state.inputs.organizations if self.state.inputs else ()
        return ["product", *(org.id for org in organizations)]

    def _index_in(self, scopes: Sequence[str]) -> int:
        return scopes.index(self._scope) if self._scope in scopes else 0  # its organisation may be gone

    def action_scope(self) -> None:
        """Choose whose questions to answer."""
        inputs = self.state.inputs
        if inputs is None:
            return
        choices = [(scope, scope_line(self.state, inputs, scope)) for scope in self._scopes()]
        dialog = Pick("Whose questions?", choices, self._scope)
        self.ask(dialog, self.go_to)

    def action_scope_step(self, step: int) -> None:
        """Go to the scope before or after this one."""
        scopes = self._scopes()
        self.go_to(scopes[(self._index_in(scopes) + step) % len(scopes)])

    def action_matrix(self) -> None:
        """Every organisation's questions in one table, at this one."""
        self.commit()
        self.app.push_screen(MatrixPage(self._item, self._scope))

    def action_list(self) -> None:
        """Focus the list; on a narrow screen the list takes the form's place until the key is pressed again."""
        self.toggle_class("-listing")
        if self.has_class("-listing") or not self.has_class("-narrow"):
            self.query_one("#questions", Rows).options.focus()
        else:
            self.query_one(QuestionForm).focus_answer()

    def explain(self, page: Page) -> None:
        """What the question asks and what its answer is for, and then the screen."""
        if self._current is not None:
            draw_question_help(page, self._current, self.state)
            page.heading("This screen")
        super().explain(page)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leaving is offered where there is something to leave, confirming where something is proposed."""
        if action == "leave":
            return isinstance(self.focused, (Input, TextArea)) or self.has_class("-listing")
        if action == "confirm":
            return self._proposed is not None
        return True

    def action_choose(self, number: int) -> None:
        """Choose the answer of this number."""
        self.query_one(Choices).take(number)

    def action_leave(self) -> None:
        """Out of a field, back to the choices."""
        self.remove_class("-listing")
        self.query_one(QuestionForm).focus_answer()

    @on(Rows.Chosen, "#questions")
    def _picked(self, event: Rows.Chosen) -> None:
        self.commit()
        self._item = event.key
        self._again()
        self.query_one(QuestionForm).focus_answer()


def _searched(asked: Asked) -> str:
    """What is looked through for words."""
    note = asked.response.note or "" if asked.response is not None else ""
    return f"{asked.text}\n{asked.item.help or ''}\n{asked.item.id}\n{asked.shown_answer()}\n{note}".casefold()


def _found(asked: Asked, whose: str) -> Content:
    sign = STATUS[asked.status]
    return line((sign.glyph, sign.style), (f" {plain(whose, 24)}  ", DIM), plain(asked.text, 200))
