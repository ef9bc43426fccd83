"""SMART, the details: other documents sent instead, types of fields, the other addresses, scopes, hollow claims."""

from __future__ import annotations

import re

from interlock.fhir.scopes import parse as parse_scope
from interlock.fhir.smart import URL_FIELDS
from interlock.model import words
from interlock.model.base import Severity
from interlock.model.text import plain
from interlock.probe.checks.base import (
    INSTEAD,
    CheckInput,
    Family,
    Result,
    capitalized,
    not_applicable,
    not_observed,
    passed,
    quoted_list,
    unseen,
    warned,
)
from interlock.probe.checks.sources import cite
from interlock.probe.transport.addresses import is_loopback_host, origin

FAMILY = Family("SMART")

_METADATA = cite("SM-CONF", "metadata", "Metadata")
_CAPABILITIES = cite("SM-CONF", "capabilities", "Capabilities")
_WELL_KNOWN = cite("SM-CONF", "using-well-known", "Using well-known")

#: Launch, identity and refresh scopes (SCO-09 to SCO-11), ``profile`` and ``email`` of OpenID Connect, extensions.
_OTHER_SCOPES = re.compile(
    r"launch(?:/[a-z]+(?:\?.+)?)?|openid|fhirUser|profile|email|address|phone|online_access|offline_access|"
    r"__\S+|[a-z][a-z0-9+.-]*:\S+",
)
_NEAR_RESOURCE = re.compile(r"(?:patient|user|system)/")

#: Capability → the launch mode that it is meant for (CPB-05 to CPB-08).
_NEEDS_LAUNCH = {
    "context-banner": "launch-ehr",
    "context-style": "launch-ehr",
    "context-ehr-patient": "launch-ehr",
    "context-ehr-encounter": "launch-ehr",
    "context-standalone-patient": "launch-standalone",
    "context-standalone-encounter": "launch-standalone",
    "permission-online": "launch-ehr",
}
_ENDPOINTS = tuple(name for name in URL_FIELDS if name not in {"authorization_endpoint", "token_endpoint", "issuer"})


@FAMILY.check(
    21, "A success brings the SMART configuration, and nothing else", Severity.HIGH, _WELL_KNOWN, rows=("DIS-02",)
)
def nothing_instead(probed: CheckInput) -> Result:
    """A login page, an OperationOutcome or ``{}`` under 200: existence alone is no configuration."""
    exchange = probed.exchanges.get("smart")
    if exchange is not None and exchange.reading in INSTEAD:
        return warned(f"{capitalized(exchange.detail)}; how to authorize remains unknown", probed.at("smart"))
    if probed.has("smart"):
        return passed("What came with a success was the SMART configuration", probed.at("smart"))
    if probed.is_absent("smart"):
        return not_applicable("the server publishes no SMART configuration (see SMART-001)", probed.at("smart"))
    return unseen(probed, "smart")


@FAMILY.check(
    22,
    "Every field has the type that SMART gives it",
    Severity.MEDIUM,
    _METADATA,
    rows=("FLD-18",),
    needs="smart",
    level="SHALL",
)
def types(probed: CheckInput) -> Result:
    """A string where a list belongs is not read as a list of one."""
    wrong = [note for note in probed.smart.problems if "is not absolute" not in note]
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        return warned(f"{capitalized(wrong[0])}{more}", probed.at("smart"))
    return passed("Every field has its type", probed.at("smart"))


@FAMILY.check(
    23,
    "The other addresses use https",
    Severity.HIGH,
    cite("RFC 8414", "section-2"),
    rows=("OAU-21", "DIS-04"),
    needs="smart",
)
def others_https(probed: CheckInput) -> Result:
    """Keys, introspection, revocation, registration, management: what goes there is as sensitive as a token."""
    insecure = []
    for name in _ENDPOINTS:
        address = origin(getattr(probed.smart, name) or "")
        if address is not None and address.scheme == "http" and not is_loopback_host(address.host):
            insecure.append(name)
    if insecure:
        return warned(f"Plain http: {words.listed(insecure)}", *probed.at_fields("smart", insecure))
    return passed("No other address is plain http", probed.at("smart"))


@FAMILY.check(24, "Advertised addresses could be followed", Severity.MEDIUM, needs="smart")
def followed(probed: CheckInput) -> Result:
    """Relative, internal, credential-bearing or plain http addresses are reported and not contacted."""
    refused = [
        exchange
        for purpose in ("openid", "jwks")
        if (exchange := probed.exchanges.get(purpose)) and exchange.failure == "refused"
    ]
    if refused:
        return warned(capitalized(refused[0].detail), *probed.at_exchanges(refused))
    if not any(purpose in probed.exchanges for purpose in ("openid", "jwks")):
        return not_applicable("the configuration advertises nothing to follow", probed.at("smart"))
    return passed("What is advertised could be asked", probed.at("smart"))


@FAMILY.check(
    25,
    "Scopes are well formed",
    Severity.LOW,
    cite("SM-SCOPE", "fhir-resource-scope-syntax"),
    cite("SM-SCOPE", "extensibility"),
    rows=("SCO-01", "SCO-02", "SCO-09", "SCO-12"),
    needs="smart",
    level="SHALL",
)
def scope_syntax(probed: CheckInput) -> Result:
    """Letters out of order may be ignored, replaced or rejected; a vendor's own scope is a URI or begins ``__``."""
    scopes = probed.smart.scopes_supported
    where = probed.at("smart", "/scopes_supported")
    if scopes is None:
        return not_observed("scopes_supported is not listed", where)
    odd = [text for text in scopes if parse_scope(text) is None and not _OTHER_SCOPES.fullmatch(text)]
    broken = [text for text in odd if _NEAR_RESOURCE.match(text)]
    if broken:
        return warned(f"No scope in v1 or v2 syntax: {quoted_list(broken)}; servers may ignore or reject it", where)
    if odd:
        return warned(f"Scopes that SMART does not know, and that are no URIs: {quoted_list(odd)}", where)
    return passed(f"All {len(scopes)} scopes are well formed", where)


@FAMILY.check(
    26,
    "What is said of backend services fits together",
    Severity.MEDIUM,
    cite("SM-BACK", "request-1", "Request"),
    cite("SM-ASYM", "advertising-server-support-for-this-profile"),
    rows=("SET-T", "ASY-01", "BCK-02"),
    needs="smart",
)
def backend(probed: CheckInput) -> Result:
    """A pattern, not a capability set: client_credentials, private_key_jwt, an algorithm, system/ scopes."""
    smart = probed.smart
    grants = smart.grant_types_supported
    where = probed.at("smart", "/grant_types_supported")
    if grants is None:
        return not_observed("grant_types_supported is not declared", where)
    if "client_credentials" not in grants:
        return not_applicable("client_credentials is not listed", where)
    lacks = []
    if "backend" not in smart.launch_modes:
        lacks.append("a client that signs with a key")
    if smart.scopes_supported is not None and not any(scope.startswith("system/") for scope in smart.scopes_supported):
        lacks.append("system/ scopes")
    if not smart.token_endpoint_auth_signing_alg_values_supported:
        lacks.append("signing algorithms")
    if lacks:
        return warned(f"client_credentials is listed, but not: {words.listed(lacks)}; ask before relying on it", where)
    return passed("client_credentials comes with signing clients, algorithms and system/ scopes", where)


@FAMILY.check(
    27,
    "Capabilities come with the launch that they are for",
    Severity.LOW,
    _CAPABILITIES,
    rows=("CPB-05", "CPB-06", "CPB-07", "CPB-08"),
    needs="smart",
)
def launch_of_context(probed: CheckInput) -> Result:
    """Launch context of a launch that is not offered cannot be had."""
    names = probed.smart.capabilities
    where = probed.at("smart", "/capabilities")
    if names is None:
        return not_observed("the capabilities are not listed", where)
    orphans = [name for name in names if name in _NEEDS_LAUNCH and _NEEDS_LAUNCH[name] not in names]
    if orphans:
        return warned(f"Listed without the launch that they belong to: {words.listed(orphans)}", where)
    return passed("Every context capability comes with its launch", where)


@FAMILY.check(28, "The configuration is the tenant's own", Severity.MEDIUM, rows=("DIS-01",), needs="smart")
def tenant(probed: CheckInput) -> Result:
    """Endpoints on a third host are usual; the copy at the host's root must not say something else."""
    root, own = probed.document("smart-root"), probed.document("smart")
    issuer = origin(probed.smart.issuer or "")
    home = origin(probed.base)
    if root is not None and own is not None and root.get("token_endpoint") != own.get("token_endpoint"):
        return warned("The copy at the host's root names another token endpoint", probed.at("smart-root"))
    if issuer is not None and home is not None and issuer.host != home.host:
        return passed(
            f"The issuer is on another host ({plain(issuer.host, 100)}), which is allowed",
            probed.at("smart", "/issuer"),
        )
    return passed("Nothing speaks for another tenant", probed.at("smart"))
