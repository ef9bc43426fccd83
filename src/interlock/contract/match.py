"""How the workflow contract fits one organisation: each need compared with the statement that its server publishes.

A need is ``missing`` only when an observed statement gives a list and leaves the need out of it. A need that the
statement does not mention is ``undeclared``; without a statement it is ``not_observed``. Settings are compared with the
organisation's file, whatever was observed.
"""

from __future__ import annotations

from collections.abc import Iterator

from interlock.contract.scopes import needed_scopes
from interlock.contract.settings import match_settings
from interlock.fhir.auth_path import auth_paths
from interlock.fhir.scopes import covers
from interlock.model import words
from interlock.model.base import CheckOutcome
from interlock.model.contract import ContractFit, Need, NeedMatch, WorkflowContract
from interlock.model.observation import CapabilityFacts, Observation, SmartFacts
from interlock.model.organization import Organization


def interaction_code(interaction: str) -> str:
    """FHIR's code for an interaction as a contract writes it (FHIR R4, valueset-type-restful-interaction)."""
    return "search-type" if interaction == "search" else interaction


def match_contract(contract: WorkflowContract, org: Organization, observation: Observation | None) -> ContractFit:
    """Every resource × interaction × search parameter × profile, the release, the launch modes and the scopes.

    ``observation`` none, or without a capability statement, gives ``not_observed`` for all that it would have shown.
    """
    facts = observation.facts if observation else None
    capability = facts.capability if facts else None
    smart = facts.smart if facts else None
    smart_is_absent = observation is not None and any(
        check.id == "SMART-001" and check.outcome is CheckOutcome.FAIL for check in observation.checks
    )
    matches = [
        _release(contract, capability),
        *(match for need in contract.inputs if concerns(need, org) for match in _need("input", need, capability)),
        *(match for need in contract.outputs if concerns(need, org) for match in _need("output", need, capability)),
        *_launch(contract, smart, smart_is_absent),
        *_scopes(contract, smart),
    ]
    settings = match_settings(contract, org)
    return ContractFit(org=org.id, observed=capability is not None, matches=tuple(matches), settings=settings)


def concerns(need: Need, org: Organization) -> bool:
    """Whether the contract has the need at this organisation."""
    return not need.organizations or org.id in need.organizations


def _release(contract: WorkflowContract, capability: CapabilityFacts | None) -> NeedMatch:
    wanted = contract.fhir_release
    outcome, note = "supported", None
    if capability is None:
        outcome = "not_observed"
    elif capability.fhir_release is None:
        outcome, note = "undeclared", "the statement names no known release"
    elif capability.fhir_release != wanted:
        outcome, note = "missing", f"the statement says {capability.fhir_version} ({capability.fhir_release})"
    return _match("release", "release", wanted, outcome, note)


def _match(direction: str, kind: str, name: str, outcome: str, note: str | None, need: Need | None = None) -> NeedMatch:
    return NeedMatch.model_validate(
        {
            "direction": direction,
            "resource": need.resource if need is not None else None,
            "kind": kind,
            "name": name,
            "outcome": outcome,
            "optional": need is not None and need.optional,
            "note": note,
        }
    )


def _need(direction: str, need: Need, capability: CapabilityFacts | None) -> Iterator[NeedMatch]:
    """The type of a need, and then each interaction, search parameter, operation and profile of it."""
    details = [
        ("resource", need.resource),
        *(("interaction", name) for name in need.interactions),
        *(("search_parameter", name) for name in need.search_parameters),
        *(("operation", name.lstrip("$")) for name in need.operations),
        *((("profile", need.profile),) if need.profile else ()),
    ]
    for kind, name in details:
        outcome, note = _declared(kind, name, need.resource, capability)
        yield _match(direction, kind, name, outcome, note, need)


def _declared(kind: str, name: str, resource_type: str, capability: CapabilityFacts | None) -> tuple[str, str | None]:
    """Outcome and note of one detail of a need."""
    if capability is None:
        return "not_observed", None
    resource, subsetted = capability.resources.get(resource_type), capability.subsetted
    if resource is None:
        outcome = "undeclared" if subsetted or not capability.resources else "missing"
        return outcome, "the statement is a summary" if subsetted else None
    if kind == "resource":
        return "supported", None
    if kind == "operation":
        # Operations may be declared at rest.operation even when they act on a type (specifications: CS-14).
        if name in resource.operations or name in capability.operations:
            return "supported", None
        return "undeclared", "not declared for the type or the system; servers often leave operations out"
    if kind == "interaction":
        if interaction_code(name) in resource.interactions:
            return "supported", None
        if not resource.interactions or subsetted:
            return "undeclared", "the statement lists the type without its interactions"
        return "missing", None
    if kind == "search_parameter":
        if name in resource.search_params:
            return "supported", None
        if name.startswith("_"):
            return "undeclared", "a parameter of every type; servers often leave it out of the list"
        if not resource.search_params or subsetted:
            return "undeclared", "the statement lists no search parameters for the type"
        return "missing", None
    url, _, version = name.partition("|")
    versions = [profile.partition("|")[2] for profile in resource.profiles if profile.partition("|")[0] == url]
    if not versions:
        return ("undeclared", "no profile is declared for the type") if not resource.profiles else ("missing", None)
    if not version or version in versions:
        return "supported", None
    if "" in versions:
        return "undeclared", "the profile is declared without a version"
    return "missing", f"declared in version {words.listed(sorted(versions))}"


def _launch(contract: WorkflowContract, smart: SmartFacts | None, smart_is_absent: bool) -> Iterator[NeedMatch]:
    """Each launch mode of the contract, by the auth path that the documents show for it.

    A mode that is listed counts as supported; the note says if its path still lacks something.
    """
    paths = {path.mode: path for path in auth_paths(smart, absent=smart_is_absent)}
    for mode in contract.launch.modes:
        path = paths[mode]
        if smart is not None and mode in smart.launch_modes:
            outcome, note = "supported", None if path.state == "possible" else path.reason
        elif path.state == "not_offered":
            outcome, note = "missing", None
        elif smart is None and not smart_is_absent:
            outcome, note = "not_observed", None
        else:
            outcome, note = "undeclared", path.reason
        yield _match("launch", "launch", mode, outcome, note)


def _scopes(contract: WorkflowContract, smart: SmartFacts | None) -> Iterator[NeedMatch]:
    """Scopes are never ``missing``: servers may support more than they list (SMART 2.2, scopes_supported)."""
    for scope in needed_scopes(contract):
        note = None
        if smart is None:
            outcome = "not_observed"
        elif smart.scopes_supported is None:
            outcome, note = "undeclared", "the SMART configuration lists no scopes"
        elif covers(smart.scopes_supported, scope):
            outcome = "supported"
        else:
            outcome, note = "undeclared", "not listed; the list need not be complete"
        yield _match("launch", "scope", scope, outcome, note)
