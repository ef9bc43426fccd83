"""A SMART configuration document as facts (SMART App Launch 2.2, conformance), and its fallback in the statement."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from interlock.fhir.scopes import syntax_versions
from interlock.fhir.tolerant import MAX_URL, Problems, object_at, objects_at, shown, text_at, texts_at, whole_object
from interlock.model.facts import AssociatedEndpoint, BrandIdentifier, CapabilityFacts, SmartFacts

URL_FIELDS = (
    "issuer",
    "jwks_uri",
    "authorization_endpoint",
    "token_endpoint",
    "registration_endpoint",
    "management_endpoint",
    "introspection_endpoint",
    "revocation_endpoint",
    "user_access_brand_bundle",
)
LIST_FIELDS = (
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "grant_types_supported",
    "response_types_supported",
    "code_challenge_methods_supported",
    "scopes_supported",
    "capabilities",
)

#: The four capability sets and their members besides a client type (SMART App Launch 2.2, capability sets).
CAPABILITY_SETS: dict[str, frozenset[str]] = {
    "patient-access-standalone": frozenset({"launch-standalone", "context-standalone-patient", "permission-patient"}),
    "patient-access-ehr": frozenset({"launch-ehr", "context-ehr-patient", "permission-patient"}),
    "clinician-access-standalone": frozenset({"launch-standalone", "permission-user", "permission-patient"}),
    "clinician-access-ehr": frozenset(
        {"launch-ehr", "context-ehr-patient", "context-ehr-encounter", "permission-user", "permission-patient"}
    ),
}

#: Each set needs one of these; ``client-confidential-asymmetric`` may be added and does not replace them.
SET_CLIENT_TYPES = frozenset({"client-public", "client-confidential-symmetric"})

_CLIENT_TYPES = ("public", "confidential-symmetric", "confidential-asymmetric")
_MAX_ENTRIES = 5000
_MAX_SCOPE = 512
_MAX_ASSOCIATED = 100


def parse(document: object, base_url: str) -> SmartFacts:
    """Facts of a SMART configuration. Never raises; what does not fit is left out and named in ``problems``.

    Fields are as published; relative URLs stay relative and a problem names them (a client SHOULD resolve them against
    ``base_url``, the FHIR base; SMART App Launch 2.2, using well-known). ``launch_modes`` adds ``backend``, which is no
    capability of the specification: it is derived from the grant types and the client authentication.
    """
    problems = Problems()
    document = whole_object(document, problems)
    fields: dict[str, Any] = {name: text_at(document, name, problems, MAX_URL) for name in URL_FIELDS}
    for name in LIST_FIELDS:
        fields[name] = texts_at(document, name, problems, _MAX_ENTRIES, _MAX_SCOPE)
    if fields["token_endpoint_auth_methods_supported"] is None:
        # SMART 1.0.0 spells the field without its suffix.
        methods = texts_at(document, "token_endpoint_auth_methods", problems, _MAX_ENTRIES)
        fields["token_endpoint_auth_methods_supported"] = methods
    for name in URL_FIELDS:
        if fields[name] is not None and not is_absolute(fields[name]):
            problems.add(f"{name} is not absolute: {shown(fields[name])}, under {shown(base_url)}")
    if "user_access_brand_identifier" in document:
        named = object_at(document, "user_access_brand_identifier", problems)
        fields["user_access_brand_identifier"] = BrandIdentifier.trusted(
            system=text_at(named, "system", problems, MAX_URL), value=text_at(named, "value", problems, MAX_URL)
        )
    if "associated_endpoints" in document:
        fields["associated_endpoints"] = tuple(
            AssociatedEndpoint.trusted(
                url=text_at(endpoint, "url", problems, MAX_URL),
                capabilities=texts_at(endpoint, "capabilities", problems, _MAX_ENTRIES),
            )
            for endpoint in objects_at(document, "associated_endpoints", problems, _MAX_ASSOCIATED)
        )
    capabilities = frozenset(fields["capabilities"] or ())
    fields["capability_sets"] = capability_sets(capabilities)
    fields["launch_modes"] = _launch_modes(capabilities, fields)
    fields["client_types"] = tuple(kind for kind in _CLIENT_TYPES if f"client-{kind}" in capabilities)
    challenges = fields["code_challenge_methods_supported"]
    fields["pkce_s256"] = None if challenges is None else "S256" in challenges
    if fields["scopes_supported"] is not None:
        fields["scopes_v1"], fields["scopes_v2"] = syntax_versions(fields["scopes_supported"])
    return SmartFacts.trusted(**fields, problems=problems.notes(), limits=problems.limits())


def capability_sets(capabilities: frozenset[str]) -> tuple[str, ...]:
    """Names of the complete capability sets, in the specification's order."""
    if not capabilities & SET_CLIENT_TYPES:
        return ()
    return tuple(name for name, members in CAPABILITY_SETS.items() if members <= capabilities)


def _launch_modes(capabilities: frozenset[str], fields: dict[str, Any]) -> tuple[str, ...]:
    modes = [mode for mode in ("ehr", "standalone") if f"launch-{mode}" in capabilities]
    signs = (
        "private_key_jwt" in (fields["token_endpoint_auth_methods_supported"] or ())
        or "client-confidential-asymmetric" in capabilities
    )
    if signs and "client_credentials" in (fields["grant_types_supported"] or ()):
        modes.append("backend")
    return tuple(modes)


def from_oauth_uris(capability: CapabilityFacts) -> SmartFacts | None:
    """SMART facts from the statement's ``oauth-uris`` (``source`` is ``oauth-uris``); none when it has none.

    Only endpoints are known then: ``capabilities`` is none, and the tuples derived from it are empty for want of
    knowledge, not because the server supports nothing.
    """
    uris = capability.security.oauth_uris
    if uris.authorize is None and uris.token is None:
        return None
    return SmartFacts.trusted(
        authorization_endpoint=uris.authorize,
        token_endpoint=uris.token,
        registration_endpoint=uris.register_,
        management_endpoint=uris.manage,
        introspection_endpoint=uris.introspect,
        revocation_endpoint=uris.revoke,
        source="oauth-uris",
        problems=("no SMART configuration was seen; only the endpoints in the capability statement are known",),
    )


#: Capabilities that SMART App Launch 1.0 does not have (conformance of 1.0.0 and 2.2.0, capabilities).
_SINCE_2 = (
    "permission-v2",
    "permission-v1",
    "permission-online",
    "client-confidential-asymmetric",
    "authorize-post",
    "smart-app-state",
)


def signs_of_2(smart: SmartFacts) -> tuple[str, ...]:
    """What in a configuration shows SMART App Launch 2.0 or later; the document itself states no version.

    ``grant_types_supported`` is none of it: servers of 1.0 publish that field of RFC 8414 too (judgement).
    """
    signs = [name for name in _SINCE_2 if name in (smart.capabilities or ())]
    if smart.scopes_v2:
        signs.append("scopes in v2 syntax")
    if smart.user_access_brand_bundle is not None:
        signs.append("user_access_brand_bundle")
    if smart.associated_endpoints is not None:
        signs.append("associated_endpoints")
    return tuple(signs)


def is_absolute(url: str) -> bool:
    """Whether a URL has a scheme and an authority."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.scheme and parts.netloc)
