"""Names to addresses, each name once a run: what was judged public is what gets connected to."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
from math import inf
from typing import Any

from interlock.probe.addresses import Address
from interlock.probe.http import AbstractResolver, ResolveResult

_LOOKUPS_AT_A_TIME = 32
_FAILURE_HOLDS_S = 5.0
#: Names that are remembered; far more than targets are probed at a time, so a name holds as long as its target.
_MAX_REMEMBERED = 4096

_Found = list[tuple[socket.AddressFamily, str]]


class Resolver(AbstractResolver):
    """A caching resolver over ``getaddrinfo``.

    Lookups run in daemon threads of their own: a name server that does not answer then delays neither other targets
    (asyncio's default pool has few threads) nor the end of the program (which joins that pool).
    """

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[_Found]] = {}
        self._forget_at: dict[str, float] = {}
        self._slots = asyncio.Semaphore(_LOOKUPS_AT_A_TIME)

    async def addresses(self, host: str) -> tuple[Address, ...]:
        """Addresses of a name.

        :raises OSError: the name does not resolve (:class:`socket.gaierror`).
        """
        found = await self._lookup(host)
        return tuple(ipaddress.ip_address(text.partition("%")[0]) for _, text in found)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """What aiohttp's connector asks for; every family is given, the connector races them (RFC 8305)."""
        return [
            ResolveResult(
                hostname=host, host=text, port=port, family=found_family, proto=0, flags=socket.AI_NUMERICHOST
            )
            for found_family, text in await self._lookup(host)
        ]

    async def close(self) -> None:
        """Forget every lookup that is still under way."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()

    async def _lookup(self, host: str) -> _Found:
        task = self._tasks.get(host)
        loop = asyncio.get_running_loop()
        if task is None or self._forget_at.get(host, inf) < loop.time():
            task = loop.create_task(self._ask(host))
            task.add_done_callback(lambda done: self._settled(host, done))
            self._forget_at.pop(host, None)
            self._tasks[host] = task
            if len(self._tasks) > _MAX_REMEMBERED:
                self._forget_oldest()
        return await asyncio.shield(task)

    def _forget_oldest(self) -> None:
        oldest = next((host for host, task in self._tasks.items() if task.done()), None)
        if oldest is not None:
            del self._tasks[oldest]
            self._forget_at.pop(oldest, None)

    def _settled(self, host: str, task: asyncio.Task[_Found]) -> None:
        """What was found holds for the run; a failure is asked again after a while."""
        if task.cancelled() or task.exception() is not None:
            self._forget_at[host] = asyncio.get_running_loop().time() + _FAILURE_HOLDS_S

    async def _ask(self, host: str) -> _Found:
        async with self._slots:
            loop = asyncio.get_running_loop()
            answer: asyncio.Future[_Found] = loop.create_future()

            def settle(found: _Found | None, error: OSError | None) -> None:
                if answer.done():
                    return
                if error is not None:
                    answer.set_exception(error)
                else:
                    answer.set_result(found or [])

            def work() -> None:
                found, error = _getaddrinfo(host)
                with contextlib.suppress(RuntimeError):  # the loop may be closed by now
                    loop.call_soon_threadsafe(settle, found, error)

            threading.Thread(target=work, name=f"resolve {host[:40]}", daemon=True).start()
            return await answer


def _getaddrinfo(host: str) -> tuple[_Found | None, OSError | None]:
    try:
        rows: list[Any] = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        return None, error
    except UnicodeError:
        return None, socket.gaierror(socket.EAI_NONAME, "the name has an empty or too long label")
    found = dict.fromkeys((row[0], row[4][0]) for row in rows if row[0] in {socket.AF_INET, socket.AF_INET6})
    return list(found), None
