"""What a grant of one patient, or with a constraint, reaches: everywhere that the API shows or keeps something."""

from __future__ import annotations

from typing import Any

import pytest
from rich_hospital import Desk, entries, hospital

pytestmark = pytest.mark.fast


@pytest.fixture
def desk() -> Desk:
    return Desk(hospital(), "patient/*.cruds", patient="p1")


def observation(patient: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": f"Patient/{patient}"},
        **more,
    }


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("Patient/p1", 200),
        ("Patient/p2", 404),
        ("Observation/o1", 200),
        ("Observation/o4", 404),
        ("Observation/o4/_history", 404),
        ("Observation/o4/_history/1", 404),
        ("Practitioner/d1", 200),
        ("Patient/p2/$everything", 404),
        ("Group/g1/$export", 404),
        ("Observation?patient=p2", 403),
        ("Observation?subject=Patient/p2", 403),
    ],
)
def test_another_patients_record_is_not_there(desk: Desk, path: str, status: int) -> None:
    assert desk.get(path).status_code == status


def test_searches_and_histories_show_one_patient(desk: Desk) -> None:
    assert desk.found("Patient?_id=p1,p2") == ["p1"]
    assert desk.found("Observation?_id=o1,o4") == ["o1"]
    shown = [entry["resource"]["id"] for entry in entries(desk.get("Observation/_history").json())]
    assert sorted(shown) == ["o1", "o2", "o3"]
    included = entries(desk.get("Patient?_id=p1&_revinclude=Observation:patient").json())
    assert {entry["resource"]["id"] for entry in included} == {"p1", "o1", "o2", "o3"}


def test_a_link_that_somebody_else_got_hold_of_shows_them_nothing_more() -> None:
    first = Desk(hospital())
    link = first.get("Observation?_id=o1,o2,o3,o4&_count=1").json()["link"][1]["url"]
    assert next(iter(entries(first.get(link).json())))["resource"]["id"] == "o2"
    other = Desk(hospital(), "patient/*.rs", patient="p2")
    other.state.hospitals["rich"] = first.state.hospital(first.organization)
    bundle = other.get(link).json()
    assert bundle["total"] == 1 and "entry" not in bundle


def test_nothing_is_written_to_another_patient(desk: Desk) -> None:
    assert desk.ask("POST", "Observation", observation("p1")).status_code == 201
    for method, path, body, status in [
        ("POST", "Observation", observation("p2"), 403),
        ("PUT", "Observation/o1", observation("p2", id="o1"), 403),
        ("PUT", "Observation/o4", observation("p1", id="o4"), 404),
        ("DELETE", "Observation/o4", None, 404),
    ]:
        assert desk.ask(method, path, body).status_code == status, (method, path)
    entry = {"request": {"method": "POST", "url": "Observation"}, "resource": observation("p2")}
    assert desk.ask("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}).status_code == 403


def test_a_deletion_is_seen_by_those_who_saw_what_was_deleted() -> None:
    desk = Desk(hospital())
    assert [desk.ask("DELETE", f"Observation/{name}").status_code for name in ("o1", "o4")] == [204, 204]
    other = Desk(hospital(), "patient/*.rs", patient="p1")
    other.state.hospitals["rich"] = desk.state.hospital(desk.organization)
    assert [other.get(f"Observation/{name}").status_code for name in ("o1", "o4")] == [410, 404]


def test_a_constraint_of_a_scope_is_kept_to_whatever_its_parameter() -> None:
    desk = Desk(hospital(), "system/Observation.rs?code=http://loinc.org|2524-7 system/Encounter.rs?date=ge2027")
    assert desk.found("Observation?patient=p1") == ["o3"]
    assert [desk.get(f"Observation/{name}").status_code for name in ("o3", "o1")] == [200, 404]
    assert desk.found("Encounter?patient=p1") == ["e1"]  # it has no end
    narrow = Desk(hospital(), "system/Observation.rs?date=lt2026-10-04T05:00:00Z")
    assert narrow.found("Observation?patient=p1") == ["o1", "o3"]
