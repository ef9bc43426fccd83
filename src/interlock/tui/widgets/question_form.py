"""One question with everything that can be said to it. It tells what was given; the section makes a response of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Input, Static, TextArea

from interlock.model import words
from interlock.model.base import Evidence
from interlock.model.choices import TYPED
from interlock.model.errors import InterlockError
from interlock.model.finding import Contradiction
from interlock.model.questionnaire import ItemType
from interlock.model.response import Response
from interlock.model.text import plain
from interlock.tui.keys import key_of
from interlock.tui.page import ACCENT, BAD, DIM, STATUS, WARN, Page, line, text
from interlock.tui.widgets.fields import Choices, Field, Segments, Words, labelled
from interlock.tui.widgets.flow import Flow, Laid

if TYPE_CHECKING:
    from interlock.usecases.next_questions import NextQuestion
    from interlock.usecases.questions import Asked


@dataclass(frozen=True)
class Shown:
    """What the form shows: a question with its number, and what is known around it.

    :ivar today: the day on which evidence has to hold.
    :ivar proposal: the question with what the product proposes for every organisation, where this one did not answer.
    :ivar unsaved: why its answer could not be saved, if it could not.
    :ivar disputed: what somebody else answered meanwhile, and what is kept beside it.
    :ivar worth: what an answer settles, while there is none.
    """

    asked: Asked
    number: int
    of: int
    scope_name: str
    today: date
    proposal: Asked | None = None
    unsaved: InterlockError | None = None
    disputed: InterlockError | None = None
    contradiction: Contradiction | None = None
    worth: NextQuestion | None = None


class QuestionForm(Laid, VerticalScroll):
    """Question, choices or a line to type in, evidence, link and note."""

    can_focus = False

    @dataclass(eq=False, repr=False)
    class Typed(Message):
        """A text was given as the answer to this question; ``submitted`` by Enter, else by leaving the field."""

        asked: Asked
        value: str
        submitted: bool

    def __init__(self) -> None:
        super().__init__(id="form")
        self._shown: Shown | None = None
        self._taken_details: dict[str, Any] = {}

    def compose(self) -> ComposeResult:
        """Everything once; what a question does not need is hidden."""
        yield Flow(id="question")
        yield Field(id="typed")
        yield Words(id="long", show_line_numbers=False)
        yield Choices(id="choices")
        yield Static("", id="form-error", classes="error", markup=False)
        yield Flow(id="about")
        yield labelled(
            "Evidence",
            Segments([(e.value, words.EVIDENCE[e].phrase) for e in Evidence], Evidence.ASSERTED.value, id="evidence"),
        )
        yield labelled("Link", Field(id="link", placeholder="where it is written down or seen", compact=True))
        yield labelled("Note", Field(id="note", placeholder="anything a reader should know", lines=True, compact=True))
        yield Flow(id="sources")

    # -- showing --------------------------------------------------------------------------------------------------

    def show(self, shown: Shown, *, fresh: bool, draft: str | None = None) -> None:
        """Show a question. ``fresh`` when it is another one than before; then what is typed is replaced too."""
        if shown == self._shown and not fresh:
            return
        self._shown = shown
        item, response = shown.asked.item, shown.asked.response
        self.query_one("#question", Flow).draw(lambda page: _draw_question(page, shown))
        self.query_one(Choices).show(shown.asked)
        self.query_one("#about", Flow).draw(lambda page: _draw_about(page, shown))
        self.query_one("#sources", Flow).draw(lambda page: _draw_sources(page, shown))
        if not fresh:
            return
        self.error(None)
        typed, area = self.query_one("#typed", Field), self.query_one("#long", Words)
        area.display = item.type is ItemType.TEXT
        typed.display = item.type in TYPED and not area.display
        given = str(response.value) if response is not None and response.value is not None else ""
        value = given if draft is None else draft
        with self.prevent(Input.Changed, TextArea.Changed, Segments.Changed):
            typed.put(value if typed.display else "")
            area.text = value if area.display else ""
            self.query_one(Segments).value = (response.evidence if response else Evidence.ASSERTED).value
            self.query_one("#link", Field).put(response.link if response else None)
            self.query_one("#note", Field).put(response.note if response else None)
        typed.placeholder = TYPED.get(item.type, "")
        self.take_details()
        self.scroll_home(animate=False)
        self.focus_answer()

    def error(self, error: InterlockError | None) -> None:
        """Say what is wrong with what was given, or nothing."""
        widget = self.query_one("#form-error", Static)
        widget.display = error is not None
        if error is not None:
            # The question's id in front helps on a command line; here one is looking at the question.
            message = error.message.split(": ", 1)[-1]
            remedy = f". {error.remedy}" if error.remedy and "--" not in error.remedy else ""
            widget.update(text(f"! {message}{remedy}"))

    def focus_answer(self) -> None:
        """Focus the choices: letters are keys there, and not yet part of an answer."""
        self.query_one(Choices).focus(scroll_visible=False)

    def focus_typed(self) -> None:
        """Put the cursor where the answer is typed."""
        for selector in ("#typed", "#long"):
            widget = self.query_one(selector)
            if widget.display:
                widget.focus()

    # -- what is given ----------------------------------------------------------------------------------------------

    @property
    def typed(self) -> str | None:
        """What is typed as the answer; none when the question has choices."""
        for widget in (self.query_one("#typed", Field), self.query_one("#long", Words)):
            if widget.display:
                return widget.given
        return None

    @property
    def details(self) -> dict[str, Any]:
        """Evidence, note and link as they stand on the form."""
        return {
            "evidence": Evidence(self.query_one(Segments).value),
            "note": self.query_one("#note", Field).given or None,
            "link": self.query_one("#link", Field).given or None,
        }

    @property
    def details_changed(self) -> bool:
        """Do note, link or evidence differ from those taken or shown before?"""
        return self.details != self._taken_details

    def take_details(self) -> None:
        """Take note, link and evidence as they stand."""
        self._taken_details = self.details

    @on(Input.Submitted, "#typed")
    @on(Input.Blurred, "#typed")
    def _given(self, event: Input.Submitted | Input.Blurred) -> None:
        event.stop()
        # Where the form shows another question meanwhile, what was typed was taken when the first one was left.
        if self._shown is not None and event.value == event.input.value:
            self.post_message(self.Typed(self._shown.asked, event.value, isinstance(event, Input.Submitted)))

    def on_descendant_blur(self) -> None:
        """Leaving the text area gives its text."""
        area = self.query_one("#long", Words)
        if self._shown is not None and area.display and not area.has_focus:
            self.post_message(self.Typed(self._shown.asked, area.given, submitted=False))


def _draw_question(page: Page, shown: Shown) -> None:
    asked = shown.asked
    sign = STATUS[asked.status]
    core = "core" if asked.item.priority == "core" else "in depth"
    page.line(
        (f"{shown.scope_name}  ", ACCENT),
        (f"{asked.area}  ", DIM),
        (f"{shown.number} of {shown.of}, {core}  ", DIM),
        (sign.glyph, sign.style),
        f" {sign.word}",
    )
    if shown.disputed is not None:
        page.bullet(text("!", BAD), ("Somebody else answered this too; answer it again to decide.", f"bold {BAD}"))
        page.bullet(" ", (shown.disputed.message, BAD))
    if shown.unsaved is not None:
        page.bullet(
            text("!", BAD), (f"Not saved yet; it is kept here. {key_of('app.save')} tries again.", f"bold {BAD}")
        )
        page.bullet(" ", (str(shown.unsaved), BAD))
    if asked.response is not None:
        _draw_authors(page, asked, asked.response, shown.today)
    if shown.proposal is not None and shown.proposal.response is not None:
        proposed = f"Proposed for every organisation: {plain(shown.proposal.shown_answer(), 300)}"
        page.bullet(text("y", f"bold {ACCENT}"), (f"{proposed} ({_author(shown.proposal.response)})", ACCENT))
    page.para(asked.text, "bold")
    if shown.contradiction is not None:
        contradiction = shown.contradiction
        page.blank()
        page.bullet(
            text("≠", f"bold {WARN}"),
            ("An observation says otherwise: ", f"bold {WARN}"),
            f"answered {contradiction.answered}, observed {contradiction.observed}. ",
            (contradiction.evidence, DIM),
        )
    if asked.response is not None and asked.response.reason:
        page.bullet(text("Does not apply because", ACCENT), asked.response.reason)


def _draw_about(page: Page, shown: Shown) -> None:
    """What a good answer is, why it is asked, what it settles: below the choices, which a small screen shows first."""
    item = shown.asked.item
    if item.help:
        page.para(item.help)
    if item.why:
        page.bullet(text("Why", ACCENT), (item.why, DIM))
    if shown.worth is not None:
        page.bullet(text("Worth", ACCENT), (shown.worth.because, DIM))


def _draw_authors(page: Page, asked: Asked, response: Response, today: date) -> None:
    """Who said it, what others said, and who owes something: a quiet line each."""
    if response.agreed_status is not response.status:
        page.bullet(text("≠", f"bold {WARN}"), ("The answers differ; answer again to settle it.", f"bold {WARN}"))
    if response.others:
        for answer in response.answers:
            said = plain(replace(asked, response=answer).shown_answer(), 300)
            page.bullet(" ", f"{_author(answer)}: ", (said, DIM))
    elif response.by:
        page.line((_author(response), DIM))
    if (owes := response.owes(today)) is not None:
        page.line((words.capital(owes), WARN if response.overdue(today) else DIM))


def _author(response: Response) -> str:
    """``Ada, 3 Mar 2026``; the address of one who has one stands in the file."""
    when = f", {words.day(response.at)}" if response.at else ""
    name = response.by.partition(" <")[0] if response.by else "somebody who is not named"
    return f"{plain(name, 80)}{when}"


def _draw_sources(page: Page, shown: Shown) -> None:
    item, response = shown.asked.item, shown.asked.response
    for record in response.documents if response else ():
        style = WARN if record.expired(shown.today) else DIM
        page.bullet(text("+", style), (record.told(shown.today), style))
    page.line(
        (f"{key_of('questions.pieces')} ", ACCENT),
        (f"lists the evidence and adds a piece; {key_of('questions.assign')} says who owes it", DIM),
    )
    page.para("; ".join(f"{words.EVIDENCE[e].phrase}: {words.EVIDENCE_MEANS[e]}" for e in Evidence), DIM)
    if item.references:
        page.blank()
        for reference in item.references:
            page.bullet(text("→", DIM), (reference.title, DIM), line(("  ", ""), (reference.url, DIM)))
    page.line((f"{item.id}  {' '.join(item.source)}", DIM))
