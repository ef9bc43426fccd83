"""The user's own client in an active probe with a sample: the token's answer, and introspection of that token."""

from __future__ import annotations

from asyncio import StreamReader, StreamWriter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from credential_cases import (
    BEARER,
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
from probe_loopback import Loopback, Reply, Request, as_json

from interlock.model.errors import InterlockError
from interlock.model.observation import Observation, Target
from interlock.model.organization import Organization
from interlock.probe.transport.addresses import origin
from interlock.probe.transport.credentials import Credentials, Secret, resolve
from interlock.probe.transport.settings import ProbeSettings, SamplePlan
from interlock.sandbox.client import CLIENT_ID as PUBLISHED
from interlock.sandbox.client import KEY_ID
from interlock.sandbox.clients import Client
from interlock.sandbox.server import SandboxServer
from sandbox_app import CONFIDENTIAL, PUBLIC, app_at
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


REFRESH = "given-refresh-token-5c1e"


def refreshed(
    loopback: Loopback, answer: Reply, *, given: bool = True, active: bool = True, client: str = "client_secret_basic"
) -> tuple[Observation, list[tuple[str, str | None, bool]]]:
    """A probe of a server with one answer to a refresh.

    :return: and what the server was sent: the refresh token, the client's id in the body, whether anything proved it.
    """
    here = origin(loopback.base)
    assert here is not None
    sent: list[tuple[str, str | None, bool]] = []

    async def token(request: Request, reader: StreamReader, writer: StreamWriter) -> None:
        form = dict(parse_qsl((await reader.readexactly(int(request.headers["content-length"]))).decode()))
        reply = issued(refresh_token=None if given else REFRESH)
        if form["grant_type"] == "refresh_token":
            assert set(form) <= {"grant_type", "refresh_token", "client_id"}
            sent.append((form["refresh_token"], form.get("client_id"), "authorization" in request.headers))
            reply = answer
        else:
            assert client == "client_secret_basic", "a public client asks for no token of its own"
        writer.write(reply.encode())
        await writer.drain()

    smart = SMART | {"token_endpoint": f"{loopback.origin}/token"}
    smart |= {} if client == "client_secret_basic" else {"introspection_endpoint": f"{loopback.origin}/introspect"}
    loopback.serve(as_json(STATEMENT), as_json(smart), token=token)
    loopback.routes["/fhir/Patient"] = guarded(
        as_json(bundle(A_PATIENT)), BEARER if client == "bearer_token" else TOKEN
    )
    names = {
        "client_secret_basic": {"client_id_env": "ID", "client_secret_env": "SEC"},
        "public": {"client_id_env": "ID"},
        "bearer_token": {"client_id_env": "ID", "bearer_token_env": "TOK"},
    }[client]
    auth = names | ({"refresh_token_env": "REF"} if given else {})
    acme = Organization.model_validate({"id": "acme", "name": "Acme", "auth": auth})
    values = {"ID": CLIENT_ID, "SEC": SECRET, "TOK": BEARER, "REF": REFRESH}
    use = resolve(acme, values.get, frozenset({here}))
    assert use.method == client
    seen = sampled(loopback.base, use, NEEDS[:1], active=active)
    for secret in (TOKEN, BEARER, SECRET, CLIENT_ID, REFRESH, "kept-by-nobody"):
        assert secret not in written(seen)
    return seen, sent


AGAIN = {"access_token": "kept-by-nobody", "token_type": "Bearer", "expires_in": 3600, "scope": "patient/*.rs"}


@pytest.mark.parametrize(
    ("given", "answer", "outcome", "said"),
    [
        (True, AGAIN, "pass", "for 3,600 s; no new refresh token came"),
        (True, AGAIN | {"refresh_token": REFRESH}, "pass", "the refresh token stays the same"),
        (True, AGAIN | {"refresh_token": "kept-by-nobody-2"}, "pass", "is spent; whoever uses it has to sign in again"),
        (False, AGAIN | {"refresh_token": "kept-by-nobody-2"}, "pass", "the one that was used is spent"),
        (True, AGAIN | {"expires_in": "3600", "scope": None}, "fail", "lacks expires_in and scope"),
        (True, {"error": "invalid_grant"}, "not_observed", "it has ended, was used or withdrawn"),
        (False, {"error": "invalid_grant"}, "fail", "came a moment before is refused: HTTP 400, invalid_grant"),
        (True, {"error": "unauthorized_client"}, "warn", "not let refresh: HTTP 400, unauthorized_client"),
        (True, {"kept-by-nobody": 1}, "not_observed", "no bearer token in it"),
    ],
)
def test_what_a_refresh_token_gives(
    loopback: Loopback, given: bool, answer: dict[str, Any], outcome: str, said: str
) -> None:
    status = 400 if "error" in answer else 200
    seen, sent = refreshed(loopback, as_json(answer, status), given=given)
    result, message = check(seen, "TOKEN-004")
    assert (result, said in message) == (outcome, True), message
    assert sent == [(REFRESH, None, True)], "once, and never again"
    assert [record.status for record in seen.requests if record.purpose == "refresh"] == [status]


@pytest.mark.parametrize(
    ("answer", "outcome", "said"),
    [
        (AGAIN | {"refresh_token": "kept-by-nobody-2"}, "pass", "is spent; whoever uses it has to sign in again"),
        (AGAIN | {"refresh_token": REFRESH}, "warn", "stays the same; a public client's MUST be replaced at each use"),
        (AGAIN, "warn", "no new refresh token came; a public client's MUST be replaced"),
        (AGAIN | {"refresh_token": "kept-by-nobody-2", "scope": 5}, "fail", "lacks scope"),
        ({"error": "invalid_client"}, "warn", "invalid_client; it asked as a public client, by its id alone"),
        ({"error": "invalid_grant"}, "not_observed", "it has ended, was used or withdrawn"),
        (AGAIN | {"token_type": "mac"}, "not_observed", "no bearer token in it"),
    ],
)
def test_what_a_public_client_gets_for_its_refresh_token(
    loopback: Loopback, answer: dict[str, Any], outcome: str, said: str
) -> None:
    status = 401 if "error" in answer else 200
    seen, sent = refreshed(loopback, as_json(answer, status), client="public")
    result, message = check(seen, "TOKEN-004")
    assert (result, said in message) == (outcome, True), message
    assert sent == [(REFRESH, CLIENT_ID, False)], "by its id in the body, once"
    assert check(seen, "DATA-001") == (
        "not_observed",
        "Not observed: a public client has no token of its own, only what it gets when somebody signs in",
    )
    assert {record.purpose for record in seen.requests}.isdisjoint({"token", "sample", "introspection"})


def test_a_token_that_somebody_signed_in_for_and_its_refresh_token(loopback: Loopback) -> None:
    """The given token reads the sample, the refresh token is spent beside it; nobody is asked about the given one."""
    seen, sent = refreshed(loopback, as_json(AGAIN | {"refresh_token": "kept-by-nobody-2"}), client="bearer_token")
    assert (sent, check(seen, "TOKEN-004")[0]) == ([(REFRESH, CLIENT_ID, False)], "pass")
    assert "sample" in {record.purpose for record in seen.requests}
    assert "introspection" not in {record.purpose for record in seen.requests}


@pytest.mark.parametrize("client", ["client_secret_basic", "public"])
def test_a_refresh_token_is_used_by_an_active_probe_alone(loopback: Loopback, client: str) -> None:
    seen, sent = refreshed(loopback, as_json(AGAIN), active=False, client=client)
    assert (sent, check(seen, "TOKEN-004")[0]) == ([], "not_applicable")


def test_a_refresh_token_goes_nowhere_that_the_credentials_may_not(loopback: Loopback) -> None:
    elsewhere = SMART | {"token_endpoint": "https://elsewhere.example.org/token"}
    loopback.serve(as_json(STATEMENT), as_json(elsewhere))
    here = origin(loopback.base)
    assert here is not None
    use = replace(credentials("client_secret_basic"), origins=frozenset({here}), refresh_token=Secret(REFRESH))
    seen = sampled(loopback.base, use, NEEDS[:1], active=True)
    record = next(one for one in seen.requests if one.purpose == "refresh")
    assert (record.status, record.failure) == (None, "refused")
    assert (check(seen, "TOKEN-004")[0], REFRESH in written(seen)) == ("not_observed", False)


@pytest.mark.parametrize("client", [CONFIDENTIAL, PUBLIC], ids=lambda client: client.id)
def test_a_simulated_hospital_replaces_a_refresh_token(client: Client) -> None:
    with SandboxServer() as server, httpx.Client(trust_env=False) as http:
        app = app_at(server, http, client=client)
        mine = app.sign_in()["refresh_token"]
        use = Credentials("public", Secret(client.id), refresh_token=Secret(mine), origins=None)
        if client is CONFIDENTIAL:
            use = replace(use, method="client_secret_basic", client_secret=Secret(client.secret))
        plan = SamplePlan(use, NEEDS[:1])
        target = Target(base_url=app.base, org="riverside")
        seen = probe_sync([target], ProbeSettings(active=True, samples={"riverside": plan}))[0]
        spent = app.ask(grant_type="refresh_token", refresh_token=mine)
    assert check(seen, "TOKEN-004") == (
        "pass",
        "A new access token came, for 3,600 s; a new refresh token came, and the one that was used is spent; whoever "
        "uses it has to sign in again",
    )
    assert spent.json()["error"] == "invalid_grant"
    assert mine not in written(seen)


def test_where_a_refresh_token_comes_from() -> None:
    auth = {"client_id_env": "ID", "client_secret_env": "SEC", "refresh_token_env": "REF"}
    acme = Organization.model_validate({"id": "acme", "name": "Acme", "auth": auth})
    values = {"ID": CLIENT_ID, "SEC": SECRET, "REF": f" {REFRESH}\n"}
    given = resolve(acme, values.get).refresh_token
    assert given is not None
    assert given.reveal() == REFRESH
    assert resolve(acme, (values | {"REF": ""}).get).refresh_token is None
    with pytest.raises(InterlockError, match="the value of REF for acme is no refresh token") as refused:
        resolve(acme, (values | {"REF": "kept-by-nobody\x07"}).get)
    assert "kept-by-nobody" not in str(refused.value)


def test_a_client_is_a_public_one_only_where_its_file_names_neither_key_nor_secret() -> None:
    values = {"ID": CLIENT_ID, "SEC": SECRET, "REF": REFRESH, "TOK": BEARER}

    def given(find: Mapping[str, str], **auth: str) -> Credentials:
        return resolve(Organization.model_validate({"id": "acme", "name": "Acme", "auth": auth}), find.get)

    public = {"client_id_env": "ID", "refresh_token_env": "REF"}
    assert given(values, **public).method == "public"
    with pytest.raises(InterlockError, match="REF is not set"):
        given({"ID": CLIENT_ID}, **public)
    with pytest.raises(InterlockError, match="names no client id"):
        given(values, refresh_token_env="REF")
    unset = {name: value for name, value in values.items() if name != "SEC"}
    for auth in (public | {"client_secret_env": "SEC"}, public | {"private_key_env": "SEC"}):
        with pytest.raises(InterlockError, match="SEC is not set"):
            given(unset, **auth)
        assert given(unset, **auth, bearer_token_env="TOK").refresh_token is None
    with pytest.raises(InterlockError, match=r"Acme \(acme\) gives a refresh token, and no client id that uses it"):
        given(values, bearer_token_env="TOK", refresh_token_env="REF")
    with pytest.raises(ValueError, match="only a client with a key or a secret"):
        given(values, **public).token_request("https://ehr.example/token", "system/Patient.rs")
