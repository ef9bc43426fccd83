"""Whose answer came through a proxy: the server's, or perhaps the proxy's own.

Inside a tunnel (https) the server itself answers. Over plain http the proxy speaks instead of the server, and refuses,
misses and times out with the statuses that servers use (RFC 9110 sections 7.6 and 15): whose answer that was, nobody
can tell, so it is none of the server's.
"""

from __future__ import annotations

from dataclasses import replace

from interlock.model.observation import RequestRecord
from interlock.probe.transport.addresses import origin
from interlock.probe.transport.failures import Failure
from interlock.probe.transport.transfer import Reply

#: Statuses that a proxy gives in its own name as well: policy, unknown name, no connection, no answer in time.
_DOUBTFUL = frozenset({403, 404, 410, 502, 503, 504})
#: The proxy asks for credentials of its own (RFC 9110 section 15.5.8).
_PROXY_AUTHENTICATION = 407
#: Failures on the way to the server, where the proxy is a part of the way.
_ON_THE_WAY = frozenset({"connect", "tls", "timeout", "reset", "truncated", "protocol"})


def through_proxy(reply: Reply, proxy: str) -> Reply:
    """A request's reply with the proxy named, and a failure when the answer cannot be ascribed to the server.

    ``proxy`` is the address that the request was asked through; its credentials are left out.
    """
    where, failure = origin(proxy), reply.failure
    if where is None or reply.record.failure == "refused":
        return reply
    host = f"[{where.host}]" if ":" in where.host else where.host
    name = f"{where.scheme}://{host}:{where.port}"
    record = reply.record.but(proxy=name)
    if failure is None:
        failure = _doubt(record)
        if failure is None:
            return replace(reply, records=(record,))
        # Without a status: no check, today's or tomorrow's, can take it for an answer of the server.
        record = record.but(status=None, sha256=None, reading="failed")
    elif failure.word == "dns":  # the server's name is looked up by the proxy, not here
        failure = Failure("connect", f"the name of the proxy {name} does not resolve")
    elif failure.word in _ON_THE_WAY:
        failure = Failure(failure.word, f"{failure.detail} (asked through the proxy {name})", failure.tls)
    record = record.but(failure=failure.word, detail=failure.detail)
    return Reply((record,), b"", failure, () if failure.status is not None else reply.notes)


def _doubt(record: RequestRecord) -> Failure | None:
    """Why an answer is not taken for the server's; none when it is."""
    where = origin(record.url)
    if where is None or where.scheme == "https":
        return None
    if record.status == _PROXY_AUTHENTICATION:
        said = f"the proxy {record.proxy} asks for credentials (HTTP 407); {where.host} was not asked"
    elif record.status in _DOUBTFUL:
        said = (
            f"HTTP {record.status} came through the proxy {record.proxy}; whether the proxy or {where.host} answered "
            "cannot be told"
        )
    else:
        return None
    return Failure("connect", said, status=record.status)
