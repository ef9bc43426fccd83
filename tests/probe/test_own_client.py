"""The user's own client in an active probe with a sample: the token's answer, and introspection of that token."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from credential_cases import (
    CLIENT_ID,
    NEEDS,
    SECRET,
    TOKEN,
    bundle,
    check,
    credentials,
    guarded,
    issued,
    sampled,
    written,
)
from credential_cases import PATIENT as A_PATIENT
from probe_documents import SMART, STATEMENT
from probe_loopback import Loopback, Reply, as_json

from interlock.model.observation import Observation, Target
from interlock.model.organization import Organization
from interlock.probe.transport.addresses import origin
from interlock.probe.transport.credentials import resolve
from interlock.probe.transport.settings import ProbeSettings, SamplePlan
from interlock.sandbox.client import CLIENT_ID as PUBLISHED
from interlock.sandbox.client import KEY_ID
from interlock.sandbox.server import SandboxServer
from sandbox_client import client_private_key_pem
from typed_targets import probe_sync

TOLD = {
    "active": True,
    "scope": "system/Patient.rs",
    "client_id": CLIENT_ID,
    "exp": 1_900_000_000,
    "sub": "kept-by-nobody",
}


def asked(loopback: Loopback, answer: Reply, token: Reply | None = None, **settings: Any) -> Observation:
    """An active probe with a sample of a server with one answer at its introspection endpoint."""
    where = settings.pop("where", f"{loopback.origin}/introspect")
    smart = SMART | {"token_endpoint": f"{loopback.origin}/token", "introspection_endpoint": where}
    loopback.serve(
        as_json(STATEMENT),
        as_json(smart),
        token=token or issued(),
        introspect=answer,
    )
    loopback.routes["/fhir/Patient"] = guarded(as_json(bundle(A_PATIENT)))
    options = {"active": True} | settings
    here = origin(loopback.base)
    assert here is not None
    use = replace(credentials("client_secret_basic"), origins=frozenset({here}))
    seen = sampled(loopback.base, use, NEEDS[:1], **options)
    assert all(secret not in written(seen) for secret in (TOKEN, SECRET, "kept-by-nobody"))
    return seen


def test_a_simulated_hospital_treats_the_client_by_the_book() -> None:
    auth = {"client_id_env": "ID", "private_key_env": "KEY", "key_id_env": "KID"}
    acme = Organization.model_validate({"id": "riverside", "name": "Riverside", "auth": auth})
    values = {"ID": PUBLISHED, "KEY": client_private_key_pem(), "KID": KEY_ID}
    plan = SamplePlan(resolve(acme, values.get, None), NEEDS[:1])
    with SandboxServer() as server:
        target = Target(base_url=server.base_url("riverside"), org="riverside")
        seen = probe_sync([target], ProbeSettings(active=True, samples={"riverside": plan}))[0]
        passive = probe_sync([target], ProbeSettings(samples={"riverside": plan}))[0]
    assert {name: check(seen, name)[0] for name in ("TOKEN-001", "TOKEN-002", "TOKEN-003")} == dict.fromkeys(
        ("TOKEN-001", "TOKEN-002", "TOKEN-003"), "pass"
    )
    assert "introspection" not in {record.purpose for record in passive.requests}
    assert check(passive, "TOKEN-003")[0] == "not_applicable"


@pytest.mark.parametrize(
    ("answer", "outcome", "said"),
    [
        (as_json(TOLD), "pass", "scope, client_id and exp"),
        (as_json({"active": False}), "fail", "not to be active"),
        (as_json({"active": True, "client_id": CLIENT_ID}), "fail", "scope and exp"),
        (as_json(TOLD | {"client_id": "somebody"}), "fail", "another client's"),
        (as_json(TOLD | {"exp": True, "scope": 5}), "fail", "scope and exp"),
        (as_json({"error": "kept-by-nobody"}, 401), "warn", "HTTP 401"),
        (as_json({"kept-by-nobody": 1}), "not_observed", "no JSON object with active"),
        (as_json([]), "not_observed", "no JSON object"),
        (Reply(b"kept-by-nobody", 500, "text/kept-by-nobody"), "not_observed", "HTTP 500"),
    ],
)
def test_what_introspection_answers(loopback: Loopback, answer: Reply, outcome: str, said: str) -> None:
    result, message = check(asked(loopback, answer), "TOKEN-003")
    assert (result, said in message) == (outcome, True), message


@pytest.mark.parametrize(
    "where",
    ["https://elsewhere.example.org/introspect", "http://169.254.169.254/introspect", "http://other.example.org/i"],
)
def test_the_token_goes_nowhere_that_the_credentials_may_not(loopback: Loopback, where: str) -> None:
    seen = asked(loopback, as_json(TOLD), where=where)
    record = next(one for one in seen.requests if one.purpose == "introspection")
    assert (record.status, record.failure) == (None, "refused")
    assert check(seen, "TOKEN-003")[0] == "not_observed"


def test_no_store_and_a_refresh_token_that_nobody_asked_for(loopback: Loopback) -> None:
    careful = issued()
    careful.headers["Cache-Control"] = "private, No-Store"
    assert check(asked(loopback, as_json(TOLD), careful), "TOKEN-001")[0] == "pass"
    careless = asked(loopback, as_json(TOLD), issued(refresh_token="kept-by-nobody"))
    assert [check(careless, name)[0] for name in ("TOKEN-001", "TOKEN-002")] == ["fail", "warn"]
