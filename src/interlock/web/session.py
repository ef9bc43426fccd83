"""One browser's terminal UI: a process of its own, which ends when the browser leaves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence

from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

#: Seconds for the terminal UI to save and close, then to obey SIGTERM.
GRACE_S, INSISTING_S = 5.0, 2.0
#: Columns and rows that a browser may ask for.
WIDTHS, HEIGHTS = (20, 600), (8, 300)
_CLOSED = "Interlock was closed."
_FAILED = "Interlock stopped unexpectedly. The terminal where it is served says why."


class Downloads(DownloadManager):
    """textual-serve's files on their way to a browser; knows which came to their end, and not to a time-out."""

    def __init__(self) -> None:
        super().__init__()
        self.whole: set[str] = set()

    async def chunk_received(self, delivery_key: str, chunk: bytes | str) -> None:
        """Take a part of a file; an empty one is its end."""
        if not chunk and delivery_key in self._active_downloads:
            self.whole.add(delivery_key)
        await super().chunk_received(delivery_key, chunk)


class Session(AppService):
    """textual-serve's process of the terminal UI, started without a shell and never left behind."""

    def __init__(self, command: Sequence[str], socket: web.WebSocketResponse, downloads: DownloadManager) -> None:
        super().__init__(
            "",
            write_bytes=self._show,
            write_str=socket.send_str,
            close=self._let_it_end,
            download_manager=downloads,
        )
        self._arguments = tuple(command)
        self._socket = socket

    async def _show(self, data: bytes) -> None:
        """Send to the browser. That a browser has left is no reason to stop reading: the process would wait for us."""
        with contextlib.suppress(ConnectionError):
            await self._socket.send_bytes(data)

    async def _let_it_end(self) -> None:
        """The screen is gone, the process nearly so: :meth:`run` closes when it knows how it ended."""

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        environment = self._build_environment(width, height)
        environment["TEXTUAL_DRIVER"] = "interlock.tui.browser:BrowserDriver"
        self._process = process = await asyncio.create_subprocess_exec(
            *self._arguments,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=environment,
            start_new_session=os.name == "posix",
        )
        self._stdin = process.stdin
        return process

    async def run(self) -> None:
        """Carry what the process writes to the browser until it ends; then close the browser's side, with words."""
        await super().run()
        failed = self._process is None or await self._process.wait() != 0
        await self._socket.close(code=1011 if failed else 1000, message=(_FAILED if failed else _CLOSED).encode())

    async def stop(self) -> None:
        """Ask the process to save and close, then insist."""
        process, reading = self._process, self._task
        if process is None or reading is None:
            return
        await self._download_manager.cancel_app_downloads(app_service_id=self.app_service_id)
        await self.send_meta({"type": "quit"})
        for seconds, insist in ((GRACE_S, process.terminate), (INSISTING_S, process.kill)):
            try:
                await asyncio.wait_for(process.wait(), seconds)
                break
            except TimeoutError:
                insist()
        with contextlib.suppress(TimeoutError):  # nobody waits without end for what a process that is gone has said
            await asyncio.wait_for(reading, INSISTING_S)

    async def on_meta(self, data: bytes) -> None:
        """Pass on what the process says beside its screen; of addresses to open, only pages."""
        said = json.loads(data)
        if said.get("type") != "open_url" or str(said.get("url")).startswith(("https://", "http://")):
            await super().on_meta(data)

    async def receive(self, message: str) -> None:
        """Take one message of the browser: keys, a new size, focus.

        :raises ValueError: it is none that our page sends.
        """
        match json.loads(message):
            case ["stdin", str(keys)]:
                await self.send_bytes(keys.encode("utf-8", "replace"))
            case ["resize", {"width": int(width), "height": int(height)}]:
                await self.set_terminal_size(*bounded_size(width, height))
            case ["ping", str(stamp)] if len(stamp) < 40:
                await self._socket.send_json(["pong", stamp])
            case ["focus"]:
                await self.focus()
            case ["blur"]:
                await self.blur()
            case _:
                raise ValueError("no message of ours")


def bounded_size(width: int, height: int) -> tuple[int, int]:
    """A size that a terminal can have."""
    return min(max(width, WIDTHS[0]), WIDTHS[1]), min(max(height, HEIGHTS[0]), HEIGHTS[1])
