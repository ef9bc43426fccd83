"""Limits that spare a host: requests at a time, requests a second, and none while it asks to be left alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from interlock.model.text import plain
from interlock.probe.transport.failures import RequestFailed

#: Statuses that ask for a pause; after it a second attempt may succeed (RFC 6585 section 4, RFC 9110 section 15.6.4).
SLOW_DOWN = frozenset({429, 503})
#: A server that asks for more is not believed: it is tried again after this, in seconds.
MAX_HOLD_S = 300.0
#: Hosts that are remembered although no request to them is under way; only their pace would be forgotten.
_MAX_REMEMBERED = 4096


@dataclass(slots=True)
class _Host:
    """A host: its free slots, when the next request may start and until when it wants none (the loop's clock)."""

    free: asyncio.Semaphore
    next_start: float = 0.0
    quiet_until: float = 0.0
    users: int = 0


class HostLimits:
    """Limits that hold for every request and every handshake of an inspection, whichever target it belongs to.

    :param per_host: requests and handshakes to a host at a time.
    :param rate: requests and handshakes to a host that may start in a second, evenly spaced; none for no limit.
    """

    def __init__(self, per_host: int, rate: float | None = None) -> None:
        self._per_host = per_host
        self._gap = 1 / rate if rate else 0.0
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def slot(self, host: str, deadline: float) -> AsyncIterator[None]:
        """A turn in the host's queue, given when the limits allow the request to start.

        :raises RequestFailed: the host asked to be left alone until after the deadline (the loop's clock).
        """
        state = self._state(host)
        state.users += 1
        try:
            async with state.free:
                await self._wait(host, state, deadline)
                yield
        finally:
            state.users -= 1

    def hold(self, host: str, seconds: float) -> None:
        """Let no further request to a host start for some seconds: the host asked for that (Retry-After)."""
        state = self._state(host)
        state.quiet_until = max(state.quiet_until, asyncio.get_running_loop().time() + seconds)

    async def _wait(self, host: str, state: _Host, deadline: float) -> None:
        """Take the next start that the limits allow, and wait for it; again when the host asked for quiet meanwhile."""
        loop = asyncio.get_running_loop()
        while True:
            if state.quiet_until > deadline:
                seconds = state.quiet_until - loop.time()
                raise RequestFailed(
                    "timeout", f"not sent: {plain(host, 100)} asked to be left alone for {seconds:.0f} s more"
                )
            start = max(loop.time(), state.next_start, state.quiet_until)
            state.next_start = start + self._gap
            if (pause := start - loop.time()) > 0:
                await asyncio.sleep(pause)
            if state.quiet_until <= loop.time():
                return

    def _state(self, host: str) -> _Host:
        state = self._hosts.get(host)
        if state is None:
            if len(self._hosts) >= _MAX_REMEMBERED:
                self._forget()
            state = self._hosts[host] = _Host(asyncio.Semaphore(self._per_host))
        return state

    def _forget(self) -> None:
        now = asyncio.get_running_loop().time()
        for host, state in list(self._hosts.items()):
            if not state.users and max(state.next_start, state.quiet_until) <= now:
                del self._hosts[host]


def asked_to_wait(status: int | None, headers: Mapping[str, str]) -> float | None:
    """Seconds that an answer asks to wait (RFC 9110 section 10.2.3: seconds or a date), or none."""
    if status not in SLOW_DOWN:
        return None
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        until = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None
    moment = until.timestamp() if until.tzinfo else until.replace(tzinfo=UTC).timestamp()
    return max(0.0, moment - time.time())
