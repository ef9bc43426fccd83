"""Connections: a small aiohttp session for each origin, and only so many kept idle.

Measured on loopback: a single connector costs as much a request as a connector an origin, but it keeps the connections
of every host it ever met until they time out. A run over thirty thousand hosts would keep thousands open.

The bytes of an answer are counted as they arrive, so that a server cannot send without an end: the parser of HTTP drops
informational answers, extensions of chunks and empty lines, and nobody behind it can tell how many of them came.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from interlock.probe.transport.addresses import Kind, Origin
from interlock.probe.transport.failures import RequestFailed
from interlock.probe.transport.http import ResponseHandler, aiohttp
from interlock.probe.transport.resolver import Gate, Resolver

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
        connector = _BoundedConnector(
            self._max_bytes,
            resolver=gate,
            socket_factory=gate.socket,
            use_dns_cache=False,
            ssl=context if context is not None else True,
            limit=0,
            keepalive_timeout=_KEEPALIVE_S,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            max_line_size=_MAX_HEADER_LINE,
            max_field_size=_MAX_HEADER_LINE,
        )


class _BoundedConnector(aiohttp.TCPConnector):
    """A connector whose connections end when the answer to a request is far larger than any body may be."""

    def __init__(self, max_bytes: int, **named: Any) -> None:
        super().__init__(**named)
        bounded: partial[Any] = partial(_BoundedHandler, 2 * max_bytes + _BESIDES, loop=self._loop)
        self._factory = bounded


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
