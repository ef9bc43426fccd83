"""Fields to type in, and controls of one line: a choice between a few words, and a box to tick.

What a terminal would obey instead of showing it is a symbol in a field, whoever put it there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input, TextArea
from textual.widgets.text_area import Edit, EditResult

from interlock.documents.visible import visible, visible_line
from interlock.tui.page import DIM, OK

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

    BINDINGS = [
        Binding("left", "step(-1)", "Less", show=False),
        Binding("right", "step(1)", "More", show=False),
    ]

    value: reactive[str] = reactive("")

    @dataclass(eq=False, repr=False)
    class Changed(Message):
        """Another word was chosen by a person."""

        segments: Segments
        value: str

        @property
        def control(self) -> Segments:
            """The widget."""
            return self.segments

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
            self.post_message(self.Changed(self, value))


class Tick(Widget, can_focus=True):
    """A box to tick with space, Enter or a click."""

    BINDINGS = [Binding("space,enter", "tick", "Tick", show=False)]

    value: reactive[bool] = reactive(False)

    def __init__(self, label: str, value: bool, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._label = label
        self.set_reactive(Tick.value, value)

    def render(self) -> Content:
        """Box and label."""
        box = ("[x] ", f"bold {OK}") if self.value else ("[ ] ", DIM)
        return Content.assemble(box, self._label)

    def action_tick(self) -> None:
        """Tick it, or take the tick away."""
        self.value = not self.value

    def on_click(self) -> None:
        """The mouse does the same."""
        self.action_tick()
