"""Documents of real servers, served byte for byte from loopback, against an independent reading of the same JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from probe_loopback import Loopback, Reply

from interlock.model.observation import Observation, Target
from interlock.probe.recheck import recheck
from interlock.probe.transport.settings import ProbeEvent, ProbeSettings
from typed_targets import probe_sync

pytestmark = pytest.mark.fast

SERVERS = (
    "athena-r4",
    "careevolution-r4",
    "epic-dstu2",
    "epic-r4",
    "epic-stu3",
    "inferno-reference-r4",
    "meditech-r4",
    "oracle-r4-secure",
    "tsys-sandbox",
)
RELEASES = {"1.0.2": "DSTU2", "3.0.1": "STU3", "4.0.1": "R4"}


def publish(loopback: Loopback, directory: Path) -> str:
    for name, path in (
        ("metadata", "/fhir/metadata"),
        ("smart-configuration", "/fhir/.well-known/smart-configuration"),
    ):
        file = directory / f"{name}.json"
        if file.exists():
            media_type = "application/fhir+json" if name == "metadata" else "application/json"
            loopback.routes[path] = Reply(file.read_bytes(), 200, media_type)
    return loopback.base


def observe(base: str) -> tuple[Observation, dict[str, bytes]]:
    events: list[ProbeEvent] = []
    (observation,) = probe_sync([Target(base_url=base)], ProbeSettings(deadline_s=10), events.append)
    return observation, dict(events[-1].bodies)


@pytest.mark.parametrize("server", SERVERS)
def test_facts_are_what_the_documents_say(loopback: Loopback, servers: Path, server: str) -> None:
    directory = servers / server
    observation, _ = observe(publish(loopback, directory))
    has_statement = (directory / "metadata.json").exists()
    assert observation.outcome == ("observed" if has_statement else "partial")
    if has_statement:
        document = json.loads((directory / "metadata.json").read_bytes())
        compare_statement(document, observation)
    if (directory / "smart-configuration.json").exists():
        compare_smart(json.loads((directory / "smart-configuration.json").read_bytes()), observation)
    assert not [check for check in observation.checks if check.outcome == "error"]
    readable = next(check for check in observation.checks if check.id == "CAP-013")
    assert readable.outcome == ("pass" if has_statement else "not_observed")


def unique(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def compare_statement(document: dict[str, Any], observation: Observation) -> None:
    facts = observation.facts.capability
    assert facts is not None
    assert facts.fhir_version == document["fhirVersion"]
    assert facts.fhir_release == RELEASES[document["fhirVersion"]]
    assert facts.kind == document["kind"]
    assert facts.status == document.get("status")
    assert facts.date == document["date"]
    assert list(facts.formats) == document["format"]
    assert facts.software == document.get("software", {})
    assert facts.implementation_url == document.get("implementation", {}).get("url")
    assert list(facts.instantiates) == document.get("instantiates", [])
    (rest,) = document["rest"]
    everywhere = [entry["name"] for entry in rest.get("searchParam", [])]
    assert list(facts.resources) == [entry["type"] for entry in rest["resource"]]
    for entry in rest["resource"]:
        resource = facts.resources[entry["type"]]
        assert list(resource.interactions) == unique(
            declaration["code"] for declaration in entry.get("interaction", [])
        )
        parameters = [declared["name"] for declared in entry.get("searchParam", [])]
        assert set(resource.search_params) == {*parameters, *everywhere}
        assert len(resource.search_params) == len({*parameters, *everywhere})
        assert list(resource.profiles) == unique(entry.get("supportedProfile", []))
        assert set(resource.operations) == {
            declaration["name"].lstrip("$") for declaration in entry.get("operation", [])
        }
        profile = entry.get("profile")
        assert resource.profile == (profile["reference"] if isinstance(profile, dict) else profile)
    assert list(facts.system_interactions) == [declaration["code"] for declaration in rest.get("interaction", [])]
    assert set(facts.operations) == {declaration["name"] for declaration in rest.get("operation", [])}
    compare_security(rest["security"], observation)


def compare_security(security: dict[str, Any], observation: Observation) -> None:
    assert observation.facts.capability is not None
    facts = observation.facts.capability.security
    assert facts.cors == security.get("cors")
    codes = [coding["code"] for service in security.get("service", []) for coding in service.get("coding", [])]
    assert set(facts.services) >= set(codes)
    extensions = [extension for extension in security["extension"] if extension["url"].endswith("oauth-uris")]
    assert facts.oauth_uris_count == len(extensions)
    expected = {
        part["url"]: part["valueUri"]
        for extension in extensions
        if extension["url"].startswith("http://fhir-registry.smarthealthit.org/")
        for part in extension["extension"]
    }
    published = facts.oauth_uris.model_dump(by_alias=True, exclude_none=True)
    assert published == expected


def compare_smart(document: dict[str, Any], observation: Observation) -> None:
    facts = observation.facts.smart
    assert facts is not None
    assert facts.source == "well-known"
    for name in (
        "issuer",
        "jwks_uri",
        "authorization_endpoint",
        "token_endpoint",
        "registration_endpoint",
        "management_endpoint",
        "introspection_endpoint",
        "revocation_endpoint",
    ):
        assert getattr(facts, name) == document.get(name)
    for name in (
        "capabilities",
        "grant_types_supported",
        "response_types_supported",
        "code_challenge_methods_supported",
        "token_endpoint_auth_signing_alg_values_supported",
    ):
        published = getattr(facts, name)
        assert (None if published is None else list(published)) == document.get(name)
    scopes = document.get("scopes_supported")
    assert (facts.scopes_supported is None) == (scopes is None)
    assert set(facts.scopes_supported or ()) == set(scopes or ())
    methods = document.get("code_challenge_methods_supported")
    assert facts.pkce_s256 == (None if methods is None else "S256" in methods)


def test_what_is_known_of_each_server(loopback: Loopback, servers: Path) -> None:
    """Facts that a person read off the recordings."""
    epic, _ = observe(publish(loopback, servers / "epic-r4"))
    assert epic.facts.smart is not None
    assert set(epic.facts.smart.launch_modes) == {"ehr", "standalone", "backend"}
    assert len(epic.facts.smart.capability_sets) == 4
    assert epic.facts.smart.scopes_v2 is False
    loopback.routes.clear()
    tsys, _ = observe(publish(loopback, servers / "tsys-sandbox"))
    assert tsys.facts.smart is not None
    assert tsys.facts.smart.pkce_s256 is None
    outcomes = {check.id: check.outcome for check in tsys.checks}
    assert outcomes["SMART-004"] == "warn"
    assert outcomes["SMART-005"] == "warn"
    loopback.routes.clear()
    oracle, _ = observe(publish(loopback, servers / "oracle-r4-secure"))
    outcomes = {check.id: check.outcome for check in oracle.checks}
    assert outcomes["OIDC-002"] == "fail"
    assert outcomes["CAP-010"] == "warn"
    loopback.routes.clear()
    meditech, _ = observe(publish(loopback, servers / "meditech-r4"))
    outcomes = {check.id: check.outcome for check in meditech.checks}
    assert outcomes["CAP-035"] == "pass"
    loopback.routes.clear()
    athena, _ = observe(publish(loopback, servers / "athena-r4"))
    outcomes = {check.id: check.outcome for check in athena.checks}
    assert outcomes["SMART-017"] == "warn"


@pytest.mark.parametrize("server", ["epic-dstu2", "inferno-reference-r4", "tsys-sandbox"])
def test_a_stored_observation_is_judged_the_same_again(loopback: Loopback, servers: Path, server: str) -> None:
    observation, bodies = observe(publish(loopback, servers / server))
    stored = Observation.model_validate_json(observation.model_dump_json())
    again = recheck(stored, bodies)
    assert again.facts == observation.facts
    assert again.outcome == observation.outcome
    assert again.checks == observation.checks
