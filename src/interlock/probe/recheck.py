"""Judging a stored observation again, with today's checks, from the documents that were stored with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast, get_args

from interlock.model.errors import InterlockError
from interlock.model.observation import Observation, RequestRecord
from interlock.model.text import plain
from interlock.probe.assemble import base_facts, outcome_of, with_advertised
from interlock.probe.checks.base import CheckInput, Needs
from interlock.probe.checks.registry import run_checks
from interlock.probe.reading import read_reply
from interlock.probe.transport.exchange import PURPOSES, Exchange, Purpose, Reading
from interlock.probe.transport.plan import clean_base_url

if TYPE_CHECKING:
    from interlock.model.contract import ContractFit, WorkflowContract
    from interlock.model.drift import Drift

_PROBE_AGAIN = "probe again; a document that holds a password or a key in an address is never stored"
_ACTIVE = frozenset({"anonymous-read", "anonymous-count"})
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
    exchanges = {purpose: _exchange(purpose, records, bodies) for purpose, records in _records_of(observation)}
    if not exchanges:
        raise InterlockError("this observation does not say what each request was for", remedy="probe again")
    before = observation.facts
    kept = {"tls": before.tls, "cors": before.cors, "data": before.data}
    facts = with_advertised(base_facts(exchanges, base, now=observation.started), exchanges, base).model_copy(
        update=kept
    )
    check_input = CheckInput(base, facts, exchanges, active=_was_active(observation), now=observation.started)
    mistakes = tuple(check for check in observation.checks if check.id == "NET-000")
    # What an earlier observation was compared with is not at hand here: that judgement stays as it was.
    earlier = {check.id: check for check in observation.checks if check.id.startswith("DRIFT-")}
    return observation.model_copy(
        update={
            "facts": facts,
            "outcome": outcome_of(exchanges),
            "checks": (*mistakes, *(earlier.get(check.id, check) for check in run_checks(check_input))),
        }
    )


def with_strict_reading(observation: Observation, bodies: Mapping[str, bytes]) -> Observation:
    """The same observation with its statement read by a strict reader; as it is where the statement is not at hand."""
    records = next((records for purpose, records in _records_of(observation) if purpose == "metadata"), ())
    if not records or records[-1].sha256 not in bodies:
        return observation
    exchanges: dict[Purpose, Exchange] = {"metadata": _exchange("metadata", records, bodies)}
    check_input = CheckInput(observation.target.base_url, observation.facts, exchanges, strict=True)
    return _judged_again(observation, check_input, "strict")


def with_contract(observation: Observation, contract: WorkflowContract, fit: ContractFit) -> Observation:
    """The same observation with the checks that compare it with a workflow contract; nothing else is judged again.

    ``fit`` is the contract's comparison with this observation's facts.
    """
    exchanges = {
        purpose: Exchange(purpose, records, _reading(records[-1]), records[-1].detail or records[-1].failure or "")
        for purpose, records in _records_of(observation)
    }
    check_input = CheckInput(observation.target.base_url, observation.facts, exchanges, contract, fit)
    return _judged_again(observation, check_input, "contract")


def with_drift(observation: Observation, drift: Drift) -> Observation:
    """The same observation with the checks that compare it with an earlier observation."""
    check_input = CheckInput(observation.target.base_url, observation.facts, {}, drift=drift)
    return _judged_again(observation, check_input, "drift")


def _judged_again(observation: Observation, check_input: CheckInput, needs: Needs) -> Observation:
    """The same observation with new results of the checks that need one thing."""
    compared = {check.id: check for check in run_checks(check_input, needs)}
    checks = tuple(compared.pop(check.id, check) for check in observation.checks)
    return observation.model_copy(update={"checks": (*checks, *compared.values())})


def _records_of(observation: Observation) -> Iterator[tuple[Purpose, tuple[RequestRecord, ...]]]:
    """The requests of an observation, by their purpose."""
    for purpose in PURPOSES:
        if records := tuple(record for record in observation.requests if record.purpose == purpose):
            yield purpose, records


def _reading(record: RequestRecord) -> Reading:
    return cast(Reading, record.reading) if record.reading in _READINGS else "failed"


def _was_active(observation: Observation) -> bool:
    """Whether an active probe made the observation: a read to be refused tells, a sample's token request does not."""
    return any(
        record.purpose in {"anonymous-read", "anonymous-count"}
        or (record.method != "GET" and record.purpose != "token")
        for record in observation.requests
    )


def _exchange(purpose: Purpose, records: tuple[RequestRecord, ...], bodies: Mapping[str, bytes]) -> Exchange:
    last = records[-1]
    if last.failure is not None:
        return Exchange(purpose, records, "failed", last.detail or last.failure)
    body = bodies.get(last.sha256 or "")
    if body is not None:
        read = read_reply(purpose, last.status or 0, last.content_type or "", body)
        return Exchange(purpose, records, read.reading, read.detail, read.document, body, read.notes, read.slips)
    if last.reading in {None, "document"}:
        raise InterlockError(f"the document of {plain(last.url, 200)} was not stored", remedy=_PROBE_AGAIN)
    return Exchange(purpose, records, _reading(last), last.detail or last.reading or "")
