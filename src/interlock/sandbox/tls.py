"""The TLS of hospitals that speak https: a right certificate each, or for a while one that is wrong.

Their authority is the same on every machine, so that a product has to trust it once; it can vouch for nothing but this
computer (RFC 5280 section 4.2.1.10, name constraints), so whoever has its key can do no harm with it.
"""

from __future__ import annotations

import asyncio
import datetime
import functools
import ipaddress
import socket
import ssl
from collections.abc import Callable
from typing import Literal

from cryptography import x509

from interlock.sandbox.certificates import EXPIRED, Authority
from interlock.sandbox.signing import published_ec_key

#: What can be wrong with a certificate.
Wrong = Literal["an expired certificate", "a certificate of another host", "a certificate of an unknown authority"]
_ANOTHER = "127.0.0.254"
_HELLO_SECONDS = 5.0
#: With this byte a TLS connection begins (RFC 8446 section 5.1, handshake).
_HANDSHAKE = b"\x16"


@functools.cache
def published_authority() -> Authority:
    """The authority of every simulated hospital that speaks https."""
    return Authority("Interlock rehearsal", published_ec_key("interlock rehearsal authority, published"), local=True)


class Presenting:
    """The certificate that one hospital presents.

    :ivar context: of its socket.
    :ivar begun: how many handshakes have begun.
    """

    def __init__(self, host: str) -> None:
        self._host = host
        self._wrong: ssl.SSLContext | None = None
        self.begun = 0
        self.context = self._of(published_authority(), host)
        self.context.num_tickets = 0  # a session that is resumed shows no certificate
        self.context.sni_callback = self._choose

    def present(self, wrong: Wrong | None) -> None:
        """Present a certificate that is wrong from now on, or the right one again."""
        made: dict[Wrong, Callable[[], ssl.SSLContext]] = {
            "an expired certificate": lambda: self._of(published_authority(), self._host, EXPIRED),
            "a certificate of another host": lambda: self._of(published_authority(), _ANOTHER),
            "a certificate of an unknown authority": lambda: self._of(Authority("Nobody's authority"), self._host),
        }
        self._wrong = made[wrong]() if wrong is not None else None

    def _choose(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        """OpenSSL asks at each handshake, whether a name was sent or not."""
        self.begun += 1
        if self._wrong is not None:
            connection.context = self._wrong

    def _of(self, authority: Authority, host: str, until: datetime.datetime | None = None) -> ssl.SSLContext:
        return authority.server([x509.IPAddress(ipaddress.ip_address(host))], until)


async def accept_either(
    sock: socket.socket, context: ssl.SSLContext, protocol: Callable[[], asyncio.BaseProtocol]
) -> None:
    """Serve a socket on which TLS is spoken, and plain HTTP to whoever begins so, until this is cancelled."""
    loop = asyncio.get_running_loop()
    sock.setblocking(False)
    begun: set[asyncio.Task[None]] = set()

    async def begin(connection: socket.socket) -> None:
        try:
            async with asyncio.timeout(_HELLO_SECONDS):
                first = await _peeked(connection)
            secured = context if first == _HANDSHAKE else None
            await loop.connect_accepted_socket(protocol, connection, ssl=secured)
        except (OSError, TimeoutError):
            connection.close()

    try:
        while True:
            connection, _ = await loop.sock_accept(sock)
            connection.setblocking(False)
            task = loop.create_task(begin(connection))
            begun.add(task)
            task.add_done_callback(begun.discard)
    finally:
        for task in begun:
            task.cancel()


async def _peeked(connection: socket.socket) -> bytes:
    """The first byte of a connection, which stays there to be read."""
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(connection, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(connection)
    return connection.recv(1, socket.MSG_PEEK)
