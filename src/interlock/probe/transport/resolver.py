"""Names to addresses, each name once a run, and the judgement of every address that is connected to."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from concurrent.futures import Future
from typing import Any

from interlock.model.text import plain
from interlock.probe.transport.addresses import REASONS, Kind, is_loopback, is_loopback_host, kind_of, literal
from interlock.probe.transport.failures import RequestFailed
from interlock.probe.transport.http import AbstractResolver, ResolveResult, aiohttp

_LOOKUPS_AT_A_TIME = 32
_FAILURE_HOLDS_S = 5.0
#: Names that are remembered; far more than targets are probed at a time, so a name holds as long as its target.
_MAX_REMEMBERED = 4096
#: Addresses of a name that a connection may try.
_MAX_ADDRESSES = 8

_Addresses = list[tuple[socket.AddressFamily, str]]

PUBLIC: frozenset[Kind] = frozenset({"public"})
PUBLIC_OR_PRIVATE: frozenset[Kind] = PUBLIC | {"private"}
#: For the proxy, which the user named: it may be anywhere.
ANYTHING: frozenset[Kind] = PUBLIC_OR_PRIVATE | {"never"}


class Resolver:
    """A caching resolver over ``getaddrinfo``.

    Lookups run in daemon threads of their own: a name server that does not answer then delays neither other targets
    (asyncio's default pool has few threads) nor the end of the program (which joins that pool).
    """

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[_Addresses]] = {}
        self._slots = asyncio.Semaphore(_LOOKUPS_AT_A_TIME)

    async def usable(self, host: str, kinds: frozenset[Kind]) -> _Addresses:
        """The addresses of a host, a name or an address in any spelling, to which a connection may be made.

        Of a host that has public and other addresses only the public ones are used.

        :raises RequestFailed: it has addresses, and none of these kinds.
        :raises OSError: the name does not resolve (:class:`socket.gaierror`).
        """
        addresses = [(kind_of(ipaddress.ip_address(text)), family, text) for family, text in await self._lookup(host)]
        if is_loopback_host(host):  # whatever a name server says of such a name
            addresses = [row for row in addresses if is_loopback(ipaddress.ip_address(row[2]))]
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "the name has no address")
        public = [row for row in addresses if row[0] == "public"]
        usable = public or [row for row in addresses if row[0] in kinds]
        if not usable:
            raise refusal(host, "private" if any(kind == "private" for kind, _, _ in addresses) else "never")
        return [(family, text) for _, family, text in usable[:_MAX_ADDRESSES]]

    async def close(self) -> None:
        """Forget every lookup that is still under way."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()

    async def _lookup(self, host: str) -> _Addresses:
        if (address := literal(host)) is not None:
            return [(socket.AF_INET if address.version == 4 else socket.AF_INET6, str(address))]
        task = self._tasks.get(host)
        if task is None:
            if len(self._tasks) >= _MAX_REMEMBERED:
                self._forget_oldest()
            task = self._tasks[host] = asyncio.create_task(self._ask(host))
            task.add_done_callback(lambda done: self._settled(host, done))
        return await asyncio.shield(task)

    def _forget_oldest(self) -> None:
        oldest = next((host for host, task in self._tasks.items() if task.done()), None)
        if oldest is not None:
            del self._tasks[oldest]

    def _settled(self, host: str, task: asyncio.Task[_Addresses]) -> None:
        """Let a failed lookup be asked again after a while; addresses hold for the run."""
        if not task.cancelled() and task.exception() is not None:
            asyncio.get_running_loop().call_later(_FAILURE_HOLDS_S, self._tasks.pop, host, None)

    async def _ask(self, host: str) -> _Addresses:
        async with self._slots:
            resolved: Future[_Addresses] = Future()
            thread = threading.Thread(target=_look_up, args=(host, resolved), name=f"resolve {host[:40]}", daemon=True)
            thread.start()
            return await asyncio.wrap_future(resolved)


class Gate(AbstractResolver):
    """The gate for the connections of a pool: each address is judged, and exactly the judged address is connected to.

    Names are judged when they are resolved; a host written as an address bypasses that, so sockets are made here too.
    """

    def __init__(self, resolver: Resolver, kinds: frozenset[Kind]) -> None:
        self._resolver = resolver
        self._kinds = kinds

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Addresses for aiohttp's connector; every family is given, the connector races them (RFC 8305)."""
        return [
            ResolveResult(hostname=host, host=text, port=port, family=known, proto=0, flags=socket.AI_NUMERICHOST)
            for known, text in await self._resolver.usable(host, self._kinds)
        ]

    def socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        """A socket for an address, just before it is connected.

        :raises RequestFailed: the address is not allowed.
        """
        family, type_, protocol, _, (address, *_) = info
        kind = kind_of(ipaddress.ip_address(address))
        if kind not in self._kinds:
            raise refusal(str(address), kind)
        return socket.socket(family, type_, protocol)

    async def close(self) -> None:
        """Nothing: the resolver belongs to the client."""


def refusal(host: str, kind: Kind) -> RequestFailed:
    """The failure of a request to a host that is not contacted."""
    return RequestFailed("refused", f"{plain(host, 100)} {REASONS[kind]}")


def _look_up(host: str, resolved: Future[_Addresses]) -> None:
    if not resolved.set_running_or_notify_cancel():
        return
    try:
        rows: list[Any] = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        families = {socket.AF_INET, socket.AF_INET6}
        resolved.set_result(list(dict.fromkeys((row[0], row[4][0]) for row in rows if row[0] in families)))
    except UnicodeError:
        resolved.set_exception(socket.gaierror(socket.EAI_NONAME, "the name has an empty or too long label"))
    except Exception as error:
        resolved.set_exception(error)
