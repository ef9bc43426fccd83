"""The 34 things that real servers do, each as a named fault of the sandbox with the outcome that it must have."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import httpx
import pytest

from interlock.model.card_making import card_of
from interlock.model.errors import InterlockError
from interlock.model.observation import Check, Observation, Target
from interlock.probe.transport.plan import clean_base_url
from interlock.probe.transport.settings import ProbeSettings
from interlock.sandbox.exchange import Timing
from interlock.sandbox.faults import FAULTS
from interlock.sandbox.server import SandboxServer
from typed_targets import probe_sync, typed

SETTINGS = ProbeSettings(deadline_s=4, connect_timeout_s=2, max_bytes=12_000_000)
BRIEF = replace(SETTINGS, deadline_s=0.6, connect_timeout_s=0.5)


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(timing=Timing(slow=0.4, hang=1.5)) as running:
        yield running


def observe(base: str, settings: ProbeSettings = SETTINGS) -> Observation:
    (observation,) = probe_sync([Target(base_url=base)], settings)
    return observation


def check(observation: Observation, check_id: str) -> Check:
    return next(check for check in observation.checks if check.id == check_id)


class Expected(NamedTuple):
    """What one fault must lead to: the whole outcome, and check ids with theirs."""

    quirk: int
    fault: str
    outcome: str
    checks: dict[str, str]
    settings: ProbeSettings = SETTINGS
    organization: str = "riverside"


GOOD = "observed"
TABLE = (
    Expected(1, "xml-by-default", GOOD, {"CAP-003": "pass"}),
    Expected(1, "xml-only", "partial", {"CAP-003": "fail", "CAP-001": "not_observed"}),
    Expected(2, "json-format-param-only", GOOD, {"CAP-003": "warn"}),
    Expected(2, "json-fhir-only", GOOD, {"CAP-003": "warn"}, organization="pinecrest"),
    Expected(3, "406-fhir-json", GOOD, {"CAP-003": "warn"}),
    Expected(4, "charset-400", GOOD, {"CAP-003": "pass", "NET-020": "pass"}),
    Expected(4, "parameter-400", GOOD, {"CAP-003": "pass", "NET-020": "warn"}),
    Expected(5, "user-agent-403", "not_observed", {"NET-024": "warn", "CAP-001": "not_observed"}),
    Expected(5, "user-agent-415", "not_observed", {"NET-024": "warn", "CAP-001": "not_observed"}),
    Expected(6, "smart-as-fhir-json", GOOD, {"SMART-001": "pass", "SMART-003": "fail"}),
    Expected(6, "smart-as-html", GOOD, {"SMART-001": "pass", "SMART-003": "fail"}),
    Expected(7, "smart-slow-404", GOOD, {"SMART-001": "fail", "CAP-001": "pass"}),
    Expected(
        7, "smart-slow-404", "partial", {"SMART-001": "not_observed", "NET-022": "warn"}, replace(BRIEF, deadline_s=0.3)
    ),
    Expected(8, "empty-object", "partial", {"SMART-001": "fail", "SMART-021": "warn", "SMART-004": "not_observed"}),
    Expected(9, "pkce-undeclared", GOOD, {"SMART-004": "fail"}),
    Expected(10, "internal-token-endpoint", GOOD, {"SMART-010": "not_applicable", "OIDC-008": "warn"}),
    Expected(11, "outcome-200", "not_observed", {"CAP-044": "warn", "SMART-021": "warn", "CAP-001": "not_observed"}),
    Expected(12, "html-200", "not_observed", {"CAP-044": "warn", "SMART-021": "warn", "SMART-001": "not_observed"}),
    Expected(12, "spa-200", "not_observed", {"CAP-044": "warn", "SMART-021": "warn", "SMART-001": "not_observed"}),
    Expected(13, "smart-at-root", GOOD, {"SMART-001": "fail", "SMART-002": "fail", "SMART-004": "not_applicable"}),
    Expected(14, "issuer-elsewhere", GOOD, {"OIDC-003": "pass", "OIDC-007": "warn"}),
    Expected(15, "issuer-well-known", GOOD, {"OIDC-002": "fail", "OIDC-003": "fail"}),
    Expected(16, "other-tenant", GOOD, {"CAP-010": "warn"}),
    Expected(16, "base-without-tenant", GOOD, {"CAP-010": "warn"}),
    Expected(17, "no-software", GOOD, {"CAP-011": "warn", "CAP-035": "fail"}),
    Expected(17, "no-software-version", GOOD, {"CAP-011": "warn", "CAP-035": "pass"}),
    Expected(18, "two-oauth-uris", GOOD, {"SMART-017": "warn"}),
    Expected(19, "no-scopes", GOOD, {"SMART-020": "warn", "SMART-013": "not_observed"}),
    Expected(20, "many-scopes", GOOD, {"SMART-001": "pass", "SMART-025": "pass"}),
    Expected(20, "large-statement", GOOD, {"CAP-001": "pass", "NET-023": "pass"}),
    Expected(21, "fhir-4-0-0", GOOD, {"CAP-006": "pass"}),
    Expected(22, "expired-tls", "not_observed", {"NET-003": "fail", "NET-010": "fail", "CAP-001": "not_observed"}),
    Expected(22, "middlebox-tls", "not_observed", {"NET-003": "warn", "NET-010": "pass", "NET-013": "warn"}),
    Expected(23, "401", "not_observed", {"CAP-002": "warn", "CAP-001": "not_observed", "SMART-001": "not_observed"}),
    Expected(23, "metadata-401", "partial", {"CAP-002": "warn", "CAP-001": "not_observed", "SMART-001": "pass"}),
    Expected(24, "alternating-versions", GOOD, {"CAP-045": "warn"}, replace(SETTINGS, origin="https://app.example")),
    Expected(
        25, "base-deeper", "not_observed", {"CAP-001": "fail", "CAP-046": "fail"}, replace(SETTINGS, thorough=True)
    ),
    Expected(
        27,
        "no-token-cors",
        GOOD,
        {"CORS-003": "warn"},
        replace(SETTINGS, origin="https://app.sentinel-sepsis.example", active=True),
    ),
    Expected(28, "relative-urls", GOOD, {"SMART-008": "fail", "SMART-015": "pass"}),
    Expected(29, "bom", GOOD, {"CAP-005": "warn"}),
    Expected(29, "latin-1", GOOD, {"CAP-005": "fail"}),
    Expected(29, "gzip-unsolicited", GOOD, {"CAP-005": "pass"}),
    Expected(29, "trailing-bytes", GOOD, {"CAP-013": "warn", "CAP-005": "pass"}),
    Expected(29, "truncated", "not_observed", {"NET-004": "warn", "CAP-001": "not_observed"}),
    Expected(30, "deep-json", "not_observed", {"CAP-001": "not_observed", "CAP-044": "warn"}),
    # The number stands where nobody looks: a statement is read past it, a document that is read whole is not read.
    Expected(30, "big-number", "partial", {"CAP-001": "pass", "SMART-001": "not_observed"}),
    Expected(30, "gzip-bomb", "not_observed", {"NET-023": "warn", "CAP-001": "not_observed"}),
    Expected(30, "drip", "not_observed", {"NET-022": "warn", "CAP-001": "not_observed"}, BRIEF),
    Expected(31, "429", "not_observed", {"NET-008": "warn", "NET-021": "pass"}, BRIEF),
    Expected(31, "503-once", GOOD, {"NET-008": "pass", "NET-021": "pass"}),
    Expected(32, "hang", "not_observed", {"NET-022": "warn", "CAP-001": "not_observed"}, BRIEF),
    Expected(33, "redirect-loop", "not_observed", {"NET-006": "fail"}),
    Expected(33, "redirect-other-host", GOOD, {"NET-006": "warn", "NET-019": "warn"}),
    Expected(33, "redirect-patient-search", "not_observed", {"NET-006": "fail", "CAP-001": "not_observed"}),
    Expected(34, "hostile-strings", GOOD, {"CAP-001": "pass", "SMART-001": "pass"}),
)


@pytest.mark.parametrize("expected", TABLE, ids=lambda row: f"{row.quirk}-{row.fault}-{row.outcome}")
def test_what_real_servers_do(server: SandboxServer, expected: Expected) -> None:
    base = server.base_url(expected.organization, expected.fault)
    observation = observe(base, typed(expected.settings, *server.origins))
    assert observation.outcome == expected.outcome, observation.reason_not_observed()
    outcomes = {name: check(observation, name).outcome.value for name in expected.checks}
    assert outcomes == expected.checks, [check(observation, name).message for name in expected.checks]
    assert not [check for check in observation.checks if check.outcome == "error"]
    if observation.outcome == "not_observed":
        assert observation.facts.capability is None and observation.facts.smart is None
    Observation.model_validate_json(observation.model_dump_json())


def test_whoever_opens_the_firewall_is_told_the_user_agent(server: SandboxServer) -> None:
    settings = replace(SETTINGS, user_agent="acme/1 (ehr@acme.example)")
    seen = observe(server.base_url("riverside", "user-agent-403"), typed(settings, *server.origins))
    assert "“acme/1 (ehr@acme.example)”" in check(seen, "NET-024").message
    mail = card_of(seen).mail
    assert "“acme/1 (ehr@acme.example)”" in mail and "[fill in the address that you call from]" in mail


def test_the_table_covers_every_quirk_and_every_fault_that_names_one() -> None:
    elsewhere = {"dirty-directory": 26, "redirect-to-http": 33}  # tests of their own below
    tested = {(row.quirk, row.fault) for row in TABLE} | {(quirk, fault) for fault, quirk in elsewhere.items()}
    named = {(quirk, name) for name, fault in FAULTS.items() for quirk in fault.quirks}
    assert tested == named
    assert {quirk for quirk, _ in named} == set(range(1, 35))


def test_addresses_as_real_lists_write_them(server: SandboxServer) -> None:
    """Quirk 26: all but two mean the base; those are refused with words, not guessed."""
    base = server.base_url("riverside", "dirty-directory")
    bundle = httpx.get(f"{base}/Endpoint", trust_env=False).json()
    addresses = [entry["resource"]["address"] for entry in bundle["entry"]]
    assert len(addresses) == 8
    cleaned, refused = [], []
    for address in addresses:
        try:
            cleaned.append(clean_base_url(address))
        except InterlockError as error:
            refused.append((address, error))
    assert cleaned == [base] * 5
    assert [address for address, _ in refused] == addresses[5:]
    assert all(error.remedy for _, error in refused)
    assert base.partition("://")[2] in (refused[0][1].remedy or "")


def test_a_redirect_from_https_to_http_is_not_followed(server: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> None:
    anything = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anything.check_hostname, anything.verify_mode = False, ssl.CERT_NONE
    base = server.base_url("riverside", "redirect-to-http", "middlebox-tls")
    monkeypatch.setattr("interlock.probe.transport.client.tls_context", lambda settings, identified: anything)
    observation = observe(base)
    assert observation.outcome == "not_observed"
    assert check(observation, "NET-006").outcome == "fail"
    assert {record.failure for record in observation.requests} == {"redirect"}


def test_a_middlebox_is_named_and_the_server_not_blamed(server: SandboxServer) -> None:
    observation = observe(server.base_url("riverside", "middlebox-tls"))
    tls = observation.facts.tls
    assert tls is not None
    assert (tls.error, tls.cause) == ("untrusted_issuer", "here")
    assert "SSL Inspection" in check(observation, "NET-003").message
    expired = observe(server.base_url("riverside", "expired-tls")).facts.tls
    assert expired is not None
    assert (expired.error, expired.cause) == ("expired", "server")


def test_hostile_strings_reach_no_message_unbounded(server: SandboxServer) -> None:
    observation = observe(server.base_url("riverside", "hostile-strings"))
    for result in observation.checks:
        assert "\x1b" not in result.message and "\x07" not in result.message and "\n" not in result.message
        assert len(result.message) < 1200
    json.loads(observation.model_dump_json())


def test_internal_addresses_are_reported_and_not_contacted(server: SandboxServer) -> None:
    """Quirk 10 as a public server would show it: judged from the document, without a request."""
    observation = observe(server.base_url("riverside", "internal-token-endpoint"))
    assert observation.facts.smart is not None
    assert "corp.internal" in (observation.facts.smart.token_endpoint or "")
    assert not [record for record in observation.requests if "corp.internal" in record.url]
