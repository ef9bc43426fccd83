"""The product as a program: started by the rehearsal, watched, started again when it ended by itself; or just there."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

import httpx

from interlock.model.errors import InterlockError, NothingObservedError
from interlock.model.product import StartCommand
from interlock.model.text import plain

_POLL_SECONDS, _CONNECT_SECONDS, _STOP_SECONDS = 0.05, 2.0, 5.0
#: A product that ends more often than this is not started again.
MAX_DEATHS = 25
_MOST_TOLD = 2_000


def answers_at(url: str, pinned: str | None = None) -> bool:
    """Whether somebody takes a connection at an address, within two seconds."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    with (
        contextlib.suppress(OSError),
        socket.create_connection((pinned or parts.hostname or "", port), _CONNECT_SECONDS),
    ):
        return True
    return False


@dataclass
class Elsewhere:
    """A product that somebody else has started; it cannot be started again from here.

    :ivar seconds: for how long to wait until it is there.
    """

    url: str
    pinned: str | None = None
    seconds: float = 0
    deaths: int = 0

    def alive(self) -> bool:
        """Whether it takes connections."""
        return answers_at(self.url, self.pinned)

    def revive(self) -> bool:
        """Never."""
        return False

    def __enter__(self) -> Elsewhere:
        """Make sure that it is there.

        :raises NothingObservedError: nobody answers.
        """
        until = time.monotonic() + self.seconds
        while not self.alive():
            if time.monotonic() >= until:
                waited = f" after {self.seconds:g} s" if self.seconds else ""
                raise NothingObservedError(
                    f"nobody answers at {self.url}{waited}",
                    remedy="start your product first, or give product.yaml a start command",
                )
            time.sleep(_POLL_SECONDS)
        return self

    def __exit__(self, *problem: object) -> None:
        """Leave it as it is."""


@dataclass
class Started:
    """A product that the rehearsal starts, and ends when it is over.

    :ivar environment: what it is told besides what this process has: the simulated hospitals.
    :ivar launch_url: asked for readiness where the start command names nothing else.
    :ivar stop: asked while it starts whether somebody wants it to end now.
    """

    start: StartCommand
    launch_url: str
    folder: Path
    environment: Mapping[str, str]
    deaths: int = 0
    stop: Callable[[], bool] | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    def revive(self) -> bool:
        """Start it again if it ended; whether it had."""
        if self.alive() or self.deaths >= MAX_DEATHS:
            return False
        self.deaths += 1
        self._end()
        self._begin()
        return True

    def __enter__(self) -> Started:
        """Start it, and wait until it is ready.

        :raises InterlockError: the program is not there, or somebody else has its address already.
        :raises NothingObservedError: it ended or was not ready in time; tells what it said last.
        """
        ready = self.start.ready or self.launch_url
        if answers_at(ready):
            raise InterlockError(
                f"something answers at {ready} already, before the product was started",
                remedy="end it, or leave the start command out of product.yaml",
            )
        try:
            self._begin()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, and everything that it started."""
        self._end()

    def _begin(self) -> None:
        parts = urlsplit(self.launch_url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        filled = {"{python}": sys.executable, "{port}": str(port)}
        words = [filled.get(word, word) for word in shlex.split(self.start.command)]
        log = self.folder / "reports" / "rehearsal.log"
        try:
            log.parent.mkdir(exist_ok=True)
            with log.open("ab") as told:
                self._process = subprocess.Popen(  # noqa: S603  # the user has allowed this very command
                    words,
                    cwd=self.folder / (self.start.folder or "."),
                    env={**os.environ, **self.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=told,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except (OSError, ValueError) as error:
            raise InterlockError(
                f"the product could not be started: {error}", remedy="look at start.command in product.yaml"
            ) from error
        self._wait(log)

    def _wait(self, log: Path) -> None:
        """Until it answers, for as long as its start command says.

        A proxy in front of it answers before it does, with a 404 or 502; a launch address without a launch may do that
        for ever. So a refusal counts as an answer there, and not at an address that is named to tell.
        """
        until = time.monotonic() + self.start.seconds
        url = self.start.ready or self.launch_url
        heard = f"nobody answers at {url}"
        while time.monotonic() < until:
            if self.stop is not None and self.stop():
                raise NothingObservedError("the rehearsal was ended while the product started")
            if not self.alive():
                raise NothingObservedError(
                    f"the product ended while it started: {_last_words(log)}", remedy=f"look into {log}"
                )
            with contextlib.suppress(httpx.HTTPError):
                status = httpx.get(url, timeout=_CONNECT_SECONDS, trust_env=False).status_code
                if self.start.ready is None or status < httpx.codes.BAD_REQUEST:
                    return
                heard = f"the last answer at {url} was a page of status {status}"
            time.sleep(_POLL_SECONDS)
        raise NothingObservedError(
            f"the product was not ready after {self.start.seconds:g} s: {heard}",
            remedy=f"look into {log}, or give it more seconds",
        )

    def _end(self) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(_STOP_SECONDS)
        self._process = None


def _last_words(log: Path) -> str:
    """The end of what it wrote, on one line."""
    try:
        text = log.read_bytes()[-_MOST_TOLD:].decode("utf-8", "replace")
    except OSError:
        return "it said nothing"
    return plain(" ".join(text.split())[-300:], 300) or "it said nothing"
