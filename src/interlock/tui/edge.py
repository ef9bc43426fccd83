"""The app's edge to the terminal: what is written there, and how the terminal is left, whatever ends the app."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from typing import Any

from rich.cells import cell_len
from rich.segment import Segment
from textual import on
from textual.app import App
from textual.color import Color
from textual.driver import Driver
from textual.filter import LineFilter
from textual.messages import ExitApp
from textual.worker import WorkerFailed

from interlock.documents.visible import visible_line
from interlock.model.text import paragraph, plain

#: Signals that end the app: a closed terminal, a request to stop, an interrupt from outside.
_SIGNALS = ("SIGHUP", "SIGTERM", "SIGINT")
#: Seconds to leave in after a signal; everything is saved by then.
_LEAVING_S = 5.0


class Visible(LineFilter):
    """The last net: no line of any widget takes a control character or a link to the terminal.

    Pages, rows and fields show symbols of their own. Where a widget forgets it, the symbols of this net are wider than
    what they replace, and the line loses as many cells at its end.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same line with symbols, as wide as before."""
        if all(text.isprintable() and not (style and style.link) for text, style, _ in segments):
            return segments
        width = sum(cell_len(text) for text, _, _ in segments)
        shown = [
            Segment(visible_line(text), style.update_link(None) if style and style.link else style)
            for text, style, _ in segments
        ]
        return Segment.adjust_line_length(shown, width, pad=False)


class Edge(App[None]):
    """An app that shows nothing raw, keeps what was typed however it ends, and gives its crash to whoever ran it."""

    def __init__(self) -> None:
        super().__init__()
        self._filters.append(Visible())

    @property
    def crash(self) -> Exception | None:
        """The error that ended the app unforeseen, if there was one."""
        return self._exception

    def get_driver_class(self) -> type[Driver]:
        """The driver: for a terminal our own, else Textual's."""
        chosen = super().get_driver_class()
        if chosen.__name__ != "LinuxDriver":
            return chosen
        from interlock.tui.keyboard import TerminalDriver  # where there are no terminals of this kind, it cannot be had

        return TerminalDriver

    def keep(self) -> None:
        """Save what is typed: the app ends, and nobody can be asked."""

    def notify(self, message: str, *, title: str = "", markup: bool = False, **options: Any) -> None:
        """Say something in a corner. Nothing in it is markup."""
        super().notify(paragraph(message), title=plain(title), markup=markup, **options)

    # -- ending ---------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Handle the signals that end the app: what is typed is saved first, and the terminal left whole."""
        if not self.is_headless and threading.current_thread() is threading.main_thread():
            for number in (getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)):
                asyncio.get_running_loop().add_signal_handler(number, self.stopped, number)

    def stopped(self, number: int) -> None:
        """Save what is typed, and end with the code that a shell gives for this signal."""
        # A terminal that is gone takes no more bytes, and writing to it may wait for ever.
        last = threading.Timer(_LEAVING_S, os._exit, [128 + number])
        last.daemon = True
        self.keep()
        last.start()
        self.exit(return_code=128 + number)

    @on(ExitApp)
    def _leave(self) -> None:
        """A browser to which the app was served has left, or something else closed it."""
        self.keep()

    def _handle_exception(self, error: Exception) -> None:
        """Save and end the app after an error that nobody foresaw, in a handler, a timer, a worker or while drawing."""
        if self._exception is None:
            self.keep()
        cause = error.error if isinstance(error, WorkerFailed) else error
        super()._handle_exception(cause if isinstance(cause, Exception) else error)

    def panic(self, *renderables: object) -> None:
        """Close; Textual would print a page with local variables. Whoever ran the app has :attr:`crash`."""
        if self._exception is None:
            self._handle_exception(RuntimeError("the thread that reads the keyboard stopped"))
        else:
            self._fatal_error()

    def _fatal_error(self) -> None:
        self._close_messages_no_wait()
