"""Loads ``contract.yaml``, and names what is wrong in it and the points that it leaves undecided."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from interlock.contract.mistakes import mistakes
from interlock.contract.open_parts import open_parts
from interlock.documents.yaml import YamlDocument, load_yaml, model_from_yaml
from interlock.model.contract import SECOND_FAILURES, Need, WorkflowContract

#: R4 resources in which an AI result is naturally written and that no recorded server accepts (workflow.md, B.2).
AI_SHAPED = frozenset({"RiskAssessment", "DetectedIssue", "GuidanceResponse", "CommunicationRequest"})


@dataclass(frozen=True)
class ContractRemark:
    """A point that the contract leaves open or that cannot be, with its place and pointer in the file.

    :ivar wrong: it is a mistake, whatever is decided: a name that FHIR does not know, or a contradiction.
    """

    line: int | None
    column: int | None
    pointer: str
    message: str
    wrong: bool = False


def load_contract(path: Path, within: Path | None = None) -> tuple[WorkflowContract, YamlDocument]:
    """Read a contract file that a person named, or that must really be in the folder ``within``.

    :raises DocumentError: not YAML, an unknown key or a wrong type; names file, line and expectation.
    """
    document = load_yaml(path, within)
    return model_from_yaml(WorkflowContract, document), document


def remarks(
    contract: WorkflowContract, document: YamlDocument, organizations: Collection[str] | None = None
) -> tuple[ContractRemark, ...]:
    """Everything wrong or undecided, in the order of the file (S10 to S18, S35 to S43).

    ``organizations`` are the ids of those in the workspace, none for a contract that stands alone.
    """
    told = []
    for pointer, message in _open_points(contract):
        keys = tuple(int(key) if key.isdigit() else key for key in pointer.strip("/").split("/"))
        location = document.location(keys)
        told.append(ContractRemark(location.line, location.column, pointer, message))
    for path, message in mistakes(contract, organizations):
        location = document.location(path)
        pointer = "/" + "/".join(str(key) for key in path)
        told.append(ContractRemark(location.line, location.column, pointer, message, wrong=True))
    return tuple(sorted(told, key=lambda remark: (remark.line or 0, remark.column or 0, remark.pointer)))


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
            asked = (name for name, value in values if not value)
            known = (name for name in asked if contract.schema_version > 1 or name not in SECOND_FAILURES)
            undecided = (name.replace("_", " ") for name in known)
            yield from ((f"/{group}", f"{name} is undecided") for name in undecided)
    if contract.outputs and contract.review.required is None:
        yield "/review", "whether a person signs before an output enters the record is undecided"
    for index, endpoint in enumerate(contract.endpoints):
        if endpoint.carries_phi and not endpoint.authentication:
            yield f"/endpoints/{index}", f"{endpoint.path} carries patient data and names no authentication"
    for index, entry in enumerate(contract.test_path):
        if not entry.why:
            yield f"/test_path/{index}", f"{entry.behaviour}: no reason is given for testing it by {entry.where}"
    yield from open_parts(contract)


def _open_in_need(need: Need, *, writes: bool) -> Iterator[str]:
    if not need.interactions:
        yield f"{need.resource}: no interaction is named"
    if not writes and not need.required_fields:
        yield f"{need.resource}: no required field is named"
    if not need.when_missing and set(need.required_fields) - {missing.field for missing in need.missing}:
        yield f"{need.resource}: what happens when a required field is missing is undecided"
    if writes and need.resource in AI_SHAPED:
        yield f"{need.resource}: no recorded server accepts its writes; map it to Observation or DocumentReference"
