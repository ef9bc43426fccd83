"""NEG: safe negatives, sent by an active probe only. What must be refused is asked for, and nothing comes of it."""

from __future__ import annotations

import re

from interlock.model import words
from interlock.model.base import Severity
from interlock.probe.checks.base import CheckInput, check
from interlock.probe.checks.results import (
    NeedError,
    Result,
    capitalized,
    failed,
    not_applicable,
    not_observed,
    passed,
    quoted,
    warned,
)
from interlock.probe.checks.sources import cite
from interlock.probe.transport.addresses import is_loopback_host, origin
from interlock.probe.transport.exchange import Exchange, Purpose

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


def _asked(probed: CheckInput, purpose: Purpose) -> Exchange:
    """The exchange that a check looks at.

    :raises NeedError: it was not asked for.
    """
    if purpose not in probed.exchanges:
        raise NeedError(
            not_observed("no token endpoint is known")
            if purpose == "token-negative"
            else not_applicable("the statement declares no type that can be read")
        )
    return probed.exchanges[purpose]


def _answer(probed: CheckInput, purpose: Purpose) -> tuple[Exchange, int]:
    """The exchange that a check looks at, and the answer's status.

    :raises NeedError: there was no answer, or one that puts off.
    """
    exchange = _asked(probed, purpose)
    status = exchange.record.status
    if status is None or exchange.record.failure is not None:
        raise NeedError(not_observed(exchange.detail, probed.at(purpose)))
    if status == 429:
        raise NeedError(not_observed("the server asked to slow down", probed.at(purpose)))
    return exchange, status


#: What was asked for without a token, in a message.
_ASKED: dict[Purpose, str] = {"anonymous-read": "a read", "anonymous-count": "a count of patients"}


def _anonymous(probed: CheckInput) -> tuple[dict[Purpose, tuple[Exchange, int]], list[Result]]:
    """The answers to what was asked for without a token, each with its status, and why others are not there.

    :raises NeedError: there was none.
    """
    answers: dict[Purpose, tuple[Exchange, int]] = {}
    results: list[Result] = []
    for purpose in _ASKED:
        try:
            answers[purpose] = _answer(probed, purpose)
        except NeedError as error:
            results.append(error.args[0])
    if not answers:
        raise NeedError(results[0])
    return answers, results


@check(
    "NEG-001",
    "The token endpoint refuses an unknown grant the way OAuth says",
    Severity.HIGH,
    _ERRORS,
    rows=("OAU-03",),
    needs="active",
    rests_on=("token-negative",),
    at="token-negative",
    level="SHALL",
)
def refuses_unknown_grant(probed: CheckInput) -> Result:
    """400, or 401 where the client is authenticated first, with a JSON object that names the error."""
    exchange, status = _answer(probed, "token-negative")
    if 200 <= status < 300:
        return failed(f"An unknown grant is answered with HTTP {status} ({exchange.detail}), which is no refusal")
    if status >= 500:
        return failed(f"An unknown grant makes the token endpoint fail (HTTP {status})")
    if exchange.reading != "oauth_error":
        return failed(f"HTTP {status} with {exchange.detail}; a client looks for JSON with error")
    refusal = f"HTTP {status}, error {quoted(exchange.detail, 60)}"
    return (
        passed(refusal)
        if status in {400, 401}
        else warned(f"{refusal}; the status of a refusal is 400, or 401 for the client")
    )


@check(
    "NEG-002",
    "The token endpoint's own TLS holds",
    Severity.CRITICAL,
    _ENDPOINT,
    cite("SM-ASYM", "authenticating-to-the-token-endpoint"),
    rows=("OAU-01", "ASY-10"),
    needs="active",
    rests_on=("token-negative",),
    at="token-negative",
    level="SHALL",
)
def token_tls(probed: CheckInput) -> Result:
    """The token endpoint is often another host than the base, with a certificate of its own."""
    exchange = _asked(probed, "token-negative")
    if exchange.tls is not None or exchange.record.failure == "tls":
        return failed(f"Credentials cannot be sent there safely: {exchange.detail}")
    address = origin(exchange.asked)
    if address is not None and address.scheme == "http":
        if is_loopback_host(address.host):
            return not_applicable("the token endpoint is on this machine")
        return failed("The token endpoint is plain http")
    return not_observed(exchange.detail) if exchange.record.status is None else passed("The certificate was accepted")


@check(
    "NEG-003",
    "The token endpoint's error is one that clients know",
    Severity.LOW,
    _ERRORS,
    rows=("OAU-03",),
    needs="active",
    rests_on=("token-negative",),
    at="token-negative#/error",
    level="SHALL",
)
def registered_error(probed: CheckInput) -> Result:
    """A client decides by this word what to do next."""
    exchange, _ = _answer(probed, "token-negative")
    if exchange.reading != "oauth_error":
        return not_observed(f"the answer is {exchange.detail} (see NEG-001)", probed.at("token-negative"))
    if exchange.detail in {"unsupported_grant_type", "invalid_client", "invalid_request", "unauthorized_client"}:
        return passed(f"The error is {exchange.detail}")
    return (
        warned(f"The error is {exchange.detail}, which does not say that the grant is unknown")
        if exchange.detail in OAUTH_ERRORS
        else failed(f"The error is {quoted(exchange.detail, 60)}, a word that OAuth does not have")
    )


@check(
    "NEG-004",
    "A read without a token is refused",
    Severity.CRITICAL,
    _DENIED,
    cite("UC8", page="CapabilityStatement-us-core-server.html", section="behaviour of servers"),
    rows=("UC-06", "H-16"),
    needs="active",
    rests_on=("anonymous",),
    at="anonymous-read",
    level="SHALL",
)
def anonymous_read(probed: CheckInput) -> Result:
    """A read of what cannot exist, and a count of patients: a 404 to the read is the answer of open servers too.

    So is a success that brings no resource, such as a page to sign in.
    """
    answers, _ = _anonymous(probed)
    for purpose, (exchange, status) in answers.items():
        given = exchange.reading == "bundle" or (purpose == "anonymous-read" and exchange.reading == "other_resource")
        if 200 <= status < 300 and given:
            brings = f"{_ASKED[purpose]} without a token brings HTTP {status} with {exchange.detail}"
            return failed(capitalized(brings), probed.at(purpose))
    where = probed.at_exchanges(exchange for exchange, _ in answers.values())
    said = words.listed(
        [
            f"{_ASKED[purpose]}: HTTP {status}" + (f" with {exchange.detail}" if 200 <= status < 300 else "")
            for purpose, (exchange, status) in answers.items()
        ]
    )
    if any(status in {401, 403} for _, status in answers.values()):
        return passed(f"Refused without a token ({said})", *where)
    _, of_read = answers.get("anonymous-read", (None, 404))
    if of_read != 404 and not 200 <= of_read < 300:
        return warned(f"HTTP {of_read} is none of the refusals that clients expect (401, 403, 404)", *where)
    return not_observed(
        f"guarded and open servers may answer so ({said}); whether a token is missed has to be asked", *where
    )


@check(
    "NEG-005",
    "A 401 says how to authenticate",
    Severity.LOW,
    _BEARER,
    rows=("OAU-07", "OAU-08"),
    needs="active",
    rests_on=("anonymous",),
    at="anonymous-read",
    level="SHALL",
)
def challenge(probed: CheckInput) -> Result:
    """Only a 401 needs a challenge, and no error code in it."""
    answers, unanswered = _anonymous(probed)
    refused = next((exchange for exchange, status in answers.values() if status == 401), None)
    if refused is None and unanswered:
        return unanswered[0]
    if refused is None:
        return not_applicable(
            f"no answer was HTTP 401, but {words.listed([str(status) for _, status in answers.values()])}"
        )
    header = refused.record.headers.get("www-authenticate", "")
    if not header:
        return failed("The 401 has no WWW-Authenticate header")
    return (
        failed(f"The challenge is {quoted(header, 60)}, not Bearer")
        if not _CHALLENGE.search(header)
        else passed("The 401 asks for a bearer token")
    )
