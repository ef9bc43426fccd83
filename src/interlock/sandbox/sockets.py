"""The sockets of a running sandbox, all of them on loopback."""

from __future__ import annotations

import errno
import socket
import sys

from interlock.model.errors import InterlockError

HOST = "127.0.0.1"


def listening(port: int, host: str = HOST) -> socket.socket:
    """A TCP socket that listens; 0 takes any free port.

    :raises InterlockError: the port is taken, not allowed, or out of range, or this computer has no such address.
    """
    sock = _socket()
    try:
        if sys.platform != "win32":  # there the option would let two programs share a port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen()
    except (OSError, OverflowError) as error:
        sock.close()
        raise _cannot_bind(host, port, error) from error
    return sock


def reserved() -> socket.socket:
    """A TCP socket with a port that never listens: connections are refused, and nobody else can take the port."""
    sock = _socket()
    sock.bind((HOST, 0))
    return sock


def _socket() -> socket.socket:
    # asyncio switches Nagle's algorithm off only where the protocol is named; with it on, each answer takes 40 ms more.
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)


def _cannot_bind(host: str, port: int, error: Exception) -> InterlockError:
    remedy = "choose another port, or 0 for any free one"
    number = getattr(error, "errno", None)
    if number == errno.EADDRNOTAVAIL:
        return InterlockError(f"this computer has no address {host}", remedy="give each hospital a port instead")
    if number == errno.EADDRINUSE:
        return InterlockError(f"port {port} is already used by another program", remedy=remedy)
    if number in (errno.EACCES, errno.EPERM):
        return InterlockError(f"port {port} may not be used by this user", remedy=remedy)
    return InterlockError(f"port {port} cannot be used: {error}", remedy=remedy)
