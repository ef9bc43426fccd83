"""Bulk data export as a capability statement declares it (Bulk Data Access 2.0.0); it is never invoked."""

from __future__ import annotations

from interlock.fhir.tolerant import objects_of
from interlock.model.observation import BulkFacts, CapabilityFacts, ExportLevel

STATEMENT = "http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data"
_DEFINITIONS: dict[str, ExportLevel] = {
    "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export": "system",
    "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/patient-export": "patient",
    "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/group-export": "group",
}
_NAMES: dict[str, ExportLevel] = {"patient-export": "patient", "group-export": "group"}
_LEVEL_OF_TYPE: dict[str, ExportLevel] = {"Patient": "patient", "Group": "group"}
_LEVELS: tuple[ExportLevel, ...] = ("system", "patient", "group")


def parse(document: object, capability: CapabilityFacts) -> BulkFacts:
    """Exports by definition first, then by name and place (specifications: BLK-02, BLK-03). Never raises."""
    found: set[ExportLevel] = set()
    undefined = False
    for type_name, operation in _operations(document):
        level, defined = _level(type_name, operation)
        if level is not None:
            found.add(level)
            undefined = undefined or not defined
    return BulkFacts.trusted(
        exports=tuple(level for level in _LEVELS if level in found),
        undefined=undefined,
        instantiates=any(one.partition("|")[0] == STATEMENT for one in capability.instantiates),
    )


def _operations(document: object) -> list[tuple[str | None, dict[str, object]]]:
    found: list[tuple[str | None, dict[str, object]]] = []
    for rest in objects_of(document, "rest"):
        found += [(None, operation) for operation in objects_of(rest, "operation")]
        for resource in objects_of(rest, "resource"):
            if "operation" not in resource:
                continue
            name = resource.get("type")
            type_name = name if isinstance(name, str) else None
            found += [(type_name, operation) for operation in objects_of(resource, "operation")]
    return found


def _level(type_name: str | None, operation: dict[str, object]) -> tuple[ExportLevel | None, bool]:
    """The level that an operation exports, and whether its definition says so."""
    definition = operation.get("definition")
    if isinstance(definition, dict):
        definition = definition.get("reference")
    if isinstance(definition, str) and (level := _DEFINITIONS.get(definition.partition("|")[0])):
        return level, True
    name = operation.get("name")
    name = name.lstrip("$") if isinstance(name, str) else ""
    if name in _NAMES:
        return _NAMES[name], False
    if name == "export":
        return _LEVEL_OF_TYPE.get(type_name or "", "system"), False
    return None, False
