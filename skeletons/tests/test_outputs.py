"""Outputs: written once, moved through the contract's states, over nobody's newer version. Writes with --write only.

What is written stands in ``examples/NAME.json``; ``{patient}``, ``{encounter}`` and ``{now}`` are filled in. Edit it
until the organisation takes it. Each test leaves its resource in the contract's last state.
"""

from __future__ import annotations

import datetime
import itertools
import json
from pathlib import Path
from typing import NamedTuple

import pytest

from conftest import by_this_token
from fhir_client import Client, Resource, VersionConflict, keys_of

EXAMPLES = Path(__file__).parent / "examples"


#: Each test writes for a second of its own, so that none finds what another wrote.
EARLIER = itertools.count(60)


class Written(NamedTuple):
    """What a test writes, and what stands in the braces of its If-None-Exist: a moment, if nothing else is known."""

    body: Resource
    keys: dict[str, str]


@pytest.fixture
def written(request: pytest.FixtureRequest, client: Client, patient: str, output_name: str) -> Written:
    """The example of an output, filled in."""
    by_this_token(client, output_name)
    need = client.organization.need("output", output_name)
    if not request.config.getoption("--write"):
        pytest.skip("writes nothing without --write, which is for test systems")
    if "create" not in (need.get("interactions") or []):
        pytest.skip("the contract creates none")
    text = (EXAMPLES / f"{output_name}.json").read_text("utf-8")
    encounter = request.config.getoption("--encounter") or client.token.encounter or _encounter(client, patient)
    moment = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=next(EARLIER))
    values = {"patient": patient, "encounter": encounter or "unknown", "now": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}
    keys = {key: values.get(key, values["now"]) for key in keys_of(need)}
    for name, value in (keys | client.organization.settings_of(need) | values).items():
        text = text.replace("{" + name + "}", json.dumps(value)[1:-1])
    made: Resource = json.loads(text)
    states = need.get("status_flow") or []
    if states:
        made[_place(states, made)] = states[0]["state"]
    return Written(
        made, {key: value for key, value in keys.items() if key not in client.organization.settings_of(need)}
    )


def test_is_created(client: Client, written: Written, output_name: str) -> None:
    """It is there afterwards; where the contract says how to recognise it, it is not made twice."""
    need = client.organization.need("output", output_name)
    first = client.create(output_name, *written)
    assert first.get("id"), "the server gives it no id"
    if (need.get("writing") or {}).get("if_none_exist"):
        again = client.create(output_name, *written)
        assert again.get("id") == first["id"], "it was made twice: If-None-Exist was not heeded"
    _leave(client, output_name, first)


def test_moves_through_its_states(client: Client, written: Written, output_name: str) -> None:
    """Each state of the contract is reached from the one before it."""
    need = client.organization.need("output", output_name)
    flow = need.get("status_flow") or []
    if not flow or "update" not in (need.get("interactions") or []):
        pytest.skip("the contract names no states, or updates none")
    now = client.create(output_name, *written)
    place, steps = _place(flow, now), {step["state"]: step for step in flow}
    seen = [now[place]]
    while ahead := [state for state in steps.get(seen[-1], {}).get("to") or [] if state not in seen and state in steps]:
        now = client.update(output_name, {**now, place: ahead[0]})
        assert now[place] == ahead[0], f"{place} is {now.get(place)} after an update to {ahead[0]}"
        seen.append(ahead[0])
    _leave(client, output_name, now)


def test_newer_version_is_not_overwritten(client: Client, written: Written, output_name: str) -> None:
    """An update over a version that was replaced meanwhile is refused."""
    need = client.organization.need("output", output_name)
    if not (need.get("writing") or {}).get("if_match") or "update" not in (need.get("interactions") or []):
        pytest.skip("the contract does not name the version that it replaces")
    first = client.create(output_name, *written)
    second = client.update(output_name, first)
    with pytest.raises(VersionConflict):
        client.update(output_name, first)
    _leave(client, output_name, second)


def _place(flow: list[Resource], resource: Resource) -> str:
    """The element that holds the states: docStatus where they are a document's."""
    document = {"preliminary", "final", "amended"} & {step["state"] for step in flow}
    return "docStatus" if resource["resourceType"] in ("DocumentReference", "Composition") and document else "status"


def _leave(client: Client, name: str, resource: Resource) -> None:
    """Withdraw what the test wrote, where the contract has such a state."""
    need = client.organization.need("output", name)
    flow = need.get("status_flow") or []
    void = [step["state"] for step in flow if step["state"] == "entered-in-error"]
    if void and "update" in (need.get("interactions") or []) and resource.get(_place(flow, resource)) != void[0]:
        client.update(name, {**resource, _place(flow, resource): void[0]})


def _encounter(client: Client, patient: str) -> str | None:
    """Any encounter of the patient, where the contract reads them."""
    for name, need in client.organization.needs("input").items():
        if need["resource"] == "Encounter" and "search" in (need.get("interactions") or []):
            for resource in client.resources(name, {"patient": patient}, []):
                return str(resource["id"])
    return None
