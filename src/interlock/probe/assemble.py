"""From exchanges to an observation's facts and outcome. Pure, so that a stored observation can be judged again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from interlock.fhir import brands, bulk, certification, jwks, openid, smart, udap, us_core
from interlock.fhir.capability import Statement
from interlock.model.facts import AccessFacts, CapabilityFacts, CorsFacts, Facts, SmartFacts, TlsFacts
from interlock.model.observation import ObservationOutcome
from interlock.probe.transport.addresses import origin
from interlock.probe.transport.exchange import INSTEAD, Exchange, Purpose

Exchanges = Mapping[Purpose, Exchange]

_DISCOVERY: tuple[Purpose, ...] = ("metadata", "smart")


def base_facts(
    exchanges: Exchanges,
    base: str,
    tls: TlsFacts | None = None,
    cors_origin: str | None = None,
    now: datetime | None = None,
) -> Facts:
    """Facts of the base itself: its capability statement, SMART configuration, TLS, and whatever else it serves.

    ``tls`` are facts from handshakes besides the requests (certificate, versions); without them only the requests
    count. ``cors_origin`` is the origin that cross-origin requests carried, ``now`` the moment of the probe.
    """
    statement: Statement | None = document_of(exchanges, "metadata")
    facts = statement.facts if statement is not None else None
    configuration = _smart(exchanges, base, facts)
    guide = us_core.parse(statement) if statement is not None else None
    certified = None
    if configuration is not None and facts is not None and guide is not None:
        certified = certification.parse(configuration, facts, guide)
    metadata = document_of(exchanges, "udap")
    return Facts.trusted(
        capability=facts,
        smart=configuration,
        tls=tls or tls_facts(exchanges),
        cors=cors_facts(exchanges, cors_origin) if cors_origin is not None else None,
        udap=udap.parse(metadata, base, now or datetime.now(UTC)) if metadata is not None else None,
        bulk=bulk.parse(statement) if statement is not None else None,
        us_core=guide,
        certification=certified,
        security=access_facts(exchanges, base, configuration),
    )


def with_advertised(facts: Facts, exchanges: Exchanges, base: str) -> Facts:
    """The same facts, and those of the documents that the base advertises: OpenID discovery, the JWK Set, brands."""
    discovery, keys = document_of(exchanges, "openid"), document_of(exchanges, "jwks")
    bundle = document_of(exchanges, "brands")
    identifier = facts.smart.user_access_brand_identifier if facts.smart is not None else None
    return facts.model_copy(
        update={
            "openid": openid.parse(discovery) if discovery is not None else None,
            "jwks": jwks.parse(keys) if keys is not None else None,
            "brands": brands.parse(bundle, base, identifier) if bundle is not None else None,
        }
    )


def _smart(exchanges: Exchanges, base: str, statement: CapabilityFacts | None) -> SmartFacts | None:
    """Facts of the SMART configuration; when there is positively none, of the statement's ``oauth-uris``.

    A page or ``{}`` under 200 is no configuration either, as little as a 404.

    A copy at the host's root is reported by a check, but no facts are read from it: on a host of many tenants it may
    speak for another tenant.
    """
    if (document := document_of(exchanges, "smart")) is not None:
        return smart.parse(document, base)
    instead = "smart" in exchanges and exchanges["smart"].reading in INSTEAD
    if statement is not None and (instead or is_absent(exchanges, "smart")):
        return smart.from_oauth_uris(statement)
    return None


def tls_facts(exchanges: Exchanges) -> TlsFacts | None:
    """Whether the base's certificate was accepted; none when no handshake with the base came to an end."""
    failed: TlsFacts | None = None
    asked = [exchanges[purpose] for purpose in _DISCOVERY if purpose in exchanges]
    for exchange in asked:
        first = exchange.records[0]
        if not first.url.startswith("https://"):
            continue
        if first.status is not None:
            return TlsFacts(verified=True)
        if exchange.tls is not None and len(exchange.records) == 1:
            failed = TlsFacts(verified=False, error=exchange.tls, message=first.detail or "")
    return failed


_ALLOWED: tuple[tuple[str, Purpose], ...] = (
    ("smart", "cors-smart"),
    ("metadata", "cors-metadata"),
    ("token", "cors-token"),
    ("fhir_api", "cors-fhir"),
    ("authorize", "cors-authorize"),
)


def cors_facts(exchanges: Exchanges, origin_sent: str) -> CorsFacts:
    """Which requests of a browser the server allows (Fetch, CORS protocol; specifications: COR-04).

    An answer without the header allows nothing; a request that got no answer says nothing.
    """
    allowed: dict[str, bool | None] = {}
    for name, purpose in _ALLOWED:
        exchange = exchanges.get(purpose)
        if exchange is not None and exchange.record.status is not None and exchange.failure is None:
            headers = exchange.record.headers
            names = [header.strip().lower() for header in headers.get("access-control-allow-headers", "").split(",")]
            may_authorize = purpose != "cors-fhir" or "authorization" in names
            allowed[name] = may_authorize and headers.get("access-control-allow-origin") in {"*", origin_sent}
    return CorsFacts(origin=origin_sent, **allowed)


def access_facts(exchanges: Exchanges, base: str, configuration: SmartFacts | None) -> AccessFacts:
    """How the base guards itself, as far as the requests for discovery show."""
    asked = [exchanges[purpose] for purpose in _DISCOVERY if purpose in exchanges]
    readings = {exchange.reading for exchange in asked}
    schemes = [exchange.record.headers.get("www-authenticate", "").partition(" ")[0] for exchange in asked]
    secure = [record for record in (exchange.record for exchange in asked) if record.url.startswith("https://")]
    hsts = ["strict-transport-security" in record.headers for record in secure if record.status is not None]
    addresses = (configuration.authorization_endpoint, configuration.token_endpoint) if configuration else ()
    origins = [origin(address or "") for address in addresses]
    return AccessFacts.trusted(
        https=base.startswith("https://"),
        open_discovery=True if "document" in readings else False if "unauthorized" in readings else None,
        challenges=tuple(dict.fromkeys(scheme for scheme in schemes if scheme)),
        hsts=any(hsts) if hsts else None,
        endpoint_hosts=tuple(dict.fromkeys(endpoint.host for endpoint in origins if endpoint is not None)),
        anonymous_read=_anonymous_read(exchanges),
    )


def _anonymous_read(exchanges: Exchanges) -> Literal["refused", "allowed"] | None:
    """Whether a read and a count without a token were refused.

    A 404 to the read cannot tell: the resource does not exist in any case.
    """
    purposes: tuple[Purpose, ...] = ("anonymous-read", "anonymous-count")
    asked = [exchanges[purpose] for purpose in purposes if purpose in exchanges]
    answered = [exchange for exchange in asked if exchange.record.failure is None]
    if any(
        200 <= (exchange.record.status or 0) < 300 and exchange.reading in {"other_resource", "bundle"}
        for exchange in answered
    ):
        return "allowed"
    return "refused" if any(exchange.record.status in {401, 403} for exchange in answered) else None


def outcome_of(exchanges: Exchanges) -> ObservationOutcome:
    """``observed``: the statement was read, and the SMART configuration was read or is positively absent.

    ``partial``: only the first or only the second holds; ``not_observed``: neither document was read.
    """
    statement = document_of(exchanges, "metadata") is not None
    configuration = document_of(exchanges, "smart") is not None
    if statement and (configuration or is_absent(exchanges, "smart")):
        return "observed"
    return "partial" if statement or configuration else "not_observed"


def is_absent(exchanges: Exchanges, purpose: Purpose) -> bool:
    """Whether a document is positively not there (404 or 410), as opposed to never retrieved."""
    return purpose in exchanges and exchanges[purpose].reading == "absent"


def document_of(exchanges: Exchanges, purpose: Purpose) -> Any:
    """The document that an exchange brought, or none."""
    return exchanges[purpose].document if purpose in exchanges else None
