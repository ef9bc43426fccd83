"""NET, reach: can the server be reached, and how does it answer: completely, in time, itself, with what size.

What could not be reached is never called missing.
"""

from __future__ import annotations

from interlock.model import words
from interlock.model.base import Severity
from interlock.model.facts import Certificate
from interlock.model.text import plain
from interlock.probe.checks.base import CheckInput, check, unseen
from interlock.probe.checks.results import (
    NOT_HTTPS,
    NeedError,
    Result,
    capitalized,
    failed,
    host_of,
    not_applicable,
    not_observed,
    passed,
    quoted,
    quoted_list,
    warned,
)
from interlock.probe.checks.sources import cite
from interlock.probe.transport.addresses import is_loopback_host, literal
from interlock.probe.transport.exchange import DOCUMENT_NAMES, Exchange, Purpose

_AUTHORITY = cite("RFC 9110", "section-4.3", "section 4.3, Authoritative access")

SLOW_MS = 5000.0
#: Sizes in bytes from which a statement is worth a word (judgement): clients read it on every start.
LARGE_BYTES = 1_000_000

_OTHER_REFUSALS = frozenset({"client_certificate", "client_error", "unsupported_media_type", "unexpected_status"})

#: Documents of the server that are asked for where they belong; others are looked for by guess, or are the product's.
_PUBLISHED: tuple[Purpose, ...] = ("metadata", "smart", "openid", "jwks", "udap", "cors-metadata", "cors-smart")

#: How far a request came before it failed: 0 nothing, 1 the name resolved, 2 connected, 3 the handshake passed.
_STAGES = {"dns": 0, "connect": 1, "tls": 2, "truncated": 3, "too_large": 3, "redirect": 3, "protocol": 3, "reset": 2}

#: Failures that say nothing about the server when a proxy made, or did not make, the connection to it.
_OF_THE_PROXY = frozenset({"dns", "connect", "reset"})

#: A certificate that is wrong wherever one looks from.
_WRONG_CERTIFICATE = frozenset({"expired", "not_yet_valid", "hostname_mismatch", "self_signed"})
#: Handshakes that ended for another reason; NET-009 is about those.
_NO_CERTIFICATE = frozenset({"not_tls", "version", "client_certificate"})


def _stage(probed: CheckInput) -> int:
    """How far the best request to the base came; 4 for an answer, 0 when that cannot be told."""
    firsts = [exchange.records[0] for exchange in probed.at_base]
    return max(
        (
            4 if first.status is not None else _STAGES.get(first.failure or "", 0)
            for first in firsts
            if first.proxy is None or first.failure not in _OF_THE_PROXY
        ),
        default=0,
    )


def _unreached(probed: CheckInput) -> Result:
    exchange = probed.exchanges.get("metadata")
    reason = exchange.records[0].detail if exchange is not None else None
    return not_observed(reason or "nothing was asked", probed.at("metadata"))


@check("NET-001", "The host name resolves", Severity.CRITICAL, _AUTHORITY, rests_on=("request",))
def name_resolves(probed: CheckInput) -> Result:
    """A name that does not resolve from here says nothing about the server behind it."""
    host = host_of(probed.base)
    if literal(host) is not None:
        return not_applicable("the base URL is an IP address")
    return _unreached(probed) if _stage(probed) < 1 else passed(f"{quoted(host)} resolves")


@check("NET-002", "The server accepts connections", Severity.CRITICAL, _AUTHORITY, rests_on=("request",))
def accepts_connections(probed: CheckInput) -> Result:
    """TCP. A refusal may be a firewall between here and there."""
    return _unreached(probed) if _stage(probed) < 2 else passed(f"{quoted(host_of(probed.base))} accepts connections")


@check(
    "NET-003",
    "The certificate is valid and trusted",
    Severity.CRITICAL,
    cite("RFC 9110", "section-4.3.4", "section 4.3.4, https certificate verification"),
    cite("RFC 9325", "section-7.1"),
    rows=("TLS-05",),
    rests_on=("tls",),
    at="metadata",
    level="SHALL",
)
def certificate(probed: CheckInput) -> Result:
    """An expired certificate there is told apart from a certificate authority that is missing here."""
    if not probed.base.startswith("https://"):
        raise NeedError(NOT_HTTPS if probed.base else _unreached(probed))
    tls = probed.facts.tls
    if tls is None or tls.verified is None:
        return _unreached(probed)
    if tls.verified:
        return passed("The certificate is valid, trusted here, and issued for this host")
    if tls.error in _NO_CERTIFICATE or (tls.error == "other" and tls.leaf is None):
        return not_observed(f"no certificate was judged: {plain(tls.message or 'the handshake failed', 300)}")
    message = plain(tls.message or "", 300) + _presented(tls.leaf)
    if tls.cause_note:
        message += f"; {plain(tls.cause_note, 300)}"
    result = failed if tls.error in _WRONG_CERTIFICATE and tls.cause != "here" else warned
    return result(capitalized(message))


def _presented(leaf: Certificate | None) -> str:
    """What the server presented, as the rest of a sentence."""
    if leaf is None:
        return ""
    until = words.iso_day(leaf.not_after)
    expired = "expired on" if leaf.days_left < 0 else "valid until"
    names = quoted_list(leaf.names, 3) if leaf.names else f"{quoted(leaf.subject)} by its common name only"
    return f"; presented: for {names}, issued by {quoted(leaf.issuer)}, {expired} {until}"


@check(
    "NET-004",
    "Requests are answered completely and in time",
    Severity.HIGH,
    cite("RFC 9110", "section-6.1", "section 6.1, Framing and completeness"),
    rests_on=("answer",),
    at="metadata",
)
def answers(probed: CheckInput) -> Result:
    """Failures other than name, connection and certificate."""
    asked = probed.at_base
    broken = [exchange for exchange in asked if exchange.failure not in {None, "redirect"}]  # see NET-006
    if not asked or all(exchange.record.status is None for exchange in asked):
        return _unreached(probed)
    return (
        warned(capitalized(broken[0].detail), *probed.at_exchanges(broken))
        if broken
        else passed("Every request to the base URL got a complete answer")
    )


@check(
    "NET-005",
    "The base URL uses https",
    Severity.CRITICAL,
    cite("UC7", "", "Security: TLS 1.2 or later outside a secured network", page="security.html"),
    cite("SM-ASYM", "authenticating-to-the-token-endpoint"),
    cite("RFC 6749", "section-3.1"),
    rows=("H-12", "UC-05", "ASY-10", "DIS-04"),
    rests_on=("base",),
    level="SHALL",
)
def https(probed: CheckInput) -> Result:
    """FHIR itself leaves https optional; US Core, SMART and OAuth do not."""
    if not probed.base:
        return _unreached(probed)
    if probed.base.startswith("https://"):
        return passed("The base URL is https")
    if is_loopback_host(host_of(probed.base)):
        return not_applicable("the server runs on this machine")
    exchange = probed.exchanges.get("metadata")
    if exchange is not None and len(exchange.records) > 1 and exchange.url.startswith("https://"):
        return warned("The base URL is http and leads to https; write the https address", probed.at("metadata"))
    return failed(
        "The base URL is http; health data and tokens would travel in the clear, and US Core and SMART require TLS"
    )


@check(
    "NET-006",
    "Discovery documents are served without a redirect",
    Severity.MEDIUM,
    cite("R4-HTTP", "Status-Codes", "Status codes"),
    rows=("H-13",),
    rests_on=("answer",),
)
def redirects(probed: CheckInput) -> Result:
    """A redirect that must not be followed is a failure; one that was followed is worth knowing."""
    asked = probed.at_base
    if not any(exchange.records[0].status is not None for exchange in asked):
        return _unreached(probed)
    refused = [exchange for exchange in asked if exchange.failure == "redirect"]
    if refused:
        return failed(f"The server {refused[0].detail}", *probed.at_exchanges(refused))
    moved = [exchange for exchange in asked if any(record.reading == "redirect" for record in exchange.records)]
    addresses = dict.fromkeys(exchange.url for exchange in moved)
    return (
        warned(f"Redirects were followed, to {quoted_list(addresses)}", *probed.at_exchanges(moved))
        if moved
        else passed("No redirect was met")
    )


@check("NET-007", "Discovery is answered within a few seconds", Severity.LOW, rests_on=("answer",))
def latency(probed: CheckInput) -> Result:
    """The slowest complete answer among those at the base."""
    times = [(exchange.record.elapsed_ms, exchange.purpose) for exchange in probed.at_base if exchange.failure is None]
    if not times:
        return _unreached(probed)
    slowest, purpose = max(times)
    return (
        warned(f"The slowest answer took {slowest / 1000:.1f} s", probed.at(purpose))
        if slowest > SLOW_MS
        else passed(f"The slowest answer took {slowest:.0f} ms", probed.at(purpose))
    )


@check(
    "NET-008",
    "No discovery request fails on the server's side",
    Severity.HIGH,
    cite("RFC 9110", "section-15.6"),
    cite("RFC 6585", "section-4"),
    rests_on=("answer",),
)
def server_errors(probed: CheckInput) -> Result:
    """5xx and 429 for any document that the server names or owes; what they hide stays not observed."""
    asked = [probed.exchanges[purpose] for purpose in _PUBLISHED if purpose in probed.exchanges]
    answers = [exchange for exchange in asked if exchange.record.status is not None]
    if not answers:
        return _unreached(probed)
    for reading, result in (("server_error", failed), ("rate_limited", warned)):
        hit = [exchange for exchange in answers if exchange.reading == reading]
        if hit:
            documents = words.listed(list(dict.fromkeys(DOCUMENT_NAMES[exchange.purpose] for exchange in hit)))
            return result(f"Asked for the {documents}, {hit[0].detail}", *probed.at_exchanges(hit))
    silent = len(asked) - len(answers)
    more = f"; {words.count(silent, 'request')} got no answer" if silent else ""
    number = words.count(len(answers), "answer")
    return passed(f"No server error and no request to slow down in {number}{more}")


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
    rests_on=("answer",),
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
    rests_on=("answer",),
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
    rests_on=("answer",),
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


@check(
    "NET-022",
    "Everything is answered before the probe's time is over",
    Severity.MEDIUM,
    rests_on=("answer",),
    at="metadata",
)
def in_time(probed: CheckInput) -> Result:
    """The deadline is for all requests of one target together."""
    late = [exchange for exchange in probed.exchanges.values() if exchange.failure == "timeout"]
    if late:
        return warned(capitalized(late[0].detail), *probed.at_exchanges(late))
    _answers(probed)
    return passed("Everything was answered in time")


@check("NET-023", "Documents are of a usual size", Severity.LOW, rests_on=("answer",))
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


@check("NET-024", "Programs are let in, not browsers only", Severity.MEDIUM, rests_on=("answer",), at="metadata")
def programs_welcome(probed: CheckInput) -> Result:
    """A firewall's page for unknown programs looks like a refusal, and says nothing about the server behind it."""
    for exchange in _answers(probed):
        if is_for_people(exchange):
            return warned(
                f"HTTP {exchange.record.status} with an HTML page instead of FHIR: a firewall in front may block "
                f"unknown programs{_called(probed.user_agent)}; ask for this program to be allowed",
                probed.at(exchange.purpose),
            )
    return passed("No page of a firewall was met")


def _called(user_agent: str) -> str:
    return f" (ours has the User-Agent {quoted(user_agent, 200)})" if user_agent else ""


def is_for_people(exchange: Exchange) -> bool:
    """Whether a refusal came with a page and without a challenge: it may be the server's or a firewall's."""
    record = exchange.record
    page = (record.content_type or "").lower().startswith("text/html")
    return record.status in {403, 406, 415} and page and "www-authenticate" not in record.headers
