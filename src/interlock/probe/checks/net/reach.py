"""NET, reach: can the server be reached, how, and how well. What could not be reached is never called missing."""

from __future__ import annotations

from interlock.model import words
from interlock.model.base import Severity
from interlock.model.observation import Certificate
from interlock.model.text import plain
from interlock.probe.checks.base import (
    NOT_HTTPS,
    CheckInput,
    NeedError,
    Result,
    capitalized,
    check,
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

_AUTHORITY = cite("RFC 9110", "section-4.3", "section 4.3, Authoritative access")

SLOW_MS = 5000.0

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


@check("NET-001", "The host name resolves", Severity.CRITICAL, _AUTHORITY)
def name_resolves(probed: CheckInput) -> Result:
    """A name that does not resolve from here says nothing about the server behind it."""
    host = host_of(probed.base)
    if literal(host) is not None:
        return not_applicable("the base URL is an IP address")
    return _unreached(probed) if _stage(probed) < 1 else passed(f"{quoted(host)} resolves")


@check("NET-002", "The server accepts connections", Severity.CRITICAL, _AUTHORITY)
def accepts_connections(probed: CheckInput) -> Result:
    """TCP. A refusal may be a firewall between here and there."""
    accepts = passed(f"{quoted(host_of(probed.base))} accepts connections")
    return _unreached(probed) if _stage(probed) < 2 else accepts


@check(
    "NET-003",
    "The certificate is valid and trusted",
    Severity.CRITICAL,
    cite("RFC 9110", "section-4.3.4", "section 4.3.4, https certificate verification"),
    cite("RFC 9325", "section-7.1"),
    rows=("TLS-05",),
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


@check("NET-007", "Discovery is answered within a few seconds", Severity.LOW)
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
)
def server_errors(probed: CheckInput) -> Result:
    """5xx and 429; what they hide stays not observed."""
    asked = probed.at_base
    if not any(exchange.record.status is not None for exchange in asked):
        return _unreached(probed)
    for reading, result in (("server_error", failed), ("rate_limited", warned)):
        hit = [exchange for exchange in asked if exchange.reading == reading]
        if hit:
            return result(capitalized(hit[0].detail), *probed.at_exchanges(hit))
    return passed("No request was answered with a server error or a request to slow down")
