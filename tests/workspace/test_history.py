from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from interlock.model.errors import DocumentError, WorkspaceError
from interlock.model.observation import Observation, Target
from interlock.workspace import history
from interlock.workspace.store import Workspace

pytestmark = pytest.mark.fast


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "ws", {"interlock.yaml": b"name: Sample\nproduct: Sample\n"})


def observation(minutes: int, org: str | None = "st-mary") -> Observation:
    return Observation(
        target=Target(base_url="https://ehr.example.org/fhir", org=org),
        started=datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=minutes),
        elapsed_ms=1.5,
        outcome="not_observed",
    )


def test_the_latest_observation_is_found(workspace: Workspace) -> None:
    assert history.latest_observation(workspace, "st-mary") is None
    for minutes in (5, 1, 9):
        history.save_observation(workspace, observation(minutes))
    assert history.latest_observation(workspace, "st-mary") == observation(9)
    assert len(history.observation_files(workspace, "st-mary")) == 3


def test_an_observation_is_immutable(workspace: Workspace) -> None:
    history.save_observation(workspace, observation(1))
    with pytest.raises(WorkspaceError, match="saved already"):
        history.save_observation(workspace, observation(1))
    with pytest.raises(WorkspaceError, match="no workspace"):
        history.save_observation(workspace, observation(1, org=None))


def test_a_damaged_observation_is_named(workspace: Workspace) -> None:
    path = history.save_observation(workspace, observation(1))
    path.write_text('{"schema_version": "1"')
    with pytest.raises(DocumentError) as caught:
        history.latest_observation(workspace, "st-mary")
    assert str(path) in str(caught.value)


def test_a_body_is_stored_once_by_content(workspace: Workspace) -> None:
    digests = {history.save_body(workspace, b'{"resourceType": "CapabilityStatement"}') for _ in range(2)}
    files = list((workspace.root / "observations" / "bodies").iterdir())
    assert [path.name for path in files] == [f"{digest}.json.gz" for digest in digests]
    assert gzip.decompress(files[0].read_bytes()) == b'{"resourceType": "CapabilityStatement"}'


def test_an_unknown_milestone_names_the_known_ones(workspace: Workspace) -> None:
    with pytest.raises(WorkspaceError, match="no milestone 'x'") as caught:
        history.load_milestone(workspace, "x")
    assert caught.value.remedy == "milestones: none yet"
