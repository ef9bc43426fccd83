"""``workflow.mmd``: the workflow as a sequence diagram (Mermaid), from the event to what is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from interlock.contract.skeletons.base import RestsOn, of_contract
from interlock.model.contract import Need, WorkflowContract
from interlock.model.contract_parts import Channel
from interlock.model.resolved import ResolvedContract
from interlock.model.text import plain

#: What could end a message or begin a directive, an entity, HTML or a comment; and the word that ends a block.
_SPECIAL = re.compile(r"[^\w .,:…/()=?&+\"'-]|\bend\b", re.IGNORECASE)
_LONGEST = 160


def diagram(resolved: ResolvedContract) -> Mapping[str, str]:
    """One diagram, the same for every organisation: comments on top, participants, then messages in order."""
    basis = RestsOn(
        (of_contract(resolved),),
        ("the order of the steps: event, sign-in, inputs, review, outputs",),
        ("what each organisation has otherwise (contract.lock.json)",),
    )
    comments = [f"%% {_text(line)}" for line in basis.lines()]
    lines = [*comments, "sequenceDiagram", *(f"    {line}" for line in _lines(resolved))]
    return {"workflow.mmd": "\n".join(lines) + "\n"}


def _lines(resolved: ResolvedContract) -> Iterator[str]:
    contract, event = resolved.contract, resolved.contract.clinical_event
    yield f"actor U as {_text(event.actor if event else 'User')}"
    yield "participant E as EHR"
    yield f"participant P as {_text(resolved.product)}"
    yield "participant A as Authorization server"
    yield "participant F as FHIR server"
    if event is not None:
        yield f"Note over E: {_text(event.trigger)}"
        if event.states:
            yield f"Note over E: States: {_text(', '.join(event.states))}"
    for channel in contract.channels:
        yield from _channel(channel)
    for mode in contract.launch.modes:
        yield from _sign_in(contract, mode)
    for need in contract.inputs:
        yield from _read(contract, need)
    if contract.failures.missing_field:
        yield f"Note over P: Without a field: {_text(contract.failures.missing_field)}"
    if contract.outputs and contract.review.required:
        yield f"P->>U: Asks {_text(contract.review.role or 'somebody')} to sign"
        yield "U-->>P: Signs"
    for need in contract.outputs:
        yield from _write(need)
    if event is not None and event.action:
        yield f"Note over U: {_text(event.action)}"


def _channel(channel: Channel) -> Iterator[str]:
    carried = channel.hook or channel.message or channel.resource or ""
    states = f" ({', '.join(channel.states)})" if channel.states else ""
    where = f" at {', '.join(channel.organizations)}" if channel.organizations else ""
    said = _text(f"{channel.kind} {carried}{states}{where}")
    if channel.kind == "poll":
        yield f"P->>F: {said}"
    elif channel.direction == "out":
        yield f"P->>E: {said}"
    else:
        yield f"E->>P: {said}"


def _sign_in(contract: WorkflowContract, mode: str) -> Iterator[str]:
    """The messages of a launch mode (SMART App Launch 2.2)."""
    if mode == "backend":
        yield "P->>A: client_credentials, signed assertion"
        yield "A-->>P: access token"
        return
    if mode == "ehr":
        yield "U->>E: Opens the product"
        yield "E->>P: launch, iss"
    else:
        yield "U->>P: Opens the product"
    yield "P->>A: authorize, PKCE S256"
    yield "A-->>P: code"
    proof = "" if contract.launch.client in {None, "public"} else ", client authentication"
    yield f"P->>A: code, verifier{proof}"
    yield f"A-->>P: access token, {_text(', '.join(contract.launch.context) or 'no context')}"


def _read(contract: WorkflowContract, need: Need) -> Iterator[str]:
    purpose = f" ({need.purpose})" if need.purpose else ""
    if "search" in need.interactions:
        fixed = {query.partition("=")[0] for query in need.query}
        names = [*need.query, *(f"{name}=…" for name in need.search_parameters if name not in fixed)]
        request = f"GET {need.resource}{'?' if names else ''}{'&'.join(names)}"
    else:
        request = f"GET {need.resource}/id"
    yield f"P->>F: {_text(request + purpose)}"
    yield f"F-->>P: {_text(need.resource)}"
    for missing in need.missing:
        said = f": {missing.says}" if missing.says else ""
        yield f"Note over P: {_text(f'Without {missing.field}: {missing.then}{said}')}"


def _write(need: Need) -> Iterator[str]:
    purpose = f" ({need.purpose})" if need.purpose else ""
    if "create" in need.interactions:
        once = ", If-None-Exist" if need.writing.if_none_exist else ""
        yield f"P->>F: {_text(f'POST {need.resource}{purpose}{once}')}"
    for interaction, verb in (("update", "PUT"), ("patch", "PATCH"), ("delete", "DELETE")):
        if interaction in need.interactions:
            version = ", If-Match" if need.writing.if_match else ""
            yield f"P->>F: {_text(f'{verb} {need.resource}/id{purpose}{version}')}"
    if need.writing.provenance:
        yield "P->>F: POST Provenance"
    for step in need.status_flow:
        if step.to:
            moved = f" by {step.moved_by}" if step.moved_by else ""
            said = f"{need.resource} {step.state} to {', '.join(step.to)}{moved}"
            yield f"Note over F: {_text(said)}"


def _text(text: str) -> str:
    """Text of anybody's as a name or message: what Mermaid would read as its own is an entity (``#59;``)."""
    return _SPECIAL.sub(lambda match: f"#{ord(match[0][0])};{match[0][1:]}", plain(text, _LONGEST)) or "-"
