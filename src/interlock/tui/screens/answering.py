"""Answering the question that is shown: what is chosen, typed or noted becomes a response, or stays as a draft."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on

from interlock.model.base import Status
from interlock.model.errors import InterlockError
from interlock.model.questionnaire import ItemType, Response
from interlock.tui.screens.dialogs import AskText
from interlock.tui.screens.section import Section
from interlock.tui.state import Answer, Key
from interlock.tui.widgets.question_form import QuestionForm

if TYPE_CHECKING:
    from interlock.usecases.answer import Raw
    from interlock.usecases.questions import Asked


@dataclass(frozen=True)
class Draft:
    """What was typed to a question and is not a valid answer (yet)."""

    typed: str
    error: InterlockError


class Answering(Section):
    """A section with a :class:`QuestionForm`; which question it shows is the subclass's matter."""

    def __init__(self) -> None:
        super().__init__()
        self._scope = "product"
        self._drafts: dict[Key, Draft] = {}
        self._on_form: Key | None = None

    @property
    @abstractmethod
    def _current(self) -> Asked | None:
        """The question on the form."""

    @abstractmethod
    def _again(self) -> None:
        """Draw anew without a change of the app's state."""

    @abstractmethod
    def action_step(self, step: int) -> None:
        """Another question."""

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
        """Ask for the reason, then say that the question does not apply, unless it always does."""
        asked = self._current
        if asked is None:
            return
        if asked.item.na == "never":
            self.notify("This question always applies. u says that its answer is not known yet.", markup=False)
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
