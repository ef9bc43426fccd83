"""Faults of delivery: bytes written to the connection itself, past HTTP's rules.

uvicorn gives an application no transport, so :class:`WireProtocol` hands it over as a scope extension. A connection
that a fault has touched always ends: aborted, closed, or reset.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from interlock.sandbox.exchange import Exchange, disconnected

TRANSPORT = "interlock.transport"

#: Writes an answer in its own way and ends the connection.
Delivery = Callable[[Exchange, asyncio.Transport, bytes, bytes], Awaitable[None]]

_BEFORE_RESET = 0.05
_DRIP_INTERVAL = 0.2


class WireProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol; its application finds the transport under ``scope["extensions"]``."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wrap the application for this connection."""
        super().connection_made(transport)
        application = self.app

        async def with_transport(scope: Any, receive: Any, send: Any) -> None:
            scope["extensions"] = {TRANSPORT: {"transport": transport}}
            await application(scope, receive, send)

        self.app = with_transport


class WireResponse(Response):
    """An answer that a wire fault delivers."""

    def __init__(self, exchange: Exchange, answer: Response, deliver: Delivery) -> None:
        super().__init__()
        self._exchange, self._answer, self._deliver = exchange, answer, deliver

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Deliver on the transport, then wait until the connection is gone."""
        transport: asyncio.Transport = scope["extensions"][TRANSPORT]["transport"]
        head, body = _head(self._answer), bytes(self._answer.body)
        try:
            await self._deliver(self._exchange, transport, head, body)
            if transport.is_closing():  # what is still to be flushed gets its time, but not forever
                await self._exchange.pause(self._exchange.state.timing.hang)
        finally:
            transport.abort()
        await disconnected(self._exchange.request)


def _head(response: Response) -> bytes:
    phrase = HTTPStatus(response.status_code).phrase.encode()
    lines = [b"%s: %s" % (name, value) for name, value in response.raw_headers]
    return b"\r\n".join([b"HTTP/1.1 %d %s" % (response.status_code, phrase), *lines, b"", b""])


async def _truncated(_: Exchange, transport: asyncio.Transport, head: bytes, body: bytes) -> None:
    transport.write(head + body[: len(body) // 2])
    transport.close()


async def _reset(_: Exchange, transport: asyncio.Transport, head: bytes, body: bytes) -> None:
    transport.write(head + body[: len(body) // 2])
    await asyncio.sleep(_BEFORE_RESET)
    connection = transport.get_extra_info("socket")
    # A linger time of zero makes closing send RST instead of FIN; Windows' structure has shorts.
    linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
    if connection is not None and not transport.is_closing():
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()


async def _hang(exchange: Exchange, _: asyncio.Transport, __: bytes, ___: bytes) -> None:
    await exchange.pause(exchange.state.timing.hang)


async def _drip(exchange: Exchange, transport: asyncio.Transport, head: bytes, body: bytes) -> None:
    transport.write(head)
    for index in range(min(len(body), int(exchange.state.timing.hang / _DRIP_INTERVAL))):
        await exchange.pause(_DRIP_INTERVAL)
        if transport.is_closing():
            return
        transport.write(body[index : index + 1])


#: Every fault of stage ``wire``.
DELIVERIES: dict[str, Delivery] = {"truncated": _truncated, "reset": _reset, "hang": _hang, "drip": _drip}
