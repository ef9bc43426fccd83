"""Recorded traffic of two public sandboxes, replayed from loopback: what the probe makes of an API without discovery.

The recordings hold requests of a patient-facing app: searches and reads, with 400, 401, 403 and 404 among the answers,
and neither capability statement nor SMART configuration. Every recorded answer is also handed to the probe in place of
the statement: it must be named for what it is, and never be taken for discovery or kept.
"""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from integration_replay import Recorded, ReplayServer, read_tracks

from interlock.model.observation import Observation, Target
from interlock.probe.recheck import recheck
from interlock.probe.transport.settings import ProbeEvent, ProbeSettings
from typed_targets import probe_sync

#: Recording → its FHIR base, how many exchanges it holds, and how often each status occurs.
RECORDINGS: dict[str, tuple[str, int, dict[int, int]]] = {
    "epic-r4-sandbox": ("/interconnect-fhir-oauth/api/FHIR/R4", 77, {200: 35, 400: 24, 403: 13, 404: 5}),
    "healthit-sandbox": ("/secure/r4/fhir", 41, {200: 30, 401: 11}),
}


@pytest.fixture(params=sorted(RECORDINGS))
def recording(request: pytest.FixtureRequest, corpus: Path) -> tuple[str, list[Recorded]]:
    return request.param, read_tracks(corpus / "traffic" / f"{request.param}.json")


def observe(base: str, **changes: Any) -> tuple[Observation, dict[str, bytes]]:
    events: list[ProbeEvent] = []
    (observation,) = probe_sync([Target(base_url=base)], ProbeSettings(deadline_s=10, **changes), events.append)
    return observation, dict(events[-1].bodies)


def outcomes(observation: Observation) -> dict[str, str]:
    return {check.id: check.outcome.value for check in observation.checks}


def expected_reading(recorded: Recorded) -> str:
    """What an answer is, by its status and its first bytes, worked out here."""
    by_status = {400: "client_error", 401: "unauthorized", 403: "forbidden", 404: "absent"}
    if recorded.status != 200:
        return by_status[recorded.status]
    if recorded.body.startswith(b"%PDF"):
        return "not_json"
    kind = json.loads(recorded.body)["resourceType"]
    return {"Bundle": "bundle", "OperationOutcome": "operation_outcome"}.get(kind, "other_resource")


def test_the_replay_gives_what_was_recorded(recording: tuple[str, list[Recorded]], replay: ReplayServer) -> None:
    name, tracks = recording
    _, count, statuses = RECORDINGS[name]
    assert len(tracks) == count
    assert Counter(one.status for one in tracks) == statuses
    replay.answers.update({one.target: one for one in tracks})
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for one in replay.answers.values():
        try:
            answer = direct.open(replay.origin + one.target, timeout=10)
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            assert (answer.status, answer.read()) == (one.status, one.body)
            assert answer.headers.get("Content-Type") == one.content_type


def test_an_api_without_discovery_is_not_observed(recording: tuple[str, list[Recorded]], replay: ReplayServer) -> None:
    name, tracks = recording
    base = RECORDINGS[name][0]
    replay.answers.update({one.target: one for one in tracks})
    observation, bodies = observe(f"{replay.origin}{base}", thorough=True)
    assert observation.outcome == "not_observed"
    assert observation.facts.capability is None and observation.facts.smart is None
    assert bodies == {}
    found = outcomes(observation)
    assert "error" not in found.values() and "NET-000" not in found
    assert (found["NET-002"], found["CAP-001"], found["SMART-001"]) == ("pass", "fail", "not_observed")
    # Nothing but discovery was asked for, though hundreds of kilobytes of patient data lay open.
    recorded_paths = {one.path for one in tracks}
    assert not recorded_paths & {target.partition("?")[0] for _, target, _ in replay.asked}
    assert {method for method, _, _ in replay.asked} == {"GET"}
    assert recheck(observation, bodies).checks == observation.checks


def test_no_recorded_answer_is_taken_for_a_statement(
    recording: tuple[str, list[Recorded]], replay: ReplayServer
) -> None:
    _, tracks = recording
    readings: Counter[str] = Counter()
    for position, one in enumerate(tracks):
        base = f"/base/{position}"
        for path in ("metadata", "metadata?_format=json", ".well-known/smart-configuration"):
            replay.answers[f"{base}/{path}"] = one
        observation, bodies = observe(f"{replay.origin}{base}")
        assert observation.outcome == "not_observed", one.target
        assert observation.facts.capability is None
        assert observation.facts.smart is None
        reading = expected_reading(one)
        readings[reading] += 1
        last = [record for record in observation.requests if record.purpose == "metadata"][-1]
        assert last.reading == reading, (one.target, last)
        found = outcomes(observation)
        assert "error" not in found.values() and "NET-000" not in found
        # Only a positive "nothing there" is a missing statement; a refusal or something else says nothing about one.
        assert found["CAP-001"] == ("fail" if reading == "absent" else "not_observed")
        assert found["CAP-002"] == ("warn" if reading in {"unauthorized", "forbidden"} else "not_observed")
        assert found["NET-020"] == ("warn" if reading == "client_error" else "pass")
        if one.body and one.status == 200:
            assert last.sha256 == hashlib.sha256(one.body).hexdigest()
            assert last.bytes == len(one.body)
        assert bodies == {}, "patient data would be stored"
        assert_nothing_of_the_patient(one, observation)
        assert recheck(observation, bodies).checks == observation.checks
    assert sum(readings.values()) == len(tracks)
    assert readings["bundle"] >= 10


def assert_nothing_of_the_patient(recorded: Recorded, observation: Observation) -> None:
    """No name, birth date or address of a recorded resource is in the observation."""
    if recorded.status != 200 or not recorded.body.startswith(b"{"):
        return
    text = observation.model_dump_json()
    for value in personal(json.loads(recorded.body)):
        assert value not in text


def personal(value: Any) -> set[str]:
    found: set[str] = set()
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in {"birthDate", "family", "city", "postalCode"} and isinstance(inner, str) and len(inner) > 3:
                found.add(inner)
            found |= personal(inner)
    elif isinstance(value, list):
        for inner in value:
            found |= personal(inner)
    return found
