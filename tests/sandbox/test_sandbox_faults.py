"""Every fault through real HTTP: what it does, what it leaves alone, and how faults are chosen."""

from __future__ import annotations

import gzip
import json
import re
import time
import zlib
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

import httpx
import pytest

from interlock.model.errors import InterlockError
from interlock.sandbox.alterations import ALTERATIONS, FORMULA
from interlock.sandbox.bodies import BOMB_BYTES, DIGITS, NESTING, REWRITES
from interlock.sandbox.faults import FAULTS, Stage
from interlock.sandbox.organizations import load_organizations
from interlock.sandbox.server import SandboxServer
from interlock.sandbox.substitutes import SUBSTITUTES
from interlock.sandbox.wire import DELIVERIES
from sandbox_client import issue_token

pytestmark = pytest.mark.fast

METADATA, SMART = "metadata", ".well-known/smart-configuration"
FHIR = "{http://hl7.org/fhir}"


class Ask:
    """Requests to Riverside with faults in the URL."""

    def __init__(self, server: SandboxServer, http: httpx.Client) -> None:
        self._server, self._http = server, http

    def base(self, *faults: str) -> str:
        return self._server.base_url("riverside", *faults)

    def get(self, path: str, *faults: str, **headers: str) -> httpx.Response:
        return self._http.get(f"{self.base(*faults)}/{path}", headers=headers)


@pytest.fixture
def ask(server: SandboxServer, http: httpx.Client) -> Ask:
    return Ask(server, http)


def raw(server: SandboxServer, path: str) -> tuple[httpx.Headers, bytes]:
    """Headers and undecoded body."""
    with (
        httpx.Client(trust_env=False) as client,
        client.stream("GET", f"http://127.0.0.1:{server.port}{path}") as response,
    ):
        return response.headers, b"".join(response.iter_raw())


# The registry


def test_every_fault_has_its_behaviour_and_a_sentence() -> None:
    behaviours = {**SUBSTITUTES, **ALTERATIONS, **REWRITES, **DELIVERIES}
    assert set(behaviours) | {"slow", "smart-slow-404", "expired-tls", "middlebox-tls"} == set(FAULTS)
    for stage, table in (
        (Stage.REPLY, SUBSTITUTES),
        (Stage.DOCUMENT, ALTERATIONS),
        (Stage.BODY, REWRITES),
        (Stage.WIRE, DELIVERIES),
    ):
        assert {name for name, fault in FAULTS.items() if fault.stage is stage} == set(table)
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in FAULTS)
    assert all(len(fault.description) > 15 for fault in FAULTS.values())


@pytest.mark.parametrize(
    "fault",
    sorted(
        set(FAULTS) - {"slow", "smart-slow-404", "hang", "drip", "reset", "truncated", "expired-tls", "middlebox-tls"}
    ),
)
def test_no_fault_breaks_the_simulation_itself(ask: Ask, fault: str) -> None:
    """Only the fault named 500 answers 500."""
    for path in (METADATA, SMART, "oauth2/.well-known/openid-configuration", "oauth2/jwks", "Patient/1", "nothing"):
        response = ask.get(path, fault)
        assert (response.status_code == 500) == (fault == "500"), path


# Errors and pages


@pytest.mark.parametrize("path", [METADATA, SMART, "oauth2/jwks"])
@pytest.mark.parametrize("status", [401, 403, 404, 500, 429])
def test_plain_errors_cover_every_address(ask: Ask, status: int, path: str) -> None:
    response = ask.get(path, str(status))
    assert response.status_code == status
    assert response.json()["resourceType"] == "OperationOutcome"
    assert ("www-authenticate" in response.headers) == (status == 401)
    assert response.headers.get("retry-after") == ("1" if status == 429 else None)


def test_503_comes_once_for_each_address_and_says_when_to_try_again(ask: Ask) -> None:
    answers = [ask.get(path, "503-once", "no-scopes") for path in (METADATA, METADATA, SMART, SMART)]
    assert [answer.status_code for answer in answers] == [503, 200, 503, 200]
    assert answers[0].headers["retry-after"] == "1"


@pytest.mark.parametrize(("fault", "mark"), [("html-200", "<form"), ("spa-200", '<div id="root">')])
def test_pages_come_under_200(ask: Ask, fault: str, mark: str) -> None:
    for path in (METADATA, SMART):
        response = ask.get(path, fault, Accept="application/fhir+json")
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/html")
        assert mark in response.text


def test_an_operation_outcome_under_200(ask: Ask) -> None:
    for path in (METADATA, SMART):
        response = ask.get(path, "outcome-200")
        assert (response.status_code, response.json()["resourceType"]) == (200, "OperationOutcome")
    assert "keys" in ask.get("oauth2/jwks", "outcome-200").json()


def test_no_smart_leaves_the_statement(ask: Ask) -> None:
    assert ask.get(SMART, "no-smart").status_code == 404
    assert ask.get(METADATA, "no-smart").status_code == 200


def test_406_for_fhir_json_alone(ask: Ask) -> None:
    assert ask.get(METADATA, "406-fhir-json", Accept="application/fhir+json").status_code == 406
    assert ask.get(METADATA, "406-fhir-json", Accept="application/json").status_code == 200
    assert ask.get(f"{METADATA}?_format=json", "406-fhir-json", Accept="application/fhir+json").status_code == 200
    assert ask.get(SMART, "406-fhir-json", Accept="application/fhir+json").status_code == 200


def test_400_for_a_charset(ask: Ask) -> None:
    assert ask.get(METADATA, "charset-400", Accept="application/json; charset=utf-8").status_code == 400
    assert ask.get(METADATA, "charset-400", Accept="application/json").status_code == 200


def test_403_for_programs(ask: Ask) -> None:
    blocked = ask.get(METADATA, "user-agent-403", **{"User-Agent": "interlock"})
    assert (blocked.status_code, blocked.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert ask.get(METADATA, "user-agent-403", **{"User-Agent": "Mozilla/5.0"}).status_code == 200


# Redirects


def test_a_redirect_loop_never_ends(ask: Ask) -> None:
    url = f"{ask.base('redirect-loop')}/{METADATA}"
    with (
        httpx.Client(trust_env=False, follow_redirects=True, max_redirects=10) as client,
        pytest.raises(httpx.TooManyRedirects),
    ):
        client.get(url)


def test_a_redirect_to_another_host_arrives(ask: Ask) -> None:
    for path in (METADATA, f"{SMART}?x=1"):
        response = ask.get(path, "redirect-other-host")
        assert response.status_code == 302
        target = urlsplit(response.headers["location"])
        assert (target.hostname, target.port) == ("localhost", urlsplit(ask.base()).port)
        assert response.headers["location"].endswith(path)
        there = ask.get(path, "redirect-other-host", Host=target.netloc)
        assert there.status_code == 200


def test_a_redirect_to_a_patient_search(ask: Ask) -> None:
    response = ask.get(METADATA, "redirect-patient-search")
    assert response.status_code == 302
    assert response.headers["location"] == f"{ask.base('redirect-patient-search')}/Patient?name=a"
    assert ask.get("Patient?name=a", "redirect-patient-search").status_code == 401


# Documents


def test_an_empty_smart_document(ask: Ask) -> None:
    assert ask.get(SMART, "empty-object").json() == {}
    assert ask.get(METADATA, "empty-object").json()["resourceType"] == "CapabilityStatement"


def test_the_issuer_may_be_elsewhere_and_still_match(ask: Ask, http: httpx.Client) -> None:
    smart = ask.get(SMART, "issuer-elsewhere").json()
    issuer = urlsplit(smart["issuer"])
    assert issuer.hostname == "localhost"
    assert urlsplit(smart["token_endpoint"]).hostname == "127.0.0.1"
    local = issuer._replace(netloc=f"127.0.0.1:{issuer.port}").geturl()
    openid = http.get(f"{local}/.well-known/openid-configuration", headers={"Host": issuer.netloc}).json()
    assert openid["issuer"] == smart["issuer"]


def test_the_issuer_may_be_a_well_known_address(ask: Ask) -> None:
    assert ask.get(SMART, "issuer-well-known").json()["issuer"].endswith("/oauth2/.well-known/openid-configuration")


def test_relative_addresses_resolve_to_the_real_ones(ask: Ask, http: httpx.Client) -> None:
    base = ask.base("relative-urls")
    token = ask.get(SMART, "relative-urls").json()["token_endpoint"]
    assert token.startswith("/")
    assert urljoin(f"{base}/", token) == f"{base}/oauth2/token"
    assert http.post(urljoin(f"{base}/", token)).json()["error"] == "invalid_request"


def test_a_token_endpoint_on_an_internal_host(ask: Ask) -> None:
    token = urlsplit(ask.get(SMART, "internal-token-endpoint").json()["token_endpoint"])
    assert (token.hostname, token.path[-7:]) == ("ehr-app-01.corp.internal", "/token"[-7:].rjust(7, "2"))


@pytest.mark.parametrize(
    ("fault", "field", "value"),
    [
        ("pkce-plain", "code_challenge_methods_supported", ["S256", "plain"]),
        ("pkce-undeclared", "code_challenge_methods_supported", None),
        ("no-scopes", "scopes_supported", None),
    ],
)
def test_one_field_of_the_smart_document(ask: Ask, fault: str, field: str, value: object) -> None:
    usual, changed = ask.get(SMART).json(), ask.get(SMART, fault).json()
    assert usual[field] != value
    assert changed.get(field) == value
    assert set(usual) - set(changed) == ({field} if value is None else set())


def test_very_many_scopes(ask: Ask) -> None:
    scopes = ask.get(SMART, "many-scopes").json()["scopes_supported"]
    assert len(set(scopes)) > 1_500


def test_hostile_strings_reach_the_client_unharmed(ask: Ask) -> None:
    metadata, smart = ask.get(METADATA, "hostile-strings"), ask.get(SMART, "hostile-strings")
    for response in (metadata, smart):
        assert b"\x1b" not in response.content
        text = json.dumps(response.json(), ensure_ascii=False)
        for piece in ("[bold]", "<script>", FORMULA, "\N{RIGHT-TO-LEFT OVERRIDE}"):
            assert piece in text
    assert "\x1b[31m" in metadata.json()["software"]["version"]
    assert metadata.json()["software"]["name"] == FORMULA
    assert smart.json()["management_endpoint"].startswith("javascript:")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("no-software", {"software": None, "kind": "capability"}),
        ("fhir-4-0-0", {"fhirVersion": "4.0.0"}),
    ],
)
def test_fields_of_the_statement(ask: Ask, fault: str, expected: dict[str, object]) -> None:
    usual, changed = ask.get(METADATA).json(), ask.get(METADATA, fault).json()
    for key, value in expected.items():
        assert usual[key] != value
        assert changed.get(key) == value


def test_the_statement_of_another_tenant(ask: Ask) -> None:
    url = ask.get(METADATA, "other-tenant").json()["implementation"]["url"]
    assert url.endswith("/another-tenant/fhir")
    assert urlsplit(url).netloc == urlsplit(ask.base()).netloc


def test_two_oauth_uris_disagree(ask: Ask) -> None:
    for _ in range(2):  # the organisation's own document must not grow
        extensions = ask.get(METADATA, "two-oauth-uris").json()["rest"][0]["security"]["extension"]
        tokens = [part["valueUri"] for entry in extensions for part in entry["extension"] if part["url"] == "token"]
        assert len(set(tokens)) == len(tokens) == 2
    assert len(ask.get(METADATA).json()["rest"][0]["security"]["extension"]) == 1


def test_two_back_ends_take_turns(ask: Ask) -> None:
    versions = [ask.get(METADATA, "alternating-versions").json()["software"]["version"] for _ in range(4)]
    assert versions[0] == versions[2] != versions[1] == versions[3]


# Formats and encodings


@pytest.mark.parametrize(
    ("fault", "path", "accept", "xml"),
    [
        ("xml-only", METADATA, "application/fhir+json", True),
        ("xml-only", f"{METADATA}?_format=json", "*/*", True),
        ("xml-by-default", METADATA, "*/*", True),
        ("xml-by-default", METADATA, "application/json", False),
        ("xml-by-default", f"{METADATA}?_format=json", "*/*", False),
        ("json-format-param-only", METADATA, "application/fhir+json", True),
        ("json-format-param-only", f"{METADATA}?_format=json", "*/*", False),
        ("xml-only", SMART, "*/*", False),
    ],
)
def test_xml_and_when_it_is_not(ask: Ask, fault: str, path: str, accept: str, xml: bool) -> None:
    response = ask.get(path, fault, Accept=accept)
    assert response.status_code == 200
    assert (response.headers["content-type"] == "application/fhir+xml") == xml
    if not xml:
        assert response.json()
        return
    root = ElementTree.fromstring(response.content)
    assert root.tag == f"{FHIR}CapabilityStatement"
    version = root.find(f"{FHIR}fhirVersion")
    assert version is not None and version.get("value") == "4.0.1"
    types = [entry.get("value") for entry in root.findall(f"{FHIR}rest/{FHIR}resource/{FHIR}type")]
    assert "Observation" in types and len(types) > 20
    extension = root.find(f"{FHIR}rest/{FHIR}security/{FHIR}extension")
    assert extension is not None and extension.get("url", "").endswith("oauth-uris")
    assert root.find(f"{FHIR}experimental").get("value") == "true"  # type: ignore[union-attr]


def test_xml_of_resources_bundles_and_hostile_text(server: SandboxServer, ask: Ask) -> None:
    header = {"Authorization": f"Bearer {issue_token(server, 'riverside')}"}
    bundle = ElementTree.fromstring(ask.get("Patient?_id=rv-patient-1", "xml-only", **header).content)
    patient = bundle.find(f"{FHIR}entry/{FHIR}resource/{FHIR}Patient")
    assert patient is not None
    assert patient.find(f"{FHIR}id").get("value") == "rv-patient-1"  # type: ignore[union-attr]
    hostile = ElementTree.fromstring(ask.get(METADATA, "hostile-strings", "xml-only").content)
    assert hostile.find(f"{FHIR}software/{FHIR}name").get("value") == FORMULA  # type: ignore[union-attr]


def test_the_smart_document_typed_as_fhir(ask: Ask) -> None:
    response = ask.get(SMART, "smart-as-fhir-json")
    assert response.headers["content-type"] == "application/fhir+json"
    assert response.json() == json.loads(response.text)
    assert ask.get("oauth2/jwks", "smart-as-fhir-json").headers["content-type"] == "application/json"


def test_a_byte_order_mark(ask: Ask) -> None:
    response = ask.get(METADATA, "bom")
    assert response.content.startswith(b"\xef\xbb\xbf{")
    assert json.loads(response.content.decode("utf-8-sig"))["resourceType"] == "CapabilityStatement"


@pytest.mark.parametrize("path", [METADATA, SMART])
def test_latin_1_is_not_utf_8(ask: Ask, path: str) -> None:
    body = ask.get(path, "latin-1").content
    with pytest.raises(UnicodeDecodeError):
        body.decode("utf-8")
    assert "Zürich" in json.loads(body.decode("latin-1"))["publisher"]


def test_gzip_that_nobody_asked_for(server: SandboxServer) -> None:
    with (
        httpx.Client(trust_env=False, headers={"Accept-Encoding": "identity"}) as client,
        client.stream("GET", f"{server.base_url('riverside', 'gzip-unsolicited')}/{METADATA}") as response,
    ):
        body = b"".join(response.iter_raw())
    assert response.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(body))["resourceType"] == "CapabilityStatement"


def test_a_gzip_bomb_is_small_on_the_wire(server: SandboxServer) -> None:
    headers, body = raw(server, f"/riverside+gzip-bomb/fhir/{METADATA}")
    assert headers["content-encoding"] == "gzip"
    assert len(body) < 100_000
    inflate, size = zlib.decompressobj(31), 0
    while body:
        size += len(inflate.decompress(body, 2**20))
        body = inflate.unconsumed_tail
    assert size > BOMB_BYTES


def test_deeply_nested_json(ask: Ask) -> None:
    for path in (METADATA, SMART):
        body = ask.get(path, "deep-json").content
        assert body.count(b"[") >= NESTING
        with pytest.raises(RecursionError):
            json.loads(body)
        shallow = body.replace(b"[" * NESTING + b"]" * NESTING, b"[]")
        assert len(json.loads(shallow)) > 5


def test_a_number_without_end(ask: Ask) -> None:
    body = ask.get(SMART, "big-number").content
    assert len(body) > DIGITS
    assert json.loads(body.replace(b"7" * DIGITS, b"7"))["extension"] == 7


# Waiting, combining, choosing


def test_slow_waits_before_everything(ask: Ask) -> None:
    ask.get(METADATA)
    for path in (METADATA, "nothing"):
        started = time.perf_counter()
        ask.get(path, "slow")
        assert time.perf_counter() - started >= 0.3


def test_faults_combine(ask: Ask) -> None:
    response = ask.get(SMART, "pkce-plain", "no-scopes", "smart-as-fhir-json", "bom", "slow")
    assert response.headers["content-type"] == "application/fhir+json"
    document = json.loads(response.content.decode("utf-8-sig"))
    assert "plain" in document["code_challenge_methods_supported"]
    assert "scopes_supported" not in document


def test_faults_of_an_organisation_hold_on_every_request(http: httpx.Client) -> None:
    faults = {"lakeshore": ("no-smart",), "riverside": ("empty-object",)}
    organizations = [entry.model_copy(update={"faults": faults.get(entry.id, ())}) for entry in load_organizations()]
    with SandboxServer(organizations) as server:
        assert http.get(f"{server.base_url('lakeshore')}/{SMART}").status_code == 404
        assert http.get(f"{server.base_url('riverside')}/{SMART}").json() == {}
        assert http.get(f"{server.base_url('riverside', 'bom')}/{SMART}").content == b"\xef\xbb\xbf{}"


def test_an_unknown_fault_is_named_with_the_closest(server: SandboxServer) -> None:
    with pytest.raises(InterlockError, match=r"no fault is named 'redirect-lop' \(did you mean redirect-loop\?"):
        server.base_url("riverside", "redirect-lop")
    with pytest.raises(InterlockError, match=r"'expired' \(did you mean expired-tls\?"):
        server.base_url("riverside", "expired")
    with pytest.raises(InterlockError, match="no fault is named 'zzz'") as caught:
        server.base_url("riverside", "zzz")
    assert caught.value.remedy == "interlock sandbox --list-faults lists them all"
