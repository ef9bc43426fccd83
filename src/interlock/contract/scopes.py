"""The SMART scopes that a contract needs (SMART App Launch 2.2, scopes-and-launch-context)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from interlock.contract.fhir_names import type_problem
from interlock.fhir.scopes import parse
from interlock.model.contract import Need, WorkflowContract
from interlock.model.contract_parts import LaunchMode, Level

if TYPE_CHECKING:
    from interlock.model.resolved import ScopeKind

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


class NeededScope(NamedTuple):
    """A scope in v2 syntax, what it is for, and the needs that it serves (``inputs/2``)."""

    kind: ScopeKind
    scope: str
    needs: tuple[str, ...] = ()


def needed_scopes(contract: WorkflowContract, mode: LaunchMode | None = None) -> tuple[str, ...]:
    """The scopes of :func:`scopes_with_needs` alone, each once.

    :param mode: those of one launch mode only; of all by default.
    """
    return tuple(dict.fromkeys(needed.scope for needed in scopes_with_needs(contract, mode)))


def scopes_with_needs(contract: WorkflowContract, mode: LaunchMode | None = None) -> Iterator[NeededScope]:
    """Scopes in the order: launch, identity and refresh, then resources by level and type.

    Reads and writes are scopes of their own: a server that grants reads alone would refuse both in one. An output with
    a Provenance needs to create that too. A type that FHIR does not have has no scope.
    """
    modes = contract.launch.modes if mode is None else (mode,)
    if "ehr" in modes:
        yield NeededScope("launch", "launch")
    if "standalone" in modes:
        for kind in contract.launch.context:
            if kind != "user":
                yield NeededScope("launch", f"launch/{kind}")
    if {"ehr", "standalone"} & set(modes):
        yield NeededScope("identity", "openid")
        yield NeededScope("identity", "fhirUser")
        if contract.session.refresh in {"online", "offline"}:
            yield NeededScope("refresh", f"{contract.session.refresh}_access")
    wanted: dict[tuple[int, str], dict[str, set[str]]] = {}
    for key, need in keyed_needs(contract):
        if type_problem(contract.fhir_release, need.resource) is not None:
            continue
        for level in {_level(contract, need, mode) for mode in need.modes or contract.launch.modes if mode in modes}:
            if level is not None:
                wanted.setdefault((_LEVELS.index(level), need.resource), {})[key] = letters_of(need)
                if need.writing.provenance:
                    wanted.setdefault((_LEVELS.index(level), "Provenance"), {})[key] = {"c"}
    for (level_index, resource), by_need in sorted(wanted.items()):
        level = _LEVELS[level_index]
        every = set().union(*by_need.values())
        sides: tuple[tuple[ScopeKind, set[str]], ...] = (("read", every & _READS), ("write", every - _READS))
        for side, letters in sides:
            if letters:  # the specification fixes their order: cruds
                scope = f"{level}/{resource}.{''.join(sorted(letters, key='cruds'.index))}"
                yield NeededScope(side, scope, tuple(key for key, own in by_need.items() if own & letters))


def keyed_needs(contract: WorkflowContract) -> Iterator[tuple[str, Need]]:
    """Every need with where it stands in the contract: ``inputs/2``."""
    for side, needs in (("inputs", contract.inputs), ("outputs", contract.outputs)):
        yield from ((f"{side}/{index}", need) for index, need in enumerate(needs))


def in_v1(scope: str) -> str:
    """A scope as SMART 1.0 writes it, which cannot say "create but not update" (SCO-01)."""
    parsed = parse(scope)
    if parsed is None:
        return scope
    return f"{parsed.level}/{parsed.type}.{'read' if _READS & set(parsed.letters) else 'write'}"


def _level(contract: WorkflowContract, need: Need, mode: LaunchMode) -> Level | None:
    """What a need's scopes are for in a launch mode; none where its own level has no place there."""
    if mode == "backend":
        return "system" if need.level in {None, "system"} else None
    if need.level == "system":
        return None
    return need.level or ("patient" if "patient" in contract.launch.context else "user")
