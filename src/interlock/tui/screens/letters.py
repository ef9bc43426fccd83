"""Jump mode: a letter on every part of the screen that can have the focus; the letter goes there."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.events import Click, Key, Resize
from textual.geometry import Offset
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from interlock.tui.keys import bindings
from interlock.tui.screens.section import Dialog

#: The letters in the order in which they are given away: where the fingers lie comes first.
LETTERS = "asdfghjklqwertyuiopzxcvbnmASDFGHJKLQWERTYUIOPZXCVBNM"


class Letters(Dialog[Widget]):
    """On top of a screen as it is; dismissed with the part whose letter was pressed, or none."""

    BINDINGS = bindings("letters")

    def __init__(self, below: Screen[object]) -> None:
        super().__init__("Jump")
        self._targets = dict(zip(LETTERS, _targets(below), strict=False))
        self._size = below.size

    def compose(self) -> ComposeResult:
        """The letters, each at the left upper corner of its part; two in one place stand side by side."""
        taken: set[Offset] = set()
        for letter, (_, position) in self._targets.items():
            at = position
            while at in taken:
                at += Offset(3, 0)
            taken.add(at)
            label = Static(f" {letter} ", classes="letter", markup=False)
            label.styles.offset = (min(at.x, self._size.width - 3), at.y)
            yield label

    def on_key(self, event: Key) -> None:
        """A letter goes to its part; any other key but escape does nothing."""
        if event.character in self._targets:
            event.stop()
            self.dismiss(self._targets[event.character][0])

    def on_resize(self, event: Resize) -> None:
        """Where the parts are is another place now."""
        if event.size != self._size:
            self.dismiss(None)

    def on_click(self, event: Click) -> None:
        """The mouse needs no letters."""
        self.dismiss(None)


def _targets(screen: Screen[object]) -> Iterator[tuple[Widget, Offset]]:
    """What can have the focus and is in sight, in the order of the tab key, with its left upper corner."""
    for widget in screen.focus_chain:
        shown = screen.find_widget(widget).visible_region
        if shown.area:
            yield widget, shown.offset
