"""Dynamic client registration (RFC 7591), and keys that an organisation fetches from the client."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from interlock.sandbox.clients import Client
from interlock.sandbox.organizations import load_organizations
from interlock.sandbox.server import SandboxServer
from sandbox_app import REDIRECT, App, app_at

pytestmark = pytest.mark.fast

MINIMAL = {"redirect_uris": [REDIRECT], "client_name": "An app"}
KEY = ECKey.generate_key("P-384", {"kid": "k1"})
JWKS = {"keys": [KEY.as_dict(private=False)]}


@pytest.fixture(scope="module")
def hospital() -> Iterator[SandboxServer]:
    """Riverside, and Lakeshore as it would be with a registration endpoint: it has no clients with keys."""
    found = {entry.id: entry for entry in load_organizations()}
    smart = {**(found["lakeshore"].smart or {}), "registration_endpoint": "{base}/oauth2/register"}
    opened = found["lakeshore"].model_copy(update={"smart": smart})
    with SandboxServer([found["riverside"], opened]) as running:
        yield running


def register(server: SandboxServer, http: httpx.Client, metadata: Any, org: str = "riverside") -> httpx.Response:
    return http.post(f"{server.base_url(org)}/oauth2/register", json=metadata)


def test_what_was_registered_is_told_and_works(hospital: SandboxServer, http: httpx.Client) -> None:
    metadata = {
        **MINIMAL,
        "scope": "launch/patient patient/Patient.rs system/*.rs",
        "initiate_login_uri": "http://127.0.0.1:9/l",
    }
    response = register(hospital, http, {**metadata, "grant_types": ["authorization_code", "refresh_token"]})
    assert response.status_code == 201
    assert (response.headers["cache-control"], response.headers["content-type"]) == ("no-store", "application/json")
    told = response.json()
    assert (told["token_endpoint_auth_method"], told["client_secret_expires_at"]) == ("client_secret_basic", 0)
    assert told["redirect_uris"] == [REDIRECT]
    assert told["scope"] == "launch/patient patient/Patient.rs"
    client = Client(
        id=told["client_id"], redirect_uris=(REDIRECT,), methods=("client_secret_basic",), secret=told["client_secret"]
    )
    base = hospital.base_url("riverside")
    app = App(http, base, client, f"{base}/oauth2/authorize", f"{base}/oauth2/token")
    tokens = app.sign_in(scope="launch/patient patient/*.rs offline_access")
    assert tokens["scope"] == "launch/patient patient/Patient.rs", "no more than it registered for"
    assert hospital.launch("riverside", client.id).startswith("http://127.0.0.1:9/l?iss=")


@pytest.mark.parametrize("method", ["none", "private_key_jwt"])
def test_a_client_without_a_secret_is_given_none(hospital: SandboxServer, http: httpx.Client, method: str) -> None:
    metadata = {**MINIMAL, "token_endpoint_auth_method": method} | ({} if method == "none" else {"jwks": JWKS})
    told = register(hospital, http, metadata).json()
    assert "client_secret" not in told
    assert "scope" not in told
    assert told.get("jwks") == metadata.get("jwks")


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"redirect_uris": None}, "invalid_redirect_uri", "redirect_uris is missing"),
        ({"redirect_uris": ["http://evil.example/cb"]}, "invalid_redirect_uri", "must be https, or http on loopback"),
        ({"redirect_uris": ["https://app.example/cb#x"]}, "invalid_redirect_uri", "has a fragment"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri", "must be https"),
        ({"redirect_uris": ["/callback"]}, "invalid_redirect_uri", "must be https"),
        ({"redirect_uris": ["https://*.example/cb"]}, "invalid_redirect_uri", "must be https"),
        ({"redirect_uris": ["https://a@app.example/cb"]}, "invalid_redirect_uri", "must be https"),
        ({"redirect_uris": ["http://[::1/cb"]}, "invalid_redirect_uri", "is no address"),
        ({"redirect_uris": "https://app.example"}, "invalid_client_metadata", "must be a list"),
        ({"redirect_uris": [1]}, "invalid_client_metadata", "must be a list"),
        ({"client_name": 7}, "invalid_client_metadata", "client_name must be a text"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "invalid_client_metadata", "must be one of"),
        ({"grant_types": ["password"]}, "invalid_client_metadata", "grant_types may be"),
        ({"response_types": ["token"]}, "invalid_client_metadata", "response_types must be"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata", "needs jwks or jwks_uri"),
        ({"jwks": JWKS, "jwks_uri": "http://127.0.0.1/jwks"}, "invalid_client_metadata", "must not both"),
        ({"jwks_uri": "https://app.example/jwks"}, "invalid_client_metadata", "on this computer"),
        ({"jwks": {"keys": []}}, "invalid_client_metadata", "list of keys"),
        ({"jwks": {"keys": [KEY.as_dict(private=True)]}}, "invalid_client_metadata", "private key"),
        ({"jwks": {"keys": [{"kty": "EC"}]}}, "invalid_client_metadata", "kid of its own"),
        ({"jwks": {"keys": JWKS["keys"] * 2}}, "invalid_client_metadata", "kid of its own"),
        ({"scope": "nonsense"}, "invalid_client_metadata", "scope names nothing"),
        ({"initiate_login_uri": "ftp://x"}, "invalid_client_metadata", "initiate_login_uri"),
        ({"id_token_signed_response_alg": "none"}, "invalid_client_metadata", "RS256, ES384"),
        ({"software_statement": "eyJ"}, "unapproved_software_statement", "trusted"),
    ],
)
def test_metadata_that_does_not_do(
    hospital: SandboxServer, http: httpx.Client, changes: dict[str, Any], error: str, words: str
) -> None:
    """RFC 7591 section 3.2.2."""
    metadata = {name: value for name, value in {**MINIMAL, **changes}.items() if value is not None}
    response = register(hospital, http, metadata)
    assert (response.status_code, response.json()["error"]) == (400, error)
    assert words in response.json()["error_description"]
    assert f"the register endpoint refused with {error}" in hospital.log.lines[-1].words


def test_a_public_backend_and_a_method_that_is_not_offered(hospital: SandboxServer, http: httpx.Client) -> None:
    public = {"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"}
    assert "public client" in register(hospital, http, public).json()["error_description"]
    keyed = {**MINIMAL, "token_endpoint_auth_method": "private_key_jwt", "jwks": JWKS}
    assert (
        "must be one of client_secret_basic, none"
        in register(hospital, http, keyed, "lakeshore").json()["error_description"]
    )


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b"[" * 20_000, b'"' + b"x" * 70_000 + b'"'])
def test_a_body_that_is_no_object(hospital: SandboxServer, http: httpx.Client, body: bytes) -> None:
    header = {"Content-Type": "application/json"}
    response = http.post(f"{hospital.base_url('riverside')}/oauth2/register", content=body, headers=header)
    assert (response.status_code, response.json()["error"]) == (
        413 if len(body) > 65_536 else 400,
        "invalid_client_metadata",
    )
    assert http.get(f"{hospital.base_url('riverside')}/oauth2/register").status_code == 405


def test_registers_are_bounded(hospital: SandboxServer) -> None:
    hospital.register("lakeshore", Client(id="first"))
    for number in range(600):
        hospital.register("lakeshore", Client(id=f"many-{number}"))
    assert hospital._state.clients.get("lakeshore", "first") is None
    assert len(hospital._state.clients.of("lakeshore")) <= 500


class _KeyServer(BaseHTTPRequestHandler):
    """Serves whatever its server has as ``answer`` and counts."""

    def do_GET(self) -> None:
        status, headers, body = self.server.answer  # type: ignore[attr-defined]
        self.server.asked += 1  # type: ignore[attr-defined]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def key_server() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _KeyServer)
    server.asked = 0
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def by_keys(hospital: SandboxServer, http: httpx.Client, address: str, key: ECKey | RSAKey) -> httpx.Response:
    """A backend client whose keys are at an address asks for a token, as the specification says and no more."""
    client = Client(
        id="hosted",
        methods=("private_key_jwt",),
        jwks_uri=address,
        scopes=("system/*.rs",),
        grant_types=("client_credentials",),
    )
    hospital.register("riverside", client)
    endpoint = f"{hospital.base_url('riverside')}/oauth2/token"
    algorithm = "RS384" if isinstance(key, RSAKey) else "ES384"
    now = time.time()
    claims = {
        "iss": "hosted",
        "sub": "hosted",
        "aud": endpoint,
        "exp": int(now + 240),
        "jti": str(time.perf_counter_ns()),
    }
    header = {"alg": algorithm, "kid": key.kid, "typ": "JWT", "jku": address}
    form = {
        "grant_type": "client_credentials",
        "scope": "system/Patient.rs",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode(header, claims, key, algorithms=[algorithm]),
    }
    return http.post(endpoint, data=form)


def test_keys_are_read_from_the_clients_own_address_and_kept_as_it_says(
    hospital: SandboxServer, http: httpx.Client, key_server: Any
) -> None:
    second = RSAKey.generate_key(2048, {"kid": "k2"})
    address = f"http://127.0.0.1:{key_server.server_port}/jwks.json"
    key_server.answer = (200, {"Cache-Control": "max-age=60"}, json.dumps(JWKS).encode())
    assert by_keys(hospital, http, address, KEY).status_code == 200
    assert by_keys(hospital, http, address, KEY).status_code == 200
    assert key_server.asked == 1, "kept while max-age lasts"
    rotated = {"keys": [*JWKS["keys"], second.as_dict(private=False)]}
    key_server.answer = (200, {"Cache-Control": "no-store"}, json.dumps(rotated).encode())
    assert by_keys(hospital, http, address, second).status_code == 200, "an unknown kid is looked for again"
    assert by_keys(hospital, http, address, second).status_code == 200
    assert key_server.asked == 3, "no-store is not kept"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((404, {}, b""), "answers 404"),
        ((302, {"Location": "http://127.0.0.1:9/"}, b""), "answers 302"),
        ((200, {}, b"nonsense"), "is not JSON"),
        ((200, {}, b"[]"), "is not a JSON object"),
        ((200, {}, b"{}"), "no registered key has this kid"),
        ((200, {}, b" " * 70_000), "is larger than"),
    ],
)
def test_keys_that_cannot_be_read(
    hospital: SandboxServer, http: httpx.Client, key_server: Any, answer: tuple[int, dict[str, str], bytes], words: str
) -> None:
    key_server.answer = answer
    response = by_keys(hospital, http, f"http://127.0.0.1:{key_server.server_port}/{words.replace(' ', '-')}", KEY)
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert words in response.json()["error_description"]


@pytest.mark.parametrize(
    ("address", "words"),
    [("https://app.example/jwks", "is not on this computer"), ("http://127.0.0.1:1/jwks", "does not answer")],
)
def test_no_other_computer_is_asked_for_keys(
    hospital: SandboxServer, http: httpx.Client, address: str, words: str
) -> None:
    assert words in by_keys(hospital, http, address, KEY).json()["error_description"]


def test_an_organisation_without_the_endpoint_has_nothing_there(server: SandboxServer, http: httpx.Client) -> None:
    app_at(server, http, "lakeshore")
    assert http.post(f"{server.base_url('lakeshore')}/oauth2/register", json=MINIMAL).status_code == 404
