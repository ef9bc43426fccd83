"""Which target next: in the order given, but never so many of one host that it is flooded or others wait for it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class FairQueue(Generic[_T]):
    """Hands out jobs grouped by host, at most ``per_host`` of a host at a time; one host's crowd delays only itself.

    Every job that was taken must be given back with :meth:`done`.
    """

    def __init__(self, jobs: Iterable[tuple[str, _T]], per_host: int) -> None:
        self._waiting: dict[str, deque[_T]] = {}
        self._active: dict[str, int] = {}
        self._per_host = per_host
        self._left = 0
        for host, job in jobs:
            self._waiting.setdefault(host, deque()).append(job)
            self._left += 1
        self._ready: deque[str] = deque(self._waiting)
        self._changed = asyncio.Condition()

    async def take(self) -> tuple[str, _T] | None:
        """The next job and its host, waiting for a host to become free; none when nothing is left."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._ready or not self._left)
            if not self._left:
                return None
            host = self._ready.popleft()
            jobs = self._waiting[host]
            job = jobs.popleft()
            self._left -= 1
            self._active[host] = self._active.get(host, 0) + 1
            if jobs and self._active[host] < self._per_host:
                self._ready.append(host)
            if not self._left:
                self._changed.notify_all()
            return host, job

    async def done(self, host: str) -> None:
        """Give a host's place back."""
        async with self._changed:
            was_full = self._active[host] >= self._per_host
            self._active[host] -= 1
            if was_full and self._waiting[host]:
                self._ready.append(host)
                self._changed.notify()
