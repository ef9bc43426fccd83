"""What an answer that came through a proxy may be taken for.

Inside a tunnel (https) the server itself answers. Over plain http the proxy speaks in the server's place, and refuses,
misses and times out with the statuses that servers use (RFC 9110 sections 7.6 and 15): whose answer that was, nobody
can tell, so it is none of the server's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from interlock.model.observation import RequestRecord
from interlock.probe.addresses import origin
from interlock.probe.exchange import Exchange

#: Statuses that a proxy gives in its own name as well: policy, unknown name, no connection, no answer in time.
_DOUBTFUL = frozenset({403, 404, 410, 502, 503, 504})
#: The proxy asks for credentials of its own (RFC 9110 section 15.5.8).
_PROXY_AUTHENTICATION = 407
#: Failures on the way to the server, where the proxy is a part of the way.
_ON_THE_WAY = frozenset({"dns", "connect", "tls", "timeout", "reset", "truncated", "protocol"})


def through_proxy(exchange: Exchange, proxy_of: Callable[[str], str | None]) -> Exchange:
    """The exchange with every record naming its proxy, and what cannot be ascribed to the server as a failure.

    ``proxy_of`` gives the proxy that a URL is asked through, or none. Its credentials are left out.
    """
    records = tuple(_named(record, proxy_of(record.url)) for record in exchange.records)
    last = records[-1]
    if last.proxy is None:
        return replace(exchange, records=records) if records != exchange.records else exchange
    if last.failure is not None:
        detail = f"{last.detail or last.failure} (asked through the proxy {last.proxy})"
        if last.failure not in _ON_THE_WAY:
            return replace(exchange, records=records)
        if last.failure == "dns":  # the server's name is looked up by the proxy, not here
            detail = f"the name of the proxy {last.proxy} does not resolve"
            last = last.model_copy(update={"failure": "connect"})
        record = last.model_copy(update={"detail": detail})
        return replace(exchange, records=(*records[:-1], record), detail=detail)
    doubt = _doubt(last)
    if doubt is None:
        return replace(exchange, records=records)
    # Without a status: no check, today's or tomorrow's, can take it for an answer of the server.
    record = last.model_copy(
        update={"failure": "connect", "detail": doubt, "status": None, "sha256": None, "reading": "failed"}
    )
    return Exchange(exchange.purpose, (*records[:-1], record), "failed", doubt)


def _named(record: RequestRecord, proxy: str | None) -> RequestRecord:
    where = origin(proxy) if proxy is not None else None
    if where is None or record.failure == "refused":
        return record
    host = f"[{where.host}]" if ":" in where.host else where.host
    return record.model_copy(update={"proxy": f"{where.scheme}://{host}:{where.port}"})


def _doubt(record: RequestRecord) -> str | None:
    """Why an answer is not taken for the server's; none when it is."""
    where = origin(record.url)
    if where is None or where.scheme == "https":
        return None
    if record.status == _PROXY_AUTHENTICATION:
        return f"the proxy {record.proxy} asks for credentials (HTTP 407); {where.host} was not asked"
    if record.status in _DOUBTFUL:
        return (
            f"HTTP {record.status} came through the proxy {record.proxy}; whether the proxy or {where.host} answered "
            "cannot be told"
        )
    return None
