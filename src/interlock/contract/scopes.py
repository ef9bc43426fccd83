"""The SMART scopes that a contract needs, in v2 syntax (SMART App Launch 2.2, scopes-and-launch-context)."""

from __future__ import annotations

from interlock.model.contract import Need, WorkflowContract

#: The contract's interactions as letters (SMART App Launch 2.2, scopes for requesting FHIR resources: SCO-03).
_LETTER = {"create": "c", "read": "r", "vread": "r", "update": "u", "patch": "u", "delete": "d", "search": "s"}


def letters(need: Need) -> str:
    """The need's interactions as SMART v2 letters in the order that the specification fixes: cruds."""
    wanted = {_LETTER[interaction] for interaction in need.interactions}
    return "".join(letter for letter in "cruds" if letter in wanted)


def needed_scopes(contract: WorkflowContract) -> tuple[str, ...]:
    """Scopes in the order: launch and identity, then resources by level and type, each once."""
    scopes: list[str] = []
    modes = contract.launch.modes
    if "ehr" in modes:
        scopes.append("launch")
    if "standalone" in modes:
        scopes += [f"launch/{kind}" for kind in contract.launch.context if kind != "user"]
    if {"ehr", "standalone"} & set(modes):
        scopes += ["openid", "fhirUser"]
    levels = []
    if {"ehr", "standalone"} & set(modes):
        levels.append("patient" if "patient" in contract.launch.context else "user")
    if "backend" in modes:
        levels.append("system")
    for level in levels:
        by_type: dict[str, set[str]] = {}
        for need in (*contract.inputs, *contract.outputs):
            by_type.setdefault(need.resource, set()).update(letters(need))
        scopes += [
            f"{level}/{resource}.{''.join(letter for letter in 'cruds' if letter in wanted)}"
            for resource, wanted in sorted(by_type.items())
            if wanted
        ]
    return tuple(dict.fromkeys(scopes))
