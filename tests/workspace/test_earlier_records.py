"""Records that an earlier version wrote are read as if this one had written them (docs/ids.md)."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from interlock.model.base import CheckOutcome, Severity
from interlock.model.observation import Check, Observation, Target
from interlock.usecases.assess import assess
from interlock.usecases.initialize import initialize
from interlock.usecases.load import load_inputs
from interlock.workspace.history import latest_observation, load_milestone, save_milestone, save_observation
from interlock.workspace.store import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return initialize(tmp_path / "ws", "early")


def test_a_milestone_with_standings_and_standing_tasks(workspace: Workspace) -> None:
    assessment = assess(load_inputs(workspace), today=date(2026, 12, 1), runs=100)
    path = save_milestone(workspace, "first", assessment).path
    record = json.loads(path.read_text("utf-8"))
    assert any(task["kind"] == "routine" for task in record["plan"]["tasks"])
    for task in record["plan"]["tasks"]:
        task["kind"] = task["kind"].replace("routine", "standing")
    record["standings"] = record.pop("readiness")
    path.write_text(json.dumps(record | {"schema_version": "1"}), encoding="utf-8")
    assert load_milestone(workspace, "1") == load_milestone(workspace, "last")
    assert load_milestone(workspace, "1").model_dump_json() == assessment.model_dump_json()


def test_an_observation_whose_safe_negatives_are_called_auth(workspace: Workspace) -> None:
    check = Check(id="NEG-004", title="t", outcome=CheckOutcome.PASS, severity=Severity.HIGH, message="m")
    observation = Observation(
        target=Target(base_url="https://ehr.example/fhir", org="riverside"),
        started=datetime(2026, 11, 1, tzinfo=UTC),
        elapsed_ms=5.0,
        outcome="observed",
        checks=(check,),
    )
    path = save_observation(workspace, observation)
    path.write_text(path.read_text("utf-8").replace("NEG-004", "AUTH-004"), encoding="utf-8")
    earlier = latest_observation(workspace, "riverside")
    assert earlier is not None and [kept.id for kept in earlier.checks] == ["NEG-004"]
