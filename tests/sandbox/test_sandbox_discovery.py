"""Discovery over HTTP: negotiation, addresses, CORS, the index page, and what is not there."""

from __future__ import annotations

import socket

import httpx
import pytest

from interlock.sandbox.organizations import SimulatedOrganization
from interlock.sandbox.server import SandboxServer

pytestmark = pytest.mark.fast

LISTENING = ("lakeshore", "pinecrest", "riverside")


@pytest.mark.parametrize("name", LISTENING)
def test_the_statement_is_served_with_its_own_address(server: SandboxServer, http: httpx.Client, name: str) -> None:
    base = server.base_url(name)
    response = http.get(f"{base}/metadata")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/fhir+json"
    assert response.json()["implementation"]["url"] == base
    assert "{base}" not in response.text


def test_a_url_with_faults_keeps_them_in_every_address(server: SandboxServer, http: httpx.Client) -> None:
    base = server.base_url("riverside", "pkce-plain", "no-scopes")
    assert base.endswith("/riverside+pkce-plain+no-scopes/fhir")
    smart = http.get(f"{base}/.well-known/smart-configuration").json()
    assert smart["token_endpoint"] == f"{base}/oauth2/token"


def test_the_address_follows_the_host_that_the_client_used(server: SandboxServer, http: httpx.Client) -> None:
    url = f"http://127.0.0.1:{server.port}/riverside/fhir/metadata"
    named = http.get(url, headers={"Host": f"localhost:{server.port}"}).json()
    assert named["implementation"]["url"] == f"http://localhost:{server.port}/riverside/fhir"
    odd = http.get(url, headers={"Host": "a b<script>"}).json()
    assert odd["implementation"]["url"] == f"http://127.0.0.1:{server.port}/riverside/fhir"


@pytest.mark.parametrize(
    ("accept", "answer"),
    [
        ("*/*", "application/fhir+json"),
        ("application/*", "application/fhir+json"),
        ("application/fhir+json", "application/fhir+json"),
        ("application/fhir+json; charset=utf-8", "application/fhir+json"),
        ("application/fhir+json; fhirVersion=4.0", "application/fhir+json"),
        ("application/json", "application/json"),
        ("text/json", "text/json"),
        ("application/fhir+xml, application/json;q=0.5", "application/json"),
        ("application/json;q=0.2, application/fhir+json;q=0.9", "application/fhir+json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/fhir+json"),
        ("APPLICATION/JSON", "application/json"),
    ],
)
def test_accept_decides_the_type(http: httpx.Client, riverside: str, accept: str, answer: str) -> None:
    response = http.get(f"{riverside}/metadata", headers={"Accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"] == answer
    assert response.json()["resourceType"] == "CapabilityStatement"


@pytest.mark.parametrize(
    "accept",
    [
        "application/fhir+xml",
        "application/fhir+json;q=0",
        "application/fhir+json;q=oops",
        "application/fhir+json; fhirVersion=3.0",
        "application/json+fhir",
        "image/png",
    ],
)
def test_what_cannot_be_served_is_406(http: httpx.Client, riverside: str, accept: str) -> None:
    response = http.get(f"{riverside}/metadata", headers={"Accept": accept})
    assert response.status_code == 406
    assert response.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("format_", ["json", "application/json", "application/fhir%2Bjson", "application/fhir+json"])
def test_format_overrides_accept(http: httpx.Client, riverside: str, format_: str) -> None:
    response = http.get(f"{riverside}/metadata?_format={format_}", headers={"Accept": "application/fhir+xml"})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/fhir+json"
    assert http.get(f"{riverside}/metadata?_format=xml", headers={"Accept": "*/*"}).status_code == 406


def test_older_releases_have_their_own_types(server: SandboxServer, http: httpx.Client) -> None:
    url = f"{server.base_url('pinecrest')}/metadata"
    old = {"Accept": "application/json+fhir"}
    assert http.get(url, headers=old).headers["content-type"] == "application/json+fhir"
    assert http.get(url).headers["content-type"] == "application/fhir+json"
    assert http.get(url, headers={"Accept": "application/fhir+json;fhirVersion=3.0"}).status_code == 200
    dstu2 = SimulatedOrganization(id="old", name="Old", release="DSTU2", metadata={"resourceType": "Conformance"})
    with SandboxServer([dstu2]) as other:
        answer = http.get(f"{other.base_url('old')}/metadata")
        assert answer.headers["content-type"] == "application/json+fhir"
        assert answer.json()["resourceType"] == "Conformance"


def test_the_etag_stays_while_the_statement_does(http: httpx.Client, riverside: str) -> None:
    first = http.get(f"{riverside}/metadata")
    assert first.headers["etag"] == http.get(f"{riverside}/metadata").headers["etag"]
    again = http.get(f"{riverside}/metadata", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = http.get(f"{riverside}/metadata", headers={"If-None-Match": 'W/"another"'})
    assert other.status_code == 200


def test_the_smart_document_is_plain_json_whatever_is_asked(http: httpx.Client, riverside: str) -> None:
    response = http.get(f"{riverside}/.well-known/smart-configuration", headers={"Accept": "application/fhir+xml"})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    addresses = [
        value for key, value in response.json().items() if key.endswith(("_endpoint", "_uri")) or key == "issuer"
    ]
    assert len(addresses) == 8
    assert all(address.startswith(f"{riverside}/") for address in addresses)


def test_the_issuer_leads_to_an_exactly_matching_document_and_its_keys(http: httpx.Client, riverside: str) -> None:
    issuer = http.get(f"{riverside}/.well-known/smart-configuration").json()["issuer"]
    openid = http.get(f"{issuer}/.well-known/openid-configuration").json()
    assert openid["issuer"] == issuer
    keys = http.get(openid["jwks_uri"]).json()["keys"]
    assert {key["kty"] for key in keys} == {"RSA", "EC"}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("pinecrest", ".well-known/smart-configuration"),
        ("lakeshore", "oauth2/.well-known/openid-configuration"),
        ("riverside", ".well-known/udap"),
        ("riverside", ""),
        ("riverside", "nothing/here"),
        ("riverside", "$versions"),
    ],
)
def test_what_an_organisation_does_not_have_is_an_operation_outcome(
    server: SandboxServer, http: httpx.Client, name: str, path: str
) -> None:
    response = http.get(f"{server.base_url(name)}/{path}")
    assert response.status_code == 404
    assert response.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    "path",
    [
        "/favicon.ico",
        "/nobody/fhir/metadata",
        "/harborview/fhir/metadata",
        "/riverside+nonsense/fhir/metadata",
        "/a/b/c",
        "/riverside" + "+slow" * 9 + "/fhir/metadata",
    ],
)
def test_unknown_paths_are_404_in_json(server: SandboxServer, http: httpx.Client, path: str) -> None:
    response = http.get(f"http://127.0.0.1:{server.port}{path}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/json"
    assert response.json()["error"] == "not_found"


def test_the_index_lists_organisations_with_working_addresses(server: SandboxServer, http: httpx.Client) -> None:
    response = http.get(f"http://127.0.0.1:{server.port}/")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    for organization in server.organizations:
        assert organization.name in response.text
        assert (server.base_url(organization.id) in response.text) == organization.listen
    assert http.post(f"http://127.0.0.1:{server.port}/").status_code == 405


def test_the_index_escapes_names(http: httpx.Client) -> None:
    hostile = SimulatedOrganization.model_validate({"id": "x", "name": "<script>alert(1)</script>", "metadata": {}})
    with SandboxServer([hostile]) as other:
        page = http.get(f"http://127.0.0.1:{other.port}/").text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_head_has_headers_and_no_body(http: httpx.Client, riverside: str) -> None:
    response = http.head(f"{riverside}/metadata")
    assert (response.status_code, response.content) == (200, b"")
    assert int(response.headers["content-length"]) > 10_000


def test_discovery_is_read_only(http: httpx.Client, riverside: str) -> None:
    response = http.post(f"{riverside}/metadata", json={})
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("path", ["metadata", ".well-known/smart-configuration", "oauth2/jwks"])
def test_any_origin_may_read_discovery(server: SandboxServer, http: httpx.Client, riverside: str, path: str) -> None:
    origin = {"Origin": "https://anyone.example"}
    assert http.get(f"{riverside}/{path}", headers=origin).headers["access-control-allow-origin"] == "*"
    asked = {**origin, "Access-Control-Request-Method": "GET"}
    preflight = http.options(f"{riverside}/{path}", headers=asked)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "GET" in preflight.headers["access-control-allow-methods"]
    closed = http.get(f"{server.base_url('pinecrest')}/metadata", headers=origin)
    assert "access-control-allow-origin" not in closed.headers


@pytest.mark.parametrize("path", ["oauth2/token", "Patient"])
def test_registered_origins_reach_the_token_endpoint_and_the_api(http: httpx.Client, riverside: str, path: str) -> None:
    registered = {"Origin": "https://app.sentinel-sepsis.example", "Access-Control-Request-Method": "POST"}
    granted = http.options(f"{riverside}/{path}", headers=registered)
    assert granted.headers["access-control-allow-origin"] == registered["Origin"]
    assert "authorization" in granted.headers["access-control-allow-headers"]
    assert granted.headers["vary"] == "Origin"
    stranger = http.options(f"{riverside}/{path}", headers=registered | {"Origin": "https://anyone.example"})
    assert "access-control-allow-origin" not in stranger.headers


def test_the_authorisation_endpoint_never_allows_other_origins(http: httpx.Client, riverside: str) -> None:
    registered = {"Origin": "https://app.sentinel-sepsis.example", "Access-Control-Request-Method": "GET"}
    for response in (
        http.options(f"{riverside}/oauth2/authorize", headers=registered),
        http.get(f"{riverside}/oauth2/authorize", headers=registered),
    ):
        assert not [name for name in response.headers if name.startswith("access-control")]


def test_a_statement_may_be_absent(http: httpx.Client) -> None:
    only_smart = SimulatedOrganization(id="bare", name="Bare", smart={"capabilities": []})
    with SandboxServer([only_smart]) as other:
        base = other.base_url("bare")
        assert http.get(f"{base}/metadata").status_code == 404
        assert http.get(f"{base}/.well-known/smart-configuration").json() == {"capabilities": []}


def test_http_1_0_without_a_host_is_answered(server: SandboxServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(b"GET /riverside/fhir/metadata HTTP/1.0\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert f'"url": "http://127.0.0.1:{server.port}/riverside/fhir"'.encode() in answer
