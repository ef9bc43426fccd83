"""What a contract says that cannot be: names that FHIR does not know, and entries that contradict one another."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from interlock.contract import fhir_names
from interlock.documents.names import did_you_mean
from interlock.model.contract import Need, WorkflowContract
from interlock.model.words import SETTING_TYPE

#: As many mistakes are looked for: each is compared with all names that may have been meant.
MAX_MISTAKES = 500
_WRITES = frozenset({"create", "update", "patch", "delete"})
Path_ = tuple[str | int, ...]


class Mistake(NamedTuple):
    """What is wrong, and the path of keys and indexes in the file to the value that is."""

    path: Path_
    message: str


def mistakes(contract: WorkflowContract, organizations: Collection[str] | None = None) -> tuple[Mistake, ...]:
    """The first :data:`MAX_MISTAKES`; ``organizations`` are the ids that a need may name, none where nobody knows."""
    return tuple(islice(_mistakes(contract, organizations), MAX_MISTAKES))


def _mistakes(contract: WorkflowContract, organizations: Collection[str] | None) -> Iterator[Mistake]:
    yield from _event(contract)
    yield from _launch(contract)
    for side, needs in (("inputs", contract.inputs), ("outputs", contract.outputs)):
        seen: dict[Need, int] = {}
        for index, need in enumerate(needs):
            path = (side, index)
            if need in seen:
                yield Mistake(path, f"{need.resource}: the same need stands at number {seen[need] + 1} already")
            seen.setdefault(need, index)
            yield from _need(contract, need, path)
            yield from _interactions(need, path, writes=side == "outputs")
            yield from _organizations(need, path, organizations)
    yield from _settings(contract)
    yield from _repeated(
        (("endpoints", index, "path"), one.path, f"another endpoint has the path {one.path}")
        for index, one in enumerate(contract.endpoints)
    )
    yield from _repeated(
        (
            ("test_path", index, "behaviour"),
            (one.behaviour, one.where),
            f"{one.behaviour}: {one.where} is named twice",
        )
        for index, one in enumerate(contract.test_path)
    )


def _event(contract: WorkflowContract) -> Iterator[Mistake]:
    event = contract.clinical_event
    if event is None:
        return
    at = ("clinical_event", "states")
    yield from _twice(at, event.states)
    for index, state in enumerate(event.states):
        yield from _if_wrong((*at, index), fhir_names.state_problem(contract.fhir_release, state))


def _launch(contract: WorkflowContract) -> Iterator[Mistake]:
    launch = contract.launch
    yield from _twice(("launch", "modes"), launch.modes)
    yield from _twice(("launch", "context"), launch.context)
    with_user = {"ehr", "standalone"} & set(launch.modes)
    if launch.context and not with_user:
        why = "a backend service has no launch context" if launch.modes else "no launch mode is named that gives it"
        yield Mistake(("launch", "context"), f"context {', '.join(launch.context)} is asked for, and {why}")
    if launch.browser and launch.modes and not with_user:
        yield Mistake(("launch", "browser"), "a backend service has no browser that could call the FHIR server")
    if "backend" in launch.modes and launch.client in {"public", "confidential-symmetric"}:
        message = f"a backend service signs its own assertion: confidential-asymmetric, and client is {launch.client}"
        yield Mistake(("launch", "client"), message)


def _need(contract: WorkflowContract, need: Need, path: Path_) -> Iterator[Mistake]:
    release = contract.fhir_release
    for key in ("interactions", "search_parameters", "operations", "required_fields", "terminology", "organizations"):
        yield from _twice((*path, key), getattr(need, key))
    wrong = fhir_names.type_problem(release, need.resource)
    if wrong is not None:
        yield Mistake((*path, "resource"), wrong)
        return  # of a type that does not exist nothing else can be said
    for index, name in enumerate(need.search_parameters):
        found = fhir_names.search_name(release, need.resource, name)
        yield from _if_wrong((*path, "search_parameters", index), found if isinstance(found, str) else None)
    for index, field in enumerate(need.required_fields):
        problem = fhir_names.field_problem(release, need.resource, field)
        yield from _if_wrong((*path, "required_fields", index), problem)
    for index, name in enumerate(need.operations):
        yield from _if_wrong((*path, "operations", index), fhir_names.operation_problem(name))
    for index, system in enumerate(need.terminology):
        yield from _if_wrong((*path, "terminology", index), fhir_names.system_problem(system))
    if need.profile is not None:
        yield from _if_wrong((*path, "profile"), fhir_names.profile_problem(release, need.resource, need.profile))


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


def _organizations(need: Need, path: Path_, known: Collection[str] | None) -> Iterator[Mistake]:
    if known is None:
        return
    for index, name in enumerate(need.organizations):
        if name not in known:
            message = f"{need.resource}: there is no organisation {name!r}{did_you_mean(name, known)}"
            yield Mistake((*path, "organizations", index), message)


def _settings(contract: WorkflowContract) -> Iterator[Mistake]:
    for index, setting in enumerate(contract.organization_surface):
        if setting.default is not None and not setting.takes(setting.default):
            message = f"{setting.name}: its default is not {SETTING_TYPE[setting.type]}"
            yield Mistake(("organization_surface", index, "default"), message)
    yield from _repeated(
        (("organization_surface", index, "name"), one.name, f"{one.name}: another setting has this name")
        for index, one in enumerate(contract.organization_surface)
    )


def _repeated(entries: Iterable[tuple[Path_, Hashable, str]]) -> Iterator[Mistake]:
    """What is said of each that has the key of one before it."""
    seen: set[Hashable] = set()
    for path, key, said in entries:
        if key in seen:
            yield Mistake(path, said)
        seen.add(key)


def _twice(path: Path_, names: Collection[str]) -> Iterator[Mistake]:
    if len(names) > 1:
        yield from _repeated(((*path, index), name, f"{name} is named twice") for index, name in enumerate(names))


def _if_wrong(path: Path_, problem: str | None) -> Iterator[Mistake]:
    if problem is not None:
        yield Mistake(path, problem)
