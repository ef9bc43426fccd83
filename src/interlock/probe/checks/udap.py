"""UDAP: the metadata for registration and authentication with certificates (UDAP Security 1.0 to 2.0).

A server without UDAP answers 404, and conforms: that is never a finding.
"""

from __future__ import annotations

from interlock.fhir.smart import is_absolute
from interlock.fhir.udap import URL_FIELDS
from interlock.model.base import Severity
from interlock.probe.checks.base import (
    CheckInput,
    Family,
    Result,
    failed,
    listed,
    not_applicable,
    passed,
    unmet,
    warned,
)
from interlock.probe.checks.sources import cite

FAMILY = Family("UDAP")

_REQUIRED = cite("UDAP", "required-udap-metadata")


@FAMILY.check(
    1,
    "UDAP metadata are published, or positively not there",
    Severity.LOW,
    cite("UDAP", "discovery-of-endpoints"),
    rows=("UDP-01", "UDP-02"),
    level="SHALL",
)
def published(seen: CheckInput) -> Result:
    """404 is the answer of a server without UDAP; anything else leaves a client guessing."""
    exchange = seen.exchanges.get("udap")
    if seen.has("udap"):
        return passed("UDAP metadata are published", seen.at("udap"))
    if exchange is not None and exchange.reading not in {
        "absent",
        "failed",
        "rate_limited",
        "server_error",
        "document",
    }:
        return warned(
            f"Whether there is UDAP cannot be told: {exchange.detail}; a server without it SHALL answer 404",
            seen.at("udap"),
        )
    return unmet(seen, "udap") or passed("UDAP metadata are published", seen.at("udap"))


@FAMILY.check(
    2,
    "Version and profiles are the required ones",
    Severity.MEDIUM,
    _REQUIRED,
    rows=("UDP-03", "UDP-04"),
    needs="udap",
    level="SHALL",
)
def profiles(seen: CheckInput) -> Result:
    """udap_versions_supported ["1"]; udap_dcr and udap_authn, udap_authz with client_credentials."""
    facts = seen.udap
    if facts.udap_versions_supported != ("1",):
        return failed('udap_versions_supported is not ["1"]', seen.at("udap", "/udap_versions_supported"))
    wanted = ["udap_dcr", "udap_authn"]
    if "client_credentials" in (facts.grant_types_supported or ()):
        wanted.append("udap_authz")
    missing = [name for name in wanted if name not in (facts.udap_profiles_supported or ())]
    if missing:
        return failed(f"Missing profiles: {', '.join(missing)}", seen.at("udap", "/udap_profiles_supported"))
    return passed(f"Version 1 with {listed(facts.udap_profiles_supported or ())}", seen.at("udap"))


@FAMILY.check(
    3,
    "Extensions and certifications are stated",
    Severity.LOW,
    _REQUIRED,
    rows=("UDP-05",),
    needs="udap",
    level="SHALL",
)
def extensions(seen: CheckInput) -> Result:
    """Required, and may be empty; when not empty, what is required of clients has to be said."""
    facts = seen.udap
    missing = []
    for kind in ("udap_authorization_extensions", "udap_certifications"):
        supported, required = getattr(facts, f"{kind}_supported"), getattr(facts, f"{kind}_required")
        if supported is None:
            missing.append(f"{kind}_supported")
        elif supported and required is None:
            missing.append(f"{kind}_required")
        elif not set(required or ()) <= set(supported):
            missing.append(f"{kind}_supported for everything that is required")
    if missing:
        return failed(f"Missing: {', '.join(missing)}", seen.at("udap"))
    return passed("Extensions and certifications are stated", seen.at("udap"))


@FAMILY.check(
    4,
    "Endpoints and methods are the required ones",
    Severity.MEDIUM,
    _REQUIRED,
    rows=("UDP-06",),
    needs="udap",
    level="SHALL",
)
def endpoints(seen: CheckInput) -> Result:
    """Absolute addresses; private_key_jwt alone; an authorization endpoint with authorization_code."""
    facts = seen.udap
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
    if problems:
        return failed("; ".join(problems[:5]), seen.at("udap"))
    return passed("Endpoints, grant types and methods are as required", seen.at("udap"))


@FAMILY.check(
    5,
    "Scopes and algorithms for registration are listed",
    Severity.LOW,
    cite("UDAP-2", "required-udap-metadata"),
    rows=("UDP-07", "UDP-08"),
    needs="udap",
    level="SHOULD",
)
def lists(seen: CheckInput) -> Result:
    """Optional or recommended in 1.x, required in 2.0; the metadata do not say which version they follow."""
    names = ("scopes_supported", "registration_endpoint_jwt_signing_alg_values_supported")
    missing = [name for name in names if getattr(seen.udap, name) is None]
    if missing:
        return warned(f"Not listed, though UDAP Security 2.0 requires it: {', '.join(missing)}", seen.at("udap"))
    return passed("Scopes and algorithms are listed", seen.at("udap"))


@FAMILY.check(
    6,
    "The signed metadata have the required form",
    Severity.MEDIUM,
    cite("UDAP", "signed-metadata-elements"),
    rows=("UDP-09",),
    needs="udap",
    level="SHALL",
)
def signed(seen: CheckInput) -> Result:
    """Form, dates and endpoints only: whose certificate to trust is the community's matter."""
    facts = seen.udap
    where = seen.at("udap", "/signed_metadata")
    if facts.signed is None:
        return failed("signed_metadata is missing", where)
    if not facts.signed:
        return failed("signed_metadata is no JWT", where)
    if facts.signed_problems:
        return failed(f"signed_metadata: {'; '.join(facts.signed_problems[:4])}", where)
    return passed("signed_metadata has its form; its signature was not verified", where)


@FAMILY.check(7, "UDAP and SMART name the same token endpoint", Severity.LOW, rows=("UDP-06",), needs="udap")
def same_endpoint(seen: CheckInput) -> Result:
    """They may differ, legitimately; a client has to know."""
    smart, own = seen.facts.smart, seen.udap.token_endpoint
    where = (seen.at("udap", "/token_endpoint"), seen.at("smart", "/token_endpoint"))
    if smart is None or smart.token_endpoint is None or own is None:
        return not_applicable("only one of the documents names a token endpoint", *where)
    if smart.token_endpoint != own:
        return warned("UDAP has a token endpoint of its own, which is allowed", *where)
    return passed("Both documents name the same token endpoint", *where)
