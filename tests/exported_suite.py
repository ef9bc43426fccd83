"""The suite that a contract is exported with, run from its own folder, for tests that look at what it says."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import httpx
import pytest

from interlock.contract.load import load_contract
from interlock.contract.resolve import resolve
from interlock.contract.skeletons import build
from interlock.contract.skeletons.suite import id_of_test
from interlock.fhir import capability, smart
from interlock.model.facts import Facts
from interlock.model.observation import Observation, Target
from interlock.model.organization import Organization
from interlock.sandbox.clients import Client
from interlock.sandbox.grants import Context
from interlock.sandbox.organizations import load_organizations
from interlock.sandbox.server import SandboxServer
from interlock.sandbox.store import fill

#: A patient of each simulated hospital.
PATIENTS = {
    "riverside": "rv-patient-1",
    "lakeshore": "lk-patient-1",
    "pinecrest": "pc-patient-1",
    "summerfield": "sf-gwen",
}
PAGES = ("auth-matrix.md", "failure-modes.md", "endpoints.md", "test-plan.md")
RELEASE = id_of_test("statement", "is_of_the_contracts_release")


#: Contracts of our own, of radiology and of a scribe, and hospitals that offer all of it, or half.
CONTRACTS = {path.stem: path for path in sorted((Path(__file__).parent / "contract" / "contracts").glob("*.yaml"))}
ORGS = {
    name: Organization.model_validate({"id": name, "name": name, "fhir_base_url": f"sandbox://{name}"})
    for name in ("pinecrest", "summerfield")
}


def observed(name: str) -> Observation:
    """What a simulated hospital's documents say of it."""
    base = f"https://{name}.example/fhir"
    shipped = next(one for one in load_organizations() if one.id == name)
    facts = Facts(
        capability=capability.parse(fill(shipped.metadata, base)),
        smart=smart.parse(fill(shipped.smart, base), base) if shipped.smart else None,
    )
    return Observation(
        target=Target(base_url=base, org=name),
        started=datetime(2026, 11, 30, tzinfo=UTC),
        elapsed_ms=1,
        outcome="observed",
        facts=facts,
    )


OBSERVATIONS = {name: observed(name) for name in ORGS}


def exported(name: str, folder: Path) -> Path:
    """The folder, with all that one of the contracts is exported as for these hospitals."""
    contract, _ = load_contract(CONTRACTS[name])
    orgs = tuple(ORGS.values())
    resolved = resolve(contract, orgs, OBSERVATIONS, product=name, description=None, made="2026-11-30")
    for path, text in build(resolved).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    return folder


def module_of(folder: Path) -> ModuleType:
    """The exported client as a module."""
    spec = importlib.util.spec_from_file_location("fhir_client", folder / "client" / "fhir_client.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fhir_client"] = module
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Run:
    """One run of the exported suite: its exit code, what it printed, and the outcome of each test by id."""

    code: int
    output: str
    outcomes: dict[str, str]

    def having(self, outcome: str) -> set[str]:
        return {name for name, found in self.outcomes.items() if found == outcome}


def run(folder: Path, org: str, base: str, *options: str, variables: dict[str, str] | None = None) -> Run:
    """As somebody runs it who has nothing but the folder: no plugin of ours, no variable of ours."""
    result = folder / f"{org}.xml"
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "HOME", "TMPDIR"}}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/", "--org", org, "--base", base, f"--junitxml={result}", *options],
        cwd=folder,
        env={**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "NO_PROXY": "*", **(variables or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    outcomes = {}
    for case in ET.parse(result).iter("testcase"):
        name = f"tests/{case.attrib['classname'].rpartition('.')[2]}.py::{case.attrib['name']}"
        told = {child.tag for child in case} & {"failure", "error", "skipped"}
        outcomes[name] = next(iter(told), "passed")
    return Run(ran.returncode, ran.stdout + ran.stderr, outcomes)


def registered(client: ModuleType, org: str, base: str) -> dict[str, str]:
    """The variables of a client that registered itself, as the README has it."""
    organization = client.Organization.named(org, base)
    with organization.http:
        variables: dict[str, str] = client.register(organization)
    return variables


def missing_at(folder: Path, org: str) -> set[str]:
    """The tests of what the fit says is missing at an organisation, as the lock has it."""
    lock = json.loads((folder / "contract.lock.json").read_text())
    names = re.findall(
        r'^    "((?:in|out)puts/\d+)": "(\w+)",$', (folder / "client" / "fhir_client.py").read_text(), re.M
    )
    own = next(one for one in lock["organizations"] if one["id"] == org)
    wanted = lock["contract"]["fhir_release"]
    found = {RELEASE} if own["server"]["fhir_release"] != wanted else set()
    for need in own["needs"]:
        for match in need["open"]:
            if match["outcome"] == "missing" and not match["optional"]:
                kind = {"search_parameter": "parameter"}.get(match["kind"], match["kind"])
                shown = match["name"].rpartition("/")[2] if kind == "profile" else match["name"]
                found.add(id_of_test("statement", "is_declared", dict(names)[need["key"]], kind, shown))
    for one in own["clients"]:
        mode = one["client"]["mode"]
        if one["path"]["state"] == "not_offered" and mode != "backend":
            found.add(id_of_test("token", "sign_in_is_offered", mode))
    return found


def signed_in(client: ModuleType, server: SandboxServer, org: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client that a person signed in to, for the test patient, from the chart where that is offered."""
    redirect = "http://127.0.0.1:9/callback"
    made = Client(id="chart", redirect_uris=(redirect,), launch_uris=("http://127.0.0.1:9/launch",))
    server.register(org, made)
    organization = client.Organization.named(org, server.base_url(org))
    monkeypatch.setenv(organization.variable("client_id"), "chart")
    if org in ("riverside", "summerfield"):
        context = Context(patient=PATIENTS[org])
        launch = parse_qs(urlsplit(server.launch(org, "chart", context=context)).query)
        begun = organization.authorize("ehr", redirect, launch["iss"][0], launch["launch"][0])
    else:  # without an EHR launch: the same scopes, and the patient is picked at the sign-in
        asked = f"launch/{organization.scopes('ehr').replace('launch ', 'patient ', 1)}"
        monkeypatch.setattr(organization, "scopes", lambda _: asked)
        begun = organization.authorize("standalone", redirect)
    answer = httpx.get(begun.url, trust_env=False)
    token = organization.redeem(begun, answer.headers["location"])
    assert token.patient == PATIENTS[org]
    return client.Client(organization, token)
