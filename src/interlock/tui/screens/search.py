"""A dialog to find one of many by its words: what is typed narrows the list, Enter takes the highlighted line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from interlock.model import words
from interlock.tui.keys import bindings
from interlock.tui.page import DIM, text
from interlock.tui.screens.section import Dialog
from interlock.tui.widgets.fields import Field
from interlock.tui.widgets.rows import Options

#: Most lines that are listed; more words narrow them down.
_MOST = 100


@dataclass(frozen=True)
class Entry:
    """One of those that are searched.

    :ivar searched: what is looked through for words, in lower case.
    :ivar drawn: makes its line, when it is listed.
    """

    key: str
    searched: str
    drawn: Callable[[], Content]


class Search(Dialog[str]):
    """Dismissed with the key of the line that was taken, or none."""

    BINDINGS = bindings("search", priority=True)
    FRAME = "dialog -wide"
    HINT = "words narrow the list   ↑ ↓ move   enter goes there   escape cancels"

    def __init__(
        self, title: str, placeholder: str, entries: Sequence[Entry], *, free: bool = False, enter: str = "goes there"
    ) -> None:
        """``free``: what is typed may be something that is not in the list; it is then the key.

        :param enter: what Enter does, in words.
        """
        super().__init__(title)
        self.HINT = self.HINT.replace("goes there", enter)
        self._placeholder, self._entries, self._free = placeholder, entries, free
        self._keys: list[str] = []

    def body(self) -> ComposeResult:
        """The line, how many were found, and the list."""
        yield Field(placeholder=self._placeholder, id="ask")
        yield Static("", id="found", classes="hint", markup=False)
        yield Options(markup=False)

    def on_mount(self) -> None:
        """Everything, before a word is typed."""
        self._list("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._list(event.value.strip())

    def _list(self, wanted: str) -> None:
        parts = wanted.casefold().split()
        matches = [entry for entry in self._entries if all(part in entry.searched for part in parts)]
        if self._free and wanted and not any(entry.key == wanted for entry in matches):
            matches.append(Entry(wanted, "", lambda: text(f"take “{wanted}” as it is", DIM)))
        shown = matches[:_MOST]
        self._keys = [entry.key for entry in shown]
        more = f", of which {_MOST} are listed" if len(matches) > _MOST else ""
        self.query_one("#found", Static).update(f"{words.count(len(matches), 'match', 'matches')}{more}")
        options = self.query_one(Options)
        options.set_options(Option(entry.drawn()) for entry in shown)
        options.highlighted = 0 if shown else None

    def action_move(self, step: int) -> None:
        """The line above or below, while one goes on typing."""
        options = self.query_one(Options)
        if step > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        index = self.query_one(Options).highlighted
        if index is not None:
            self.dismiss(self._keys[index])

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._keys[event.option_index])
