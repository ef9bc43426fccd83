"""SMART, the document: is it there, how is it served, and are its fields what SMART App Launch asks for."""

from __future__ import annotations

from interlock.fhir.smart import URL_FIELDS, is_absolute
from interlock.model import words
from interlock.model.base import Severity
from interlock.model.observation import SmartFacts
from interlock.model.text import plain
from interlock.probe.checks.base import (
    CheckInput,
    Family,
    Result,
    capitalized,
    failed,
    not_applicable,
    not_observed,
    passed,
    quoted,
    quoted_list,
    unseen,
    warned,
)
from interlock.probe.checks.sources import cite
from interlock.probe.transport.addresses import is_internal_name, is_loopback_host, kind_of_host, origin

FAMILY = Family("SMART")

#: The server positively answered, and what it answered says nothing.
_HOLLOW = frozenset({"empty_object", "not_an_object"})

_METADATA = cite("SM-CONF", "metadata", "Metadata")
_WELL_KNOWN = cite("SM-CONF", "using-well-known", "Using well-known")


def sign_of_2x(smart: SmartFacts) -> bool:
    """Whether anything in the document belongs to SMART 2.x. A judgement: the document states no version."""
    return (
        smart.code_challenge_methods_supported is not None
        or smart.grant_types_supported is not None
        or "permission-v2" in (smart.capabilities or ())
        or bool(smart.scopes_v2)
    )


@FAMILY.check(
    1,
    "A SMART configuration is published under the base",
    Severity.HIGH,
    _WELL_KNOWN,
    rows=("DIS-01",),
    level="SHALL",
)
def published(probed: CheckInput) -> Result:
    """Owed by every endpoint that requires authorization; an open server owes nothing."""
    if probed.has("smart"):
        return passed("A SMART configuration is published", probed.at("smart"))
    exchange = probed.exchanges.get("smart")
    if probed.is_absent("smart"):
        return failed(
            "No SMART configuration is published under the base URL; an endpoint that requires authorization SHALL "
            "serve one",
            probed.at("smart"),
        )
    if exchange is not None and exchange.reading in _HOLLOW:
        return failed(f"{capitalized(exchange.detail)}, which says nothing about authorization", probed.at("smart"))
    return unseen(probed, "smart")


@FAMILY.check(
    2,
    "The SMART configuration is where clients look for it",
    Severity.MEDIUM,
    _WELL_KNOWN,
    rows=("DIS-01",),
    level="SHALL",
)
def location(probed: CheckInput) -> Result:
    """Appended to the FHIR base, path included; some servers publish it at the host's root only."""
    if probed.has("smart"):
        return passed("It is under the base URL, path included", probed.at("smart"))
    if probed.has("smart-root"):
        return failed(
            f"It is at the host's root only ({plain(probed.exchanges['smart-root'].url, 200)}); SMART clients look "
            "under the base URL. The facts of that copy were not used: it may speak for another tenant",
            probed.at("smart-root"),
            probed.at("smart"),
        )
    if probed.is_absent("smart"):
        return not_applicable("no SMART configuration was found at all (see SMART-001)", probed.at("smart"))
    return unseen(probed, "smart")


@FAMILY.check(
    3,
    "It is served as application/json",
    Severity.LOW,
    _WELL_KNOWN,
    rows=("DIS-02",),
    needs="smart",
    level="SHALL",
)
def media_type(probed: CheckInput) -> Result:
    """A SHALL, whatever Accept says; the document is read all the same."""
    given = (probed.exchanges["smart"].record.content_type or "").partition(";")[0].strip().lower()
    if given == "application/json":
        return passed("The media type is application/json", probed.at("smart"))
    stated = f"The media type is {quoted(given)}" if given else "No media type is given"
    return failed(f"{stated}; it SHALL be application/json", probed.at("smart"))


@FAMILY.check(
    4,
    "PKCE with S256 is offered, and plain is not",
    Severity.HIGH,
    _METADATA,
    cite("SM-APP", "considerations-for-pkce-support"),
    rows=("FLD-19", "AUT-03"),
    needs="smart",
    level="SHALL",
)
def pkce(probed: CheckInput) -> Result:
    """Undeclared is not absent: real servers support PKCE without saying so."""
    methods = probed.smart.code_challenge_methods_supported
    where = probed.at("smart", "/code_challenge_methods_supported")
    if methods is None:
        return warned(
            "code_challenge_methods_supported is not declared, though SMART 2 requires it; whether PKCE is supported "
            "is unknown",
            where,
        )
    if "plain" in methods:
        beside = "beside S256" if "S256" in methods else "without S256"
        return failed(f"plain is offered {beside}; servers SHALL NOT offer it", where)
    if "S256" not in methods:
        return failed(f"S256 is not among the methods ({quoted_list(methods) or 'none'}); it SHALL be", where)
    return passed("S256 is offered and plain is not", where)


@FAMILY.check(
    5,
    "The required fields are there",
    Severity.HIGH,
    _METADATA,
    cite("SM-1.0"),
    rows=("FLD-04", "FLD-05", "FLD-18"),
    needs="smart",
    level="SHALL",
)
def required_fields(probed: CheckInput) -> Result:
    """token_endpoint and capabilities in every version, grant_types_supported from 2.0."""
    smart = probed.smart
    missing = [name for name in ("token_endpoint", "capabilities") if getattr(smart, name) is None]
    if smart.grant_types_supported is None and (missing or sign_of_2x(smart)):
        missing.append("grant_types_supported")
    if missing:
        return failed(
            f"Missing or of the wrong type: {words.listed(missing)}; SMART requires them",
            *probed.at_fields("smart", missing),
        )
    if smart.grant_types_supported is None:
        return warned(
            "grant_types_supported is missing, which SMART 2 requires; nothing else shows a version later than 1.0",
            probed.at("smart", "/grant_types_supported"),
        )
    return passed("token_endpoint, capabilities and grant_types_supported are there", probed.at("smart"))


@FAMILY.check(
    6,
    "Launches have an authorization endpoint",
    Severity.HIGH,
    _METADATA,
    rows=("FLD-03",),
    needs="smart",
    level="SHALL",
)
def authorization_endpoint(probed: CheckInput) -> Result:
    """Required if launch-ehr or launch-standalone is listed; a server for backend clients only needs none."""
    smart = probed.smart
    where = probed.at("smart", "/authorization_endpoint")
    if smart.authorization_endpoint is not None:
        return passed("authorization_endpoint is given", where)
    launches = [mode for mode in ("launch-ehr", "launch-standalone") if mode in (smart.capabilities or ())]
    if launches:
        return failed(f"authorization_endpoint is missing, which {quoted_list(launches)} require", where)
    if smart.capabilities is None:
        return not_observed("the launch modes are not listed", where)
    return not_applicable("no launch mode is listed that needs one", where)


@FAMILY.check(
    7,
    "Sign-on has an issuer and its keys",
    Severity.MEDIUM,
    _METADATA,
    rows=("FLD-01", "FLD-02"),
    needs="smart",
    level="SHALL",
)
def issuer_and_keys(probed: CheckInput) -> Result:
    """issuer and jwks_uri are required with sso-openid-connect; issuer is otherwise to be omitted."""
    smart = probed.smart
    if smart.capabilities is None:
        return not_observed("the capabilities are not listed", probed.at("smart", "/capabilities"))
    if "sso-openid-connect" in smart.capabilities:
        missing = [name for name in ("issuer", "jwks_uri") if getattr(smart, name) is None]
        if missing:
            return failed(
                f"sso-openid-connect is listed without {words.listed(missing)}", *probed.at_fields("smart", missing)
            )
        return passed("sso-openid-connect comes with issuer and jwks_uri", probed.at("smart", "/issuer"))
    if smart.issuer is not None:
        return warned(
            "issuer is given without sso-openid-connect; it is to be omitted then", probed.at("smart", "/issuer")
        )
    return not_applicable("sso-openid-connect is not listed", probed.at("smart", "/capabilities"))


@FAMILY.check(
    8,
    "Every address is absolute",
    Severity.MEDIUM,
    _WELL_KNOWN,
    rows=("DIS-03",),
    needs="smart",
    level="SHALL",
)
def absolute(probed: CheckInput) -> Result:
    """A SHALL from SMART 2.1; a client SHOULD resolve a relative one against the FHIR base."""
    relative = [
        name for name in URL_FIELDS if (url := getattr(probed.smart, name)) is not None and not is_absolute(url)
    ]
    if relative:
        return failed(
            f"Relative, though addresses SHALL be absolute: {words.listed(relative)}",
            *probed.at_fields("smart", relative),
        )
    return passed("Every address is absolute", probed.at("smart"))


@FAMILY.check(
    9,
    "Authorization and token endpoints use https",
    Severity.CRITICAL,
    cite("RFC 6749", "section-3.1"),
    cite("RFC 6749", "section-3.2"),
    rows=("DIS-04", "OAU-01", "OAU-02"),
    level="SHALL",
)
def endpoints_https(probed: CheckInput) -> Result:
    """TLS is a MUST of OAuth 2.0 at both; judged on the statement's oauth-uris too when those are all there is."""
    smart = probed.facts.smart
    if smart is None:
        if probed.is_absent("smart"):
            return not_applicable("no authorization or token endpoint is published", probed.at("smart"))
        return unseen(probed, "smart")
    insecure, local = [], False
    for name in ("authorization_endpoint", "token_endpoint"):
        address = origin(getattr(smart, name) or "")
        if address is not None and address.scheme == "http":
            local = local or is_loopback_host(address.host)
            if not is_loopback_host(address.host):
                insecure.append(name)
    if insecure:
        return failed(
            f"Plain http, though OAuth 2.0 MUST use TLS: {words.listed(insecure)}", *probed.at_fields("smart", insecure)
        )
    if local:
        return not_applicable("the endpoints run on this machine", probed.at("smart"))
    if smart.authorization_endpoint is None and smart.token_endpoint is None:
        return not_applicable("no authorization or token endpoint is published", probed.at("smart"))
    return passed("No endpoint is plain http", probed.at("smart"))


@FAMILY.check(10, "Advertised endpoints are on public hosts", Severity.MEDIUM, needs="smart")
def public_hosts(probed: CheckInput) -> Result:
    """Internal host names leak into published documents; nobody outside can use them. Nothing is resolved here."""
    home = origin(probed.base)
    if home and kind_of_host(home.host) not in {None, "public"}:
        return not_applicable("the base URL itself is on a private network")
    inside = []
    for name in URL_FIELDS:
        address = origin(getattr(probed.smart, name) or "")
        if address is None:
            continue
        if is_internal_name(address.host) or kind_of_host(address.host) in {"private", "never"}:
            inside.append(name)
    if inside:
        return warned(
            f"On a host that only its own network knows: {words.listed(inside)}", *probed.at_fields("smart", inside)
        )
    return passed("No advertised endpoint is on an internal host by its name", probed.at("smart"))
