"""OIDC: what the issuer of identities publishes (OpenID Connect Discovery 1.0)."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from interlock.model import words
from interlock.model.base import Severity
from interlock.probe.checks.base import CheckInput, check
from interlock.probe.checks.results import (
    NeedError,
    Result,
    as_json,
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
from interlock.probe.transport.addresses import is_loopback_host
from interlock.probe.transport.exchange import Purpose
from interlock.probe.transport.plan import OPENID_PATH

_PROVIDER = cite("OIDC-D", "ProviderMetadata", "section 3, Provider metadata")
_REQUIRED = (
    "issuer",
    "authorization_endpoint",
    "jwks_uri",
    "response_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
)
_DOCUMENTS: tuple[Purpose, ...] = ("smart", "openid")


def _require_sign_on(probed: CheckInput) -> None:
    """Ends a check of a server that does not identify users.

    :raises NeedError: with the check's result.
    """
    if not probed.signs_on:
        where = probed.at("smart", "/capabilities")
        raise NeedError(not_applicable("the server does not list sso-openid-connect", where))


#: A part of an issuer that a tenant's own value is to take the place of.
_PLACEHOLDER = re.compile(r"\{[^{}]{0,100}\}")


def template_in(issuer: str | None) -> str:
    """The first placeholder in an issuer, ``{tenantid}``; nothing when it has none."""
    match = _PLACEHOLDER.search(issuer or "")
    return match[0] if match else ""


def issuer_of(probed: CheckInput) -> str | None:
    """The issuer that the SMART configuration names."""
    return probed.facts.smart.issuer if probed.facts.smart is not None else None


@check(
    "OIDC-001",
    "The issuer's discovery document is published",
    Severity.HIGH,
    cite("SM-SCOPE", "steps-for-using-an-id-token"),
    rows=("SSO-05",),
    rests_on=("openid",),
    at="openid",
    level="SHALL",
)
def published(probed: CheckInput) -> Result:
    """issuer + /.well-known/openid-configuration."""
    if probed.is_absent("openid"):
        return failed(
            "Nothing is published where the issuer says to look; ID tokens cannot be verified by discovery",
            probed.at("openid"),
            probed.at("smart", "/issuer"),
        )
    if answer := probed.broken("openid"):
        return failed(
            f"Asked for the discovery document where the issuer says to look, {answer}; ID tokens cannot be verified "
            "by discovery",
            probed.at("openid"),
        )
    if placeholder := template_in(issuer_of(probed)):
        raise NeedError(not_observed(f"the issuer is a template ({quoted(placeholder)}; see OIDC-011)"))
    probed.require("openid")
    return passed("The discovery document is published")


@check(
    "OIDC-002",
    "The issuer is a plain https address",
    Severity.MEDIUM,
    _PROVIDER,
    rows=("OID-02", "OID-03"),
    needs="smart",
    at="smart#/issuer",
    level="SHALL",
)
def issuer_form(probed: CheckInput) -> Result:
    """https, no query, no fragment; never the address of the discovery document itself."""
    _require_sign_on(probed)
    issuer = probed.smart.issuer
    if issuer is None:
        return not_observed("no issuer is named (see SMART-007)")
    if placeholder := template_in(issuer):
        return failed(
            f"The issuer {quoted(issuer)} is no address but a template: {quoted(placeholder)} is not filled in"
        )
    if OPENID_PATH in issuer:
        return failed(
            "The issuer is the address of the discovery document itself; a client that appends "
            f"/{OPENID_PATH} to it, as OpenID Discovery says, asks elsewhere"
        )
    try:
        address = urlsplit(issuer)
    except ValueError:
        return failed(f"The issuer {quoted(issuer)} is no address")
    if address.query or address.fragment:
        return failed("The issuer has a query or a fragment, which it must not have")
    if address.scheme == "http" and is_loopback_host(address.hostname or ""):
        return not_applicable("the issuer runs on this machine")
    return (
        failed(f"The issuer {quoted(issuer)} is not an https address")
        if address.scheme != "https"
        else passed("The issuer is a plain https address")
    )


@check(
    "OIDC-003",
    "The issuer is the same, character for character",
    Severity.HIGH,
    cite("OIDC-D", "ProviderConfigurationValidation", "section 4.3"),
    rows=("OID-03",),
    needs="openid",
    rests_on=("smart",),
    level="SHALL",
)
def issuer_match(probed: CheckInput) -> Result:
    """MUST be identical: nothing is stripped or lower-cased for the comparison."""
    wanted = issuer_of(probed)
    given = probed.openid.issuer
    where = (probed.at("openid", "/issuer"), probed.at("smart", "/issuer"))
    if wanted is None:
        return not_observed("the SMART configuration names no issuer", where[1])
    if given is None:
        return failed("The discovery document names no issuer", where[0])
    if placeholder := template_in(given):
        return failed(
            f"SMART says {quoted(wanted)}, discovery says {quoted(given)}, a template whose {quoted(placeholder)} each "
            "tenant fills in (see OIDC-011)",
            *where,
        )
    return (
        failed(f"SMART says {quoted(wanted)}, discovery says {quoted(given)}; they MUST be identical", *where)
        if given != wanted
        else passed("Both documents name the same issuer", *where)
    )


@check(
    "OIDC-004",
    "The required provider metadata are there",
    Severity.MEDIUM,
    _PROVIDER,
    rows=("OID-01",),
    needs="openid",
    at="openid",
    level="SHALL",
)
def required_metadata(probed: CheckInput) -> Result:
    """token_endpoint is required too, unless only the implicit flow is used, which SMART never does."""
    facts = probed.openid
    missing = [name for name in (*_REQUIRED, "token_endpoint") if getattr(facts, name) is None]
    where = probed.at_fields("openid", missing)
    return (
        failed(f"Missing, though OpenID Connect requires it: {words.listed(missing)}", *where)
        if missing
        else passed("Everything that OpenID Connect requires is there")
    )


@check(
    "OIDC-005",
    "ID tokens may be signed with RS256",
    Severity.MEDIUM,
    _PROVIDER,
    cite("SM-SCOPE", "scopes-for-requesting-identity-data"),
    rows=("OID-04", "SSO-03"),
    needs="openid",
    at="openid#/id_token_signing_alg_values_supported",
    level="SHALL",
)
def rs256(probed: CheckInput) -> Result:
    """RS256 MUST be among the algorithms."""
    algorithms = probed.openid.id_token_signing_alg_values_supported
    if algorithms is None:
        return not_observed("the signing algorithms are not listed (see OIDC-004)")
    if "RS256" not in algorithms:
        return failed(f"RS256 is not offered, only {quoted_list(algorithms) or 'nothing'}; it MUST be")
    return (
        warned("RS256 is offered, and so are unsigned ID tokens (none), which a client must refuse")
        if "none" in algorithms
        else passed("RS256 is offered")
    )


@check("OIDC-006", "Both documents name the same keys", Severity.LOW, needs="openid", rests_on=("smart",))
def same_keys(probed: CheckInput) -> Result:
    """A client that reads one document verifies with other keys than one that reads the other."""
    smart = probed.facts.smart
    where = (probed.at("smart", "/jwks_uri"), probed.at("openid", "/jwks_uri"))
    smart_keys, openid_keys = (smart.jwks_uri if smart is not None else None), probed.openid.jwks_uri
    if smart_keys is None or openid_keys is None:
        return not_applicable("only one of the documents names a jwks_uri", *where)
    return (
        warned("SMART configuration and discovery document name different jwks_uri addresses", *where)
        if smart_keys != openid_keys
        else passed("Both documents name the same jwks_uri", *where)
    )


@check("OIDC-007", "The issuer's host is known", Severity.LOW, rows=("SSO-05",), needs="smart", at="smart#/issuer")
def issuer_host(probed: CheckInput) -> Result:
    """It may be on another host than the FHIR base; one that no endpoint is on has to be trusted besides."""
    _require_sign_on(probed)
    smart = probed.smart
    issuer, *known = (
        host_of(address or "")
        for address in (smart.issuer, probed.base, smart.authorization_endpoint, smart.token_endpoint)
    )
    if not issuer:
        return not_observed("no issuer with a host is named")
    if issuer not in known:
        return warned(
            f"Identities are issued by {quoted(issuer)}, where neither the base nor an endpoint is; that is "
            "allowed, and allow-lists must name it"
        )
    return passed(f"Identities are issued by {quoted(issuer)}, the host of the base or of an endpoint")


@check(
    "OIDC-008", "Both documents name the same endpoints", Severity.LOW, needs="openid", rests_on=("smart",), at="openid"
)
def same_endpoints(probed: CheckInput) -> Result:
    """A library that reads OpenID discovery goes elsewhere than one that reads the SMART configuration."""
    smart, openid = probed.facts.smart, probed.openid
    names = ("authorization_endpoint", "token_endpoint")
    pairs = [(name, getattr(smart, name, None), getattr(openid, name)) for name in names]
    different = [name for name, *urls in pairs if None not in urls and urls[0] != urls[1]]
    if different:
        evidence = [probed.at(purpose, f"/{name}") for name in different for purpose in _DOCUMENTS]
        return warned(f"SMART and OpenID documents differ in {words.listed(different)}", *evidence)
    return passed("The two documents do not contradict each other")


@check(
    "OIDC-009",
    "Authorization responses name their issuer",
    Severity.LOW,
    cite("RFC 9207", "section-3"),
    rows=("OAU-17", "OAU-18"),
    needs="openid",
    at="openid#/authorization_response_iss_parameter_supported",
    level="MAY",
)
def response_issuer(probed: CheckInput) -> Result:
    """Optional, and a defence for a client of many servers, which a product for many organisations is: a note."""
    return (
        passed("Responses carry iss")
        if probed.document("openid").get("authorization_response_iss_parameter_supported") is True
        else not_applicable("the server does not say that responses carry iss, which is optional")
    )


@check(
    "OIDC-010",
    "The discovery document is served as application/json",
    Severity.LOW,
    cite("OIDC-D", "ProviderConfig", "section 4, Obtaining configuration information"),
    rows=("OID-07",),
    needs="openid",
    at="openid",
    level="SHALL",
)
def media_type(probed: CheckInput) -> Result:
    """A MUST; clients that look at it refuse the document."""
    return as_json(probed.media_type("openid"), "the document MUST be returned as application/json")


@check(
    "OIDC-011",
    "The issuer is one issuer, not a template for many",
    Severity.MEDIUM,
    cite("OIDC-D", "ProviderConfigurationValidation", "section 4.3"),
    rows=("OID-03",),
    needs="smart",
    at="smart#/issuer",
)
def one_issuer(probed: CheckInput) -> Result:
    """A provider of many tenants may publish one document for all; each tenant's ID tokens name their own issuer."""
    issuers = {"smart": issuer_of(probed), "openid": probed.facts.openid.issuer if probed.facts.openid else None}
    for purpose, issuer in issuers.items():
        if placeholder := template_in(issuer):
            return warned(
                f"Templated: one issuer a tenant. Ask which value takes the place of {quoted(placeholder)} in "
                f"{quoted(issuer)} here, record that issuer for this organisation, and accept no other",
                probed.at("smart" if purpose == "smart" else "openid", "/issuer"),
            )
    if not any(issuers.values()):
        return not_applicable("no issuer is named")
    return passed("No issuer is a template")
