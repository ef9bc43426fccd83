"""Controls of one line: a choice between a few words, and a box to tick. Both read the same without colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from interlock.tui.styles import DIM, OK


class Segments(Widget, can_focus=True):
    """Words beside each other, one of them chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
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

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space,enter", "tick", "Tick", show=False)]

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
