"""``probe --sample``, ``probe --fail-on-drift`` and ``diff`` of observations, as a user calls them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from interlock.model.drift import Drift
from interlock.sandbox.client import CLIENT_ID, CLIENT_SECRET
from interlock.sandbox.ledger import Ledger

SECRET_NAMES = {"SENTINEL_RIVERSIDE_CLIENT_ID": CLIENT_ID, "RIVERSIDE_SECRET": CLIENT_SECRET}


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own keyring is not asked, where its package is installed."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


@pytest.fixture
def workspace(command: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "ws"
    assert command("init", folder, "--template", "sepsis").code == 0
    path = folder / "orgs" / "riverside.yaml"
    path.write_text(
        path.read_text().replace("private_key_env: SENTINEL_RIVERSIDE_KEY", "client_secret_env: RIVERSIDE_SECRET")
    )
    return folder


def move(workspace: Path, faults: str) -> None:
    path = workspace / "orgs" / "riverside.yaml"
    path.write_text(path.read_text().replace("sandbox://riverside", f"sandbox://riverside+{faults}"))


def test_a_sample_needs_what_the_organisation_names(command: Any, workspace: Path) -> None:
    path = workspace / "orgs" / "riverside.yaml"
    path.write_text(path.read_text().replace("sandbox://riverside", "https://ehr.example/fhir"))
    result = command("probe", "--org", "riverside", "--sample", "-w", workspace)
    assert result.code == 2
    assert "RIVERSIDE_SECRET" in result.err
    assert "Riverside Regional Medical Center (riverside)" in result.err
    assert command("probe", "sandbox://riverside", "--sample").code == 2
    assert command("probe", "sandbox://riverside", "--fail-on-drift").code == 2


def test_a_sample_is_shown_and_its_secrets_are_in_no_file(
    command: Any, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SECRET_NAMES.items():
        monkeypatch.setenv(name, value)
    issued: list[str] = []
    add_token = Ledger.add_token

    def noted(self: Ledger, *arguments: Any) -> str:
        issued.append(add_token(self, *arguments))
        return issued[-1]

    monkeypatch.setattr(Ledger, "add_token", noted)
    result = command("probe", "--org", "riverside", "--sample", "--active", "-w", workspace)
    assert result.code == 0
    assert "Token issued (client_secret_basic)" in result.out
    assert re.search(r"loinc\.org \d\d", result.out)
    lines = command("probe", "--all", "--sample", "-f", "ndjson", "-w", workspace)
    assert "Probed without credentials: Pinecrest Community Hospital (pinecrest) names no credentials" in lines.err
    assert len(lines.out.splitlines()) == 4
    kept = [path.read_bytes().decode("utf-8", "replace") for path in workspace.rglob("*") if path.is_file()]
    everything = "".join([*kept, result.out, result.err, lines.out, lines.err])
    assert len(issued) == 2
    # The client's id is the sandbox's own and public; it is no secret here.
    assert [secret for secret in (CLIENT_SECRET, *issued) if secret in everything] == []


def test_what_changed_is_said_after_a_probe_and_can_fail_it(command: Any, workspace: Path) -> None:
    first = command("probe", "--org", "riverside", "--fail-on-drift", "-w", workspace)
    assert (first.code, " since " in first.out) == (0, False)
    assert command("probe", "--org", "riverside", "--fail-on-drift", "-w", workspace).code == 0
    move(workspace, "no-smart")
    result = command("probe", "--org", "riverside", "--fail-on-drift", "-w", workspace)
    assert result.code == 1
    assert "of what the contract uses" in result.out
    assert "breaks contract: launch mode backend is gone" in result.out
    assert "SMART configuration is gone" in result.err
    again = command("probe", "--org", "riverside", "-f", "json", "-w", workspace)
    assert again.code == 0
    assert json.loads(again.out)["target"]["org"] == "riverside"


def test_observations_are_compared_by_organisation_and_by_file(command: Any, workspace: Path) -> None:
    assert command("diff", "--org", "riverside", "-w", workspace).code == 2
    command("probe", "--org", "riverside", "-w", workspace)
    move(workspace, "no-smart")
    command("probe", "--org", "riverside", "-w", workspace)
    table = command("diff", "--org", "riverside", "-w", workspace)
    assert table.code == 0
    assert "breaks contract" in table.out
    drift = Drift.model_validate_json(command("diff", "--org", "riverside", "-f", "json", "-w", workspace).out)
    assert drift.concerns_contract
    files = sorted((workspace / "observations" / "riverside").glob("*.json"))
    by_file = Drift.model_validate_json(command("diff", *files, "-f", "json").out)
    assert by_file == drift
    assert command("diff", files[0], "last", "-w", workspace).code == 2
    assert command("diff", "-w", workspace).code == 2
    assert command("config", "schema", "drift").json()["title"] == "Drift"


def test_simulated_organisations_are_sampled_with_the_sandboxs_own_client(command: Any, tmp_path: Path) -> None:
    folder = tmp_path / "fresh"
    assert command("init", folder, "--template", "sepsis").code == 0
    result = command("probe", "--org", "riverside", "--sample", "-w", folder)
    assert result.code == 0
    assert "Token issued (private_key_jwt)" in result.out
