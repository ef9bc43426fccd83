"""Connections: names to addresses, each name once a run; the judgement of every address; a small pool for each origin.

Measured on loopback: a single connector costs as much a request as a connector an origin, but it keeps the connections
of every host it ever met until they time out. A run over thirty thousand hosts would keep thousands open.

The bytes of an answer are counted as they arrive, so that a server cannot send without an end: the parser of HTTP drops
informational answers, extensions of chunks and empty lines, and nobody behind it can tell how many of them came.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import threading
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from interlock.model.text import plain
from interlock.probe.transport.addresses import REASONS, Kind, Origin, is_loopback, is_loopback_host, kind_of, literal
from interlock.probe.transport.failures import RequestFailed
from interlock.probe.transport.http import AbstractResolver, ResolveResult, ResponseHandler, aiohttp

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


#: Origins whose connections stay open although nobody uses them; the least recently used goes first.
MAX_IDLE_ORIGINS = 32
_KEEPALIVE_S = 5.0
_MAX_HEADER_LINE = 65_536
#: Bytes beyond twice the largest body: for headers, and for the framing of a body in small chunks.
_BESIDES = 1_000_000

Key = tuple[Origin, str | None, bool]


@dataclass(slots=True)
class _Pool:
    session: aiohttp.ClientSession
    users: int = 0


class Pools:
    """Hands out aiohttp sessions by origin, proxy and whether the client certificate is presented."""

    def __init__(self, resolver: Resolver, max_bytes: int) -> None:
        self._resolver = resolver
        self._max_bytes = max_bytes
        self._pools: OrderedDict[Key, _Pool] = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()

    @contextmanager
    def session(
        self, key: Key, kinds: frozenset[Kind], context: ssl.SSLContext | None
    ) -> Iterator[aiohttp.ClientSession]:
        """The session of a key for as long as the context lasts; ``context`` is none where there is no TLS.

        ``kinds`` are the addresses that its connections may be made to; a key always has the same.
        """
        pool = self._pools.get(key)
        if pool is None:
            pool = self._pools[key] = _Pool(self._new(Gate(self._resolver, kinds), context))
        pool.users += 1
        try:
            yield pool.session
        finally:
            pool.users -= 1
            self._pools.move_to_end(key)
            if len(self._pools) > MAX_IDLE_ORIGINS:
                self._shrink()

    async def close(self) -> None:
        """Close every connection and wait until they are closed."""
        for pool in self._pools.values():
            await pool.session.close()
        self._pools.clear()
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _shrink(self) -> None:
        """Close the least recently used sessions that nobody uses."""
        excess = len(self._pools) - MAX_IDLE_ORIGINS
        idle = [key for key, pool in self._pools.items() if not pool.users][:excess]
        for key in idle:
            task = asyncio.create_task(self._pools.pop(key).session.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def _new(self, gate: Gate, context: ssl.SSLContext | None) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=gate,
            socket_factory=gate.socket,
            use_dns_cache=False,
            ssl=context if context is not None else True,
            limit=0,
            keepalive_timeout=_KEEPALIVE_S,
        )
        _bound(connector, 2 * self._max_bytes + _BESIDES)
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            max_line_size=_MAX_HEADER_LINE,
            max_field_size=_MAX_HEADER_LINE,
        )


def _bound(connector: aiohttp.TCPConnector, limit: int) -> None:
    """Let the connections of a connector end when more bytes than any answer may have come in answer to one request.

    aiohttp has no setting for it, and its parser hides what it drops: the bytes are counted in front of it.
    """
    factory: partial[Any] = partial(_BoundedHandler, limit, loop=asyncio.get_running_loop())
    connector._factory = factory


class _BoundedHandler(ResponseHandler):
    def __init__(self, limit: int, *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._limit = limit
        self._came = 0

    def close(self) -> None:
        """End the connection at once. A close over TLS waits for the server's farewell, which may never come."""
        self.abort()

    def set_response_params(self, **named: Any) -> None:
        """Begin the answer to another request on this connection."""
        self._came = 0
        super().set_response_params(**named)

    def data_received(self, data: bytes) -> None:
        """Take some bytes, or end the connection."""
        self._came += len(data)
        if self._came <= self._limit:
            super().data_received(data)
        elif self.transport is not None:
            failure = RequestFailed("too_large", f"more than {self._limit:,} bytes came in answer to one request")
            if self._payload is not None:
                self._payload.set_exception(failure)
            self.set_exception(failure)
            self.transport.abort()
