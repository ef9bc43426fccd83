"""Judging a stored observation again, with today's checks, from the documents that were stored with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast, get_args

from interlock.documents.text import plain
from interlock.model.errors import InterlockError
from interlock.model.observation import Observation, RequestRecord
from interlock.probe.assemble import base_facts, outcome_of, with_advertised
from interlock.probe.checks.base import CheckInput
from interlock.probe.checks.registry import run_checks
from interlock.probe.exchange import PURPOSES, Exchange, Purpose, Reading
from interlock.probe.plan import clean_base_url
from interlock.probe.reading import read_answer

_READINGS = frozenset(get_args(Reading))


def recheck(observation: Observation, bodies: Mapping[str, bytes]) -> Observation:
    """The same observation with facts, outcome and checks computed anew; nothing is contacted.

    ``bodies`` are the stored JSON documents by sha256. What the network did (certificate, times, failures) is taken
    from the records.

    :raises InterlockError: a document that the facts rest on was not stored, or the records are of an older kind.
    """
    try:
        base = clean_base_url(observation.target.base_url)
    except InterlockError:
        return observation
    exchanges: dict[Purpose, Exchange] = {}
    for purpose in PURPOSES:
        records = tuple(record for record in observation.requests if record.purpose == purpose)
        if records:
            exchanges[purpose] = _exchange(purpose, records, bodies)
    if not exchanges:
        raise InterlockError("this observation does not say what each request was for", remedy="probe again")
    facts = with_advertised(base_facts(exchanges, base), exchanges).model_copy(update={"tls": observation.facts.tls})
    mistakes = tuple(check for check in observation.checks if check.id == "NET-000")
    return observation.model_copy(
        update={
            "facts": facts,
            "outcome": outcome_of(exchanges),
            "checks": (*mistakes, *run_checks(CheckInput(base, facts, exchanges))),
        }
    )


def _exchange(purpose: Purpose, records: tuple[RequestRecord, ...], bodies: Mapping[str, bytes]) -> Exchange:
    last = records[-1]
    if last.failure is not None:
        return Exchange(purpose, records, "failed", last.detail or last.failure)
    body = bodies.get(last.sha256 or "")
    if body is not None:
        read = read_answer(purpose, last.status or 0, last.content_type or "", body)
        return Exchange(purpose, records, read.reading, read.detail, read.document, body, read.notes)
    if last.reading in {None, "document"}:
        raise InterlockError(f"the document of {plain(last.url, 200)} was not stored", remedy="probe again")
    reading = cast(Reading, last.reading) if last.reading in _READINGS else "failed"
    return Exchange(purpose, records, reading, last.detail or last.reading or "")
