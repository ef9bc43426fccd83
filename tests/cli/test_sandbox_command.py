"""``interlock sandbox``: what is played, at which address, and what goes together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.fast


@pytest.fixture
def workspace(command: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "ws"
    assert command("init", folder).code == 0
    for org in ("riverside", "harborview"):
        assert command("org", "add", org, "--url", f"sandbox://{org}", "-w", folder).code == 0
    return folder


def play(command: Any, workspace: Path, org: str) -> Any:
    return command("sandbox", "--from-observation", org, "-w", workspace, "--seconds", "0.1")


def test_an_organisation_is_played_as_it_was_last_observed(command: Any, workspace: Path) -> None:
    never = play(command, workspace, "riverside")
    assert never.code == 2
    assert "riverside was never probed" in never.err
    assert command("probe", "--all", "-w", workspace).code == 0
    played = play(command, workspace, "riverside")
    assert played.code == 0, played.err
    name, url = played.out.split()
    assert name == "riverside"
    assert url.startswith("http://127.0.0.1:")
    assert "riverside: Played as it was observed on" in played.err
    assert "its signing keys" in played.err


def test_an_organisation_that_cannot_be_played_is_said(command: Any, workspace: Path) -> None:
    assert command("probe", "--org", "harborview", "-w", workspace).code == 3
    silent = play(command, workspace, "harborview")
    assert silent.code == 2
    assert "its latest observation has no capability statement" in silent.err
    assert "probe it again" in silent.err
    unknown = play(command, workspace, "riversid")
    assert (unknown.code, "no organisation 'riversid'" in unknown.err) == (2, True)


def test_a_fault_is_an_applications(command: Any) -> None:
    alone = command("sandbox", "--fault", "slow", "--seconds", "0.1")
    assert (alone.code, "is for an application" in alone.err) == (2, True)
    callback = ("--redirect", "http://127.0.0.1:9/callback", "--seconds", "0.1")
    wrong = command("sandbox", *callback, "--fault", "slwo")
    assert (wrong.code, "did you mean slow?" in wrong.err) == (2, True)
    assert command("sandbox", *callback, "--fault", "slow", "--apart", "ports").code == 0


def test_a_tape_is_a_new_file(command: Any, tmp_path: Path) -> None:
    tape = tmp_path / "tape.ndjson"
    assert command("sandbox", "--tape", tape, "--seconds", "0.1").code == 0
    assert [json.loads(line) for line in tape.read_text().splitlines()] == []
    again = command("sandbox", "--tape", tape, "--seconds", "0.1")
    assert (again.code, "exists already" in again.err) == (2, True)
