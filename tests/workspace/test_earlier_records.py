"""Records that an earlier version wrote are read as if this one had written them (docs/ids.md)."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

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
    _as_version_2(record["verdict"], record["standings"], provisional=False)
    path.write_text(json.dumps(record | {"schema_version": "1"}), encoding="utf-8")
    read = load_milestone(workspace, "1")
    assert read == load_milestone(workspace, "last")
    assert read.verdict.settled and read.verdict.value is assessment.verdict.value
    for own, then in zip(read.readiness, assessment.readiness, strict=True):
        assert (own.stage, own.verdict, own.latest_verdict) == (then.stage, then.verdict, then.verdict)
    same = {"verdict": assessment.verdict, "readiness": assessment.readiness}
    assert read.model_copy(update=same).model_dump_json() == assessment.model_dump_json()


def test_a_provisional_verdict_was_the_latest_that_was_possible(workspace: Workspace) -> None:
    path = save_milestone(workspace, "first", assess(load_inputs(workspace), today=date(2026, 12, 1), runs=100)).path
    record = json.loads(path.read_text("utf-8"))
    record["verdict"]["value"] = "map_auth"
    _as_version_2(record["verdict"], record["readiness"], provisional=True)
    path.write_text(json.dumps(record | {"schema_version": "2"}), encoding="utf-8")
    verdict = load_milestone(workspace, "1").verdict
    assert (verdict.value.value, verdict.latest.value) == ("product_first", "map_auth")


def _as_version_2(verdict: dict[str, Any], readiness: list[dict[str, Any]], *, provisional: bool) -> None:
    """Fields as version 2 wrote them."""
    for added in ("latest", "settled_by", "organizations"):
        del verdict[added]
    verdict |= {"provisional": provisional, "changes": []}
    for own in readiness:
        for added in ("latest_verdict", "recommendation", "because"):
            del own[added]
        own["verdict_provisional"] = provisional


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
