"""Requests through a proxy: what it says for itself is never taken for the server's word."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from credential_cases import (
    NEEDS,
    OBSERVATIONS,
    PATIENT,
    PERSONAL,
    SECRET,
    TOKEN,
    bundle,
    credentials,
    guarded,
    issued,
    sampled,
    written,
)
from probe_documents import SMART, smart, statement
from probe_loopback import Handler, Loopback, Reply, Request, as_json, redirect, relay

from interlock.model.observation import Check, Observation, RequestRecord, Target
from interlock.probe.recheck import recheck
from interlock.probe.transport.settings import ProbeSettings
from typed_targets import probe_sync

pytestmark = pytest.mark.fast

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
    return next(check for check in observation.checks if check.id == check_id)


def findings(observation: Observation) -> set[str]:
    return {check.id for check in observation.checks if check.outcome in {"fail", "warn"}}


@pytest.mark.parametrize("status", [403, 404, 407, 410, 502, 503, 504])
def test_what_a_proxy_may_have_said_is_no_finding_about_a_plain_server(proxy: Loopback, status: int) -> None:
    for path in ("metadata", ".well-known/smart-configuration", ".well-known/udap"):
        proxy.routes[f"{PLAIN}/{path}"] = Reply(b"", status, "text/html")
    observation = observe(PLAIN, thorough=True)
    assert observation.outcome == "not_observed"
    assert {record.failure for record in observation.requests} == {"connect"}
    assert {record.proxy for record in observation.requests} == {proxy.origin}
    assert findings(observation) == {"NET-005"}  # the base URL is http, whoever answers there
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
    assert {check.id: check.outcome for check in again.checks} == {
        check.id: check.outcome for check in observation.checks
    }


@pytest.mark.parametrize("status", [403, 404, 407, 502, 503, 504])
def test_a_tunnel_that_is_not_opened_is_a_failure_to_connect(proxy: Loopback, status: int) -> None:
    proxy.routes["ehr.example.invalid:443"] = Reply(b"", status, "text/html")
    observation = observe(SECURE)
    assert {request.method for request in proxy.requests} == {"CONNECT"}
    assert observation.outcome == "not_observed"
    assert {record.failure for record in observation.requests} == {"connect"}
    assert not findings(observation)
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
    assert not findings(observation)


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


def test_whoever_asks_to_wait_is_heeded(proxy: Loopback) -> None:
    """A 503 may be the proxy's own: it is no answer of the server, and what it asks for is done all the same."""
    asked: list[Request] = []

    def busy_once(request: Request) -> Reply:
        asked.append(request)
        busy = Reply(b"", 503, None, {"Retry-After": "0"})
        return busy if len(asked) == 1 else as_json(statement())

    proxy.routes[f"{PLAIN}/metadata"] = busy_once
    observation = observe(PLAIN, retries=1)
    first, second = [record for record in observation.requests if record.purpose == "metadata"]
    assert (first.failure, first.status, second.status) == ("connect", None, 200)
    assert observation.facts.capability is not None
    busy = Reply(b"", 503, None, {"Retry-After": "60"})
    for path in ("metadata", ".well-known/smart-configuration"):
        proxy.routes[f"{PLAIN}/{path}"] = busy
    proxy.requests.clear()
    observation = observe(PLAIN, retries=1, per_host=1)
    assert len(proxy.requests) == 1
    details = " ".join(record.detail or "" for record in observation.requests)
    assert "cannot be told; it asks to wait 60 s" in details
    assert "asked to be left alone" in details


def active(proxy: Loopback, token: Reply, read: Reply) -> Observation:
    """An active probe of a plain server whose documents a proxy passes on, and then these answers."""

    class Routes(dict[str, Any]):
        def get(self, path: str, default: Any = None) -> Any:
            return read if path.startswith(f"{PLAIN}/Patient/") else super().get(path, default)

    documents = {
        f"{PLAIN}/metadata": as_json(statement()),
        f"{PLAIN}/.well-known/smart-configuration": as_json(SMART | {"token_endpoint": f"{PLAIN}/token"}),
    }
    proxy.routes = Routes({**documents, f"{PLAIN}/token": token})
    return observe(PLAIN, active=True)


def records(observation: Observation, *purposes: str) -> list[RequestRecord]:
    return [record for record in observation.requests if record.purpose in purposes]


@pytest.mark.parametrize("status", [403, 404, 407, 410, 502, 503, 504])
def test_a_proxys_refusal_is_no_safe_negative(proxy: Loopback, status: int) -> None:
    """A 403 of the proxy would otherwise pass for a server that guards its patients."""
    answer = Reply(b"", status, "text/html")
    observation = active(proxy, answer, answer)
    beyond = records(observation, "token-negative", "anonymous-read")
    assert len(beyond) == 2
    assert {(record.failure, record.status, record.proxy) for record in beyond} == {("connect", None, proxy.origin)}
    for check_id in ("NEG-001", "NEG-003", "NEG-004", "NEG-005"):
        judged = check(observation, check_id)
        assert judged.outcome == "not_observed", judged
    assert f"HTTP {status}" in check(observation, "NEG-004").message
    assert proxy.origin in check(observation, "NEG-004").message
    assert observation.facts.security is not None
    assert observation.facts.security.anonymous_read is None
    assert "user:secret" not in observation.model_dump_json()


def test_what_only_the_server_says_counts_through_a_proxy_too(proxy: Loopback) -> None:
    refused = as_json({"error": "unsupported_grant_type"}, 400)
    unauthorized = Reply(b"", 401, None, {"WWW-Authenticate": "Bearer"})
    observation = active(proxy, refused, unauthorized)
    assert [check(observation, f"NEG-00{number}").outcome for number in (1, 3, 4, 5)] == ["pass"] * 4
    assert {record.proxy for record in observation.requests} == {proxy.origin}
    given = active(proxy, as_json({"access_token": "x"}), as_json(PATIENT))
    assert check(given, "NEG-004").outcome == "fail"
    assert {record.proxy for record in records(given, "token-negative", "anonymous-read")} == {proxy.origin}
    assert "Quillfeather" not in given.model_dump_json()


def tunnel(port: int, opened: int) -> Handler:
    """Leads to a server on this machine as often as said; after that HTTP 502."""
    left = [opened]

    async def connect(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left[0] -= 1
        if left[0] < 0:
            writer.write(Reply(b"Quillfeather", 502, "text/html").encode())
            await writer.drain()
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await relay(reader, writer, port)

    return connect


@pytest.mark.parametrize("opened", [2, 3, 4, 5], ids=["token", "patients", "observations", "all"])
def test_a_sample_names_the_proxy_and_what_it_refuses(
    proxy: Loopback, authority: trustme.CA, tmp_path: Path, serve: Callable[[ssl.SSLContext], Loopback], opened: int
) -> None:
    """Two documents, the token, two searches: the tunnels are refused from one of them on."""
    bundle_path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle_path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("ehr.example.invalid").configure_cert(context)
    server = serve(context)
    routes: dict[str, Any] = {
        "fhir/token": issued(),
        "fhir/Patient": guarded(as_json(bundle(PATIENT))),
        "fhir/Observation": guarded(as_json(bundle(*OBSERVATIONS))),
    }
    server.serve(as_json(statement()), as_json(SMART | {"token_endpoint": f"{SECURE}/token"}), **routes)
    proxy.routes["ehr.example.invalid:443"] = tunnel(server.port, opened)
    observation = sampled(SECURE, credentials("client_secret_basic"), NEEDS, ca_bundle=bundle_path, deadline_s=5.0)
    beyond = records(observation, "token", "sample")
    assert beyond and {record.proxy for record in observation.requests} == {proxy.origin}
    broken = [record for record in beyond if record.failure is not None]
    assert len(broken) == {2: 1, 3: 2, 4: 1, 5: 0}[opened]
    for record in broken:
        assert record.failure == "connect" and record.status is None
        assert record.detail is not None
        assert proxy.origin in record.detail and "HTTP 502" in record.detail
    data = observation.facts.data
    assert data is not None and data.token is not None
    outcomes = [sample.outcome for sample in data.inputs]
    assert outcomes == {2: ["not_asked"] * 2, 3: ["failed"] * 2, 4: ["sampled", "failed"], 5: ["sampled"] * 2}[opened]
    assert check(observation, "DATA-001").outcome == ("not_observed" if opened == 2 else "pass")
    if opened == 2:
        assert proxy.origin in check(observation, "DATA-001").message
    everything = written(observation)
    assert not [value for value in (*PERSONAL, TOKEN, SECRET, "user:secret") if value in everything]
