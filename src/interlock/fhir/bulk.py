"""Bulk data export as a capability statement declares it (Bulk Data Access 2.0.0); it is never invoked."""

from __future__ import annotations

from interlock.fhir.capability import Statement
from interlock.fhir.statement import Operation
from interlock.model.observation import BulkFacts, ExportLevel

STATEMENT = "http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data"
_DEFINITIONS: dict[str, ExportLevel] = {
    "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export": "system",
    "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/patient-export": "patient",
    "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/group-export": "group",
}
_NAMES: dict[str, ExportLevel] = {"patient-export": "patient", "group-export": "group"}
_LEVEL_OF_TYPE: dict[str, ExportLevel] = {"Patient": "patient", "Group": "group"}
_LEVELS: tuple[ExportLevel, ...] = ("system", "patient", "group")


def parse(statement: Statement) -> BulkFacts:
    """Exports by definition first, then by name and place (specifications: BLK-02, BLK-03). Never raises."""
    exports = [_level(type_name, operation) for type_name, operation in statement.operations]
    levels = {level for level, _ in exports}
    return BulkFacts.trusted(
        exports=tuple(level for level in _LEVELS if level in levels),
        undefined=any(level is not None and not defined for level, defined in exports),
        instantiates=any(canonical.partition("|")[0] == STATEMENT for canonical in statement.facts.instantiates),
    )


def _level(type_name: str | None, operation: Operation) -> tuple[ExportLevel | None, bool]:
    """The level that an operation exports, and whether its definition says so."""
    if operation.definition is not None:
        definition = operation.definition.partition("|")[0]
        if (level := _DEFINITIONS.get(definition)) is not None:
            return level, True
    name = operation.name.lstrip("$")
    if name in _NAMES:
        return _NAMES[name], False
    if name == "export":
        return _LEVEL_OF_TYPE.get(type_name or "", "system"), False
    return None, False
