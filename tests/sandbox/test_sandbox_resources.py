"""Reads and searches of the shipped resources over HTTP, and who may make them."""

from __future__ import annotations

import time

import httpx
import pytest

from interlock.sandbox.client import CLIENT_ID, CLIENT_SECRET
from interlock.sandbox.server import SandboxServer
from sandbox_client import issue_token

pytestmark = pytest.mark.fast


@pytest.fixture
def token(server: SandboxServer) -> dict[str, str]:
    return {"Authorization": f"Bearer {issue_token(server, 'riverside')}"}


def ids(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    bundle = response.json()
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "searchset")
    return [entry["resource"]["id"] for entry in bundle.get("entry", [])]


@pytest.mark.parametrize("path", ["Patient/rv-patient-1", "Patient?_id=rv-patient-1", "Patient/nobody", "Nonsense/1"])
def test_without_a_token_everything_is_401_with_a_bare_challenge(http: httpx.Client, riverside: str, path: str) -> None:
    response = http.get(f"{riverside}/{path}")
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="riverside"'
    assert response.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("header", ["Basic abc", "Bearer", "Token abc"])
def test_something_else_than_a_token_is_no_token(http: httpx.Client, riverside: str, header: str) -> None:
    response = http.get(f"{riverside}/Patient/rv-patient-1", headers={"Authorization": header})
    assert response.status_code == 401
    assert "error=" not in response.headers["www-authenticate"]


def test_an_unknown_token_is_told_so(http: httpx.Client, riverside: str) -> None:
    response = http.get(f"{riverside}/Patient/rv-patient-1", headers={"Authorization": "Bearer made-up"})
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["www-authenticate"]


def test_a_token_expires(server: SandboxServer, http: httpx.Client, riverside: str) -> None:
    header = {"Authorization": f"Bearer {issue_token(server, 'riverside', seconds=0.05)}"}
    time.sleep(0.06)
    assert http.get(f"{riverside}/Patient/rv-patient-1", headers=header).status_code == 401


def test_a_token_opens_one_organisation_only(server: SandboxServer, http: httpx.Client, token: dict[str, str]) -> None:
    lakeshore = server.base_url("lakeshore")
    assert http.get(f"{lakeshore}/Patient/lk-patient-1", headers=token).status_code == 401
    own = {"Authorization": f"Bearer {issue_token(server, 'lakeshore')}"}
    assert http.get(f"{lakeshore}/Patient/lk-patient-1", headers=own).json()["name"][0]["family"] == "Sample"


def test_a_token_from_the_token_endpoint_reads_what_it_was_granted(http: httpx.Client, riverside: str) -> None:
    form = {
        "grant_type": "client_credentials",
        "scope": "system/Patient.r",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }
    granted = http.post(f"{riverside}/oauth2/token", data=form).json()
    header = {"Authorization": f"bearer {granted['access_token']}"}
    patient = http.get(f"{riverside}/Patient/rv-patient-1", headers=header)
    assert patient.headers["content-type"] == "application/fhir+json"
    assert patient.json()["name"] == [{"use": "official", "family": "Test", "given": ["Avery"]}]
    for path in ("Patient?_id=rv-patient-1", "Observation/rv-lactate-1"):
        response = http.get(f"{riverside}/{path}", headers=header)
        assert response.status_code == 403
        assert 'error="insufficient_scope"' in response.headers["www-authenticate"]


def test_unknown_resources_are_404_with_an_outcome(http: httpx.Client, riverside: str, token: dict[str, str]) -> None:
    for path in ("Patient/nobody", "Patient/rv-patient-1/_history/1", "RiskAssessment/1", "RiskAssessment?patient=1"):
        response = http.get(f"{riverside}/{path}", headers=token)
        assert response.status_code == 404
        assert response.json()["resourceType"] == "OperationOutcome"


def test_what_the_statement_does_not_declare_is_not_done(server: SandboxServer, http: httpx.Client) -> None:
    base, header = server.base_url("pinecrest"), {"Authorization": f"Bearer {issue_token(server, 'pinecrest')}"}
    assert http.get(f"{base}/Practitioner/pc-practitioner-1", headers=header).status_code == 200
    response = http.get(f"{base}/Practitioner?_id=pc-practitioner-1", headers=header)
    assert response.status_code == 405
    assert "no search-type of Practitioner" in response.json()["issue"][0]["diagnostics"]


def test_reads_are_negotiated_too(http: httpx.Client, riverside: str, token: dict[str, str]) -> None:
    url = f"{riverside}/Patient/rv-patient-1"
    assert http.get(url, headers=token | {"Accept": "application/json"}).headers["content-type"] == "application/json"
    assert http.get(url, headers=token | {"Accept": "application/fhir+xml"}).status_code == 406


@pytest.mark.parametrize("name", ["lakeshore", "pinecrest", "riverside"])
def test_every_sample_resource_is_served_without_placeholders(
    server: SandboxServer, http: httpx.Client, name: str
) -> None:
    base = server.base_url(name)
    header = {"Authorization": f"Bearer {issue_token(server, name)}"}
    organization = next(entry for entry in server.organizations if entry.id == name)
    assert len(organization.resources) >= 10
    for resource in organization.resources:
        response = http.get(f"{base}/{resource['resourceType']}/{resource['id']}", headers=header)
        assert response.status_code == 200, response.text
        assert response.json()["id"] == resource["id"]
        assert "{base}" not in response.text


def test_a_notes_attachment_can_be_followed(http: httpx.Client, riverside: str, token: dict[str, str]) -> None:
    note = http.get(f"{riverside}/DocumentReference/rv-note-1", headers=token).json()
    url = note["content"][0]["attachment"]["url"]
    assert url.startswith(f"{riverside}/Binary/")
    assert http.get(url, headers=token).json()["contentType"] == "text/plain"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("Patient?family=te", ["rv-patient-1", "rv-patient-2", "rv-ben"]),
        ("Patient?identifier=SIM-000101", ["rv-patient-1"]),
        ("Patient?identifier=urn:oid:2.999.1.1|SIM-000102", ["rv-patient-2"]),
        ("Patient?identifier=urn:oid:1|SIM-000102", []),
        ("Encounter?patient=rv-patient-1", ["rv-encounter-1"]),
        ("Encounter?patient=Patient/rv-patient-2&status=finished", ["rv-encounter-2"]),
        ("Encounter?patient=rv-patient-2&class=IMP", []),
        ("Observation?patient=rv-patient-1&code=2524-7", ["rv-lactate-1", "rv-lactate-2"]),
        ("Observation?patient=rv-patient-1&code=http://loinc.org|2524-7&status=preliminary", ["rv-lactate-2"]),
        ("Observation?patient=rv-patient-1&code=|2524-7", []),
        ("Observation?patient=rv-patient-2&category=laboratory,vital-signs", ["rv-heart-rate-4", "rv-leukocytes-2"]),
        ("Observation?encounter=rv-encounter-2&patient=rv-patient-2&code=6690-2", ["rv-leukocytes-2"]),
        ("Observation?_id=rv-lactate-1,rv-platelets-1", ["rv-lactate-1", "rv-platelets-1"]),
        ("Condition?patient=rv-patient-1&category=encounter-diagnosis", ["rv-condition-2"]),
        ("Condition?patient=rv-patient-1&clinical-status=active&code=44054006", ["rv-condition-1"]),
        ("DocumentReference?patient=rv-patient-1&encounter=rv-encounter-1&type=11506-3", ["rv-note-1"]),
        ("DocumentReference?patient=nobody", []),
    ],
)
def test_searches_find_what_matches(
    http: httpx.Client, riverside: str, token: dict[str, str], query: str, found: list[str]
) -> None:
    response = http.get(f"{riverside}/{query}", headers=token)
    assert ids(response) == found
    assert response.json()["total"] == len(found)


def test_a_search_is_paged(http: httpx.Client, riverside: str, token: dict[str, str]) -> None:
    url, pages, seen = f"{riverside}/Observation?patient=rv-patient-1&_count=7", 0, []
    total = http.get(url, headers=token).json()["total"]
    while url:
        response = http.get(url, headers=token)
        page = ids(response)
        assert 0 < len(page) <= 7
        seen += page
        pages += 1
        links = {link["relation"]: link["url"] for link in response.json()["link"]}
        assert "patient=rv-patient-1" in links["self"]
        url = links.get("next", "")
    assert (pages, len(seen), len(set(seen))) == (3, total, total)
    empty = http.get(f"{riverside}/Observation?patient=rv-patient-1&_count=0", headers=token)
    assert (ids(empty), empty.json()["total"]) == ([], total)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("Observation", "required"),
        ("Observation?category=laboratory", "required"),
        ("Observation?patient=rv-patient-1&subject=rv-patient-1", "not-supported"),
        ("Observation?patient=rv-patient-1&_count=-1", "invalid"),
        ("Observation?patient=rv-patient-1&_count=lots", "invalid"),
        ("Patient?name:above=x", "not-supported"),
    ],
)
def test_what_is_not_simulated_is_said(
    http: httpx.Client, riverside: str, token: dict[str, str], query: str, code: str
) -> None:
    response = http.get(f"{riverside}/{query}", headers=token)
    assert response.status_code == 400
    assert response.json()["issue"][0]["code"] == code


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "Observation"), ("PUT", "Observation/x"), ("DELETE", "Patient/x")]
)
def test_readers_write_nothing(
    http: httpx.Client, riverside: str, token: dict[str, str], method: str, path: str
) -> None:
    assert http.request(method, f"{riverside}/{path}").status_code == 401
    refused = http.request(method, f"{riverside}/{path}", headers=token)
    assert refused.status_code == 403
    assert "insufficient_scope" in refused.headers["www-authenticate"]


def test_too_many_tokens_push_out_the_oldest(http: httpx.Client) -> None:
    with SandboxServer() as server:
        url = f"{server.base_url('riverside')}/Patient/rv-patient-1"
        first = {"Authorization": f"Bearer {issue_token(server, 'riverside')}"}
        assert http.get(url, headers=first).status_code == 200
        for _ in range(2_000):
            last = {"Authorization": f"Bearer {issue_token(server, 'riverside')}"}
        assert http.get(url, headers=first).status_code == 401
        assert http.get(url, headers=last).status_code == 200
