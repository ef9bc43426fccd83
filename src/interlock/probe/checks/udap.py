"""UDAP: the metadata for registration and authentication with certificates (UDAP Security 1.0 to 2.0).

A server without UDAP answers 404, and conforms: that is never a finding.
"""

from __future__ import annotations

from interlock.fhir.smart import is_absolute
from interlock.fhir.udap import URL_FIELDS
from interlock.model import words
from interlock.model.base import Severity
from interlock.probe.checks.base import CheckInput, check
from interlock.probe.checks.results import (
    Result,
    clauses,
    failed,
    not_applicable,
    passed,
    quoted_list,
    warned,
)
from interlock.probe.checks.sources import cite

_REQUIRED = cite("UDAP", "required-udap-metadata")


@check(
    "UDAP-001",
    "UDAP metadata are published, or positively not there",
    Severity.LOW,
    cite("UDAP", "discovery-of-endpoints"),
    rows=("UDP-01", "UDP-02"),
    rests_on=("udap",),
    at="udap",
    level="SHALL",
)
def published(probed: CheckInput) -> Result:
    """404 is the answer of a server without UDAP; anything else leaves a client guessing."""
    exchange = probed.exchanges.get("udap")
    if probed.has("udap"):
        return passed("UDAP metadata are published")
    if exchange is not None and exchange.reading not in {
        "absent",
        "failed",
        "rate_limited",
        "server_error",
        "document",
    }:
        return warned(f"Whether there is UDAP cannot be told: {exchange.detail}; a server without it SHALL answer 404")
    probed.require("udap")
    return passed("UDAP metadata are published")


@check(
    "UDAP-002",
    "Version and profiles are the required ones",
    Severity.MEDIUM,
    _REQUIRED,
    rows=("UDP-03", "UDP-04"),
    needs="udap",
    at="udap",
    level="SHALL",
)
def profiles(probed: CheckInput) -> Result:
    """udap_versions_supported ["1"]; udap_dcr and udap_authn, udap_authz with client_credentials."""
    facts = probed.udap
    if facts.udap_versions_supported != ("1",):
        return failed('udap_versions_supported is not ["1"]', probed.at("udap", "/udap_versions_supported"))
    wanted = ["udap_dcr", "udap_authn"]
    if "client_credentials" in (facts.grant_types_supported or ()):
        wanted.append("udap_authz")
    missing = [name for name in wanted if name not in (facts.udap_profiles_supported or ())]
    return (
        failed(f"Missing profiles: {words.listed(missing)}", probed.at("udap", "/udap_profiles_supported"))
        if missing
        else passed(f"Version 1 with {quoted_list(facts.udap_profiles_supported or ())}")
    )


@check(
    "UDAP-003",
    "Extensions and certifications are stated",
    Severity.LOW,
    _REQUIRED,
    rows=("UDP-05",),
    needs="udap",
    at="udap",
    level="SHALL",
)
def extensions(probed: CheckInput) -> Result:
    """Required, and may be empty; when not empty, what is required of clients has to be said."""
    facts = probed.udap
    missing = []
    for kind in ("udap_authorization_extensions", "udap_certifications"):
        supported, required = getattr(facts, f"{kind}_supported"), getattr(facts, f"{kind}_required")
        if supported is None:
            missing.append(f"{kind}_supported")
        elif supported and required is None:
            missing.append(f"{kind}_required")
        elif not set(required or ()) <= set(supported):
            missing.append(f"{kind}_supported for everything that is required")
    return (
        failed(f"Missing: {words.listed(missing)}") if missing else passed("Extensions and certifications are stated")
    )


@check(
    "UDAP-004",
    "Endpoints and methods are the required ones",
    Severity.MEDIUM,
    _REQUIRED,
    rows=("UDP-06",),
    needs="udap",
    at="udap",
    level="SHALL",
)
def endpoints(probed: CheckInput) -> Result:
    """Absolute addresses; private_key_jwt alone; an authorization endpoint with authorization_code."""
    facts = probed.udap
    grants = facts.grant_types_supported or ()
    wanted = ["token_endpoint", "registration_endpoint"] + ["authorization_endpoint"] * ("authorization_code" in grants)
    problems = [f"{name} is missing" for name in wanted if getattr(facts, name) is None]
    problems += [
        f"{name} is not absolute"
        for name in URL_FIELDS
        if (url := getattr(facts, name)) is not None and not is_absolute(url)
    ]
    if facts.grant_types_supported is None:
        problems.append("grant_types_supported is missing")
    if facts.token_endpoint_auth_methods_supported != ("private_key_jwt",):
        problems.append("token_endpoint_auth_methods_supported is not private_key_jwt alone")
    if not facts.token_endpoint_auth_signing_alg_values_supported:
        problems.append("token_endpoint_auth_signing_alg_values_supported is missing")
    if "refresh_token" in grants and "authorization_code" not in grants:
        problems.append("refresh_token is listed without authorization_code")
    return failed(clauses(problems)) if problems else passed("Endpoints, grant types and methods are as required")


@check(
    "UDAP-005",
    "Scopes and algorithms for registration are listed",
    Severity.LOW,
    cite("UDAP-2", "required-udap-metadata"),
    rows=("UDP-07", "UDP-08"),
    needs="udap",
    at="udap",
    level="SHOULD",
)
def lists(probed: CheckInput) -> Result:
    """Optional or recommended in 1.x, required in 2.0; the metadata do not say which version they follow."""
    names = ("scopes_supported", "registration_endpoint_jwt_signing_alg_values_supported")
    missing = [name for name in names if getattr(probed.udap, name) is None]
    return (
        warned(f"Not listed, though UDAP Security 2.0 requires it: {words.listed(missing)}")
        if missing
        else passed("Scopes and algorithms are listed")
    )


@check(
    "UDAP-006",
    "The signed metadata have the required form",
    Severity.MEDIUM,
    cite("UDAP", "signed-metadata-elements"),
    rows=("UDP-09",),
    needs="udap",
    at="udap#/signed_metadata",
    level="SHALL",
)
def signed(probed: CheckInput) -> Result:
    """Form, dates and endpoints only: whose certificate to trust is the community's matter."""
    facts = probed.udap
    if facts.signed is None:
        return failed("signed_metadata is missing")
    if not facts.signed:
        return failed("signed_metadata is no JWT")
    return (
        failed(f"signed_metadata: {clauses(facts.signed_problems, 4)}")
        if facts.signed_problems
        else passed("signed_metadata has its form; its signature was not verified")
    )


@check(
    "UDAP-007",
    "UDAP and SMART name the same token endpoint",
    Severity.LOW,
    rows=("UDP-06",),
    needs="udap",
    rests_on=("endpoints",),
)
def same_endpoint(probed: CheckInput) -> Result:
    """They may differ, legitimately; a client has to know."""
    smart, own = probed.facts.smart, probed.udap.token_endpoint
    where = (probed.at("udap", "/token_endpoint"), probed.at("smart", "/token_endpoint"))
    if smart is None or smart.token_endpoint is None or own is None:
        return not_applicable("only one of the documents names a token endpoint", *where)
    return (
        warned("UDAP has a token endpoint of its own, which is allowed", *where)
        if smart.token_endpoint != own
        else passed("Both documents name the same token endpoint", *where)
    )
