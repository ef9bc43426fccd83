"""What one host is spared: requests at a time, requests a second, and requests while it asks to be left alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

#: Hosts that are remembered although no request to them is under way; only their pace would be forgotten.
_MAX_REMEMBERED = 4096


class HostQuietError(Exception):
    """A host asked to be left alone for longer than a request may wait.

    :ivar seconds: how much longer.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the host asked to wait {seconds:.0f} s more")
        self.seconds = seconds


@dataclass(slots=True)
class _Host:
    """One host: its free places, when the next request may start and until when it wants none (the loop's clock)."""

    free: asyncio.Semaphore
    next_start: float = 0.0
    quiet_until: float = 0.0
    users: int = 0


class HostLimits:
    """Limits that hold for every request, whichever target it belongs to.

    :param per_host: requests to one host at a time.
    :param rate: requests to one host that may start in a second, evenly spaced; none for no limit.
    """

    def __init__(self, per_host: int, rate: float | None = None) -> None:
        self._per_host = per_host
        self._gap = 1 / rate if rate else 0.0
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def place(self, host: str, deadline: float) -> AsyncIterator[None]:
        """A place in the host's queue, given when the limits allow the request to start.

        :raises HostQuietError: the host asked to be left alone until after the deadline (the loop's clock).
        """
        state = self._state(host)
        state.users += 1
        try:
            async with state.free:
                await self._wait(state, deadline)
                yield
        finally:
            state.users -= 1

    def hold(self, host: str, seconds: float) -> None:
        """Let no further request to a host start for some seconds: it said so itself (Retry-After)."""
        state = self._state(host)
        state.quiet_until = max(state.quiet_until, asyncio.get_running_loop().time() + seconds)

    async def _wait(self, state: _Host, deadline: float) -> None:
        """Take the next start that the limits allow, and wait for it; again when the host asked for quiet meanwhile."""
        loop = asyncio.get_running_loop()
        while True:
            if state.quiet_until > deadline:
                raise HostQuietError(state.quiet_until - loop.time())
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
