"""What real servers do wrong, one at a time: the outcome, the word for it, and that no fact is invented."""

from __future__ import annotations

import gzip
import json
import socket

import pytest
from probe_documents import smart, statement
from probe_loopback import Answer, Loopback, Reply, Request, as_json, drip, hang, raw, redirect, reset, slam

from interlock.model.observation import Check, Observation, Target
from interlock.probe.transport.settings import ProbeSettings
from typed_targets import probe_sync

FAST = ProbeSettings(deadline_s=0.6, connect_timeout_s=0.5)


def observe(base: str, settings: ProbeSettings = FAST) -> Observation:
    (observation,) = probe_sync([Target(base_url=base)], settings)
    return observation


def check(observation: Observation, check_id: str) -> Check:
    return next(check for check in observation.checks if check.id == check_id)


def assert_nothing_is_invented(observation: Observation) -> None:
    """Neither facts nor a verdict about content: every check of a document that was not seen says so."""
    assert observation.facts.capability is None
    assert observation.facts.smart is None
    assert observation.facts.openid is None
    assert observation.facts.jwks is None
    decided = {check.id for check in observation.checks if check.outcome in {"pass", "warn", "fail"}}
    assert not {check_id for check_id in decided if check_id.startswith(("OIDC", "JWKS"))}
    assert decided.isdisjoint(f"CAP-{number:03d}" for number in range(4, 40))
    assert decided.isdisjoint(f"SMART-{number:03d}" for number in range(3, 21))
    assert not [check for check in observation.checks if check.outcome == "error"]


def test_dead_port(loopback: Loopback) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{reserved.getsockname()[1]}/fhir"
        observation = observe(base)
    assert observation.outcome == "not_observed"
    assert {record.failure for record in observation.requests} == {"connect"}
    assert "refuses connections" in (observation.reason_not_observed() or "")
    assert_nothing_is_invented(observation)
    assert check(observation, "NET-002").outcome == "not_observed"


def test_unknown_name() -> None:
    observation = observe("https://ehr.nowhere.invalid/fhir")
    assert observation.outcome == "not_observed"
    assert {record.failure for record in observation.requests} == {"dns"}
    assert check(observation, "NET-001").outcome == "not_observed"
    assert check(observation, "NET-003").outcome == "not_observed"
    assert_nothing_is_invented(observation)
    # Nothing about an unreachable server is a failure of its owner.
    assert not [check for check in observation.checks if check.outcome == "fail"]


FAILURES: dict[str, tuple[Answer, str]] = {
    "accepted and never answered": (hang, "timeout"),
    "an endless slow drip": (drip, "timeout"),
    "connection reset": (reset, "reset"),
    "connection closed": (slam, "reset"),
    "body cut short": (raw(b'HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{"resourceType": '), "truncated"),
    "chunked body cut short": (
        raw(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"resourceType"'),
        "truncated",
    ),
    "no HTTP at all": (raw(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"), "protocol"),
    "a content coding nobody asked for": (
        Reply(b"\x0b\x02\x80{}\x03", 200, "application/json", {"Content-Encoding": "br"}),
        "protocol",
    ),
    "a damaged gzip body": (
        Reply(gzip.compress(b"x")[:10] + b"\xff" * 40, 200, "application/json", {"Content-Encoding": "gzip"}),
        "protocol",
    ),
    "a gzip body that ends early": (
        Reply(gzip.compress(b"{}" * 5000)[:-20], 200, "application/json", {"Content-Encoding": "gzip"}),
        "truncated",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_broken_transfers(loopback: Loopback, name: str) -> None:
    answer, word = FAILURES[name]
    observation = observe(loopback.serve(answer, answer))
    assert observation.outcome == "not_observed"
    assert {record.failure for record in observation.requests} == {word}
    assert all(record.detail and not record.sha256 for record in observation.requests)
    assert_nothing_is_invented(observation)


def test_gzip_bomb_stops_at_the_limit(loopback: Loopback) -> None:
    bomb = gzip.compress(b" " * 50_000_000, compresslevel=1)
    answer = Reply(bomb, 200, "application/json", {"Content-Encoding": "gzip"})
    settings = ProbeSettings(deadline_s=10, max_bytes=1_000_000)
    observation = observe(loopback.serve(answer, answer), settings)
    assert observation.outcome == "not_observed"
    assert {record.failure for record in observation.requests} == {"too_large"}
    assert_nothing_is_invented(observation)


def test_plain_body_larger_than_the_limit(loopback: Loopback) -> None:
    answer = Reply(b"[" + b"1," * 600_000)
    observation = observe(loopback.serve(answer, answer), ProbeSettings(deadline_s=5, max_bytes=1_000_000))
    assert {record.failure for record in observation.requests} == {"too_large"}
    assert_nothing_is_invented(observation)


READINGS: dict[str, tuple[Reply, str]] = {
    "an HTML page": (Reply(b"<!DOCTYPE html><title>Sign in</title>", 200, "text/html"), "html"),
    "a page typed as JSON": (Reply(b"\n<html><body>login", 200, "application/fhir+json"), "html"),
    "an empty object": (as_json({}), "empty_object"),
    "a list": (as_json([1, 2]), "not_an_object"),
    "a number": (Reply(b"7"), "not_an_object"),
    "an OperationOutcome": (
        as_json({"resourceType": "OperationOutcome", "issue": [{"diagnostics": "please sign in"}]}),
        "operation_outcome",
    ),
    "a Bundle": (as_json({"resourceType": "Bundle", "entry": []}), "bundle"),
    "another resource": (as_json({"resourceType": "TerminologyCapabilities"}), "other_resource"),
    "an unrelated object": (as_json({"error": "not found"}), "unrelated"),
    "nothing": (Reply(b"  \n"), "empty"),
    "no JSON": (Reply(b"{'resourceType': 'CapabilityStatement'}"), "not_json"),
    "nested 100,000 deep": (Reply(b'{"a":' * 100_000 + b"1" + b"}" * 100_000), "not_json"),
    "lists nested 100,000 deep": (Reply(b"[" * 100_000), "not_json"),
    "a number of many digits": (Reply(b'{"n": ' + b"9" * 1_000_000 + b"}"), "not_json"),
    "401": (as_json({"resourceType": "OperationOutcome"}, 401), "unauthorized"),
    "403": (Reply(b"", 403), "forbidden"),
    "415": (Reply(b"", 415), "unsupported_media_type"),
    "418": (Reply(b"", 418), "client_error"),
    "500": (Reply(b"<html>", 500, "text/html"), "server_error"),
    "304 without being asked": (Reply(b"", 304, None), "unexpected_status"),
}


@pytest.mark.parametrize("name", READINGS)
def test_answers_that_are_not_the_document(loopback: Loopback, name: str) -> None:
    reply, reading = READINGS[name]
    observation = observe(loopback.serve(reply, reply), ProbeSettings(deadline_s=5))
    assert observation.outcome == "not_observed"
    assert {record.reading for record in observation.requests} == {reading}
    assert all(record.failure is None and record.detail for record in observation.requests)
    assert observation.reason_not_observed()
    assert_nothing_is_invented(observation)
    hollow = reading in {"empty_object", "not_an_object"}
    assert check(observation, "SMART-001").outcome == ("fail" if hollow else "not_observed")
    assert check(observation, "CAP-001").outcome == "not_observed"


def test_diagnostics_are_quoted_on_one_line(loopback: Loopback) -> None:
    issue = {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "\x1b[31mno\x07\n[bold]tenant[/bold]"}]}
    observation = observe(loopback.serve(as_json(issue), as_json(issue, 500)))
    message = check(observation, "CAP-001").message
    assert "tenant" in message
    assert "\x1b" not in message and "\n" not in message


def test_missing_everywhere_is_a_wrong_base(loopback: Loopback) -> None:
    observation = observe(loopback.serve())
    assert observation.outcome == "not_observed"
    assert check(observation, "CAP-001").outcome == "fail"
    assert "the base URL is probably wrong" in check(observation, "CAP-001").message
    assert check(observation, "SMART-001").outcome == "not_observed", "one that is nowhere owes nothing"
    assert_nothing_is_invented(observation)


def test_statement_behind_a_token_is_no_violation(loopback: Loopback) -> None:
    observation = observe(loopback.serve(Reply(b"", 401), as_json(smart())))
    assert observation.outcome == "partial"
    assert check(observation, "CAP-002").outcome == "warn"
    assert "FHIR permits" in check(observation, "CAP-002").message
    assert observation.facts.capability is None
    assert observation.facts.smart is not None


def test_partial_when_only_the_smart_configuration_is_undecided(loopback: Loopback) -> None:
    observation = observe(loopback.serve(as_json(statement()), hang))
    assert observation.outcome == "partial"
    assert observation.facts.capability is not None
    assert check(observation, "SMART-001").outcome == "not_observed"
    assert check(observation, "NET-004").outcome == "warn"


@pytest.mark.parametrize("status", [404, 410])
def test_observed_when_the_smart_configuration_is_positively_absent(loopback: Loopback, status: int) -> None:
    observation = observe(loopback.serve(as_json(statement()), Reply(b"", status)))
    assert observation.outcome == "observed"
    assert check(observation, "SMART-001").outcome == "fail"
    assert check(observation, "SMART-004").outcome == "not_applicable"


def only_for(accepted: str, document: object, refusal: Reply) -> Answer:
    def answer(request: Request) -> Reply:
        if accepted == "_format=json":
            hit = request.target.endswith("?_format=json")
        else:
            hit = request.headers["accept"] == accepted and "?" not in request.target
        return as_json(document, content_type="application/fhir+json") if hit else refusal

    return answer


XML = Reply(
    b"<?xml version='1.0'?><!-- x --><CapabilityStatement xmlns='http://hl7.org/fhir'/>", 200, "application/xml"
)


@pytest.mark.parametrize("refusal", [Reply(b"", 406), Reply(b"", 415), XML], ids=["406", "415", "XML"])
@pytest.mark.parametrize(
    ("accepted", "requests"), [("application/json+fhir", 3), ("application/json", 4), ("_format=json", 5)]
)
def test_ladder_of_content_negotiation(loopback: Loopback, accepted: str, requests: int, refusal: Reply) -> None:
    observation = observe(loopback.serve(only_for(accepted, statement(), refusal), as_json(smart())))
    assert observation.outcome == "observed"
    assert len(loopback.asked("/fhir/metadata")) == requests
    assert check(observation, "CAP-003").outcome == "warn"
    assert accepted in check(observation, "CAP-003").message


def test_dstu2_json_needs_no_apology(loopback: Loopback) -> None:
    conformance = statement(resourceType="Conformance", fhirVersion="1.0.2", acceptUnknown="no")
    answer = only_for("application/json+fhir", conformance, Reply(b"", 406))
    observation = observe(loopback.serve(answer, as_json(smart())))
    assert check(observation, "CAP-003").outcome == "pass"
    assert observation.facts.capability is not None
    assert observation.facts.capability.fhir_release == "DSTU2"


def test_xml_only_server_is_reported_with_what_it_said(loopback: Loopback) -> None:
    observation = observe(loopback.serve(XML, as_json(smart())))
    assert observation.outcome == "partial"
    assert observation.facts.capability is None
    assert len(loopback.asked("/fhir/metadata")) == 5
    message = check(observation, "CAP-003")
    assert message.outcome == "fail"
    assert "CapabilityStatement" in message.message
    assert check(observation, "CAP-001").outcome == "not_observed"


def test_406_to_everything(loopback: Loopback) -> None:
    observation = observe(loopback.serve(Reply(b"", 406), Reply(b"", 406)))
    assert observation.outcome == "not_observed"
    assert check(observation, "CAP-003").outcome == "fail"


def test_html_is_asked_once_more_with_format(loopback: Loopback) -> None:
    page = Reply(b"<html>", 200, "text/html")
    observation = observe(loopback.serve(only_for("_format=json", statement(), page), as_json(smart())))
    assert observation.outcome == "observed"
    assert len(loopback.asked("/fhir/metadata")) == 2


def test_one_patient_retry(loopback: Loopback) -> None:
    replies = [Reply(b"", 503, None, {"Retry-After": "1"}), as_json(statement())]
    observation = observe(loopback.serve(lambda request: replies.pop(0), as_json(smart())), ProbeSettings(deadline_s=5))
    assert observation.outcome == "observed"
    assert [record.status for record in observation.requests if record.purpose == "metadata"] == [503, 200]
    assert observation.elapsed_ms >= 1000


def test_retry_that_would_outlast_the_deadline_is_not_tried(loopback: Loopback) -> None:
    observation = observe(loopback.serve(Reply(b"", 429, None, {"Retry-After": "120"}), as_json(smart())))
    assert observation.outcome == "partial"
    assert len(loopback.asked("/fhir/metadata")) == 1
    assert "120 s" in check(observation, "CAP-001").message
    assert check(observation, "NET-008").outcome == "warn"


def test_a_retry_is_bounded(loopback: Loopback) -> None:
    observation = observe(
        loopback.serve(Reply(b"", 503, None, {"Retry-After": "0"}), as_json(smart())), ProbeSettings(deadline_s=5)
    )
    assert len(loopback.asked("/fhir/metadata")) == 2
    assert check(observation, "NET-008").outcome == "fail"


def test_byte_order_mark_latin_1_and_unsolicited_gzip_are_read_and_named(loopback: Loopback) -> None:
    with_mark = Reply(b"\xef\xbb\xbf" + json.dumps(statement()).encode(), 200, "application/fhir+json")
    latin = json.dumps(smart(issuer=None, x="é"), ensure_ascii=False).encode("latin-1")
    observation = observe(loopback.serve(with_mark, Reply(latin)))
    assert observation.outcome == "observed"
    assert check(observation, "CAP-005").outcome == "warn"
    assert "byte-order mark" in check(observation, "CAP-005").message

    loopback.serve(Reply(json.dumps(statement(publisher="Zoë"), ensure_ascii=False).encode("latin-1")))
    observation = observe(loopback.base)
    assert check(observation, "CAP-005").outcome == "fail"
    assert observation.facts.capability is not None
    assert observation.facts.capability.publisher == "Zoë"

    loopback.serve(Reply(gzip.compress(json.dumps(statement()).encode())))
    observation = observe(loopback.base)
    assert observation.outcome == "observed"
    assert "gzip" in check(observation, "CAP-005").message


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_compressed_answers_are_read(loopback: Loopback, encoding: str) -> None:
    import zlib

    body = json.dumps(statement()).encode()
    coded = gzip.compress(body) if encoding == "gzip" else zlib.compress(body)
    reply = Reply(coded, 200, "application/fhir+json", {"Content-Encoding": encoding})
    observation = observe(loopback.serve(reply, as_json(smart())))
    record = next(record for record in observation.requests if record.purpose == "metadata")
    assert observation.outcome == "observed"
    assert record.bytes == len(body)
    assert check(observation, "CAP-005").outcome == "pass"


def test_redirect_loop(loopback: Loopback) -> None:
    loopback.routes["/loop"] = redirect("/fhir/metadata")
    observation = observe(loopback.serve(redirect("/loop"), as_json(smart())))
    assert observation.facts.capability is None
    last = [record for record in observation.requests if record.purpose == "metadata"][-1]
    assert last.failure == "redirect"
    assert "circle" in (last.detail or "")
    assert check(observation, "NET-006").outcome == "fail"
    assert check(observation, "CAP-001").outcome == "not_observed"


def test_too_many_redirects(loopback: Loopback) -> None:
    for number in range(20):
        loopback.routes[f"/hop{number}"] = redirect(f"/hop{number + 1}")
    observation = observe(loopback.serve(redirect("/hop0"), as_json(smart())))
    hops = [record for record in observation.requests if record.purpose == "metadata"]
    assert len(hops) == 6
    assert hops[-1].failure == "redirect"
    assert "more than 5" in (hops[-1].detail or "")


def test_redirects_are_followed_and_reported(loopback: Loopback) -> None:
    loopback.routes["/v4/metadata"] = as_json(statement(), content_type="application/fhir+json")
    observation = observe(loopback.serve(redirect("/v4/metadata", 308), as_json(smart())))
    assert observation.outcome == "observed"
    assert check(observation, "NET-006").outcome == "warn"
    assert [record.reading for record in observation.requests][:2] == ["redirect", "document"]


def test_redirect_to_patient_data_is_not_followed(loopback: Loopback) -> None:
    loopback.routes["/fhir/Patient"] = as_json({"resourceType": "Bundle"})
    observation = observe(loopback.serve(redirect("/fhir/Patient?name=a"), redirect("/fhir/Patient/17")))
    assert not loopback.asked("/fhir/Patient") and not loopback.asked("/fhir/Patient/17")
    assert {record.failure for record in observation.requests} == {"redirect"}
    assert "patient data" in check(observation, "NET-006").message


@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://x/", "http://user:pw@127.0.0.1/x", "http://"])
def test_redirects_to_what_is_no_server_are_refused(loopback: Loopback, location: str) -> None:
    observation = observe(loopback.serve(redirect(location), as_json(smart())))
    assert observation.requests[0].failure == "redirect"
    assert observation.facts.capability is None


def test_cookies_and_credentials_are_never_sent(loopback: Loopback) -> None:
    loopback.routes["/next"] = as_json(statement())
    first = redirect("/next")
    first.headers["Set-Cookie"] = "session=secret; Path=/"
    observe(loopback.serve(first, as_json(smart())))
    assert len(loopback.asked("/next")) == 1
    assert all("cookie" not in request.headers for request in loopback.requests)
    assert all("authorization" not in request.headers for request in loopback.requests)
    assert all(request.headers["user-agent"].startswith("interlock/") for request in loopback.requests)
