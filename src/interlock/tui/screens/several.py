"""A dialog to choose several of a list: space ticks a line, Enter takes what is ticked."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from interlock.tui.keys import bindings
from interlock.tui.page import DIM, OK, line
from interlock.tui.screens.section import Dialog
from interlock.tui.widgets.rows import Options


class PickSeveral(Dialog[tuple[str, ...]]):
    """Dismissed with the keys that are ticked, in the list's order, or none when cancelled."""

    BINDINGS = bindings("several")
    HINT = "space ticks   a all or none   enter takes them   escape cancels"

    def __init__(self, title: str, choices: Sequence[tuple[str, str]], ticked: Collection[str]) -> None:
        """``choices`` are (key, label)."""
        super().__init__(title)
        self._choices, self._ticked = tuple(choices), set(ticked)

    def body(self) -> ComposeResult:
        """The list."""
        yield Options(*(Option(self._drawn(key, label)) for key, label in self._choices), markup=False)

    def _drawn(self, key: str, label: str) -> Content:
        return line(("[x] ", f"bold {OK}") if key in self._ticked else ("[ ] ", DIM), label)

    def _draw(self) -> None:
        for index, (key, label) in enumerate(self._choices):
            self.query_one(Options).replace_option_prompt_at_index(index, self._drawn(key, label))

    def action_tick(self) -> None:
        """Tick the highlighted line, or take its tick away."""
        index = self.query_one(Options).highlighted
        if index is not None:
            self._ticked ^= {self._choices[index][0]}
            self._draw()

    def action_all(self) -> None:
        """Tick every line, or none where all are ticked."""
        every = {key for key, _ in self._choices}
        self._ticked = set() if self._ticked == every else every
        self._draw()

    @on(OptionList.OptionSelected)
    def _taken(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(tuple(key for key, _ in self._choices if key in self._ticked))
