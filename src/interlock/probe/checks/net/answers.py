"""NET, the answers: where redirects lead, how the server says no, how long and how large its answers are."""

from __future__ import annotations

from interlock.model.base import Severity
from interlock.probe.checks.base import (
    CheckInput,
    NeedError,
    Result,
    capitalized,
    check,
    host_of,
    not_applicable,
    passed,
    quoted,
    quoted_list,
    unseen,
    warned,
)
from interlock.probe.checks.sources import cite
from interlock.probe.transport.exchange import Exchange

#: Sizes in bytes from which a statement is worth a word (judgement): clients read it on every start.
LARGE_BYTES = 1_000_000

_OTHER_REFUSALS = frozenset({"client_certificate", "client_error", "unsupported_media_type", "unexpected_status"})


def _answers(probed: CheckInput) -> tuple[Exchange, ...]:
    """What the base was asked for, when it gave any answer.

    :raises NeedError: it gave none.
    """
    if not any(record.status is not None for exchange in probed.at_base for record in exchange.records):
        raise NeedError(unseen(probed, "metadata"))
    return probed.at_base


@check(
    "NET-019",
    "Discovery stays on the host that was asked",
    Severity.MEDIUM,
    cite("RFC 9110", "section-15.4"),
    at="metadata",
)
def same_host(probed: CheckInput) -> Result:
    """The base URL to write down is the one that answers; tokens are asked for the base that a client knows."""
    home = host_of(probed.base)
    others = [
        exchange
        for exchange in _answers(probed)
        if home and exchange.failure is None and host_of(exchange.url) not in {home, ""}
    ]
    if others:
        hosts = quoted_list(dict.fromkeys(exchange.url for exchange in others), 2)
        return warned(f"Another host answers: {hosts}", *probed.at_exchanges(others))
    return passed("The host that was asked answers itself")


@check(
    "NET-020",
    "No request is rejected for its form",
    Severity.MEDIUM,
    cite("R4-HTTP", "mime-type", "Content types"),
    rows=("H-06", "H-09"),
    at="metadata",
)
def other_refusals(probed: CheckInput) -> Result:
    """Statuses that say neither "not here" nor "not you": 400, 415 and the like."""
    asked = _answers(probed)
    hit = [exchange for exchange in asked if exchange.reading in _OTHER_REFUSALS]
    if hit:
        return warned(capitalized(hit[0].detail), *probed.at_exchanges(hit))
    for exchange in asked:
        first = exchange.records[0]
        rejected = 400 <= (first.status or 0) < 500 and first.status not in {406, 429}
        if exchange.reading == "document" and rejected:
            return warned(
                f"HTTP {first.status} for Accept: {first.accept}; answered when asked in other words",
                probed.at(exchange.purpose),
            )
    return passed("No request was rejected for its form")


@check(
    "NET-021",
    "Who is asked to wait is told how long",
    Severity.LOW,
    cite("RFC 6585", "section-4"),
    cite("RFC 9110", "section-10.2.3", "section 10.2.3, Retry-After"),
    level="MAY",
)
def retry_after(probed: CheckInput) -> Result:
    """Retry-After with 429 and 503 is optional, and decides whether a client can be polite."""
    slowed = [
        (exchange, record)
        for exchange in _answers(probed)
        for record in exchange.records
        if record.status in {429, 503}
    ]
    if not slowed:
        return not_applicable("no answer asked to wait")
    silent = [exchange for exchange, record in slowed if not record.headers.get("retry-after")]
    if silent:
        return warned("An answer asks to wait without saying how long (Retry-After)", probed.at(silent[0].purpose))
    exchange, record = slowed[0]
    return passed(
        f"The answer says how long to wait ({quoted(record.headers['retry-after'], 40)})", probed.at(exchange.purpose)
    )


@check("NET-022", "Everything is answered before the probe's time is over", Severity.MEDIUM, at="metadata")
def in_time(probed: CheckInput) -> Result:
    """The deadline is for all requests of one target together."""
    late = [exchange for exchange in probed.exchanges.values() if exchange.failure == "timeout"]
    if late:
        return warned(capitalized(late[0].detail), *probed.at_exchanges(late))
    _answers(probed)
    return passed("Everything was answered in time")


@check("NET-023", "Documents are of a usual size", Severity.LOW)
def size(probed: CheckInput) -> Result:
    """Clients read the statement at every start; a few servers send megabytes."""
    large = [exchange for exchange in probed.at_base if exchange.failure == "too_large"]
    if large:
        return warned(capitalized(large[0].detail), probed.at(large[0].purpose))
    biggest = max(_answers(probed), key=lambda exchange: exchange.record.bytes)
    amount, where = f"{biggest.record.bytes / 1024:,.0f} KB", probed.at(biggest.purpose)
    return (
        warned(f"A document has {amount}", where)
        if biggest.record.bytes > LARGE_BYTES
        else passed(f"The largest document has {amount}", where)
    )


@check("NET-024", "Programs are let in, not browsers only", Severity.MEDIUM, at="metadata")
def programs_welcome(probed: CheckInput) -> Result:
    """A firewall's page for unknown programs looks like a refusal, and says nothing about the server behind it."""
    for exchange in _answers(probed):
        record = exchange.record
        page = (record.content_type or "").lower().startswith("text/html")
        if record.status in {403, 406, 415} and page and "www-authenticate" not in record.headers:
            return warned(
                f"HTTP {record.status} with a page for people: a firewall in front may block unknown programs; ask for "
                "the product's User-Agent to be allowed",
                probed.at(exchange.purpose),
            )
    return passed("No page of a firewall was met")
