"""Asking for JSON in other words, remembering what a host understood, and requests beyond the two documents."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from probe_documents import smart, statement
from probe_judging import answered
from probe_loopback import Loopback, Reply, Request, as_json

from interlock.model.observation import Check, Observation, Target
from interlock.probe.recheck import recheck
from interlock.probe.transport.hosts import HostMemory, next_rung, rung_of
from interlock.probe.transport.plan import METADATA_LADDER, cds_url, deeper_bases
from interlock.probe.transport.settings import ProbeEvent, ProbeSettings
from typed_targets import probe_sync

pytestmark = pytest.mark.fast

LADDER = METADATA_LADDER


def observe(*bases: str, allowed: Sequence[str] = (), **changes: Any) -> tuple[Observation, ...]:
    settings = ProbeSettings(**({"deadline_s": 5.0, "concurrency": 1} | changes))
    return probe_sync([Target(base_url=base) for base in bases], settings, allowed=allowed)


def check(observation: Observation, check_id: str) -> Check:
    return next(check for check in observation.checks if check.id == check_id)


def test_the_ladder_is_the_documented_one() -> None:
    assert [(rung.accept, rung.query) for rung in LADDER] == [
        ("application/fhir+json; fhirVersion=4.0", ""),
        ("application/fhir+json", ""),
        ("application/json+fhir", ""),
        ("application/json", ""),
        ("*/*", "_format=json"),
    ]


def test_two_requests_when_the_first_words_are_understood(loopback: Loopback) -> None:
    (observation,) = observe(
        loopback.serve(as_json(statement(), content_type="application/fhir+json"), as_json(smart()))
    )
    assert observation.outcome == "observed"
    assert len(loopback.requests) == 2
    assert loopback.asked("/fhir/metadata")[0].headers["accept"] == "application/fhir+json; fhirVersion=4.0"


def plain_only(request: Request) -> Reply:
    return as_json(statement()) if request.headers["accept"] == "application/json" else Reply(b"", 406)


def test_what_a_host_understood_is_asked_first_the_next_time(loopback: Loopback) -> None:
    bases = []
    for tenant in ("a", "b", "c"):
        loopback.routes[f"/{tenant}/metadata"] = plain_only
        bases.append(f"{loopback.origin}/{tenant}")
    assert [observation.facts.capability is not None for observation in observe(*bases)] == [True] * 3
    assert [len(loopback.asked(f"/{tenant}/metadata")) for tenant in ("a", "b", "c")] == [4, 1, 1]


def test_a_tenant_that_understands_something_else_is_asked_in_every_way(loopback: Loopback) -> None:
    loopback.routes["/a/metadata"] = plain_only
    loopback.routes["/b/metadata"] = lambda request: (
        as_json(statement()) if request.target.endswith("?_format=json") else Reply(b"", 415)
    )
    first, second = observe(f"{loopback.origin}/a", f"{loopback.origin}/b")
    assert first.facts.capability is not None and second.facts.capability is not None
    asked = [request.headers["accept"] for request in loopback.asked("/b/metadata")]
    assert asked[0] == "application/json" and len(asked) == len(set(asked)) == 5


def test_a_server_that_breaks_on_the_version_parameter_is_asked_without(loopback: Loopback) -> None:
    def answer(request: Request) -> Reply:
        return Reply(b"", 500) if ";" in request.headers["accept"] else as_json(statement())

    (observation,) = observe(loopback.serve(answer, as_json(smart())))
    assert observation.outcome == "observed"
    assert len(loopback.asked("/fhir/metadata")) == 2


def test_memory_is_bounded_and_forgets_the_oldest() -> None:
    memory = HostMemory(limit=2)
    document = answered("metadata", statement(), accept="application/json")
    for host in ("a", "b", "c"):
        memory.learn(host, document, LADDER)
    assert memory.order("a", LADDER) == LADDER
    for host in ("b", "c"):
        assert memory.order(host, LADDER)[0].accept == "application/json"
        assert sorted(memory.order(host, LADDER), key=str) == sorted(LADDER, key=str)
    memory.learn("d", answered("metadata", None), LADDER)
    assert memory.order("d", LADDER) == LADDER


@given(st.permutations(LADDER), st.sampled_from(["xml", "html", "absent", "not_acceptable", "document", "not_json"]))
def test_climbing_always_ends(ladder: list[Any], reading: Any) -> None:
    from dataclasses import replace

    exchange = replace(answered("metadata", statement()), reading=reading)
    position: int | None = 0
    steps = 0
    while position is not None:
        following = next_rung(exchange, position, tuple(ladder))
        assert following is None or following > position
        position, steps = following, steps + 1
    assert steps <= len(ladder)


def test_the_rung_of_a_request() -> None:
    for rung in LADDER:
        url = "https://ehr.example.org/fhir/metadata" + (f"?{rung.query}" if rung.query else "")
        assert rung_of(answered("metadata", statement(), accept=rung.accept, url=url).record, LADDER) == rung
    assert rung_of(answered("metadata", statement(), accept="text/turtle").record, LADDER) is None


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (json.dumps(statement()).encode()[:-40], "ends in the middle"),
        (json.dumps(statement()).encode()[:31], "ends in the middle"),
        (b'{"resourceType": CapabilityStatement}', "is not valid JSON"),
        (b"[1] [2]", "is not valid JSON"),
    ],
)
def test_broken_text_is_named(loopback: Loopback, body: bytes, word: str) -> None:
    (observation,) = observe(loopback.serve(Reply(body), as_json(smart())))
    assert word in check(observation, "CAP-001").message
    assert observation.facts.capability is None


def test_what_follows_the_document_is_named_and_not_read(loopback: Loopback) -> None:
    body = json.dumps(statement()).encode() + b'\n{"resourceType": "Bundle"}'
    (observation,) = observe(loopback.serve(Reply(body, 200, "application/fhir+json"), as_json(smart())))
    assert observation.facts.capability is not None
    assert "follow the end of the document" in check(observation, "CAP-013").message


def test_a_thorough_probe_asks_for_udap_too(loopback: Loopback) -> None:
    loopback.serve(as_json(statement()), as_json(smart()))
    (without,) = observe(loopback.base, thorough=True)
    assert check(without, "UDAP-001").outcome == "not_applicable"
    loopback.routes["/fhir/.well-known/udap"] = as_json({"udap_versions_supported": ["1"]})
    (observation,) = observe(loopback.base, thorough=True)
    assert observation.facts.udap is not None
    assert check(observation, "UDAP-002").outcome == "fail"
    assert {request.method for request in loopback.requests} == {"GET"}


def test_deeper_bases_are_three_at_most_and_tried_only_when_nothing_is_there(loopback: Loopback) -> None:
    assert deeper_bases("https://ehr.example.org") == (
        "https://ehr.example.org/fhir",
        "https://ehr.example.org/r4",
        "https://ehr.example.org/R4",
    )
    assert deeper_bases("https://ehr.example.org/R4") == ("https://ehr.example.org/R4/fhir",)
    observe(loopback.base, thorough=True)
    assert [request.path for request in loopback.requests if request.path.endswith("metadata")] == [
        "/fhir/metadata",
        "/fhir/r4/metadata",
        "/fhir/R4/metadata",
    ]
    loopback.requests.clear()
    observe(loopback.base)
    assert len([request for request in loopback.requests if request.path.endswith("metadata")]) == 1


def allowing(document: object) -> Any:
    def answer(request: Request) -> Reply:
        origin = request.headers.get("origin")
        headers = {"Access-Control-Allow-Origin": "*"} if origin else {}
        return Reply(json.dumps(document).encode(), 200, "application/json", headers)

    return answer


def test_an_origin_is_sent_in_requests_of_its_own(loopback: Loopback) -> None:
    loopback.serve(allowing(statement()), allowing(smart()))
    events: list[ProbeEvent] = []
    settings = ProbeSettings(deadline_s=5, origin="https://app.example.org")
    (observation,) = probe_sync([Target(base_url=loopback.base)], settings, events.append)
    assert observation.facts.cors is not None
    assert (observation.facts.cors.smart, observation.facts.cors.metadata) == (True, True)
    assert observation.facts.cors.token is None
    sent = [(request.path, request.headers.get("origin")) for request in loopback.requests]
    assert sorted(sent, key=str) == sorted(
        [
            ("/fhir/metadata", None),
            ("/fhir/.well-known/smart-configuration", None),
            ("/fhir/metadata", "https://app.example.org"),
            ("/fhir/.well-known/smart-configuration", "https://app.example.org"),
        ],
        key=str,
    )
    again = recheck(observation, events[-1].bodies)
    assert again.facts == observation.facts and again.checks == observation.checks


def test_preflights_are_sent_by_an_active_probe_only(loopback: Loopback) -> None:
    token = f"{loopback.origin}/token"
    configuration = smart(token_endpoint=token, authorization_endpoint=f"{loopback.origin}/authorize")
    loopback.serve(as_json(statement()), as_json(configuration))
    loopback.routes["/token"] = Reply(b"", 204, None, {"Access-Control-Allow-Origin": "https://app.example.org"})
    observe(loopback.base, origin="https://app.example.org")
    assert not loopback.asked("/token")
    (observation,) = observe(loopback.base, origin="https://app.example.org", active=True)
    assert "OPTIONS" in {request.method for request in loopback.asked("/token")}
    assert check(observation, "CORS-003").outcome == "pass"
    assert check(observation, "CORS-005").outcome == "pass"
    assert check(observation, "CORS-004").outcome == "warn"


def test_the_products_own_cds_service(loopback: Loopback) -> None:
    loopback.serve(as_json(statement()), as_json(smart()))
    loopback.routes["/product/cds-services"] = as_json({"services": [{"hook": "patient-view", "id": "a"}]})
    (observation,) = observe(loopback.base, cds_services=f"{loopback.origin}/product")
    assert check(observation, "CDS-001").outcome == "pass"
    assert check(observation, "CDS-002").outcome == "fail"
    assert not loopback.asked("/fhir/cds-services")
    assert cds_url("https://p.example/cds-services/") == "https://p.example/cds-services"


def test_credentials_of_a_request_stay_with_its_host(loopback: Loopback) -> None:
    """The origin travels like a credential: a redirect to another host does not take it along."""
    other = Loopback()
    try:
        other.routes["/metadata"] = as_json(statement())
        loopback.serve(
            lambda request: (
                Reply(b"", 302, None, {"Location": f"{other.origin}/metadata"})
                if "origin" in request.headers
                else as_json(statement())
            ),
            as_json(smart()),
        )
        observe(loopback.base, allowed=[other.origin], origin="https://app.example.org")
        assert len(other.requests) == 1
        assert "origin" not in other.requests[0].headers
    finally:
        other.close()


def test_a_page_that_wants_a_client_certificate_is_heard_once(loopback: Loopback) -> None:
    page = b"<html><head><title>400 No required SSL certificate was sent</title></head></html>"
    refused = Reply(page, 400, "text/html")
    (observation,) = observe(loopback.serve(refused, refused))
    assert len(loopback.requests) == 2
    assert {record.reading for record in observation.requests} == {"client_certificate"}
    assert observation.outcome == "not_observed"
    assert check(observation, "NET-020").outcome == "warn"
    assert "client certificate" in check(observation, "NET-020").message


def test_a_proxy_of_the_settings_is_used_except_for_loopback(loopback: Loopback) -> None:
    loopback.routes["http://ehr.example.invalid/fhir/metadata"] = as_json(statement())
    loopback.serve(as_json(statement()), as_json(smart()))
    settings = ProbeSettings(deadline_s=5, proxy=loopback.origin)
    through, direct = probe_sync(
        [Target(base_url="http://ehr.example.invalid/fhir"), Target(base_url=loopback.base)], settings
    )
    assert through.facts.capability is not None
    assert direct.outcome == "observed"
    assert "/fhir/metadata" in {request.target for request in loopback.requests}
    assert "secret" not in repr(ProbeSettings(proxy="http://user:secret@proxy.example:8080"))
