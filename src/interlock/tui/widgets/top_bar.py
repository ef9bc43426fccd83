"""The two lines at the top: what is assessed and what is going on, and the sections to go to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from interlock.model import words
from interlock.tui.page import fit, line, text
from interlock.tui.styles import ACCENT, BAD, DIM, OK, PRIMARY, WARN

if TYPE_CHECKING:
    from interlock.tui.state import State

#: A section's mode, its title, and the title where there is little room.
Tab = tuple[str, str, str]
#: Cells from which on whole names fit.
WIDE = 110


class Tabs(Widget):
    """The sections with their numbers on one line; a click goes to one."""

    def __init__(self, sections: Sequence[Tab], current: str) -> None:
        super().__init__(id="tabs")
        self._sections, self._current = sections, current

    def render(self) -> Content:
        """``1 Overview  2 Questions``; short names and less room between them where it is narrow."""
        parts: list[tuple[str, str]] = []
        for label, mode in self._labels():
            number, _, title = label.strip().partition(" ")
            lead, tail = label[: len(label) - len(label.lstrip())], label[len(label.rstrip()) :]
            if mode == self._current:
                parts.append((label, "bold $primary on $background"))
            else:
                parts += [(lead, ""), (number, ACCENT), (f" {title}{tail}", DIM)]
        return Content.assemble(*parts)

    def _labels(self) -> list[tuple[str, str]]:
        wide = self.size.width >= WIDE
        return [
            (f" {number} {title} " if wide else f" {number} {short}", mode)
            for number, (mode, title, short) in enumerate(self._sections, 1)
        ]

    async def on_click(self, event: events.Click) -> None:
        """Go to the section under the mouse."""
        right = 0
        for label, mode in self._labels():
            right += len(label)
            if event.x < right:
                await self.app.run_action(f"go('{mode}')")
                return


class Title(Widget):
    """One line: what is assessed, and at its end what is going on, which is never cut for the other's sake."""

    def __init__(self) -> None:
        super().__init__(id="title")
        self._product, self._status = Content(""), Content("")

    def show(self, product: Content, status: Content) -> None:
        """Draw anew if either says something else."""
        if (product.plain, status.plain) != (self._product.plain, self._status.plain):
            self._product, self._status = product, status
            self.refresh()

    def render(self) -> Content:
        """``Interlock  Product  Verdict                ✓ saved``."""
        room = self.content_size.width - self._status.cell_length - 2
        return Content.assemble(fit(self._product, room), "  ", self._status)


class TopBar(Vertical):
    """Product, verdict and what is going on; below it the sections."""

    def __init__(self, sections: Sequence[Tab], current: str) -> None:
        super().__init__()
        self._tabs = Tabs(sections, current)

    def compose(self) -> ComposeResult:
        """The two lines."""
        yield Title()
        yield self._tabs

    def show(self, state: State) -> None:
        """Show what is assessed and what is going on."""
        self.query_one(Title).show(_product(state), _status(state))


def _product(state: State) -> Content:
    brand = Content.styled("Interlock", f"bold {PRIMARY}")
    if state.inputs is None:
        return brand
    pieces = line(brand, ("  ", ""), (state.inputs.settings.product, "bold"))
    if state.assessment is None:
        return pieces
    verdict = state.assessment.verdict
    provisional = " (provisional)" if verdict.provisional else ""
    return line(pieces, (f"  {words.VERDICT[verdict.value].title}{provisional}", DIM))


def _status(state: State) -> Content:
    """One thing, the most urgent: unsaved, a problem, changed files, work going on, or that all is saved."""
    if state.unsaved:
        return text(f"! {words.count(len(state.unsaved), 'answer')} not saved: ctrl+s tries again", f"bold {BAD}")
    if state.problem is not None or state.stuck is not None:
        return text("! there is a problem", f"bold {BAD}")
    if state.changed_files:
        return text("~ files changed: r reads them again", f"bold {WARN}")
    if state.inputs is None:
        return text("… reading", DIM)
    if state.waiting:
        return text("… saving", DIM)
    if state.probing:
        return text("… probing", DIM)
    if not state.up_to_date:
        return text("… updating the plan", DIM)
    return line(("✓ ", OK), ("saved", DIM))
