"""Getting a document: the ladder of content negotiation, and a patient retry."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace

from interlock.probe.reading import Read, read_reply
from interlock.probe.transport.client import Client
from interlock.probe.transport.exchange import Exchange, OnRecord, Purpose
from interlock.probe.transport.hosts import SLOW_DOWN, asked_to_wait, next_rung
from interlock.probe.transport.plan import Rung
from interlock.probe.transport.transfer import Ask, Reply

_BACKOFF_S = 0.5
_MAX_BACKOFF_S = 8.0
_JITTER_S = 0.25


async def get_document(client: Client, ask: Ask, ladder: Sequence[Rung], retries: int, on_record: OnRecord) -> Exchange:
    """Climb the ladder until the document appears, or until asking differently cannot help.

    When nothing helps, the most telling answer decides: XML says more than a 406, any answer more than a failure. Its
    record comes last, whatever was tried after it.
    """
    attempts: list[Exchange] = []
    position = retried = 0
    while True:
        rung = ladder[position]
        url = f"{ask.url}?{rung.query}" if rung.query else ask.url
        reply = await client.get(replace(ask, url=url, accept=rung.accept))
        exchange = to_exchange(ask.purpose, reply)
        asked = asked_to_wait(reply.status, exchange.record.headers)
        pause = _pause(reply.status, asked, retried) if retried < retries else None
        if pause is not None and asyncio.get_running_loop().time() + pause >= ask.deadline:
            longer = (
                "a second attempt does not fit into" if asked is None else f"it asks to wait {asked:g} s, longer than"
            )
            detail = f"{exchange.detail}; {longer} the time left"
            last = exchange.record.but(detail=detail)
            exchange = replace(exchange, detail=detail, records=(*exchange.records[:-1], last))
            pause = None
        attempts.append(exchange)
        for record in exchange.records:
            on_record(record)
        if pause is not None:
            retried += 1
            await asyncio.sleep(pause)
        elif (following := next_rung(exchange, position, ladder)) is not None:
            position = following
        else:
            break
    best = max(attempts, key=_worth)
    others = [record for attempt in attempts if attempt is not best for record in attempt.records]
    return replace(best, records=(*others, *best.records)) if others else best


def _worth(exchange: Exchange) -> int:
    """How much an answer tells; of equals the first counts."""
    if exchange.failure is not None:
        return 0
    return {"document": 4, "xml": 3, "html": 3, "rate_limited": 1, "server_error": 1}.get(exchange.reading, 2)


def _pause(status: int | None, asked: float | None, retried: int) -> float | None:
    """Seconds before the next attempt, after so many retries, or none when trying again makes no sense.

    The seconds that the server asked for, or else an exponential backoff; never less than it asked, and never the same
    for all targets.
    """
    if status not in SLOW_DOWN:
        return None
    jitter = random.uniform(0, _JITTER_S)  # noqa: S311  # nothing secret: it spreads the attempts
    return asked + jitter if asked is not None else min(_BACKOFF_S * 2**retried + jitter, _MAX_BACKOFF_S)


def to_exchange(purpose: Purpose, reply: Reply) -> Exchange:
    """A reply read as the document that was asked for; the reading is written onto its record."""
    failure, last, body = reply.failure, reply.record, reply.body
    if failure is not None:
        read, detail = Read("failed", failure.detail), last.detail
    elif last.method == "OPTIONS":  # its headers count, not its body
        read, detail, body = Read("answered", f"the server answered HTTP {last.status}"), None, b""
    else:
        read = read_reply(purpose, last.status or 0, last.content_type or "", body)
        detail = None if read.reading == "document" else read.detail
    return Exchange(
        purpose,
        (*reply.records[:-1], last.but(reading=read.reading, detail=detail)),
        read.reading,
        read.detail,
        document=read.document,
        body=body,
        notes=(*reply.notes, *read.notes),
        slips=read.slips,
        tls=failure.tls if failure is not None else None,
    )
