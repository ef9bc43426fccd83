"""How the workflow contract fits one organisation: each need compared with the statement that its server publishes.

A need is ``missing`` only when an observed statement gives a list and leaves the need out of it. A need that the
statement does not mention is ``undeclared``; without a statement it is ``not_observed``. Settings are compared with the
organisation's file, whatever was observed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from interlock.contract import fhir_names
from interlock.contract.scopes import category_of, letters_of, needed_scopes
from interlock.contract.settings import match_settings
from interlock.contract.us_core import fit_to_us_core
from interlock.fhir.auth_path import auth_paths
from interlock.fhir.scopes import Coverage, coverage
from interlock.fhir.tables import Difference, differences
from interlock.fhir.tables import release as tables_of
from interlock.fhir.tables.us_core import derived_profiles
from interlock.model import words
from interlock.model.contract import ContractFit, Need, NeedMatch, WorkflowContract
from interlock.model.contract_parts import LaunchMode
from interlock.model.facts import CapabilityFacts, FhirRelease, SmartFacts
from interlock.model.observation import Observation
from interlock.model.organization import Organization
from interlock.model.us_core import UsCoreFacts


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
    us_core = facts.us_core if facts else None
    smart_is_absent = observation is not None and observation.smart_absent
    matches = [
        _release(contract, capability),
        *(
            match
            for direction, needs in (("input", contract.inputs), ("output", contract.outputs))
            for named in needs
            if (need := named.at(org.id)) is not None
            for match in need_matches(contract.fhir_release, direction, need, capability, us_core)
        ),
        *_launch(contract, smart, smart_is_absent),
        *_scopes(contract, smart),
    ]
    settings = match_settings(contract, org)
    return ContractFit(org=org.id, observed=capability is not None, matches=tuple(matches), settings=settings)


def concerns(need: Need, org: Organization) -> bool:
    """Whether the contract has the need at this organisation."""
    return need.at(org.id) is not None


def _release(contract: WorkflowContract, capability: CapabilityFacts | None) -> NeedMatch:
    wanted = contract.fhir_release
    outcome, note = "supported", None
    if capability is None:
        outcome = "not_observed"
    elif capability.fhir_release is None:
        outcome, note = "undeclared", "the statement names no known release"
    elif {capability.fhir_release, wanted} == {"R4", "R4B"}:
        outcome, note = "undeclared", _between(contract, wanted, capability.fhir_release)
    elif capability.fhir_release != wanted:
        outcome, note = "missing", f"the statement says {capability.fhir_version} ({capability.fhir_release})"
    return _match("release", "release", wanted, outcome, note)


def _between(contract: WorkflowContract, wanted: FhirRelease, served: FhirRelease) -> str:
    """What differs between two releases of the elements that the contract uses, as a question."""
    needs = (*contract.inputs, *contract.outputs)
    paths = [need.resource for need in needs]
    paths += [f"{need.resource}.{field}" for need in needs for field in need.required_fields]
    different = differences(tables_of(wanted), tables_of(served), paths)
    names = [f"{name} ({', '.join(fields)})" for name, fields in _fields(different).items()]
    said = f"differing in {words.listed(names, 6)}" if names else "the same in both"
    return f"the statement is of {served}, the contract of {wanted}: what it uses is {said}; ask which is meant"


def _fields(different: Iterable[Difference]) -> dict[str, list[str]]:
    """What differs, by element."""
    fields: dict[str, list[str]] = {}
    for difference in different:
        fields.setdefault(difference.path, []).append(difference.field.replace("_", " "))
    return fields


def _match(
    direction: str,
    kind: str,
    name: str,
    outcome: str,
    note: str | None,
    need: Need | None = None,
    modes: tuple[LaunchMode, ...] = (),
) -> NeedMatch:
    return NeedMatch.trusted(
        direction=direction,
        resource=need.resource if need is not None else None,
        kind=kind,
        name=name,
        outcome=outcome,
        optional=need is not None and need.optional,
        note=note,
        modes=need.modes if need is not None else modes,
    )


def need_matches(
    release: FhirRelease,
    direction: str,
    need: Need,
    capability: CapabilityFacts | None,
    us_core: UsCoreFacts | None = None,
) -> Iterator[NeedMatch]:
    """The type of a need, and then each interaction, search parameter, operation and profile of it.

    Of what FHIR has no name for, no server is asked: ``not_fhir``. Parameters are those of its search, its fixed query
    and its codes. A profile of US Core brings what that edition asks of servers besides, as a note.
    """
    if (wrong := fhir_names.type_problem(release, need.resource)) is not None:
        yield _match(direction, "resource", need.resource, "not_fhir", wrong, need)
        return
    details = [
        ("resource", need.resource),
        *(("interaction", name) for name in need.interactions),
        *(("search_parameter", name) for name in fhir_names.searched_by(release, need)),
        *(("operation", name.lstrip("$")) for name in need.operations),
        *((("profile", need.profile),) if need.profile else ()),
    ]
    for kind, name in details:
        outcome, note = _declared(kind, name, need.resource, capability)
        if outcome != "supported" and (wrong := _no_name(release, kind, name, need.resource)) is not None:
            outcome, note = "not_fhir", wrong
        if kind == "profile" and outcome != "not_fhir":
            note = "; ".join(filter(None, (note, _besides(need, us_core)))) or None
        yield _match(direction, kind, name, outcome, note, need)
    for name, interaction in conditions_of(need).items():
        if capability is None or _declared("interaction", interaction, need.resource, capability)[0] == "supported":
            yield _match(direction, "condition", name, *_condition(name, need.resource, capability), need)


def conditions_of(need: Need) -> dict[str, str]:
    """The headers under which a need is written, each with the interaction that sends it."""
    repeated = {"If-None-Exist": "create"} if need.writing.if_none_exist else {}
    over = {"If-Match": "update"} if need.writing.if_match else {}
    return {header: sent for header, sent in (repeated | over).items() if sent in need.interactions}


def _condition(name: str, resource_type: str, capability: CapabilityFacts | None) -> tuple[str, str | None]:
    """Outcome and note of a condition by what the statement says of it (``conditionalCreate``, ``versioning``).

    Of ``versioned`` FHIR says that versions are kept, of ``versioned-update`` besides that an update has to name the
    one that it replaces (FHIR R4, valueset-versioning-policy).
    """
    if capability is None:
        return "not_observed", None
    resource = capability.resources[resource_type]
    said, value = {
        "If-None-Exist": ("conditionalCreate", resource.conditional_create),
        "If-Match": ("versioning", resource.versioning),
    }[name]
    if value in (True, "versioned-update"):
        return "supported", None
    if value in (False, "no-version"):
        return "missing", f"contradicted: the statement says {said} {str(value).lower()}"
    if value is None:
        return "undeclared", f"the statement does not say {said}"
    return "undeclared", f"the statement says {said} {value}, and not that an update has to name the version"


def _besides(need: Need, us_core: UsCoreFacts | None) -> str | None:
    """What else the edition of a need's US Core profile asks of servers for the type, and this statement leaves out."""
    fit = fit_to_us_core(need, us_core)
    if fit is None or fit.absent or not fit.missing:
        return None
    whose = "" if fit.named else ", the edition that the statement is closest to,"
    return (
        f"US Core {fit.edition}{whose} asks for more of {need.resource}: {words.listed(fit.missing, 4)} is not declared"
    )


def _no_name(release: FhirRelease, kind: str, name: str, resource: str) -> str | None:
    """What is wrong with the name of a detail; a server may declare names of its own, which are not asked about."""
    if kind == "search_parameter":
        parameter = fhir_names.search_name(release, resource, name)
        return parameter if isinstance(parameter, str) else None
    if kind == "operation":
        return fhir_names.operation_problem(name)
    return fhir_names.profile_problem(release, resource, name) if kind == "profile" else None


def _declared(kind: str, name: str, resource_type: str, capability: CapabilityFacts | None) -> tuple[str, str | None]:
    """Outcome and note of one detail of a need."""
    if capability is None:
        return "not_observed", None
    resource = capability.resources.get(resource_type)
    in_part = "the statement is a summary" if capability.subsetted else None
    if in_part is None and capability.limits:
        in_part = f"this program read a part of the statement only: {capability.limits[0]}"
    if resource is None:
        return "undeclared" if in_part or not capability.resources else "missing", in_part
    if kind == "resource":
        return "supported", None
    if kind == "operation":
        return _operation(name, resource_type, capability, in_part)
    if kind == "interaction":
        if interaction_code(name) in resource.interactions:
            return "supported", None
        if not resource.interactions or in_part:
            return "undeclared", in_part or "the statement lists the type without its interactions"
        return "missing", None
    if kind == "search_parameter":
        base = name.partition(":")[0].partition(".")[0]
        if name in resource.search_params:
            return "supported", None
        if base in resource.search_params:
            return "undeclared", f"{base} is declared; a statement does not say with which modifiers and chains"
        if name.startswith("_"):
            return "undeclared", "a parameter of every type; servers often leave it out of the list"
        if not resource.search_params or in_part:
            return "undeclared", in_part or "the statement lists no search parameters for the type"
        return "missing", None
    url, _, version = name.partition("|")
    versions = [profile.partition("|")[2] for profile in resource.profiles if profile.partition("|")[0] == url]
    if not versions:
        if in_part or not resource.profiles:
            return "undeclared", in_part or "no profile is declared for the type"
        derived = derived_profiles(url) & {profile.partition("|")[0] for profile in resource.profiles}
        if derived:
            names = words.listed(sorted(profile.rpartition("/")[2] for profile in derived), 3)
            return "undeclared", f"declared are profiles that build on it: {names}"
        return "missing", None
    if not version or version in versions:
        return "supported", None
    if "" in versions:
        return "undeclared", "the profile is declared without a version"
    return "missing", f"declared in version {words.listed(sorted(versions))}"


def _operation(
    name: str, resource_type: str, capability: CapabilityFacts, in_part: str | None
) -> tuple[str, str | None]:
    """Outcome and note of an operation on a type.

    Operations may be declared at ``rest.operation`` even when they act on a type (specifications: CS-14); their
    definitions tell on which.
    """
    acting = capability.operation_types.get(name, ())
    everywhere = name in capability.operations and not acting
    if everywhere or resource_type in acting or name in capability.resources[resource_type].operations:
        return "supported", None
    elsewhere = [kind for kind, facts in capability.resources.items() if name in facts.operations]
    if (others := sorted({*acting, *elsewhere})) and not in_part:
        return "missing", f"declared for {words.listed(others, 4)} only"
    return "undeclared", in_part or "not declared for the type or the system; servers often leave operations out"


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
        yield _match("launch", "launch", mode, outcome, note, modes=(mode,))


def _scopes(contract: WorkflowContract, smart: SmartFacts | None) -> Iterator[NeedMatch]:
    """Scopes are never ``missing``: servers may support more than they list (SMART 2.2, scopes_supported)."""
    by_mode = {mode: needed_scopes(contract, mode) for mode in contract.launch.modes}
    for scope in needed_scopes(contract):
        modes = tuple(mode for mode, scopes in by_mode.items() if scope in scopes)
        note = None
        if smart is None:
            outcome = "not_observed"
        elif smart.scopes_supported is None:
            outcome, note = "undeclared", "the SMART configuration lists no scopes"
        else:
            outcome, note = _listed(contract, scope, coverage(smart.scopes_supported, scope))
        yield _match("launch", "scope", scope, outcome, note, modes=modes if len(modes) < len(by_mode) else ())


def _listed(contract: WorkflowContract, scope: str, coverage: Coverage) -> tuple[str, str | None]:
    """Outcome and note of a scope in a list of them."""
    if coverage.listed:
        return "supported", None
    not_listed = "not listed; the list need not be complete"
    if not coverage.restricted:
        return "undeclared", not_listed
    values = [query.rpartition("|")[2].rpartition("=")[2] for query in coverage.queries]
    resource = scope.partition("/")[2].partition(".")[0]
    wanted = [
        category_of(need)
        for need in (*contract.inputs, *contract.outputs)
        if need.resource == resource and letters_of(need) & set(coverage.restricted)
    ]
    names = dict.fromkeys(query.partition("=")[0] for query in coverage.queries)
    note = f"{coverage.restricted} listed with {words.listed(list(names))} {words.listed(values, 6)} only"
    within = sorted({category for category in wanted if category in values})
    beyond = None in wanted or len(within) < len(set(wanted))
    if within:
        note += f", which covers {words.listed(within)} of the contract" + (", not the rest" if beyond else "")
    if coverage.unlisted:
        return "undeclared", f"{note}; {coverage.unlisted} {not_listed}"
    return "restricted", note
