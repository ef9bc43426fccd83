"""A hospital that is played as it was observed, probed again: the facts of the original, and none of its addresses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from probe_loopback import Loopback
from test_probe_corpus import SERVERS, observe, publish

from interlock.model.errors import InterlockError
from interlock.model.facts import Facts
from interlock.model.observation import Observation
from interlock.sandbox.localising import Localising
from interlock.sandbox.observed import play
from interlock.sandbox.server import SandboxServer
from sandbox_app import app_at

pytestmark = pytest.mark.fast

#: Addresses at which the servers of the shapes and of the recordings stand, as they name themselves.
PLAYABLE = [name for name in SERVERS if name != "tsys-sandbox"]


def told(facts: Facts, local: Localising, base: str) -> dict[str, Any]:
    """The facts that are compared, with the addresses that the simulation would have."""
    families = facts.model_dump(mode="json", include={"capability", "smart", "openid", "bulk"})
    text = json.dumps(local.document(families)).replace("{base}", base)
    found: dict[str, Any] = json.loads(text)
    return found


def as_observed(observation: Observation, bodies: dict[str, bytes]) -> Observation:
    named = observation.target.model_copy(update={"org": "somewhere"})
    return observation.model_copy(update={"target": named})


@pytest.mark.parametrize("name", PLAYABLE)
def test_a_probe_of_the_played_hospital_gives_the_facts_of_the_original(
    loopback: Loopback, servers: Path, name: str
) -> None:
    original, bodies = observe(publish(loopback, servers / name))
    if original.facts.capability is None:
        with pytest.raises(InterlockError, match="no capability statement"):
            play(as_observed(original, bodies), bodies)
        return
    played = play(as_observed(original, bodies), bodies)
    hosts = real_hosts(original)
    with SandboxServer([played.organization]) as server:
        base = server.base_url("somewhere")
        again, _ = observe(base)
        local = Localising(original.target.base_url, hosts)
        assert told(again.facts, Localising(base, ()), base) == told(original.facts, local, base)
        with httpx.Client(trust_env=False) as http:
            answers = [http.get(f"{base}/{path}").text for path in ("metadata", ".well-known/smart-configuration", "x")]
    for answer in answers:
        for host in hosts - {"127.0.0.1"}:
            assert host not in answer.lower()


def real_hosts(observation: Observation) -> set[str]:
    """The hosts that the documents of the original name as its own."""
    capability, smart = observation.facts.capability, observation.facts.smart
    addresses = [capability.implementation_url if capability else None]
    if capability:
        addresses += list(capability.security.oauth_uris.model_dump().values())
    if smart:
        addresses += [value for value in smart.model_dump().values() if isinstance(value, str)]
    return {host for address in addresses if address and "://" in address and (host := httpx.URL(address).host)}


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("https://ehr.example/fhir", "{base}"),
        ("HTTPS://EHR.example:443/fhir/metadata", "{base}/metadata"),
        ("https://user:pw@ehr.example/fhir/x", "{base}/x"),
        ("https://ehr.example/fhirother", "{base}/at-"),
        ("https://ehr.example/oauth2/token?a=b", "{base}/at-"),
        ("https://login.elsewhere.example/token", "{base}/at-"),
        ("see https://login.elsewhere.example/token, please", "see {base}/at-"),
        ("http://hl7.org/fhir/us/core|6.1.0", "http://hl7.org/fhir/us/core|6.1.0"),
        ("http://fhir-registry.smarthealthit.org/x", "http://fhir-registry.smarthealthit.org/x"),
        ("http://evil-hl7.org.attacker.example/x", "{base}/at-"),
        ("mail admin@ehr.example or api.ehr.example.", "mail admin@hospital.invalid or hospital.invalid."),
        ("https://ehr.example/fhir?back=login.ehr.example", "{base}?back=hospital.invalid"),
        ("http://[::1", "http://hospital.invalid"),
        ("{base}", "{ base }"),
    ],
)
def test_addresses_are_those_of_the_simulation(address: str, local: str) -> None:
    found = Localising("https://ehr.example/fhir/", ["ehr.example"]).text(address)
    assert found.startswith(local)
    assert "example" not in found.replace("{base}", "")


def test_what_was_at_one_host_stays_together() -> None:
    local = Localising("https://ehr.example/fhir", [])
    one, two, other = (local.text(f"https://{host}.example/{path}") for host, path in ("ab", "ac", "bc"))
    assert one[:16] == two[:16] != other[:16]


def test_an_observation_whose_documents_are_gone_is_said(loopback: Loopback, servers: Path) -> None:
    observation, _ = observe(publish(loopback, servers / "epic-r4"))
    with pytest.raises(InterlockError, match="metadata document was not kept"):
        play(observation, {})


def test_an_application_signs_in_at_a_played_hospital(loopback: Loopback, servers: Path) -> None:
    observation, bodies = observe(publish(loopback, servers / "epic-r4"))
    played = play(observation, bodies)
    with SandboxServer([played.organization]) as server, httpx.Client(trust_env=False) as http:
        app = app_at(server, http, played.organization.id)
        assert urlsplit(app.token_endpoint).netloc == f"127.0.0.1:{server.port}"
        answer = app.sign_in(scope="openid fhirUser launch/patient patient/Patient.read patient/Observation.read")
        found = app.read(answer["access_token"], f"Observation?patient={answer['patient']}").json()
    assert found["total"] > 10


def test_what_cannot_be_played_is_said(loopback: Loopback, servers: Path) -> None:
    observation, bodies = observe(publish(loopback, servers / "epic-dstu2"))
    limits = " ".join(play(observation, bodies).limits)
    assert "people: there are none in DSTU2" in limits
