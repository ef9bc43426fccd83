"""``capability-statement.json``: what the product needs of a FHIR server, as a statement of kind requirements."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from interlock.contract import fhir_names
from interlock.contract.match import interaction_code
from interlock.contract.scopes import needed_scopes
from interlock.contract.skeletons.base import of_contract
from interlock.documents.visible import to_json, visible
from interlock.fhir.tables import release as tables_of
from interlock.fhir.validation import require_valid
from interlock.model.contract import Need
from interlock.model.facts import FhirRelease
from interlock.model.resolved import ResolvedContract

_EXTENSIONS = "http://hl7.org/fhir/StructureDefinition/"
_COMBINATION = f"{_EXTENSIONS}capabilitystatement-search-parameter-combination"
#: Where an operation of this name is defined, when it is not FHIR's own for the type (US Core 6.1.0; Bulk Data 2.0.0).
_DEFINED = {
    ("DocumentReference", "docref"): "http://hl7.org/fhir/us/core/OperationDefinition/docref",
    ("Group", "export"): "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/group-export",
    ("Patient", "export"): "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/patient-export",
}
#: Operations that FHIR R4 defines for every type, and those of one type (operationslist.html).
_OF_ALL = frozenset({"graphql", "meta", "meta-add", "meta-delete", "validate"})
_OF_TYPE = frozenset(
    {
        ("CodeSystem", "lookup"),
        ("CodeSystem", "subsumes"),
        ("CodeSystem", "validate-code"),
        ("Composition", "document"),
        ("ConceptMap", "translate"),
        ("Encounter", "everything"),
        ("List", "find"),
        ("Observation", "lastn"),
        ("Observation", "stats"),
        ("Patient", "everything"),
        ("Patient", "match"),
        ("ValueSet", "expand"),
        ("ValueSet", "validate-code"),
    }
)


def capability_statement(resolved: ResolvedContract) -> Mapping[str, str]:
    """A CapabilityStatement of kind ``requirements``: no software, no implementation (FHIR R4, cpb-16).

    The statement describes the *server* that the product needs (``rest.mode = server``) anywhere; organisations may
    have it otherwise. ``SHALL``: the product does not work without; ``SHOULD``: an optional need.

    :raises InvalidDocumentError: it would not be valid FHIR.
    """
    contract, product, release = resolved.contract, resolved.product, resolved.contract.fhir_release
    merged: dict[str, list[Need]] = {}
    for need in (*contract.inputs, *contract.outputs):
        if fhir_names.type_problem(release, need.resource) is None:
            merged.setdefault(need.resource, []).append(need)
    if any(need.writing.provenance for need in contract.outputs) and "Provenance" not in merged:
        merged["Provenance"] = [
            Need(resource="Provenance", purpose="Origin of what is written", interactions=("create",))
        ]
    statement: dict[str, Any] = {
        "resourceType": "CapabilityStatement",
        "url": f"urn:uuid:{uuid5(NAMESPACE_URL, f'{product} / {contract.title} / requirements')}",
        "version": visible(contract.version),
        "name": _code_name(product),
        "title": visible(f"What {product} needs of a FHIR server"),
        "status": "draft",
        "date": resolved.made,
        "description": visible(
            f"Requirements of the workflow contract {contract.title}. Known: {of_contract(resolved)}. Assumed: which "
            "search parameters are used together. Open: what each server offers (contract.lock.json)."
        ),
        "kind": "requirements",
        "fhirVersion": tables_of(release).about.version,
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
        statement["rest"][0]["resource"] = [_resource(release, name, needs) for name, needs in sorted(merged.items())]
    if release in {"DSTU2", "STU3"}:
        statement = _as_before_r4(statement, release)
    require_valid(statement, release, "capability-statement.json")
    return {"capability-statement.json": to_json(statement)}


def _as_before_r4(statement: dict[str, Any], release: str) -> dict[str, Any]:
    """A statement in the form of DSTU2 or STU3: profiles and operations above the types, and what it tolerates."""
    rest = statement["rest"][0]
    resources = rest.get("resource", [])
    profiles = dict.fromkeys(url for entry in resources for url in entry.pop("supportedProfile", ()))
    operations = [operation for entry in resources for operation in entry.pop("operation", ())]
    for entry in resources:
        entry.pop("_supportedProfile", None)
    for service in rest["security"]["service"]:
        service["coding"][0]["system"] = "http://hl7.org/fhir/restful-security-service"
    if operations:
        rest["operation"] = [
            operation | {"definition": {"reference": operation["definition"]}} for operation in operations
        ]
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


def _expected(release: FhirRelease, optional: bool) -> dict[str, Any]:
    """How much something is needed, as an extension that may stand at any element of a statement."""
    statement = "conformance" if release == "DSTU2" else "capabilitystatement"
    return {
        "extension": [
            {"url": f"{_EXTENSIONS}{statement}-expectation", "valueCode": "SHOULD" if optional else "SHALL"},
        ]
    }


def _resource(release: FhirRelease, name: str, needs: list[Need]) -> dict[str, Any]:
    """A type with everything that its needs ask for; what one required need asks for is required."""
    interactions = _all_optional(
        (interaction_code(interaction), need) for need in needs for interaction in need.interactions
    )
    profiles = _all_optional(
        (need.profile, need)
        for need in needs
        if need.profile and fhir_names.profile_problem(release, name, need.profile) is None
    )
    resource = {
        **_expected(release, all(need.optional for need in needs)),
        "type": name,
        "supportedProfile": list(profiles),
        "_supportedProfile": [_expected(release, optional) for optional in profiles.values()],
        "documentation": visible("; ".join(_documented(release, name, needs))),
        "interaction": [_expected(release, optional) | {"code": code} for code, optional in interactions.items()],
        "versioning": "versioned-update" if any(need.writing.if_match for need in needs) else None,
        "conditionalCreate": True if any(need.writing.if_none_exist for need in needs) else None,
        "searchParam": list(_parameters(release, name, needs)),
        "operation": list(_operations(release, name, needs)),
    }
    if release not in {"DSTU2", "STU3"}:
        resource["extension"] = [*resource["extension"], *_combinations(release, name, needs)]
    return {key: value for key, value in resource.items() if value}


def _all_optional(asked: Iterator[tuple[str, Need]]) -> dict[str, bool]:
    """Each name once, and whether every need that asks for it is optional."""
    names: dict[str, bool] = {}
    for name, need in asked:
        names[name] = names.get(name, True) and need.optional
    return names


def _documented(release: FhirRelease, name: str, needs: list[Need]) -> Iterator[str]:
    """The purposes, and what no other element can say: operations of which no definition is known."""
    yield from (need.purpose for need in needs if need.purpose)
    undefined = [operation for operation in _all_operations(release, needs) if _definition(name, operation) is None]
    if undefined:
        yield f"Operations: {', '.join(f'${operation}' for operation in undefined)}"


def _all_operations(release: FhirRelease, needs: list[Need]) -> dict[str, bool]:
    return _all_optional(
        (operation.lstrip("$"), need)
        for need in needs
        for operation in need.operations
        if fhir_names.operation_problem(operation) is None
    )


def _operations(release: FhirRelease, resource: str, needs: list[Need]) -> Iterator[dict[str, Any]]:
    for name, optional in _all_operations(release, needs).items():
        if (definition := _definition(resource, name)) is not None:
            yield _expected(release, optional) | {"name": name, "definition": definition}


def _definition(resource: str, name: str) -> str | None:
    if name in _OF_ALL:
        return f"http://hl7.org/fhir/OperationDefinition/Resource-{name}"
    if (resource, name) in _OF_TYPE:
        return f"http://hl7.org/fhir/OperationDefinition/{resource}-{name}"
    return _DEFINED.get((resource, name))


def _asked(need: Need) -> tuple[str, ...]:
    """Every search parameter as the need writes it, those of its fixed query first."""
    return tuple(dict.fromkeys([*(fixed.partition("=")[0] for fixed in need.query), *need.search_parameters]))


def _base_name(release: FhirRelease, resource: str, name: str) -> str | None:
    """The name by which a statement declares a parameter: without modifier or chain; none for what FHIR has not."""
    parameter = fhir_names.search_name(release, resource, name)
    return name if parameter is None else None if isinstance(parameter, str) else parameter.name


def _parameters(release: FhirRelease, resource: str, needs: list[Need]) -> Iterator[dict[str, Any]]:
    """Search parameters by base name, with FHIR's type; how they are asked with modifiers or chains beside.

    One that begins with a hyphen is a server's own: a type is required all the same, and it says so.
    """
    written: dict[str, list[str]] = {}
    optional: dict[str, bool] = {}
    for need in needs:
        for name in _asked(need):
            if (base := _base_name(release, resource, name)) is not None:
                written.setdefault(base, []).append(name)
                optional[base] = optional.get(base, True) and need.optional
    known, own = tables_of(release).parameters(resource), "token" if release in {"DSTU2", "STU3"} else "special"
    for base, names in written.items():
        kind = known[base].type if base in known else None
        entry = _expected(release, optional[base]) | {"name": base, "type": kind or own}
        asked = [name for name in dict.fromkeys(names) if name != base]
        if kind is None:
            entry["documentation"] = "Not defined by FHIR; its type is not known."
        elif asked:
            entry["documentation"] = f"Asked for as {', '.join(asked)}."
        yield entry


def _combinations(release: FhirRelease, resource: str, needs: list[Need]) -> Iterator[dict[str, Any]]:
    """Parameters that every search of a need has together: its fixed query, and its patient where it has one."""
    told: list[dict[str, Any]] = []
    for need in needs:
        names = list(dict.fromkeys(filter(None, (_base_name(release, resource, name) for name in _asked(need)))))
        fixed = {_base_name(release, resource, query.partition("=")[0]) for query in need.query}
        required = [name for name in names if name in fixed or name in {"patient", "subject"}]
        if required and len(names) > 1:
            parts = [("required", name) for name in required]
            parts += [("optional", name) for name in names if name not in required]
            combination = {
                "url": _COMBINATION,
                "extension": [{"url": kind, "valueString": name} for kind, name in parts],
            }
            if combination not in told:
                told.append(combination)
                yield combination
