"""Two clients that nobody here wrote sign in and read at two organisations: fhirclient of PyPI and fhirclient of npm.

Both are installed into folders of their own; without Node, or without the package index, the test says so.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from interlock.sandbox.clients import Client
from interlock.sandbox.server import SandboxServer
from packages import node_modules, python_with

pytestmark = [pytest.mark.long, pytest.mark.wheel]

HERE = Path(__file__).parent
CLIENT = "foreign-app"
#: Organisation → what is asked for there: each in the scopes that it speaks.
SCOPES = {
    "riverside": "openid fhirUser launch/patient offline_access patient/*.rs",
    "lakeshore": "launch/patient offline_access patient/Patient.read patient/Observation.read",
}
OBSERVATIONS_AT_LEAST = 10
PYTHON_APP = """
import sys
from fhirclient import client
from fhirclient.models.observation import Observation
base, scope, launch = sys.argv[1:4]
settings = {"app_id": "foreign-app", "api_base": base, "redirect_uri": "http://127.0.0.1:9/callback", "scope": scope}
smart = client.FHIRClient(settings={**settings, "launch_token": launch} if launch else settings)
print(smart.authorize_url, flush=True)
smart.handle_callback(input())
patient = smart.patient
assert smart.reauthorize()
found = list(Observation.where({"patient": patient.id}).perform_resources(smart.server))
print(patient.id, len(found), smart.launch_context.get("encounter"))
"""


@pytest.fixture(scope="module")
def hospital() -> Iterator[SandboxServer]:
    with SandboxServer() as running:
        yield running


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with fhirclient of PyPI."""
    return python_with(tmp_path_factory.mktemp("pypi"), "fhirclient==4.4.0")


@pytest.fixture(scope="module")
def node_app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small application beside this file, with fhirclient of npm in reach."""
    folder = node_modules(tmp_path_factory.mktemp("npm"), "fhirclient@2.6.3").parent
    return Path(shutil.copy(HERE / "foreign_app.js", folder))


@pytest.mark.parametrize(("org", "from_ehr"), [("riverside", True), ("riverside", False), ("lakeshore", False)])
def test_fhirclient_of_pypi(
    hospital: SandboxServer, http: httpx.Client, python: Path, org: str, from_ehr: bool
) -> None:
    redirect = "http://127.0.0.1:9/callback"
    hospital.register(org, Client(id=CLIENT, redirect_uris=(redirect,), launch_uris=("http://127.0.0.1:9/launch",)))
    scope, launch = SCOPES[org], ""
    if from_ehr:
        scope = scope.replace("launch/patient ", "")
        launch = httpx.URL(hospital.launch(org, CLIENT)).params["launch"]
    command = [str(python), "-c", PYTHON_APP, hospital.base_url(org), scope, launch]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as app:
        assert app.stdout is not None
        answer = http.get(app.stdout.readline().strip())
        assert answer.status_code == 302, answer.text
        told, problems = app.communicate(answer.headers["location"], timeout=60)
    assert app.returncode == 0, problems
    patient, observations, encounter = told.split()
    assert patient == {"riverside": "rv-patient-1", "lakeshore": "lk-patient-1"}[org]
    assert int(observations) >= OBSERVATIONS_AT_LEAST
    assert encounter == ("rv-encounter-1" if from_ehr else "None")


@pytest.mark.parametrize(("org", "from_ehr"), [("riverside", True), ("riverside", False), ("lakeshore", False)])
def test_fhirclient_of_npm(
    hospital: SandboxServer, http: httpx.Client, node_app: Path, org: str, from_ehr: bool
) -> None:
    scope = SCOPES[org].replace("launch/patient", "launch") if from_ehr else SCOPES[org]
    command = ["node", str(node_app), hospital.base_url(org), CLIENT, scope]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=node_app.parent
    ) as app:
        try:
            assert app.stdout is not None
            own = f"http://127.0.0.1:{int(app.stdout.readline())}"
            client = Client(id=CLIENT, redirect_uris=(f"{own}/callback",), launch_uris=(f"{own}/launch",))
            hospital.register(org, client)
            told = followed(http, hospital.launch(org, CLIENT) if from_ehr else f"{own}/launch")
        finally:
            app.kill()
    assert told["patient"] == told["again"] == {"riverside": "rv-patient-1", "lakeshore": "lk-patient-1"}[org]
    assert told["observations"] >= OBSERVATIONS_AT_LEAST
    assert told["refreshed"] is True
    assert told["encounter"] == ("rv-encounter-1" if from_ehr else None)
    if org == "riverside":
        assert told["user"].endswith("Practitioner/rv-practitioner-1")


def followed(http: httpx.Client, address: str) -> dict[str, Any]:
    """The JSON at the end of an address's redirects, none of which leaves this computer."""
    for _ in range(8):
        answer = http.get(address)
        if answer.status_code not in (302, 303):
            assert answer.status_code == 200, answer.text
            found: dict[str, Any] = json.loads(answer.text)
            return found
        address = str(answer.url.join(answer.headers["location"]))
        assert urlsplit(address).hostname == "127.0.0.1"
    raise AssertionError("redirects without end")
