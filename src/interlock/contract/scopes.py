"""The SMART scopes that a contract needs, in v2 syntax (SMART App Launch 2.2, scopes-and-launch-context)."""

from __future__ import annotations

from interlock.model.contract import Need, WorkflowContract

#: The contract's interactions as letters (SMART App Launch 2.2, scopes for requesting FHIR resources: SCO-03).
_LETTER = {"create": "c", "read": "r", "vread": "r", "update": "u", "patch": "u", "delete": "d", "search": "s"}


#: US Core's profile of Observation → the category that its resources have (judgement for the last two, which need not).
_CATEGORIES = {
    "us-core-vital-signs": "vital-signs",
    "us-core-observation-lab": "laboratory",
    "us-core-smokingstatus": "social-history",
    "us-core-observation-screening-assessment": "survey",
}


def letters_of(need: Need) -> set[str]:
    """The letters of ``cruds`` that a need takes."""
    return {_LETTER[interaction] for interaction in need.interactions}


def category_of(need: Need) -> str | None:
    """The category that the resources of a need have by its profile, or none."""
    return _CATEGORIES.get((need.profile or "").partition("|")[0].rpartition("/")[2])


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
    letters: dict[str, set[str]] = {}
    for need in (*contract.inputs, *contract.outputs):
        letters.setdefault(need.resource, set()).update(letters_of(need))
    levels = []
    if {"ehr", "standalone"} & set(modes):
        levels.append("patient" if "patient" in contract.launch.context else "user")
    if "backend" in modes:
        levels.append("system")
    # The specification fixes the order of the letters: cruds.
    scopes += [
        f"{level}/{resource}.{''.join(sorted(wanted, key='cruds'.index))}"
        for level in levels
        for resource, wanted in sorted(letters.items())
        if wanted
    ]
    return tuple(dict.fromkeys(scopes))
