"""Which milestone a word stands for, and which ones came before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlock.usecases import milestone
from interlock.workspace.history import find_milestone, milestones
from interlock.workspace.store import Workspace

pytestmark = pytest.mark.fast


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Five milestones: two have one name, and one is called by another's number. Each reads as its file's name."""
    names = ("1-draft", "2-pilot", "3-review", "4-pilot", "5-2")
    made = Workspace.create(
        tmp_path / "w",
        {"interlock.yaml": b"name: N\nproduct: P\n", **{f"milestones/{name}.json": b"{}" for name in names}},
    )
    monkeypatch.setattr(milestone, "load_assessment", lambda path, workspace=None: path.stem)
    return made


@pytest.mark.parametrize(
    ("reference", "found", "earlier"),
    [
        ("2", "2-pilot", ["1-draft"]),
        ("3", "3-review", ["1-draft", "2-pilot"]),
        ("review", "3-review", ["1-draft", "2-pilot"]),
        ("3-review", "3-review", ["1-draft", "2-pilot"]),
        ("pilot", "4-pilot", ["1-draft", "2-pilot", "3-review"]),
        ("last", "5-2", ["1-draft", "2-pilot", "3-review", "4-pilot"]),
        ("now", None, ["1-draft", "2-pilot", "3-review", "4-pilot", "5-2"]),
        ("nobody", None, []),
    ],
)
def test_what_a_reference_stands_for_and_what_came_before(
    workspace: Workspace, reference: str, found: str | None, earlier: list[str]
) -> None:
    one = find_milestone(milestones(workspace), reference)
    assert (one.path.stem if one else None) == found
    assert list(milestone.earlier_milestones(workspace, reference)) == earlier
