"""The SMART scopes that a contract needs, in v2 syntax (SMART App Launch 2.2, scopes-and-launch-context)."""

from __future__ import annotations

from interlock.model.contract import Need, WorkflowContract
from interlock.model.contract_parts import LaunchMode, Level

#: The contract's interactions as letters (SMART App Launch 2.2, scopes for requesting FHIR resources: SCO-03).
_LETTER = {"create": "c", "read": "r", "vread": "r", "update": "u", "patch": "u", "delete": "d", "search": "s"}
_READS = frozenset("rs")
_LEVELS: tuple[Level, ...] = ("patient", "user", "system")

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
    """The category that the resources of a need have by its fixed query or else by its profile, or none."""
    for fixed in need.query:
        name, _, value = fixed.partition("=")
        if name == "category":
            return value.rpartition("|")[2]
    return _CATEGORIES.get((need.profile or "").partition("|")[0].rpartition("/")[2])


def needed_scopes(contract: WorkflowContract, mode: LaunchMode | None = None) -> tuple[str, ...]:
    """Scopes in the order: launch, identity and refresh, then resources by level and type, each once.

    Reads and writes are scopes of their own: a server that grants reads alone would refuse both in one.

    :param mode: those of one launch mode only; of all by default.
    """
    modes = contract.launch.modes if mode is None else (mode,)
    scopes: list[str] = []
    if "ehr" in modes:
        scopes.append("launch")
    if "standalone" in modes:
        scopes += [f"launch/{kind}" for kind in contract.launch.context if kind != "user"]
    if {"ehr", "standalone"} & set(modes):
        scopes += ["openid", "fhirUser"]
        if contract.session.refresh in {"online", "offline"}:
            scopes.append(f"{contract.session.refresh}_access")
    needed: dict[tuple[int, str], set[str]] = {}
    for need in (*contract.inputs, *contract.outputs):
        for level in {_level(contract, need, one) for one in need.modes or contract.launch.modes if one in modes}:
            if level is not None:
                needed.setdefault((_LEVELS.index(level), need.resource), set()).update(letters_of(need))
    for (level_index, resource), wanted in sorted(needed.items()):
        for letters in (wanted & _READS, wanted - _READS):
            if letters:  # the specification fixes their order: cruds
                scopes.append(f"{_LEVELS[level_index]}/{resource}.{''.join(sorted(letters, key='cruds'.index))}")
    return tuple(dict.fromkeys(scopes))


def _level(contract: WorkflowContract, need: Need, mode: LaunchMode) -> Level | None:
    """What a need's scopes are for in a launch mode; none where its own level has no place there."""
    if mode == "backend":
        return "system" if need.level in {None, "system"} else None
    if need.level == "system":
        return None
    return need.level or ("patient" if "patient" in contract.launch.context else "user")
