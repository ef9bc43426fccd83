"""SMART, the claims: do capabilities, grant types, scopes and algorithms fit one another and the statement."""

from __future__ import annotations

from functools import cache
from urllib.parse import urljoin

from interlock.fhir import tables
from interlock.fhir.smart import SET_CLIENT_TYPES
from interlock.model import words
from interlock.model.base import Severity
from interlock.probe.checks.base import CheckInput, check
from interlock.probe.checks.results import (
    Result,
    failed,
    not_applicable,
    not_observed,
    passed,
    quoted,
    quoted_list,
    warned,
)
from interlock.probe.checks.sources import cite

#: Plain capability names that other guides of HL7 define, for which plain names are reserved too.
_OF_OTHER_GUIDES = {"health-cards": "SMART Health Cards and Links"}

#: As the code system smart-capabilities of FHIR R4 and terminology.hl7.org spells context-banner and context-style.
_SPELT_OTHERWISE = frozenset({"context-passthrough-banner", "context-passthrough-style"})

#: Endpoint of the SMART configuration → the part of ``oauth-uris`` that names the same thing.
_SAME_ENDPOINT = {
    "authorization_endpoint": "authorize",
    "token_endpoint": "token",
    "registration_endpoint": "register_",
    "management_endpoint": "manage",
    "introspection_endpoint": "introspect",
    "revocation_endpoint": "revoke",
}

_CAPABILITIES = cite("SM-CONF", "capabilities", "Capabilities")
_METADATA = cite("SM-CONF", "metadata", "Metadata")
_WELL_KNOWN = cite("SM-CONF", "using-well-known", "Using well-known")


@check(
    "SMART-011",
    "Grant types fit the launch modes",
    Severity.HIGH,
    _METADATA,
    rows=("FLD-04",),
    needs="smart",
    at="smart#/grant_types_supported",
    level="SHALL",
)
def grant_types(probed: CheckInput) -> Result:
    """authorization_code for launches, client_credentials for backend services."""
    grants, capabilities = probed.listed("grant_types_supported"), probed.smart.capabilities or ()
    launches = [name for name in ("launch-ehr", "launch-standalone") if name in capabilities]
    if launches and "authorization_code" not in grants:
        return failed(f"{quoted_list(launches)} are listed, but authorization_code is no supported grant type")
    return (
        warned("Neither a launch nor client_credentials is listed; ask how a client gets its token")
        if not launches and "client_credentials" not in grants
        else passed(f"The grant types fit: {quoted_list(grants)}")
    )


@check(
    "SMART-012",
    "At least one capability set is complete",
    Severity.MEDIUM,
    cite("SM-CONF", "capability-sets", "Capability sets"),
    rows=("SET-1", "SET-2", "SET-3", "SET-4", "SET-T"),
    needs="smart",
    at="smart#/capabilities",
    level="SHOULD",
)
def capability_sets(probed: CheckInput) -> Result:
    """A SHOULD. Backend services is a pattern, not a set; an asymmetric client alone completes none."""
    smart, capabilities = probed.smart, probed.listed("capabilities")
    if smart.capability_sets:
        return passed(f"Complete: {words.listed(smart.capability_sets)}")
    if "backend" in smart.launch_modes and not {"ehr", "standalone"} & set(smart.launch_modes):
        return not_applicable("the server offers backend services only, which belong to no capability set")
    if not SET_CLIENT_TYPES & set(capabilities):
        return warned(
            "No capability set is complete: none of them works without client-public or client-confidential-symmetric"
        )
    return warned("No capability set is complete; servers SHOULD support one or more")


@check(
    "SMART-013",
    "Permission capabilities fit the scopes listed",
    Severity.LOW,
    cite("SM-SCOPE", "scopes-for-requesting-fhir-resources"),
    _CAPABILITIES,
    rows=("SCO-01", "SCO-02", "SCO-04", "CPB-08", "FLD-13"),
    needs="smart",
    level="SHOULD",
)
def permission_versions(probed: CheckInput) -> Result:
    """Advice: the list of scopes need not be complete, so a mismatch proves nothing."""
    smart = probed.smart
    where = (probed.at("smart", "/capabilities"), probed.at("smart", "/scopes_supported"))
    if smart.capabilities is None or smart.scopes_supported is None:
        return not_observed("capabilities or scopes_supported is not listed", *where)
    if not smart.scopes_v1 and not smart.scopes_v2:
        return not_applicable("no FHIR resource scope is listed", where[1])
    if "permission-v2" in smart.capabilities and not smart.scopes_v2:
        return warned("permission-v2 is listed, but every resource scope is in v1 syntax; try a v2 scope early", *where)
    if smart.scopes_v2 and "permission-v2" not in smart.capabilities:
        return warned("v2 scopes are listed without permission-v2; try both syntaxes early", *where)
    return (
        passed("v2 scopes are listed; permission-v1 says that v1 scopes work too", *where)
        if "permission-v1" in smart.capabilities and not smart.scopes_v1
        else passed("The scopes listed fit the permissions listed", *where)
    )


@check(
    "SMART-014",
    "Clients that sign with a key find a method and an algorithm",
    Severity.HIGH,
    cite("SM-ASYM", "advertising-server-support-for-this-profile"),
    rows=("FLD-06", "FLD-07", "ASY-01", "ASY-05"),
    needs="smart",
    at="smart#/capabilities",
    level="SHALL",
)
def asymmetric(probed: CheckInput) -> Result:
    """private_key_jwt, and RS384 or ES384. Not asked of a server without asymmetric clients."""
    smart = probed.smart
    if "client-confidential-asymmetric" not in probed.listed("capabilities"):
        return not_applicable("client-confidential-asymmetric is not listed", probed.at("smart", "/capabilities"))
    methods = smart.token_endpoint_auth_methods_supported
    algorithms = smart.token_endpoint_auth_signing_alg_values_supported
    fields = ("token_endpoint_auth_methods_supported", "token_endpoint_auth_signing_alg_values_supported")
    where = probed.at_fields("smart", fields)
    if methods is not None and "private_key_jwt" not in methods:
        return failed(
            "client-confidential-asymmetric is listed, but private_key_jwt is not among the methods", where[0]
        )
    if algorithms is not None and not {"RS384", "ES384"} & set(algorithms):
        return failed(f"Neither RS384 nor ES384 is offered, only {quoted_list(algorithms)}", where[1])
    lacking = [name for name in fields if getattr(smart, name) is None]
    if lacking:
        return not_observed(f"{words.listed(lacking)} {words.agree(len(lacking), 'is', 'are')} not listed", *where)
    return passed("private_key_jwt is offered with RS384 or ES384", *where)


@check(
    "SMART-015",
    "The statement's oauth-uris agree with the SMART configuration",
    Severity.MEDIUM,
    _WELL_KNOWN,
    rows=("DIS-05",),
    rests_on=("metadata", "smart"),
    at="metadata#/rest/0/security",
)
def agreement(probed: CheckInput) -> Result:
    """Deprecated in 2.x: absence is no finding, disagreement is."""
    if probed.is_absent("smart"):
        return not_applicable("there is no SMART configuration to compare with", probed.at("smart"))
    probed.require("smart")
    probed.require("metadata")
    uris = probed.capability.security.oauth_uris
    pairs = [(name, getattr(probed.smart, name), getattr(uris, part)) for name, part in _SAME_ENDPOINT.items()]
    shared = [(name, configured, stated) for name, configured, stated in pairs if None not in (configured, stated)]
    if not shared:
        return not_applicable("the statement has no oauth-uris to compare")
    # A relative address is a finding of SMART-008; here it is read as a client should, against the base.
    different = [
        name
        for name, configured, stated in shared
        if configured != stated and _resolved(probed.base, configured) != _resolved(probed.base, stated)
    ]
    if different:
        return warned(
            f"The two documents name different addresses for {words.listed(different)}; follow the SMART configuration",
            *probed.at_fields("smart", different),
            probed.at("metadata", "/rest/0/security/extension"),
        )
    agreed = words.count(len(shared), "address", "addresses")
    return passed(f"The two documents agree on {agreed}", probed.at("smart"), probed.at("metadata"))


def _resolved(base: str, url: str) -> str:
    try:
        return urljoin(f"{base}/", url)
    except ValueError:
        return url


@check(
    "SMART-016",
    "Endpoints come from the SMART configuration, not only from the statement",
    Severity.MEDIUM,
    _WELL_KNOWN,
    cite("SM-1.0"),
    rows=("DIS-05",),
    rests_on=("smart",),
    at="smart",
    level="SHALL",
)
def fallback(probed: CheckInput) -> Result:
    """What a client falls back to when the configuration is absent."""
    if probed.facts.smart is None and probed.is_absent("smart") and probed.has("metadata"):
        return not_applicable("neither document names an endpoint", probed.at("metadata"))
    if probed.smart.source == "oauth-uris":
        return warned(
            "Only the statement's oauth-uris name the endpoints, which is deprecated; launch modes, scopes and PKCE "
            "are unknown",
            probed.at("metadata", "/rest/0/security/extension"),
        )
    return passed("The SMART configuration names the endpoints")


@check(
    "SMART-017",
    "There is one oauth-uris extension at most",
    Severity.LOW,
    cite("SM-1.0"),
    rows=("DIS-05",),
    needs="metadata",
    at="metadata#/rest/0/security/extension",
)
def one_extension(probed: CheckInput) -> Result:
    """A second one, often with a misspelt URL, makes clients pick by chance."""
    security = probed.capability.security
    count, misspelt = security.oauth_uris_count, security.oauth_uris_misspelt
    if count and count == misspelt:
        return warned("oauth-uris is under another address than SMART's; a client that looks for that finds none")
    if count > 1:
        others = f", {misspelt} of them under another address than SMART's" if misspelt else ""
        reads = "a client that compares no whole address" if count - misspelt == 1 else "clients"
        return warned(f"The statement has {count} oauth-uris extensions{others}; {reads} may read any of them")
    return passed("One oauth-uris extension" if count else "No oauth-uris extension, which is deprecated anyway")


@cache
def _known_capabilities() -> frozenset[str]:
    return tables.smart().capability_codes() | _SPELT_OTHERWISE


@check(
    "SMART-018",
    "Capability names are the specification's own or full URIs",
    Severity.LOW,
    _CAPABILITIES,
    rows=("DIS-06",),
    needs="smart",
    at="smart#/capabilities",
    level="SHALL",
)
def capability_names(probed: CheckInput) -> Result:
    """Plain strings are reserved; other publishers SHALL use URIs. Other HL7 guides may have defined one: a note."""
    known = _known_capabilities()
    names = probed.listed("capabilities")
    plain_names = [name for name in names if name not in known and "://" not in name and "urn:" not in name]
    unknown = [name for name in plain_names if name not in _OF_OTHER_GUIDES]
    if unknown:
        return warned(f"Plain names that SMART does not define: {quoted_list(unknown)}")
    others = [f"{quoted(name)} by {_OF_OTHER_GUIDES[name]}" for name in plain_names]
    if others:
        return passed(f"Every capability is known or a full URI; defined elsewhere: {words.listed(others)}")
    return passed("Every capability is known or a full URI")


@check(
    "SMART-019",
    "No grant or response type is offered that OAuth advises against",
    Severity.MEDIUM,
    cite("RFC 9700", "section-2.1.2"),
    cite("RFC 9700", "section-2.4"),
    rows=("OAU-15",),
    needs="smart",
    at="smart#/grant_types_supported",
    level="SHOULD",
)
def outdated_grants(probed: CheckInput) -> Result:
    """Implicit, and any response type with ``token`` in it, SHOULD NOT be used; the password grant MUST NOT."""
    grants, types = probed.smart.grant_types_supported, probed.smart.response_types_supported
    granted = [name for name in ("implicit", "password") if name in (grants or ())]
    tokens = [text for text in types or () if "token" in text.split()]
    outdated = [f"{words.agree(len(granted), 'grant type', 'grant types')} {quoted_list(granted)}"] if granted else []
    if tokens:
        outdated.append(f"{words.agree(len(tokens), 'response type', 'response types')} {quoted_list(tokens)}")
    if outdated:
        where = probed.at_fields("smart", ("grant_types_supported", "response_types_supported"))
        return warned(
            f"Listed, though OAuth's current practice advises against it: {words.listed(outdated, 5)}", *where
        )
    probed.listed("grant_types_supported")
    if types is None:
        return passed("Neither implicit nor password is among the grant types; the response types are not listed")
    return passed("Neither implicit nor password is among the grant types, and no response type brings a token")


@check(
    "SMART-020",
    "Scopes and the recommended endpoints are listed",
    Severity.LOW,
    _METADATA,
    cite("UC7", "", "Scopes: token introspection", page="scopes.html"),
    rows=("FLD-13", "FLD-15", "FLD-16", "FLD-17", "UC-09"),
    needs="smart",
    at="smart",
    level="SHOULD",
)
def recommended(probed: CheckInput) -> Result:
    """RECOMMENDED by SMART; US Core 7 and 8 require introspection."""
    names = ("scopes_supported", "management_endpoint", "introspection_endpoint", "revocation_endpoint")
    missing = [name for name in names if getattr(probed.smart, name) is None]
    where = probed.at_fields("smart", missing)
    return (
        warned(f"Not listed, though SMART recommends it: {words.listed(missing)}", *where)
        if missing
        else passed("Scopes, management, introspection and revocation are listed")
    )
