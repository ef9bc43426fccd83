"""An exchange: the document asked for, every request that it took, and how the answer reads.

Records of requests whose answers must leave no trace are written anew, in our own words: a server may put anything that
it was sent, or anything of a patient, into a header, a media type or a reason phrase.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from interlock.model.address_secrets import redacted_url
from interlock.model.observation import RequestRecord
from interlock.model.text import plain
from interlock.probe.transport.addresses import is_loopback_host, origin

#: The purpose of a request. ``deeper`` is a statement below the base; ``cors-…`` are requests that carry an origin.
#: ``token-negative`` and ``anonymous-…`` are to be refused; ``token``, ``sample``, ``introspection`` and ``refresh``
#: are sent with credentials.
Purpose = Literal[
    "metadata",
    "smart",
    "smart-root",
    "openid",
    "jwks",
    "brands",
    "deeper",
    "udap",
    "cds",
    "cors-metadata",
    "cors-smart",
    "cors-token",
    "cors-fhir",
    "cors-authorize",
    "token-negative",
    "anonymous-read",
    "anonymous-count",
    "token",
    "sample",
    "introspection",
    "refresh",
]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)

#: Told of every request as soon as it is over.
OnRecord = Callable[[RequestRecord], None]

#: How an answer reads. Facts are read from a ``document`` only.
Reading = Literal[
    "document",
    "failed",  # no complete answer: the record's failure says why
    "absent",  # 404 or 410: the document is positively not published at that address
    "unauthorized",  # 401
    "forbidden",  # 403
    "not_acceptable",  # 406
    "unsupported_media_type",  # 415
    "rate_limited",  # 429
    "client_certificate",  # 400 with a page that asks for a client certificate
    "client_error",  # any other 4xx
    "server_error",  # 5xx
    "unexpected_status",  # neither success nor error
    "empty",
    "html",
    "xml",
    "not_json",
    "not_an_object",
    "empty_object",
    "operation_outcome",
    "bundle",
    "other_resource",
    "unrelated",  # a JSON object without a single field of the document
    "answered",  # a preflight's answer, of which the headers count; or an answer of which nothing is kept
    "oauth_error",  # a JSON object with error (RFC 6749 section 5.2)
]

#: Readings of an answer that came with HTTP 200 and is not the document.
INSTEAD: frozenset[Reading] = frozenset(
    {
        "html",
        "operation_outcome",
        "bundle",
        "other_resource",
        "unrelated",
        "empty_object",
        "not_an_object",
        "empty",
        "not_json",
    }
)

#: The name of each document in a sentence.
DOCUMENT_NAMES: Mapping[str, str] = {
    "metadata": "capability statement",
    "smart": "SMART configuration",
    "smart-root": "SMART configuration",
    "openid": "OpenID discovery document",
    "jwks": "JWK Set",
    "brands": "bundle of brands",
    "deeper": "capability statement",
    "udap": "UDAP document",
    "cds": "list of CDS services",
    "cors-metadata": "capability statement",
    "cors-smart": "SMART configuration",
    "cors-token": "token endpoint",
    "cors-fhir": "FHIR API",
    "cors-authorize": "authorization endpoint",
    "token-negative": "token endpoint's refusal",
    "anonymous-read": "refusal of a read",
    "anonymous-count": "refusal of a count",
    "token": "token endpoint",
    "sample": "search result",
    "introspection": "introspection endpoint",
    "refresh": "token endpoint",
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """All requests for a document, and how the last answer reads.

    Checks run on exchanges and on facts alone, so they can run again later.

    :ivar records: every request in order, redirects and retries included; the last decides.
    :ivar reading: how its answer reads.
    :ivar detail: the same as a sentence without a full stop.
    :ivar document: when ``reading`` is ``document``, the parsed JSON, of a capability statement its
        :class:`~interlock.fhir.capability.Statement`; otherwise none.
    :ivar body: decoded bytes of the last answer.
    :ivar notes: oddities of the transfer or the text (byte-order mark, charset, compression).
    :ivar slips: what the JSON got wrong and could be read all the same (a member twice, NaN, text after the end).
    :ivar tls: the probe's word for a TLS failure, or none.
    """

    purpose: Purpose
    records: tuple[RequestRecord, ...]
    reading: Reading
    detail: str
    document: Any = None
    body: bytes = field(default=b"", repr=False)
    notes: tuple[str, ...] = ()
    slips: tuple[str, ...] = ()
    tls: str | None = None

    @property
    def record(self) -> RequestRecord:
        """The request that decided."""
        return self.records[-1]

    @property
    def url(self) -> str:
        """Where the deciding answer came from."""
        return self.records[-1].url

    @property
    def asked(self) -> str:
        """The address that was meant: the first request's."""
        return self.records[0].url

    @property
    def failure(self) -> str | None:
        """The failure word of the deciding request, or none when there was an answer."""
        return self.records[-1].failure


_MEDIA_TYPES = frozenset(
    {"application/json", "application/fhir+json", "application/json+fhir", "application/xml", "text/html", "text/plain"}
)
_FAILURES = {
    "dns": "the host's name has no address",
    "connect": "the host cannot be reached",
    "tls": "the host's certificate or TLS was not accepted",
    "timeout": "the host gave no answer in time",
    "reset": "the host broke the connection off",
    "truncated": "the answer broke off",
    "too_large": "the answer is too large",
    "protocol": "the host did not answer in HTTP",
    "refused": "the host is in a private network or has a reserved address; it was not contacted",
}


def without_content(
    record: RequestRecord, shown_url: str, reading: Reading, detail: str | None = None
) -> RequestRecord:
    """The record of a request with nothing that the server chose, and without a digest of its answer.

    ``shown_url`` is the address without anything that belongs to a person.
    """
    media_type = (record.content_type or "").partition(";")[0].strip().lower()
    scheme = record.headers.get("www-authenticate", "").partition(" ")[0]
    failed = record.failure is not None
    return RequestRecord(
        method=record.method,
        url=shown_url,
        status=record.status,
        elapsed_ms=record.elapsed_ms,
        bytes=record.bytes,
        content_type=media_type if media_type in _MEDIA_TYPES else None,
        failure=record.failure,
        detail=_why(record) if failed else detail,
        purpose=record.purpose,
        accept=record.accept,
        reading="failed" if failed else reading,
        headers={"www-authenticate": scheme} if scheme.lower() in {"bearer", "basic"} else {},
        proxy=record.proxy,
    )


def _why(record: RequestRecord) -> str:
    """Why a request failed, without a word of the server."""
    if record.failure == "timeout" and not record.elapsed_ms:
        return "it was not asked: earlier requests took too long, or the host asked to be left alone"
    if record.proxy is None:
        return _FAILURES.get(record.failure or "", "it failed")
    if record.failure == "connect" and record.detail is not None:
        return record.detail  # told in words of our own throughout: no answer of the server is in it
    return f"{_FAILURES.get(record.failure or '', 'it failed')} (asked through the proxy {record.proxy})"


def not_sent(url: str, reason: str, purpose: Purpose, method: str) -> RequestRecord:
    """The record of a request that was deliberately not sent."""
    return RequestRecord(
        method=method,
        url=plain(redacted_url(url), 2048),
        elapsed_ms=0.0,
        failure="refused",
        detail=redacted_url(reason),
        purpose=purpose,
        reading="failed",
    )


def may_carry_secrets(url: str) -> bool:
    """Whether credentials may be sent to an address: https, or this machine itself."""
    where = origin(url)
    return where is not None and (where.scheme == "https" or is_loopback_host(where.host))
