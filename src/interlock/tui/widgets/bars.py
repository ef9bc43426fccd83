"""The bars around a section: title and tabs at the top, keys at the foot. The first frame has them: few imports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual import events
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from interlock.tui.sections import SECTIONS

#: Cells from which on whole names fit.
WIDE = 110


class Pieces(Widget):
    """Pieces of text side by side on one line; a click on a piece does the action that belongs to it."""

    def pieces(self) -> Iterable[tuple[Content, str]]:
        """The pieces with their actions."""
        return ()

    def render(self) -> Content:
        """All pieces."""
        return Content.assemble(*(piece for piece, _ in self.pieces()))

    async def on_click(self, event: events.Click) -> None:
        """Do what belongs to the piece under the mouse."""
        right = 0
        for piece, action in self.pieces():
            right += piece.cell_length
            if event.x < right:
                await self.screen.run_action(action)
                return


class Tabs(Pieces):
    """The sections on one line, with the numbers that go to them; a click goes to one."""

    def __init__(self, current: str, *, numbered: bool) -> None:
        super().__init__(id="tabs")
        self._current, self._numbered = current, numbered

    def pieces(self) -> Iterable[tuple[Content, str]]:
        """``1 Overview  2 Questions``; short names and less room between them where it is narrow."""
        for number, section in enumerate(SECTIONS, 1):
            name = f"{section.title} " if self.size.width >= WIDE else section.short or section.title
            shown = Content.assemble(" ", (f"{number} " if self._numbered else "  ", "$accent"), (name, "$text-muted"))
            if section.mode == self._current:
                shown = Content.styled(shown.plain, "bold $primary on $background")
            yield shown, f"app.go('{section.mode}')"


class Title(Widget):
    """Product and verdict, and at the right what is going on, which is never cut for the others' sake.

    One line of the whole width: what it says changes with every answer, and nothing around it has to move.
    """

    def __init__(self) -> None:
        super().__init__(id="title")
        self._product, self._status = Content.styled("Interlock", "bold $primary"), Content("")

    def show(self, product: Content, status: Content) -> None:
        """Say something else."""
        if not (self._product.is_same(product) and self._status.is_same(status)):
            self._product, self._status = product, status
            self.refresh()

    def render(self) -> Content:
        """The line, with two cells at least between its ends."""
        width = self.content_size.width
        product = self._product.truncate(max(0, width - self._status.cell_length - 2), ellipsis=True)
        room = width - product.cell_length - self._status.cell_length
        return Content.assemble(product, " " * max(0, room), self._status)


class TopBar(Vertical):
    """Product, verdict and what is going on; below it the sections."""

    def __init__(self, current: str, *, numbered: bool) -> None:
        super().__init__(Title(), Tabs(current, numbered=numbered))

    def show(self, product: Content, status: Content) -> None:
        """Show what is assessed and what is going on."""
        self.query_one(Title).show(product, status)


#: Actions whose keys are always shown, at the end of the line.
_ALWAYS = ("go_to", "help", "quit")
#: Keys at the foot: more are not read.
MOST = 6


@dataclass(frozen=True)
class KeyHint:
    """A key as it is shown, what it does in a word, and the action behind it."""

    key: str
    word: str
    action: str

    @property
    def width(self) -> int:
        """Cells, with the room around it."""
        return len(self.key) + len(self.word) + 3


def fitting(hints: list[KeyHint], width: int) -> list[KeyHint]:
    """At most six hints that fit into ``width`` cells: the general ones always, of the others the first ones."""
    general = [hint for hint in hints if hint.action in _ALWAYS]
    others = [hint for hint in hints if hint.action not in _ALWAYS][: MOST - len(general)]
    room = width - sum(hint.width for hint in general)
    kept = []
    for hint in others:
        room -= hint.width
        if room < 0:
            break
        kept.append(hint)
    return [*kept, *general]


class KeyBar(Pieces):
    """Keys with their words; a click does what the key does."""

    def __init__(self) -> None:
        super().__init__()
        self._hints: list[KeyHint] = []

    def on_mount(self) -> None:
        """Follow the focus: other keys work elsewhere."""
        self.screen.bindings_updated_signal.subscribe(self, self._collect)

    def _collect(self, screen: Screen[object]) -> None:
        if screen is not self.screen or not self.is_attached:
            return
        hints: list[KeyHint] = []
        for active in screen.active_bindings.values():
            binding = active.binding
            if binding.show and active.enabled and binding.action not in {hint.action for hint in hints}:
                hints.append(KeyHint(self.app.get_key_display(binding), binding.description, binding.action))
        if hints != self._hints:
            self._hints = hints
            self.refresh()

    def pieces(self) -> Iterable[tuple[Content, str]]:
        """`` n Next  p Prev  ? Help``."""
        for hint in fitting(self._hints, self.size.width):
            key = (hint.key, "bold $footer-key-foreground")
            yield Content.assemble(" ", key, f" {hint.word} "), hint.action
