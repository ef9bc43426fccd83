"""What rules are evaluated on, as plain maps and lists: one function a top-level variable, and dotted names in them.

What is not known is left out, never empty: a condition that reads it cannot be decided.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from interlock.judge.rehearsed import Rehearsed
from interlock.model.base import CheckOutcome
from interlock.model.contract import ContractFit, NeedMatch, WorkflowContract
from interlock.model.facts import Facts
from interlock.model.observation import Check, Observation
from interlock.model.organization import Organization
from interlock.model.questionnaire import Questionnaire
from interlock.model.response import Responses


@dataclass(frozen=True)
class RuleInputs:
    """What is known, and about whom.

    :ivar product: responses to the product's questions.
    :ivar by_org: responses to each organisation's questions, by its id.
    :ivar observations: the latest observation of each organisation; an absent one was never probed.
    :ivar fits: the contract against each organisation.
    :ivar fit_to_fhir: the contract against FHIR alone, where it is written and there is no organisation.
    :ivar rehearsed: what the latest rehearsal of the product says of its questions, by id.
    :ivar hidden: ids of items that are not asked; key ``""`` for the product, the organisation's id otherwise.
    :ivar today: the day on which evidence has to hold; without one all of it holds.
    """

    questionnaires: tuple[Questionnaire, ...] = ()
    product: Responses = field(default_factory=dict)
    by_org: Mapping[str, Responses] = field(default_factory=dict)
    organizations: tuple[Organization, ...] = ()
    observations: Mapping[str, Observation] = field(default_factory=dict)
    contract: WorkflowContract | None = None
    fits: Mapping[str, ContractFit] = field(default_factory=dict)
    fit_to_fhir: ContractFit | None = None
    rehearsed: Mapping[str, Rehearsed] = field(default_factory=dict)
    hidden: Mapping[str, frozenset[str]] = field(default_factory=dict)
    today: date | None = None


#: Names to keep of a map: a name without names below it is kept whole.
Wanted = dict[str, "Wanted"]


def wanted_names(reads: Iterable[str]) -> Wanted:
    """Dotted names as a tree. A name read whole covers every name below it."""
    tree: Wanted = {}
    for name in sorted(reads, key=len):
        node = tree
        parts = name.split(".")
        for index, part in enumerate(parts):
            if index < len(parts) - 1 and part in node and not node[part]:
                break
            node = node.setdefault(part, {})
    return tree


def kept(value: Any, wanted: Wanted) -> Any:
    """The wanted names of a value, at every level; ``[]`` is every element of a list."""
    if "[]" in wanted and type(value) in (list, tuple):
        return [kept(element, wanted["[]"]) for element in value]
    if not wanted or "[]" in wanted or type(value) is not dict:
        return value
    return {name: kept(value[name], below) for name, below in wanted.items() if name in value}


def value_at(variables: Mapping[str, Any], name: str) -> Any:
    """The value of a dotted name, or none when it is not there."""
    value: Any = variables
    for part in name.split("."):
        value = value.get(part) if type(value) is dict else None
    return value


def state_at(variables: Mapping[str, Any], name: str) -> Hashable:
    """How far a dotted name leads into nested maps, and the value at its end.

    A condition comes to the same on every map in which the names that it reads have the same states. Where there is no
    value, a state therefore tells how much of the path is there: ``has(a.b.c)`` cannot be decided without ``a.b`` and
    is false with it.
    """
    value: Any = variables
    for depth, part in enumerate(name.split(".")):
        if type(value) is not dict:
            return depth, frozen(value)
        value = value.get(part)
        if value is None:
            return depth
    return frozen(value)


def frozen(value: Any) -> Hashable:
    """A hashable equivalent; unlike in Python, ``1``, ``1.0`` and ``True`` differ."""
    kind = type(value)
    if kind is str or value is None:
        return value  # type: ignore[no-any-return]
    if kind is dict:
        return "map", tuple((key, frozen(inner)) for key, inner in value.items())
    if kind is list or kind is tuple:
        return "list", tuple([frozen(inner) for inner in value])
    if kind in (bool, int, float):
        return kind.__name__, value
    return kind.__name__, repr(value)


#: Longest list and deepest nesting that a condition sees; what is larger is left out, which leaves it undecided.
MAX_LIST = 2_000
MAX_DEPTH = 16
_MIN_INT, _MAX_INT = -(2**63), 2**63 - 1
_DECIDED = {CheckOutcome.PASS: "pass", CheckOutcome.WARN: "warn", CheckOutcome.FAIL: "fail"}
_LEFT_OUT = object()
_STATEMENT_KINDS = frozenset({"resource", "interaction", "search_parameter", "operation", "profile", "condition"})


def contract_variable(contract: WorkflowContract, fits: Iterable[ContractFit] = ()) -> dict[str, Any]:
    """The contract; fields that are none are left out, empty lists stay.

    Its ``schema`` and ``hash`` are there too, and, where it was held against FHIR, ``not_fhir``: the names in it that
    FHIR does not have.
    """
    said = {**contract.model_dump(exclude_none=True), "schema": contract.schema_version, "hash": contract.hash}
    matches = [match for fit in fits for match in fit.matches]
    if matches:
        said["not_fhir"] = list(dict.fromkeys(_match_name(match) for match in matches if match.outcome == "not_fhir"))
    return said


def probe_variable(facts: Facts) -> dict[str, Any]:
    """Facts by family without what was not observed, and without the statement's resources, which ``fit`` judges."""
    return facts.model_dump(exclude_none=True, by_alias=True, exclude={"capability": {"resources"}})


def checks_variable(checks: Iterable[Check]) -> dict[str, str]:
    """Check id → ``pass``, ``warn`` or ``fail``; checks without such an outcome are left out."""
    return {check.id: _DECIDED[check.outcome] for check in checks if check.outcome in _DECIDED}


def fit_variable(fit: ContractFit | None) -> dict[str, Any] | None:
    """The contract against an organisation, or none when its statement was not observed.

    A list that is empty only because some of it could not be looked at, or is misspelt in the contract, is left out:
    nothing missing was seen, and that is not the same as nothing being missing.
    """
    if fit is None or not fit.observed:
        return None
    required = [match for match in fit.matches if not match.optional]
    result: dict[str, Any] = {
        "not_observed": sum(match.outcome == "not_observed" for match in required),
        "supported": sum(match.outcome == "supported" for match in required),
    }
    statement = [match for match in required if match.kind in _STATEMENT_KINDS]
    optional = [match for match in fit.matches if match.optional and match.kind in _STATEMENT_KINDS]
    for name, matches, outcome in (
        ("missing", statement, "missing"),
        ("undeclared", statement, "undeclared"),
        ("missing_optional", optional, "missing"),
        ("launch_missing", [match for match in required if match.kind == "launch"], "missing"),
        ("scopes_missing", [match for match in required if match.kind == "scope"], "missing"),
    ):
        names = [_match_name(match) for match in matches if match.outcome == outcome]
        if names or not any(match.outcome in {"not_observed", "not_fhir"} for match in matches):
            result[name] = names
    releases = {match.outcome for match in required if match.kind == "release"}
    if releases & {"supported", "missing"}:
        result["release_matches"] = "missing" not in releases
    return result


def settings_variable(fit: ContractFit | None) -> dict[str, Any]:
    """``settings``: the contract's settings at an organisation; empty when it has none, absent without a contract."""
    if fit is None:
        return {}
    if not fit.settings:
        return {"settings": {}}
    outcomes = ("missing", "defaulted", "mistyped", "unknown", "universal")
    named: dict[str, list[str]] = {outcome: [] for outcome in outcomes}
    for match in fit.settings:
        if match.outcome in named:
            named[match.outcome].append(f"{match.name} ({match.note})" if match.note else match.name)
    return {
        "settings": {
            **{outcome: names[:MAX_LIST] for outcome, names in named.items()},
            "needed": sum(match.needed for match in fit.settings),
            "own": sum(match.outcome == "own" for match in fit.settings),
        }
    }


def organization_variable(organization: Organization) -> dict[str, Any]:
    """Who the organisation is; ``has_url`` says whether there is an address to probe."""
    return {
        "id": organization.id,
        "name": organization.name,
        "vendor": organization.vendor,
        "environment": organization.environment,
        "has_url": organization.fhir_base_url is not None,
    }


def fact_variables(inputs: RuleInputs, org: str) -> dict[str, Any]:
    """``probe``, ``checks`` and, when the organisation's statement was observed, ``fit``."""
    observation = inputs.observations.get(org)
    result: dict[str, Any] = {
        "probe": probe_variable(observation.facts) if observation else {},
        "checks": checks_variable(observation.checks) if observation else {},
    }
    fit = fit_variable(inputs.fits.get(org))
    return result if fit is None else {**result, "fit": fit}


def fleet_variable(inputs: RuleInputs) -> dict[str, Any]:
    """All organisations together: how many, how many observed, which releases and vendors, whether addresses repeat."""
    latest = [inputs.observations.get(organization.id) for organization in inputs.organizations]
    observed = [observation for observation in latest if observation and observation.outcome != "not_observed"]
    urls = [organization.fhir_base_url.lower() for organization in inputs.organizations if organization.fhir_base_url]
    alike = _settings_alike(inputs)
    return {
        **({} if alike is None else {"settings_alike": alike}),
        "organizations": len(inputs.organizations),
        "observed": len(observed),
        "releases": sorted({release for item in observed if (release := _release(item))}),
        "vendors": sorted({organization.vendor for organization in inputs.organizations}),
        "shared_base_urls": len(set(urls)) < len(urls),
    }


def cleaned(value: dict[str, Any]) -> dict[str, Any]:
    """A copy that CEL can hold, whatever a server put into it.

    Nulls of a map are left out. What CEL cannot hold is left out with the innermost key that leads to it: a list with
    such an entry is left out whole, because a shorter list would say something else.
    """
    result: dict[str, Any] = _holdable(value, 0)
    return result


def _holdable(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind is str:
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if kind is bool or kind is float or value is None or (kind is int and _MIN_INT <= value <= _MAX_INT):
        return value
    if kind is dict and depth < MAX_DEPTH:
        pairs = ((key, _holdable(item, depth + 1)) for key, item in value.items() if item is not None)
        return {_holdable(key, depth): item for key, item in pairs if item is not _LEFT_OUT and isinstance(key, str)}
    if kind in (list, tuple) and depth < MAX_DEPTH and len(value) <= MAX_LIST:
        items = [_holdable(item, depth + 1) for item in value]
        return _LEFT_OUT if _LEFT_OUT in items else items
    return _holdable(str(value), depth) if isinstance(value, str) else _LEFT_OUT


def _settings_alike(inputs: RuleInputs) -> list[str] | None:
    """Settings that may differ and whose value is the same in every organisation's file.

    None where that cannot be told: without settings, with one organisation, or when some values are not there and none
    of the others decides it.
    """
    if inputs.contract is None or not inputs.contract.organization_surface or len(inputs.organizations) < 2:
        return None
    alike, undecided = [], False
    for setting in inputs.contract.organization_surface:
        if setting.surface != "per_organization":
            continue
        first, complete = None, True
        for organization in inputs.organizations:
            value = organization.overrides.get(setting.name)
            if not setting.takes(value):
                complete = False
                continue
            value = sorted(value) if isinstance(value, list) else value  # type: ignore[type-var]
            first = value if first is None else first
            if value != first:
                break
        else:
            alike += [setting.name] if complete else []
            undecided = undecided or not complete
    return alike[:MAX_LIST] if alike or not undecided else None


def _match_name(match: NeedMatch) -> str:
    return f"{match.resource}.{match.name}" if match.resource and match.kind != "resource" else match.name


def _release(observation: Observation) -> str | None:
    return observation.facts.capability.fhir_release if observation.facts.capability else None
