"""What is given with: fields to type in, controls of one line, and the list of answers that a question offers.

What a terminal would obey instead of showing it is a symbol in a field, whoever put it there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual import events, on
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Checkbox, Input, OptionList, Static, TextArea
from textual.widgets.option_list import Option
from textual.widgets.text_area import Edit, EditResult

from interlock.documents.visible import visible, visible_line
from interlock.model.base import Status
from interlock.model.choices import TYPED, Choice, choices_of
from interlock.model.questionnaire import Item, ItemType
from interlock.model.response import Response
from interlock.model.text import plain
from interlock.tui.keys import bindings
from interlock.tui.page import ACCENT, DIM, OK, STATUS, Page, line
from interlock.tui.widgets.flow import Drawn
from interlock.tui.widgets.rows import Options

if TYPE_CHECKING:
    from interlock.usecases.questions import Asked


#: Stands for a line feed in a field of one line.
BREAK = "↵"


class Field(Input):
    """One line. :attr:`given` is what was put in, to the letter, until somebody changes what is shown.

    :ivar lines: line feeds belong into the text; they are shown as ``↵``. Otherwise lines that are pasted become one.
    """

    def __init__(
        self,
        value: str | None = None,
        *,
        placeholder: str = "",
        lines: bool = False,
        id: str | None = None,  # noqa: A002
        compact: bool = False,
        disabled: bool = False,
    ) -> None:
        self.lines, self._put = lines, value or ""
        super().__init__(value, placeholder=visible_line(placeholder), id=id, compact=compact, disabled=disabled)

    def put(self, value: str | None) -> None:
        """Put another text in."""
        self._put = value or ""
        self.value = self._put

    @property
    def given(self) -> str:
        """The text as it was put in, or as somebody changed it, without white space around it."""
        if self.value == self.validate_value(self._put):
            return self._put
        return (self.value.replace(BREAK, "\n") if self.lines else self.value).strip()

    def validate_value(self, value: str) -> str:
        """What is shown of a text, typed, pasted or put in."""
        return visible_line(value.replace("\n", BREAK) if self.lines else value)

    def _on_paste(self, event: events.Paste) -> None:
        """Take every line: Textual takes the first."""
        event.prevent_default()
        event.stop()
        self.replace(("\n" if self.lines else " ").join(event.text.splitlines()), *sorted(self.selection))


def labelled(label: str, control: Widget) -> Horizontal:
    """A control with its label in front."""
    return Horizontal(Static(label, classes="label", markup=False), control, classes="field")


class Words(TextArea):
    """A text of several lines; :attr:`given` as with :class:`Field`."""

    _put = ""

    def load_text(self, text: str) -> None:
        """Put another text in."""
        self._put = text
        super().load_text(_shown(text))

    def edit(self, edit: Edit) -> EditResult:
        """Take what is typed or pasted."""
        edit.text = _shown(edit.text)
        return super().edit(edit)

    @property
    def given(self) -> str:
        """The text as it was put in, or as somebody changed it."""
        return self._put if self.text == _shown(self._put) else self.text


def _shown(text: str) -> str:
    return visible(text.replace("\r\n", "\n").replace("\r", "\n"))


class Segments(Widget, can_focus=True):
    """Words beside each other, one of them chosen."""

    BINDINGS = bindings("segments")

    value: reactive[str] = reactive("")

    class Changed(Message):
        """Another word was chosen by a person."""

    def __init__(self, choices: Sequence[tuple[str, str]], value: str, *, id: str | None = None) -> None:  # noqa: A002
        """``choices`` are (value, word)."""
        super().__init__(id=id)
        self._choices = tuple(choices)
        self.set_reactive(Segments.value, value)

    def render(self) -> Content:
        """``(•) asserted  ( ) documented``."""
        parts: list[tuple[str, str]] = []
        for value, word in self._choices:
            chosen = value == self.value
            parts += [
                ("(•) " if chosen else "( ) ", OK if chosen else DIM),
                (word, "bold" if chosen else ""),
                ("   ", ""),
            ]
        return Content.assemble(*parts)

    def action_step(self, step: int) -> None:
        """The word to the left or right."""
        values = [value for value, _ in self._choices]
        index = min(len(values) - 1, max(0, values.index(self.value) + step))
        self._choose(values[index])

    def cycle(self) -> None:
        """The next word, from the last to the first."""
        values = [value for value, _ in self._choices]
        self._choose(values[(values.index(self.value) + 1) % len(values)])

    def on_click(self, event: events.Click) -> None:
        """The word under the mouse."""
        x = event.get_content_offset_capture(self).x
        left = 0
        for value, word in self._choices:
            left += len(word) + 7
            if x < left:
                self._choose(value)
                return

    def _choose(self, value: str) -> None:
        if value != self.value:
            self.value = value
            self.post_message(self.Changed())


class Tick(Checkbox):
    """A box to tick with space, Enter or a click, whose tick can be read without colour."""

    def render(self) -> Content:
        """Box and label."""
        box = ("[x] ", f"bold {OK}") if self.value else ("[ ] ", DIM)
        return Content.assemble(box, self.label)


class _Line(Option):
    """A line of the list with its question: by the time it is handled, the list may show another question."""

    def __init__(self, asked: Asked, choice: Choice, drawn: Drawn) -> None:
        super().__init__(drawn)
        self.asked, self.choice = asked, choice


class Choices(Options):
    """A list in which one line (or several, of a multiple choice) is marked. It is as high as its lines."""

    BINDINGS = bindings("choices")

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

    def show(self, asked: Asked) -> None:
        """Show a question's choices with those marked that its response means."""
        before, self._asked = self._asked, asked
        marked_before, self._marked = self._marked, _marked(asked.item, asked.response)
        if before is not None and before.scope == asked.scope and before.item is asked.item:
            turned = self._marked ^ marked_before
            changed = {i: self._drawn(c) for i, c in enumerate(self._choices) if (c.kind, c.value) in turned}
            self.redraw(changed)
            return
        self._choices = choices_of(asked.item)
        options: list[Option | None] = []
        for index, choice in enumerate(self._choices):
            if choice.kind == "status" and index and self._choices[index - 1].kind != "status":
                options.append(None)
            options.append(_Line(asked, choice, self._drawn(choice)))
        # The question comes first: the page moves with the arrows, not when a question opens.
        with self.prevent(OptionList.OptionHighlighted):
            self.set_options(options)
            self.highlighted = next((i for i, c in enumerate(self._choices) if (c.kind, c.value) in self._marked), 0)

    def _drawn(self, choice: Choice) -> Drawn:
        marked = (choice.kind, choice.value) in self._marked
        several = self._asked is not None and self._asked.item.type is ItemType.MULTI_CHOICE
        number = self._choices.index(choice) + 1
        return Drawn(partial(_draw, choice=choice, number=number, marked=marked, several=several))

    def take(self, number: int) -> None:
        """Choose the line of this number; one that there is not does nothing."""
        if number <= len(self._choices):
            self.highlighted = number - 1
            self.action_select()

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


def _draw(page: Page, *, choice: Choice, number: int, marked: bool, several: bool) -> None:
    if choice.kind == "status":
        glyph = f"({STATUS[Status(choice.value)].glyph})" if marked else "( )"
    else:
        glyph = ("[x]" if marked else "[ ]") if several else ("(•)" if marked else "( )")
    front = line((f"{number if number < 10 else ' '} ", ACCENT), (glyph, f"bold {OK}" if marked else DIM))
    page.bullet(front, (plain(choice.label, 600), "bold" if marked else ""))
    if choice.detail:
        page.bullet("     ", (plain(choice.detail, 600), DIM))
