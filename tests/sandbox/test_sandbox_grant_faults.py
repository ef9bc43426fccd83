"""Faults that belong to a grant: met after a polite sign-in, by one client, launch or token, and by nobody else."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from interlock.model.errors import InterlockError
from interlock.sandbox.clients import Client
from interlock.sandbox.exchange import Timing
from interlock.sandbox.faults import FAULTS, Stage
from interlock.sandbox.server import SandboxServer
from sandbox_app import LAUNCH, PUBLIC, REDIRECT, App, app_at, query_of

pytestmark = pytest.mark.fast

PATIENT = "Patient/rv-patient-1"
OTHER = Client(id="other-app", redirect_uris=(REDIRECT,), launch_uris=(LAUNCH,))


@pytest.fixture(scope="module")
def hospital() -> Iterator[SandboxServer]:
    with SandboxServer(timing=Timing(slow=0.05, hang=0.1)) as running:
        yield running


@pytest.fixture
def app(hospital: SandboxServer, http: httpx.Client) -> App:
    return app_at(hospital, http)


def test_a_clients_fault_is_met_after_the_sign_in_and_by_no_other(
    app: App, hospital: SandboxServer, http: httpx.Client
) -> None:
    other = app_at(hospital, http, client=OTHER)
    hospital.give_faults("riverside", "500", client=PUBLIC.id)
    token, others = app.sign_in()["access_token"], other.sign_in()["access_token"]
    assert http.get(f"{app.base}/metadata").status_code == 200, "who shows no token meets nothing"
    assert app.read(token, PATIENT).status_code == 500
    assert other.read(others, PATIENT).status_code == 200
    hospital.give_faults("riverside", client=PUBLIC.id)
    assert app.read(token, PATIENT).status_code == 200, "taken away"


def test_a_registered_fault_reaches_grants_of_that_organisation_alone(
    hospital: SandboxServer, http: httpx.Client
) -> None:
    ill = Client(id="ill-app", redirect_uris=(REDIRECT,), faults=("html-200",))
    here, there = app_at(hospital, http, client=ill), app_at(hospital, http, "lakeshore", OTHER)
    page = here.read(here.sign_in()["access_token"], PATIENT)
    assert page.headers["content-type"].startswith("text/html")
    well = there.sign_in(scope="launch/patient patient/Patient.read")
    assert there.read(well["access_token"], f"Patient/{well['patient']}").json()["resourceType"] == "Patient"


def test_a_launchs_fault_is_met_with_its_tokens_and_their_successors(app: App, hospital: SandboxServer) -> None:
    polite = app.sign_in()
    handle = query_of(hospital.launch("riverside", PUBLIC.id, faults=["429"]))["launch"]
    scope = "launch offline_access patient/*.rs"
    launched = app.sign_in(scope=scope, launch=handle)
    assert app.read(launched["access_token"], PATIENT).status_code == 429
    renewed = app.ask(grant_type="refresh_token", refresh_token=launched["refresh_token"]).json()
    assert app.read(renewed["access_token"], PATIENT).status_code == 429
    assert app.read(polite["access_token"], PATIENT).status_code == 200


def test_a_person_opens_an_application_with_a_fault(app: App) -> None:
    opened = app.http.get(f"{app.base}/ehr/launch", params={"client": PUBLIC.id, "fault": "bom,500"})
    handle = query_of(opened.headers["location"])["launch"]
    token = app.sign_in(scope="launch patient/*.rs", launch=handle)["access_token"]
    assert app.read(token, PATIENT).status_code == 500
    wrong = app.http.get(f"{app.base}/ehr/launch", params={"client": PUBLIC.id, "fault": "slwo"})
    assert wrong.status_code == 400
    assert "no fault is named" in wrong.text


def test_one_token_of_a_sign_in_may_have_a_fault(app: App, hospital: SandboxServer) -> None:
    first, second = app.sign_in()["access_token"], app.sign_in()["access_token"]
    hospital.give_faults("riverside", "truncated", token=first)
    with pytest.raises(httpx.RemoteProtocolError):
        app.read(first, PATIENT)
    assert app.read(second, PATIENT).status_code == 200


def test_503_once_is_met_once_by_each_sign_in(app: App, hospital: SandboxServer) -> None:
    hospital.give_faults("riverside", "503-once", client=PUBLIC.id)
    for _ in range(2):
        token = app.sign_in()["access_token"]
        assert [app.read(token, PATIENT).status_code for _ in range(3)] == [503, 200, 200]


def test_a_document_asked_with_the_token_has_its_fault(app: App, hospital: SandboxServer) -> None:
    hospital.give_faults("riverside", "fhir-4-0-0", client=PUBLIC.id)
    token = app.sign_in()["access_token"]
    assert app.read(token, "metadata").json()["fhirVersion"] == "4.0.0"
    assert app.http.get(f"{app.base}/metadata").json()["fhirVersion"] == "4.0.1"


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.stage is not Stage.LISTENER])
def test_every_fault_but_a_listeners_can_be_a_grants_and_leaves_others_alone(
    app: App, hospital: SandboxServer, name: str
) -> None:
    token = app.sign_in()["access_token"]
    hospital.give_faults("riverside", name, token=token)
    try:
        with app.http.stream("GET", f"{app.base}/{PATIENT}", headers={"Authorization": f"Bearer {token}"}) as answer:
            answer.read() if name not in ("gzip-bomb", "big-number", "drip") else None
    except httpx.HTTPError:
        assert FAULTS[name].stage is Stage.WIRE
    assert name in hospital.tape.entries[-1].faults
    hospital.give_faults("riverside", client=PUBLIC.id)
    assert app.read(app.sign_in()["access_token"], PATIENT).json()["id"] == "rv-patient-1"


@pytest.mark.parametrize(
    ("faults", "who", "said"),
    [
        (["expired-tls"], {"client": PUBLIC.id}, "acts before a token is shown"),
        (["slwo"], {"client": PUBLIC.id}, "no fault is named 'slwo'"),
        (list(FAULTS)[2:11], {"client": PUBLIC.id}, "9 faults are too many"),
        (["slow"], {"client": "nobody"}, "has no client 'nobody'"),
        (["slow"], {"token": "0" * 64}, "has issued no such access token"),
        (["slow"], {}, "to a client or to a token"),
    ],
)
def test_what_cannot_be_given_is_said(
    hospital: SandboxServer, faults: list[str], who: dict[str, str], said: str
) -> None:
    with pytest.raises(InterlockError, match=said):
        hospital.give_faults("riverside", *faults, **who)
