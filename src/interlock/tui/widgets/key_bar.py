"""The keys that work now, on the last line: as many as fit, the general ones always."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

#: Actions whose keys are always shown, at the end of the line.
_ALWAYS = ("jump", "help", "quit")


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
    """As many hints as fit into ``width`` cells: the general ones always, of the others the first ones."""
    general = [hint for hint in hints if hint.action in _ALWAYS]
    others = [hint for hint in hints if hint.action not in _ALWAYS]
    room = width - sum(hint.width for hint in general)
    kept = []
    for hint in others:
        room -= hint.width
        if room < 0:
            break
        kept.append(hint)
    return [*kept, *general]


class KeyBar(Widget):
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

    def render(self) -> Content:
        """`` n Next  p Prev  ? Help``."""
        parts: list[str | tuple[str, str]] = []
        for hint in fitting(self._hints, self.size.width):
            parts += [" ", (hint.key, "bold $footer-key-foreground"), f" {hint.word} "]
        return Content.assemble(*parts)

    async def on_click(self, event: events.Click) -> None:
        """Do what the key under the mouse does."""
        right = 0
        for hint in fitting(self._hints, self.size.width):
            right += hint.width
            if event.x < right:
                await self.screen.run_action(hint.action)
                return
