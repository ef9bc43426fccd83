"""What a contract of schema 2 leaves undecided in the parts that schema 1 did not have."""

from __future__ import annotations

from collections.abc import Iterator

from interlock.contract import fhir_names
from interlock.model.contract import Need, WorkflowContract
from interlock.model.contract_parts import Client

_UPDATES = frozenset({"update", "patch"})


def open_parts(contract: WorkflowContract) -> Iterator[tuple[str, str]]:
    """Pointer and message of each; nothing for a contract of schema 1."""
    if contract.schema_version < 2:
        return
    if contract.outputs:
        for name, value in contract.safeguards:
            if not value:
                yield "/safeguards", f"{name.replace('_', ' ')} is undecided"
    for index, need in enumerate((*contract.inputs, *contract.outputs)):
        side, number = ("inputs", index) if index < len(contract.inputs) else ("outputs", index - len(contract.inputs))
        for message in (*_need(need), *(_output(contract, need) if side == "outputs" else ())):
            yield f"/{side}/{number}", f"{need.resource}: {message}"
    for index, channel in enumerate(contract.channels):
        for key in ("delivery", "latency_seconds"):
            if getattr(channel, key) is None:
                subject = "its delivery" if key == "delivery" else "how late an event may come (latency_seconds)"
                yield f"/channels/{index}", f"{channel.kind}: {subject} is undecided"
    for index, client in enumerate(contract.clients):
        yield from ((f"/clients/{index}", f"{client.name}: {message}") for message in _client(contract, client))
    for mode in contract.launch.modes:
        if contract.clients and not any(client.mode == mode for client in contract.clients):
            yield "/clients", f"no client is named for the launch mode {mode}"
    for index, approval in enumerate(contract.approvals):
        if approval.hash != contract.hash:
            message = f"{approval.by} approved another text than this one, which has the hash {contract.hash}"
            yield f"/approvals/{index}", message


def _need(need: Need) -> Iterator[str]:
    for missing in need.missing:
        if missing.then != "stop" and not missing.says:
            yield f"without {missing.field} the product is to {missing.then}, and what it says then is undecided"


def _output(contract: WorkflowContract, need: Need) -> Iterator[str]:
    writing = need.writing
    if not need.status_flow and fhir_names.has_states(contract.fhir_release, need.resource):
        yield "its states are undecided (status_flow)"
    if "create" in need.interactions and writing.if_none_exist is None:
        yield "how a repeated create is recognised is undecided (writing.if_none_exist)"
    if _UPDATES & set(need.interactions) and writing.if_match is None:
        yield "whether an update names the version that it replaces is undecided (writing.if_match)"
    if writing.provenance is None:
        yield "whether a Provenance is written with it is undecided (writing.provenance)"
    for step in need.status_flow:
        if step.to and not step.moved_by:
            yield f"who moves it on from {step.state} is undecided"


def _client(contract: WorkflowContract, client: Client) -> Iterator[str]:
    if client.mode == "ehr" and client.launch_url is None:
        yield "its launch address is undecided (launch_url)"
    if client.mode != "backend" and not client.redirect_uris:
        yield "its redirect addresses are undecided (redirect_uris)"
    with_key = client.mode == "backend" or contract.launch.client == "confidential-asymmetric"
    if with_key and client.jwks_url is None:
        yield "the address of its key set is undecided (jwks_url)"
    if not client.contacts:
        yield "whom the organisation writes to is undecided (contacts)"
