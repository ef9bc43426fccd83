"""nginx in front of a FHIR server, as most hospitals have one: the probe's words for each way that it is set up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from integration_nginx import Case, Nginx, find, running

from interlock.model import words
from interlock.model.observation import Observation, Target
from interlock.probe.recheck import recheck
from interlock.probe.transport.settings import ClientCertificate, ProbeEvent, ProbeSettings
from interlock.probe.transport.tls import can_try
from typed_targets import probe_sync


def speaking(versions: str) -> Case:
    return Case(directives=f'ssl_protocols {versions}; ssl_ciphers "ALL:@SECLEVEL=0";')


CASES: dict[str, Case] = {
    "good": Case(
        directives='ssl_protocols TLSv1.2 TLSv1.3; add_header Strict-Transport-Security "max-age=31536000" always;'
    ),
    "as installed": Case(),
    "expired": Case("expired"),
    "expires soon": Case("soon"),
    "other host": Case("other-host"),
    "self-signed": Case("self-signed"),
    "private authority": Case("stranger"),
    "full chain": Case("full-chain"),
    "no intermediate": Case("no-intermediate"),
    "TLS 1.0 only": speaking("TLSv1"),
    "TLS 1.1 only": speaking("TLSv1.1"),
    "TLS 1.0 to 1.3": speaking("TLSv1 TLSv1.1 TLSv1.2 TLSv1.3"),
    "TLS 1.2 only": speaking("TLSv1.2"),
    "TLS 1.3 only": speaking("TLSv1.3"),
    "client certificate": Case(directives="ssl_verify_client on; ssl_client_certificate {bundle};"),
    "rejects the name": Case(directives="ssl_reject_handshake on;"),
    "to plain http": Case(directives="return 301 http://127.0.0.1:{port_of[plain]}$request_uri;"),
    "plain": Case(None),
    "to https": Case(None, "return 301 https://localhost:{port_of[good]}$request_uri;"),
    "in a circle": Case(None, "return 301 http://127.0.0.1:{port_of[in a circle]}$request_uri;"),
    "gzip": Case(None, "gzip on; gzip_types application/json; gzip_min_length 1;"),
    "no keepalive": Case(None, "keepalive_timeout 0;"),
    "one request a connection": Case(None, "keepalive_requests 1;"),
    "limited": Case(None, "limit_req zone=slow; limit_req_status 429;"),
    "limited, says how long": Case(
        None, "limit_req zone=slow; limit_req_status 429; add_header Retry-After 3600 always;"
    ),
    "backend is down": Case(None, "location / {{ proxy_pass http://127.0.0.1:{port_of[nobody]}; }}"),
    "hangs up": Case(None, "return 444;"),
    "password": Case(None, 'auth_basic "FHIR"; auth_basic_user_file /dev/null;'),
    "proxied in chunks": Case(
        None,
        "chunked_transfer_encoding on; gzip on; gzip_types application/json; "
        "location / {{ proxy_pass http://127.0.0.1:{port_of[plain]}; proxy_buffering off; }}",
    ),
    "unknown type": Case(None, "default_type application/octet-stream;"),
}


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    program = find()
    if program is None:
        pytest.skip("nginx is not installed (Debian and Ubuntu: apt-get install nginx-light)")
    with running(program, tmp_path_factory.mktemp("nginx"), CASES) as server:
        yield server


def observe(nginx: Nginx, case: str, base: str | None = None, **changes: Any) -> Observation:
    settings = ProbeSettings(
        deadline_s=20, ca_bundle=nginx.certificates.bundle, thorough=True, **{"retries": 0, **changes}
    )
    events: list[ProbeEvent] = []
    others = [nginx.base(name) for name in nginx.cases]
    (observation,) = probe_sync([Target(base_url=base or nginx.base(case))], settings, events.append, allowed=others)
    found = outcomes(observation)
    assert "error" not in found.values() and "NET-000" not in found
    again = recheck(observation, events[-1].bodies)
    assert (again.outcome, again.checks) == (observation.outcome, observation.checks)
    return observation


def outcomes(observation: Observation) -> dict[str, str]:
    return {check.id: check.outcome.value for check in observation.checks}


def message(observation: Observation, check_id: str) -> str:
    return next(check.message for check in observation.checks if check.id == check_id)


OLD = {"TLSv1", "TLSv1.1"}
#: case → outcome; the probe's word for a failed handshake and whose matter it is; TLS versions offered; NET checks.
TLS: list[tuple[str, str, str, str, str]] = [
    ("good", "observed", "", "1.2 1.3", "2+ 3+ 5+ 9+ 10+ 11+ 12+ 13+ 14+ 15+ 16+ 17+ 18+"),
    ("as installed", "observed", "", "1.2", "3+ 16+ 17+ 18!"),
    ("expired", "not_observed", "expired server", "1.2", "2+ 3- 9+ 10- 11+"),
    ("expires soon", "observed", "", "1.2", "3+ 10!"),
    ("other host", "not_observed", "hostname_mismatch server", "1.2", "3- 10+ 11- 12+"),
    ("self-signed", "not_observed", "self_signed server", "1.2", "3- 11+ 12-"),
    ("private authority", "not_observed", "untrusted_issuer cannot_tell", "1.2", "3! 11+ 12+ 13!"),
    ("full chain", "observed", "", "1.2", "3+ 13+"),
    ("no intermediate", "not_observed", "untrusted_issuer cannot_tell", "1.2", "3! 11+ 13!"),
    ("TLS 1.0 only", "not_observed", "version cannot_tell", "1", "2+ 9! 16- 17- 18!"),
    ("TLS 1.1 only", "not_observed", "version cannot_tell", "1.1", "2+ 9! 16- 17- 18!"),
    ("TLS 1.0 to 1.3", "observed", "", "1 1.1 1.2 1.3", "3+ 16- 17+ 18+"),
    ("TLS 1.2 only", "observed", "", "1.2", "16+ 17+ 18!"),
    ("TLS 1.3 only", "observed", "", "1.3", "16+ 17! 18+"),
    ("rejects the name", "not_observed", "other", "", "2+ 9! 16? 17?"),
]
_SIGNS = {"+": "pass", "!": "warn", "-": "fail", "?": "not_observed"}


@pytest.mark.parametrize(("case", "outcome", "failure", "versions", "checks"), TLS, ids=[row[0] for row in TLS])
def test_tls(nginx: Nginx, case: str, outcome: str, failure: str, versions: str, checks: str) -> None:
    offered = {f"TLSv{version}" for version in versions.split()}
    if not all(can_try(version) for version in ("TLSv1", "TLSv1.1")) and (offered & OLD or "16+" in checks):
        pytest.skip("this machine's OpenSSL cannot try TLS 1.0 and 1.1")
    observation = observe(nginx, case)
    tls = observation.facts.tls
    assert tls is not None
    error, cause, *_ = (*failure.split(), None, None)
    assert (observation.outcome, tls.verified, tls.error, tls.cause) == (outcome, error is None, error, cause)
    assert {version for version, offer in tls.versions.items() if offer == "offered"} == offered
    assert not offered or "cannot_tell" not in tls.versions.values()
    expected = {f"NET-{int(one[:-1]):03d}": _SIGNS[one[-1]] for one in checks.split()}
    found = outcomes(observation)
    assert {check_id: found[check_id] for check_id in expected} == expected
    if outcome == "not_observed":
        assert {request.failure for request in observation.requests} == {"tls"}
        # What a server with a bad certificate publishes was not seen: no finding about it.
        about_documents = [check.outcome.value for check in observation.checks if check.id.startswith(("CAP", "SMART"))]
        assert not {"fail", "warn", "pass"} & set(about_documents)


def test_presented_chain_and_transport_security(nginx: Nginx) -> None:
    good = observe(nginx, "good")
    assert good.facts.security is not None and good.facts.security.hsts is True
    plain = observe(nginx, "as installed")
    assert plain.facts.security is not None and plain.facts.security.hsts is False
    full = observe(nginx, "full chain").facts.tls
    assert full is not None
    assert [one.authority for one in full.chain] == [False, True]
    assert full.chain[0].issuer == full.chain[1].subject
    expired = observe(nginx, "expired")
    assert expired.facts.tls is not None and expired.facts.tls.leaf is not None
    assert words.iso_day(expired.facts.tls.leaf.not_after) in message(expired, "NET-003")
    assert "ehr.example.org" in message(observe(nginx, "other host"), "NET-011")


def test_a_client_certificate_is_asked_for_in_a_page_and_opens_the_door(nginx: Nginx) -> None:
    """nginx lets the handshake pass and answers 400; the title of its page is all that says why."""
    without = observe(nginx, "client certificate")
    assert without.outcome == "not_observed"
    assert {request.status for request in without.requests} == {400}
    assert "No required SSL certificate was sent" in message(without, "NET-020")
    own = ClientCertificate(nginx.certificates.client)
    assert observe(nginx, "client certificate", client_certificate=own).outcome == "observed"


def test_http_on_the_https_port_and_https_on_the_http_port(nginx: Nginx) -> None:
    http = observe(nginx, "good", f"http://127.0.0.1:{nginx.ports['good']}/fhir")
    assert http.outcome == "not_observed"
    assert "plain HTTP request was sent to HTTPS port" in message(http, "NET-020")
    https = observe(nginx, "plain", f"https://localhost:{nginx.ports['plain']}/fhir")
    assert https.facts.tls is not None
    assert (https.outcome, https.facts.tls.error, outcomes(https)["NET-009"]) == ("not_observed", "not_tls", "fail")


#: case → outcome, how the requests end (statuses, or words of failures), checks.
HTTP: list[tuple[str, str, set[int | str], dict[str, str]]] = [
    ("plain", "observed", {200, 404}, {"NET-004": "pass", "NET-006": "pass", "CAP-001": "pass"}),
    ("to https", "observed", {200, 301, 404}, {"NET-006": "warn", "CAP-001": "pass"}),
    ("in a circle", "not_observed", {"redirect"}, {"NET-006": "fail", "CAP-001": "not_observed"}),
    ("to plain http", "not_observed", {"redirect"}, {"NET-003": "pass", "NET-006": "fail", "CAP-001": "not_observed"}),
    ("gzip", "observed", {200, 404}, {"CAP-001": "pass", "CAP-013": "pass"}),
    ("no keepalive", "observed", {200, 404}, {"NET-004": "pass", "CAP-001": "pass"}),
    ("one request a connection", "observed", {200, 404}, {"NET-004": "pass", "CAP-001": "pass"}),
    ("proxied in chunks", "observed", {200, 404}, {"NET-004": "pass", "CAP-001": "pass", "CAP-013": "pass"}),
    ("unknown type", "observed", {200, 404}, {"CAP-001": "pass", "CAP-004": "fail", "SMART-003": "fail"}),
    ("backend is down", "not_observed", {502}, {"NET-002": "pass", "NET-008": "fail", "CAP-001": "not_observed"}),
    ("hangs up", "not_observed", {"reset"}, {"NET-002": "pass", "CAP-001": "not_observed"}),
    ("password", "not_observed", {401}, {"CAP-001": "not_observed", "CAP-002": "warn"}),
]


@pytest.mark.parametrize(("case", "outcome", "ends", "checks"), HTTP, ids=[row[0] for row in HTTP])
def test_http(nginx: Nginx, case: str, outcome: str, ends: set[int | str], checks: dict[str, str]) -> None:
    observation = observe(nginx, case)
    assert observation.outcome == outcome
    assert {request.failure or request.status for request in observation.requests} == ends
    found = outcomes(observation)
    assert {check_id: found[check_id] for check_id in checks} == checks
    if outcome == "observed":
        assert observation.facts.capability is not None
        assert len(observation.facts.capability.resources["Patient"].search_params) == 200
        assert observation.facts.smart is not None and observation.facts.smart.launch_modes == ("standalone",)


def test_compressed_answers_are_counted_after_decoding(nginx: Nginx) -> None:
    packed, plain = observe(nginx, "gzip"), observe(nginx, "plain")
    assert packed.requests[0].headers["content-encoding"] == "gzip"
    assert (packed.requests[0].bytes, packed.requests[0].sha256) == (plain.requests[0].bytes, plain.requests[0].sha256)


def test_a_password_is_named_with_its_scheme(nginx: Nginx) -> None:
    facts = observe(nginx, "password").facts.security
    assert facts is not None
    assert (facts.challenges, facts.open_discovery) == (("Basic",), False)


def test_a_limit_is_kept_and_named(nginx: Nginx) -> None:
    """One request a minute: the first document comes, the others do not, and nobody asks again and again."""
    limited = observe(nginx, "limited", retries=1)
    assert limited.outcome == "partial"
    statuses = [request.status for request in limited.requests]
    assert statuses.count(200) == 1 and statuses.count(429) == 2 * (len({r.purpose for r in limited.requests}) - 1)
    assert (outcomes(limited)["NET-008"], outcomes(limited)["NET-021"]) == ("warn", "warn")
    patient = observe(nginx, "limited, says how long", retries=1)
    assert [request.status for request in patient.requests].count(429) == 2  # an hour is not waited for
    assert outcomes(patient)["NET-021"] == "pass"
    assert "3600 s" in message(patient, "NET-008")
