"""What every test of the contract has: the organisation that is asked, its statement, a token, and the rows of tests.

Each test's id names the need of the contract that it is about, as the client names it: ``vital_signs``. The client of
this folder asks, so that what is tested is what runs.
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "client"))

from fhir_client import (
    BY_CODE,
    FHIR_JSON,
    NEEDS,
    Client,
    ContractError,
    NotSetUp,
    Organization,
    Resource,
    SignInRefused,
    Token,
    Unavailable,
    UnknownPatient,
    read_lock,
    sign_in,
)

#: FHIR's versions by release (FHIR R4, valueset-FHIR-version).
RELEASES = {"1.0": "DSTU2", "3.0": "STU3", "4.0": "R4", "4.3": "R4B", "5.0": "R5"}


#: Failures that the client decides, whether the contract says something of them or not.
FAILURES = (
    *("access_denied", "ehr_unavailable", "too_slow", "truncated", "unknown_modifier", "merged_patient"),
    *("write_refused", "write_unknown"),
)


#: Files whose tests hold the client and ask no server.
CLIENT_ALONE = ("test_sign_in.py", "test_failures.py")
#: How the reason begins of a test that is not run because a credential is missing: no fault of the server's.
NO_KEY = "no key: "


class Detail(NamedTuple):
    """One thing that a need takes for granted of a server: an interaction, a parameter, the condition of a write …."""

    need: str
    resource: str
    kind: str
    name: str
    optional: bool


def pytest_addoption(parser: pytest.Parser) -> None:
    """What a run is told."""
    group = parser.getgroup("workflow contract")
    group.addoption("--org", help="organisation of the contract that is asked")
    group.addoption("--base", help="its FHIR base URL, where it is another than the contract's")
    group.addoption("--patient", help="id of a test patient there")
    group.addoption("--encounter", help="id of a test encounter of that patient; one is looked for without it")
    group.addoption("--token-variable", help="variable with the access token of a sign-in, instead of a backend token")
    group.addoption("--sign-in", choices=("ehr", "standalone"), help="sign in by a browser first, in this launch mode")
    group.addoption("--port", type=int, default=8400, help="of --sign-in: that of the registered redirect address")
    group.addoption("--write", action="store_true", help="write outputs, too: to a test system only")
    group.addoption("--any-release", action="store_true", help="go on at a server of another release of FHIR")


def lock_of(config: pytest.Config) -> Resource:
    """The organisation's part of the lock."""
    try:
        lock = read_lock()
    except NotSetUp as error:
        raise pytest.UsageError(str(error)) from None
    known = {str(one["id"]): one for one in lock["organizations"]}
    wanted = config.getoption("--org") or (next(iter(known)) if len(known) == 1 else None)
    if wanted not in known:
        raise pytest.UsageError(f"give --org, one of {', '.join(known) or 'none: the contract has no organisation'}")
    return dict(known[wanted])


def pytest_configure(config: pytest.Config) -> None:
    """A run without an organisation ends before it begins."""
    lock_of(config)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The statement is looked at first, and of it the release; what the contract has no row for is no test."""
    items[:] = [item for item in items if not item.name.endswith("[NOTSET]")]
    order = (
        "test_statement.py",
        "test_token.py",
        "test_access.py",
        "test_records.py",
        "test_outputs.py",
        *CLIENT_ALONE,
    )
    items.sort(key=lambda item: order.index(item.path.name) if item.path.name in order else len(order))


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: Any) -> Iterator[None]:
    """After all else: what was held, the server apart from the client, and what was not run for want of a key."""
    yield
    counts = {"server": Counter[str](), "client": Counter[str]()}
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            alone = report.nodeid.partition("::")[0].rpartition("/")[2] in CLIENT_ALONE
            counts["client" if alone else "server"][outcome] += 1
    for side, found in counts.items():
        told = ", ".join(f"{number} {outcome}" for outcome, number in found.items())
        terminalreporter.write_line(f"{found.total()} hold the {side}" + (f": {told}" if told else ""))
    reasons = [str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", [])]
    wanting = [reason.partition(NO_KEY)[2] for reason in reasons if reason.startswith(f"Skipped: {NO_KEY}")]
    if wanting:
        terminalreporter.write_line(f"{len(wanting)} were not run for want of a key: {wanting[0]}")


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.:-]+", "_", text).strip("_")[:80]


def parameters_of(name: str, need: Resource) -> list[str]:
    """Every search parameter that a need's searches have, those of its fixed query and of its codes too."""
    fixed = [one.partition("=")[0] for one in need.get("query") or []]
    code = ["code"] if name in BY_CODE else []
    return list(dict.fromkeys([*(need.get("search_parameters") or []), *fixed, *code]))


def conditions_of(need: Resource) -> list[str]:
    """The headers under which a need is written."""
    writing, interactions = need.get("writing") or {}, need.get("interactions") or []
    once = ["If-None-Exist"] if writing.get("if_none_exist") and "create" in interactions else []
    return once + (["If-Match"] if writing.get("if_match") and "update" in interactions else [])


def _details(organization: Organization) -> Iterator[tuple[str, Detail]]:
    for direction in ("input", "output"):
        for name, need in organization.needs(direction).items():
            found = [("resource", need["resource"])]
            found += [("interaction", one) for one in need.get("interactions") or []]
            found += [("parameter", one) for one in parameters_of(name, need)]
            found += [("operation", one.lstrip("$")) for one in need.get("operations") or []]
            found += [("profile", need["profile"])] if need.get("profile") else []
            found += [("condition", one) for one in conditions_of(need)]
            for kind, what in found:
                shown = what.rpartition("/")[2] if kind == "profile" else what
                optional = bool(need.get("optional"))
                yield f"{name}-{kind}-{_slug(shown)}", Detail(name, need["resource"], kind, what, optional)


def needs_of(organization: Organization, *modes: str) -> dict[str, Resource]:
    """The needs that clients of these launch modes ask scopes for, by name."""
    own = [one for one in organization.lock.get("clients") or [] if one["client"]["mode"] in modes]
    keys = {key for client in own for scope in client.get("scopes") or [] for key in scope.get("needs") or []}
    return {NEEDS[one["key"]]: one["need"] for one in organization.lock.get("needs") or [] if one["key"] in keys}


def by_this_token(client: Client, name: str) -> None:
    """Skip what another kind of token is for."""
    modes = ("backend",) if of_backend(client) else ("ehr", "standalone")
    if name not in needs_of(client.organization, *modes):
        pytest.skip("for a token of another launch mode: see --sign-in and --token-variable")


def of_backend(client: Client) -> bool:
    """Whether the token is one of backend services: of one that was given nothing is known."""
    return any(scope.startswith("system/") for scope in client.token.scopes)


def rows(organization: Organization, fixture: str) -> dict[str, Any]:
    """What a test is repeated for, by its id."""
    inputs, outputs = organization.needs("input"), organization.needs("output")
    match fixture:
        case "detail":
            return dict(_details(organization))
        case "input_name":
            return {name: name for name in inputs}
        case "output_name":
            return {name: name for name in outputs}
        case "mode":
            return {mode: mode for mode in organization.modes()}
        case "granted_need":
            needs = needs_of(organization, "backend", *organization.modes())
            return {name: (name, need) for name, need in needs.items()}
        case "field" | "unwritten":
            needs = inputs if fixture == "field" else outputs
            return {
                f"{name}-{_slug(path)}": (name, path)
                for name, need in needs.items()
                for path in dict.fromkeys(
                    [*(need.get("required_fields") or []), *(one["field"] for one in need.get("missing") or [])]
                )
            }
        case "bound":
            return {
                f"{name}-{_slug(bound['path'])}": (name, bound)
                for name, need in inputs.items()
                for bound in need.get("binding") or []
                if bound.get("codes")
            }
        case "failure":
            return {name: name for name in FAILURES}
    raise KeyError(fixture)


#: Arguments of tests that stand for a row of the contract.
ROWS = ("detail", "input_name", "output_name", "mode", "granted_need", "field", "unwritten", "bound", "failure")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each row of the contract."""
    wanted = [name for name in ROWS if name in metafunc.fixturenames]
    if not wanted:
        return
    own = lock_of(metafunc.config)
    organization = Organization.named(own["id"], "https://offline.invalid")
    organization.http.close()
    for name in wanted:
        found = rows(organization, name)
        metafunc.parametrize(name, list(found.values()), ids=list(found))


def stop(request: pytest.FixtureRequest, words: str) -> None:
    """End the run: nothing that comes after would mean anything."""
    request.session.shouldfail = words
    pytest.fail(words, pytrace=False)


@pytest.fixture(scope="session")
def organization(request: pytest.FixtureRequest) -> Iterator[Organization]:
    """The organisation that is asked; the run ends when the contract gives no address."""
    own, words = lock_of(request.config), ""
    try:
        found = Organization.named(own["id"], request.config.getoption("--base"))
    except NotSetUp as error:
        words = str(error)
    if words:
        stop(request, words)
    with found.http:
        yield found


@pytest.fixture(scope="session")
def statement(request: pytest.FixtureRequest, organization: Organization) -> Resource:
    """Its capability statement; the run ends when there is none."""
    words, found = "", {}
    try:
        found = organization.document(f"{organization.base}/metadata", FHIR_JSON)
    except ContractError as error:
        words = f"{error.happened}: nothing of the contract can be tested there"
    if words:
        stop(request, words)
    if found.get("resourceType") not in ("CapabilityStatement", "Conformance"):
        stop(request, f"{organization.base}/metadata is no capability statement: is this the FHIR base URL?")
    return found


def release_of(statement: Resource) -> str:
    """The release of a statement, or its version where it is none that is known."""
    version = str(statement.get("fhirVersion") or "none")
    return RELEASES.get(".".join(version.split(".")[:2]), version)


def wrong_release(organization: Organization, statement: Resource) -> str | None:
    """What to say of a server of another release, or none."""
    wanted, found = organization.contract.get("fhir_release") or "R4", release_of(statement)
    if wanted == found:
        return None
    return f"the contract is of FHIR {wanted}, and {organization.base} of {found}: it is no server of this contract"


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, organization: Organization, statement: Resource) -> Organization:
    """The organisation, once its server is known to be of the contract's release."""
    words = wrong_release(organization, statement)
    if words and not request.config.getoption("--any-release"):
        stop(request, words)
    return organization


@pytest.fixture(scope="session")
def client(request: pytest.FixtureRequest, server: Organization) -> Client:
    """A client with a token; tests that need one are skipped without it, and ``test_token`` says why."""
    if variable := request.config.getoption("--token-variable"):
        value = os.environ.get(str(variable), "").strip()
        if not value:
            stop(request, f"{variable} is not set: it is to hold an access token")
        return Client(server, Token(value, encounter=request.config.getoption("--encounter")))
    if mode := request.config.getoption("--sign-in"):
        return Client(server, signed_in(request, server, mode))
    if not server.scopes("backend"):
        pytest.skip(f"{NO_KEY}no client of the contract has one at {server.id}: sign in with --sign-in")
    client = Client(server, server.backend_token)
    try:
        assert client.token
    except NotSetUp as error:
        pytest.skip(f"{NO_KEY}{error}")
    except (SignInRefused, Unavailable) as error:
        pytest.skip(f"no token: {error}")
    return client


def _tell(words: str) -> None:
    """On a line of its own: a run shows its dots before."""
    print(f"\n{words}", file=sys.stderr)  # noqa: T201


def signed_in(request: pytest.FixtureRequest, server: Organization, mode: str) -> Token:
    """The token of a person who signs in now; the run ends without it."""
    try:
        with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
            return sign_in(server, mode, request.config.getoption("--port"), tell=_tell)
    except ContractError as error:
        words = str(error)
    stop(request, words)
    raise AssertionError(words)


@pytest.fixture(scope="session")
def patient(request: pytest.FixtureRequest, client: Client) -> str:
    """The id of a test patient; the run ends when the server has none of this id."""
    given = request.config.getoption("--patient") or client.token.patient
    if not given:
        pytest.fail("give a test patient of this organisation: --patient ID", pytrace=False)
    words = ""
    if any(need["resource"] == "Patient" for need in client.organization.needs("input").values()):
        try:
            client.resource("Patient", str(given))
        except UnknownPatient as error:
            words = f"--patient {given}: {error.happened}"
        except ContractError:
            pass  # whether patients can be read is a test's own question
    if words:
        stop(request, words)
    return str(given)


@pytest.fixture(scope="session")
def sampled(client: Client) -> dict[tuple[str, str], list[Resource]]:
    """What was read already, by need and patient: each is asked for once."""
    return {}
