"""What each shipped statement declares works, every interaction and every parameter of it; and nothing else does."""

from __future__ import annotations

from typing import Any

import pytest
from rich_hospital import Desk, entries

from interlock.sandbox import declared
from interlock.sandbox.matching import codes_of, target_of, texts_of
from interlock.sandbox.organizations import SimulatedOrganization, load_organizations
from interlock.sandbox.parameters import values_of

pytestmark = pytest.mark.fast

ORGANIZATIONS = {entry.id: entry for entry in load_organizations() if entry.listen}
DECLARED = {name: declared.read(entry.metadata) for name, entry in ORGANIZATIONS.items()}
#: What to create of a type that nobody has yet.
MODELS: dict[str, dict[str, Any]] = {
    "Provenance": {
        "resourceType": "Provenance",
        "target": [{"reference": "Observation/rv-lactate-1"}],
        "recorded": "2026-10-04T06:00:00Z",
        "agent": [{"who": {"display": "an application"}}],
    },
    "Subscription": {
        "resourceType": "Subscription",
        "status": "active",
        "reason": "a test",
        "criteria": "https://riverside.example/SubscriptionTopic/result-filed",
        "channel": {"type": "rest-hook", "endpoint": "http://127.0.0.1:9/"},
    },
}
PARAMETERS = [
    (name, kind, parameter, typed)
    for name, said in DECLARED.items()
    for kind, entry in said.types.items()
    if "search-type" in entry.interactions
    for parameter, typed in entry.parameters.items()
    if parameter not in ("_sort", "_summary", "_elements")
]


@pytest.fixture(scope="module")
def desks() -> dict[str, Desk]:
    return {name: Desk(entry) for name, entry in ORGANIZATIONS.items()}


def people(organization: SimulatedOrganization, kind: str) -> list[dict[str, Any]]:
    return [resource for resource in organization.resources if resource["resourceType"] == kind]


def asked(value: Any, typed: str) -> str | None:
    """What somebody would search for to find a resource by this value."""
    if typed == "reference":
        return target_of(value, "{base}")
    if typed == "token":
        return next((f"{system}|{code}" if system else code for system, code in codes_of(value)), None)
    if typed == "date":
        moment = value.get("start") or value.get("end") if isinstance(value, dict) else value
        return f"ge{moment[:10]}" if isinstance(moment, str) else None
    return next(iter(texts_of(value)), None)


@pytest.mark.parametrize(("name", "kind", "parameter", "typed"), PARAMETERS)
def test_each_declared_parameter_finds_who_has_its_value(
    desks: dict[str, Desk], name: str, kind: str, parameter: str, typed: str
) -> None:
    desk, searched = desks[name], 0
    narrow = DECLARED[name].types[kind].parameters.keys() & {"patient", "subject"}
    for version in desk.state.hospital(desk.organization).store.of(kind):
        value = next(
            (text for value in values_of(version.content, kind, parameter) if (text := asked(value, typed))), None
        )
        if value is None:
            continue
        searched += 1
        query = {parameter: value, **({"_id": version.id} if narrow else {})}
        response = desk.ask("GET", kind, params=query)
        assert response.status_code == 200, response.text
        assert version.id in [entry["resource"]["id"] for entry in entries(response.json())], query
        if searched == 5:
            break
    if not searched:  # nobody has it: the search is understood all the same
        value = {"date": "2026", "reference": "Patient/nobody"}.get(typed, "nothing")
        response = desk.get(f"{kind}?{parameter}={value}&_id=nobody")
        assert response.status_code == 200 and response.json()["total"] == 0


@pytest.mark.parametrize("name", ORGANIZATIONS)
def test_each_declared_read_reads_and_the_rest_is_refused(desks: dict[str, Desk], name: str) -> None:
    desk, said = desks[name], DECLARED[name]
    for kind, entry in said.types.items():
        known = people(desk.organization, kind)
        path = f"{kind}/{known[0]['id'] if known else 'nobody'}"
        assert desk.get(path).status_code == (200 if known else 404)
        assert desk.get(f"{path}/_history/1").status_code == (200 if known and "vread" in entry.interactions else 404)
        history = 200 if known and "history-instance" in entry.interactions else 404
        assert desk.get(f"{path}/_history").status_code == history
        assert (desk.get(f"{kind}?_id=nobody").status_code == 405) == ("search-type" not in entry.interactions)
        for method, place, code in (
            ("POST", kind, "create"),
            ("PUT", path, "update"),
            ("DELETE", f"{kind}/nobody", "delete"),
        ):
            response = desk.ask(method, place, b"{}" if method != "DELETE" else None)
            assert (response.status_code == 405) == (code not in entry.interactions), (method, place)
        undeclared = desk.get(f"{kind}?_id=x&no-such-parameter=1")
        assert undeclared.status_code in (400, 405)


@pytest.mark.parametrize("name", ORGANIZATIONS)
def test_a_type_that_is_not_declared_is_not_there(desks: dict[str, Desk], name: str) -> None:
    for path in ("Basic/1", "Basic?_id=1", "Basic"):
        assert desks[name].get(path).status_code == 404


@pytest.mark.parametrize("name", ORGANIZATIONS)
def test_each_declared_create_and_update_is_kept(name: str) -> None:
    desk = Desk(ORGANIZATIONS[name])
    for kind, entry in DECLARED[name].types.items():
        if "create" not in entry.interactions:
            continue
        model = (people(desk.organization, kind) or [MODELS[kind]])[0]
        if kind == "Subscription":
            model = {**model, "criteria": DECLARED[name].topics[0]}
        created = desk.ask("POST", kind, model)
        assert created.status_code == 201, created.text
        path = created.headers["location"].removeprefix(f"{desk.base}/").partition("/_history")[0]
        kept = desk.get(path).json()
        assert {key: kept[key] for key in model if key not in ("id", "meta")} == {
            key: model[key] for key in model if key not in ("id", "meta")
        }
        if "update" in entry.interactions:
            changed = {**kept, "language": "en"}
            tag = {"If-Match": desk.get(path).headers["etag"]}
            assert desk.ask("PUT", path, changed, tag).status_code == 200
            assert desk.ask("PUT", path, changed, tag).status_code == 412
            assert desk.get(path).json()["language"] == "en"
