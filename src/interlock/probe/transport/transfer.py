"""A request on the wire: sent, read within its limits, and written down as a record."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from yarl import URL

from interlock.documents.bounds import JsonBoundsError
from interlock.model.observation import RequestRecord
from interlock.model.text import plain
from interlock.probe.transport.addresses import has_userinfo, literal, origin
from interlock.probe.transport.content import CodingError, Decoder, NotJsonError, TooLargeError, decode_text, parse_json
from interlock.probe.transport.exchange import Purpose
from interlock.probe.transport.failures import Failure, Phase, RequestFailed
from interlock.probe.transport.http import aiohttp
from interlock.probe.transport.settings import ProbeSettings

MAX_HEADER = 300
_MAX_LOCATION = 4096

#: Response headers that are kept with a record, because a check or a reader of the record may need them.
KEPT_HEADERS = (
    "content-encoding",
    "content-length",
    "etag",
    "location",
    "retry-after",
    "www-authenticate",
    "access-control-allow-origin",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-credentials",
    "cache-control",
    "server",
    "strict-transport-security",
)


_KNOWN_HEADERS = {name.encode(): name for name in (*KEPT_HEADERS, "content-type")}


def _header_text(value: bytes) -> str:
    """A header's value as text: UTF-8 where it is that, otherwise Latin-1 (RFC 9110 section 5.5)."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to send: to which address, for which media types, and until when (the loop's clock).

    :ivar credentials: headers that are sent to the first URL's origin and to no other.
    :ivar client_certificate: present the settings' client certificate, to the first URL's origin and to no other.
    :ivar method: ``OPTIONS`` is a CORS preflight; its answer is taken as it is.
    :ivar form: the form of a ``POST``, which is never redirected.
    :ivar redirects: false takes a redirect as the answer.
    :ivar first: read so many bytes of a body at most, and leave the rest without calling that a failure.
    """

    url: str
    accept: str
    deadline: float
    purpose: Purpose = "metadata"
    credentials: Mapping[str, str] | None = field(default=None, repr=False)
    client_certificate: bool = False
    method: Literal["GET", "OPTIONS", "POST"] = "GET"
    form: str | None = field(default=None, repr=False)
    redirects: bool = True
    first: int | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The server's reply to one request, redirects followed, or why none came.

    :ivar records: every request that was sent, in order; the last decides.
    :ivar body: decoded bytes of the last answer; empty when it failed.
    :ivar failure: why there is no reply, or none.
    :ivar notes: oddities of the transfer.
    """

    records: tuple[RequestRecord, ...]
    body: bytes = b""
    failure: Failure | None = None
    notes: tuple[str, ...] = ()

    @property
    def record(self) -> RequestRecord:
        """The request that decided."""
        return self.records[-1]

    @property
    def status(self) -> int | None:
        """The HTTP status that came, even where a proxy may have given it; none when no answer came."""
        return self.failure.status if self.record.status is None and self.failure is not None else self.record.status

    def json(self) -> Any:
        """The JSON value of the body, or none."""
        try:
            return parse_json(decode_text(self.body, self.record.content_type or "")[0])
        except (NotJsonError, JsonBoundsError):
            return None


def _readable(text: str) -> URL:
    """An address as the transport reads it, which must be the host and port that were judged by the same text.

    :raises RequestFailed: it cannot be read, or in two ways, or holds credentials, which would be sent.
    """
    try:
        url = URL(text)
    except (ValueError, UnicodeError) as error:
        raise RequestFailed("protocol", f"the address cannot be asked: {plain(error, 120)}") from error
    where = origin(text)
    if where is None or (url.scheme, url.port) != (where.scheme, where.port) or not _same_host(url, where.host):
        raise RequestFailed("protocol", f"the address can be read in two ways, so it is not asked: {plain(text, 120)}")
    if has_userinfo(text):
        raise RequestFailed(
            "protocol", f"the address at {plain(where.host, 100)} holds credentials, so it is not asked"
        )
    return url


def _same_host(url: URL, host: str) -> bool:
    address = literal(host)
    if address is not None:
        return literal(url.raw_host or "") == address
    return host in {(url.raw_host or "").lower(), url.host}


class Transfer:
    """A request under way: how far it came, and the bytes that were read.

    :ivar phase: how far it came; :mod:`interlock.probe.transport.failures` needs it to name the failure.
    """

    def __init__(self, url: str, ask: Ask, settings: ProbeSettings) -> None:
        where = origin(url)
        self.host = where.host if where else ""
        self.phase: Phase = "connect"
        self._notes: list[str] = []
        self._body = b""
        self._url = url
        self._ask = ask
        self._settings = settings
        self._status: int | None = None
        self._headers: dict[str, str] = {}
        self._content_type: str | None = None
        self._coding = ""
        self._received = 0
        self._started: float | None = None

    async def run(self, session: aiohttp.ClientSession, proxy: str | None, headers: dict[str, str]) -> None:
        """Send the request and read the whole answer.

        :raises RequestFailed: the address cannot be asked, or the body is too large, cut short or not decodable; the
            transport's own errors pass through.
        """
        self._started = time.perf_counter()
        connect = self._settings.connect_timeout_s
        async with session.request(
            self._ask.method,
            _readable(self._url),
            headers=headers,
            data=self._ask.form.encode() if self._ask.form is not None else None,
            allow_redirects=False,
            proxy=proxy,
            # ``connect`` bounds the name lookup, the connection and the handshake together.
            timeout=aiohttp.ClientTimeout(total=None, connect=2 * connect, sock_connect=connect),
        ) as response:
            self.phase = "body"
            self._note_head(response)
            await self._read(response)

    def _note_head(self, response: aiohttp.ClientResponse) -> None:
        self._status = response.status
        fields: dict[str, str] = {}
        for name, value in response.raw_headers:
            known = _KNOWN_HEADERS.get(name.lower())
            if known is not None:
                text = _header_text(value)
                fields[known] = f"{fields[known]}, {text}" if known in fields else text
        content_type = fields.pop("content-type", None)
        self._content_type = plain(content_type, MAX_HEADER) if content_type is not None else None
        self._coding = fields.get("content-encoding", "")
        self._headers = {name: plain(fields[name], MAX_HEADER) for name in KEPT_HEADERS if name in fields}
        if "location" in fields:  # longer, because it is compared and followed
            self._headers["location"] = plain(fields["location"], _MAX_LOCATION)

    async def _read(self, response: aiohttp.ClientResponse) -> None:
        decoder = Decoder(self._coding, self._settings.max_bytes)
        pieces = []
        wanted, size = self._ask.first, 0
        try:
            async for chunk in response.content.iter_any():
                self._received += len(chunk)
                pieces.append(decoder.feed(chunk))
                if wanted is not None and (size := size + len(pieces[-1])) >= wanted:
                    self._notes, self._body = decoder.notes, b"".join(pieces)[:wanted]
                    return
            tail, complete = decoder.finish()
        except TooLargeError:
            limit = f"{self._settings.max_bytes:,} bytes"
            raise RequestFailed("too_large", f"the answer of {plain(self.host, 100)} is larger than {limit}") from None
        except CodingError as error:
            raise RequestFailed("protocol", f"{plain(self.host, 100)}: {error}") from None
        if not complete:
            raise RequestFailed("truncated", f"the compressed answer of {plain(self.host, 100)} ends too early")
        self._notes = decoder.notes
        self._body = b"".join((*pieces, tail))

    def late(self) -> str:
        """How far the request had come when the time ran out, as a sentence."""
        seconds = f"{self._settings.deadline_s:g} s"
        host = plain(self.host, 100)
        if self._started is None:
            return f"not sent to {host} within {seconds}: earlier requests took too long"
        if self.phase == "body":
            return f"{host} did not finish its answer within {seconds} ({self._received:,} bytes came)"
        return f"{host} gave no answer within {seconds}"

    def reply(self, failure: Failure | None) -> Reply:
        """The request as it is kept. A failed request has no digest: nothing complete was received."""
        body = self._body if failure is None else b""
        record = RequestRecord.trusted(
            method=self._ask.method,
            url=self._url,
            status=self._status,
            elapsed_ms=0.0 if self._started is None else round((time.perf_counter() - self._started) * 1000, 3),
            bytes=len(body) if failure is None else self._received,
            sha256=hashlib.sha256(body).hexdigest() if body else None,
            content_type=self._content_type,
            failure=failure.word if failure else None,
            detail=failure.detail if failure else None,
            purpose=self._ask.purpose,
            accept=self._ask.accept,
            headers=self._headers,
        )
        return Reply((record,), body, failure, tuple(self._notes))
