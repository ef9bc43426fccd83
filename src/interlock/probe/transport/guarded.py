"""Records of requests whose answers must leave no trace: everything in them is written anew, in our own words.

A server may put anything that it was sent, or anything of a patient, into a header, a media type or a reason phrase.
"""

from __future__ import annotations

from interlock.model.address_secrets import redacted_url
from interlock.model.observation import RequestRecord
from interlock.model.text import plain
from interlock.probe.transport.addresses import is_loopback_host, origin
from interlock.probe.transport.exchange import Purpose, Reading

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
