"""CORS: may a client that lives in a browser read discovery, get a token, call the API.

Only for a product with such a client: the probe sends its registered origin. Preflights are not GET and are sent by an
active probe only.
"""

from __future__ import annotations

from typing import Literal

from interlock.model.base import Severity
from interlock.probe.checks.base import CheckInput, check
from interlock.probe.checks.results import (
    NeedError,
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

_RULE = cite("SM-APP", "considerations-for-cross-origin-resource-sharing-cors-support")
_Name = Literal["smart", "metadata", "token", "fhir_api", "authorize"]


def _asked(probed: CheckInput, name: _Name) -> tuple[str, bool]:
    """The product's origin, and whether one address allows its requests.

    :raises NeedError: there is no answer.
    """
    allowed: bool | None = getattr(probed.cors, name)
    if allowed is None and name in {"token", "fhir_api", "authorize"} and not probed.active:
        raise NeedError(not_observed("a preflight is sent by an active probe only (--active)"))
    if allowed is None:
        raise NeedError(not_observed("there was no answer to a request with an origin"))
    return quoted(probed.cors.origin), allowed


def _public(check_id: str, name: Literal["smart", "metadata"], purpose: Purpose, title: str) -> None:
    @check(
        check_id,
        title,
        Severity.HIGH,
        _RULE,
        rows=("COR-01", "COR-04"),
        needs="origin",
        rests_on=(purpose,),
        at=purpose,
        level="SHALL",
    )
    def any_origin(probed: CheckInput) -> Result:
        """A SHALL for servers that support purely browser-based apps, since SMART 2.1."""
        origin, allowed = _asked(probed, name)
        exchange = probed.exchanges.get(purpose)
        granted = exchange.record.headers.get("access-control-allow-origin", "*") if exchange is not None else "*"
        if not allowed:
            return failed(f"{origin} may not read it; a server for apps in browsers SHALL let any origin")
        return (
            passed("Any origin may read it")
            if granted == "*"
            else passed(f"{origin} may read it; whether any origin may is not shown")
        )


_public("CORS-001", "smart", "cors-smart", "A browser may read the SMART configuration from any origin")
_public("CORS-002", "metadata", "cors-metadata", "A browser may read the statement from any origin")


def _registered(check_id: str, name: Literal["token", "fhir_api"], purpose: Purpose, title: str) -> None:
    @check(
        check_id,
        title,
        Severity.HIGH,
        _RULE,
        rows=("COR-02", "COR-04"),
        needs="origin",
        rests_on=(purpose,),
        at=purpose,
        level="SHALL",
    )
    def registered_origin(probed: CheckInput) -> Result:
        """For registered origins only: a refusal of one that is not registered yet proves nothing."""
        origin, allowed = _asked(probed, name)
        return (
            passed(f"{origin} is allowed")
            if allowed
            else warned(f"{origin} is not allowed; that is a failure only if the origin is registered there")
        )


_registered("CORS-003", "token", "cors-token", "The registered origin may ask for a token")
_registered("CORS-004", "fhir_api", "cors-fhir", "The registered origin may call the FHIR API with a token")


@check(
    "CORS-005",
    "The authorization endpoint allows no cross-origin requests",
    Severity.MEDIUM,
    cite("RFC 9700", "section-2.6"),
    rows=("COR-03",),
    needs="origin",
    rests_on=("cors-authorize",),
    at="cors-authorize",
    level="SHALL",
)
def authorize(probed: CheckInput) -> Result:
    """It MUST NOT support CORS: a person goes there, no script does."""
    _, allowed = _asked(probed, "authorize")
    return (
        failed("The authorization endpoint allows cross-origin requests")
        if allowed
        else passed("The authorization endpoint allows none")
    )


@check(
    "CORS-006",
    "What the statement says of CORS is what is observed",
    Severity.LOW,
    cite("R4-CSD", "CapabilityStatement.rest.security.cors", "CapabilityStatement.rest.security.cors"),
    rows=("H-14",),
    needs="origin",
    rests_on=("metadata", "cors-metadata"),
    at="metadata#/rest/0/security/cors",
)
def claim(probed: CheckInput) -> Result:
    """``rest.security.cors`` is a claim; only a request with an origin observes it."""
    origin, allowed = _asked(probed, "metadata")
    capability = probed.facts.capability
    declared = capability.security.cors if capability is not None else None
    if declared is None:
        return not_applicable("the statement does not say")
    if declared != allowed:
        claimed, observed = ("supported", "not let read it") if declared else ("not supported", "let read it")
        return warned(f"The statement says that CORS is {claimed}; {origin} was {observed}")
    return passed("Claim and answer agree")
