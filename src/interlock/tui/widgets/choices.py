"""The answers that a question offers, and the two beside them: unknown, and not applicable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from textual import events, on
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from interlock.model import words
from interlock.model.base import Status
from interlock.model.questionnaire import Item, ItemType, Response
from interlock.model.text import plain
from interlock.tui.page import DIM, OK, STATUS, hang
from interlock.tui.widgets.rows import Options

if TYPE_CHECKING:
    from interlock.usecases.questions import Asked

#: Types of questions whose answer is typed, with a hint of what is expected.
TYPED = {
    ItemType.INTEGER: "a whole number",
    ItemType.DATE: "a date as YYYY-MM-DD",
    ItemType.URL: "an address, https://…",
    ItemType.STRING: "one line",
    ItemType.TEXT: "in your own words",
}

Kind = Literal["value", "typed", "status"]


@dataclass(frozen=True)
class Choice:
    """One line: an offered value, the way to the line to type in, or a status.

    :ivar value: the option's value, ``yes``/``no``, the status, or nothing for what is typed.
    """

    kind: Kind
    value: str
    label: str
    detail: str = ""


def choices_of(item: Item) -> tuple[Choice, ...]:
    """The choices that a question offers."""
    offered = [Choice("value", option.value, option.label, option.rationale or "") for option in item.options]
    if item.type is ItemType.BOOLEAN:
        offered = [Choice("value", "yes", "Yes"), Choice("value", "no", "No")]
    if item.type in TYPED:
        offered = [Choice("typed", "", f"Type the answer: {TYPED[item.type]}")]
    unknown = Choice(
        "status",
        Status.UNKNOWN.value,
        words.STATUS[Status.UNKNOWN].title,
        "It becomes something to find out, never a no.",
    )
    not_applicable = words.STATUS[Status.NOT_APPLICABLE].title
    exempt = Choice("status", Status.NOT_APPLICABLE.value, not_applicable, "Needs a reason; leaves the score.")
    return (*offered, unknown, *([exempt] if item.na == "with_reason" else []))


class _Line(Option):
    """A line of the list with its question: by the time it is handled, the list may show another question."""

    def __init__(self, asked: Asked, choice: Choice) -> None:
        super().__init__(Content(""))
        self.asked, self.choice = asked, choice


class Choices(Options):
    """A list in which one line (or several, of a multiple choice) is marked. It is as high as its lines."""

    BINDINGS = [Binding("space", "select", "Choose", show=False)]

    @dataclass(eq=False, repr=False)
    class Taken(Message):
        """A line of this question was chosen. ``again`` says that it was marked already."""

        asked: Asked
        choice: Choice
        again: bool

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, markup=False)
        self._asked: Asked | None = None
        self._choices: tuple[Choice, ...] = ()
        self._marked: frozenset[tuple[str, str]] = frozenset()
        self._opening = False

    def show(self, asked: Asked) -> None:
        """Show a question's choices with those marked that its response means."""
        before, self._asked = self._asked, asked
        marked = _marked(asked.item, asked.response)
        if before is not None and before.scope == asked.scope and before.item is asked.item:
            if marked != self._marked:
                self._marked = marked
                self._redraw()
            return
        self._choices, self._marked = choices_of(asked.item), marked
        # The question comes first: the page moves with the arrows, not when a question opens.
        self._opening = True
        options: list[Option | None] = []
        for index, choice in enumerate(self._choices):
            if choice.kind == "status" and index and self._choices[index - 1].kind != "status":
                options.append(None)
            options.append(_Line(asked, choice))
        self.set_options(options)
        self._redraw()
        current = next((i for i, choice in enumerate(self._choices) if (choice.kind, choice.value) in marked), 0)
        self.highlighted = current
        self._opening = False

    @property
    def marked_values(self) -> tuple[str, ...]:
        """The offered values that are marked, in the order in which they are offered."""
        return tuple(c.value for c in self._choices if c.kind == "value" and ("value", c.value) in self._marked)

    @property
    def _several(self) -> bool:
        return self._asked is not None and self._asked.item.type is ItemType.MULTI_CHOICE

    def on_resize(self, event: events.Resize) -> None:
        """Wrap for the new width."""
        self._redraw()

    def _redraw(self) -> None:
        width, several = max(20, self.size.width - 4), self._several
        for index, choice in enumerate(self._choices):
            marked = (choice.kind, choice.value) in self._marked
            lines = _draw(choice, width, marked=marked, several=several)
            self.replace_option_prompt_at_index(index, Content("\n").join(lines))
        self.refresh(layout=True)

    def watch_highlighted(self, highlighted: int | None) -> None:
        """Keep the highlighted line in sight: the page scrolls, not the list."""
        super().watch_highlighted(highlighted)
        if not self._opening:
            self.call_after_refresh(self._reveal)

    def _reveal(self) -> None:
        page = self.parent
        if (
            self.highlighted is None
            or self.highlighted >= len(self._choices)
            or not isinstance(page, VerticalScroll)
            or not self.has_focus
        ):
            return
        width, several = max(20, self.size.width - 4), self._several
        heights = [len(_draw(choice, width, marked=False, several=several)) for choice in self._choices]
        dividers = sum(
            self._choices[i].kind != self._choices[i + 1].kind
            for i in range(min(self.highlighted, len(self._choices) - 1))
        )
        y = self.virtual_region.y + 1 + sum(heights[: self.highlighted]) + dividers
        page.scroll_to_region(Region(0, y, page.size.width, heights[self.highlighted]), animate=False, force=True)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        line = event.option
        if isinstance(line, _Line):
            again = self.holds(event) and (line.choice.kind, line.choice.value) in self._marked
            self.post_message(self.Taken(line.asked, line.choice, again))


def _marked(item: Item, response: Response | None) -> frozenset[tuple[str, str]]:
    if response is None:
        return frozenset()
    if response.status is not Status.ANSWERED:
        return frozenset({("status", response.status.value)})
    if item.type in TYPED:
        return frozenset({("typed", "")})
    value = response.value
    if isinstance(value, bool):
        return frozenset({("value", "yes" if value else "no")})
    values: Sequence[object] = value if isinstance(value, tuple) else (value,)
    return frozenset(("value", str(entry)) for entry in values)


def _draw(choice: Choice, width: int, *, marked: bool, several: bool) -> list[Content]:
    if choice.kind == "status":
        sign = STATUS[Status(choice.value)]
        glyph = f"({sign.glyph})" if marked else "( )"
    else:
        glyph = ("[x]" if marked else "[ ]") if several else ("(•)" if marked else "( )")
    lead = Content.assemble((glyph, f"bold {OK}" if marked else DIM), " ")
    lines = hang(Content.styled(plain(choice.label, 600), "bold" if marked else ""), width, lead)
    if choice.detail:
        lines += hang(Content.styled(plain(choice.detail, 600), DIM), width, "    ")
    return lines
