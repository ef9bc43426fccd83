"""Statements that declare what an edition of US Core requires, made from the tables."""

from __future__ import annotations

from typing import Any

from interlock.fhir.tables import us_core
from interlock.fhir.tables.us_core import PROFILES, UsCoreEdition
from interlock.fhir.us_core import SERVER

COMBINATION = "http://hl7.org/fhir/StructureDefinition/capabilitystatement-search-parameter-combination"


def whole_statement(edition: UsCoreEdition, *, combinations: bool = True, version: bool = True) -> dict[str, Any]:
    """Every SHALL of an edition, and nothing else; parameters of combinations are listed too."""
    table = us_core(edition)
    of_edition = f"|{edition}" if version else ""
    resources = []
    for name, needs in table.resources.items():
        joined = [one.parameters for one in needs.combinations if one.verb == "SHALL"]
        names = {one.code for one in needs.parameters if one.verb == "SHALL"} | {
            part for parts in joined for part in parts
        }
        entry: dict[str, Any] = {
            "type": name,
            "interaction": [{"code": code} for code, verb in needs.interactions.items() if verb == "SHALL"],
            "searchParam": [{"name": part, "type": "string"} for part in sorted(names)],
            "searchRevInclude": [path for path, verb in needs.rev_includes.items() if verb == "SHALL"],
            "operation": [{"name": one.name, "definition": one.definition} for one in needs.operations],
            "supportedProfile": [
                profile.url + (of_edition if profile.url.startswith(PROFILES) else "")
                for profile in table.profiles_of(name)
                if profile.declared and profile.verb in {"SHALL", ""}
            ],
        }
        if combinations:
            entry["extension"] = [
                {
                    "url": COMBINATION,
                    "extension": [{"url": "required", "valueString": part} for part in parts],
                }
                for parts in joined
            ]
        resources.append({key: value for key, value in entry.items() if value})
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-05-01",
        "kind": "instance",
        "software": {"name": "Example EHR"},
        "implementation": {"description": "An example", "url": "https://ehr.example.org/fhir"},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "instantiates": [SERVER + of_edition],
        "rest": [{"mode": "server", "resource": resources}],
    }
