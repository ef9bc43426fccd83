"""Answering the question that is shown: what is chosen, typed or noted becomes a response, or stays as a draft.

What is typed is saved while it is typed, a second behind at most: a terminal that is closed costs nothing.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.timer import Timer
from textual.widgets import Input, TextArea

from interlock.documents.redaction import redacted
from interlock.model import words
from interlock.model.base import Evidence, Status
from interlock.model.errors import InterlockError
from interlock.model.questionnaire import ItemType
from interlock.model.response import Response
from interlock.model.text import paragraph, plain
from interlock.tui.keys import key_of, keyed
from interlock.tui.screens.evidence import ask_evidence
from interlock.tui.screens.section import AskText, Section
from interlock.tui.state import Answer, Key
from interlock.tui.widgets.fields import Choices, Segments
from interlock.tui.widgets.question_form import QuestionForm

if TYPE_CHECKING:
    from interlock.usecases.answer import Raw
    from interlock.usecases.questions import Asked

#: Seconds after which what is being typed is saved.
KEEP_S = 1.0


@dataclass(frozen=True)
class Draft:
    """Text typed at a question that is not a valid answer (yet), and why not."""

    typed: str
    error: InterlockError


class Answering(Section):
    """A section in which questions are answered on a :class:`QuestionForm`; a subclass says which question is on it."""

    def __init__(self) -> None:
        super().__init__()
        self._scope = "product"
        self._drafts: dict[Key, Draft] = {}
        self._on_form: Key | None = None
        self._typing: Timer | None = None
        self._before: tuple[Key, Response | None] | None = None  # a question's answer before what is typed was saved

    @property
    @abstractmethod
    def _current(self) -> Asked | None:
        """The question on the form."""

    @abstractmethod
    def _question(self, scope: str, item: str) -> Asked | None:
        """A question as it is answered now."""

    @abstractmethod
    def _again(self) -> None:
        """Draw the section anew without a change of the app's state."""

    @abstractmethod
    def action_step(self, step: int) -> None:
        """Go so many questions on, or back."""

    @on(Choices.Taken)
    def _chose(self, event: Choices.Taken) -> None:
        # The answer belongs to the question that it was chosen for, even if a key has led to another one meanwhile.
        asked, choice = self._question(event.asked.scope, event.asked.item.id), event.choice
        if asked is None:
            return
        again = event.again and not _differ(asked)  # where several differ, saying the same again settles it
        if choice.kind == "typed":
            self.query_one(QuestionForm).focus_typed()
        elif choice.kind == "status":
            if choice.value == Status.UNKNOWN.value and not again:
                self._give(asked, None, status=Status.UNKNOWN)
            elif choice.value == Status.NOT_APPLICABLE.value:
                self._ask_why_not(asked)
            else:
                self.action_step(1)
        elif asked.item.type is ItemType.MULTI_CHOICE:
            self._toggle(asked, choice.value)
        elif again:
            self.action_step(1)
        else:
            self._give(asked, choice.value)

    def _is_shown(self, asked: Asked) -> bool:
        return self._on_form == (asked.scope, asked.item.id)

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
        if asked is None or not self._is_shown(event.asked) or not self._is_shown(asked):
            return
        if event.submitted and event.value.strip() and _differ(asked):
            self._give(asked, event.value)
            return
        given = self._take_typed(asked, event.value)
        invalid = (asked.scope, asked.item.id) in self._drafts
        if event.submitted and not given and asked.response is not None and not invalid:
            self.action_step(1)

    def _take_typed(self, asked: Asked, value: str, *, quiet: bool = False) -> bool:
        """Give the typed text as the answer; true when it is a new answer. An invalid text stays as a draft."""
        key = asked.scope, asked.item.id
        known = asked.response.value if asked.response is not None else None
        if not value.strip() or value.strip() == str(known if known is not None else ""):
            self._drafts.pop(key, None)
            self.query_one(QuestionForm).error(None)
            if not value.strip() and self._before is not None and self._before[0] == key:
                before, self._before = self._before[1], None  # what was saved while it was typed is deleted again
                self._say_again(asked, before)
            return False
        given = self._give(asked, value, quiet=quiet)
        if given and quiet and (self._before is None or self._before[0] != key):
            self._before = key, asked.response
        return given

    def _say_again(self, asked: Asked, response: Response | None, *, quiet: bool = False) -> None:
        """Give the same answer with the evidence, link and note on the form; without an answer these alone are kept."""
        if response is None:
            self._give(asked, None, status=Status.UNANSWERED, quiet=quiet)
        else:
            self._give(
                asked, response.value, status=response.status, reason=response.reason, quiet=quiet, again=response
            )

    @on(Input.Submitted, "#link,#note")
    @on(Input.Blurred, "#link,#note")
    @on(Segments.Changed)
    def _detailed(self) -> None:
        self._take_details()

    def _take_details(self, *, quiet: bool = False) -> None:
        """Take evidence, link and note from the form; a question without an answer stays open with its note."""
        asked = self._current
        if asked is None or not self._is_shown(asked) or not self.query_one(QuestionForm).details_changed:
            return
        self._say_again(asked, asked.response, quiet=quiet)

    def _beside(self, asked: Asked) -> dict[str, Any]:
        """Evidence, note and link: from the form, or from the response where the form shows another question."""
        if self._is_shown(asked):
            return self.query_one(QuestionForm).details
        if asked.response is None:
            return {}
        return {name: getattr(asked.response, name) for name in ("evidence", "note", "link")}

    @on(Input.Changed, "#typed,#link,#note")
    @on(TextArea.Changed, "#long")
    def _begin_typing(self) -> None:
        if self._typing is None:
            self._typing = self.set_timer(KEEP_S, self._keep_typed)

    def _keep_typed(self) -> None:
        self._typing = None
        self.commit(quiet=True)

    def action_unknown(self) -> None:
        """Say that the answer is not known yet."""
        if self._current is not None:
            self._give(self._current, None, status=Status.UNKNOWN)

    def action_not_applicable(self) -> None:
        """Ask for the reason, then say that the question does not apply, unless it always does."""
        if self._current is not None:
            self._ask_why_not(self._current)

    def _ask_why_not(self, asked: Asked) -> None:
        if asked.item.na == "never":
            self.notify(
                f"This question always applies. {key_of('questions.unknown')} says that its answer is not known yet.",
                markup=False,
            )
            return
        from interlock.usecases.answer import make_response

        before = asked.response.reason if asked.response is not None and asked.response.reason else ""

        self.ask(
            AskText(
                "Why does this not apply?",
                asked.text,
                value=before,
                placeholder="one sentence that a reviewer will accept",
                check=lambda reason: make_response(asked.item, None, status=Status.NOT_APPLICABLE, reason=reason),
            ),
            lambda reason: self._give(asked, None, status=Status.NOT_APPLICABLE, reason=reason),
        )

    def action_take_back(self) -> None:
        """Make the question open again."""
        if self._current is not None and self._current.response is not None:
            self._record(self._current, None)
            self.notify(f"The answer is taken back, with its note and evidence. {key_of('app.undo')} brings it back.")
            self._on_form = None
            self._again()

    @property
    def _proposed(self) -> Asked | None:
        """The question with what is proposed for every organisation, where the one that is asked has not answered."""
        from interlock.usecases.answer import proposal_at

        asked, inputs = self._current, self.state.inputs
        proposal = proposal_at(inputs, asked.scope, asked.item) if asked is not None and inputs is not None else None
        return replace(asked, response=proposal) if asked is not None and proposal is not None else None

    def action_confirm(self) -> None:
        """Take what is proposed for every organisation as this one's own answer."""
        from interlock.usecases.answer import confirmed

        asked, inputs = self._current, self.state.inputs
        if asked is None or inputs is None or self._proposed is None:
            return
        for change in confirmed(inputs, asked.item, [asked.scope], self.interlock.author):
            self._record(asked, change.response)
        self._on_form = None
        self._again()

    def action_assign(self) -> None:
        """Say who owes an answer or its evidence, and by when."""
        from interlock.usecases.revise import assigned

        asked = self._current
        if asked is None:
            return
        before, by = asked.response, self.interlock.author
        named = [before.assignee or "", before.due or ""] if before is not None else []
        self.ask(
            AskText(
                "Who owes this, and by when?",
                "A name and a day, as in: Ada, 2026-12-14. Nothing: nobody.",
                value=", ".join(part for part in named if part),
                check=lambda typed: assigned(asked.item, before, typed, by),
            ),
            lambda typed: self._record(asked, assigned(asked.item, before, typed, by)),
        )

    def action_evidence(self) -> None:
        """The next kind of evidence."""
        self.query_one(Segments).cycle()

    @work(group="evidence", exclusive=True, description="evidence")
    async def action_pieces(self) -> None:
        """Show the pieces of evidence; one more can be added, and each removed."""
        from interlock.usecases.revise import Given, revised

        self.commit()
        asked, inputs, root = self._current, self.state.inputs, self.interlock.workspace.root
        if asked is None or inputs is None:
            return
        records = asked.response.documents if asked.response is not None else ()
        change = await ask_evidence(self, records, asked.text, root, inputs.today)
        now = self._question(asked.scope, asked.item.id)
        if change is None or now is None:
            return
        given = Given(detach=change) if isinstance(change, int) else Given(attach=change)
        try:
            self._record(now, revised(now.item, now.response, given, self.interlock.author))
        except InterlockError as error:
            self.notify(plain(error, 400), severity="warning", markup=False)
            return
        self._on_form = None
        self._again()
        if given.attach is not None and now.response is not None and now.response.evidence is Evidence.ASSERTED:
            self.notify(
                keyed(
                    "The answer counts as asserted still: {questions.evidence} says that it is documented, or observed."
                )
            )

    def action_note(self) -> None:
        """Into the note."""
        self.query_one("#note").focus()

    def _give(
        self,
        asked: Asked,
        raw: Raw | None,
        *,
        status: Status = Status.ANSWERED,
        reason: str | None = None,
        quiet: bool = False,
        again: Response | None = None,
    ) -> bool:
        """Take an answer; ``again`` is the one that is said again, whose author, time and others stay with it."""
        from interlock.usecases.answer import make_response
        from interlock.usecases.revise import Assignment, assignment_after

        form, key = self.query_one(QuestionForm), (asked.scope, asked.item.id)
        kept = again or asked.response
        owed = Assignment(assignee=again.assignee, due=again.due) if again else assignment_after(asked.response, status)
        try:
            response = make_response(
                asked.item,
                raw,
                status=status,
                reason=reason,
                documents=kept.documents if kept else (),
                by=self.interlock.author,
                others=again.others if again else (),
                **owed,
                **self._beside(asked),
            )
        except InterlockError as error:
            self._drafts[key] = Draft("" if raw is None else str(raw), error)
            if self._is_shown(asked) and not quiet:
                form.error(error)
            return False
        if response is None and asked.response is None:
            return False
        if again is not None and response is not None and again.status is not Status.UNANSWERED:
            response = response.but(by=again.by, at=again.at)
        if self._is_shown(asked):
            form.error(None)
            form.take_details()
        self._record(asked, response, typing=quiet)
        return True

    def restored(self) -> None:
        """Show the answer that is there now, over what the form held."""
        self._drafts.pop(self._on_form or ("", ""), None)
        self._on_form = self._before = None
        self._again()

    def _record(self, asked: Asked, response: Response | None, *, typing: bool = False) -> None:
        self._drafts.pop((asked.scope, asked.item.id), None)
        before = asked.response
        if before is not None and before.by not in {None, self.interlock.author, response.by if response else None}:
            when = f" on {words.day(before.at)}" if before.at else ""
            was = f"It was “{asked.shown_answer()}” by {before.by}{when}."
            self.notify(plain(was, 400), title="Changed", markup=False)
        self.interlock.answer(Answer(asked.scope, asked.item.id, response, asked.response), typing=typing)

    def commit(self, *, quiet: bool = False) -> None:
        """Hand over what is typed, before going elsewhere; ``quiet`` while it is being typed: nothing is wrong yet."""
        asked = self._current
        if asked is None or not self._is_shown(asked) or not self.is_mounted:
            return
        if quiet and (asked.scope, asked.item.id) in self.state.disputes:
            return  # somebody else's answer stands there: only what is given on purpose goes over it
        typed = self.query_one(QuestionForm).typed
        if typed is not None:
            self._take_typed(asked, typed, quiet=quiet)
        self._take_details(quiet=quiet)
        if not quiet:
            self._before = None

    def refused(self) -> tuple[str, ...]:
        """Drafts that are no valid answers, each with the reason."""
        return tuple(f"“{draft.typed}”: {draft.error.message}" for draft in self._drafts.values())

    def keep(self) -> None:
        """Hand over what is typed; a draft that is no valid answer goes into its question's note."""
        self.commit()
        for (scope, item), draft in tuple(self._drafts.items()):
            asked = self._question(scope, item)
            if asked is not None and draft.typed:
                before = asked.response or Response(status=Status.UNANSWERED)
                typed = f"typed, but no valid answer: {paragraph(redacted(draft.typed))}"
                note = f"{before.note}\n{typed}" if before.note else typed
                self._record(asked, before.but(note=note, by=before.by or self.interlock.author))


def _differ(asked: Asked) -> bool:
    """Whether several people answered a question differently."""
    return asked.response is not None and asked.response.agreed_status is not asked.response.status
