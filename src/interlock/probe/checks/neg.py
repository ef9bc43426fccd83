"""NEG: safe negatives, sent by an active probe only. What must be refused is asked for, and nothing comes of it."""

from __future__ import annotations

import re

from interlock.model.base import Severity
from interlock.probe.checks.base import (
    CheckInput,
    Family,
    Result,
    failed,
    not_applicable,
    not_observed,
    passed,
    quoted,
    unmet,
    warned,
)
from interlock.probe.checks.sources import cite
from interlock.probe.transport.addresses import is_loopback_host, origin
from interlock.probe.transport.exchange import Exchange, Purpose

FAMILY = Family("NEG")

_ERRORS = cite("RFC 6749", "section-5.2", "section 5.2, Error response")
_ENDPOINT = cite("RFC 6749", "section-3.2", "section 3.2, Token endpoint")
_BEARER = cite("RFC 6750", "section-3", "section 3, The WWW-Authenticate response header field")
_DENIED = cite("R4-SEC", "AccessDenied", "Access denied")

#: RFC 6749 section 5.2.
OAUTH_ERRORS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    }
)
_CHALLENGE = re.compile(r"(?:^|,\s*)bearer(?:\s+[\w-]+\s*=|\s*$|\s*,)", re.IGNORECASE)


def _answer(probed: CheckInput, purpose: Purpose) -> Exchange | Result:
    """The exchange that a check looks at, or the result without one."""
    if passive := unmet(probed, "active"):
        return passive
    exchange = probed.exchanges.get(purpose)
    if exchange is None:
        if purpose == "token-negative":
            return not_observed("no token endpoint is known")
        return not_applicable("the statement declares no type that can be read")
    if exchange.record.status is None or exchange.record.failure is not None:
        return not_observed(exchange.detail, probed.at(purpose))
    if exchange.record.status == 429:
        return not_observed("the server asked to slow down", probed.at(purpose))
    return exchange


@FAMILY.check(
    1,
    "The token endpoint refuses an unknown grant the way OAuth says",
    Severity.HIGH,
    _ERRORS,
    rows=("OAU-03",),
    level="SHALL",
)
def refuses_unknown_grant(probed: CheckInput) -> Result:
    """400, or 401 where the client is authenticated first, with a JSON object that names the error."""
    exchange = _answer(probed, "token-negative")
    if isinstance(exchange, Result):
        return exchange
    status, where = exchange.record.status or 0, probed.at("token-negative")
    if 200 <= status < 300:
        return failed(
            f"An unknown grant is answered with HTTP {status} ({exchange.detail}), which is no refusal", where
        )
    if status >= 500:
        return failed(f"An unknown grant makes the token endpoint fail (HTTP {status})", where)
    if exchange.reading != "oauth_error":
        return failed(f"HTTP {status} with {exchange.detail}; a client looks for JSON with error", where)
    refusal = f"HTTP {status}, error {quoted(exchange.detail, 60)}"
    if status in {400, 401}:
        return passed(refusal, where)
    return warned(f"{refusal}; the status of a refusal is 400, or 401 for the client", where)


@FAMILY.check(
    2,
    "The token endpoint's own TLS holds",
    Severity.CRITICAL,
    _ENDPOINT,
    cite("SM-ASYM", "authenticating-to-the-token-endpoint"),
    rows=("OAU-01", "ASY-10"),
    level="SHALL",
)
def token_tls(probed: CheckInput) -> Result:
    """The token endpoint is often another host than the base, with a certificate of its own."""
    if passive := unmet(probed, "active"):
        return passive
    exchange = probed.exchanges.get("token-negative")
    if exchange is None:
        return not_observed("no token endpoint is known")
    where = probed.at("token-negative")
    if exchange.tls is not None or exchange.record.failure == "tls":
        return failed(f"Credentials cannot be sent there safely: {exchange.detail}", where)
    address = origin(exchange.asked)
    if address is not None and address.scheme == "http":
        if is_loopback_host(address.host):
            return not_applicable("the token endpoint is on this machine", where)
        return failed("The token endpoint is plain http", where)
    if exchange.record.status is None:
        return not_observed(exchange.detail, where)
    return passed("The certificate was accepted", where)


@FAMILY.check(
    3,
    "The token endpoint's error is one that clients know",
    Severity.LOW,
    _ERRORS,
    rows=("OAU-03",),
    level="SHALL",
)
def registered_error(probed: CheckInput) -> Result:
    """A client decides by this word what to do next."""
    exchange = _answer(probed, "token-negative")
    if isinstance(exchange, Result):
        return exchange
    where = probed.at("token-negative", "/error")
    if exchange.reading != "oauth_error":
        return not_observed(f"the answer is {exchange.detail} (see NEG-001)", probed.at("token-negative"))
    if exchange.detail in {"unsupported_grant_type", "invalid_client", "invalid_request", "unauthorized_client"}:
        return passed(f"The error is {exchange.detail}", where)
    if exchange.detail in OAUTH_ERRORS:
        return warned(f"The error is {exchange.detail}, which does not say that the grant is unknown", where)
    return failed(f"The error is {quoted(exchange.detail, 60)}, a word that OAuth does not have", where)


@FAMILY.check(
    4,
    "A read without a token is refused",
    Severity.CRITICAL,
    _DENIED,
    cite("UC8", page="CapabilityStatement-us-core-server.html", section="behaviour of servers"),
    rows=("UC-06", "H-16"),
    level="SHALL",
)
def anonymous_read(probed: CheckInput) -> Result:
    """The resource cannot exist, so a 404 refuses without showing whether a token was missed."""
    exchange = _answer(probed, "anonymous-read")
    if isinstance(exchange, Result):
        return exchange
    status, where = exchange.record.status or 0, probed.at("anonymous-read")
    if status in {401, 403}:
        return passed(f"HTTP {status}", where)
    if status == 404:
        return passed("HTTP 404: nothing was given; whether the token was missed cannot be told from it", where)
    if 200 <= status < 300:
        return failed(f"HTTP {status} with {exchange.detail}, without a token", where)
    return warned(f"HTTP {status} is none of the refusals that clients expect (401, 403, 404)", where)


@FAMILY.check(
    5,
    "A 401 says how to authenticate",
    Severity.LOW,
    _BEARER,
    rows=("OAU-07", "OAU-08"),
    level="SHALL",
)
def challenge(probed: CheckInput) -> Result:
    """Only a 401 needs a challenge, and no error code in it."""
    exchange = _answer(probed, "anonymous-read")
    if isinstance(exchange, Result):
        return exchange
    status, where = exchange.record.status, probed.at("anonymous-read")
    if status != 401:
        return not_applicable(f"the read was answered with HTTP {status}", where)
    header = exchange.record.headers.get("www-authenticate", "")
    if not header:
        return failed("The 401 has no WWW-Authenticate header", where)
    if not _CHALLENGE.search(header):
        return failed(f"The challenge is {quoted(header, 60)}, not Bearer", where)
    return passed("The 401 asks for a bearer token", where)
