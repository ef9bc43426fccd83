"""Creates, updates, deletes, versions and their conditions, and bodies that are no resources."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rich_hospital import Desk, entries, hospital, words

from interlock.sandbox import store

pytestmark = pytest.mark.fast

NEW: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"text": "x"},
    "subject": {"reference": "Patient/p1"},
}


@pytest.fixture
def desk() -> Desk:
    return Desk(hospital())


def created(desk: Desk, resource: dict[str, Any] = NEW) -> str:
    response = desk.ask("POST", resource["resourceType"], resource)
    assert response.status_code == 201, response.text
    return str(response.headers["location"]).removeprefix(f"{desk.base}/").partition("/_history")[0]


def test_a_created_resource_has_an_id_a_version_and_a_place(desk: Desk) -> None:
    response = desk.ask(
        "POST", "Observation", {**NEW, "id": "chosen", "meta": {"versionId": "9", "tag": [{"code": "t"}]}}
    )
    assert (response.status_code, response.content) == (201, b"")
    assert response.headers["etag"] == 'W/"1"'
    path = response.headers["location"].removeprefix(f"{desk.base}/")
    assert path.endswith("/_history/1") and "chosen" not in path
    read = desk.get(path)
    assert read.json() == desk.get(path.partition("/_history")[0]).json()
    assert read.json()["meta"]["versionId"] == "1"
    assert read.json()["meta"]["tag"] == [{"code": "t"}]
    assert "last-modified" in response.headers
    assert "o1" in desk.found("Observation?patient=p1") and len(desk.found("Observation?patient=p1")) == 4


@pytest.mark.parametrize(
    ("prefer", "kind"),
    [
        ("return=minimal", None),
        ("return=representation", "Observation"),
        ("return=OperationOutcome", "OperationOutcome"),
    ],
)
def test_a_write_returns_what_the_client_prefers(desk: Desk, prefer: str, kind: str | None) -> None:
    response = desk.ask("POST", "Observation", NEW, {"Prefer": f"respond-sync, {prefer}"})
    assert response.status_code == 201
    assert (response.json()["resourceType"] if response.content else None) == kind


def test_an_update_makes_a_version_and_the_old_one_stays(desk: Desk) -> None:
    path = created(desk)
    identity = path.partition("/")[2]
    second = desk.ask("PUT", path, {**NEW, "id": identity, "status": "amended"}, {"If-Match": 'W/"1"'})
    assert (second.status_code, second.headers["etag"]) == (200, 'W/"2"')
    assert [desk.get(f"{path}/_history/{n}").json()["status"] for n in (1, 2)] == ["final", "amended"]
    late = desk.ask("PUT", path, {**NEW, "id": identity}, {"If-Match": 'W/"1"'})
    assert late.status_code == 412 and "version 1" in words(late) and "2 is current" in words(late)
    assert desk.get(path).json()["status"] == "amended"
    assert desk.ask("PUT", path, {**NEW, "id": identity}, {"If-Match": "two"}).status_code == 400
    history = desk.get(f"{path}/_history").json()
    assert [entry["response"]["etag"] for entry in entries(history)] == ['W/"2"', 'W/"1"']
    assert (history["type"], history["total"]) == ("history", 2)
    assert desk.get(path, {"If-None-Match": 'W/"2"'}).status_code == 304
    assert desk.get(f"{path}/_history/3").status_code == 404


def test_a_lost_update_answers_as_the_release_says() -> None:
    desk = Desk(hospital(release="STU3"))
    path = created(desk)
    body = {**NEW, "id": path.partition("/")[2]}
    assert desk.ask("PUT", path, body, {"If-Match": 'W/"7"'}).status_code == 409


def test_where_updates_need_if_match_one_without_it_is_refused(desk: Desk) -> None:
    content = [{"attachment": {"contentType": "text/plain", "data": "aGVsbG8="}}]
    subject = {"reference": "Patient/p1"}
    note = {"resourceType": "DocumentReference", "status": "current", "subject": subject, "content": content}
    path = created(desk, note)
    body = {**note, "id": path.partition("/")[2]}
    refused = desk.ask("PUT", path, body)
    assert refused.status_code == 400 and "If-Match" in words(refused)
    assert desk.ask("PUT", path, body, {"If-Match": 'W/"1"'}).status_code == 200


def test_ids_are_chosen_by_clients_only_where_that_is_declared(desk: Desk) -> None:
    assert desk.ask("PUT", "Observation/mine", {**NEW, "id": "mine"}).status_code == 201
    encounter = {"resourceType": "Encounter", "id": "mine", "status": "planned", "class": {"code": "IMP"}}
    assert desk.ask("PUT", "Encounter/mine", encounter).status_code == 405
    assert desk.get("Encounter/mine").status_code == 404


@pytest.mark.parametrize("identity", [None, "other"])
def test_the_id_of_an_update_is_the_addresss(desk: Desk, identity: str | None) -> None:
    response = desk.ask("PUT", "Observation/o1", {**NEW, **({"id": identity} if identity else {})})
    assert response.status_code == 400 and "o1" in words(response)


def test_what_is_deleted_is_gone_and_its_versions_are_not(desk: Desk) -> None:
    path = created(desk)
    assert desk.ask("DELETE", path).status_code == 204
    assert desk.get(path).status_code == 410
    assert desk.get(f"{path}/_history/1").status_code == 200
    assert desk.get(f"{path}/_history/2").status_code == 410
    assert [entry["request"]["method"] for entry in entries(desk.get(f"{path}/_history").json())] == ["DELETE", "POST"]
    assert desk.ask("DELETE", path).status_code == 204
    assert path.partition("/")[2] not in desk.found("Observation?patient=p1")
    assert desk.ask("DELETE", "Observation/never").status_code == 404
    assert desk.ask("DELETE", "Condition/never").status_code == 405


def test_a_conditional_create_happens_once(desk: Desk) -> None:
    patient = {"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": "1"}]}
    condition = {"If-None-Exist": "identifier=urn:x|1"}
    assert [desk.ask("POST", "Patient", patient, condition).status_code for _ in range(2)] == [201, 200]
    assert len(desk.found("Patient?identifier=urn:x|1")) == 1
    created(desk, patient)
    several = desk.ask("POST", "Patient", patient, condition)
    assert several.status_code == 412 and "2 resources" in words(several)
    undeclared = desk.ask(
        "POST",
        "Encounter",
        {"resourceType": "Encounter", "status": "planned", "class": {"code": "IMP"}},
        {"If-None-Exist": "_id=e1"},
    )
    assert undeclared.status_code == 400 and "conditional create" in words(undeclared)


def test_what_was_entered_in_error_stays_so(desk: Desk) -> None:
    path = created(desk)
    body = {**NEW, "id": path.partition("/")[2]}
    assert desk.ask("PUT", path, {**body, "status": "entered-in-error"}).status_code == 200
    assert (
        desk.ask("PUT", path, {**body, "status": "entered-in-error", "note": [{"text": "wrong patient"}]}).status_code
        == 200
    )
    revived = desk.ask("PUT", path, body)
    assert revived.status_code == 422 and "entered in error" in words(revived)


def test_provenance_in_a_header_is_kept_with_its_target(desk: Desk) -> None:
    provenance = {
        "resourceType": "Provenance",
        "recorded": "2026-10-04T06:00:00Z",
        "agent": [{"who": {"display": "app"}}],
    }
    response = desk.ask("POST", "Observation", NEW, {"X-Provenance": json.dumps(provenance)})
    target = response.headers["location"].removeprefix(f"{desk.base}/")
    (kept,) = entries(desk.get(f"Provenance?target={target.partition('/_history')[0]}").json())
    assert kept["resource"]["target"] == [{"reference": target}]
    before = desk.get("Observation?patient=p1").json()["total"]
    for wrong in ("{", json.dumps(NEW), json.dumps({**provenance, "target": [{"reference": "Patient/p1"}]})):
        assert desk.ask("POST", "Observation", NEW, {"X-Provenance": wrong}).status_code == 400
    assert desk.get("Observation?patient=p1").json()["total"] == before


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no JSON"),
        (b"hello", "line 1"),
        (b"\xff\xfe{}", "UTF-8"),
        (b"[]", "JSON object"),
        (b"null", "JSON object"),
        (b"{}", "no resourceType"),
        (b'{"resourceType": 7}', "no resourceType"),
        (b'{"resourceType": "Patient"}', "is a Patient"),
        (b'{"resourceType": "Observation", "valueQuantity": {"value": NaN}}', "NaN"),
        (b'{"resourceType": "Observation", "status": "final", "status": "amended"}', "twice"),
        (b'{"resourceType": "Observation", "code": {}}', "code is empty"),
        (b'{"resourceType": "Observation", "code": null}', "code is empty"),
        (b'{"resourceType": "Observation", "x": ' + b"[" * 60 + b"1" + b"]" * 60 + b"}", "deeper than 50"),
        (b'{"resourceType": "Observation", "x": ' + b"[" * 100_000, "deep"),
        (b'{"resourceType": "Observation", "x": [' + b"1," * 60_000 + b"1]}", "50000 values"),
        (b'{"resourceType": "Observation", "x": ' + b"9" * 5_000 + b"}", "no JSON that FHIR allows"),
    ],
)
def test_a_body_that_is_no_resource_is_refused_in_words(desk: Desk, body: bytes, said: str) -> None:
    response = desk.ask("POST", "Observation", body)
    assert response.status_code == 400
    assert said in words(response)
    assert "POST Observation of a-client was refused with 400" in desk.state.log.lines[-1].words
    assert said in desk.state.log.lines[-1].words
    assert len(desk.found("Observation?patient=p1")) == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"code": None}, "/code is required"),
        ({"statu": "final"}, "did you mean status"),
        ({"valueQuantity": {"value": "96"}}, "/valueQuantity/value"),
        ({"status": "done"}, "/status"),
        ({"valueString": "x", "valueBoolean": True}, "value"),
    ],
)
def test_a_resource_that_breaks_its_releases_rules_is_refused_with_the_place(
    desk: Desk, change: dict[str, Any], said: str
) -> None:
    body = {name: value for name, value in {**NEW, **change}.items() if value is not None}
    for response in (desk.ask("POST", "Observation", body), desk.ask("PUT", "Observation/o1", {**body, "id": "o1"})):
        assert response.status_code == 400 and said in words(response)
    assert desk.get("Observation/o1").json()["meta"]["versionId"] == "1"


def test_bodies_are_bounded_and_typed(desk: Desk) -> None:
    assert desk.ask("POST", "Observation", b"{" + b" " * 1_100_000 + b"}").status_code == 413
    for media_type, status in [
        ("text/plain", 415),
        ("application/fhir+xml", 415),
        ("application/json; charset=UTF-8", 201),
    ]:
        assert (
            desk.ask("POST", "Observation", json.dumps(NEW).encode(), {"Content-Type": media_type}).status_code
            == status
        )


def test_without_the_right_scope_nothing_is_written() -> None:
    desk = Desk(hospital(), "system/*.rs system/Observation.c")
    assert desk.ask("POST", "Observation", NEW).status_code == 201
    for method, path, body in [("PUT", "Observation/o1", {**NEW, "id": "o1"}), ("DELETE", "Observation/o1", None)]:
        refused = desk.ask(method, path, body)
        assert refused.status_code == 403 and "insufficient_scope" in refused.headers["www-authenticate"]
    assert desk.get("Observation/o1").json()["meta"]["versionId"] == "1"


def test_a_hospital_is_full_at_some_point_and_can_be_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(hospital())
    monkeypatch.setattr(store, "MAX_RESOURCES", 11)
    statuses = [desk.ask("POST", "Observation", NEW).status_code for _ in range(4)]
    assert statuses == [201, 201, 507, 507]
    desk.state.hospital(desk.organization).reset()
    assert len(desk.found("Observation?patient=p1")) == 3
    assert desk.ask("POST", "Observation", NEW).status_code == 201


def test_versions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MAX_VERSIONS", 3)
    desk = Desk(hospital())
    for _ in range(5):
        assert desk.ask("PUT", "Observation/o1", {**NEW, "id": "o1"}).status_code == 200
    kept = [entry["response"]["etag"] for entry in entries(desk.get("Observation/o1/_history").json())]
    assert kept == ['W/"6"', 'W/"5"', 'W/"4"']


def test_each_server_keeps_its_own(desk: Desk) -> None:
    path = created(desk)
    assert Desk(hospital()).get(path).status_code == 404


def test_versions_show_only_where_they_are_declared(desk: Desk) -> None:
    path = created(desk, {"resourceType": "Condition", "subject": {"reference": "Patient/p1"}})
    response = desk.get(path)
    assert "etag" not in response.headers and "versionId" not in response.json()["meta"]
    assert desk.get(f"{path}/_history/1").status_code == 404


def test_a_client_that_asks_too_often_waits() -> None:
    desk = Desk(hospital(requests_per_minute=2))
    statuses = [desk.get("Patient/p1") for _ in range(3)]
    assert [response.status_code for response in statuses] == [200, 200, 429]
    assert 0 < int(statuses[2].headers["retry-after"]) <= 60


def test_what_a_client_wrote_comes_back_as_it_was_written(desk: Desk) -> None:
    path = created(desk, {**NEW, "note": [{"text": "{base} \u2028 \U0001f600 <b>"}]})
    assert desk.get(path).json()["note"] == [{"text": "{base} \u2028 \U0001f600 <b>"}]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "Location", 405),
        ("PUT", "Location/x", 405),
        ("PATCH", "Observation/o1", 405),
        ("DELETE", "Location/x", 405),
        ("POST", "Observation/o1", 405),
        ("GET", "Observation/o1/x", 404),
        ("GET", "Observation/o1/$everything", 404),
        ("GET", "Location/x/_history", 404),
        ("GET", "Specimen/1", 404),
        ("GET", "", 404),
        ("GET", "$export", 404),
        ("GET", "$other", 404),
    ],
)
def test_what_is_not_declared_is_not_done(desk: Desk, method: str, path: str, status: int) -> None:
    body = {"resourceType": "Location", "id": "x"} if method in ("POST", "PUT") else None
    response = desk.ask(method, path, body)
    assert response.status_code == status, response.text
    assert words(response)
    assert (status == 405) == ("allow" in response.headers)
