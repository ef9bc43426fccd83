"""Everything about a patient, bulk exports, hooks that are fired, and notifications of subscriptions."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from rich_hospital import TOPIC, Desk, entries, hospital, statement, words

from interlock.model.errors import InterlockError
from interlock.sandbox import hooks
from interlock.sandbox.organizations import load_organizations
from interlock.sandbox.replies import RefusalError
from interlock.sandbox.server import SandboxServer

pytestmark = pytest.mark.fast

_BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"


class Listener:
    """Something that listens on this computer; ``heard`` has the headers and body of each request."""

    def __init__(self, url: str, answer: bytes, status: int) -> None:
        self.url, self.answer, self.status = url, answer, status
        self.heard: list[tuple[dict[str, str], Any]] = []


@contextmanager
def listening(answer: bytes = b"{}", status: int = 200) -> Iterator[Listener]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            listener.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(listener.status)
            self.send_header("Content-Length", str(len(listener.answer)))
            self.end_headers()
            self.wfile.write(listener.answer)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener = Listener(f"http://127.0.0.1:{server.server_port}/it", answer, status)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_everything_is_the_patient_and_what_is_about_them() -> None:
    bundle = Desk(hospital()).get("Patient/p1/$everything").json()
    assert {entry["resource"]["id"] for entry in entries(bundle)} == {"p1", "e1", "o1", "o2", "o3"}
    bundle = Desk(hospital(), "system/Patient.r system/Encounter.r").get("Patient/p1/$everything").json()
    assert {entry["resource"]["id"] for entry in entries(bundle)} == {"p1", "e1"}
    assert Desk(hospital()).get("Patient/nobody/$everything").status_code == 404


# Bulk export --------------------------------------------------------------------------------------------------------


def kicked_off(desk: Desk, query: str = "") -> str:
    response = desk.get(f"Group/g1/$export{query}", {"Accept": "application/fhir+json", "Prefer": "respond-async"})
    assert response.status_code == 202, response.text
    return str(response.headers["content-location"])


def test_a_group_is_exported_asked_about_fetched_and_forgotten() -> None:
    desk = Desk(hospital())
    status = kicked_off(desk)
    waiting = desk.get(status)
    assert (waiting.status_code, waiting.headers["retry-after"]) == (202, "1")
    done = desk.get(status)
    assert (done.status_code, done.headers["content-type"]) == (200, "application/json")
    manifest = done.json()
    assert manifest["requiresAccessToken"] is True and manifest["error"] == []
    assert manifest["request"] == f"{desk.base}/Group/g1/$export"
    assert {output["type"]: output["count"] for output in manifest["output"]} == {
        "Encounter": 1,
        "Observation": 3,
        "Patient": 1,
    }
    for output in manifest["output"]:
        file = desk.get(output["url"])
        assert file.headers["content-type"] == "application/fhir+ndjson"
        lines = [json.loads(line) for line in file.text.splitlines()]
        assert len(lines) == output["count"] and {line["resourceType"] for line in lines} == {output["type"]}
        assert desk.send("GET", output["url"]).status_code == 401
    assert desk.ask("DELETE", status).status_code == 202
    assert [desk.get(url).status_code for url in (status, manifest["output"][0]["url"])] == [404, 404]


def test_riversides_own_group_is_exported_and_lakeshores_is_not() -> None:
    riverside, lakeshore = (
        Desk(next(entry for entry in load_organizations() if entry.id == name)) for name in ("riverside", "lakeshore")
    )
    asked = {"Accept": "application/fhir+json", "Prefer": "respond-async"}
    (group,) = entries(riverside.get("Group").json())
    kicked = riverside.get(f"Group/{group['resource']['id']}/$export", asked)
    assert kicked.status_code == 202, kicked.text
    riverside.get(kicked.headers["content-location"])
    manifest = riverside.get(kicked.headers["content-location"]).json()
    counts = {output["type"]: output["count"] for output in manifest["output"]}
    assert counts["Patient"] == group["resource"]["quantity"]
    assert {"Observation", "Condition", "Task", "ImagingStudy"} <= set(counts)
    (group,) = entries(lakeshore.get("Group").json())
    assert lakeshore.get(f"Group/{group['resource']['id']}/$export", asked).status_code == 404


def test_an_export_is_narrowed_and_bounded() -> None:
    desk = Desk(hospital())
    status = kicked_off(desk, "?_type=Patient&_since=2020-01-01T00:00:00Z&_outputFormat=ndjson")
    again = desk.get("Group/g1/$export")
    assert (again.status_code, again.headers["retry-after"]) == (429, "1")
    desk.get(status)
    assert [output["type"] for output in desk.get(status).json()["output"]] == ["Patient"]
    status = kicked_off(desk, "?_since=2030-01-01T00:00:00Z")
    desk.get(status)
    assert desk.get(status).json()["output"] == []
    for _ in range(6):
        desk.get(kicked_off(desk))
    assert desk.get(status).status_code == 404


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("Group/none/$export", 404, "no such Group"),
        ("Group/g1/$export?_outputFormat=csv", 400, "_outputFormat"),
        ("Group/g1/$export?_since=soon", 400, "instant"),
        ("Group/g1/$export?_typeFilter=x", 400, "_typeFilter"),
        ("Group/g1/$export?_type=Nonsense", 400, "Nonsense"),
        ("Patient/$export", 404, "declares no $export"),
        ("$export", 404, "declares no $export"),
        ("$export-status/none", 404, "no such export"),
        ("$export-file/none/Patient.ndjson", 404, "no such export"),
    ],
)
def test_what_cannot_be_exported_is_said(path: str, status: int, said: str) -> None:
    response = Desk(hospital()).get(path)
    assert response.status_code == status and said in words(response)


def test_an_export_holds_what_its_client_may_read() -> None:
    desk = Desk(hospital(), "system/Group.rs system/Encounter.rs")
    status = kicked_off(desk)
    desk.get(status)
    assert [output["type"] for output in desk.get(status).json()["output"]] == ["Encounter"]


# CDS Hooks ----------------------------------------------------------------------------------------------------------

CARD = {"summary": "Lactate is high", "indicator": "warning", "source": {"label": "Test"}}
CONTEXT = {"userId": "Practitioner/d1", "patientId": "p1"}


def fired(service: str, prefetch: dict[str, str] | None = None) -> hooks.HookCall:
    desk = Desk(hospital())
    place = desk.state.hospital(desk.organization)
    filled = hooks.prefetched(place, desk.base, prefetch or {}, CONTEXT)
    return asyncio.run(hooks.fire(desk.base, service, "patient-view", CONTEXT, filled, json.dumps))


def test_a_hook_is_fired_with_what_was_to_be_prefetched_and_its_cards_are_kept() -> None:
    templates = {
        "patient": "Patient/{{context.patientId}}",
        "rates": "Observation?patient={{context.patientId}}&code=8867-4",
        "missing": "Observation?patient={{context.encounterId}}",
        "unknown": "Specimen?patient={{context.patientId}}",
        "refused": "Observation?code=8867-4",
    }
    with listening(json.dumps({"cards": [CARD]}).encode()) as service:
        call = fired(service.url, templates)
    ((headers, body),) = service.heard
    assert (call.status, call.cards, call.problems) == (200, (CARD,), ())
    assert body == call.sent
    assert body["prefetch"].keys() == {"patient", "rates"}
    assert [entry["resource"]["id"] for entry in body["prefetch"]["rates"]["entry"]] == ["o1", "o2"]
    assert (body["hook"], body["context"]) == ("patient-view", CONTEXT)
    claims = json.loads(headers["authorization"].removeprefix("Bearer "))
    assert claims["aud"] == service.url and claims["iss"] == body["fhirServer"]
    assert 0 < claims["exp"] - claims["iat"] <= 300 and claims["jti"]


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (b"{}", 200, "no list of cards"),
        (b"hello", 200, "no JSON"),
        (b"[" * 100_000, 200, "no JSON"),
        (b"", 412, "answered 412"),
        (json.dumps({"cards": [7]}).encode(), 200, "no object"),
        (json.dumps({"cards": [{**CARD, "summary": "x" * 141}]}).encode(), 200, "summary"),
        (json.dumps({"cards": [{**CARD, "indicator": "hard-stop"}]}).encode(), 200, "indicator"),
        (json.dumps({"cards": [{**CARD, "source": {}}]}).encode(), 200, "source"),
        (b" " * 1_100_000, 200, "larger than"),
    ],
)
def test_a_service_that_answers_otherwise_is_described(answer: bytes, status: int, said: str) -> None:
    with listening(answer, status) as service:
        call = fired(service.url)
    assert said in "; ".join(call.problems)


def test_a_service_that_is_not_there_is_described() -> None:
    with listening() as service:
        pass
    assert "no answer" in fired(service.url).problems[0]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/x",
        "http://10.0.0.1/x",
        "http://169.254.169.254/x",
        "ftp://127.0.0.1/x",
        "http://a@127.0.0.1/",
        "http://127.0.0.1:99999/",
        "x",
        "",
    ],
)
def test_nothing_but_this_computer_is_called(url: str) -> None:
    with pytest.raises(RefusalError, match="no address on this computer"):
        fired(url)


# Subscriptions ------------------------------------------------------------------------------------------------------


def subscription(endpoint: str, content: str = "id-only", filters: str = "Observation?patient=p1") -> dict[str, Any]:
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "test",
        "criteria": TOPIC,
        "_criteria": {"extension": [{"url": f"{_BACKPORT}/backport-filter-criteria", "valueString": filters}]},
        "channel": {
            "type": "rest-hook",
            "endpoint": endpoint,
            "payload": "application/fhir+json",
            "_payload": {"extension": [{"url": f"{_BACKPORT}/backport-payload-content", "valueCode": content}]},
        },
    }


OBSERVATION = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}


def parameters(bundle: dict[str, Any]) -> dict[str, Any]:
    (status, *_) = bundle["entry"]
    return {
        item["name"]: next((value for name, value in item.items() if name != "name"), None)
        for item in status["resource"]["parameter"]
    }


@pytest.mark.parametrize("content", ["empty", "id-only", "full-resource"])
def test_a_subscription_is_shaken_hands_with_and_told_of_what_fits(content: str) -> None:
    desk = Desk(hospital())
    with listening() as endpoint:
        assert desk.ask("POST", "Subscription", subscription(endpoint.url, content)).status_code == 201
        for patient in ("p2", "p1"):
            desk.ask("POST", "Observation", {**OBSERVATION, "subject": {"reference": f"Patient/{patient}"}})
    handshake, event = (body for _, body in endpoint.heard)
    assert handshake["type"] == event["type"] == "history"
    assert parameters(handshake)["type"] == "handshake"
    told = parameters(event)
    assert (told["type"], told["topic"], told["events-since-subscription-start"]) == ("event-notification", TOPIC, "1")
    assert len(event["entry"]) == (1 if content == "empty" else 2)
    if content != "empty":
        assert ("resource" in event["entry"][1]) == (content == "full-resource")
        assert desk.get(event["entry"][1]["fullUrl"]).json()["subject"] == {"reference": "Patient/p1"}
    identity = handshake["entry"][0]["request"]["url"]
    status = desk.get(identity).json()["entry"][0]
    assert parameters({"entry": [status]})["events-since-subscription-start"] == "1"
    assert [notice.status for notice in desk.state.hospital(desk.organization).notices] == [200, 200]


def test_r5_tells_with_a_status_of_its_own() -> None:
    desk = Desk(hospital(release="R5", metadata=statement("5.0.0")))
    with listening() as endpoint:
        body = {
            "resourceType": "Subscription",
            "status": "requested",
            "topic": TOPIC,
            "filterBy": [{"resourceType": "Observation", "filterParameter": "patient", "value": "p1"}],
            "channelType": {"code": "rest-hook"},
            "endpoint": endpoint.url,
            "content": "id-only",
        }
        assert desk.ask("POST", "Subscription", body).status_code == 201
        desk.ask("POST", "Observation", {**OBSERVATION, "subject": {"reference": "Patient/p1"}})
    event = endpoint.heard[1][1]
    assert event["type"] == "subscription-notification"
    assert event["entry"][0]["resource"]["resourceType"] == "SubscriptionStatus"
    assert event["entry"][0]["resource"]["notificationEvent"][0]["eventNumber"] == "1"


def test_an_endpoint_that_is_gone_stops_nothing() -> None:
    desk = Desk(hospital())
    with listening() as endpoint:
        pass
    assert desk.ask("POST", "Subscription", subscription(endpoint.url)).status_code == 201
    (notice,) = desk.state.hospital(desk.organization).notices
    assert notice.status is None and "ClientConnector" in notice.problem


def test_an_undone_transaction_is_told_to_nobody() -> None:
    desk = Desk(hospital())
    with listening() as endpoint:
        desk.ask("POST", "Subscription", subscription(endpoint.url))
        good = {
            "request": {"method": "POST", "url": "Observation"},
            "resource": {**OBSERVATION, "subject": {"reference": "Patient/p1"}},
        }
        bad = {"request": {"method": "DELETE", "url": "Observation/never"}}
        # Updates come after deletes, so the order of processing is turned round: a create that fails after another.
        worse = {"request": {"method": "POST", "url": "Observation"}, "resource": {"resourceType": "Patient"}}
        for wrong in (bad, worse):
            assert (
                desk.ask(
                    "POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": [good, wrong]}
                ).status_code
                >= 400
            )
        desk.ask("POST", "Observation", {**OBSERVATION, "subject": {"reference": "Patient/p2"}})
    assert len(endpoint.heard) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"criteria": "Observation?code=x"}, "no topic of this server"),
        ({"channel": {"type": "email", "endpoint": "mailto:a@example.org"}}, "rest-hook alone"),
        ({"channel": {"type": "rest-hook", "endpoint": "http://example.org/"}}, "no address on this computer"),
        ({"channel": {"type": "rest-hook"}}, "no address on this computer"),
    ],
)
def test_a_subscription_that_cannot_be_kept_is_refused(change: dict[str, Any], said: str) -> None:
    response = Desk(hospital()).ask("POST", "Subscription", {**subscription("http://127.0.0.1:9/"), **change})
    assert response.status_code == 422 and said in words(response)


def test_a_running_server_fires_hooks_signed_with_its_keys_and_is_reset() -> None:
    with SandboxServer([hospital()]) as server, listening(json.dumps({"cards": []}).encode()) as service:
        prefetch = {"patient": "Patient/{{context.patientId}}"}
        call = server.fire_hook("rich", service.url, "patient-view", CONTEXT, prefetch)
        assert (call.status, call.problems) == (200, ())
        ((headers, body),) = service.heard
        assert body["prefetch"]["patient"]["id"] == "p1" and body["fhirServer"] == server.base_url("rich")
        keys = KeySet.import_key_set(server._state.keys.jwks("rich", 0))  # type: ignore[arg-type]  # its typing wants more
        token = jwt.decode(headers["authorization"].removeprefix("Bearer "), keys, algorithms=["ES384"])
        assert token.header["typ"] == "JWT" and token.claims["aud"] == service.url
        place = server._state.hospital(server.organizations[0])
        place.store.delete("Patient", "p1")
        server.reset("rich")
        assert place.store.get("Patient", "p1") is not None
        with pytest.raises(InterlockError, match="no organisation"):
            server.reset("nobody")
