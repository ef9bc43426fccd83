"""Bundles: all or nothing, each for itself, references between entries in any order and in circles."""

from __future__ import annotations

import itertools
from typing import Any

import httpx
import pytest
from rich_hospital import Desk, entries, hospital, words

pytestmark = pytest.mark.fast


@pytest.fixture
def desk() -> Desk:
    return Desk(hospital())


def entry(
    method: str, url: str, resource: dict[str, Any] | None = None, full_url: str = "", **request: str
) -> dict[str, Any]:
    made: dict[str, Any] = {"request": {"method": method, "url": url, **request}}
    return made | ({"resource": resource} if resource else {}) | ({"fullUrl": full_url} if full_url else {})


def send(desk: Desk, *sent: dict[str, Any], mode: str = "transaction") -> httpx.Response:
    return desk.ask("POST", "", {"resourceType": "Bundle", "type": mode, **({"entry": list(sent)} if sent else {})})


def statuses(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [item["response"]["status"] for item in entries(response.json())]


A, B = "urn:uuid:0a6b1f4e-0000-4000-8000-00000000000a", "urn:uuid:0a6b1f4e-0000-4000-8000-00000000000b"


def observation(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": "Patient/p1"},
        **more,
    }


def test_entries_are_answered_in_their_order_whatever_is_done_first(desk: Desk) -> None:
    response = send(
        desk,
        entry("GET", "Observation?patient=p1&_summary=count"),
        entry("PUT", "Observation/o1", observation(id="o1"), ifMatch='W/"1"'),
        entry("POST", "Observation", observation()),
        entry("DELETE", "Observation/o2"),
        entry("GET", "Patient/p1"),
    )
    assert statuses(response) == ["200", "200", "201", "204", "200"]
    first, second, third, _, last = entries(response.json())
    assert first["resource"]["total"] == 3
    assert second["response"]["etag"] == 'W/"2"'
    assert desk.get(third["response"]["location"]).status_code == 200
    assert last["resource"]["id"] == "p1"
    assert response.json()["type"] == "transaction-response"


def test_a_circle_of_references_is_legal_and_kept(desk: Desk) -> None:
    """FHIR R4 http.html#trules: "including circular references where resources refer to each other"."""
    both = [
        entry("POST", "Observation", observation(hasMember=[{"reference": B}]), A),
        entry("POST", "Observation", observation(hasMember=[{"reference": A}, {"reference": "Patient/p1"}]), B),
    ]
    for order in itertools.permutations(both):
        made = [item["response"]["location"].partition("/_history")[0] for item in entries(send(desk, *order).json())]
        first, second = (desk.get(path).json()["hasMember"] for path in made)
        assert first[0]["reference"] == made[1] and second[0]["reference"] == made[0]


def test_links_are_replaced_wherever_they_stand(desk: Desk) -> None:
    text = {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{A}">it</a> {A}</div>'}
    extension = [
        {"url": "http://example.org/x", "valueUri": A},
        {"url": "http://example.org/y", "valueString": "urn:uuid:else"},
    ]
    other = observation(text=text, extension=extension, hasMember=[{"reference": f"{A}/_history/1"}])
    made = entries(
        send(desk, entry("POST", "Observation", observation(), A), entry("POST", "Observation", other)).json()
    )
    first, second = (item["response"]["location"].partition("/_history")[0] for item in made)
    kept = desk.get(second).json()
    assert kept["extension"][0]["valueUri"] == first and kept["extension"][1]["valueString"] == "urn:uuid:else"
    assert kept["hasMember"] == [{"reference": f"{first}/_history/1"}]
    assert f'href="{first}"' in kept["text"]["div"]


def test_a_condition_that_waits_for_another_entry_has_no_answer(desk: Desk) -> None:
    """A circle that no order of processing can meet: a search finds nothing that is not written yet."""
    response = send(
        desk,
        entry("POST", "Observation", observation(), A, ifNoneExist=f"has-member={B}"),
        entry("POST", "Observation", observation(), B, ifNoneExist=f"has-member={A}"),
    )
    assert response.status_code == 400
    assert words(response).startswith("entry 0: ") and "no order" in words(response)
    assert len(desk.found("Observation?patient=p1")) == 3


def test_a_conditional_create_gives_its_id_to_those_that_refer_to_it(desk: Desk) -> None:
    patient = {"resourceType": "Patient", "identifier": [{"system": "urn:oid:2.999.1", "value": "SIM-2"}]}
    response = send(
        desk,
        entry("POST", "Observation", observation(subject={"reference": A})),
        entry("POST", "Patient", patient, A, ifNoneExist="identifier=urn:oid:2.999.1|SIM-2"),
    )
    assert statuses(response) == ["201", "200"]
    location = next(iter(entries(response.json())))["response"]["location"]
    assert desk.get(location).json()["subject"] == {"reference": "Patient/p2"}


def test_conditional_references_are_resolved_last(desk: Desk) -> None:
    by_identifier = {"reference": "Patient?identifier=urn:x|new"}
    new = {"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": "new"}]}
    response = send(
        desk, entry("POST", "Observation", observation(subject=by_identifier)), entry("POST", "Patient", new)
    )
    made = [item["response"]["location"] for item in entries(response.json())]
    assert desk.get(made[0]).json()["subject"]["reference"] == made[1].partition("/_history")[0]
    for reference in ("Patient?identifier=urn:x|none", "Patient?identifier=urn:oid:2.999.1|"):
        refused = send(desk, entry("POST", "Observation", observation(subject={"reference": reference})))
        assert refused.status_code == 412 and words(refused).startswith("entry 0: ")


@pytest.mark.parametrize(
    ("bad", "status", "said"),
    [
        (entry("PUT", "Observation/o1", observation(id="o1"), ifMatch='W/"9"'), 412, "entry 1: version 9"),
        (entry("PUT", "Observation/o1", observation(id="o2")), 400, "entry 1: the body's id"),
        (entry("POST", "Location", {"resourceType": "Location"}), 405, "entry 1: the statement declares no create"),
        (entry("POST", "Observation", {"resourceType": "Patient"}), 400, "entry 1: the body is a Patient"),
        (entry("POST", "Observation", observation(subject={"reference": B})), 400, "fullUrl of no entry"),
        (entry("DELETE", "Observation/never"), 404, "entry 1: there is no"),
        (entry("DELETE", "Observation?code=x"), 400, "no conditional DELETE"),
        (entry("PUT", "Observation?code=x", observation()), 400, "no conditional PUT"),
        (entry("GET", "Observation?method=x"), 400, "entry 1: the statement declares no search"),
        (entry("POST", "Observation"), 400, "entry 1: POST Observation has no resource"),
        (entry("TRACE", "Observation"), 400, "entry 1: request needs a method"),
        (entry("POST", "/", observation()), 400, "entry 1: an entry cannot ask for POST"),
        (entry("GET", "http://elsewhere.example/Patient/1"), 400, "entry 1: an entry cannot"),
        ({"resource": observation()}, 400, "entry 1: request needs"),
        (entry("POST", "Observation", observation(), A), 400, "entries 0 and 1 are both about"),
    ],
)
def test_one_bad_entry_undoes_a_transaction(desk: Desk, bad: dict[str, Any], status: int, said: str) -> None:
    response = send(desk, entry("POST", "Observation", observation(), A), bad)
    assert response.status_code == status
    assert said in words(response)
    assert len(desk.found("Observation?patient=p1")) == 3


def test_the_same_resource_is_written_once(desk: Desk) -> None:
    response = send(desk, entry("DELETE", "Observation/o1"), entry("PUT", "Observation/o1", observation(id="o1")))
    assert response.status_code == 400 and "both about Observation/o1" in words(response)
    assert desk.get("Observation/o1").json()["meta"]["versionId"] == "1"


def test_the_same_condition_makes_one_resource_or_none(desk: Desk) -> None:
    new = {"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": "new"}]}
    twice = [entry("POST", "Patient", new, url, ifNoneExist="identifier=urn:x|new") for url in (A, B)]
    response = send(desk, *twice)
    assert response.status_code == 400 and "both about Patient?identifier" in words(response)
    assert desk.found("Patient?identifier=urn:x|new") == []


def test_entries_of_a_batch_fail_alone(desk: Desk) -> None:
    response = send(
        desk,
        entry("POST", "Observation", observation()),
        entry("GET", "Patient/nobody"),
        entry("POST", "Observation", observation(subject={"reference": B})),
        entry("NONE", "x"),
        mode="batch",
    )
    assert statuses(response) == ["201", "404", "400", "400"]
    assert all("outcome" in item["response"] for item in list(entries(response.json()))[1:])
    assert len(desk.found("Observation?patient=p1")) == 4


def test_each_entry_needs_its_own_scope() -> None:
    desk = Desk(hospital(), "system/Observation.crs")
    response = send(desk, entry("POST", "Observation", observation()), entry("GET", "Patient/p1"))
    assert response.status_code == 403
    assert len(desk.found("Observation?patient=p1")) == 3


@pytest.mark.parametrize(
    ("bundle", "said"),
    [
        ({"resourceType": "Observation"}, "is for Bundle"),
        ({"resourceType": "Bundle", "type": "collection"}, "batch or transaction"),
        ({"resourceType": "Bundle", "type": "transaction", "entry": [7]}, "objects"),
        ({"resourceType": "Bundle", "type": "transaction", "entry": {"a": 1}}, "objects"),
        (
            {
                "resourceType": "Bundle",
                "type": "transaction",
                "entry": [{"request": {"method": "GET", "url": "Patient/p1"}}] * 201,
            },
            "at most 200",
        ),
    ],
)
def test_what_is_no_transaction_is_said(desk: Desk, bundle: dict[str, Any], said: str) -> None:
    response = desk.ask("POST", "", bundle)
    assert response.status_code == 400 and said in words(response)


def test_an_empty_transaction_is_no_error(desk: Desk) -> None:
    assert send(desk).json() == {"resourceType": "Bundle", "type": "transaction-response"}
