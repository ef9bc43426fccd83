"""What a browser is to a check, whether it runs scripts or not: where it went, what it shows, how much it may do.

An address that is neither on this machine nor the user's own is told and never asked; what comes back is bounded in
bytes and time.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.cookiejar import Cookie
from typing import Literal, Protocol

from interlock.model.errors import InterlockError

MAX_BODY_BYTES = 2_000_000
#: Redirects of one page: fewer than Chromium itself follows, which tells of them in a page of its own making.
MAX_HOPS = 18
PAGE_SECONDS = 15.0

#: Why a page is not the end of its way: an address elsewhere, redirects without end, no answer, an answer without end.
Stopped = Literal["elsewhere", "redirects", "no_answer", "too_slow", "too_large"]


class BudgetSpentError(InterlockError):
    """A rehearsal has sent as many requests, or taken as long, as it may."""


@dataclass(slots=True)
class Budget:
    """How much a rehearsal may do: requests of its browsers, and seconds until it ends.

    :ivar stop: asked before each request whether somebody wants it to end now.
    """

    requests: int
    until: float
    sent: int = 0
    stop: Callable[[], bool] | None = None

    def spend(self) -> None:
        """Count one request.

        :raises BudgetSpentError: it would be one too many, or too late, or is not wanted any more.
        """
        if self.stop is not None and self.stop():
            raise BudgetSpentError("it was told to stop")
        if self.sent >= self.requests:
            raise BudgetSpentError(f"it had sent {self.requests} requests, which is its limit")
        if time.monotonic() > self.until:
            raise BudgetSpentError("it had taken as long as it may")
        self.sent += 1


@dataclass(frozen=True, slots=True)
class Hop:
    """One request of a browser and its answer; ``set_cookies`` are the headers as they came."""

    method: str
    url: str
    status: int
    location: str | None
    set_cookies: tuple[str, ...]
    headers: Mapping[str, str]
    seconds: float


@dataclass(frozen=True, slots=True)
class Page:
    """Where a browser ended: the last answer, and the way to it.

    :ivar stopped: why it did not get further; ``next`` is the address that it did not ask, and ``method`` and ``form``
        are how it would have.
    :ivar visible: what a person reads on it, where the browser can tell that from what is only there; else none.
    :ivar frames: the addresses of what its frames show.
    """

    url: str
    status: int
    text: str
    headers: Mapping[str, str]
    way: tuple[Hop, ...]
    stopped: Stopped | None = None
    next: str = ""
    method: str = "GET"
    form: Mapping[str, str] | None = None
    visible: str | None = None
    frames: tuple[str, ...] = ()

    def shows(self, mark: str) -> bool:
        """Whether a canary stands in it, in letters of any case."""
        return mark in self.text.lower()

    @property
    def refused(self) -> bool:
        """Whether it is an answer of the application that says no: a status of 4xx."""
        return self.stopped is None and 400 <= self.status < 500

    @property
    def told(self) -> str:
        """What it is, in a few words."""
        if self.stopped == "elsewhere":
            return f"a redirect to {self.next[:100]}"
        words = {"redirects": "redirects without end", "no_answer": "no answer", "too_slow": "no answer in time"}
        if self.stopped is not None:
            return words.get(self.stopped, "an answer without end")
        return f"a page of status {self.status}"


def masked(text: str) -> str:
    """A text without what differs from one look to the next: long marks and numbers."""
    return " ".join(re.sub(r"[\w-]{20,}|\d+", "#", text).split())


class UnsettledError(Exception):
    """A page did not come to rest, or not within its time, so that nothing can be said of it; says so."""


class Browser(Protocol):
    """One browser with cookies of its own, and one tab of it."""

    def open(
        self,
        url: str,
        *,
        method: str = "GET",
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        hops: int = MAX_HOPS,
        until: Sequence[str] = (),
    ) -> Page:
        """Go to an address and on, until a page shows.

        :param content: a body that is no form, for the first request alone.
        :param hops: redirects to follow.
        :param until: beginnings of addresses at which to stop before asking them; the page says ``elsewhere``.
        :raises BudgetSpentError: the rehearsal may do no more.
        """

    @property
    def cookies(self) -> tuple[Cookie, ...]:
        """Every cookie that it holds."""

    def hold(self, cookie: Cookie) -> None:
        """Take a cookie over from another browser."""

    def tab(self) -> Browser:
        """Another tab: the same cookies, and a page of its own."""

    def close(self) -> None:
        """Forget everything."""
