"""SMART, the details: other documents sent instead, types of fields, the other addresses, scopes, hollow claims."""

from __future__ import annotations

import re

from interlock.fhir.scopes import parse as parse_scope
from interlock.fhir.smart import URL_FIELDS
from interlock.model import words
from interlock.model.base import Severity
from interlock.model.text import plain
from interlock.probe.checks.base import CheckInput, check
from interlock.probe.checks.results import (
    Result,
    capitalized,
    failed,
    first_of,
    host_of,
    not_applicable,
    not_observed,
    passed,
    quoted_list,
    warned,
)
from interlock.probe.checks.smart.document import plain_http
from interlock.probe.checks.sources import cite
from interlock.probe.transport.addresses import is_loopback_host
from interlock.probe.transport.exchange import INSTEAD, Purpose

_METADATA = cite("SM-CONF", "metadata", "Metadata")
_CAPABILITIES = cite("SM-CONF", "capabilities", "Capabilities")
_WELL_KNOWN = cite("SM-CONF", "using-well-known", "Using well-known")

#: Launch, identity and refresh scopes (SCO-09 to SCO-11), ``profile`` and ``email`` of OpenID Connect, extensions.
_OTHER_SCOPES = re.compile(
    r"launch(?:/[a-z]+(?:\?.+)?)?|openid|fhirUser|profile|email|address|phone|online_access|offline_access|"
    r"__\S+|[a-z][a-z0-9+.-]*:\S+"
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
_ADVERTISED: tuple[Purpose, ...] = ("openid", "jwks", "brands")
_ENDPOINTS = tuple(name for name in URL_FIELDS if name not in {"authorization_endpoint", "token_endpoint", "issuer"})


@check(
    "SMART-021",
    "A success brings the SMART configuration, and nothing else",
    Severity.HIGH,
    _WELL_KNOWN,
    rows=("DIS-02",),
    rests_on=("smart",),
    at="smart",
)
def nothing_instead(probed: CheckInput) -> Result:
    """A login page, an OperationOutcome or ``{}`` under 200: existence alone is no configuration."""
    if probed.reading("smart") in INSTEAD:
        return warned(f"{capitalized(probed.why_unseen('smart'))}; how to authorize remains unknown")
    probed.require("smart")
    return passed("What came with a success was the SMART configuration")


@check(
    "SMART-022",
    "Every field has the type that SMART gives it",
    Severity.MEDIUM,
    _METADATA,
    rows=("FLD-18",),
    needs="smart",
    at="smart",
    level="SHALL",
)
def types(probed: CheckInput) -> Result:
    """A string where a list belongs is not read as a list of one, and what is no string in a list is no capability."""
    wrong = [note for note in probed.smart.problems if "is not absolute" not in note]
    wrong += probed.exchanges["smart"].slips
    if wrong:
        no_strings = [note for note in wrong if note.startswith("capabilities holds")]
        return failed(first_of(no_strings)) if no_strings else warned(first_of(wrong))
    if probed.smart.limits:
        return not_observed(f"this program read a part only: {probed.smart.limits[0]}")
    return passed("Every field has its type")


@check(
    "SMART-023",
    "The other addresses use https",
    Severity.HIGH,
    cite("RFC 8414", "section-2"),
    rows=("OAU-21", "DIS-04"),
    needs="smart",
    at="smart",
)
def others_https(probed: CheckInput) -> Result:
    """Keys, introspection, revocation, registration, management: what goes there is as sensitive as a token."""
    hosts = plain_http(probed.smart, _ENDPOINTS)
    insecure = [name for name, host in hosts.items() if not is_loopback_host(host)]
    return (
        warned(f"Plain http: {words.listed(insecure)}", *probed.at_fields("smart", insecure))
        if insecure
        else passed("No other address is plain http")
    )


@check("SMART-024", "Advertised addresses could be followed", Severity.MEDIUM, needs="smart", at="smart")
def followed(probed: CheckInput) -> Result:
    """Relative, internal, credential-bearing or plain http addresses are reported and not contacted."""
    advertised = [exchange for purpose in _ADVERTISED if (exchange := probed.exchanges.get(purpose))]
    if refused := [exchange for exchange in advertised if exchange.failure == "refused"]:
        return warned(capitalized(refused[0].detail), *probed.at_exchanges(refused))
    return (
        passed("What is advertised could be asked")
        if advertised
        else not_applicable("the configuration advertises nothing to follow")
    )


@check(
    "SMART-025",
    "Scopes are well formed",
    Severity.LOW,
    cite("SM-SCOPE", "fhir-resource-scope-syntax"),
    cite("SM-SCOPE", "extensibility"),
    rows=("SCO-01", "SCO-02", "SCO-09", "SCO-12"),
    needs="smart",
    at="smart#/scopes_supported",
    level="SHALL",
)
def scope_syntax(probed: CheckInput) -> Result:
    """Letters out of order may be ignored, replaced or rejected; a vendor's own scope is a URI or begins ``__``."""
    scopes = probed.listed("scopes_supported")
    odd = [text for text in scopes if parse_scope(text) is None and not _OTHER_SCOPES.fullmatch(text)]
    broken = [text for text in odd if _NEAR_RESOURCE.match(text)]
    if broken:
        return warned(
            f"Listed, and neither in v1 nor in v2 syntax: {quoted_list(broken)}; a request for such a scope may be "
            "ignored or rejected"
        )
    return (
        warned(f"Scopes that SMART does not know, and that are no URIs: {quoted_list(odd)}")
        if odd
        else passed(f"All {len(scopes)} scopes are well formed")
    )


@check(
    "SMART-026",
    "What is said of clients that sign with a key, and of backend services, fits together",
    Severity.MEDIUM,
    cite("SM-BACK", "request-1", "Request"),
    cite("SM-ASYM", "advertising-server-support-for-this-profile"),
    rows=("SET-T", "ASY-01", "BCK-02"),
    needs="smart",
    at="smart#/grant_types_supported",
)
def backend(probed: CheckInput) -> Result:
    """A pattern, not a capability set: client_credentials, private_key_jwt, system/ scopes; and the algorithms.

    Which algorithms are accepted is asked here once, of clients of a launch too.
    """
    smart = probed.smart
    methods, algorithms = (
        smart.token_endpoint_auth_methods_supported,
        smart.token_endpoint_auth_signing_alg_values_supported,
    )
    signs = "client-confidential-asymmetric" in (smart.capabilities or ()) or "private_key_jwt" in (methods or ())
    unlisted = [] if methods or not signs else ["authentication methods"]
    unlisted += [] if algorithms or not signs else ["signing algorithms"]
    question = f"Ask which {words.listed(unlisted)} are accepted: clients may sign with a key, and none is listed"
    if unlisted and smart.grant_types_supported is None:
        return warned(question)
    backend = "client_credentials" in probed.listed("grant_types_supported")
    lacks = []
    if backend and "backend" not in smart.launch_modes:
        lacks.append("no client that signs with a key")
    if backend and smart.lacks_system_scopes:
        lacks.append("no system/ scope, of which a list need not have all")
    said = f"client_credentials is listed, but {words.listed(lacks)}; ask before relying on it" if lacks else ""
    if unlisted:
        return warned(f"{said}. {question}" if said else question)
    if said:
        return warned(said)
    if not backend:
        return not_applicable("client_credentials is not listed")
    return passed("client_credentials comes with signing clients, algorithms and system/ scopes")


@check(
    "SMART-027",
    "Capabilities come with the launch that they are for",
    Severity.LOW,
    _CAPABILITIES,
    rows=("CPB-05", "CPB-06", "CPB-07", "CPB-08"),
    needs="smart",
    at="smart#/capabilities",
)
def launch_of_context(probed: CheckInput) -> Result:
    """Launch context of a launch that is not offered cannot be had."""
    names = probed.listed("capabilities")
    orphans = [name for name in names if name in _NEEDS_LAUNCH and _NEEDS_LAUNCH[name] not in names]
    return (
        warned(f"Listed without the launch that they belong to: {words.listed(orphans)}")
        if orphans
        else passed("Every context capability comes with its launch")
    )


@check(
    "SMART-028", "The configuration is the tenant's own", Severity.MEDIUM, rows=("DIS-01",), needs="smart", at="smart"
)
def tenant(probed: CheckInput) -> Result:
    """Endpoints on a third host are usual; the copy at the host's root must not say something else."""
    root, own = probed.document("smart-root"), probed.document("smart")
    issuer, home = host_of(probed.smart.issuer or ""), host_of(probed.base)
    if root is not None and own is not None and root.get("token_endpoint") != own.get("token_endpoint"):
        return warned("The copy at the host's root names another token endpoint", probed.at("smart-root"))
    if issuer and home and issuer != home:
        elsewhere = f"The issuer is on another host ({plain(issuer, 100)}), which is allowed"
        return passed(elsewhere, probed.at("smart", "/issuer"))
    if issuer:
        return passed("The issuer is on the base's own host", probed.at("smart", "/issuer"))
    return not_applicable("no issuer is named, and there is no copy at the host's root to compare with")
