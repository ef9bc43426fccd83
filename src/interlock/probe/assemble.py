"""From exchanges to an observation's facts and outcome. Pure, so that a stored observation can be judged again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interlock.fhir import capability, jwks, openid, smart
from interlock.model.observation import CapabilityFacts, Facts, ObservationOutcome, SmartFacts
from interlock.probe.exchange import ABSENT, Exchange, Purpose

Exchanges = Mapping[Purpose, Exchange]


def base_facts(exchanges: Exchanges, base: str, presented: dict[str, Any] | None = None) -> Facts:
    """Facts of what is served at the base itself: the statement, the SMART configuration and the certificate.

    ``presented`` is the certificate of a failed verification (:mod:`interlock.probe.certificate`), if it was seen.
    """
    document = document_of(exchanges, "metadata")
    statement = capability.parse(document) if document is not None else None
    return Facts(capability=statement, smart=_smart(exchanges, base, statement), tls=tls_facts(exchanges, presented))


def with_advertised(facts: Facts, exchanges: Exchanges) -> Facts:
    """The same facts with those of the documents that the base advertises: OpenID discovery and the JWK Set."""
    discovery, keys = document_of(exchanges, "openid"), document_of(exchanges, "jwks")
    return facts.model_copy(
        update={
            "openid": openid.parse(discovery) if discovery is not None else None,
            "jwks": jwks.parse(keys) if keys is not None else None,
        }
    )


def _smart(exchanges: Exchanges, base: str, statement: CapabilityFacts | None) -> SmartFacts | None:
    """Facts of the SMART configuration; when it is positively absent, of the statement's ``oauth-uris``.

    A copy at the host's root is reported by a check, but no facts are read from it: on a host of many tenants it may
    speak for another one.
    """
    document = document_of(exchanges, "smart")
    if document is not None:
        return smart.parse(document, base)
    if statement is not None and is_absent(exchanges, "smart"):
        return smart.from_oauth_uris(statement)
    return None


def tls_facts(exchanges: Exchanges, presented: dict[str, Any] | None = None) -> dict[str, Any] | None:
    """Whether the base's certificate was verified; none when no handshake with the base came to an end.

    ``{"verified": True}``, or ``{"verified": False, "error": WORD, "message": …, "presented": {…}}``. A certificate
    that has expired by its own dates is ``expired``, whatever OpenSSL objected to first.
    """
    failed: dict[str, Any] | None = None
    for purpose in ("metadata", "smart"):
        exchange = exchanges.get(purpose)
        if exchange is None or not exchange.asked.startswith("https://"):
            continue
        first = exchange.records[0]
        if first.status is not None:
            return {"verified": True}
        if exchange.tls is not None and len(exchange.records) == 1:
            failed = {"verified": False, "error": exchange.tls, "message": first.detail or ""}
    if failed is not None and presented is not None:
        failed["presented"] = presented
        if presented["days_left"] < 0 and failed["error"] != "expired":
            failed |= {"error": "expired", "message": f"the certificate has expired, and {failed['message']}"}
    return failed


def outcome_of(exchanges: Exchanges) -> ObservationOutcome:
    """``observed``: the statement was read, and the SMART configuration was read or is positively absent.

    ``partial``: only one of the two is decided in that way; ``not_observed``: neither document was seen.
    """
    statement = document_of(exchanges, "metadata") is not None
    configuration = document_of(exchanges, "smart") is not None
    if statement and (configuration or is_absent(exchanges, "smart")):
        return "observed"
    return "partial" if statement or configuration else "not_observed"


def is_absent(exchanges: Exchanges, purpose: Purpose) -> bool:
    """Whether a document is positively not there (404 or 410), as opposed to not seen."""
    exchange = exchanges.get(purpose)
    return exchange is not None and exchange.reading in ABSENT


def document_of(exchanges: Exchanges, purpose: Purpose) -> Any:
    """The document of an exchange that brought one, or none."""
    exchange = exchanges.get(purpose)
    return exchange.document if exchange is not None and exchange.reading == "document" else None
