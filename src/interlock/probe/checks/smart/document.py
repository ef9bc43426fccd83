"""SMART, the document: is it there, how is it served, and are its fields what SMART App Launch asks for."""

from __future__ import annotations

from collections.abc import Iterable

from interlock.fhir.smart import URL_FIELDS, is_absolute, signs_of_2
from interlock.fhir.tolerant import kind_of
from interlock.model import words
from interlock.model.base import Severity
from interlock.model.facts import SmartFacts
from interlock.model.text import plain
from interlock.probe.checks.base import CheckInput, check, unseen
from interlock.probe.checks.results import (
    NeedError,
    Result,
    as_json,
    capitalized,
    failed,
    host_of,
    not_applicable,
    not_observed,
    passed,
    quoted_list,
    warned,
)
from interlock.probe.checks.sources import cite
from interlock.probe.transport.addresses import is_internal_name, is_loopback_host, kind_of_host, origin
from interlock.probe.transport.exchange import Purpose

#: The server positively answered, and what it answered says nothing.
_HOLLOW = frozenset({"empty_object", "not_an_object"})

#: What a guarded base refuses.
_GUARDED: tuple[Purpose, ...] = ("metadata", "cors-metadata")

_UNPUBLISHED = not_applicable("no authorization or token endpoint is published")

_METADATA = cite("SM-CONF", "metadata", "Metadata")
_WELL_KNOWN = cite("SM-CONF", "using-well-known", "Using well-known")


@check(
    "SMART-001",
    "A SMART configuration is published under the base",
    Severity.HIGH,
    _WELL_KNOWN,
    rows=("DIS-01",),
    rests_on=("smart",),
    at="smart",
    level="SHALL",
)
def published(probed: CheckInput) -> Result:
    """Owed by every endpoint that requires authorization; an open server owes nothing."""
    if probed.has("smart"):
        return passed("A SMART configuration is published")
    hollow = probed.reading("smart") in _HOLLOW
    if not hollow and not probed.is_absent("smart"):
        return unseen(probed, "smart")
    sign = _requires_authorization(probed)
    metadata = probed.exchanges.get("metadata")
    unasked = metadata is None or metadata.failure is not None
    if not sign and (unasked or not (hollow or probed.has("metadata"))):
        return not_observed("whether the server requires authorization was not seen", probed.at("smart"))
    if not sign and probed.has("metadata"):
        asked = "nothing that was seen requires authorization: no security is declared, and no request was refused"
        return not_applicable(f"{asked}; ask whether the server is open, or is guarded otherwise", probed.at("smart"))
    if hollow:
        return failed(f"{capitalized(probed.why_unseen('smart'))}, which says nothing about authorization")
    owed = f"by SMART App Launch 2.2 an endpoint that requires authorization SHALL serve one ({sign})"
    capability = probed.facts.capability
    if capability is not None and capability.fhir_release in {"DSTU2", "STU3"} and capability.security.oauth_uris_count:
        owed += f"; a base of {capability.fhir_release} may follow SMART 1.0, whose oauth-uris it has"
    return failed(f"No SMART configuration is published under the base URL; {owed}")


def _requires_authorization(probed: CheckInput) -> str:
    """What shows that the endpoint requires authorization; nothing when nothing does."""
    capability = probed.facts.capability
    if capability is not None and capability.security.services:
        return f"the statement declares {quoted_list(capability.security.services, 2)}"
    if capability is not None and capability.security.oauth_uris_count:
        return "the statement has oauth-uris"
    refused = [purpose for purpose in _GUARDED if probed.reading(purpose) in {"unauthorized", "forbidden"}]
    refused += [
        purpose
        for purpose in ("anonymous-read", "anonymous-count")
        if purpose in probed.exchanges and probed.exchanges[purpose].record.status in {401, 403}
    ]
    if refused:
        return f"a request was refused with HTTP {probed.exchanges[refused[0]].record.status}"
    return "a copy is at the host's root" if probed.has("smart-root") else ""


@check(
    "SMART-002",
    "The SMART configuration is where clients look for it",
    Severity.MEDIUM,
    _WELL_KNOWN,
    rows=("DIS-01",),
    rests_on=("smart",),
    at="smart",
    level="SHALL",
)
def location(probed: CheckInput) -> Result:
    """Appended to the FHIR base, path included; some servers publish it at the host's root only."""
    if probed.has("smart"):
        return passed("It is under the base URL, path included")
    if probed.has("smart-root"):
        return failed(
            f"It is at the host's root only ({plain(probed.exchanges['smart-root'].url, 200)}); SMART clients look "
            "under the base URL. The facts of that copy were not used: it may speak for another tenant",
            probed.at("smart-root"),
            probed.at("smart"),
        )
    return (
        not_applicable("no SMART configuration was found at all (see SMART-001)")
        if probed.is_absent("smart")
        else unseen(probed, "smart")
    )


@check(
    "SMART-003",
    "It is served as application/json",
    Severity.LOW,
    _WELL_KNOWN,
    rows=("DIS-02",),
    needs="smart",
    at="smart",
    level="SHALL",
)
def media_type(probed: CheckInput) -> Result:
    """A SHALL, whatever Accept says; the document is read all the same."""
    return as_json(probed.media_type("smart"), "it SHALL be application/json")


@check(
    "SMART-004",
    "PKCE with S256 is offered, and plain is not",
    Severity.HIGH,
    _METADATA,
    cite("SM-APP", "considerations-for-pkce-support"),
    rows=("FLD-19", "AUT-03"),
    needs="smart",
    at="smart#/code_challenge_methods_supported",
    level="SHALL",
)
def pkce(probed: CheckInput) -> Result:
    """Undeclared is not absent: real servers support PKCE without saying so; yet SMART 2 requires them to say."""
    methods = probed.smart.code_challenge_methods_supported
    if methods is None:
        sent = (probed.document("smart") or {}).get("code_challenge_methods_supported")
        if sent is not None:
            return failed(
                f"code_challenge_methods_supported is {kind_of(sent)}, not a list; S256 SHALL be among the methods"
            )
        if signs := signs_of_2(probed.smart):
            return failed(
                f"code_challenge_methods_supported is missing, which SMART 2 requires; that this is SMART 2 shows in "
                f"{words.listed(list(signs), 3)}. Whether PKCE is supported is unknown"
            )
        return warned(
            "code_challenge_methods_supported is not declared, though SMART 2 requires it; whether PKCE is supported "
            "is unknown"
        )
    if "plain" in methods:
        beside = "beside S256" if "S256" in methods else "without S256"
        return failed(f"plain is offered {beside}; servers SHALL NOT offer it")
    return (
        failed(f"S256 is not among the methods ({quoted_list(methods) or 'none'}); it SHALL be")
        if "S256" not in methods
        else passed("S256 is offered and plain is not")
    )


@check(
    "SMART-005",
    "The required fields are there",
    Severity.HIGH,
    _METADATA,
    cite("SM-1.0"),
    rows=("FLD-04", "FLD-05", "FLD-18"),
    needs="smart",
    at="smart",
    level="SHALL",
)
def required_fields(probed: CheckInput) -> Result:
    """token_endpoint and capabilities in every version, grant_types_supported from 2.0."""
    smart = probed.smart
    missing = [name for name in ("token_endpoint", "capabilities") if getattr(smart, name) is None]
    sign_of_2x = smart.code_challenge_methods_supported is not None or signs_of_2(smart)
    if smart.grant_types_supported is None and (missing or sign_of_2x):
        missing.append("grant_types_supported")
    if missing:
        sent = probed.document("smart") or {}
        right = {name: str if name == "token_endpoint" else list for name in missing}
        other = [name for name in missing if sent.get(name) is not None and not isinstance(sent[name], right[name])]
        there = [f"{name} is {kind_of(sent[name])}" for name in other]
        lacking = [name for name in missing if name not in other]
        said = [f"missing, though SMART requires it: {words.listed(lacking)}"] if lacking else []
        said += [f"not of the type that SMART gives it: {words.listed(there)}"] if there else []
        return failed(words.capital("; ".join(said)), *probed.at_fields("smart", missing))
    if smart.grant_types_supported is None:
        return warned(
            "grant_types_supported is missing, which SMART 2 requires; nothing else shows a version later than 1.0",
            probed.at("smart", "/grant_types_supported"),
        )
    return passed("token_endpoint, capabilities and grant_types_supported are there")


@check(
    "SMART-006",
    "Launches have an authorization endpoint",
    Severity.HIGH,
    _METADATA,
    rows=("FLD-03",),
    needs="smart",
    at="smart#/authorization_endpoint",
    level="SHALL",
)
def authorization_endpoint(probed: CheckInput) -> Result:
    """Required if launch-ehr or launch-standalone is listed; a server for backend clients only needs none."""
    smart = probed.smart
    if smart.authorization_endpoint is not None:
        return passed("authorization_endpoint is given")
    launches = [mode for mode in ("launch-ehr", "launch-standalone") if mode in (smart.capabilities or ())]
    if launches:
        return failed(f"authorization_endpoint is missing, which {quoted_list(launches)} require")
    return (
        not_observed("the launch modes are not listed")
        if smart.capabilities is None
        else not_applicable("no launch mode is listed that needs one")
    )


@check(
    "SMART-007",
    "Sign-on has an issuer and its keys",
    Severity.MEDIUM,
    _METADATA,
    rows=("FLD-01", "FLD-02"),
    needs="smart",
    at="smart#/capabilities",
    level="SHALL",
)
def issuer_and_keys(probed: CheckInput) -> Result:
    """issuer and jwks_uri are required with sso-openid-connect; issuer is otherwise to be omitted."""
    smart, at_issuer = probed.smart, probed.at("smart", "/issuer")
    if "sso-openid-connect" in probed.listed("capabilities"):
        missing = [name for name in ("issuer", "jwks_uri") if getattr(smart, name) is None]
        where = probed.at_fields("smart", missing)
        if not missing:
            return passed("sso-openid-connect comes with issuer and jwks_uri", at_issuer)
        if not signs_of_2(smart) and smart.code_challenge_methods_supported is None:
            return passed(
                f"sso-openid-connect is listed without {words.listed(missing)}, which SMART 1.0 does not have; nothing "
                "shows a later version, so the issuer has to be asked for",
                *where,
            )
        return failed(f"sso-openid-connect is listed without {words.listed(missing)}", *where)
    if smart.issuer is not None:
        return warned("issuer is given without sso-openid-connect; it is to be omitted then", at_issuer)
    return not_applicable("sso-openid-connect is not listed")


@check(
    "SMART-008",
    "Every address is absolute",
    Severity.MEDIUM,
    _WELL_KNOWN,
    rows=("DIS-03",),
    needs="smart",
    at="smart",
    level="SHALL",
)
def absolute(probed: CheckInput) -> Result:
    """A SHALL from SMART 2.1; a client SHOULD resolve a relative one against the FHIR base."""
    relative = [
        name for name in URL_FIELDS if (url := getattr(probed.smart, name)) is not None and not is_absolute(url)
    ]
    where = probed.at_fields("smart", relative)
    return (
        failed(f"Relative, though addresses SHALL be absolute: {words.listed(relative)}", *where)
        if relative
        else passed("Every address is absolute")
    )


@check(
    "SMART-009",
    "Authorization and token endpoints use https",
    Severity.CRITICAL,
    cite("RFC 6749", "section-3.1"),
    cite("RFC 6749", "section-3.2"),
    rows=("DIS-04", "OAU-01", "OAU-02"),
    rests_on=("endpoints",),
    at="smart",
    level="SHALL",
)
def endpoints_https(probed: CheckInput) -> Result:
    """TLS is a MUST of OAuth 2.0 at both; judged on the statement's oauth-uris too when those are all there is."""
    endpoints = ("authorization_endpoint", "token_endpoint")
    if probed.facts.smart is None and probed.is_absent("smart"):
        return _UNPUBLISHED
    hosts = plain_http(probed.smart, endpoints)
    if insecure := [name for name, host in hosts.items() if not is_loopback_host(host)]:
        listed = words.listed(insecure)
        return failed(f"Plain http, though OAuth 2.0 MUST use TLS: {listed}", *probed.at_fields("smart", insecure))
    if hosts:
        return not_applicable("the endpoints run on this machine")
    published = any(getattr(probed.smart, name) is not None for name in endpoints)
    return passed("No endpoint is plain http") if published else _UNPUBLISHED


def plain_http(smart: SmartFacts, fields: Iterable[str]) -> dict[str, str]:
    """The fields whose addresses are plain http, with their hosts."""
    addresses = {name: origin(getattr(smart, name) or "") for name in fields}
    return {name: address.host for name, address in addresses.items() if address and address.scheme == "http"}


@check("SMART-010", "Advertised endpoints are on public hosts", Severity.MEDIUM, needs="smart", at="smart")
def public_hosts(probed: CheckInput) -> Result:
    """Internal host names leak into published documents; nobody outside can use them. Nothing is resolved here."""
    if kind_of_host(host_of(probed.base)) not in {None, "public"}:
        raise NeedError(not_applicable("the base URL itself is on a private network"))
    hosts = {name: host_of(getattr(probed.smart, name) or "") for name in URL_FIELDS}
    inside = [
        name
        for name, host in hosts.items()
        if host and (is_internal_name(host) or kind_of_host(host) in {"private", "never"})
    ]
    where = probed.at_fields("smart", inside)
    return (
        warned(f"On a host that only its own network knows: {words.listed(inside)}", *where)
        if inside
        else passed("No advertised endpoint is on an internal host by its name")
    )
