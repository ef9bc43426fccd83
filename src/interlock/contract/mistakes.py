"""What a contract says that cannot be: names that FHIR does not know, and entries that contradict one another."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import islice

from interlock.contract import fhir_names
from interlock.contract.fhir_names import Mistake, repeated, twice
from interlock.contract.part_mistakes import channel_parts, client_parts, need_parts
from interlock.documents.names import did_you_mean
from interlock.documents.yaml import Path_
from interlock.model import words
from interlock.model.contract import Need, WorkflowContract
from interlock.model.contract_parts import NeedHere

#: As many mistakes are looked for: each is compared with all names that may have been meant.
MAX_MISTAKES = 500
_WRITES = frozenset({"create", "update", "patch", "delete"})
#: Keys that schema 2 added: of the contract, and of a need.
_SECOND = frozenset({"channels", "clients", "session", "safeguards", "owners", "approvals"})
_SECOND_OF_NEED = frozenset(
    {"modes", "level", "query", "code", "binding", "missing", "not_at", "here", "per_day", "status_flow", "writing"}
)


def mistakes(contract: WorkflowContract, organizations: Collection[str] | None = None) -> tuple[Mistake, ...]:
    """The first :data:`MAX_MISTAKES`; ``organizations`` are the ids that a need may name, none where nobody knows."""
    return tuple(islice(_mistakes(contract, organizations), MAX_MISTAKES))


def _mistakes(contract: WorkflowContract, organizations: Collection[str] | None) -> Iterator[Mistake]:
    yield from _too_new(contract)
    yield from _event(contract)
    yield from _launch(contract)
    for side, needs in (("inputs", contract.inputs), ("outputs", contract.outputs)):
        first: dict[Need, int] = {}
        for index, need in enumerate(needs):
            path = (side, index)
            if need in first:
                yield Mistake(path, f"{need.resource}: the same need stands at number {first[need] + 1} already")
            first.setdefault(need, index)
            yield from _need(contract, need, path, writes=side == "outputs")
            yield from _interactions(need, path, writes=side == "outputs")
            yield from _organizations(need, path, organizations)
    yield from _settings(contract)
    yield from channel_parts(contract)
    for index, channel in enumerate(contract.channels):
        at: Path_ = ("channels", index, "organizations")
        yield from twice(at, channel.organizations)
        yield from _unknown(
            channel.kind, (((*at, n), name) for n, name in enumerate(channel.organizations)), organizations
        )
    for index, approval in enumerate(contract.approvals):
        if approval.organization is not None:
            named = [(("approvals", index, "organization"), approval.organization)]
            yield from _unknown(f"approval by {approval.by}", named, organizations)
    yield from client_parts(contract)
    yield from repeated(
        (("endpoints", index, "path"), endpoint.path, f"another endpoint has the path {endpoint.path}")
        for index, endpoint in enumerate(contract.endpoints)
    )
    yield from repeated(
        (
            ("test_path", index, "behaviour"),
            (step.behaviour, step.where),
            f"{step.behaviour}: {step.where} is named twice",
        )
        for index, step in enumerate(contract.test_path)
    )


def _too_new(contract: WorkflowContract) -> Iterator[Mistake]:
    """Keys of schema 2 in a file that does not say that it is one: an older Interlock would refuse it."""
    if contract.schema_version > 1:
        return
    said = "belongs to schema 2, and this file is of schema 1: run interlock contract upgrade"
    for key in sorted(contract.model_fields_set & _SECOND):
        yield Mistake((key,), f"{key} {said}")
    for side, needs in (("inputs", contract.inputs), ("outputs", contract.outputs)):
        for index, need in enumerate(needs):
            for key in sorted(need.model_fields_set & _SECOND_OF_NEED):
                yield Mistake((side, index, key), f"{key} {said}")


def _event(contract: WorkflowContract) -> Iterator[Mistake]:
    event = contract.clinical_event
    if event is None:
        return
    at = ("clinical_event", "states")
    yield from twice(at, event.states)
    for index, state in enumerate(event.states):
        yield from _if_wrong((*at, index), fhir_names.state_problem(contract.fhir_release, state))


def _launch(contract: WorkflowContract) -> Iterator[Mistake]:
    launch = contract.launch
    yield from twice(("launch", "modes"), launch.modes)
    yield from twice(("launch", "context"), launch.context)
    with_user = {"ehr", "standalone"} & set(launch.modes)
    if launch.context and not with_user:
        why = "a backend service has no launch context" if launch.modes else "no launch mode is named that gives it"
        yield Mistake(("launch", "context"), f"context {', '.join(launch.context)} is asked for, and {why}")
    if launch.browser and launch.modes and not with_user:
        yield Mistake(("launch", "browser"), "a backend service has no browser that could call the FHIR server")
    if "backend" in launch.modes and launch.client in {"public", "confidential-symmetric"}:
        message = f"a backend service signs its own assertion: confidential-asymmetric, and client is {launch.client}"
        yield Mistake(("launch", "client"), message)


def _need(contract: WorkflowContract, need: Need, path: Path_, *, writes: bool) -> Iterator[Mistake]:
    for key in (
        "interactions",
        "search_parameters",
        "operations",
        "required_fields",
        "terminology",
        "organizations",
        "query",
        "code",
    ):
        yield from twice((*path, key), getattr(need, key))
    wrong = fhir_names.type_problem(contract.fhir_release, need.resource)
    if wrong is not None:
        yield Mistake((*path, "resource"), wrong)
        return  # of a type that does not exist nothing else can be said
    yield from _names(contract, need.resource, need, path)
    for index, here in enumerate(need.here):
        yield from _names(contract, need.resource, here, (*path, "here", index))
    for index, name in enumerate(need.operations):
        yield from _if_wrong((*path, "operations", index), fhir_names.operation_problem(name))
    for index, system in enumerate(need.terminology):
        yield from _if_wrong((*path, "terminology", index), fhir_names.system_problem(system))
    yield from need_parts(contract, need, path, writes=writes)


def _names(contract: WorkflowContract, resource: str, named: Need | NeedHere, path: Path_) -> Iterator[Mistake]:
    """Names of search parameters, elements, profile and code systems, of a need or of an organisation's own."""
    release = contract.fhir_release
    for key in ("search_parameters", "query"):
        for index, name in enumerate(getattr(named, key) or ()):
            parameter = fhir_names.search_name(release, resource, name.partition("=")[0])
            yield from _if_wrong((*path, key, index), parameter if isinstance(parameter, str) else None)
    for index, field in enumerate(named.required_fields or ()):
        yield from _if_wrong((*path, "required_fields", index), fhir_names.field_problem(release, resource, field))
    for index, token in enumerate(named.code or ()):
        yield from _if_wrong((*path, "code", index), fhir_names.system_problem(token.partition("|")[0]))
    if named.profile is not None:
        yield from _if_wrong((*path, "profile"), fhir_names.profile_problem(release, resource, named.profile))


def _interactions(need: Need, path: Path_, *, writes: bool) -> Iterator[Mistake]:
    at = (*path, "interactions")
    if not writes:
        for index, interaction in enumerate(need.interactions):
            if interaction in _WRITES:
                message = f"{need.resource}: {interaction} writes, and this is an input; write it under outputs"
                yield Mistake((*at, index), message)
    elif need.interactions and not _WRITES & set(need.interactions):
        yield Mistake(at, f"{need.resource}: nothing of it is written, and this is an output; write it under inputs")
    if need.search_parameters and need.interactions and "search" not in need.interactions:
        message = f"{need.resource}: search parameters are named, and search is not among its interactions"
        yield Mistake((*path, "search_parameters"), message)


def _unknown(about: str, named: Iterable[tuple[Path_, str]], known: Collection[str] | None) -> Iterator[Mistake]:
    """Organisations that the workspace does not have."""
    for at, name in named:
        if known is not None and name not in known:
            close = did_you_mean(name, known)
            has = words.listed(sorted(known), 6) if known else "none"
            do = close or f"; the workspace has {has}: take it out, or bring it back with interlock org add"
            yield Mistake(at, f"{about}: there is no organisation {name!r}{do}")


def _organizations(need: Need, path: Path_, known: Collection[str] | None) -> Iterator[Mistake]:
    named: list[tuple[Path_, str]] = [((*path, "organizations", n), name) for n, name in enumerate(need.organizations)]
    named += [((*path, "not_at", n), name) for n, name in enumerate(need.not_at)]
    named += [((*path, "here", n, "organization"), here.organization) for n, here in enumerate(need.here)]
    yield from _unknown(need.resource, named, known)
    yield from repeated((at, (at[2], name), f"{name} is named twice") for at, name in named if at[2] != "organizations")
    for at, name in named:
        if at[2] != "organizations" and need.organizations and name not in need.organizations:
            yield Mistake(at, f"{need.resource}: {name} is not among its organisations, so nothing can differ there")
        elif at[2] == "here" and name in need.not_at:
            yield Mistake(at, f"{need.resource}: {name} stands under not_at too, so nothing can differ there")


def _settings(contract: WorkflowContract) -> Iterator[Mistake]:
    for index, setting in enumerate(contract.organization_surface):
        if setting.default is not None and not setting.takes(setting.default):
            message = f"{setting.name}: its default is not {words.SETTING_TYPE[setting.type]}"
            yield Mistake(("organization_surface", index, "default"), message)
    yield from repeated(
        (("organization_surface", index, "name"), setting.name, f"{setting.name}: another setting has this name")
        for index, setting in enumerate(contract.organization_surface)
    )


def _if_wrong(path: Path_, problem: str | None) -> Iterator[Mistake]:
    if problem is not None:
        yield Mistake(path, problem)
