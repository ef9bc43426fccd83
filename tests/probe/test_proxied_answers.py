"""Requests through a proxy: what it says for itself is never taken for the server's word."""

from __future__ import annotations

import pytest
from probe_documents import smart, statement
from probe_loopback import Loopback, Reply, as_json, redirect

from interlock.model.observation import Check, Observation, Target
from interlock.probe.recheck import recheck
from interlock.probe.runner import ProbeSettings, probe_sync

PLAIN = "http://ehr.example.invalid/fhir"
SECURE = "https://ehr.example.invalid/fhir"


@pytest.fixture
def proxy(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> Loopback:
    """A proxy that the environment names; it answers 404 to whatever it does not know."""
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, loopback.origin.replace("://", "://user:secret@"))
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return loopback


def observe(base: str, **changes: object) -> Observation:
    (observation,) = probe_sync([Target(base_url=base)], ProbeSettings(**({"deadline_s": 5.0, "retries": 0} | changes)))  # type: ignore[arg-type]
    return observation


def check(observation: Observation, check_id: str) -> Check:
    return next(one for one in observation.checks if one.id == check_id)


def found(observation: Observation) -> set[str]:
    return {one.id for one in observation.checks if one.outcome in {"fail", "warn"}}


@pytest.mark.parametrize("status", [403, 404, 407, 410, 502, 503, 504])
def test_what_a_proxy_may_have_said_is_no_finding_about_a_plain_server(proxy: Loopback, status: int) -> None:
    for path in ("metadata", ".well-known/smart-configuration", ".well-known/udap"):
        proxy.routes[f"{PLAIN}/{path}"] = Reply(b"", status, "text/html")
    observation = observe(PLAIN, thorough=True)
    assert observation.outcome == "not_observed"
    assert {record.failure for record in observation.requests} == {"connect"}
    assert {record.proxy for record in observation.requests} == {proxy.origin}
    assert found(observation) == {"NET-005"}  # the base URL is http, whoever answers there
    reason = observation.reason_not_observed() or ""
    assert proxy.origin in reason and f"HTTP {status}" in reason and "ehr.example.invalid" in reason
    assert proxy.origin in check(observation, "CAP-001").message
    assert "secret" not in observation.model_dump_json()
    assert check(observation, "NET-001").outcome == "not_observed"
    assert len(proxy.requests) == 3  # asking in other words cannot help


def test_a_plain_server_is_read_through_a_proxy_and_the_proxy_is_named(proxy: Loopback) -> None:
    proxy.routes[f"{PLAIN}/metadata"] = as_json(statement())
    observation = observe(PLAIN)
    assert observation.outcome == "partial"
    assert observation.facts.capability is not None
    assert {record.proxy for record in observation.requests} == {proxy.origin}
    assert check(observation, "SMART-001").outcome == "not_observed"
    assert "cannot be told" in check(observation, "SMART-001").message


def test_a_judgement_made_again_says_the_same(proxy: Loopback) -> None:
    observation = observe(PLAIN)
    again = recheck(observation, {})
    assert again.outcome == "not_observed"
    assert {one.id: one.outcome for one in again.checks} == {one.id: one.outcome for one in observation.checks}


@pytest.mark.parametrize("status", [403, 404, 407, 502, 503, 504])
def test_a_tunnel_that_is_not_opened_is_a_failure_to_connect(proxy: Loopback, status: int) -> None:
    proxy.routes["ehr.example.invalid:443"] = Reply(b"", status, "text/html")
    observation = observe(SECURE)
    assert {request.method for request in proxy.requests} == {"CONNECT"}
    assert observation.outcome == "not_observed"
    assert {record.failure for record in observation.requests} == {"connect"}
    assert not found(observation)
    reason = observation.reason_not_observed() or ""
    assert proxy.origin in reason and f"HTTP {status}" in reason
    assert check(observation, "NET-001").outcome == "not_observed"
    assert check(observation, "NET-002").outcome == "not_observed"


@pytest.mark.parametrize(
    ("proxy_url", "said"),
    [("http://127.0.0.1:9", "the proxy cannot be reached"), ("http://proxy.invalid:3128", "does not resolve")],
)
def test_a_proxy_that_is_not_there_is_not_the_servers_matter(proxy_url: str, said: str) -> None:
    observation = observe(SECURE, proxy=proxy_url)
    assert {record.failure for record in observation.requests} == {"connect"}
    reason = observation.reason_not_observed() or ""
    assert said in reason and proxy_url in reason
    assert not found(observation)


def test_a_host_that_goes_without_a_proxy_is_judged_as_ever(proxy: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Loopback()
    try:
        base = other.serve(None, as_json(smart()))
        direct = observe(base)
        assert check(direct, "CAP-001").outcome == "fail"
        assert {record.proxy for record in direct.requests} == {None}
    finally:
        other.close()
    monkeypatch.setenv("no_proxy", "ehr.example.invalid")
    excepted = observe(PLAIN)
    assert {(record.failure, record.proxy) for record in excepted.requests} == {("dns", None)}
    assert not proxy.requests


def test_every_request_of_a_redirect_names_its_own_proxy(proxy: Loopback) -> None:
    proxy.routes[f"{PLAIN}/metadata"] = redirect("http://other.example.invalid/fhir/metadata")
    proxy.routes["http://other.example.invalid/fhir/metadata"] = as_json(statement())
    observation = observe(PLAIN)
    first, second = [record for record in observation.requests if record.purpose == "metadata"]
    assert (first.reading, second.reading) == ("redirect", "document")
    assert first.proxy == second.proxy == proxy.origin
