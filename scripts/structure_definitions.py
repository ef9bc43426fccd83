"""FHIR's StructureDefinitions of any release, as published, into rows of the tables: types and their elements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

Definition = dict[str, Any]

_TYPES = "http://hl7.org/fhir/StructureDefinition/"
#: Types that only narrow another: they are no types of their own.
_NARROWED = frozenset({"SimpleQuantity", "MoneyQuantity"})
_REFERENCES = frozenset({"Reference", "CodeableReference"})


def of_bundle(bundle: Definition) -> Iterator[Definition]:
    """The StructureDefinitions of a bundle."""
    for entry in bundle["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == "StructureDefinition":
            yield resource


def types(definitions: Iterable[Definition]) -> dict[str, Definition]:
    """Definitions of types by name; profiles are left out."""
    found = {}
    for definition in definitions:
        name: str = definition["snapshot"]["element"][0]["path"]
        if definition.get("derivation") == "constraint" or definition.get("constrainedType"):
            continue
        if name == (definition.get("type") if "type" in definition else definition["name"]) or definition["id"] == name:
            found[name] = definition
    return {name: found[name] for name in sorted(found) if name not in _NARROWED}


def type_row(name: str, definition: Definition) -> dict[str, str]:
    """What a definition says of its type, with the columns of the verified tables."""
    stated = [one for one in definition.get("extension", []) if one["url"].endswith("/structuredefinition-fmm")]
    base = definition.get("baseDefinition") or definition.get("base") or ""
    return {
        "type": name,
        "kind": _kind(name, definition["kind"]),
        "abstract": str(int(bool(definition.get("abstract")))),
        "base": _short(base),
        "fmm": str(stated[0]["valueInteger"]) if stated else "",
    }


def _kind(name: str, stated: str) -> str:
    """DSTU2 says of any type that is no resource that it is a datatype."""
    return ("primitive-type" if name[0].islower() else "complex-type") if stated == "datatype" else stated


def constraints(definition: Definition) -> Iterator[tuple[str, str, str, str]]:
    """Key, path, severity and expression of every constraint of a type; in DSTU2 the expression is XPath."""
    for row in definition["snapshot"]["element"]:
        for one in row.get("constraint", []):
            expression = one.get("expression") or one.get("xpath", "")
            yield one["key"], row["path"], one["severity"], " ".join(expression.split())


def elements(definition: Definition) -> list[dict[str, str]]:
    """The rows of a type's elements, the type itself first, with the columns of the verified tables."""
    rows = definition["snapshot"]["element"]
    names = {row["name"]: row["path"] for row in rows if "name" in row}
    is_resource = definition["kind"] == "resource"
    return [_element(row, is_resource, names) for row in rows]


def _element(row: Definition, is_resource: bool, names: dict[str, str]) -> dict[str, str]:
    path = row["path"]
    kinds: list[str] = []
    targets: dict[str, set[str]] = {"reference": set(), "canonical": set()}
    for kind in row.get("type", []) if "." in path else []:
        code = _code(kind, path, is_resource)
        if code not in kinds:
            kinds.append(code)
        profiles = [*_listed(kind.get("targetProfile"))]
        if "targetProfile" not in kind and code in _REFERENCES:
            profiles = [*_listed(kind.get("profile"))]  # DSTU2 has no other place for them
        where = "canonical" if code == "canonical" else "reference"
        targets[where] |= {_short(profile) for profile in profiles} if code in {*_REFERENCES, "canonical"} else set()
    binding = row.get("binding", {})
    return {
        "path": path,
        "min": str(row["min"]),
        "max": row["max"],
        "types": "|".join(kinds),
        "reference_targets": "|".join(sorted(targets["reference"])),
        "canonical_targets": "|".join(sorted(targets["canonical"])),
        "content_reference": row.get("contentReference", "").rpartition("#")[2]
        or names.get(row.get("nameReference", ""), ""),
        "binding_strength": binding.get("strength", ""),
        "binding_value_set": _value_set(binding),
        "is_modifier": str(int(bool(row.get("isModifier")))),
        "is_summary": str(int(bool(row.get("isSummary")))),
    }


def _code(kind: Definition, path: str, is_resource: bool) -> str:
    code: str = kind.get("code", "")
    if code == "id" and path.endswith(".id") and path.count(".") == 1 and not is_resource:
        return "string"  # DSTU2 has ``id`` for it; later releases a string
    if code and "System." not in code:
        return code
    if path.endswith(".id"):
        return "id" if is_resource and path.count(".") == 1 else "string"
    stated = [
        extension.get("valueUrl") or extension.get("valueUri")
        for extension in [*kind.get("extension", []), *kind.get("_code", {}).get("extension", [])]
    ]
    return next((one for one in stated if one), code)


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []


def _short(profile: str) -> str:
    return profile.partition("|")[0].removeprefix(_TYPES)


def _value_set(binding: Definition) -> str:
    referred = binding.get("valueSetReference", {}).get("reference")
    named: str = binding.get("valueSet") or binding.get("valueSetUri") or referred or ""
    return named.partition("|")[0]
