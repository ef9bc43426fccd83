"""``capability-statement.json``: what the product needs of a FHIR server, as a statement of kind requirements."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from interlock.contract.match import interaction_code
from interlock.contract.scopes import needed_scopes
from interlock.documents.visible import to_json, visible
from interlock.fhir.tables import Unknown
from interlock.fhir.tables import release as tables_of
from interlock.fhir.validation import require_valid
from interlock.model.contract import Need
from interlock.model.facts import FhirRelease
from interlock.model.resolved import ResolvedContract


def capability_statement(resolved: ResolvedContract) -> Mapping[str, str]:
    """A CapabilityStatement of kind ``requirements``: no software, no implementation (FHIR R4, cpb-16).

    The statement describes the *server* that the product needs (``rest.mode = server``).

    :raises InvalidDocumentError: it would not be valid FHIR.
    """
    contract, product = resolved.contract, resolved.product
    merged: dict[str, list[Need]] = {}
    for need in (*contract.inputs, *contract.outputs):
        merged.setdefault(need.resource, []).append(need)
    statement: dict[str, Any] = {
        "resourceType": "CapabilityStatement",
        "name": _code_name(product),
        "title": f"What {product} needs of a FHIR server",
        "status": "draft",
        "date": resolved.made,
        "description": f"Requirements of the workflow contract {contract.title}, version {contract.version}.",
        "kind": "requirements",
        "fhirVersion": tables_of(contract.fhir_release).about.version,
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "service": [
                        {
                            "coding": [
                                {
                                    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                                    "code": "SMART-on-FHIR",
                                }
                            ]
                        }
                    ],
                    "description": "Scopes: " + " ".join(needed_scopes(contract)),
                },
            }
        ],
    }
    if merged:
        resources = [_resource(contract.fhir_release, name, needs) for name, needs in sorted(merged.items())]
        statement["rest"][0]["resource"] = resources
    if contract.fhir_release in {"DSTU2", "STU3"}:
        statement = _as_before_r4(statement, contract.fhir_release)
    require_valid(statement, contract.fhir_release, "capability-statement.json")
    return {"capability-statement.json": to_json(statement)}


def _as_before_r4(statement: dict[str, Any], release: str) -> dict[str, Any]:
    """A statement in the form of DSTU2 or STU3: profiles are at the top, and it says what is tolerated."""
    resources = statement["rest"][0].get("resource", [])
    profiles = dict.fromkeys(url for entry in resources for url in entry.pop("supportedProfile", ()))
    for service in statement["rest"][0]["security"]["service"]:
        service["coding"][0]["system"] = "http://hl7.org/fhir/restful-security-service"
    earlier = statement | {"acceptUnknown": "both"}
    if profiles:
        earlier["profile"] = [{"reference": url} for url in profiles]
    if release == "DSTU2":
        del earlier["title"]
        for entry in resources:
            entry.pop("documentation", None)
        earlier["resourceType"] = "Conformance"
    return earlier


def _code_name(product: str) -> str:
    name = "".join(word.capitalize() for word in re.sub(r"[^A-Za-z0-9]", " ", product).split())
    return (name if name[:1].isalpha() else f"Product{name}")[:200] + "Requirements"


def _resource(release: FhirRelease, name: str, needs: list[Need]) -> dict[str, Any]:
    interactions = dict.fromkeys(interaction_code(name) for need in needs for name in need.interactions)
    parameters = dict.fromkeys(name for need in needs for name in need.search_parameters)
    profiles = dict.fromkeys(need.profile for need in needs if need.profile)
    resource = {
        "type": name,
        "supportedProfile": list(profiles),
        "documentation": visible("; ".join(need.purpose for need in needs if need.purpose)),
        "interaction": [{"code": code} for code in interactions],
        "searchParam": _parameters(release, name, parameters),
    }
    return {key: value for key, value in resource.items() if value}


def _parameters(release: FhirRelease, resource: str, names: Iterable[str]) -> list[dict[str, str]]:
    """Search parameters as a statement declares them: by base name, without modifier or chain, with FHIR's type.

    One that FHIR does not define is a server's own: a type is required all the same, and it says so.
    """
    tables, own = tables_of(release), "token" if release in {"DSTU2", "STU3"} else "special"
    declared: dict[str, dict[str, str]] = {}
    for name in names:
        found = tables.parameter(resource, name)
        if isinstance(found, Unknown):
            declared[name] = {"name": name, "type": own, "documentation": "Not defined by FHIR; its type is not known."}
        else:
            kind = tables.parameters(resource)[found.name].type
            declared[found.name] = {"name": found.name, "type": kind or own}
    return list(declared.values())
