"""Many targets at once: order, isolation, limits, events, cancellation."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import aclosing
from typing import Any

import pytest
from probe_documents import smart, statement
from probe_loopback import Loopback, Reply, Request, as_json, hang

import interlock.probe.session as session_module
from interlock.model.errors import InterlockError
from interlock.model.observation import Observation, RequestRecord, Target
from interlock.probe.recheck import recheck
from interlock.probe.runner import probe
from interlock.probe.transport.settings import ProbeEvent, ProbeSettings, SamplePlan
from interlock.usecases.probe import private_origins_of, probe_targets
from typed_targets import probe_sync, typed


def many(loopback: Loopback, count: int) -> list[Target]:
    targets = []
    for number in range(count):
        loopback.routes[f"/{number}/fhir/metadata"] = as_json(statement(publisher=f"P{number}"))
        loopback.routes[f"/{number}/fhir/.well-known/smart-configuration"] = as_json(smart())
        targets.append(Target(base_url=f"{loopback.origin}/{number}/fhir", org=f"org-{number}"))
    return targets


def test_observations_come_in_the_order_of_the_targets(loopback: Loopback) -> None:
    targets = many(loopback, 12)
    observations = probe_sync(targets, ProbeSettings(deadline_s=10))
    assert [observation.target for observation in observations] == targets
    publishers = [
        observation.facts.capability.publisher for observation in observations if observation.facts.capability
    ]
    assert publishers == [f"P{number}" for number in range(12)]
    assert all(observation.started.tzinfo is not None for observation in observations)


def test_no_targets() -> None:
    assert probe_sync([]) == ()


def test_the_same_target_twice_is_probed_twice(loopback: Loopback) -> None:
    (target,) = many(loopback, 1)
    assert [observation.outcome for observation in probe_sync([target, target])] == ["observed", "observed"]


async def test_organisations_that_share_a_base_are_asked_once(loopback: Loopback) -> None:
    first, other = many(loopback, 2)
    twins = [first.but(org=name, base_url=first.base_url + tail) for name, tail in (("a", "/"), ("b", "/metadata"))]
    targets = [first, *twins, other, Target(base_url="https://", org="c"), Target(base_url="https://", org="d")]
    events: list[ProbeEvent] = []
    settings = ProbeSettings(private_origins=private_origins_of(targets))
    met = {seen.target: seen async for seen in probe_targets(targets, settings, events.append)}
    assert set(met) == set(targets)
    assert len(loopback.requests) == 4, "two documents of two bases"
    assert [met[target].outcome for target in targets] == ["observed"] * 4 + ["not_observed"] * 2
    assert all(met[target].but(target=first) == met[first] for target in twins)
    told = [event.target for event in events if event.kind == "finished" and event.observation is not None]
    assert sorted(told, key=targets.index) == targets
    assert all(event.observation.target == event.target for event in events if event.observation is not None)
    wanted = lambda target: target.org not in {"a", other.org}  # noqa: E731
    left = {seen.target async for seen in probe_targets(targets, settings, wanted=wanted)}
    assert left == {target for target in targets if wanted(target)}, "its twins are asked about, and it is not"


async def test_a_sample_is_its_organisations_own(loopback: Loopback) -> None:
    first, _ = many(loopback, 2)
    targets = [first, first.but(org="a"), first.but(org="b")]
    samples = {"a": SamplePlan(None, (), "no credentials")}
    settings = ProbeSettings(private_origins=private_origins_of(targets), samples=samples)
    met = {seen.target.org: seen async for seen in probe_targets(targets, settings)}
    assert len(loopback.requests) == 4, "once for both without a sample, once for the one with it"
    assert {org for org, seen in met.items() if seen.facts.data is not None} == {"a"}


def test_one_bad_target_never_costs_another(loopback: Loopback) -> None:
    good = many(loopback, 3)
    loopback.routes["/slow/fhir/metadata"] = hang
    bad = [
        Target(base_url="ehr.example/fhir"),
        Target(base_url="https://"),
        Target(base_url="http://nowhere.invalid/fhir"),
        Target(base_url=f"{loopback.origin}/slow/fhir"),
        Target(base_url="https://user:secret@ehr.example/fhir"),
        Target(base_url="https://a..b/fhir"),
        Target(base_url="https://" + "a" * 300 + ".example/fhir"),
        Target(base_url="http://0x7f.1:1/fhir"),
        Target(base_url="https://ehr.example:0/fhir"),
        Target(base_url="\x00"),
    ]
    observations = probe_sync([*bad, *good], ProbeSettings(deadline_s=0.7))
    assert [observation.outcome for observation in observations[len(bad) :]] == ["observed"] * 3
    for observation in observations[: len(bad)]:
        assert observation.outcome == "not_observed"
        assert observation.reason_not_observed()
        assert observation.facts.capability is None
        assert not [check for check in observation.checks if check.outcome == "error"], observation.target
    assert "secret" not in observations[4].model_dump_json().replace("user:secret@ehr.example/fhir", "")


def test_a_missing_scheme_is_explained_with_the_address_to_write() -> None:
    (observation,) = probe_sync([Target(base_url="ehr.example/fhir")])
    assert "https://ehr.example/fhir" in (observation.reason_not_observed() or "")
    assert observation.requests[0].failure == "refused"


def test_a_mistake_of_this_program_is_an_error_check_of_that_target(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = many(loopback, 2)
    real = session_module.get_document

    async def broken(client: Any, ask: Any, *how: Any) -> Any:
        if ask.url == f"{loopback.origin}/0/fhir/metadata":
            raise ZeroDivisionError("surprise")
        return await real(client, ask, *how)

    monkeypatch.setattr(session_module, "get_document", broken)
    first, second = probe_sync(targets)
    assert second.outcome == "observed"
    assert first.outcome == "partial"
    assert first.facts.smart is not None
    assert [check.id for check in first.checks if check.outcome == "error"] == ["NET-000"]
    assert "surprise" in first.checks[0].message


def test_a_parser_that_breaks_is_an_error_check_too(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any) -> Any:
        raise AttributeError("parser")

    monkeypatch.setattr(session_module, "base_facts", broken)
    (observation,) = probe_sync(many(loopback, 1))
    assert observation.checks[0].id == "NET-000"
    assert "parser" in observation.checks[0].message
    assert len(observation.requests) == 2


def test_events_tell_the_story(loopback: Loopback) -> None:
    (target,) = many(loopback, 1)
    events: list[ProbeEvent] = []
    (observation,) = probe_sync([target], on_event=events.append)
    assert [event.kind for event in events] == ["started", "request", "request", "finished"]
    assert {event.record.url for event in events if event.record} == {record.url for record in observation.requests}
    assert events[-1].observation == observation
    assert {json.loads(body)["token_endpoint"] for body in events[-1].bodies.values() if b"token_endpoint" in body}
    digests = {record.sha256 for record in observation.requests}
    assert set(events[-1].bodies) == digests


def test_an_exception_of_the_listener_ends_the_run(loopback: Loopback) -> None:
    def listener(event: ProbeEvent) -> None:
        if event.kind == "request":
            raise KeyError("listener")

    with pytest.raises(KeyError, match="listener"):
        probe_sync(many(loopback, 5), on_event=listener)


def test_limits_hold_per_host_and_in_total(loopback: Loopback) -> None:
    targets = many(loopback, 10)

    async def slow(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.02)
        writer.write(as_json(statement()).encode().replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        await writer.drain()

    for path in list(loopback.routes):
        loopback.routes[path] = slow
    probe_sync(targets, ProbeSettings(per_host=3))
    assert 1 < loopback.most_active <= 3
    loopback.most_active = 0
    probe_sync(targets, ProbeSettings(per_host=40, concurrency=2))
    assert loopback.most_active <= 4


def test_a_hanging_host_does_not_hold_up_others(loopback: Loopback) -> None:
    good = many(loopback, 3)
    sleeper = Loopback()
    try:
        stuck = []
        for number in range(3):
            sleeper.routes[f"/{number}/fhir/metadata"] = hang
            stuck.append(Target(base_url=f"http://localhost:{sleeper.port}/{number}/fhir"))
        order: list[str] = []

        settings = ProbeSettings(deadline_s=1.0, per_host=2, concurrency=4)
        settings = typed(settings, loopback.base, f"http://localhost:{sleeper.port}")

        async def run() -> None:
            async for observation in probe([*stuck, *good], settings):
                order.append(observation.target.base_url)

        asyncio.run(run())
        assert set(order[:3]) == {target.base_url for target in good}
    finally:
        sleeper.close()


def test_queueing_does_not_eat_the_deadline(loopback: Loopback) -> None:
    """Ten targets of one host, one at a time, each slow: none of them times out."""
    targets = many(loopback, 10)

    async def slow(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        writer.write(as_json(statement()).encode().replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        await writer.drain()

    for number in range(10):
        loopback.routes[f"/{number}/fhir/metadata"] = slow
    observations = probe_sync(targets, ProbeSettings(deadline_s=0.6, per_host=2))
    assert {observation.outcome for observation in observations} == {"observed"}


async def test_leaving_the_loop_early_ends_everything(loopback: Loopback) -> None:
    targets = many(loopback, 3)
    for number in range(30):
        loopback.routes[f"/hang{number}/metadata"] = hang
        targets.append(Target(base_url=f"{loopback.origin}/hang{number}"))
    before = asyncio.all_tasks()
    yielded: list[Observation] = []
    settings = typed(ProbeSettings(deadline_s=30, per_host=20), loopback.base)
    async with aclosing(probe(targets, settings)) as observations:
        async for observation in observations:
            yielded.append(observation)
            break
    await asyncio.sleep(0)
    assert len(yielded) == 1
    assert asyncio.all_tasks() == before


async def test_cancelling_ends_everything(loopback: Loopback) -> None:
    loopback.serve(hang, hang)

    async def run() -> list[Observation]:
        settings = typed(ProbeSettings(deadline_s=30), loopback.base)
        return [observation async for observation in probe([Target(base_url=loopback.base)], settings)]

    before = asyncio.all_tasks()
    task = asyncio.create_task(run())
    assert await asyncio.to_thread(loopback.wait_for_request)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize(
    "settings", [{"deadline_s": 0}, {"concurrency": 0}, {"retries": -1}, {"user_agent": "a\r\nX: y"}, {"max_bytes": -1}]
)
def test_settings_that_cannot_work(settings: dict[str, Any]) -> None:
    with pytest.raises(InterlockError):
        ProbeSettings(**settings)


def test_host_root_copy_is_reported_and_not_used(loopback: Loopback) -> None:
    loopback.serve(as_json(statement()))
    loopback.routes["/.well-known/smart-configuration"] = as_json(smart())
    (observation,) = probe_sync([Target(base_url=loopback.base)])
    outcomes = {check.id: check for check in observation.checks}
    assert observation.outcome == "observed"
    assert observation.facts.smart is None
    assert outcomes["SMART-001"].outcome == "fail"
    assert outcomes["SMART-002"].outcome == "fail"
    assert "root" in outcomes["SMART-002"].message


def test_fallback_to_the_statement_is_reported(loopback: Loopback) -> None:
    document = statement()
    document["rest"][0]["security"]["extension"] = [
        {
            "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
            "extension": [
                {"url": "authorize", "valueUri": "https://auth.example.org/a"},
                {"url": "token", "valueUri": "http://auth.example.org/t"},
            ],
        }
    ]
    (observation,) = probe_sync([Target(base_url=loopback.serve(as_json(document)))])
    assert observation.facts.smart is not None
    assert observation.facts.smart.source == "oauth-uris"
    assert observation.facts.smart.token_endpoint == "http://auth.example.org/t"
    assert observation.facts.smart.capabilities is None
    outcomes = {check.id: check.outcome for check in observation.checks}
    assert outcomes["SMART-016"] == "warn"
    assert outcomes["SMART-009"] == "fail"
    assert outcomes["SMART-004"] == "not_applicable"


def sso(loopback: Loopback, **changes: Any) -> dict[str, Any]:
    document = smart(issuer=f"{loopback.origin}/idp", **changes)
    document["capabilities"] = [*document["capabilities"], "sso-openid-connect"]
    return document


def provider(loopback: Loopback, **changes: Any) -> dict[str, Any]:
    fields = {
        "issuer": f"{loopback.origin}/idp",
        "jwks_uri": f"{loopback.origin}/keys",
        "authorization_endpoint": "https://auth.example.org/authorize",
        "token_endpoint": "https://auth.example.org/token",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    } | changes
    return {name: value for name, value in fields.items() if value is not None}


MODULUS = base64.urlsafe_b64encode((2**2047 + 1).to_bytes(256, "big")).decode().rstrip("=")
RSA_KEY = {"kty": "RSA", "kid": "a", "alg": "RS256", "e": "AQAB", "n": MODULUS}


def test_identity_and_keys_are_followed(loopback: Loopback) -> None:
    loopback.routes["/idp/.well-known/openid-configuration"] = as_json(provider(loopback))
    loopback.routes["/keys"] = as_json({"keys": [RSA_KEY]})
    (observation,) = probe_sync([Target(base_url=loopback.serve(as_json(statement()), as_json(sso(loopback))))])
    assert observation.facts.openid is not None
    assert observation.facts.jwks is not None and observation.facts.jwks.valid
    outcomes = {check.id: check.outcome for check in observation.checks}
    assert [outcomes[f"OIDC-00{number}"] for number in (1, 3, 4, 5)] == ["pass"] * 4
    assert outcomes["OIDC-002"] == "not_applicable"  # plain http, on this machine
    assert [outcomes[f"JWKS-00{number}"] for number in (1, 2, 3, 4)] == ["pass"] * 4


def test_mistakes_of_an_identity_provider(loopback: Loopback) -> None:
    wrong = provider(
        loopback,
        issuer=f"{loopback.origin}/idp/",
        id_token_signing_alg_values_supported=["ES256"],
        subject_types_supported=None,
    )
    loopback.routes["/idp/.well-known/openid-configuration"] = as_json(wrong)
    loopback.routes["/keys"] = as_json({"keys": [RSA_KEY | {"d": "AQAB"}, RSA_KEY | {"n": "wQ"}]})
    (observation,) = probe_sync([Target(base_url=loopback.serve(as_json(statement()), as_json(sso(loopback))))])
    outcomes = {check.id: check for check in observation.checks}
    for check_id in ("OIDC-003", "OIDC-004", "OIDC-005", "JWKS-002", "JWKS-003"):
        assert outcomes[check_id].outcome == "fail", check_id
    assert outcomes["JWKS-004"].outcome == "warn"
    assert "AQAB" not in outcomes["JWKS-002"].message


def test_advertised_addresses_that_are_not_followed(loopback: Loopback) -> None:
    document = sso(loopback, jwks_uri="http://keys.example.org/jwks")
    (observation,) = probe_sync([Target(base_url=loopback.serve(as_json(statement()), as_json(document)))])
    record = next(record for record in observation.requests if record.purpose == "jwks")
    assert record.failure == "refused"
    outcome = next(check for check in observation.checks if check.id == "JWKS-001")
    assert outcome.outcome == "not_observed"
    assert "not https" in outcome.message


def test_recheck_needs_the_documents(loopback: Loopback) -> None:
    (target,) = many(loopback, 1)
    (observation,) = probe_sync([target])
    with pytest.raises(InterlockError, match="not stored"):
        recheck(observation, {})
    bare = observation.model_copy(update={"requests": ()})
    with pytest.raises(InterlockError, match="what each request was for"):
        recheck(bare, {})


def test_recheck_of_failures_and_pages(loopback: Loopback) -> None:
    (observation,) = probe_sync(
        [Target(base_url=loopback.serve(Reply(b"<html>", 200, "text/html"), hang))], ProbeSettings(deadline_s=0.4)
    )
    again = recheck(observation, {})
    assert again.checks == observation.checks
    assert again.facts == observation.facts
    (unusable,) = probe_sync([Target(base_url="nothing")])
    assert recheck(unusable, {}) == unusable


def test_a_proxy_from_the_environment_is_used_except_for_loopback(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", loopback.origin)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    loopback.routes["http://ehr.example.invalid/fhir/metadata"] = as_json(statement())
    loopback.serve(as_json(statement()), as_json(smart()))
    through, direct = probe_sync([Target(base_url="http://ehr.example.invalid/fhir"), Target(base_url=loopback.base)])
    assert through.facts.capability is not None
    assert direct.outcome == "observed"
    assert {request.target for request in loopback.requests if request.target.startswith("/")} == {
        "/fhir/metadata",
        "/fhir/.well-known/smart-configuration",
    }
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    (without,) = probe_sync([Target(base_url="http://ehr.example.invalid/fhir")])
    assert {record.failure for record in without.requests} == {"dns"}


def test_a_proxy_that_cannot_be_used_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "socks5://user:secret@proxy.example:1080")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(InterlockError, match="proxy") as caught:
        probe_sync([Target(base_url="https://ehr.example/fhir")])
    assert "secret" not in str(caught.value)


def test_records_carry_what_a_reader_needs(loopback: Loopback) -> None:
    (target,) = many(loopback, 1)
    (observation,) = probe_sync([target])
    record: RequestRecord = observation.requests[0]
    assert record.method == "GET"
    assert record.status == 200
    assert record.purpose == "metadata"
    assert record.accept == "application/fhir+json; fhirVersion=4.0"
    assert record.reading == "document"
    assert record.elapsed_ms > 0
    assert record.bytes == len(json.dumps(statement(publisher="P0")))
    assert len(record.sha256 or "") == 64
