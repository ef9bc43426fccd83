"""A FHIR server that others wrote (sekmet-fhir, Apache-2.0), probed as a user would.

It lives in an environment of its own: its dependencies hold python-dateutil below the version that the product's tests
run with, and bring uvloop and httptools, which the simulated organisations would then run on. ``INTERLOCK_SEKMET``
names an installed ``sekmet``; otherwise it is installed from the package index, once for all test processes.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import venv
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock
from integration_reading import SMART_FIELDS, declared_rows, fact_rows, published, smart_derived
from joserfc.jwk import ECKey, RSAKey

from interlock.cli.main import run

REQUIREMENTS = Path(__file__).with_name("sekmet-requirements.txt")
#: Client id → what it may read; each has a key or a secret of its own.
CLIENTS = {"rsa": "system/*.rs", "elliptic": "system/*.rs", "secret": "system/Patient.rs system/Encounter.rs"}
SECRET = "nothing-to-protect-here"
PATIENTS = 3

pytestmark = [pytest.mark.wheel, pytest.mark.long]


def install(folder: Path) -> str | None:
    """Install the server into a new environment; the reason when that fails."""
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    python = folder / "bin" / "python"
    if uv:
        steps = [
            [uv, "venv", "--quiet", "--python", sys.executable, folder],
            [uv, "pip", "install", "--quiet", "--python", python, "--requirement", REQUIREMENTS],
        ]
    else:
        venv.create(folder, with_pip=True)
        quiet = ["--quiet", "--disable-pip-version-check"]
        steps = [[python, "-m", "pip", "install", *quiet, "--requirement", REQUIREMENTS]]
    for step in steps:
        done = subprocess.run([str(part) for part in step], capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            return " ".join((done.stderr or done.stdout).split())[:300]
    return None


@pytest.fixture(scope="session")
def sekmet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's command."""
    named = os.environ.get("INTERLOCK_SEKMET") or shutil.which("sekmet")
    if named:
        return Path(named)
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    folder, verdict = shared / "sekmet", shared / "sekmet.result"
    with FileLock(shared / "sekmet.lock"):
        if not verdict.exists():
            verdict.write_text(install(folder) or "")
    if why := verdict.read_text():
        pytest.skip(f"sekmet-fhir could not be installed: {why}")
    return folder / "bin" / "sekmet"


@dataclass(frozen=True)
class Running:
    base: str
    statement: dict[str, Any]
    configuration: dict[str, Any]
    keys: dict[str, str]

    def read(self, query: str) -> list[dict[str, Any]]:
        """Resources that a search finds, read without the product's code."""
        basic = base64.b64encode(f"secret:{SECRET}".encode()).decode()
        token = fetch(
            self.configuration["token_endpoint"],
            {"Authorization": f"Basic {basic}"},
            urllib.parse.urlencode({"grant_type": "client_credentials", "scope": CLIENTS["secret"]}).encode(),
        )["access_token"]
        bundle = fetch(f"{self.base}/{query}", {"Authorization": f"Bearer {token}"})
        return [entry["resource"] for entry in bundle.get("entry", [])]


def fetch(url: str, headers: dict[str, str] | None = None, form: bytes | None = None) -> Any:
    named = {"Accept": "application/fhir+json, application/json;q=0.9"} | (headers or {})
    request = urllib.request.Request(url, data=form, headers=named)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as response:
        return json.load(response)


def clients_and_keys() -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Private keys as JSON by client id, and the clients as the server is told of them."""
    rsa = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig", "alg": "RS384"})
    elliptic = ECKey.generate_key("P-384", {"kid": "elliptic-1", "use": "sig", "alg": "ES384"})
    keys: dict[str, RSAKey | ECKey] = {"rsa": rsa, "elliptic": elliptic}
    clients: list[dict[str, Any]] = [
        {"client_id": name, "scopes": CLIENTS[name], "jwks": {"keys": [key.as_dict(private=False)]}}
        for name, key in keys.items()
    ]
    clients.append({"client_id": "secret", "scopes": CLIENTS["secret"], "client_secret": SECRET})
    return {name: json.dumps(key.as_dict(private=True)) for name, key in keys.items()}, clients


@pytest.fixture(scope="module")
def server(sekmet: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The server on a free port with patients of its own making; SMART Backend Services are the only way in."""
    folder = tmp_path_factory.mktemp("sekmet-data")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    base = f"http://127.0.0.1:{port}/fhir"
    keys, clients = clients_and_keys()
    settings = {"base_url": base, "server_auth": {"types": ["smart"], "smart_clients": clients}}
    (folder / "settings.yaml").write_text(json.dumps(settings))  # JSON is YAML
    seeded = [str(sekmet), "seed", "--count", str(PATIENTS)]
    subprocess.run(seeded, cwd=folder, check=True, capture_output=True, timeout=120)
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(sekmet), "serve", "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        statement = None
        for _ in range(600):
            assert process.poll() is None, log.read_text()
            try:
                statement = fetch(f"{base}/metadata")
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        assert statement is not None, f"sekmet did not answer: {log.read_text()}"
        yield Running(base, statement, fetch(f"{base}/.well-known/smart-configuration"), keys)
    finally:
        process.terminate()
        process.wait(20)


def outcomes(observation: dict[str, Any]) -> dict[str, str]:
    return {check["id"]: check["outcome"] for check in observation["checks"]}


def compare(observation: dict[str, Any], server: Running) -> None:
    """The facts are what an independent reading of the server's own documents gives."""
    statement = dict(server.statement)
    facts = observation["facts"]
    # The server dates its statement with the moment of the request.
    assert facts["capability"]["date"] > statement.pop("date")
    assert fact_rows(facts["capability"]) - declared_rows(statement) == {("date", facts["capability"]["date"])}
    assert declared_rows(statement) <= fact_rows(facts["capability"])
    assert facts["capability"]["fhir_release"] == "R4"
    assert published(facts["smart"], SMART_FIELDS) == published(server.configuration, SMART_FIELDS)
    assert {name: facts["smart"][name] for name in smart_derived(server.configuration)} == smart_derived(
        server.configuration
    )
    assert (facts["smart"]["scopes_v1"], facts["smart"]["scopes_v2"]) == (True, True)


def test_probed_from_the_command_line(server: Running) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "interlock", "probe", server.base, "--format", "json", "--thorough"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    observation = json.loads(done.stdout)
    assert observation["outcome"] == "observed"
    assert len(server.statement["rest"][0]["resource"]) > 20
    compare(observation, server)
    found = outcomes(observation)
    assert "NET-000" not in found
    assert "error" not in found.values()
    assert found["CAP-001"] == "pass" and found["SMART-001"] == "pass"
    assert found["CAP-010"] == "pass"  # implementation.url is the base
    assert found["SMART-004"] == "fail"  # it declares no code challenge methods
    assert found["BULK-002"] == "warn"  # its export is declared under FHIR's own address, not the guide's
    export = next(one for one in server.statement["rest"][0]["operation"] if one["name"] == "export")
    assert "uv/bulkdata" not in export["definition"]
    assert {request["method"] for request in observation["requests"]} == {"GET"}
    assert {request["url"].removeprefix(server.base.removesuffix("/fhir")) for request in observation["requests"]} == {
        "/fhir/metadata",
        "/fhir/.well-known/smart-configuration",
        "/fhir/.well-known/udap",
        "/.well-known/jwks.json",
    }


def test_a_text_for_people(server: Running, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["probe", server.base]) == 0
    text = capsys.readouterr().out
    assert "SEKMET FHIR R4 Tester" in text
    assert "Backend service: declared" in text
    assert f"{len(server.statement['rest'][0]['resource'])} types" in text


@pytest.fixture
def workspace(server: Running, tmp_path: Path) -> Path:
    """A workspace with the sepsis contract and the server as its one organisation."""
    folder = tmp_path / "work"
    assert run(["init", str(folder), "--template", "sepsis"]) == 0
    arguments = ["org", "add", "General Hospital", "--id", "general", "--url", server.base]
    assert run([*arguments, "--workspace", str(folder)]) == 0
    return folder


@pytest.fixture
def probed(workspace: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    def call(*arguments: str) -> dict[str, Any]:
        capsys.readouterr()
        assert run([*arguments, "--format", "json", "--workspace", str(workspace)]) == 0
        observation: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert "error" not in outcomes(observation).values()
        return observation

    return call


def test_an_organisation_is_judged_again_when_it_is_gone(
    server: Running, probed: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = probed("probe", "--org", "general", "--active", "--thorough")
    compare(seen, server)
    monkeypatch.setattr(socket.socket, "connect", None)  # nothing is contacted from here on
    monkeypatch.setattr(socket, "getaddrinfo", None)
    again = probed("observe", "general", "--recheck")
    assert again["facts"] == seen["facts"]
    asked_now = "CAP-047"  # a strict reader looks when an observation is judged again, and in a probe with --strict
    assert [check for check in again["checks"] if check["id"] != asked_now] == [
        check for check in seen["checks"] if check["id"] != asked_now
    ]


def test_safe_negatives_are_refused_and_leave_nothing(server: Running, probed: Callable[..., dict[str, Any]]) -> None:
    before = len(server.read("Patient?_count=100"))
    seen = probed("probe", "--org", "general", "--active")
    found = outcomes(seen)
    assert {name: found[name] for name in ("NEG-001", "NEG-003", "NEG-004", "NEG-005")} == dict.fromkeys(
        ("NEG-001", "NEG-003", "NEG-004", "NEG-005"), "pass"
    )
    assert seen["facts"]["security"]["anonymous_read"] == "refused"
    sent = [(request["method"], request["status"]) for request in seen["requests"] if request["method"] != "GET"]
    assert sent == [("POST", 400)]
    assert len(server.read("Patient?_count=100")) == before == PATIENTS


def test_what_the_contract_needs_is_compared(
    server: Running, workspace: Path, probed: Callable[..., dict[str, Any]]
) -> None:
    contract = yaml.safe_load((workspace / "contract.yaml").read_text())
    declared = declared_rows(server.statement)
    words = {"read": "read", "search": "search-type", "create": "create", "update": "update"}
    needs = [need for need in (*contract["inputs"], *contract["outputs"]) if not need.get("optional")]
    known = [need for need in needs if (need["resource"], "type") in declared]
    interactions = all(
        (need["resource"], "interaction", words[one]) in declared for need in known for one in need["interactions"]
    )
    parameters = all(
        (need["resource"], "parameter", one) in declared for need in known for one in need.get("search_parameters", [])
    )
    found = outcomes(probed("probe", "--org", "general"))
    whole = len(known) == len(needs)
    good = "pass" if whole else "not_applicable"  # what is of a type that is not declared is told with the type
    assert {check_id: found[check_id] for check_id in ("CAP-050", "CAP-051", "CAP-052", "CAP-053")} == {
        "CAP-050": "pass",
        "CAP-051": "pass" if whole else "fail",
        "CAP-052": good if interactions else "fail",
        "CAP-053": good if parameters else "fail",
    }
    assert found["SMART-050"] == "fail"  # the contract launches from the EHR, and this server launches nothing
    assert found["SMART-052"] == "pass"


@pytest.mark.parametrize("client", CLIENTS)
def test_a_sample_counts_and_keeps_no_value(
    server: Running,
    workspace: Path,
    probed: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    client: str,
) -> None:
    variables = {"client_id_env": "GENERAL_ID", "private_key_env": "GENERAL_KEY"}
    if client == "secret":
        variables = {"client_id_env": "GENERAL_ID", "client_secret_env": "GENERAL_KEY"}
    monkeypatch.setenv("GENERAL_ID", client)
    monkeypatch.setenv("GENERAL_KEY", server.keys.get(client, SECRET))
    file = workspace / "orgs" / "general.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"auth": variables}))
    allowed = "general=127.0.0.1,GENERAL_ID,GENERAL_KEY"
    seen = probed("probe", "--org", "general", "--sample", "--trust-credentials", allowed)
    data = seen["facts"]["data"]
    assert data["token"]["outcome"] == "issued"
    assert data["method"] == ("client_secret_basic" if client == "secret" else "private_key_jwt")
    inputs = {entry["resource"]: entry for entry in data["inputs"]}
    encounters, patients = server.read("Encounter?_count=100"), server.read("Patient?_count=100")
    assert (inputs["Encounter"]["count"], inputs["Patient"]["count"]) == (len(encounters), len(patients))
    assert inputs["Encounter"]["statuses"] == Counter(one["status"] for one in encounters)
    assert inputs["Patient"]["fields"] == {
        name: sum(name in one for one in patients) for name in ("identifier", "birthDate", "gender")
    }
    if client == "secret":  # its scopes stop at two types
        assert outcomes(seen)["DATA-002"] == "fail"
    written = b"".join(path.read_bytes() for path in workspace.rglob("*") if path.is_file()).decode("latin-1")
    private = {one["id"] for one in (*patients, *encounters)} | {one["birthDate"] for one in patients}
    private |= {one["identifier"][0]["value"] for one in patients}
    private |= {SECRET} if client == "secret" else {json.loads(server.keys[client])["d"]}
    text = written + json.dumps(seen)
    assert not [value for value in private if value in text]
