"""Safe negatives: what an active probe asks for, and what each answer means."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from credential_cases import check
from probe_documents import SMART, STATEMENT
from probe_loopback import Loopback, Reply, as_json, redirect

from interlock.model.observation import Observation, Target
from interlock.probe.active import UNKNOWN_GRANT
from interlock.probe.recheck import recheck
from interlock.probe.transport.settings import ProbeSettings
from interlock.sandbox.server import SandboxServer
from typed_targets import probe_sync

pytestmark = pytest.mark.fast

NEG = ("NEG-001", "NEG-002", "NEG-003", "NEG-004", "NEG-005")
REFUSED = as_json({"error": "unsupported_grant_type"}, 400)
UNAUTHORIZED = as_json({"resourceType": "OperationOutcome"}, 401, WWW_Authenticate='Bearer realm="r"')


def asked(loopback: Loopback, token: Any = REFUSED, read: Any = UNAUTHORIZED, **settings: Any) -> Observation:
    """An active probe of a server with one answer at its token endpoint and one at each read."""

    def anything(request: Any) -> Reply:
        answer = read(request) if callable(read) else read
        return answer if isinstance(answer, Reply) else Reply()

    smart = SMART | {"token_endpoint": f"{loopback.origin}/token"}
    loopback.serve(as_json(STATEMENT), as_json(smart), token=token)
    real = loopback.routes

    class Routes(dict[str, Any]):
        def get(self, path: str, default: Any = None) -> Any:
            return anything if path.startswith("/fhir/Patient/") else super().get(path, default)

    loopback.routes = Routes(real)
    options = {"active": True} | settings
    return probe_sync([Target(base_url=loopback.base)], ProbeSettings(**options))[0]


def test_the_sandbox_refuses_by_the_book() -> None:
    with SandboxServer() as server:
        target = Target(base_url=server.base_url("riverside"))
        observation = probe_sync([target], ProbeSettings(active=True))[0]
        passive = probe_sync([target], ProbeSettings())[0]
    assert [check(observation, check_id)[0] for check_id in NEG] == ["pass", "not_applicable", "pass", "pass", "pass"]
    assert observation.facts.security is not None
    assert observation.facts.security.anonymous_read == "refused"
    assert all("--active" in check(passive, check_id)[1] for check_id in NEG)
    assert {check(passive, check_id)[0] for check_id in NEG} == {"not_applicable"}
    assert {record.method for record in passive.requests} == {"GET"}


def test_nothing_is_created_searched_or_guessed(loopback: Loopback) -> None:
    asked(loopback)
    asked(loopback)
    beyond = [request for request in loopback.requests if request.method != "GET"]
    assert {(request.method, request.path) for request in beyond} == {("POST", "/token")}
    reads = [request for request in loopback.requests if "/Patient" in request.target]
    counts = [request for request in reads if request.target == "/fhir/Patient?_summary=count"]
    assert len(counts) == 2
    reads = [request for request in reads if request not in counts]
    assert len(reads) == 2
    assert len({request.target for request in reads}) == 2
    for request in (*reads, *counts):
        assert "authorization" not in request.headers
    for request in reads:
        assert re.fullmatch(r"/fhir/Patient/interlock-[0-9a-f]{32}", request.target)
        assert "authorization" not in request.headers
    assert UNKNOWN_GRANT.startswith("urn:")


TOKEN_ANSWERS: dict[str, tuple[Reply, str, str]] = {
    "401 to an unknown client": (as_json({"error": "invalid_client"}, 401), "pass", "pass"),
    "a word of its own": (as_json({"error": "nope"}, 400), "pass", "fail"),
    "another word of OAuth": (as_json({"error": "invalid_scope"}, 400), "pass", "warn"),
    "403 with an error": (as_json({"error": "unsupported_grant_type"}, 403), "warn", "pass"),
    "an HTML page": (Reply(b"<!DOCTYPE html><p>no", 400, "text/html"), "fail", "not_observed"),
    "a login page under 200": (Reply(b"<html>sign in", 200, "text/html"), "fail", "not_observed"),
    "a token": (as_json({"access_token": "x", "token_type": "bearer"}), "fail", "not_observed"),
    "nothing": (Reply(b"", 400, None), "fail", "not_observed"),
    "not found": (Reply(b"", 404, None), "fail", "not_observed"),
    "broken": (as_json({"error": "server"}, 500), "fail", "fail"),
    "slow down": (Reply(b"", 429, None), "not_observed", "not_observed"),
    "JSON without error": (as_json({"message": "bad"}, 400), "fail", "not_observed"),
    "a list": (as_json([1], 400), "fail", "not_observed"),
}


@pytest.mark.parametrize("name", TOKEN_ANSWERS)
def test_answers_of_the_token_endpoint(loopback: Loopback, name: str) -> None:
    answer, form, word = TOKEN_ANSWERS[name]
    observation = asked(loopback, token=answer)
    assert (check(observation, "NEG-001")[0], check(observation, "NEG-003")[0]) == (form, word)
    assert "access_token" not in observation.model_dump_json()


READS: dict[str, tuple[Reply, str, str, str | None]] = {
    "401 with a challenge": (UNAUTHORIZED, "pass", "pass", "refused"),
    "401 without one": (Reply(b"", 401, None), "pass", "fail", "refused"),
    "401 with Basic": (Reply(b"", 401, None, {"WWW-Authenticate": "Basic realm=x"}), "pass", "fail", "refused"),
    "two challenges": (
        Reply(b"", 401, None, {"WWW-Authenticate": 'Basic realm="x", Bearer realm="y"'}), "pass", "pass", "refused",
    ),
    "403": (Reply(b"", 403, None), "pass", "not_applicable", "refused"),
    "404": (as_json({"resourceType": "OperationOutcome"}, 404), "not_observed", "not_applicable", None),
    "a patient": (
        as_json({"resourceType": "Patient", "id": "somebody", "name": [{"family": "Quillfeather"}]}),
        "fail", "not_applicable", "allowed",
    ),
    "a page": (Reply(b"<html>sign in", 200, "text/html"), "not_observed", "not_applicable", None),
    "an outcome under 200": (as_json({"resourceType": "OperationOutcome"}), "not_observed", "not_applicable", None),
    "broken": (Reply(b"", 500, None), "warn", "not_applicable", None),
    "elsewhere": (redirect("/login"), "warn", "not_applicable", None),
    "slow down": (Reply(b"", 429, None), "not_observed", "not_observed", None),
}  # fmt: skip


@pytest.mark.parametrize("name", READS)
def test_answers_to_a_read_without_a_token(loopback: Loopback, name: str) -> None:
    answer, refused, challenge, fact = READS[name]
    observation = asked(loopback, read=answer)
    assert (check(observation, "NEG-004")[0], check(observation, "NEG-005")[0]) == (refused, challenge)
    assert observation.facts.security is not None
    assert observation.facts.security.anonymous_read == fact
    assert "Quillfeather" not in observation.model_dump_json()
    assert loopback.asked("/login") == []


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"total": 41822}, "a Bundle whose total is above 0"),
        ({"entry": [{"resource": {"resourceType": "Patient"}}]}, "a Bundle that has entries"),
        ({}, "a Bundle without a total"),
    ],
)
def test_what_a_count_brought_is_told_and_its_number_is_not_kept(
    loopback: Loopback, members: dict[str, Any], said: str
) -> None:
    loopback.serve(as_json(STATEMENT), as_json(SMART))
    loopback.routes["/fhir/Patient"] = as_json({"resourceType": "Bundle", "type": "searchset"} | members)
    (observation,) = probe_sync([Target(base_url=loopback.base)], ProbeSettings(active=True))
    assert check(observation, "NEG-004") == ("fail", f"A count of patients without a token brings HTTP 200 with {said}")
    assert "41822" not in observation.model_dump_json() and "41,822" not in observation.model_dump_json()


def test_the_same_is_judged_again_offline(loopback: Loopback) -> None:
    for answer in (UNAUTHORIZED, READS["a patient"][0]):
        kept_bodies: dict[str, bytes] = {}
        smart = SMART | {"token_endpoint": f"{loopback.origin}/token"}
        observation = asked(loopback, read=answer)
        bodies = {record.sha256: record.url for record in observation.requests if record.sha256}
        contents = {"metadata": as_json(STATEMENT).body, "smart-configuration": as_json(smart).body}
        for digest, url in bodies.items():
            name = urlsplit(url).path.rpartition("/")[2]
            if name in contents and digest:
                kept_bodies[digest] = contents[name]
        again = recheck(observation, kept_bodies)
        assert [check(again, check_id) for check_id in NEG] == [check(observation, check_id) for check_id in NEG]
        assert again.facts.security == observation.facts.security


def test_without_a_token_endpoint_there_is_nothing_to_ask(loopback: Loopback) -> None:
    loopback.serve(as_json(STATEMENT | {"rest": [{"mode": "server"}]}))
    observation = probe_sync([Target(base_url=loopback.base)], ProbeSettings(active=True))[0]
    assert check(observation, "NEG-001") == ("not_observed", "Not observed: no token endpoint is known")


def test_a_token_endpoint_inside_is_not_asked() -> None:
    with SandboxServer() as server:
        base = server.base_url("riverside", "internal-token-endpoint")
        observation = probe_sync([Target(base_url=base)], ProbeSettings(active=True))[0]
    assert check(observation, "NEG-001")[0] == "not_observed"
    assert check(observation, "NEG-004")[0] == "pass"


def test_the_token_endpoints_own_certificate_counts() -> None:
    """The base is fine, its token endpoint presents a certificate that expired."""
    other = Loopback()
    try:
        with SandboxServer() as server:
            broken = server.base_url("riverside", "expired-tls")
            other.serve(as_json(STATEMENT), as_json(SMART | {"token_endpoint": f"{broken}/oauth2/token"}))
            observation = probe_sync([Target(base_url=other.base)], ProbeSettings(active=True), allowed=server.origins)[
                0
            ]
    finally:
        other.close()
    outcome, message = check(observation, "NEG-002")
    assert outcome == "fail"
    assert "Credentials cannot be sent there safely" in message
