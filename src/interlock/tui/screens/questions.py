"""Questions, one at a time: a list on the left, the question on the right, the score at the foot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from interlock.model.base import Status
from interlock.model.errors import InterlockError
from interlock.model.questionnaire import ItemType, Response
from interlock.tui.page import line
from interlock.tui.progress import count
from interlock.tui.question_rows import question_rows, questions, scope_line
from interlock.tui.screens.dialogs import AskText, Pick
from interlock.tui.screens.section import Section
from interlock.tui.state import Answer, Key, State
from interlock.tui.widgets.question_form import QuestionForm, Shown
from interlock.tui.widgets.rows import Column, Rows
from interlock.tui.widgets.score_line import ScoreLine
from interlock.tui.words import ACCENT, DIM

if TYPE_CHECKING:
    from interlock.usecases.answer import Raw
    from interlock.usecases.questions import Asked

_COLUMNS = (Column("", 1), Column("Question", 20, grow=1))


@dataclass(frozen=True)
class Draft:
    """What was typed to a question and is not a valid answer (yet)."""

    typed: str
    error: InterlockError


class QuestionsSection(Section):
    """Walk through the questions of the product, then of each organisation."""

    MODE = "questions"
    TITLE = "Questions"
    ABOUT = (
        "One question at a time. The arrows move between the choices and Enter takes one: it is saved at once, and the "
        "score at the foot moves. Enter on what is taken already goes on to the next question. Say how you know it "
        "(evidence), and leave a note for the next reader. The product's questions are asked once; each organisation "
        "has its own: s switches between them."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "step(1)", "Next", tooltip="The question after this one"),
        Binding("p", "step(-1)", "Prev", tooltip="The question before this one"),
        Binding("o", "next_open", "Open", tooltip="The next question without an answer, here or in the next scope"),
        Binding("u", "unknown", "Unknown", tooltip="Say that the answer is not known yet"),
        Binding("x", "not_applicable", "N/A", tooltip="Say that the question does not apply, and why"),
        Binding("e", "evidence", "Evidence", show=False, tooltip="Asserted, documented or observed"),
        Binding("m", "note", "Note", show=False, tooltip="Write a note"),
        Binding("s", "scope", "Who", tooltip="Whose questions: the product's or an organisation's"),
        Binding("left_square_bracket", "scope_step(-1)", "Previous scope", key_display="[", show=False),
        Binding("right_square_bracket", "scope_step(1)", "Next scope", key_display="]", show=False),
        Binding("l", "list", "List", tooltip="Go to the list of questions"),
        Binding("delete", "take_back", "Take back", show=False, tooltip="Take the answer back"),
        Binding("escape", "leave", "Leave the field", tooltip="Out of a field or the list, back to the choices"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._scope = "product"
        self._item: str | None = None
        self._asked: tuple[Asked, ...] = ()
        self._drafts: dict[Key, Draft] = {}
        self._on_form: Key | None = None

    def body(self) -> Iterable[Widget]:
        """List beside form, score below."""
        with Horizontal(classes="sides"):
            with Vertical(id="question-list", classes="panel"):
                yield Static("", id="scope", markup=False)
                yield Rows(_COLUMNS, id="questions", empty="No questions are asked here.", head=False)
            yield QuestionForm()
        yield ScoreLine(id="score-line")

    def on_mount(self) -> None:
        """The form has the focus once there is a question."""
        self.query_one("#form").border_title = "Question"
        self.query_one("#question-list").border_title = "Questions"

    def first(self) -> Widget:
        """What has the focus when the section opens."""
        return self.query_one("#choices")

    # -- showing --------------------------------------------------------------------------------------------------

    def show(self, old: State | None, new: State) -> None:
        """Draw what changed: the list and the question with the inputs, the score with the judgement."""
        if new.inputs is None:
            return
        if self._scope != "product" and new.organization(self._scope) is None:
            self._scope, self._item = "product", None
        self._asked = questions(new.inputs, self._scope)
        if self._item not in {asked.item.id for asked in self._asked}:
            self._item = self._first()
        self._show_list(new)
        self._show_form(new)
        self.query_one(ScoreLine).show(old, new, self._scope)

    def _first(self) -> str | None:
        still_open = [asked for asked in self._asked if asked.status is Status.UNANSWERED]
        chosen = still_open or list(self._asked)
        return chosen[0].item.id if chosen else None

    def _show_list(self, state: State) -> None:
        counts = count(self._asked)
        self.query_one("#scope", Static).update(
            line((state.name_of(self._scope), "bold"), (f"  {counts.settled} of {counts.total}", DIM), ("  s", ACCENT))
        )
        table = self.query_one("#questions", Rows)
        with self.prevent(Rows.Moved):
            table.set_rows(question_rows(self._asked, state))
            if self._item is not None:
                table.select(self._item)

    def _show_form(self, state: State) -> None:
        index = self._index()
        form = self.query_one(QuestionForm)
        form.set_class(index is None, "-none")
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
                waiting.error if (waiting := state.waiting.get(key)) else None,
                state.contradiction(self._scope, asked.item.id),
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

    # -- going ----------------------------------------------------------------------------------------------------

    def go_to(self, scope: str, item: str | None = None) -> None:
        """Show the questions of a scope, at one of them if it is named, else at the first open one."""
        self.commit()
        self._scope, self._item = scope, item
        self._again()

    def _again(self) -> None:
        """Draw anew without a change of the app's state."""
        if self.state.inputs is not None:
            self.remove_class("-listing")
            self.show(self.state, self.state)

    def action_step(self, step: int) -> None:
        """The next or previous question of this scope."""
        self.commit()
        index = self._index()
        if index is None:
            return
        if not 0 <= index + step < len(self._asked):
            which = "last" if step > 0 else "first"
            self.notify(f"This is the {which} question here. o goes to the next open one, s switches.", markup=False)
            return
        self._item = self._asked[index + step].item.id
        self._again()

    def action_next_open(self) -> None:
        """The next question without an answer: after this one, before it, then in the scopes that follow."""
        self.commit()
        inputs = self.state.inputs
        if inputs is None:
            return
        index = self._index() or 0
        here = [*self._asked[index + 1 :], *self._asked[: index + 1]]
        scopes = self._scopes()
        place = scopes.index(self._scope)
        candidates: list[Sequence[Asked]] = [here]
        candidates += [questions(inputs, scope) for scope in (*scopes[place + 1 :], *scopes[:place])]
        for asked in (asked for group in candidates for asked in group):
            if asked.status is Status.UNANSWERED:
                self._scope, self._item = asked.scope, asked.item.id
                self._again()
                return
        self.notify("Every question has an answer.", title="Done", markup=False)

    def _scopes(self) -> list[str]:
        organizations = self.state.inputs.organizations if self.state.inputs else ()
        return ["product", *(org.id for org in organizations)]

    def action_scope(self) -> None:
        """Choose whose questions to answer."""
        inputs = self.state.inputs
        if inputs is None:
            return
        choices = [(scope, scope_line(self.state, inputs, scope)) for scope in self._scopes()]
        dialog = Pick("Whose questions?", choices, self._scope)
        self.app.push_screen(dialog, lambda scope: self.go_to(scope) if scope else None)

    def action_scope_step(self, step: int) -> None:
        """The scope before or after this one."""
        scopes = self._scopes()
        self.go_to(scopes[(scopes.index(self._scope) + step) % len(scopes)])

    def action_list(self) -> None:
        """Into the list; where the screen is narrow it takes the form's place, and a second time gives it back."""
        self.toggle_class("-listing")
        if self.has_class("-listing") or not self.has_class("-narrow"):
            self.query_one("#questions", Rows).take_focus()
        else:
            self.query_one(QuestionForm).focus_answer()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leaving is offered where there is something to leave, not applicable where the question allows it."""
        if action == "leave":
            return isinstance(self.focused, (Input, TextArea)) or self.has_class("-listing")
        if action == "not_applicable":
            return self._current is None or self._current.item.na != "never"
        return True

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

    # -- answering ------------------------------------------------------------------------------------------------

    @on(QuestionForm.Chose)
    def _chose(self, event: QuestionForm.Chose) -> None:
        asked = self._current
        if asked is None:
            return
        choice = event.choice
        if choice.kind == "typed":
            self.query_one(QuestionForm).focus_typed()
        elif choice.kind == "status":
            if choice.value == Status.UNKNOWN.value and not event.again:
                self.action_unknown()
            elif choice.value == Status.NOT_APPLICABLE.value:
                self.action_not_applicable()
            else:
                self.action_step(1)
        elif asked.item.type is ItemType.MULTI_CHOICE:
            self._toggle(asked, choice.value)
        elif event.again:
            self.action_step(1)
        else:
            self._give(asked, choice.value)

    def _toggle(self, asked: Asked, value: str) -> None:
        taken = asked.response.value if asked.response is not None else None
        values = list(taken) if isinstance(taken, tuple) else []
        option = asked.item.option(value)
        if value in values:
            values.remove(value)
        elif option is not None and option.exclusive:
            values = [value]
        else:
            exclusive = {other.value for other in asked.item.options if other.exclusive}
            values = [other for other in values if other not in exclusive] + [value]
        if values:
            self._give(asked, values)
        else:
            self._record(asked, None)

    @on(QuestionForm.Typed)
    def _typed(self, event: QuestionForm.Typed) -> None:
        asked = self._current
        if asked is None or self._on_form != (self._scope, asked.item.id):
            return
        given = self._take_typed(asked, event.value)
        if event.submitted and not given and asked.response is not None and not self._draft_of(asked):
            self.action_step(1)

    def _draft_of(self, asked: Asked) -> Draft | None:
        return self._drafts.get((self._scope, asked.item.id))

    def _take_typed(self, asked: Asked, value: str) -> bool:
        """Make an answer of what is typed; true when it is a new one. What is not valid stays as a draft."""
        known = asked.response.value if asked.response is not None else None
        if not value.strip() or value.strip() == str(known if known is not None else ""):
            self._drafts.pop((self._scope, asked.item.id), None)
            self.query_one(QuestionForm).error(None)
            return False
        return self._give(asked, value)

    @on(QuestionForm.Detailed)
    def _detailed(self) -> None:
        asked = self._current
        if asked is None or asked.response is None or self._on_form != (self._scope, asked.item.id):
            return
        response = asked.response
        if self.query_one(QuestionForm).take_details():
            self._give(asked, response.value, status=response.status, reason=response.reason)

    def action_unknown(self) -> None:
        """Say that the answer is not known yet."""
        if self._current is not None:
            self._give(self._current, None, status=Status.UNKNOWN)

    def action_not_applicable(self) -> None:
        """Ask for the reason, then say that the question does not apply."""
        asked = self._current
        if asked is None:
            return
        from interlock.usecases.answer import make_response

        before = asked.response.reason if asked.response is not None and asked.response.reason else ""

        def given(reason: str | None) -> None:
            if reason:
                self._give(asked, None, status=Status.NOT_APPLICABLE, reason=reason)

        self.app.push_screen(
            AskText(
                "Why does this not apply?",
                asked.item.text,
                value=before,
                placeholder="one sentence that a reviewer will accept",
                check=lambda reason: make_response(asked.item, None, status=Status.NOT_APPLICABLE, reason=reason),
            ),
            given,
        )

    def action_take_back(self) -> None:
        """Make the question open again."""
        if self._current is not None and self._current.response is not None:
            self._record(self._current, None)
            self._on_form = None
            self._again()

    def action_evidence(self) -> None:
        """The next kind of evidence."""
        self.query_one(QuestionForm).cycle_evidence()

    def action_note(self) -> None:
        """Into the note."""
        self.query_one(QuestionForm).focus_note()

    def _give(
        self, asked: Asked, raw: Raw | None, *, status: Status = Status.ANSWERED, reason: str | None = None
    ) -> bool:
        from interlock.usecases.answer import make_response

        form = self.query_one(QuestionForm)
        try:
            response = make_response(
                asked.item,
                raw,
                status=status,
                evidence=form.evidence,
                note=form.note,
                reason=reason,
                evidence_url=form.link,
            )
        except InterlockError as error:
            self._drafts[(self._scope, asked.item.id)] = Draft(str(raw), error)
            form.error(error)
            return False
        form.error(None)
        form.take_details()
        self._record(asked, response)
        return True

    def _record(self, asked: Asked, response: Response | None) -> None:
        self._drafts.pop((asked.scope, asked.item.id), None)
        self.interlock.answer(Answer(asked.scope, asked.item.id, response))

    def commit(self) -> None:
        """Hand over what is typed, before going elsewhere."""
        asked = self._current
        if asked is None or self._on_form != (self._scope, asked.item.id) or not self.is_mounted:
            return
        typed = self.query_one(QuestionForm).typed
        if typed is not None:
            self._take_typed(asked, typed)
        self._detailed()
