"""What an active probe with a sample says of the four simulated hospitals: what was meant, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from credential_cases import organization

from interlock.contract.load import load_contract
from interlock.model.observation import Observation, Target
from interlock.probe.transport.credentials import resolve
from interlock.probe.transport.settings import ProbeSettings, SamplePlan
from interlock.sandbox.client import CLIENT_ID, CLIENT_SECRET
from interlock.sandbox.server import SandboxServer
from typed_targets import probe_sync

pytestmark = pytest.mark.fast

CONTRACT = load_contract(Path(__file__).parents[2] / "samples/templates/sepsis/contract.yaml")[0]
#: Hospital → everything that is found wrong with it, or worth a word.
MEANT = {
    "harborview": {},
    # A hospital of launches without a backend service, whose documents name editions and scopes carelessly.
    "lakeshore": {
        "CAP-017": "warn",
        "SMART-013": "warn",
        "SMART-020": "warn",
        "USC-002": "warn",
    },
    # SMART 1.0 on STU3, and a statement that nobody looks after.
    "pinecrest": {"CAP-019": "warn", "SMART-001": "fail", "SMART-016": "warn"},
    # As good as hospitals are: it leaves out what most leave out of US Core, and has one error in its records.
    "riverside": {"DATA-005": "warn", "DATA-006": "warn", "USC-002": "fail"},
}


@pytest.fixture(scope="module")
def seen() -> Iterator[dict[str, Observation]]:
    own = organization(client_id_env="ID", client_secret_env="SECRET")
    credentials = resolve(own, {"ID": CLIENT_ID, "SECRET": CLIENT_SECRET}.get, None)
    with SandboxServer() as server:
        targets = [Target(base_url=server.base_url(name), org=name) for name in MEANT]
        plan = SamplePlan(credentials, CONTRACT.inputs)
        settings = ProbeSettings(active=True, samples=dict.fromkeys(MEANT, plan))
        yield {str(each.target.org): each for each in probe_sync(targets, settings)}


@pytest.mark.parametrize("name", MEANT)
def test_a_hospital_is_found_to_be_what_it_was_meant_to_be(seen: dict[str, Observation], name: str) -> None:
    found = {check.id: check.outcome.value for check in seen[name].checks}
    if name != "pinecrest":
        del found["CAP-019"]  # every statement grows old
    assert {key: value for key, value in found.items() if value in ("fail", "warn", "error")} == MEANT[name]


def test_a_hospital_without_backend_services_is_not_asked_about_credentials(seen: dict[str, Observation]) -> None:
    (check,) = [check for check in seen["lakeshore"].checks if check.id == "DATA-001"]
    assert check.outcome == "not_applicable"
    assert "gives no tokens to backend clients" in check.message


def test_a_hospital_whose_answers_fit_on_a_page_is_not_asked_about_pages(seen: dict[str, Observation]) -> None:
    (check,) = [check for check in seen["riverside"].checks if check.id == "DATA-009"]
    assert (check.outcome, "stood on one page" in check.message) == ("not_applicable", True)


def test_where_nobody_listens_nothing_is_found(seen: dict[str, Observation]) -> None:
    assert seen["harborview"].outcome == "not_observed"
    assert "refuses connections" in (seen["harborview"].reason_not_observed() or "")
