"""Recorded servers with everything that they published: each fact is a row of an independent reading, and no more.

Served from loopback with the recorded host replaced by this one, so that the identity provider's own document, which
lives at an advertised address, is found too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from integration_reading import (
    OPENID_FIELDS,
    SMART_FIELDS,
    declared_rows,
    fact_rows,
    published,
    smart_derived,
)
from integration_replay import ReplayServer

from interlock.model.observation import Observation, Target
from interlock.probe.recheck import recheck
from interlock.probe.transport.settings import ProbeEvent, ProbeSettings
from typed_targets import probe_sync

#: Server → a few numbers that a person counted in its documents: types, types that can be created, scopes.
SERVERS: dict[str, tuple[int, int, int | None]] = {
    "athena-r4": (32, 1, None),
    "careevolution-r4": (40, 28, None),
    "epic-dstu2": (17, 0, None),
    "epic-r4": (59, 11, 5),
    "epic-stu3": (35, 6, None),
    "inferno-reference-r4": (26, 2, 469),
    "meditech-r4": (33, 2, 581),
    "oracle-r4-secure": (44, 19, 117),
    "tsys-sandbox": (0, 0, 1),
}

PATHS = {"metadata": "/fhir/metadata", "smart-configuration": "/fhir/.well-known/smart-configuration"}


def publish(replay: ReplayServer, directory: Path) -> dict[str, dict[str, Any]]:
    """Serve a server's documents; what they say, by name, after the host was replaced."""
    texts = {file.stem: file.read_text("utf-8") for file in sorted(directory.glob("*.json"))}
    issuer = json.loads(texts.get("openid-configuration", "{}")).get("issuer")
    if issuer:
        parts = urlsplit(issuer)
        texts = {name: text.replace(f"{parts.scheme}://{parts.netloc}", replay.origin) for name, text in texts.items()}
    documents = {name: json.loads(text) for name, text in texts.items()}
    for name, text in texts.items():
        advertised = urlsplit(documents[name].get("issuer", "")).path.rstrip("/") + "/.well-known/openid-configuration"
        path = PATHS.get(name, advertised)
        replay.put(path, text.encode(), "application/fhir+json" if name == "metadata" else "application/json")
    return documents


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_facts_are_the_rows_of_an_independent_reading(replay: ReplayServer, servers: Path, name: str) -> None:
    documents = publish(replay, servers / name)
    events: list[ProbeEvent] = []
    settings = ProbeSettings(deadline_s=20, thorough=True)
    (observation,) = probe_sync([Target(base_url=f"{replay.origin}/fhir")], settings, events.append)
    facts = observation.model_dump(mode="json")["facts"]
    if "metadata" in documents:
        assert fact_rows(facts["capability"]) == declared_rows(documents["metadata"])
    if "smart-configuration" in documents:
        document = documents["smart-configuration"]
        assert published(facts["smart"], SMART_FIELDS) == without_repeats(published(document, SMART_FIELDS))
        derived = smart_derived(document)
        assert {field: facts["smart"][field] for field in derived} == derived
    if "openid-configuration" in documents:
        expected = without_repeats(published(documents["openid-configuration"], OPENID_FIELDS))
        assert published(facts["openid"], OPENID_FIELDS) == expected
        assert outcome(observation, "OIDC-003") == "pass"  # the issuer is exactly the one that was advertised
    counted = (types(facts), creatable(facts), scopes(facts))
    assert counted == SERVERS[name]
    assert not [check for check in observation.checks if check.outcome == "error" or check.id == "NET-000"]
    again = recheck(Observation.model_validate_json(observation.model_dump_json()), events[-1].bodies)
    assert (again.facts, again.outcome, again.checks) == (observation.facts, observation.outcome, observation.checks)


def without_repeats(document: dict[str, Any]) -> dict[str, Any]:
    return {name: list(dict.fromkeys(value)) if isinstance(value, list) else value for name, value in document.items()}


def outcome(observation: Observation, check_id: str) -> str:
    return next(check.outcome.value for check in observation.checks if check.id == check_id)


def types(facts: dict[str, Any]) -> int:
    return len(facts["capability"]["resources"]) if facts["capability"] else 0


def creatable(facts: dict[str, Any]) -> int:
    resources = facts["capability"]["resources"].values() if facts["capability"] else ()
    return sum("create" in resource["interactions"] for resource in resources)


def scopes(facts: dict[str, Any]) -> int | None:
    smart = facts["smart"]
    return None if smart is None or smart["scopes_supported"] is None else len(smart["scopes_supported"])
