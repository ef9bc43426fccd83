"""Why a request failed: a word for machines and a sentence for people, from whatever the layers below raised."""

from __future__ import annotations

import errno
import socket
import ssl
from dataclasses import dataclass
from typing import Literal

from interlock.model.text import plain
from interlock.probe.transport.http import aiohttp

FailureWord = Literal[
    "dns", "connect", "tls", "timeout", "reset", "truncated", "too_large", "redirect", "protocol", "refused"
]
Phase = Literal["connect", "answer", "body"]

#: OpenSSL's verification codes (x509_vfy.h) → the probe's words for them.
_VERIFY_WORDS = {
    9: "not_yet_valid",
    10: "expired",
    18: "self_signed",
    19: "untrusted_issuer",
    20: "untrusted_issuer",
    21: "untrusted_issuer",
    62: "hostname_mismatch",
    64: "hostname_mismatch",
}

#: Parts of OpenSSL's other reasons → the probe's words for them.
_REASON_WORDS = {
    "WRONG_VERSION_NUMBER": "not_tls",
    "HTTP_REQUEST": "not_tls",
    "CERTIFICATE_REQUIRED": "client_certificate",
    "PROTOCOL_VERSION": "version",
    "UNSUPPORTED_PROTOCOL": "version",
    "NO_SHARED": "version",
}

#: Words for a certificate that was presented and not accepted.
CERTIFICATE_WORDS = frozenset({*_VERIFY_WORDS.values(), "other"})

_TLS_SENTENCES = {
    "not_yet_valid": "the certificate of {host} is not valid yet (by this machine's clock)",
    "expired": "the certificate of {host} has expired",
    "self_signed": "the certificate of {host} is self-signed",
    "untrusted_issuer": (
        "the certificate of {host} was issued by nobody this machine trusts: its chain is incomplete, "
        "a middlebox presented its own, or a certificate authority is missing here"
    ),
    "hostname_mismatch": "the certificate presented is not for {host}",
    "client_certificate": "{host} demands a client certificate",
    "version": "{host} and this machine share no TLS version or cipher",
    "not_tls": "{host} does not speak TLS on this port",
    "other": "the TLS handshake with {host} failed",
}

_UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM}
_RESET = {errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED}


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed request.

    :ivar tls: the probe's word for a failed handshake or certificate, otherwise none.
    :ivar status: the HTTP status of an answer that may have been a proxy's own, otherwise none.
    """

    word: FailureWord
    detail: str
    tls: str | None = None
    status: int | None = None


class RequestFailed(Exception):  # noqa: N818  # it carries a failure, and is no error of the program
    """Raised inside the client to end a request with a failure that is already understood."""

    def __init__(self, word: FailureWord, detail: str) -> None:
        super().__init__(detail)
        self.failure = Failure(word, detail)


def classify(error: BaseException, host: str, phase: Phase, *, connect_timeout_s: float) -> Failure | None:
    """The failure that an exception stands for; none when it is no failure of the network or the server.

    ``phase`` is how far the request had come: a connection that breaks while the body arrives is a truncated answer.
    """
    chain = _chain(error)
    host = plain(host, 100)
    for cause in chain:
        match cause:
            case RequestFailed():
                return cause.failure
            case aiohttp.ClientHttpProxyError():
                return Failure("connect", f"the proxy opens no tunnel to {host}: it answered HTTP {cause.status}")
            case aiohttp.ClientProxyConnectionError():
                return Failure("connect", f"the proxy cannot be reached, so that {host} could not be asked")
            # aiohttp's own certificate error is an SSLError too, without its attributes; the real error is inside.
            case ssl.SSLError() if not isinstance(cause, aiohttp.ClientError):
                return _tls(cause, host)
            case socket.gaierror(errno=socket.EAI_AGAIN):
                return Failure("dns", f"the name servers gave no answer for {host}")
            case socket.gaierror():
                return Failure("dns", f"the name {host} could not be resolved from where we looked")
            case UnicodeError():  # a name that looks internationalised and is not
                return Failure("dns", f"{host} is no name that can be looked up")
    if any(isinstance(cause, aiohttp.ClientConnectorDNSError) for cause in chain):
        return Failure("dns", f"the name {host} has no address that could be found from where we looked")
    if any(isinstance(cause, TimeoutError) for cause in chain):
        return Failure("timeout", f"no connection to {host} within {connect_timeout_s:g} s")
    if phase == "body":
        broken = any(isinstance(cause, OSError | aiohttp.ClientError) for cause in chain)
        return Failure("truncated", f"{host} broke off in the middle of its answer") if broken else None
    return _connection(chain, host)


def _connection(chain: list[BaseException], host: str) -> Failure | None:
    """The failure of a connection: what the system says first, then what the library says, the vaguest last."""
    for cause in chain:
        match cause:
            case aiohttp.ServerDisconnectedError():
                return Failure("reset", f"{host} closed the connection without an answer")
            case OSError(errno=errno.ECONNREFUSED):
                return Failure("connect", f"{host} refuses connections on this port")
            case OSError(errno=number) if number in _UNREACHABLE:
                return Failure("connect", f"{host} cannot be reached from here")
            case OSError(errno=number) if number in _RESET or isinstance(cause, ConnectionResetError):
                return Failure("reset", f"{host} reset the connection")  # without a number: ended in a handshake
    for cause in chain:
        match cause:
            case aiohttp.ClientConnectorError():
                return Failure("connect", f"no connection to {host}")
            case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError():
                return Failure("protocol", f"{host} did not answer in HTTP: {plain(cause, 120)}")
    for cause in chain:
        match cause:
            case ConnectionError() | aiohttp.ClientConnectionError():
                return Failure("reset", f"{host} broke the connection off")
            case OSError():
                reason = plain(cause.strerror or "unknown reason", 80)
                return Failure("connect", f"no connection to {host}: {reason}")
            case aiohttp.ClientError():
                return Failure("protocol", f"{host} cannot be asked: {plain(cause, 120)}")
    return None


def _chain(error: BaseException) -> list[BaseException]:
    """The exception and everything that it was raised from, each once, at most twenty."""
    chain: list[BaseException] = []
    queue: list[BaseException | None] = [error]
    while queue and len(chain) < 20:
        current = queue.pop(0)
        if current is None or current in chain:
            continue
        chain.append(current)
        inner = getattr(current, "os_error", None) or getattr(current, "certificate_error", None)
        queue += [inner if isinstance(inner, BaseException) else None, current.__cause__, current.__context__]
        if isinstance(current, BaseExceptionGroup):
            queue += current.exceptions
    return chain


def _tls(error: ssl.SSLError, host: str) -> Failure:
    if isinstance(error, ssl.SSLCertVerificationError):
        word = _VERIFY_WORDS.get(error.verify_code, "other")
        said = plain(error.verify_message, 100)
    else:
        reason = error.reason or ""
        word = next((known for part, known in _REASON_WORDS.items() if part in reason), "other")
        said = reason.replace("_", " ").lower()
    sentence = _TLS_SENTENCES[word].format(host=host)
    return Failure("tls", f"{sentence} (OpenSSL: {said})" if said else sentence, tls=word)
