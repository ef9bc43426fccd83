"""Bulk data export as a capability statement declares it (Bulk Data Access 2.0.0); it is never invoked."""

from __future__ import annotations

from typing import Literal

from interlock.fhir.capability import Statement
from interlock.fhir.statement import Operation
from interlock.model.facts import BulkFacts, ExportLevel

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
        undefined="name" in {by for level, by in exports if level is not None},
        redefined="other" in {by for level, by in exports if level is not None},
        instantiates=any(canonical.partition("|")[0] == STATEMENT for canonical in statement.facts.instantiates),
    )


def redefinitions(statement: Statement) -> tuple[str, ...]:
    """The definitions of exports that are not the guide's, each once."""
    others = (operation.definition for of, operation in statement.operations if _is_other(*_level(of, operation)))
    return tuple(dict.fromkeys(address for address in others if address is not None))


def _is_other(level: ExportLevel | None, said_by: str) -> bool:
    return level is not None and said_by == "other"


def _level(type_name: str | None, operation: Operation) -> tuple[ExportLevel | None, Literal["guide", "other", "name"]]:
    """The level that an operation exports, and what says so: the guide's definition, another one, or its name alone."""
    if (level := _DEFINITIONS.get((operation.definition or "").partition("|")[0])) is not None:
        return level, "guide"
    name = operation.name.lstrip("$")
    level = _LEVEL_OF_TYPE.get(type_name or "", "system") if name == "export" else _NAMES.get(name)
    return level, "name" if operation.definition is None else "other"
