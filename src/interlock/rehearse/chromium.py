"""The system's Chromium as a program, driven by Playwright: found, started once for a rehearsal, and ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from interlock.model.errors import InterlockError
from interlock.model.text import plain

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Playwright

T = TypeVar("T")

#: Where a person names a Chromium that is not found by itself.
VARIABLE = "INTERLOCK_CHROMIUM"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
_MAC = tuple(
    f"/Applications/{name}.app/Contents/MacOS/{name}" for name in ("Google Chrome", "Chromium", "Microsoft Edge")
)
_FLAGS = (
    "--disable-quic",
    # Names mean nothing to it: addresses are looked up by the gate, or not at all.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-features=LocalNetworkAccessChecks,Translate,MediaRouter,OptimizationHints",
    "--js-flags=--max-old-space-size=256",
)
#: For one command, and until it runs.
COMMAND_SECONDS, _START_SECONDS = 5.0, 60.0


class NoChromiumError(InterlockError):
    """There is no browser with scripts to be had; says why, and how to get one."""


def find_chromium() -> str | None:
    """The system's Chromium, or a sibling of it, or the one that the user names."""
    named = os.environ.get(VARIABLE)
    if named:
        return named
    paths = (path for name in _NAMES if (path := shutil.which(name)))
    return next(paths, next((path for path in _MAC if Path(path).exists()), None))


class Chromium:
    """A Chromium process for one rehearsal, as a context manager; nothing is ever downloaded for it.

    :ivar version: what it says of itself, once it runs; ``ended`` whether it ended although nobody ended it.
    """

    def __init__(self) -> None:
        self.version = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._playwright: Playwright | None = None
        self._process: Browser | None = None
        self._meanwhile: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Chromium:
        """Start it.

        :raises NoChromiumError: Playwright or Chromium is not installed, or does not start.
        """
        self._thread.start()
        try:
            self.do(self._start(), _START_SECONDS)
        except BaseException:
            self.__exit__()
            raise
        return self

    async def _start(self) -> None:
        try:
            from playwright.async_api import Error, async_playwright
        except ImportError as error:
            raise NoChromiumError(
                "Playwright is not installed, which drives a browser with scripts",
                remedy='pip install "interlock[rehearse]"; it downloads no browser',
            ) from error
        path = find_chromium()
        remedy = f"install Chromium or Chrome, or name the program in {VARIABLE}; none is downloaded"
        if path is None and sys.platform != "win32":
            raise NoChromiumError("there is no Chromium on this computer", remedy=remedy)
        self._playwright = await async_playwright().start()
        try:
            self._process = await self._playwright.chromium.launch(
                executable_path=path,
                channel=None if path else "msedge",
                args=list(_FLAGS),
                # As people have it: a page opens no window by itself.
                ignore_default_args=["--disable-popup-blocking"],
                chromium_sandbox=sys.platform == "linux" and os.geteuid() != 0,
                # Of itself it asks nobody: every context has a gate of its own, and nothing listens here.
                proxy={"server": "http://127.0.0.1:9"},
                timeout=_START_SECONDS * 900,
            )
        except Error as error:
            said = plain(error.message.strip().partition("\n")[0], 200)
            said = "it ended as soon as it began" if "has been closed" in said else said
            raise NoChromiumError(f"Chromium does not start: {said}", remedy=remedy) from error
        self.version = self._process.version

    def __exit__(self, *problem: object) -> None:
        """End it, whatever its pages do."""
        with contextlib.suppress(Exception):
            self.do(self._end(), 20.0)
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5.0)
        if not self._thread.is_alive():
            self._loop.close()

    async def _end(self) -> None:
        if self._meanwhile:
            await asyncio.wait(self._meanwhile, timeout=COMMAND_SECONDS)
        if self._process is not None:
            await self._process.close()
        if self._playwright is not None:
            await self._playwright.stop()

    async def context(self, proxy: str) -> BrowserContext:
        """A new browser that goes out by this proxy alone."""
        assert self._process is not None
        return await self._process.new_context(
            proxy={"server": proxy}, service_workers="block", accept_downloads=False, locale="en"
        )

    @property
    def ended(self) -> bool:
        """Whether it runs no more, although nobody ended it."""
        return self._process is not None and not self._process.is_connected()

    def do(self, action: Coroutine[Any, Any, T], seconds: float = COMMAND_SECONDS) -> T:
        """Let something be done in the browser, within its time.

        :raises TimeoutError: it takes longer.
        """
        return asyncio.run_coroutine_threadsafe(asyncio.wait_for(action, seconds), self._loop).result()

    def begin(self, action: Coroutine[Any, Any, None]) -> None:
        """Let something be done meanwhile; whether it comes off is nobody's concern, and it ends before the browser."""

        async def meanwhile() -> None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(action, COMMAND_SECONDS)

        def go() -> None:
            task = self._loop.create_task(meanwhile())
            self._meanwhile.add(task)
            task.add_done_callback(self._meanwhile.discard)

        self._loop.call_soon_threadsafe(go)
