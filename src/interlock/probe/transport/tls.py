"""TLS: the contexts that verify servers, and a look at a host's own by handshakes that verify and send nothing.

"Refused" is only ever said of an answer that came from the other side. OpenSSL 3 itself does not try TLS 1.0 and 1.1 at
its default security level; here they are tried at level 0, and only after this machine has shown, against itself, that
it can (RFC 8996, RFC 9325).
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import warnings
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import certifi

from interlock.model.errors import InterlockError
from interlock.model.facts import Certificate, TlsOffer, TlsVersion
from interlock.model.text import plain
from interlock.probe.transport.failures import RequestFailed
from interlock.probe.transport.settings import ClientCertificate, ProbeSettings

#: Gives a turn in the host's queue, for as long as the context lasts.
Slot = Callable[[], AbstractAsyncContextManager[None]]

#: Every version that current libraries can try at all; SSL 2 and 3 are in none of them.
VERSIONS: dict[TlsVersion, ssl.TLSVersion] = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
_PAIRS: tuple[tuple[TlsVersion, TlsVersion], ...] = (("TLSv1", "TLSv1.1"), ("TLSv1.2", "TLSv1.3"))
_EVERYTHING = "ALL:@SECLEVEL=0"

#: OpenSSL's reasons that stand for an answer of the server: an alert, or a hello of another version.
_REFUSALS = (
    "ALERT_PROTOCOL_VERSION",
    "ALERT_HANDSHAKE_FAILURE",
    "ALERT_INSUFFICIENT_SECURITY",
    "ALERT_INTERNAL_ERROR",  # OpenSSL 3 as a server that allows old versions, and whose security level forbids them
    "UNSUPPORTED_PROTOCOL",
    "WRONG_SSL_VERSION",
    "UNEXPECTED_EOF",
)
#: The handshake had come to the client's own certificate: the version was agreed on.
_AGREED = ("CERTIFICATE_REQUIRED", "ALERT_BAD_CERTIFICATE", "ALERT_UNKNOWN_CA", "ALERT_CERTIFICATE")


def tls_context(settings: ProbeSettings, *, identified: bool) -> ssl.SSLContext:
    """The context that verifies servers, by the system's and certifi's authorities and those of the settings.

    :param identified: it presents the settings' client certificate.
    :raises InterlockError: the file or directory holds no certificates, or the certificate or its key cannot be used.
    """
    if settings.ca_bundle is None and not identified:
        return _default_context()
    context = _new_context()
    if settings.ca_bundle is not None:
        _trust(context, settings.ca_bundle)
    if identified and settings.client_certificate is not None:
        _present(context, settings.client_certificate)
    return context


def _trust(context: ssl.SSLContext, path: Path) -> None:
    try:
        context.load_verify_locations(
            cafile=str(path) if path.is_file() else None, capath=str(path) if path.is_dir() else None
        )
    except (OSError, ssl.SSLError, TypeError) as error:
        raise InterlockError(
            f"{path} holds no CA certificates that can be read", remedy="give a PEM file or a directory of them"
        ) from error


def _present(context: ssl.SSLContext, own: ClientCertificate) -> None:
    try:
        context.load_cert_chain(own.certificate, own.key, own.password or "")
    except (OSError, ssl.SSLError) as error:
        raise InterlockError(
            f"the client certificate {plain(own.certificate, 200)} cannot be used",
            remedy="give a PEM certificate, its private key, and the key's password when it has one",
        ) from error


def _new_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=certifi.where())
    # A certificate without subjectAltName is refused: its common name names no host (RFC 9525).
    context.hostname_checks_common_name = False
    return context


#: The context of the system's and certifi's certificates, loaded once: that takes tens of milliseconds.
_default_context = cache(_new_context)


@dataclass(frozen=True, slots=True)
class Inspection:
    """Result of the handshakes: the chain as presented, the version negotiated, and each version that was tried."""

    chain: tuple[Certificate, ...] = ()
    negotiated: str | None = None
    versions: dict[TlsVersion, TlsOffer] | None = None


async def inspect(
    host: str,
    address: str,
    port: int,
    deadline: float,
    slot: Slot,
    *,
    connect_timeout_s: float = 5.0,
    versions: bool = True,
) -> Inspection:
    """Look at a host's TLS, two connections at a time at most; nothing is sent but the handshakes. Never raises.

    ``address`` is the host's, already judged: nothing is resolved here. ``deadline`` is on the loop's clock. Each
    handshake waits for ``slot``, as a request does. A version that could not be tried in time, or because the host
    asked to be left alone, is ``cannot_tell``.
    """
    peer = _Peer(host, address, port, deadline, connect_timeout_s, slot)
    chain, negotiated = await peer.presented()
    if not versions:
        return Inspection(chain, negotiated)
    offers: dict[TlsVersion, TlsOffer] = {}
    for pair in _PAIRS:  # two at a time: some networks drop connections silently, and every silence takes its time
        offers |= zip(pair, await asyncio.gather(*map(peer.offers, pair)), strict=True)
    if "offered" not in offers.values():  # a server that takes none of them is not understood
        offers = dict.fromkeys(offers, "cannot_tell")
    return Inspection(chain, negotiated, offers)


class _Peer:
    """A host and port, and how long a handshake with it may take."""

    def __init__(self, host: str, address: str, port: int, deadline: float, limit: float, slot: Slot) -> None:
        self._host, self._address, self._port = host, address, port
        self._deadline, self._limit, self._slot = deadline, limit, slot

    async def presented(self) -> tuple[tuple[Certificate, ...], str | None]:
        """The chain, and the version of a handshake in which everything is offered."""
        from interlock.probe.transport.tls_certificates import read_chain

        try:
            async with self._connected(_context(None)) as handshake:
                return read_chain(_chain(handshake), datetime.now(UTC)), handshake.version()
        except (OSError, TimeoutError, ValueError, RequestFailed):
            return (), None

    async def offers(self, version: TlsVersion) -> TlsOffer:
        """Whether the server agrees to a version when offered nothing else."""
        if not can_try(version):
            return "cannot_tell"
        try:
            async with self._connected(_context(version)):
                return "offered"
        except ssl.SSLError as error:
            reason = error.reason or ""
            if any(word in reason for word in _AGREED):
                return "offered"
            ended = isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)
            return "refused" if ended or any(word in reason for word in _REFUSALS) else "cannot_tell"
        except (ConnectionResetError, ConnectionAbortedError, BrokenPipeError):
            return "refused"
        except (OSError, TimeoutError, ValueError, RequestFailed):
            return "cannot_tell"

    @contextlib.asynccontextmanager
    async def _connected(self, context: ssl.SSLContext) -> Any:
        loop = asyncio.get_running_loop()
        if loop.time() >= self._deadline:  # a timeout ends only a wait: a connection would still be begun
            raise TimeoutError
        async with asyncio.timeout_at(self._deadline), self._slot():
            async with asyncio.timeout_at(min(self._deadline, loop.time() + self._limit)):
                _, writer = await asyncio.open_connection(
                    self._address, self._port, ssl=context, server_hostname=self._host
                )
            try:
                yield writer.get_extra_info("ssl_object")
            finally:
                writer.transport.abort()


def _chain(handshake: Any) -> Iterable[bytes]:
    """DER of every certificate presented; Python before 3.13 has it on an inner object only, and not yet as bytes."""
    holder = handshake if hasattr(handshake, "get_unverified_chain") else handshake._sslobj
    presented = holder.get_unverified_chain() or ()
    der = 2  # ENCODING_DER
    return [known if isinstance(known, bytes) else known.public_bytes(der) for known in presented]


@cache
def _context(version: TlsVersion | None) -> ssl.SSLContext:
    """A client context that accepts any certificate and offers a single version, or all of them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    _limit(context, version)
    return context


def _limit(context: ssl.SSLContext, version: TlsVersion | None) -> None:
    context.set_ciphers(_EVERYTHING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # trying the old versions is the purpose
        context.minimum_version = VERSIONS[version or "TLSv1"]
        if version is not None:
            context.maximum_version = VERSIONS[version]


@cache
def can_try(version: TlsVersion) -> bool:
    """Whether this machine's OpenSSL can do a version at all: an anonymous handshake with itself, in memory."""
    if version in {"TLSv1.2", "TLSv1.3"}:
        return True
    try:
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _limit(server, version)
        return _handshake(_context(version), server)
    except (ssl.SSLError, ValueError):
        return False


def _handshake(client: ssl.SSLContext, server: ssl.SSLContext) -> bool:
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server, server_hostname="localhost"),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    for _ in range(10):
        done = 0
        for end in ends:
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
                done += 1
        if done == len(ends):
            return True
    return False
