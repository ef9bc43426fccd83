"""Getting a document: the ladder of content negotiation, and a patient retry."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from interlock.probe.reading import Read, read_reply
from interlock.probe.transport.client import Client, Reply
from interlock.probe.transport.exchange import Exchange, OnRecord, Purpose
from interlock.probe.transport.negotiation import next_rung
from interlock.probe.transport.plan import Rung
from interlock.probe.transport.politeness import SLOW_DOWN, asked_to_wait
from interlock.probe.transport.transfer import Ask

_BACKOFF_S = 0.5
_MAX_BACKOFF_S = 8.0
_JITTER_S = 0.25


@dataclass(frozen=True, slots=True)
class Wanted:
    """A document to get: where, how to ask for it, and until when.

    :ivar headers: sent to the address's own origin only.
    :ivar identified: the client certificate may be presented there.
    """

    purpose: Purpose
    url: str
    ladder: tuple[Rung, ...]
    deadline: float
    retries: int = 1
    headers: Mapping[str, str] | None = None
    identified: bool = False
    method: Literal["GET", "OPTIONS"] = "GET"


async def get_document(client: Client, wanted: Wanted, on_record: OnRecord | None = None) -> Exchange:
    """Climb the ladder until the document appears, or until asking differently cannot help.

    When nothing helps, the most telling answer decides: XML says more than a 406, any answer more than a failure. Its
    record comes last, whatever was tried after it.
    """
    attempts: list[Exchange] = []
    rung, retries = 0, wanted.retries
    while True:
        way = wanted.ladder[rung]
        reply = await client.get(
            Ask(
                url=f"{wanted.url}?{way.query}" if way.query else wanted.url,
                accept=way.accept,
                deadline=wanted.deadline,
                purpose=wanted.purpose,
                credentials=wanted.headers,
                client_certificate=wanted.identified,
                method=wanted.method,
            )
        )
        exchange = to_exchange(wanted.purpose, reply)
        asked = asked_to_wait(reply.status, exchange.record.headers)
        pause = _pause(reply.status, asked, wanted.retries - retries + 1) if retries else None
        if pause is not None and asyncio.get_running_loop().time() + pause >= wanted.deadline:
            why = (
                f"it asks to wait {asked:g} s, longer than"
                if asked is not None
                else "a second attempt does not fit into"
            )
            detail = f"{exchange.detail}; {why} the time left"
            last = exchange.record.but(detail=detail)
            exchange = replace(exchange, detail=detail, records=(*exchange.records[:-1], last))
            pause = None
        attempts.append(exchange)
        if on_record is not None:
            for record in exchange.records:
                on_record(record)
        if pause is not None:
            retries -= 1
            await asyncio.sleep(pause)
            continue
        following = next_rung(exchange, rung, wanted.ladder)
        if following is None:
            break
        rung = following
    if len(attempts) == 1:
        return exchange
    best = max(attempts, key=_worth)
    others = [record for attempt in attempts if attempt is not best for record in attempt.records]
    return replace(best, records=(*others, *best.records))


def _worth(exchange: Exchange) -> int:
    """How much an answer tells; of equals the first counts."""
    if exchange.failure is not None:
        return 0
    return {"document": 4, "xml": 3, "html": 3, "rate_limited": 1, "server_error": 1}.get(exchange.reading, 2)


def _pause(status: int | None, asked: float | None, attempt: int) -> float | None:
    """Seconds before the next attempt, counted from 1, or none when trying again makes no sense.

    The seconds that the server asked for, or else an exponential backoff; never less than it asked, and never the same
    for all targets.
    """
    if status not in SLOW_DOWN:
        return None
    jitter = random.uniform(0, _JITTER_S)  # noqa: S311  # nothing secret: it spreads the attempts
    return asked + jitter if asked is not None else min(_BACKOFF_S * 2 ** (attempt - 1) + jitter, _MAX_BACKOFF_S)


def to_exchange(purpose: Purpose, reply: Reply) -> Exchange:
    """A reply read as the document that was asked for; the reading is written onto its record."""
    record = reply.records[-1]
    if reply.failure is not None:
        failed = record.but(reading="failed")
        return Exchange(
            purpose,
            (*reply.records[:-1], failed),
            "failed",
            reply.failure.detail,
            notes=reply.notes,
            tls=reply.failure.tls,
        )
    if record.method == "OPTIONS":
        said = f"the server answered HTTP {record.status}"
        judged = record.but(reading="answered")
        return Exchange(purpose, (*reply.records[:-1], judged), "answered", said)
    read: Read = read_reply(purpose, record.status or 0, record.content_type or "", reply.body)
    detail = None if read.reading == "document" else read.detail
    judged = record.but(reading=read.reading, detail=detail)
    return Exchange(
        purpose,
        (*reply.records[:-1], judged),
        read.reading,
        read.detail,
        document=read.document,
        body=reply.body,
        notes=(*reply.notes, *read.notes),
    )
