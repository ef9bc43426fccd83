"""An application that signs in at the sandbox as SMART App Launch 2.2 says: a browser's part and a server's part."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from interlock.sandbox.clients import Client
from interlock.sandbox.server import SandboxServer

REDIRECT = "http://127.0.0.1:9/callback?tab=1"
LAUNCH = "http://127.0.0.1:9/launch"
PUBLIC = Client(id="public-app", redirect_uris=(REDIRECT, "http://127.0.0.1:9/other"), launch_uris=(LAUNCH,))
CONFIDENTIAL = Client(
    id="secret-app",
    redirect_uris=(REDIRECT,),
    launch_uris=(LAUNCH,),
    methods=("client_secret_basic",),
    secret="s e:c%ret",
)
SCOPE = "openid fhirUser launch/patient offline_access patient/*.rs"


def challenge_of(verifier: str) -> str:
    """The S256 code challenge of RFC 7636 section 4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def query_of(address: str) -> dict[str, str]:
    pairs = parse_qsl(urlsplit(address).query, keep_blank_values=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@dataclass
class App:
    """One client at one organisation; what it keeps between the browser and the token request is here."""

    http: httpx.Client
    base: str
    client: Client
    authorization_endpoint: str
    token_endpoint: str
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    def request(self, **changes: str | None) -> dict[str, str]:
        """The parameters of the authorization request; ``None`` takes one out."""
        usual = {
            "response_type": "code",
            "client_id": self.client.id,
            "redirect_uri": REDIRECT,
            "scope": SCOPE,
            "state": "a state & more",
            "aud": self.base,
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in {**usual, **changes}.items() if value is not None}

    def authorize(self, method: str = "GET", **changes: str | None) -> httpx.Response:
        fields = self.request(**changes)
        if method == "POST":
            return self.http.post(self.authorization_endpoint, data=fields)
        return self.http.get(self.authorization_endpoint, params=fields)

    def code(self, **changes: str | None) -> str:
        """The code of a sign-in that is expected to succeed."""
        response = self.authorize(**changes)
        assert response.status_code == 302, response.text
        return query_of(response.headers["location"])["code"]

    def ask(self, **form: str | None) -> httpx.Response:
        """A token request with the client's own authentication."""
        fields = {name: value for name, value in form.items() if value is not None}
        if self.client.public:
            return self.http.post(self.token_endpoint, data={"client_id": self.client.id, **fields})
        # RFC 6749 section 2.3.1: both parts are form-encoded first.
        pair = f"{_encoded(self.client.id)}:{_encoded(self.client.secret)}"
        header = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
        return self.http.post(self.token_endpoint, data=fields, headers=header)

    def redeem(self, code: str, /, **changes: str | None) -> httpx.Response:
        usual: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT,
            "code_verifier": self.verifier,
        }
        return self.ask(**{**usual, **changes})

    def sign_in(self, **changes: str | None) -> dict[str, Any]:
        """The token response of a sign-in that is expected to succeed."""
        response = self.redeem(self.code(**changes))
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def read(self, token: str, path: str) -> httpx.Response:
        return self.http.get(f"{self.base}/{path}", headers={"Authorization": f"Bearer {token}"})


def app_at(server: SandboxServer, http: httpx.Client, org: str = "riverside", client: Client = PUBLIC) -> App:
    """The application registered at an organisation, which it discovers as SMART 1.0 or 2.2 says."""
    server.register(org, client)
    base = server.base_url(org)
    smart = http.get(f"{base}/.well-known/smart-configuration")
    if smart.status_code == 200:
        document = smart.json()
        return App(http, base, client, document["authorization_endpoint"], document["token_endpoint"])
    security = http.get(f"{base}/metadata").json()["rest"][0]["security"]
    uris = {part["url"]: part["valueUri"] for part in security["extension"][0]["extension"]}
    return App(http, base, client, uris["authorize"], uris["token"])


def _encoded(part: str) -> str:
    return str(httpx.QueryParams({"x": part}))[2:]
