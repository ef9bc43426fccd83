"""Published documents read a second time, without the product's code: rows of what they declare."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Row = tuple[str, ...]

SMART_FIELDS = (
    "issuer",
    "jwks_uri",
    "authorization_endpoint",
    "token_endpoint",
    "registration_endpoint",
    "management_endpoint",
    "introspection_endpoint",
    "revocation_endpoint",
    "user_access_brand_bundle",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "grant_types_supported",
    "response_types_supported",
    "code_challenge_methods_supported",
    "scopes_supported",
    "capabilities",
)
OPENID_FIELDS = (
    "issuer",
    "jwks_uri",
    "authorization_endpoint",
    "token_endpoint",
    "id_token_signing_alg_values_supported",
    "subject_types_supported",
    "response_types_supported",
)


def declared_rows(statement: dict[str, Any]) -> set[Row]:
    """What a statement with one server entry declares, a row for each single thing."""
    (rest,) = [entry for entry in statement["rest"] if entry.get("mode") == "server"]
    rows: set[Row] = {("system", "interaction", one["code"]) for one in rest.get("interaction", [])}
    rows |= {("system", "operation", one["name"].lstrip("$")) for one in rest.get("operation", [])}
    everywhere = [one["name"] for one in rest.get("searchParam", [])]
    for entry in rest["resource"]:
        name = entry["type"]
        rows.add((name, "type"))
        rows |= {(name, "interaction", one["code"]) for one in entry.get("interaction", [])}
        rows |= {(name, "parameter", one["name"]) for one in entry.get("searchParam", [])}
        rows |= {(name, "parameter", one) for one in everywhere}
        rows |= {(name, "supported profile", one) for one in entry.get("supportedProfile", [])}
        rows |= {(name, "operation", one["name"].lstrip("$")) for one in entry.get("operation", [])}
        if "versioning" in entry:
            rows.add((name, "versioning", entry["versioning"]))
        profile = entry.get("profile")
        if profile is not None:
            rows.add((name, "profile", profile["reference"] if isinstance(profile, dict) else profile))
    return rows | _head(statement) | _security(rest.get("security", {}))


def _head(statement: dict[str, Any]) -> set[Row]:
    rows: set[Row] = {
        (name, str(statement[name]))
        for name in ("fhirVersion", "kind", "status", "date", "publisher")
        if name in statement
    }
    rows |= {("format", one) for one in statement.get("format", [])}
    rows |= {("instantiates", one) for one in statement.get("instantiates", [])}
    software = statement.get("software", {})
    rows |= {("software", name, software[name]) for name in ("name", "version", "releaseDate") if name in software}
    url = statement.get("implementation", {}).get("url")
    return rows | ({("implementation", url)} if url else set())


def _security(security: dict[str, Any]) -> set[Row]:
    rows: set[Row] = set()
    for service in security.get("service", []):
        codes = [coding["code"] for coding in service.get("coding", []) if "code" in coding]
        rows |= {("service", one) for one in codes or [service["text"]]}
    if "cors" in security:
        rows.add(("cors", str(security["cors"])))
    for extension in security.get("extension", []):
        if extension["url"] == "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris":
            rows |= {("oauth", part["url"], part["valueUri"]) for part in extension["extension"]}
    return rows


def fact_rows(facts: dict[str, Any]) -> set[Row]:
    """The same rows, of ``facts.capability`` as JSON."""
    rows: set[Row] = {("system", "interaction", one) for one in facts["system_interactions"]}
    rows |= {("system", "operation", one) for one in facts["operations"]}
    for name, resource in facts["resources"].items():
        rows.add((name, "type"))
        for key, word in (
            ("interactions", "interaction"),
            ("search_params", "parameter"),
            ("profiles", "supported profile"),
            ("operations", "operation"),
        ):
            rows |= _rows(name, word, resource[key])
        rows |= {(name, word, resource[word]) for word in ("versioning", "profile") if resource[word] is not None}
    for key, word in (
        ("fhir_version", "fhirVersion"),
        ("kind", "kind"),
        ("status", "status"),
        ("date", "date"),
        ("publisher", "publisher"),
        ("implementation_url", "implementation"),
    ):
        if facts[key] is not None:
            rows.add((word, facts[key]))
    rows |= {("format", one) for one in facts["formats"]} | {("instantiates", one) for one in facts["instantiates"]}
    rows |= {("software", name, value) for name, value in facts["software"].items()}
    security = facts["security"]
    rows |= {("service", one) for one in security["services"]}
    if security["cors"] is not None:
        rows.add(("cors", str(security["cors"])))
    return rows | {("oauth", name, url) for name, url in security["oauth_uris"].items() if url is not None}


def _rows(name: str, word: str, values: Iterable[str]) -> set[Row]:
    return {(name, word, one) for one in values}


def published(document: dict[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    """The fields that a discovery document has."""
    return {name: document[name] for name in fields if document.get(name) is not None}


def smart_derived(document: dict[str, Any]) -> dict[str, Any]:
    """What follows from a SMART configuration, worked out from the specification's tables (2.2, conformance)."""
    capabilities = set(document.get("capabilities", []))
    kinds = ("public", "confidential-symmetric", "confidential-asymmetric")
    for_users = "permission-user permission-patient"
    sets = {
        "patient-access-standalone": "launch-standalone context-standalone-patient permission-patient",
        "patient-access-ehr": "launch-ehr context-ehr-patient permission-patient",
        "clinician-access-standalone": f"launch-standalone {for_users}",
        "clinician-access-ehr": f"launch-ehr context-ehr-patient context-ehr-encounter {for_users}",
    }
    client = capabilities & {"client-public", "client-confidential-symmetric"}
    methods = document.get("token_endpoint_auth_methods_supported") or []
    asymmetric = "private_key_jwt" in methods or "client-confidential-asymmetric" in capabilities
    backend = asymmetric and "client_credentials" in document.get("grant_types_supported", [])
    challenges = document.get("code_challenge_methods_supported")
    return {
        "client_types": [kind for kind in kinds if f"client-{kind}" in capabilities],
        "capability_sets": [name for name, needed in sets.items() if client and set(needed.split()) <= capabilities],
        "launch_modes": [mode for mode in ("ehr", "standalone") if f"launch-{mode}" in capabilities]
        + (["backend"] if backend else []),
        "pkce_s256": None if challenges is None else "S256" in challenges,
    }
