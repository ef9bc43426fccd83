"""CORS: may a client that lives in a browser read discovery, get a token, call the API.

Only for a product with such a client: the probe sends its registered origin. Preflights are not GET and are sent by an
active probe only.
"""

from __future__ import annotations

from typing import Literal

from interlock.model.base import Severity
from interlock.model.observation import CorsFacts
from interlock.probe.checks.base import (
    CheckInput,
    Family,
    Result,
    failed,
    not_applicable,
    not_observed,
    passed,
    quoted,
    warned,
)
from interlock.probe.checks.sources import cite
from interlock.probe.transport.exchange import Purpose

FAMILY = Family("CORS")

_RULE = cite("SM-APP", "considerations-for-cross-origin-resource-sharing-cors-support")
_Name = Literal["smart", "metadata", "token", "fhir_api", "authorize"]


def _asked(probed: CheckInput, name: _Name) -> tuple[CorsFacts, bool] | Result:
    """The CORS facts and the answer for one address, or why there is none."""
    facts = probed.facts.cors
    if facts is None:
        return not_applicable("no browser client's origin was given (--origin)")
    answer: bool | None = getattr(facts, name)
    if answer is None and name in {"token", "fhir_api", "authorize"} and not probed.active:
        return not_observed("a preflight is sent by an active probe only (--active)")
    if answer is None:
        return not_observed("there was no answer to a request with an origin")
    return facts, answer


def _public(number: int, name: Literal["smart", "metadata"], purpose: Purpose, title: str) -> None:
    @FAMILY.check(number, title, Severity.HIGH, _RULE, rows=("COR-01", "COR-04"), level="SHALL")
    def any_origin(probed: CheckInput) -> Result:
        """A SHALL for servers that support purely browser-based apps, since SMART 2.1."""
        cors = _asked(probed, name)
        if isinstance(cors, Result):
            return cors
        facts, allowed = cors
        given = (
            probed.exchanges[purpose].record.headers.get("access-control-allow-origin")
            if purpose in probed.exchanges
            else None
        )
        if not allowed:
            return failed(f"{quoted(facts.origin)} may not read it; any origin SHALL be allowed", probed.at(purpose))
        if given is not None and given != "*":
            return passed(
                f"{quoted(facts.origin)} may read it; whether any origin may is not shown", probed.at(purpose)
            )
        return passed("Any origin may read it", probed.at(purpose))


_public(1, "smart", "cors-smart", "A browser may read the SMART configuration from any origin")
_public(2, "metadata", "cors-metadata", "A browser may read the statement from any origin")


def _registered(number: int, name: Literal["token", "fhir_api"], purpose: Purpose, title: str) -> None:
    @FAMILY.check(number, title, Severity.HIGH, _RULE, rows=("COR-02", "COR-04"), level="SHALL")
    def registered_origin(probed: CheckInput) -> Result:
        """For registered origins only: a refusal of one that is not registered yet proves nothing."""
        cors = _asked(probed, name)
        if isinstance(cors, Result):
            return cors
        facts, allowed = cors
        if allowed:
            return passed(f"{quoted(facts.origin)} is allowed", probed.at(purpose))
        return warned(
            f"{quoted(facts.origin)} is not allowed; that is a failure only if the origin is registered there",
            probed.at(purpose),
        )


_registered(3, "token", "cors-token", "The registered origin may ask for a token")
_registered(4, "fhir_api", "cors-fhir", "The registered origin may call the FHIR API with a token")


@FAMILY.check(
    5,
    "The authorization endpoint allows no cross-origin requests",
    Severity.MEDIUM,
    cite("RFC 9700", "section-2.6"),
    rows=("COR-03",),
    level="SHALL",
)
def authorize(probed: CheckInput) -> Result:
    """It MUST NOT support CORS: a person goes there, no script does."""
    cors = _asked(probed, "authorize")
    if isinstance(cors, Result):
        return cors
    if cors[1]:
        return failed("The authorization endpoint allows cross-origin requests", probed.at("cors-authorize"))
    return passed("The authorization endpoint allows none", probed.at("cors-authorize"))


@FAMILY.check(
    6,
    "What the statement says of CORS is what is observed",
    Severity.LOW,
    cite("R4-CSD", "CapabilityStatement.rest.security.cors", "CapabilityStatement.rest.security.cors"),
    rows=("H-14",),
)
def claim(probed: CheckInput) -> Result:
    """``rest.security.cors`` is a claim; only a request with an origin observes it."""
    cors = _asked(probed, "metadata")
    if isinstance(cors, Result):
        return cors
    capability = probed.facts.capability
    declared = capability.security.cors if capability is not None else None
    where = probed.at("metadata", "/rest/0/security/cors")
    if declared is None:
        return not_applicable("the statement does not say", where)
    if declared != cors[1]:
        claimed, observed = ("supported", "not allowed") if declared else ("not supported", "allowed")
        return warned(f"The statement says that CORS is {claimed}; a request with an origin was {observed}", where)
    return passed("Claim and answer agree", where)
