"""What happens when it goes wrong: the client does what the contract says. No server is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

import fhir_client
from conftest import lock_of
from fhir_client import Client, ContractError, MissingField, Organization, Resource, Token

BASE = "https://offline.invalid/fhir"
Answer = Callable[[httpx.Request], httpx.Response]


def offline(pytestconfig: pytest.Config, answer: Answer) -> Client:
    """A client whose server is a function."""
    own = lock_of(pytestconfig)
    organization = Organization.named(own["id"], BASE, http=httpx.Client(transport=httpx.MockTransport(answer)))
    return Client(organization, Token("a-token"))


def complete(need: Resource, *, without: str = "") -> Resource:
    """A resource with a value at every path that the contract requires, but for one."""
    made: Resource = {"resourceType": need["resource"], "id": "1", "meta": {"versionId": "1"}}
    paths = [*(need.get("required_fields") or []), *(one["field"] for one in need.get("missing") or [])]
    for path in paths:
        if path == without or (without and path.startswith(f"{without}.")):
            continue
        place = made
        steps = [fhir_client.step_of(step).replace("[x]", "String") for step in path.split(".")]
        for step in steps[:-1]:
            place = place.setdefault(step, {})
            if not isinstance(place, dict):
                break
        else:
            place.setdefault(steps[-1], {"text": "a value"})
    return made


def found(*resources: Resource, following: str = "") -> httpx.Response:
    """A search's result."""
    links = [{"relation": "next", "url": following}] if following else []
    entries = [{"resource": resource} for resource in resources]
    return httpx.Response(200, json={"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries})


def outcome(status: int, code: str = "processing") -> httpx.Response:
    """A refusal."""
    return httpx.Response(status, json={"resourceType": "OperationOutcome", "issue": [{"code": code}]})


def _times_out(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("no answer", request=request)


def _is_down(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


#: Of each failure that the client decides: the side that meets it, what the server then does, the error.
SCENARIOS: dict[str, tuple[str, Answer, type[ContractError]]] = {
    "access_denied": ("input", lambda _: outcome(403, "forbidden"), fhir_client.AccessDenied),
    "ehr_unavailable": ("input", _is_down, fhir_client.Unavailable),
    "too_slow": ("input", _times_out, fhir_client.TooSlow),
    "truncated": ("input", lambda _: found(following="https://elsewhere.invalid/next"), fhir_client.Truncated),
    "unknown_modifier": (
        "input",
        lambda request: found({"resourceType": _kind(request), "id": "1", "modifierExtension": [{"url": "urn:x"}]}),
        fhir_client.UnknownModifier,
    ),
    "merged_patient": (
        "patient",
        lambda _: httpx.Response(200, json={"resourceType": "Patient", "id": "1", "link": [{"type": "replaced-by"}]}),
        fhir_client.MergedPatient,
    ),
    "write_refused": ("output", lambda _: outcome(422), fhir_client.WriteRefused),
    "write_unknown": ("output", _times_out, fhir_client.WriteUnknown),
}


def _kind(request: httpx.Request) -> str:
    return request.url.path.removeprefix("/fhir/").partition("/")[0]


def test_client_does_what_the_contract_says(pytestconfig: pytest.Config, failure: str) -> None:
    """The failure is an error of its own, which says the contract's words."""
    side, answer, error = SCENARIOS[failure]
    client = offline(pytestconfig, answer)
    inputs, outputs = client.organization.needs("input"), client.organization.needs("output")
    if side == "patient":
        names = [name for name, need in inputs.items() if need["resource"] == "Patient"]
    elif side == "input":
        names = [name for name, need in inputs.items() if "search" in (need.get("interactions") or [])]
    else:
        names = [name for name, need in outputs.items() if "create" in (need.get("interactions") or [])]
    if not names:
        pytest.skip(f"the contract has no {side} that could meet it")
    with pytest.raises(error) as raised:
        _act(client, side, names[0])
    assert raised.value.contract_says == client.organization.failure(failure)


def _act(client: Client, side: str, name: str) -> None:
    if side == "patient":
        client.read(name, "1")
    elif side == "input":
        client.search(name, {})
    else:
        need = client.organization.need("output", name)
        client.create(name, complete(need), dict.fromkeys(fhir_client.keys_of(need), "1"))


def test_without_a_field(pytestconfig: pytest.Config, field: tuple[str, str]) -> None:
    """A resource with all fields is used; without one the product stops, degrades or asks, in the contract's words."""
    name, path = field
    shown: list[Resource] = []
    client = offline(pytestconfig, lambda _: found(*shown))
    need = client.organization.need("input", name)
    if "search" not in (need.get("interactions") or []):
        client = offline(pytestconfig, lambda _: httpx.Response(200, json=shown[0]))
    shown[:] = [complete(need)]
    assert not _missing(client, name, need), "a resource with every field is complete"
    shown[:] = [complete(need, without=path)]
    missing = _missing(client, name, need)
    assert path in [one.field for one in missing]
    decided: Resource = next((one for one in need.get("missing") or [] if one["field"] == path), {})
    one = next(one for one in missing if one.field == path)
    assert one.then == decided.get("then", "stop")
    words = decided.get("says") or need.get("when_missing") or client.organization.failure("missing_field")
    assert one.contract_says == words


def _missing(client: Client, name: str, need: Resource) -> list[MissingField]:
    try:
        if "search" in (need.get("interactions") or []):
            return client.search(name, {}).missing
        return client.lacking(name, need, client.read(name, "1"))
    except MissingField as error:
        return [error]
    return []


def test_nothing_is_written_without(pytestconfig: pytest.Config, unwritten: tuple[str, str]) -> None:
    """An output that lacks a field never leaves the client, unless the contract lets it degrade."""
    name, path = unwritten
    sent: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(201, content=request.content)

    client = offline(pytestconfig, answer)
    need = client.organization.need("output", name)
    if "create" not in (need.get("interactions") or []):
        pytest.skip("the contract creates none")
    keys = dict.fromkeys(fhir_client.keys_of(need), "1")
    decided: Resource = next((one for one in need.get("missing") or [] if one["field"] == path), {})
    if decided.get("then") == "degrade":
        assert client.create(name, complete(need, without=path), keys)
        return
    with pytest.raises(MissingField):
        client.create(name, complete(need, without=path), keys)
    assert not sent, "something was sent"
