"""Getting one document: the ladder of content negotiation, and one patient retry."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from interlock.model.observation import RequestRecord
from interlock.probe.client import Answer, Client
from interlock.probe.exchange import Exchange, Purpose
from interlock.probe.plan import Rung
from interlock.probe.reading import Read, read_answer
from interlock.probe.transfer import Ask

#: What may change when JSON is asked for in other words.
_OTHER_WORDS = frozenset({"not_acceptable", "unsupported_media_type", "client_error", "xml"})
#: A page for people: of the remaining rungs only ``_format`` can help.
_FORMAT_ONLY = frozenset({"html"})

_DEFAULT_WAIT_S = 1.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A document to get: where, how to ask for it, until when, and how far the probe may be led."""

    purpose: Purpose
    url: str
    ladder: tuple[Rung, ...]
    deadline: float
    retries: int = 1
    public_only: bool = False
    redirect_public_only: bool = True


async def get_document(
    client: Client, wanted: Wanted, on_record: Callable[[RequestRecord], None] | None = None
) -> Exchange:
    """Climb the ladder until the document appears, or until asking differently cannot help.

    When nothing helps, the most telling answer decides: XML says more than a 406, any answer more than a failure. Its
    record comes last, whatever was tried after it.
    """
    attempts: list[Exchange] = []
    rung, retries = 0, wanted.retries
    while True:
        exchange = to_exchange(wanted.purpose, await client.get(_ask(wanted, wanted.ladder[rung])))
        pause = _pause(exchange.record) if retries else None
        if pause is not None and asyncio.get_running_loop().time() + pause >= wanted.deadline:
            exchange = _explain(exchange, f"it asks to wait {pause:g} s, longer than the time left")
            pause = None
        attempts.append(exchange)
        if on_record is not None:
            for record in exchange.records:
                on_record(record)
        if pause is not None:
            retries -= 1
            await asyncio.sleep(pause)
            continue
        following = _next_rung(exchange, rung, wanted.ladder)
        if following is None:
            break
        rung = following
    best = max(attempts, key=_worth)
    others = [record for attempt in attempts if attempt is not best for record in attempt.records]
    return replace(best, records=(*others, *best.records))


def _next_rung(exchange: Exchange, rung: int, ladder: tuple[Rung, ...]) -> int | None:
    """The rung to try after an answer, or none when asking differently cannot help."""
    last = len(ladder) - 1
    if rung < last and exchange.reading in _OTHER_WORDS:
        return rung + 1
    return last if rung < last and exchange.reading in _FORMAT_ONLY and ladder[last].query else None


def _worth(exchange: Exchange) -> int:
    """How much an answer tells; of equals the first counts."""
    if exchange.failure is not None:
        return 0
    return {"document": 4, "xml": 3, "html": 3, "rate_limited": 1, "server_error": 1}.get(exchange.reading, 2)


def _ask(wanted: Wanted, rung: Rung) -> Ask:
    return Ask(
        url=f"{wanted.url}?{rung.query}" if rung.query else wanted.url,
        accept=rung.accept,
        deadline=wanted.deadline,
        purpose=wanted.purpose,
        public_only=wanted.public_only,
        redirect_public_only=wanted.redirect_public_only,
    )


def _explain(exchange: Exchange, why: str) -> Exchange:
    detail = f"{exchange.detail}; {why}"
    last = exchange.record.model_copy(update={"detail": detail})
    return replace(exchange, detail=detail, records=(*exchange.records[:-1], last))


def _pause(record: RequestRecord) -> float | None:
    """Seconds to wait before trying again (RFC 9110 section 10.2.3), or none when a retry makes no sense."""
    if record.status not in {429, 503}:
        return None
    value = record.headers.get("retry-after", "").strip()
    if not value:
        return _DEFAULT_WAIT_S
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        until = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return _DEFAULT_WAIT_S
    moment = until.timestamp() if until.tzinfo else until.replace(tzinfo=UTC).timestamp()
    return max(0.0, moment - datetime.fromtimestamp(time.time(), UTC).timestamp())


def to_exchange(purpose: Purpose, answer: Answer) -> Exchange:
    """An answer read as the document that was asked for; the reading is written onto its record."""
    record = answer.records[-1]
    if answer.failure is not None:
        failed = record.model_copy(update={"reading": "failed"})
        return Exchange(
            purpose,
            (*answer.records[:-1], failed),
            "failed",
            answer.failure.detail,
            notes=answer.notes,
            tls=answer.failure.tls,
        )
    read: Read = read_answer(purpose, record.status or 0, record.content_type or "", answer.body)
    detail = None if read.reading == "document" else read.detail
    judged = record.model_copy(update={"reading": read.reading, "detail": detail})
    return Exchange(
        purpose,
        (*answer.records[:-1], judged),
        read.reading,
        read.detail,
        document=read.document,
        body=answer.body,
        notes=(*answer.notes, *read.notes),
    )
