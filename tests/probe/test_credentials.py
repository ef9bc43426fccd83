"""Finding credentials and using them at a token endpoint; a secret is nowhere but in the request."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import sys
import time
import traceback
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import pytest
from credential_cases import (
    BEARER,
    CLIENT_ID,
    NEEDS,
    OBSERVATIONS,
    PATIENT,
    SECRET,
    TOKEN,
    bundle,
    check,
    credentials,
    guarded,
    issued,
    organization,
    pem,
    sampled,
    written,
)
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from probe_documents import SMART, STATEMENT
from probe_loopback import Loopback, Reply, as_json, redirect

from interlock.model.errors import InterlockError
from interlock.model.facts import Facts, SmartFacts
from interlock.probe.tokens import Base, TokenSource
from interlock.probe.transport.client import Client
from interlock.probe.transport.credentials import ASSERTION_SECONDS, Secret, lookup, resolve, signing_key
from interlock.probe.transport.settings import ProbeSettings
from interlock.probe.transport.transfer import Ask
from interlock.sandbox.client import CLIENT_ID as SANDBOX_ID
from interlock.sandbox.client import CLIENT_SECRET, KEY_ID
from interlock.sandbox.clients import Client as SandboxClient
from interlock.sandbox.server import SandboxServer
from sandbox_client import client_private_key_pem

pytestmark = pytest.mark.fast

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP384R1())


def key_auth(value: str, **more: str) -> Any:
    org = organization(client_id_env="ID", private_key_env="KEY", **more)
    return resolve(org, {"ID": CLIENT_ID, "KEY": value, "KID": "registered-kid"}.get)


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret(SECRET)
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret:>40}", repr([secret])):
        assert SECRET not in shown
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="never"):
            copied(secret)
    with pytest.raises(TypeError):
        hash(secret)
    assert secret.reveal() == SECRET
    signing = key_auth(pem(EC))
    assert CLIENT_ID not in repr(signing)
    with pytest.raises(TypeError, match="never"):
        pickle.dumps(signing)


@pytest.mark.parametrize(("key", "kind", "algorithm"), [(RSA, RSAKey, "RS384"), (EC, ECKey, "ES384")])
def test_an_assertion_is_what_smart_asks_for(key: Any, kind: Any, algorithm: str) -> None:
    signing = key_auth(pem(key), key_id_env="KID")
    form, headers = signing.token_request("https://ehr.example/token", "system/Patient.rs")
    fields = {name: values[0] for name, values in parse_qs(form.reveal()).items()}
    assert headers == {}
    assert fields["grant_type"] == "client_credentials"
    assert fields["scope"] == "system/Patient.rs"
    decoded = jwt.decode(fields["client_assertion"], kind.import_key(key.public_key()), algorithms=[algorithm])
    assert decoded.header == {"alg": algorithm, "kid": "registered-kid", "typ": "JWT"}
    claims = decoded.claims
    assert (claims["iss"], claims["sub"], claims["aud"]) == (CLIENT_ID, CLIENT_ID, "https://ehr.example/token")
    assert ASSERTION_SECONDS <= 300
    assert 0 < claims["exp"] - time.time() <= 300
    again = parse_qs(signing.token_request("https://ehr.example/token", "x")[0].reveal())["client_assertion"][0]
    assert jwt.decode(again, kind.import_key(key.public_key()), algorithms=[algorithm]).claims["jti"] != claims["jti"]


def test_a_key_may_be_pem_jwk_a_set_or_a_file(tmp_path: Path) -> None:
    jwk = ECKey.import_key(EC, {"kid": "mine"}).as_dict(private=True)
    path = tmp_path / "key.pem"
    path.write_text(pem(RSA))
    assert signing_key(json.dumps(jwk)).key_id == "mine"
    public = RSAKey.import_key(RSA.public_key()).as_dict()
    assert signing_key(json.dumps({"keys": [jwk, public]})).algorithm == "ES384"
    assert signing_key(str(path)).algorithm == "RS384"
    assert signing_key(f"@{path}").algorithm == "RS384"
    assert signing_key(pem(EC).replace("\n", "\\n")).algorithm == "ES384"
    assert signing_key(pem(EC)).key_id == ECKey.import_key(EC).thumbprint()


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (pem(rsa.generate_private_key(65537, 1024)), "shorter than 2048"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "not P-384"),
        (pem(ed25519.Ed25519PrivateKey.generate()), "neither an RSA nor an EC"),  # type: ignore[arg-type]
        (json.dumps(ECKey.import_key(EC.public_key()).as_dict()), "public key"),
        ('{"kty": "oct", "k": "dG9wc2VjcmV0dmFsdWU"}', "neither an RSA nor an EC"),
        ('{"kty": "RSA", "n": "topsecretvalue", "e": "AQAB", "d": "topsecretvalue"}', "topsecret-free"),
        ('{"kty": "topsecretvalue"', "not valid JSON"),
        ('{"keys": []}', "0 private keys"),
        ("-----BEGIN PRIVATE KEY-----\ntopsecretvalue\n-----END PRIVATE KEY-----", "no private key that can be read"),
        ("topsecretvalue", "neither PEM"),
        ("/no/such/topsecretvalue", "neither PEM"),
    ],
)
def test_an_unusable_key_is_named_and_not_shown(value: str, why: str) -> None:
    with pytest.raises(InterlockError) as raised:
        key_auth(value)
    said = "".join(traceback.format_exception(raised.value))
    assert "KEY" in said
    assert "Acme Clinic (acme)" in said
    assert "topsecret" not in said.replace(why, "")
    assert why in said or why == "topsecret-free"


def test_what_is_missing_is_named_with_its_organisation() -> None:
    named = organization(client_id_env="ACME_ID", private_key_env="ACME_KEY")
    with pytest.raises(InterlockError, match=r"ACME_KEY is not set, and Acme Clinic \(acme\) names it"):
        resolve(named, {"ACME_ID": "x"}.get)
    with pytest.raises(InterlockError, match="names no credentials"):
        resolve(organization(), {}.get)
    with pytest.raises(InterlockError, match="names no client id"):
        resolve(organization(private_key_env="ACME_KEY"), {"ACME_KEY": "x"}.get)
    with pytest.raises(InterlockError, match="no bearer token"):
        resolve(organization(bearer_token_env="T"), {"T": "two words"}.get)


def test_the_first_complete_way_is_used() -> None:
    org = organization(client_id_env="ID", private_key_env="KEY", client_secret_env="SEC", bearer_token_env="TOK")
    every = {"ID": CLIENT_ID, "KEY": pem(EC), "SEC": SECRET, "TOK": BEARER}
    assert resolve(org, every.get).method == "private_key_jwt"
    assert resolve(org, {**every, "KEY": None}.get).method == "client_secret_basic"
    assert resolve(org, {"TOK": BEARER}.get).method == "bearer_token"


def test_the_keyring_is_asked_after_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []
    module, errors = ModuleType("keyring"), ModuleType("keyring.errors")
    errors.KeyringError = type("KeyringError", (Exception,), {})  # type: ignore[attr-defined]

    def get_password(service: str, name: str) -> str | None:
        asked.append((service, name))
        if name == "BROKEN":
            raise errors.KeyringError("locked")
        return {"IN_RING": "from-the-ring"}.get(name)

    module.get_password = get_password  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", module)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    monkeypatch.setenv("IN_ENV", "from-the-environment")
    find = lookup
    assert find("IN_ENV") == "from-the-environment"
    assert asked == []
    assert find("IN_RING") == "from-the-ring"
    assert find("NOWHERE") is None
    assert find("BROKEN") is None
    assert asked[0] == ("interlock", "IN_RING")


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[tuple[str, str], str]]:
    """What the package's own keyring holds, in memory: (service, name) → value. ``LOCKED`` cannot be had."""
    keyring = pytest.importorskip(
        "keyring", reason="the optional package keyring is not installed (interlock[keyring])"
    )
    from keyring.backend import KeyringBackend
    from keyring.errors import KeyringLocked

    held: dict[tuple[str, str], str] = {}

    class InMemory(KeyringBackend):
        priority = 0.1

        def get_password(self, service: str, username: str) -> str | None:
            if username == "LOCKED":
                raise KeyringLocked("Quillfeather did not unlock it")
            return held.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            held[(service, username)] = password

    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")  # the user's own is not looked for
    before = keyring.get_keyring()
    keyring.set_keyring(InMemory())
    yield held
    keyring.set_keyring(before)


def test_the_package_itself_is_asked(ring: dict[tuple[str, str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What ``keyring set interlock ACME_SECRET`` stores is found; another service's value of that name is not."""
    import keyring

    keyring.set_password("interlock", "ACME_SECRET", SECRET)
    keyring.set_password("elsewhere", "ACME_KEY", "not-ours")
    keyring.set_password("interlock", "EMPTY", "")
    assert ring[("interlock", "ACME_SECRET")] == SECRET
    find = lookup
    assert find("ACME_SECRET") == SECRET
    assert [find(name) for name in ("ACME_KEY", "EMPTY", "LOCKED", "NOWHERE")] == [None] * 4
    monkeypatch.setenv("ACME_SECRET", "from-the-environment")
    assert find("ACME_SECRET") == "from-the-environment"


def test_a_secret_of_the_keyring_reaches_the_token_endpoint_and_nothing_else(
    ring: dict[tuple[str, str], str], monkeypatch: pytest.MonkeyPatch, loopback: Loopback
) -> None:
    monkeypatch.setenv("ACME_ID", CLIENT_ID)
    ring[("interlock", "ACME_SECRET")] = SECRET
    kept = resolve(organization(client_id_env="ACME_ID", client_secret_env="ACME_SECRET"), lookup, None)
    assert kept.method == "client_secret_basic"
    routes: dict[str, Any] = {"token": issued(), "fhir/Patient": guarded(as_json(bundle(PATIENT)))}
    base = loopback.serve(as_json(STATEMENT), as_json(SMART | {"token_endpoint": f"{loopback.origin}/token"}), **routes)
    observation = sampled(base, kept, NEEDS[:1])
    (sent,) = loopback.asked("/token")
    told = b64decode(sent.headers["authorization"].partition(" ")[2]).decode()
    assert unquote_plus(told.partition(":")[2]) == SECRET
    assert observation.facts.data is not None and observation.facts.data.inputs[0].outcome == "sampled"
    assert SECRET not in written(observation) + repr(kept)


def test_a_missing_value_is_named_with_the_command_that_stores_it(ring: dict[tuple[str, str], str]) -> None:
    org = organization(client_id_env="ACME_ID", client_secret_env="LOCKED")
    ring[("interlock", "ACME_ID")] = CLIENT_ID
    with pytest.raises(InterlockError, match="LOCKED is not set") as raised:
        resolve(org, lookup)
    assert "keyring set interlock LOCKED" in (raised.value.remedy or "")
    assert "Quillfeather" not in f"{raised.value} {raised.value.remedy}"


@pytest.mark.parametrize("key", [pytest.param(RSA, id="RS384"), pytest.param(EC, id="ES384")])
def test_the_sandbox_exchanges_a_signed_assertion_for_a_token(key: Any) -> None:
    """The sandbox's own check of signature and claims, for both algorithms that SMART names."""
    kind = RSAKey if isinstance(key, rsa.RSAPrivateKey) else ECKey
    registered = kind.import_key(key.public_key(), {"kid": "both"})  # type: ignore[arg-type]
    client = SandboxClient(
        id="with-keys",
        methods=("private_key_jwt",),
        jwks={"keys": [registered.as_dict(private=False)]},
        scopes=("system/*.rs",),
        grant_types=("client_credentials",),
    )
    org = organization(client_id_env="ID", private_key_env="KEY", key_id_env="KID")
    use = resolve(org, {"ID": client.id, "KEY": pem(key), "KID": "both"}.get, None)
    with SandboxServer() as server:
        server.register("riverside", client)
        observation = sampled(server.base_url("riverside"), use)
    assert check(observation, "DATA-001")[0] == "pass"
    assert observation.facts.data is not None
    assert [sample.outcome for sample in observation.facts.data.inputs] == ["sampled", "sampled"]


def test_a_wrong_key_is_refused_and_says_so() -> None:
    org = organization(client_id_env="ID", private_key_env="KEY", key_id_env="KID")
    use = resolve(org, {"ID": SANDBOX_ID, "KEY": pem(EC), "KID": KEY_ID}.get, None)
    with SandboxServer() as server:
        observation = sampled(server.base_url("riverside"), use)
    outcome, message = check(observation, "DATA-001")
    assert outcome == "fail"
    assert "invalid_client" in message
    assert check(observation, "DATA-003")[0] == "not_observed"
    assert [record.purpose for record in observation.requests].count("sample") == 0


def test_the_sandbox_takes_a_client_secret_and_the_published_key() -> None:
    by_secret = organization(client_id_env="ID", client_secret_env="SEC")
    by_key = organization(client_id_env="ID", private_key_env="KEY", key_id_env="KID")
    values = {"ID": SANDBOX_ID, "SEC": CLIENT_SECRET, "KEY": client_private_key_pem(), "KID": KEY_ID}
    with SandboxServer() as server:
        for org in (by_secret, by_key):
            assert check(sampled(server.base_url("riverside"), resolve(org, values.get, None)), "DATA-001")[0] == "pass"


def serve(loopback: Loopback, token: Any, **others: Any) -> str:
    smart = SMART | {"token_endpoint": f"{loopback.origin}/token"}
    routes: dict[str, Any] = {
        "token": token,
        "fhir/Patient": guarded(as_json(bundle(PATIENT))),
        "fhir/Observation": guarded(as_json(bundle(*OBSERVATIONS))),
    }
    return loopback.serve(as_json(STATEMENT), as_json(smart), **(routes | others))


def test_a_client_secret_goes_out_as_basic(loopback: Loopback) -> None:
    observation = sampled(serve(loopback, issued()), credentials("client_secret_basic"))
    assert check(observation, "DATA-001")[0] == "pass"
    (request,) = loopback.asked("/token")
    scheme, _, encoded = request.headers["authorization"].partition(" ")
    name, _, secret = b64decode(encoded).decode().partition(":")
    assert (scheme, unquote_plus(name), unquote_plus(secret)) == ("Basic", CLIENT_ID, SECRET)
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"


def test_a_bearer_token_is_used_as_it_is(loopback: Loopback) -> None:
    base = serve(loopback, issued(), **{"fhir/Patient": guarded(as_json(bundle(PATIENT)), BEARER)})
    observation = sampled(base, credentials("bearer_token"), NEEDS[:1])
    assert loopback.asked("/token") == []
    assert check(observation, "DATA-001")[0] == "not_applicable"
    assert check(observation, "DATA-002")[0] == "pass"


def test_discovery_never_carries_credentials(loopback: Loopback) -> None:
    sampled(serve(loopback, issued()), credentials("client_secret_basic"), active=True, thorough=True)
    carrying = {request.path for request in loopback.requests if "authorization" in request.headers}
    assert carrying == {"/token", "/fhir/Patient", "/fhir/Observation"}


ECHOING = {
    "refused": as_json({"error": "invalid_client", "error_description": f"not {SECRET} {CLIENT_ID}"}, 401),
    "an unknown error": as_json({"error": SECRET}, 400),
    "a redirect": redirect(f"/elsewhere?secret={SECRET.encode().hex()}&{CLIENT_ID}"),
    "a page": Reply(f"<html><title>{TOKEN} {SECRET}</title></html>".encode(), 200, "text/html"),
    "a media type": Reply(b"{}", 200, f"application/{TOKEN}"),
    "a header": as_json({"error": "invalid_client"}, 401, WWW_Authenticate=f"Basic realm={CLIENT_ID}", Server=TOKEN),
    "a token in a strange type": issued(token_type="mac"),
    "a token with a line feed": issued(access_token=f"{TOKEN}\r\nX-Evil: 1"),
    "scopes": issued(scope=f"system/{TOKEN} system/Patient.rs?name={TOKEN} {TOKEN} system/Secrettype.rs"),
}


@pytest.mark.parametrize("name", ECHOING)
def test_no_byte_that_is_kept_holds_a_secret_whatever_the_endpoint_echoes(
    loopback: Loopback, name: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    events: list[str] = []
    base = serve(loopback, ECHOING[name])
    observation = sampled(base, credentials("client_secret_basic"), on_event=lambda event: events.append(repr(event)))
    out, err = capfd.readouterr()
    everything = "".join([written(observation), repr(observation), *events, out, err, caplog.text])
    for secret in (SECRET, CLIENT_ID, TOKEN, SECRET.encode().hex(), "Secrettype", "evil", "Evil"):
        assert secret not in everything, name
    assert loopback.asked("/elsewhere") == []
    assert len(loopback.asked("/token")) == 1


def test_an_html_page_is_no_token(loopback: Loopback) -> None:
    observation = sampled(serve(loopback, ECHOING["a page"]), credentials("client_secret_basic"))
    outcome, message = check(observation, "DATA-001")
    assert outcome == "not_observed"
    assert "no JSON object" in message


def test_scopes_come_in_the_syntax_that_the_server_declares(loopback: Loopback) -> None:
    scopes_asked: list[str] = []
    for scopes in (["system/Patient.rs"], ["system/Patient.read"]):
        smart = SMART | {"token_endpoint": f"{loopback.origin}/token", "scopes_supported": scopes}
        loopback.serve(as_json(STATEMENT), as_json(smart), token=issued())
        observation = sampled(loopback.base, credentials("client_secret_basic"))
        assert observation.facts.data is not None
        assert observation.facts.data.token is not None
        scopes_asked += observation.facts.data.token.asked
    assert scopes_asked == [
        "system/Patient.rs",
        "system/Observation.rs",
        "system/Patient.read",
        "system/Observation.read",
    ]


def test_the_other_syntax_is_tried_once_when_neither_is_declared(loopback: Loopback) -> None:
    answers = iter([as_json({"error": "invalid_scope"}, 400), issued()])
    smart = {name: value for name, value in SMART.items() if name != "scopes_supported"}
    base = serve(loopback, lambda request: next(answers))
    loopback.serve(smart=as_json(smart | {"token_endpoint": f"{loopback.origin}/token"}))
    observation = sampled(base, credentials("client_secret_basic"))
    assert check(observation, "DATA-001")[0] == "pass"
    assert len(loopback.asked("/token")) == 2


def test_a_token_that_ends_is_asked_for_again_and_not_for_ever(loopback: Loopback) -> None:
    needs = tuple(
        NEEDS[0].model_copy(update={"resource": name})
        for name in ("Patient", "Location", "Device", "List", "Goal", "Flag")
    )
    routes = {f"fhir/{need.resource}": guarded(as_json(bundle())) for need in needs}
    observation = sampled(serve(loopback, issued(expires_in=0), **routes), credentials("client_secret_basic"), needs)
    assert 1 < len(loopback.asked("/token")) <= 4
    assert observation.facts.data is not None
    assert observation.facts.data.inputs[-1].outcome == "not_asked"


def test_an_expired_bearer_token_is_a_refusal(loopback: Loopback) -> None:
    observation = sampled(serve(loopback, issued()), credentials("bearer_token"))
    outcome, message = check(observation, "DATA-002")
    assert outcome == "fail"
    assert "Patient (HTTP 401)" in message


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_to_another_host_carries_nothing(loopback: Loopback, status: int) -> None:
    other = Loopback()
    try:
        away = redirect(f"http://localhost:{other.port}/stolen", status)
        at_token = sampled(serve(loopback, away), credentials("client_secret_basic"))
        assert check(at_token, "DATA-001")[0] == "not_observed"
        at_data = sampled(
            serve(loopback, issued(), **{"fhir/Patient": away}), credentials("client_secret_basic"), NEEDS[:1]
        )
        assert at_data.facts.data is not None
        assert at_data.facts.data.inputs[0].outcome == "failed"
        assert other.requests == []
    finally:
        other.close()


def test_credentials_do_not_follow_a_configuration_from_another_host(loopback: Loopback) -> None:
    other = Loopback()
    try:
        other.routes["/smart"] = as_json(SMART | {"token_endpoint": f"{other.origin}/token"})
        other.routes["/token"] = issued()
        away = redirect(f"http://localhost:{other.port}/smart")
        base = loopback.serve(as_json(STATEMENT), away)
        observation = sampled(base, credentials("client_secret_basic"), allowed=[f"http://localhost:{other.port}"])
        assert "another host" in check(observation, "DATA-001")[1]
        assert other.asked("/token") == []
    finally:
        other.close()


async def test_credentials_are_sent_over_https_or_to_this_machine_only() -> None:
    cases = {
        ("https://ehr.example/fhir", "http://ehr.example/token"): False,
        ("https://ehr.example/fhir", "https://10.1.2.3/token"): False,
        ("https://ehr.example/fhir", "https://127.0.0.1/token"): False,
        ("http://ehr.example/fhir", "http://ehr.example/token"): False,
        ("http://ehr.example/fhir", "https://auth.example/token"): False,
    }
    async with Client(ProbeSettings()) as client:
        for (base, endpoint), sent in cases.items():
            facts = Facts(smart=SmartFacts(token_endpoint=endpoint))
            sampled_base = Base(base, facts, 1e12, frozenset(), smart_url=f"{base}/x")
            source = TokenSource(credentials("client_secret_basic"), client, sampled_base, NEEDS)
            assert await source.get(lambda record: None) is None
            assert source.facts is not None
            assert (source.facts.outcome != "not_sent") is sent, (base, endpoint)
            assert all(record.status is None for record in source.records)


async def test_a_mistake_with_secrets_in_hand_tells_its_kind_only(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever an exception says while a token is asked for, the observation holds its type and no more."""
    real = Client.get

    async def failing(self: Client, ask: Any) -> Any:
        if ask.purpose == "token":
            raise RuntimeError(f"{ask.form} {ask.credentials} {SECRET} {CLIENT_ID}")
        return await real(self, ask)

    monkeypatch.setattr(Client, "get", failing)
    base = serve(loopback, issued())
    observation = await asyncio.to_thread(sampled, base, credentials("client_secret_basic"))
    assert check(observation, "NET-000")[0] == "error"
    assert "RuntimeError" in check(observation, "NET-000")[1]
    assert all(secret not in written(observation) for secret in (SECRET, CLIENT_ID, "Basic "))
    assert observation.outcome == "observed"


def test_a_request_shows_no_secret_either() -> None:
    ask = Ask("https://ehr.example", "*/*", 1.0, credentials={"Authorization": f"Bearer {TOKEN}"}, form=SECRET)
    assert TOKEN not in repr(ask)
    assert SECRET not in repr(ask)
