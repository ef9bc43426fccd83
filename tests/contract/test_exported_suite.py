"""The suite that a contract is exported with, run from its own folder against simulated hospitals.

Green where the hospital offers what the contract needs; elsewhere red at the tests of what the fit says is missing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exported_suite import PAGES, PATIENTS, RELEASE, Run, missing_at, module_of, registered, run, signed_in
from interlock.contract.skeletons.suite import id_of_test
from interlock.sandbox.client import CLIENT_ID, client_key
from interlock.sandbox.server import SandboxServer
from interlock.usecases.contract import export_contract
from interlock.usecases.initialize import initialize
from interlock.usecases.load import load_inputs
from interlock.usecases.observations import Comparer
from interlock.usecases.probe import ProbeSettings, probe_targets, targets_of
from interlock.usecases.sandbox import observed_hospital
from interlock.workspace.store import Workspace
from tiers import rounds

HOSPITALS = ("riverside", "lakeshore", "pinecrest")
TOKEN = id_of_test("token", "backend_token_is_given")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The demo's workspace, probed."""
    made = initialize(tmp_path_factory.mktemp("demo") / "workspace", "sepsis")
    targets = [one for one in targets_of(load_inputs(made).organizations) if one.org in HOSPITALS]
    comparer = Comparer(made, [target.org for target in targets])

    async def probe() -> None:
        async for _ in probe_targets(targets, ProbeSettings(), comparer=comparer):
            pass

    asyncio.run(probe())
    return made


@pytest.fixture(scope="module")
def folder(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the demo's contract is exported as."""
    made = tmp_path_factory.mktemp("exported") / "contract"
    export_contract(load_inputs(workspace), made, today=date(2026, 11, 30))
    return made


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer() as running:
        yield running


@pytest.fixture(scope="module")
def client(folder: Path) -> ModuleType:
    return module_of(folder)


@pytest.fixture(scope="module")
def green(folder: Path, client: ModuleType, server: SandboxServer) -> Run:
    """Riverside offers all of it."""
    base = server.base_url("riverside")
    options = ("--patient", PATIENTS["riverside"], "--write")
    return run(folder, "riverside", base, *options, variables=registered(client, "riverside", base))


def test_it_is_green_where_everything_is_offered(green: Run) -> None:
    assert green.code == 0, green.output
    passed = green.having("passed")
    needs = ("patient", "encounter", "vital_signs", "laboratory", "condition", "medication_administration")
    for name in needs:
        recorded = name != "medication_administration"  # of which this patient has none: no test has read one
        assert (id_of_test("records", "is_read", name) in passed) is recorded
        assert id_of_test("token", "scopes_are_granted", name) in passed
        assert id_of_test("access", "without_a_token_is_refused", name) in passed
    assert id_of_test("access", "type_outside_the_contract_is_refused") in passed
    for function in ("is_created", "moves_through_its_states", "newer_version_is_not_overwritten"):
        assert id_of_test("outputs", function, "observation") in passed
    assert re.search(r"UserWarning: (\d+) of (?!\1 )\d+ records of vital_signs have valueQuantity.value", green.output)
    assert "this patient has no such record (medication_administration)" in green.output
    ours, theirs = "hold the client: ", "hold the server: "
    assert green.output.index("short test summary") < green.output.index(theirs)
    alone = sum(name.startswith(("tests/test_failures.py", "tests/test_sign_in.py")) for name in green.outcomes)
    assert f"{alone} {ours}" in green.output
    assert f"{len(green.outcomes) - alone} {theirs}" in green.output
    undecided = {name for name in green.having("skipped") if "test_statement" in name or "test_access" in name}
    assert not undecided


def test_every_test_that_a_page_names_is_there(green: Run, folder: Path) -> None:
    for page in PAGES:
        named = set(re.findall(r"`(tests/[^`]+)`", (folder / page).read_text("utf-8")))
        assert named, page
        assert not {name for name in named if "::" in name} - set(green.outcomes), page


def test_every_row_of_a_page_says_what_holds_it(folder: Path) -> None:
    for page in PAGES:
        headers = 0
        for line in (folder / page).read_text("utf-8").splitlines():
            headers += "Held by" in line
            if line.startswith("| ") and "Held by" not in line:
                last = line.rstrip(" |").rpartition(" | ")[2]
                assert "`tests/" in last or last.startswith("by hand: ") or last == "each field below", line
        assert headers, page


def test_it_is_red_at_what_is_missing(folder: Path, server: SandboxServer) -> None:
    """Pinecrest is of another release and has half of it: red at what the fit says, and nowhere for want of a key."""
    found = run(folder, "pinecrest", server.base_url("pinecrest"), "--any-release", "--patient", PATIENTS["pinecrest"])
    assert found.code == 1
    assert found.having("failure") == missing_at(folder, "pinecrest")
    assert TOKEN in found.having("skipped"), "a key of ours that is missing is no red of the hospital"
    assert not found.having("error")
    assert id_of_test("statement", "is_declared", "condition", "resource", "Condition") in found.having("failure")
    want = r"\d+ were not run for want of a key: set FHIR_PINECREST_CLIENT_ID and FHIR_PINECREST_PRIVATE_KEY"
    assert re.search(want, found.output)
    condition = id_of_test("access", "without_a_token_is_refused", "condition")
    assert condition in found.having("skipped"), "a server without Condition refuses it for nothing"


def test_the_page_of_ways_in_has_the_scopes_that_are_registered(folder: Path) -> None:
    """Pinecrest takes the older syntax: what stands on the page is what scopes.json asks for."""
    page = (folder / "auth-matrix.md").read_text("utf-8")
    rows = {tuple(row) for row in re.findall(r"^\| Pinecrest[^|]* \| [^|]+ \| (\w+) \| `([^`]+)` \|", page, re.M)}
    registered_there = {
        (need, scope["scope"])
        for one in json.loads((folder / "scopes.json").read_text("utf-8"))["clients"]
        if one["organization"] == "pinecrest"
        for scope in one["scopes"]
        for need in scope.get("needs", {})
    }
    assert rows == registered_there
    assert any(scope.endswith(".read") for _, scope in rows)


def test_a_mistyped_patient_ends_the_run_and_is_no_outage(
    folder: Path, client: ModuleType, server: SandboxServer, capsys: pytest.CaptureFixture[str]
) -> None:
    base = server.base_url("riverside")
    variables = registered(client, "riverside", base)
    found = run(folder, "riverside", base, "--patient", "nope", variables=variables)
    assert found.code == 1
    assert "--patient nope: riverside has no Patient of this id (404)" in found.output
    assert not any("records" in name for name in found.having("passed"))
    with pytest.MonkeyPatch.context() as patched:
        for name, value in variables.items():
            patched.setenv(name, value)
        for need in ("vital_signs", "patient"):
            assert client.main(["get", "riverside", need, "--patient", "nope", "--base", base]) == 1
            said = capsys.readouterr()
            assert not said.out
            assert said.err.startswith("UnknownPatient: riverside has no Patient of this id")
    assert not issubclass(client.UnknownPatient, client.Unavailable)


@pytest.mark.parametrize(
    ("org", "where", "words"),
    [
        ("pinecrest", "pinecrest", "the contract is of FHIR R4, and {base} of STU3: it is no server of this contract"),
        pytest.param("riverside", "nobody", "{base}/metadata answers 404", marks=pytest.mark.long),
    ],
)
def test_a_server_that_is_not_the_contracts_ends_the_run(
    folder: Path, server: SandboxServer, org: str, where: str, words: str
) -> None:
    base = server.base_url(org).replace(org, where)
    found = run(folder, org, base)
    assert found.code != 0
    assert len(found.outcomes) == 1, "it ends at once"
    assert RELEASE in found.outcomes
    assert words.format(base=base) in found.output


@pytest.mark.long
def test_without_an_organisation_it_says_which_there_are(folder: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/"], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 4
    assert "give --org, one of harborview, lakeshore, pinecrest, riverside" in ran.stderr


@pytest.mark.long
def test_it_agrees_with_the_fit_where_only_the_way_in_is_missing(folder: Path, server: SandboxServer) -> None:
    found = run(folder, "lakeshore", server.base_url("lakeshore"), "--patient", PATIENTS["lakeshore"])
    assert found.having("failure") == missing_at(folder, "lakeshore")


@pytest.mark.long
@pytest.mark.parametrize("org", ["riverside", "pinecrest"])
def test_a_hospital_played_as_it_was_observed_is_judged_alike(
    workspace: Workspace, folder: Path, client: ModuleType, org: str
) -> None:
    with SandboxServer([observed_hospital(workspace, org).organization]) as played:
        base = played.base_url(org)
        if org == "riverside":
            options = ("--patient", PATIENTS[org], "--write")
            found = run(folder, org, base, *options, variables=registered(client, org, base))
            assert found.code == 0, found.output
        else:
            found = run(folder, org, base, "--any-release", "--patient", PATIENTS[org])
            assert found.having("failure") == missing_at(folder, org), found.output


def test_a_launched_client_reads_what_is_offered(
    folder: Path, client: ModuleType, server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By code, state, PKCE and issuer; each input of the launch is read, and a type outside is refused."""
    patient = PATIENTS["riverside"]
    with signed_in(client, server, "riverside", monkeypatch) as opened:
        reads_and_writes(client, folder, opened, patient)


def reads_and_writes(client: ModuleType, folder: Path, opened: Any, patient: str) -> None:
    assert opened.patient(patient)["birthDate"]
    assert opened.vital_signs(patient, since="2020-01-01").resources
    assert opened.condition(patient).resources
    with pytest.raises(client.AccessDenied):
        opened.resource("AllergyIntolerance", "1")
    note = json.loads(
        (folder / "tests" / "examples" / "document_reference.json").read_text().replace("{patient}", patient)
    )
    text = json.dumps(note).replace("{encounter}", "rv-encounter-1").replace("{now}", "2026-11-30T08:00:00Z")
    keys = {"patient": patient, "encounter": "rv-encounter-1", "window": "2026-11-30T08:00:00Z"}
    written = opened.create_document_reference(json.loads(text), keys)
    assert written["id"]
    assert opened.create_document_reference(json.loads(text), keys)["id"] == written["id"]


def test_a_launched_client_is_refused_as_the_fit_says(
    folder: Path, client: ModuleType, server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pinecrest is of SMART 1.0 and has no conditions: what it lacks is refused, and so is all outside the contract."""
    patient = PATIENTS["pinecrest"]
    lock = json.loads((folder / "contract.lock.json").read_text())
    own = next(one for one in lock["organizations"] if one["id"] == "pinecrest")
    asked = {
        key
        for one in own["clients"]
        if one["client"]["mode"] == "ehr"
        for scope in one["scopes"]
        for key in scope["needs"]
    }
    with signed_in(client, server, "pinecrest", monkeypatch) as opened:
        for name, need in opened.organization.needs("input").items():
            matches = next(one for one in own["needs"] if client.NEEDS[one["key"]] == name)
            if matches["key"] not in asked or "search" not in need["interactions"]:
                continue
            lacking = {match["name"] for match in matches["open"] if match["outcome"] == "missing"}
            if need["resource"] in lacking:
                with pytest.raises((client.AccessDenied, client.QuestionRefused)):
                    list(opened.resources(name, {"patient": patient}, []))
            else:
                list(opened.resources(name, {"patient": patient}, []))
        for kind in ("AllergyIntolerance", "Procedure"):
            with pytest.raises(client.AccessDenied):
                opened.resource(kind, "1")


@pytest.mark.usefixtures("_no_variables")
def test_a_way_in_that_is_not_offered_gives_no_token(
    client: ModuleType, server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lakeshore lists no backend services and no client with keys; the fit says so, and so does its token endpoint."""
    organization = client.Organization.named("lakeshore", server.base_url("lakeshore"))
    with organization.http:
        with pytest.raises(client.SignInRefused, match="takes no registration by itself"):
            client.register(organization)
        monkeypatch.setenv(organization.variable("client_id"), CLIENT_ID)
        monkeypatch.setenv(organization.variable("private_key"), json.dumps(client_key().as_dict(private=True)))
        with pytest.raises(client.SignInRefused, match="gives no token"):
            organization.backend_token()


@pytest.fixture
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SENTINEL_")]:
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("_no_variables")
def test_a_client_without_keys_says_what_to_set(
    client: ModuleType, server: SandboxServer, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["get", "riverside", "vital_signs", "--patient", "1", "--base", server.base_url("riverside")]
    assert client.main(asked) == 1
    said = capsys.readouterr().err
    assert "set SENTINEL_RIVERSIDE_CLIENT_ID and SENTINEL_RIVERSIDE_KEY in the environment" in said


def test_a_key_that_is_none_is_not_repeated(
    client: ModuleType, server: SandboxServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SENTINEL_RIVERSIDE_CLIENT_ID", "a-client")
    monkeypatch.setenv("SENTINEL_RIVERSIDE_KEY", '{"kty": "EC", "d": "very-secret"}')
    asked = ["get", "riverside", "vital_signs", "--patient", "1", "--base", server.base_url("riverside")]
    assert client.main(asked) == 1
    said = capsys.readouterr().err
    assert "SENTINEL_RIVERSIDE_KEY holds no private key" in said
    assert "very-secret" not in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["register", "riverside"], "riverside has no FHIR base URL that can be reached: give --base URL"),
        (["needs", "nowhere"], "the contract has no organisation 'nowhere'"),
        (
            ["get", "riverside", "vital_signs", "--base", "https://ehr.example.org/fhir"],
            "whose vital_signs is to be read is not said: give --patient ID",
        ),
        (
            ["needs", "riverside", "--base", "http://ehr.example.org/fhir"],
            "is not https, so nothing secret is sent there",
        ),
        (
            ["get", "riverside", "vitals", "--base", "https://ehr.example.org/fhir"],
            "the contract has no input 'vitals'",
        ),
    ],
)
def test_what_cannot_be_asked_is_said(
    client: ModuleType, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert client.main(arguments) == 1
    assert words in capsys.readouterr().err


def test_what_a_server_calls_a_client_is_no_command(
    client: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The README has the shell evaluate what ``register`` prints."""
    evil = "a'; touch /tmp/never; echo '$(id)`id`\n"

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(201, json={"client_id": evil})
        return httpx.Response(200, json={"registration_endpoint": "https://ehr.example.org/register"})

    made = client.Organization.named
    http = httpx.Client(transport=httpx.MockTransport(answer))
    monkeypatch.setattr(client.Organization, "named", lambda name, base: made(name, base, http=http))
    assert client.main(["register", "riverside", "--base", "https://ehr.example.org/fhir"]) == 0
    said = capsys.readouterr().out
    shell = f'{said}\nprintf "%s" "$SENTINEL_RIVERSIDE_CLIENT_ID"'
    assert subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True).stdout == evil


def offline(client: ModuleType, answer: Any) -> Any:
    """A client of Riverside whose server is a function."""
    http = httpx.Client(transport=httpx.MockTransport(answer))
    organization = client.Organization.named("riverside", "https://ehr.example.org/fhir", http=http)
    return client.Client(organization, client.Token("a-token"))


def bundle(url: str | None = None, *resources: dict[str, Any]) -> httpx.Response:
    links = [{"relation": "next", "url": url}] if url else []
    return httpx.Response(
        200, json={"resourceType": "Bundle", "link": links, "entry": [{"resource": one} for one in resources]}
    )


@pytest.mark.parametrize(
    "following",
    [
        "https://evil.example/next",
        "http://ehr.example.org/next",
        "https://ehr.example.org:444/next",
        "https://ehr.example.org@evil.example/",
        "https://ehr.example.org:99999/next",
        "http://[",
        "//evil.example/next",
    ],
)
def test_a_next_page_at_another_origin_is_never_asked(client: ModuleType, following: str) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return bundle(following)

    with pytest.raises(client.Truncated):
        offline(client, answer).vital_signs("1")
    assert {request.url.host for request in asked} == {"ehr.example.org"}
    assert len(asked) == 1


@pytest.mark.parametrize(
    "base", ["http://127.evil.example/fhir", "http://localhost.evil.example", "http://[::2]/", "https://", "http://["]
)
def test_only_this_computer_is_asked_without_tls(client: ModuleType, base: str) -> None:
    with pytest.raises(client.NotSetUp):
        client.Organization.named("riverside", base)


@pytest.mark.parametrize("base", ["https://1und1.example/fhir", "http://127.0.0.5:80/fhir", "http://[::1]:8080/fhir"])
def test_tls_and_this_computer_are_asked(client: ModuleType, base: str) -> None:
    organization = client.Organization.named("riverside", base)
    organization.http.close()
    assert organization.base == base


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["entry", "link", "resource", "search", "issue", "relation", "url"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@settings(max_examples=rounds(60, 2000), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON)
def test_whatever_a_server_sends_is_an_answer_or_an_error_of_the_contract(client: ModuleType, sent: Any) -> None:
    body = {"resourceType": "Bundle", **sent} if isinstance(sent, dict) else sent
    with contextlib.suppress(client.ContractError):
        offline(client, lambda _: httpx.Response(200, json=body)).vital_signs("1")
    with contextlib.suppress(client.ContractError):
        offline(client, lambda _: httpx.Response(200, json=body)).organization.discover()


@pytest.mark.parametrize("endpoint", [{}, 5, "http://evil.example/token", "javascript:alert(1)", "http://["])
def test_a_token_endpoint_that_is_none_is_sent_nothing(
    client: ModuleType, monkeypatch: pytest.MonkeyPatch, endpoint: Any
) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        return httpx.Response(200, json={"token_endpoint": endpoint, "issuer": []})

    monkeypatch.setenv("SENTINEL_RIVERSIDE_CLIENT_ID", "a-client")
    monkeypatch.setenv("SENTINEL_RIVERSIDE_KEY", json.dumps(client_key().as_dict(private=True)))
    with pytest.raises(client.ContractError):
        offline(client, answer).organization.backend_token()
    assert "POST" not in asked


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("status", True),
        ("valueQuantity.value", True),
        ("value[x]", True),
        ("value", True),
        ("value.unit", False),
        ("component.valueBoolean", True),
        ("component:systolic.value", True),
        ("note", False),
        ("code", False),
        ("issued", False),
        ("extension('http://x').value", False),
    ],
)
def test_a_field_is_there_when_it_has_a_value(client: ModuleType, path: str, there: bool) -> None:
    resource = {
        "status": "final",
        "valueQuantity": {"value": 0},
        "component": [{}, {"valueBoolean": False}],
        "note": [],
        "noteNumber": "1",
        "code": {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason"}]},
        "issued": "",
    }
    assert client.present(resource, path) is there


def test_a_record_with_an_unknown_modifier_is_left_out_and_told(client: ModuleType) -> None:
    whole = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "effectiveDateTime": "2026-01-01",
        "valueQuantity": {"value": 0, "unit": "1"},
    }
    found = offline(
        client, lambda _: bundle(None, whole, {**whole, "modifierExtension": [{"url": "urn:x"}]})
    ).vital_signs("1")
    assert found.resources == [whole]
    assert len(found.refused) == 1
    assert found.refused[0].contract_says


def test_no_message_names_a_patient(client: ModuleType) -> None:
    for answer in (httpx.Response(500), httpx.Response(302, headers={"Location": "/"}), httpx.Response(403)):
        with pytest.raises(client.ContractError) as raised:
            offline(client, lambda _, answer=answer: answer).vital_signs("a-patient-id")
        assert "a-patient-id" not in str(raised.value)


def test_pages_without_end_are_cut(client: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_PAGES", 3)
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return bundle(f"https://ehr.example.org/fhir/next/{len(asked)}")

    with pytest.raises(client.Truncated):
        offline(client, answer).vital_signs("1")
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, "QuestionRefused"),
        (404, "QuestionRefused"),
        (403, "AccessDenied"),
        (429, "Unavailable"),
        (503, "Unavailable"),
    ],
)
def test_words_for_an_outage_are_said_of_an_outage_alone(client: ModuleType, status: int, error: str) -> None:
    with pytest.raises(client.ContractError) as raised:
        offline(client, lambda _: httpx.Response(status)).vital_signs("1")
    assert type(raised.value).__name__ == error
    outage = "The list shows the last score" in str(raised.value)
    assert outage is (error == "Unavailable")


@pytest.mark.parametrize("status", [404, 410])
def test_a_patient_who_is_not_there_is_an_error_of_its_own(client: ModuleType, status: int) -> None:
    with pytest.raises(client.UnknownPatient) as raised:
        offline(client, lambda _: httpx.Response(status)).patient("a-patient-id")
    assert "The list shows the last score" not in str(raised.value)
    assert "a-patient-id" not in str(raised.value)
    with pytest.raises(client.NotFound):
        offline(client, lambda _: httpx.Response(status)).read_encounter("e-1")


def test_an_answer_without_end_is_cut(client: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_BYTES", 1_000)
    with pytest.raises(client.Truncated):
        offline(client, lambda _: httpx.Response(200, content=b" " * 2_000)).vital_signs("1")


def test_a_redirect_is_not_followed_with_the_token(client: ModuleType) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(302, headers={"Location": "https://evil.example/"})

    with pytest.raises(client.Unavailable):
        offline(client, answer).vital_signs("1")
    assert len(asked) == 1


def test_what_was_held_back_is_no_absence(client: ModuleType) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "suppressed"}]}
    with pytest.raises(client.AccessDenied):
        offline(client, lambda _: bundle(None, outcome)).vital_signs("1")


def test_every_search_has_the_fixed_query_of_its_need(client: ModuleType) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.query.decode())
        return bundle()

    offline(client, answer).vital_signs("1&_count=9", since="2026-01-01")
    assert asked == [urlencode([("category", "vital-signs"), ("patient", "1&_count=9"), ("date", "ge2026-01-01")])]


def test_the_readme_says_what_is_simulated_and_who_gives_a_key(folder: Path) -> None:
    text = (folder / "README.md").read_text("utf-8")
    assert "`register` works at: riverside." in text
    assert "At the others (harborview, lakeshore, pinecrest) it ends with words" in text
    for org in (*HOSPITALS, "harborview"):
        assert f"| sandbox://{org}, simulated: give `--base` |" in text
    assert "Simulated are: harborview, lakeshore, pinecrest, riverside.\n" in text
    lock = json.loads((folder / "contract.lock.json").read_text("utf-8"))
    for org in lock["organizations"]:
        server = org.get("server") or {}
        here = {name for name, url in server.items() if isinstance(url, str) and "127.0.0.1" in url}
        assert here <= set(server.get("simulated", ())), "each address of a simulated hospital is marked"
    addresses = (folder / "endpoints.md").read_text("utf-8")
    assert "127.0.0.1" not in addresses, "the address that was probed is gone"
    assert "sandbox://riverside, simulated: `interlock sandbox --orgs riverside`" in addresses
    for client in json.loads((folder / "scopes.json").read_text("utf-8"))["clients"]:
        for known in client["rests_on"]["known"]:
            assert known.startswith(f"what the simulated hospital {client['organization']} said on ")


def test_a_registration_that_fails_ends_the_readmes_commands(folder: Path, tmp_path: Path) -> None:
    """Nothing runs on without a key: what comes after is joined to it."""
    text = (folder / "README.md").read_text("utf-8")
    commands = re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)[2]
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\ncase "$*" in *register*) exit 1;; esac\necho went on\n')
    python.chmod(0o755)
    ran = subprocess.run(
        ["sh", "-c", commands], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (1, "")


def test_settings_and_the_readme_name_the_same_variables(folder: Path) -> None:
    text = (folder / "README.md").read_text("utf-8")
    for path in (folder / "settings").glob("*.yaml"):
        named = re.findall(r'^  (?:client_id|private_key)_env: "(\w+)"$', path.read_text("utf-8"), re.M)
        assert len(named) == 2
        assert all(f"`{name}`" in text for name in named)


@pytest.mark.long
def test_the_readme_leads_to_a_first_resource(folder: Path, server: SandboxServer, tmp_path: Path) -> None:
    """Its commands as they are printed, in a copy of the folder; the hospital is at another port."""
    alone = Path(shutil.copytree(folder, tmp_path / "alone"))
    text = (alone / "README.md").read_text("utf-8").partition("## A real test system")[0]
    install, hospital, commands, sign_in = re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)
    assert install == "python -m pip install httpx joserfc pytest\n"
    redirect, launch = "http://127.0.0.1:8400/callback", "http://127.0.0.1:8400/launch"
    assert hospital == f"interlock sandbox --orgs riverside --port 8765 --redirect {redirect} --launch-url {launch}\n"
    assert "sign-in riverside --mode ehr" in sign_in and "--sign-in ehr" in sign_in
    programs = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    ran = subprocess.run(
        ["sh", "-e", "-c", commands.replace("127.0.0.1:8765", f"127.0.0.1:{server.port}")],
        cwd=alone,
        env={"PATH": programs, "HOME": str(tmp_path), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert '"resourceType": "Encounter"' in ran.stdout
    assert " passed" in ran.stdout
    assert not list(alone.rglob("*.pem")), "the key is nowhere on disk"
    assert '"crv"' not in "".join(path.read_text("utf-8", "replace") for path in alone.rglob("*") if path.is_file())
