"""Small documents of our own that a well-behaved server would publish."""

from __future__ import annotations

import copy
from typing import Any

STATEMENT: dict[str, Any] = {
    "resourceType": "CapabilityStatement",
    "name": "ExampleStatement",
    "status": "active",
    "date": "2026-05-01",
    "kind": "instance",
    "software": {"name": "Example EHR", "version": "9.1"},
    "implementation": {"description": "An example"},
    "fhirVersion": "4.0.1",
    "format": ["json", "application/fhir+json"],
    "rest": [
        {
            "mode": "server",
            "security": {"cors": True, "service": [{"coding": [{"code": "SMART-on-FHIR"}]}]},
            "resource": [
                {
                    "type": "Patient",
                    "interaction": [{"code": "read"}, {"code": "search-type"}],
                    "searchParam": [{"name": "_id", "type": "token"}, {"name": "name", "type": "string"}],
                }
            ],
        }
    ],
}

SMART: dict[str, Any] = {
    "authorization_endpoint": "https://auth.example.org/authorize",
    "token_endpoint": "https://auth.example.org/token",
    "grant_types_supported": ["authorization_code", "client_credentials"],
    "token_endpoint_auth_methods_supported": ["private_key_jwt"],
    "token_endpoint_auth_signing_alg_values_supported": ["RS384"],
    "code_challenge_methods_supported": ["S256"],
    "capabilities": [
        "launch-ehr",
        "launch-standalone",
        "client-public",
        "client-confidential-asymmetric",
        "context-ehr-patient",
        "context-ehr-encounter",
        "context-standalone-patient",
        "permission-patient",
        "permission-user",
        "permission-v2",
    ],
    "scopes_supported": ["launch", "openid", "patient/Patient.rs", "system/*.rs"],
}


def statement(**changes: Any) -> dict[str, Any]:
    """The statement with top-level elements replaced; None removes one."""
    return _changed(STATEMENT, changes)


def smart(**changes: Any) -> dict[str, Any]:
    """The SMART configuration with fields replaced; None removes one."""
    return _changed(SMART, changes)


def _changed(document: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = copy.deepcopy(document) | changes
    return {name: value for name, value in merged.items() if value is not None}


def brand_bundle(base: str, **changes: Any) -> dict[str, Any]:
    """A bundle of user-access brands with one brand at a base; None removes an element."""
    return _changed(
        {
            "resourceType": "Bundle",
            "type": "collection",
            "timestamp": "2026-11-01T00:00:00Z",
            "entry": [
                {
                    "fullUrl": "https://example.org/Organization/a",
                    "resource": {
                        "resourceType": "Organization",
                        "id": "a",
                        "name": "Example Hospital",
                        "identifier": [{"system": "urn:ietf:rfc:3986", "value": "https://example.org"}],
                        "endpoint": [{"reference": "Endpoint/e"}],
                    },
                },
                {
                    "fullUrl": "https://example.org/Endpoint/e",
                    "resource": {"resourceType": "Endpoint", "id": "e", "address": f"{base}/"},
                },
            ],
        },
        changes,
    )
