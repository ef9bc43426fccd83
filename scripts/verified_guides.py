"""US Core, SMART and ONC (g)(10) out of the verified tables (``verified_tables``), made into the project's files."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from verified_tables import Table, read_table, split, trimmed

EDITIONS = ("3.1.1", "4.0.0", "5.0.1", "6.1.0", "7.0.0", "8.0.0")
VERSIONS = ("1.0", "2.0", "2.1", "2.2")

_INCLUDES = {"searchInclude": "includes", "searchRevInclude": "rev_includes", "referencePolicy": "reference_policies"}


def us_core(folder: Path, edition: str) -> dict[str, Any]:
    """The content of an edition's file, without ``about``."""

    def of(name: str) -> Table:
        return [row for row in read_table(folder, f"us_core/{name}") if row["edition"] == edition]

    system, resources = _resources(of)
    return {
        "edition": edition,
        "system": system,
        "resources": resources,
        "profiles": _profiles(of),
        "scopes": [
            trimmed(
                row["level"],
                row["resource"],
                row["scope"],
                row["verb"],
                row["category_code"],
                row["as_published_category"],
            )
            for row in of("scopes")
            if row["level"] != "none"
        ],
        "smart": [
            trimmed(row["kind"], row["value"], row["verb"], row["section"], row["condition"])
            for row in of("smart_requirements")
        ],
    }


def _resources(of: Any) -> tuple[dict[str, str], dict[str, Any]]:
    system: dict[str, str] = {}
    resources: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for row in of("interactions"):
        if row["resource"] == "(system)":
            system[row["interaction"]] = row["verb"]
        elif row["interaction"] == "(resource)":
            resources[row["resource"]]["verb"] = row["verb"]
        else:
            resources[row["resource"]].setdefault("interactions", {})[row["interaction"]] = row["verb"]
    for row in of("search_params"):
        if row["modifiers"]:
            raise ValueError(f"{row['resource']}.{row['code']}: modifiers have no place in the file")
        resources[row["resource"]].setdefault("parameters", []).append(
            trimmed(
                row["code"],
                row["type"],
                row["verb"],
                row["multiple_or_verb"],
                row["multiple_and_verb"],
                _verbs(row["comparators"]),
                _verbs(row["chains"]),
                row["definition"],
                keep=3,
            )
        )
    for row in of("search_combinations"):
        if row["optional_params"]:
            raise ValueError(f"{row['resource']} {row['params']}: optional parameters have no place in the file")
        resources[row["resource"]].setdefault("combinations", []).append([row["params"].split("+"), row["verb"]])
    for row in of("includes"):
        resources[row["resource"]].setdefault(_INCLUDES[row["kind"]], {})[row["value"]] = row["verb"]
    for row in of("operations"):
        resources[row["resource"]].setdefault("operations", []).append(
            [row["operation"], row["definition"], row["verb"]]
        )
    for requirements in resources.values():
        requirements.setdefault("verb", "")
    return system, resources


def _verbs(cell: str) -> dict[str, str]:
    return dict(entry.split(":") for entry in split(cell))


def _profiles(of: Any) -> dict[str, Any]:
    elements: defaultdict[str, list[Any]] = defaultdict(list)
    additions: defaultdict[str, list[Any]] = defaultdict(list)
    for row in of("elements"):
        elements[row["profile_id"]].append(
            trimmed(
                row["element_id"],
                int(row["min"]),
                None if row["max"] == "*" else int(row["max"]),
                row["mandatory"],
                row["must_support"] == "1",
                row["uscdi_flag"] == "1",
                split(row["types"]),
                split(row["must_support_types"]),
                split(row["targets"]),
                split(row["must_support_targets"]),
                row["fixed_or_pattern"],
                row["binding_strength"],
                row["binding_value_set"],
                keep=6,
            )
        )
    for row in of("uscdi_additions"):
        additions[row["profile_id"]].append([row["element"], row["fixed_value"], row["kind"]])
    rows = {
        row["profile_id"]: trimmed(
            row["profile_id"],
            row["url"],
            row["version"],
            row["resource"],
            row["base"],
            row["in_server_capability_statement"] == "1",
            row["verb"],
            row["status"],
            elements[row["profile_id"]],
            additions[row["profile_id"]],
            keep=8,
        )
        for row in of("profiles")
    }
    if lost := {*elements, *additions} - {*rows}:
        raise ValueError(f"elements of profiles that the edition does not have: {sorted(lost)}")
    return rows


def smart(folder: Path) -> dict[str, Any]:
    """The content of SMART's file, without ``about``."""

    def of(name: str) -> Table:
        return read_table(folder, f"smart/{name}")

    sets: defaultdict[str, defaultdict[str, dict[str, list[str]]]] = defaultdict(lambda: defaultdict(dict))
    for row in of("capability_sets"):
        sets[row["version"]][row["set"]].setdefault(row["rule"], []).extend(split(row["codes"]))
    codes: defaultdict[str, list[str]] = defaultdict(list)
    for row in of("codes"):
        codes[row["url"]].append(row["code"])
    return {
        "capabilities": [
            trimmed(row["code"], row["group"], _by_version(row), row["requested_by"], row["conveyed_via"])
            for row in of("capabilities")
        ],
        "capability_sets": {
            version: [
                trimmed(name, rules["all-of"], rules["any-of"], rules.get("may", [])) for name, rules in named.items()
            ]
            for version, named in sets.items()
        },
        "well_known": [
            trimmed(row["field"], row["json_type"], _by_version(row), row["condition"], row["values"])
            for row in of("well_known")
        ],
        "scopes": [
            trimmed(row["kind"], row["name"], row["value"], split(row["versions"]), row["section"])
            for row in of("scope_facts")
        ],
        "token_parameters": [
            ["parameter", row["parameter"], row["json_type"], split(row["versions"])] for row in of("token_parameters")
        ],
        "codes": codes,
    }


def _by_version(row: dict[str, str]) -> dict[str, str]:
    return {version: row[f"v{version}"] for version in VERSIONS if row[f"v{version}"] != "-"}


def onc_g10(folder: Path) -> dict[str, Any]:
    """The content of ONC (g)(10)'s file, without ``about``."""

    def of(name: str) -> Table:
        return read_table(folder, f"onc_g10/{name}")

    patient: defaultdict[str, list[str]] = defaultdict(list)
    for row in of("patient_scope_resources"):
        patient[row["us_core"]].append(row["resource"])
    return {
        "facts": {row["subject"]: row["value"] for row in of("facts")},
        "capabilities": [
            trimmed(row["scenario"], row["smart_version"], row["capability"], _since(row["when"]))
            for row in of("required_smart_capabilities")
        ],
        "scopes": [trimmed(row["kind"], split(row["edition"]), row["scope"], row["note"]) for row in of("scopes")],
        "profiles": [
            [
                row["edition"],
                row["resource"],
                row["profile_id"],
                row["profile_url"],
                row["required"] == "1",
                row["reached_by_reference_only"] == "1",
            ]
            for row in of("profiles_tested")
        ],
        "patient_resources": patient,
    }


def _since(when: str) -> str:
    """The first edition of US Core that a requirement holds with; empty for always."""
    if when == "always":
        return ""
    edition = when.removeprefix("US Core ").removesuffix(" and later")
    if edition not in EDITIONS:
        raise ValueError(f"{when!r} names no edition")
    return edition
