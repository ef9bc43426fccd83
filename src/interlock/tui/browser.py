"""The terminal UI in a browser: Textual's driver for it, and what happens when the browser leaves."""

from __future__ import annotations

import os
from functools import partial
from threading import Lock
from typing import Any

from textual import messages
from textual.drivers.web_driver import WebDriver

#: Seconds to save and close, once nobody is there to be asked about it.
GRACE_S = 4.0


class BrowserDriver(WebDriver):
    """Closes the app as Quit does, saving what was entered, when the browser or the server goes away."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._write = partial(_write_whole, self.fileno, Lock())

    def run_input_thread(self) -> None:
        """Read until there is nothing more to read: then the server has ended, in whatever way."""
        super().run_input_thread()
        self._leave()
        if not self.exit_event.wait(GRACE_S):
            self._app.post_message(messages.ExitApp())

    def on_meta(self, packet_type: str, payload: dict[str, object]) -> None:
        """Take what the server says beside keys; that the browser has left is ours."""
        if packet_type == "quit":
            self._leave()
        else:
            super().on_meta(packet_type, payload)

    def _leave(self) -> None:
        self._app.call_later(self._app.action_quit)


def _write_whole(fileno: int, lock: Lock, packet: bytes) -> int:
    """Write one packet before another begins: the screen is drawn in one thread, a file is handed over in another."""
    with lock:
        left = memoryview(packet)
        while left:
            left = left[os.write(fileno, left) :]
    return len(packet)
