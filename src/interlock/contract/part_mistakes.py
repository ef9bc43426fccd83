"""What cannot be in the parts that schema 2 added: modes and levels, queries, codes, flows, channels, clients."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from interlock.contract import fhir_names
from interlock.contract.fhir_names import Mistake, repeated, twice
from interlock.documents.names import did_you_mean
from interlock.documents.yaml import Path_
from interlock.fhir.tables import Unknown, release
from interlock.model.contract import Need, WorkflowContract
from interlock.model.contract_parts import Channel, Client, FieldBinding

#: Hooks of CDS Hooks (cds-hooks.hl7.org, hook library, 2024): a service may know others.
HOOKS = (
    "appointment-book",
    "encounter-discharge",
    "encounter-start",
    "order-dispatch",
    "order-select",
    "order-sign",
    "patient-view",
)
#: Types of elements that hold codes.
_CODED = frozenset({"code", "Coding", "CodeableConcept", "CodeableReference", "Quantity", "string", "uri", "canonical"})
#: What a message of HL7 v2 is called: its type, and its event (HL7 v2.5.1, MSH-9).
_MESSAGE = re.compile(r"[A-Z]{3}\^[A-Z][0-9]{2}(\^[A-Z]{3}_[A-Z0-9]{2,3})?")
#: Which keys of a channel belong to which kind.
_OF_KIND = {"hook": "cds-hooks", "prefetch": "cds-hooks", "message": "hl7v2", "direction": "hl7v2"}
_WITH_USER = frozenset({"ehr", "standalone"})


def need_parts(contract: WorkflowContract, need: Need, path: Path_, *, writes: bool) -> Iterator[Mistake]:
    """What is wrong in the newer parts of a need whose type exists."""
    yield from _modes(contract, need, path)
    if need.query and need.interactions and "search" not in need.interactions:
        message = f"{need.resource}: a fixed query is named, and search is not among its interactions"
        yield Mistake((*path, "query"), message)
    for index, binding in enumerate(need.binding):
        yield from _binding(contract, need, binding, (*path, "binding", index))
    named = ((("missing", index, "field"), missing.field) for index, missing in enumerate(need.missing))
    yield from repeated(((*path, *at), field, f"{field} is named twice") for at, field in named)
    for index, missing in enumerate(need.missing):
        if missing.field not in need.required_fields:
            close = did_you_mean(missing.field, need.required_fields)
            message = f"{need.resource}: {missing.field} is not among its required fields{close}"
            yield Mistake((*path, "missing", index, "field"), message)
    if writes:
        yield from _written(contract, need, path)
        return
    for key in ("status_flow", "writing"):
        if key in need.model_fields_set:
            yield Mistake((*path, key), f"{need.resource}: {key} is about what is written, and this is an input")


def _modes(contract: WorkflowContract, need: Need, path: Path_) -> Iterator[Mistake]:
    yield from twice((*path, "modes"), need.modes)
    for index, mode in enumerate(need.modes):
        if mode not in contract.launch.modes:
            yield Mistake((*path, "modes", index), f"{need.resource}: {mode} is no launch mode of this contract")
    modes = set(need.modes or contract.launch.modes)
    if need.level == "system" and modes and "backend" not in modes:
        yield Mistake(
            (*path, "level"), f"{need.resource}: level system is a backend service's, and backend is no mode of it"
        )
    if need.level in {"patient", "user"} and modes == {"backend"}:
        message = f"{need.resource}: level {need.level} belongs to a user's launch, and a backend service has none"
        yield Mistake((*path, "level"), message)
    if need.level == "patient" and modes & _WITH_USER and "patient" not in contract.launch.context:
        yield Mistake((*path, "level"), f"{need.resource}: level patient, and the launch context has no patient")


def _binding(contract: WorkflowContract, need: Need, binding: FieldBinding, path: Path_) -> Iterator[Mistake]:
    if (problem := fhir_names.field_problem(contract.fhir_release, need.resource, binding.path)) is not None:
        yield Mistake((*path, "path"), problem)
        return
    if (binding.value_set is None) == (not binding.codes):
        yield Mistake(path, f"{need.resource}.{binding.path}: name its value set or its codes, one of them")
    element = release(contract.fhir_release).element(f"{need.resource}.{binding.path}")
    if isinstance(element, Unknown):
        return
    if element.types and not _CODED & set(element.types):
        message = f"{need.resource}.{binding.path} is of type {' or '.join(element.types[:3])} and has no codes"
        yield Mistake((*path, "path"), message)
    for index, token in enumerate(binding.codes):
        if (problem := fhir_names.system_problem(token.partition("|")[0])) is not None:
            yield Mistake((*path, "codes", index), problem)
        wrong = element.binding.unknown(token.partition("|")[2], element.path) if element.binding else None
        if wrong is not None:
            yield Mistake((*path, "codes", index), fhir_names.in_words(wrong, contract.fhir_release))


def _written(contract: WorkflowContract, need: Need, path: Path_) -> Iterator[Mistake]:
    of, states = contract.fhir_release, [step.state for step in need.status_flow]
    yield from repeated(
        ((*path, "status_flow", index, "state"), state, f"{state} is named twice") for index, state in enumerate(states)
    )
    for index, step in enumerate(need.status_flow):
        at = (*path, "status_flow", index)
        problem = fhir_names.flow_problem(of, need.resource, step.state, states)
        if problem is not None:
            yield Mistake((*at, "state"), problem)
        for number, following in enumerate(step.to):
            if following not in states:
                message = (
                    f"{need.resource}: {following} is no state of its status_flow{did_you_mean(following, states)}"
                )
                yield Mistake((*at, "to", number), message)
    search = need.writing.if_none_exist
    for part in search.split("&") if search else ():
        parameter = fhir_names.search_name(of, need.resource, part.partition("=")[0])
        problem = (
            parameter if isinstance(parameter, str) else None if "=" in part else f"{part} is no parameter with a value"
        )
        if problem is not None:
            yield Mistake((*path, "writing", "if_none_exist"), problem)
    if search and "create" not in need.interactions:
        yield Mistake(
            (*path, "writing", "if_none_exist"), f"{need.resource}: If-None-Exist is of a create, and none is named"
        )
    if need.writing.if_match and not {"update", "patch", "delete"} & set(need.interactions):
        yield Mistake((*path, "writing", "if_match"), f"{need.resource}: If-Match is of an update, and none is named")


def channel_parts(contract: WorkflowContract) -> Iterator[Mistake]:
    """What is wrong in the channels: their types, states and hooks, and keys of another kind."""
    for index, channel in enumerate(contract.channels):
        path: Path_ = ("channels", index)
        yield from twice((*path, "states"), channel.states)
        yield from _channel_keys(channel, path)
        resources = () if channel.resource is None else (channel.resource,)
        problem = fhir_names.type_problem(contract.fhir_release, channel.resource) if channel.resource else None
        if problem is not None:
            yield Mistake((*path, "resource"), problem)
            continue
        for number, state in enumerate(channel.states):
            if (problem := fhir_names.state_problem(contract.fhir_release, state, resources)) is not None:
                yield Mistake((*path, "states", number), problem)


def _channel_keys(channel: Channel, path: Path_) -> Iterator[Mistake]:
    for key, kind in _OF_KIND.items():
        if getattr(channel, key) and channel.kind != kind:
            yield Mistake((*path, key), f"{key} is of a channel {kind}, and this one is {channel.kind}")
    if channel.kind == "cds-hooks":
        if channel.hook is None:
            yield Mistake(path, "a channel cds-hooks names its hook")
        elif channel.hook not in HOOKS and (close := did_you_mean(channel.hook, HOOKS)):
            yield Mistake((*path, "hook"), f"{channel.hook} is no hook that CDS Hooks has{close}")
        for index, query in enumerate(channel.prefetch):
            if not query.partition("=")[2]:
                yield Mistake(
                    (*path, "prefetch", index),
                    f"{query}: write key=query, such as patient=Patient/{{{{context.patientId}}}}",
                )
    elif channel.kind == "hl7v2":
        if channel.message is None or channel.direction is None:
            yield Mistake(path, "a channel hl7v2 names its message and its direction, in or out")
        elif not _MESSAGE.fullmatch(channel.message):
            yield Mistake((*path, "message"), f"{channel.message} is no HL7 v2 message; write it as ORU^R01")
    elif channel.resource is None and channel.kind in {"fhir-subscription", "poll"}:
        yield Mistake(path, f"a channel {channel.kind} names its resource")


def client_parts(contract: WorkflowContract) -> Iterator[Mistake]:
    """What is wrong in the clients and the session: modes, addresses, and what a mode has no use for."""
    yield from repeated(
        (("clients", index, "name"), client.name, f"{client.name}: another client has this name")
        for index, client in enumerate(contract.clients)
    )
    for index, client in enumerate(contract.clients):
        yield from _client(contract, client, ("clients", index))
    if contract.session.refresh not in {None, "none"} and contract.launch.modes == ("backend",):
        message = "a backend service gets no refresh token; it asks for a new access token"
        yield Mistake(("session", "refresh"), message)


def _client(contract: WorkflowContract, client: Client, path: Path_) -> Iterator[Mistake]:
    if client.mode not in contract.launch.modes:
        yield Mistake((*path, "mode"), f"{client.name}: {client.mode} is no launch mode of this contract")
    if client.launch_url and client.mode != "ehr":
        yield Mistake((*path, "launch_url"), f"{client.name}: only an EHR launch has a launch address")
    if client.redirect_uris and client.mode == "backend":
        yield Mistake((*path, "redirect_uris"), f"{client.name}: a backend service is never redirected to")
    if client.jwks_url and contract.launch.client in {"public", "confidential-symmetric"}:
        message = f"{client.name}: a key set is of a client confidential-asymmetric, and it is {contract.launch.client}"
        yield Mistake((*path, "jwks_url"), message)
    addresses = [((*path, key), getattr(client, key)) for key in ("launch_url", "jwks_url", "terms_url", "privacy_url")]
    addresses += [((*path, "redirect_uris", number), uri) for number, uri in enumerate(client.redirect_uris)]
    for at, url in addresses:
        if url is not None and (problem := _address_problem(url, client)) is not None:
            yield Mistake(at, f"{client.name}: {problem}")


def _address_problem(url: str, client: Client) -> str | None:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    if not host:
        return f"{url} is no whole address; write https://host/path"
    if parts.scheme == "http" and client.environment == "production":
        return f"{url} is plain http, and this is production"
    return f"an address has no fragment: {url}" if parts.fragment else None
