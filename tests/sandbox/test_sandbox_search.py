"""Searches by every type of parameter, modifiers, pages and what they bring along."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from rich_hospital import Desk, entries, hospital, words

pytestmark = pytest.mark.fast


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk(hospital())


@pytest.mark.parametrize(
    ("query", "found"),
    [
        # token
        ("Patient?identifier=SIM-1", ["p1"]),
        ("Patient?identifier=urn:oid:2.999.1|SIM-1,urn:oid:2.999.1|SIM-2", ["p1", "p2"]),
        ("Patient?identifier=urn:oid:2.999.1|", ["p1", "p2"]),
        ("Patient?identifier=|SIM-1", []),
        ("Patient?_id=p1,p2&gender=male", ["p2"]),
        ("Patient?_id=p1,p2&gender:not=male", ["p1"]),
        ("Patient?active=true", ["p1"]),
        ("Patient?phone=555-0101", ["p1"]),
        ("Observation?patient=p1&code:text=heart", ["o1", "o2"]),
        ("Observation?patient=p1&encounter:missing=true", ["o2", "o3"]),
        ("Observation?patient=p1&encounter:missing=false", ["o1"]),
        ("Observation?patient=p1&status=final&status=preliminary", []),
        # string
        ("Patient?family=test", ["p1", "p2"]),
        ("Patient?family=TEST", ["p1", "p2"]),
        ("Patient?family:exact=Tést", ["p1"]),
        ("Patient?family:exact=Test", []),
        ("Patient?family:contains=AMEN", ["p2"]),
        ("Patient?name=sam", ["p1"]),
        ("Patient?address-city=spring", ["p1"]),
        ("Patient?family=a\\,b", []),
        # reference
        ("Observation?patient=Patient/p2", ["o4"]),
        ("Observation?patient=http://127.0.0.1:9/rich/fhir/Patient/p2", ["o4"]),
        ("Observation?patient=http://elsewhere.example/fhir/Patient/p2", []),
        ("Observation?subject:Patient=p2", ["o4"]),
        ("Observation?subject=p2", ["o4"]),
        ("Observation?patient=p1&performer=Practitioner/d1", ["o3"]),
        ("Observation?patient.identifier=urn:oid:2.999.1|SIM-2", ["o4"]),
        ("Observation?subject:Patient.family=testa", ["o4"]),
        ("Patient?general-practitioner:identifier=urn:oid:2.999.9|GP-1", ["p1"]),
        # date
        ("Patient?birthdate=1958-03-17", ["p1"]),
        ("Patient?birthdate=1949", ["p2"]),
        ("Patient?birthdate=1949-08-22", []),
        ("Patient?birthdate=lt1950", ["p2"]),
        ("Observation?patient=p1&date=2026-10-04", ["o1", "o2"]),
        ("Observation?patient=p1&date=2026-10-04T13:00:00Z", ["o2"]),
        ("Observation?patient=p1&date=2026-10-04T08:00:00-05:00", ["o2"]),
        ("Observation?patient=p1&date=2026-10-04T08:00-05:00", ["o2"]),
        ("Observation?patient=p1&date=2026-10", ["o1", "o2", "o3"]),
        ("Observation?patient=p1&date=gt2026-10-04T05:00Z", ["o2", "o3"]),
        ("Observation?patient=p1&date=ge2026-10-04&date=lt2026-10-04T06:00Z", ["o1", "o3"]),
        ("Observation?patient=p1&date=ne2026-10-04", ["o3"]),
        ("Observation?patient=p1&date=sa2026-10-04T05:00Z", ["o2"]),
        ("Observation?patient=p1&date=eb2026-10-04T05:00Z", ["o1"]),
        ("Observation?patient=p1&date=le2026-10-04T04:00:00Z", ["o1", "o3"]),
        ("Encounter?patient=p1&date=2026-10-05", []),
        ("Encounter?patient=p1&date=ge2026-10-05", ["e1"]),
        ("Encounter?patient=p1&date=ap2026-10-05", ["e1"]),
        ("Patient?_lastUpdated=ge2020", ["p1", "p2"]),
        # quantity and composite
        ("Observation?patient=p1&value-quantity=96", ["o1"]),
        ("Observation?patient=p1&value-quantity=100", ["o2"]),
        ("Observation?patient=p1&value-quantity=100.0", []),
        ("Observation?patient=p1&value-quantity=gt96||/min", ["o2"]),
        ("Observation?patient=p1&value-quantity=ge96|http://unitsofmeasure.org|/min", ["o1", "o2"]),
        ("Observation?patient=p1&value-quantity=gt1|http://other.example|/min", []),
        ("Observation?patient=p1&value-quantity=gt1||per minute", ["o1", "o2", "o3"]),
        ("Observation?patient=p1&code-value-quantity=http://loinc.org|8867-4$gt97", ["o2"]),
        # uri
        ("Patient?_profile=http://example.org/profile/patient", ["p1"]),
        # sorted
        ("Observation?patient=p1&_sort=-date", ["o2", "o1", "o3"]),
        ("Observation?patient=p1&_sort=status,date", ["o3", "o1", "o2"]),
    ],
)
def test_a_search_finds_exactly_what_matches(desk: Desk, query: str, found: list[str]) -> None:
    assert desk.found(query) == found


@pytest.mark.parametrize(
    ("query", "code", "said"),
    [
        ("Observation?code=8867-4", "required", "across patients"),
        ("Observation?patient=p1&date=soon", "invalid", "2026-10"),
        ("Observation?patient=p1&date=ge2026-13", "invalid", "date"),
        ("Observation?patient=p1&value-quantity=many", "invalid", "number"),
        ("Observation?patient=p1&value-quantity=1|mg", "invalid", "number"),
        ("Observation?patient=p1&code=", "invalid", "no value"),
        ("Observation?patient=p1&code:missing=perhaps", "invalid", "true or false"),
        ("Observation?patient=p1&code:below=x", "not-supported", ":below"),
        ("Observation?patient=p1&method=x", "not-supported", "method"),
        ("Observation?patient=p1&_count=-1", "invalid", "_count"),
        ("Observation?patient=p1&_include=Observation:performer", "not-supported", "_include"),
        ("Observation?patient=p1&_sort=method", "not-supported", "sorting"),
        ("Observation?patient=p1&_summary=text", "not-supported", "_summary"),
        ("Observation?patient=p1&code-value-quantity=8867-4", "invalid", "separated by $"),
        ("Encounter?patient=p1&_sort=date", "not-supported", "_sort"),
    ],
)
def test_what_cannot_be_searched_is_said(desk: Desk, query: str, code: str, said: str) -> None:
    response = desk.get(query)
    assert response.status_code == 400
    assert response.json()["issue"][0]["code"] == code
    assert said in words(response)


def test_unknown_parameters_are_refused_or_left_out_as_the_client_or_else_the_hospital_says() -> None:
    query = "Observation?patient=p2&method=x"
    for lenient, prefer, status in [
        (False, "", 400),
        (False, "handling=lenient", 200),
        (True, "", 200),
        (True, "handling=strict", 400),
    ]:
        response = Desk(hospital(lenient=lenient)).get(query, {"Prefer": prefer})
        assert response.status_code == status
        if status == 200:
            assert "method" not in response.json()["link"][0]["url"]
            notes = [entry for entry in entries(response.json()) if entry["search"]["mode"] == "outcome"]
            assert "method" in notes[0]["resource"]["issue"][0]["diagnostics"]


def test_a_search_may_be_posted(desk: Desk) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    response = desk.ask("POST", "Observation/_search?status=final", b"patient=p1&code=8867-4", form)
    assert [entry["resource"]["id"] for entry in entries(response.json())] == ["o1"]
    query = parse_qs(urlsplit(response.json()["link"][0]["url"]).query)
    assert query == {"status": ["final"], "patient": ["p1"], "code": ["8867-4"]}
    assert desk.ask("POST", "Observation/_search", {"patient": "p1"}).status_code == 415


def test_pages_are_followed_by_opaque_links_and_hold_still(desk: Desk) -> None:
    first = desk.get("Observation?patient=p1&_count=2").json()
    assert first["total"] == 3
    links = {link["relation"]: link["url"] for link in first["link"]}
    assert "patient" not in links["next"]
    created = desk.ask("POST", "Observation", {**OBSERVATION, "subject": {"reference": "Patient/p1"}})
    assert created.status_code == 201
    second = desk.get(links["next"]).json()
    assert [entry["resource"]["id"] for entry in entries(second)] == ["o3"]
    assert [link["relation"] for link in second["link"]] == ["self"]
    assert desk.ask("DELETE", created.headers["location"].partition("/_history")[0]).status_code == 204
    assert desk.get("Patient?_page=" + links["next"].partition("=")[2]).status_code == 400
    assert desk.get(links["next"] + "9999").status_code == 400
    assert desk.get("Observation?_page=none.2").status_code == 410


OBSERVATION = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}


def test_counting_shows_nothing(desk: Desk) -> None:
    for query in ("Observation?patient=p1&_summary=count", "Observation?patient=p1&_count=0"):
        bundle = desk.get(query).json()
        assert bundle["total"] == 3 and "entry" not in bundle


def test_elements_are_shown_alone_and_tagged(desk: Desk) -> None:
    (entry,) = entries(desk.get("Patient?_id=p1&_elements=gender").json())
    assert set(entry["resource"]) == {"resourceType", "id", "meta", "gender"}
    assert entry["resource"]["meta"]["tag"][0]["code"] == "SUBSETTED"


def test_included_resources_come_once_and_are_not_counted(desk: Desk) -> None:
    bundle = desk.get("Observation?patient=p1&_include=Observation:patient&_include=Observation:encounter").json()
    included = [entry["resource"]["id"] for entry in entries(bundle) if entry["search"]["mode"] == "include"]
    assert (bundle["total"], included) == (3, ["p1", "e1"])
    bundle = desk.get("Patient?_id=p2&_revinclude=Observation:patient").json()
    included = [entry["resource"]["id"] for entry in entries(bundle) if entry["search"]["mode"] == "include"]
    assert (bundle["total"], included) == (1, ["o4"])


def test_a_search_shows_what_the_token_lets_it_see() -> None:
    desk = Desk(hospital(), "system/Observation.rs")
    bundle = desk.get("Observation?patient=p1&_include=Observation:patient").json()
    assert {entry["resource"]["resourceType"] for entry in entries(bundle)} == {"Observation"}


def test_hostile_queries_are_bounded(desk: Desk) -> None:
    assert desk.get("Patient?" + "&".join(["gender=male"] * 60)).status_code == 400
    assert desk.get("Patient?family=" + "a" * 5_000).status_code == 400
