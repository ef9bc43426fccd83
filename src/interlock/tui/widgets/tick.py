"""Something to say yes or no to, as ``[x]`` or ``[ ]``: it reads the same without colour."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from interlock.tui.styles import DIM, OK


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
