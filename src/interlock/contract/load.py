"""Loads ``contract.yaml``, and names the points that it leaves undecided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from interlock.documents.yaml import YamlDocument, load_yaml, model_from_yaml
from interlock.model.contract import Need, WorkflowContract
from interlock.model.words import SETTING_TYPE

#: R4 resources in which an AI result is naturally written and that no recorded server accepts (workflow.md, B.2).
AI_SHAPED = frozenset({"RiskAssessment", "DetectedIssue", "GuidanceResponse", "CommunicationRequest"})


@dataclass(frozen=True)
class ContractRemark:
    """A point that the contract leaves open or that will not work, with its line and pointer in the file."""

    line: int | None
    pointer: str
    message: str


def load_contract(path: Path, within: Path | None = None) -> tuple[WorkflowContract, YamlDocument]:
    """Read a contract file that a person named, or that must really be in the folder ``within``.

    :raises DocumentError: not YAML, an unknown key or a wrong type; names file, line and expectation.
    """
    document = load_yaml(path, within)
    return model_from_yaml(WorkflowContract, document), document


def remarks(contract: WorkflowContract, document: YamlDocument) -> tuple[ContractRemark, ...]:
    """Everything undecided, in the order of the file (S10 to S18, S35 to S43)."""
    open_points = []
    for pointer, message in _open_points(contract):
        keys = tuple(int(key) if key.isdigit() else key for key in pointer.strip("/").split("/"))
        open_points.append(ContractRemark(document.location(keys).line, pointer, message))
    return tuple(sorted(open_points, key=lambda remark: (remark.line or 0, remark.pointer)))


def _open_points(contract: WorkflowContract) -> Iterator[tuple[str, str]]:
    if contract.clinical_event is None:
        yield "/clinical_event", "the clinical event is not written down"
    elif not contract.clinical_event.states:
        yield "/clinical_event", "the states that start the AI behaviour are not listed"
    if not contract.launch.modes:
        yield "/launch", "no launch mode is chosen: ehr, standalone, backend"
    if not contract.inputs:
        yield "/inputs", "no input is named"
    for side, needs in (("inputs", contract.inputs), ("outputs", contract.outputs)):
        for index, need in enumerate(needs):
            yield from ((f"/{side}/{index}", message) for message in _open_in_need(need, writes=side == "outputs"))
    for group, values in (("output_is_wrong", contract.output_is_wrong), ("failures", contract.failures)):
        if group == "failures" or contract.outputs:
            undecided = (name.replace("_", " ") for name, value in values if not value)
            yield from ((f"/{group}", f"{name} is undecided") for name in undecided)
    if contract.outputs and contract.review.required is None:
        yield "/review", "whether a person signs before an output enters the record is undecided"
    names: set[str] = set()
    for index, setting in enumerate(contract.organization_surface):
        if setting.default is not None and not setting.takes(setting.default):
            yield f"/organization_surface/{index}", f"{setting.name}: its default is not {SETTING_TYPE[setting.type]}"
        if setting.name in names:
            yield f"/organization_surface/{index}", f"{setting.name}: another setting has this name"
        names.add(setting.name)
    for index, endpoint in enumerate(contract.endpoints):
        if endpoint.carries_phi and not endpoint.authentication:
            yield f"/endpoints/{index}", f"{endpoint.path} carries patient data and names no authentication"
    for index, entry in enumerate(contract.test_path):
        if not entry.why:
            yield f"/test_path/{index}", f"{entry.behaviour}: no reason is given for testing it by {entry.where}"


def _open_in_need(need: Need, *, writes: bool) -> Iterator[str]:
    if not need.interactions:
        yield f"{need.resource}: no interaction is named"
    if not writes and not need.required_fields:
        yield f"{need.resource}: no required field is named"
    if need.required_fields and not need.when_missing:
        yield f"{need.resource}: what happens when a required field is missing is undecided"
    if writes and need.resource in AI_SHAPED:
        yield f"{need.resource}: no recorded server accepts its writes; map it to Observation or DocumentReference"
