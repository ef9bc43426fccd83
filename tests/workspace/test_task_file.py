"""How far routine tasks have come: what tasks.yaml takes and refuses, and two who write it at once."""

from __future__ import annotations

import multiprocessing
from datetime import date, timedelta
from pathlib import Path

import pytest

from interlock.model.errors import DocumentError, WorkspaceError
from interlock.model.routine import TaskStatus
from interlock.workspace.routine import TaskChange
from interlock.workspace.store import Workspace

SETTINGS = b"name: Sample\nproduct: Sample product\n"
BEGUN = TaskStatus.model_validate({"status": "begun", "begun": "2026-01-12", "by": "Ada"})
DONE = TaskStatus.model_validate({"status": "done", "begun": "2026-01-12", "done": "2026-03-27", "by": "Ada"})
AHEAD = (date.today() + timedelta(days=3)).isoformat()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "ws", {"interlock.yaml": SETTINGS})


def written(workspace: Workspace, text: str) -> Path:
    path = workspace.root / "tasks.yaml"
    path.write_text(text)
    return path


def test_what_is_saved_is_read_again_whole(workspace: Workspace) -> None:
    whole = TaskStatus.model_validate(
        {
            "status": "done",
            "begun": "2026-01-12",
            "done": "2026-03-27",
            "by": "Ada <ada@example.org>",
            "owner": "Bo",
            "due": "2026-04-01",
            "note": "by hand",
            "documents": [{"kind": "ticket", "title": "The minutes", "date": "2026-03-27"}],
        }
    )
    changes = {"us.build": whole, "org.priority@riverside": BEGUN, "epic.register@vendor:epic": DONE}
    workspace.save_tasks([TaskChange(task, status, None) for task, status in changes.items()])
    assert workspace.tasks() == workspace.read().tasks == changes
    workspace.save_tasks([TaskChange("us.build", None, whole)])
    assert list(workspace.tasks()) == ["org.priority@riverside", "epic.register@vendor:epic"]


def test_comments_and_other_tasks_survive_a_save(workspace: Workspace) -> None:
    path = written(
        workspace,
        "# ours\ntasks:\n  # the long one\n  us.build:\n    status: begun\n    begun: '2026-01-12'  # a Monday\n"
        "    by: Ada\n    note: half\n  us.umls: {status: done, done: '2026-01-12', by: Bo}\n",
    )
    before = workspace.tasks()["us.build"]
    workspace.save_tasks([TaskChange("us.build", DONE, before)])
    text = path.read_text()
    assert "# ours" in text and "# the long one" in text and "# a Monday" in text and "half" not in text
    assert workspace.tasks()["us.build"] == DONE and workspace.tasks()["us.umls"].by == "Bo"


@pytest.mark.parametrize(
    ("entry", "line", "said"),
    [
        ("status: done\n    done: '2026-01-11'\n    begun: '2026-01-12'\n    by: Ada", 2, "before it began on 12 Jan"),
        ("status: done\n    done: '2026-01-11'", 2, "done says by whom"),
        ("status: done\n    done: '2026-01-11'\n    by: ' '", 5, "is blank"),
        ("status: done\n    by: Ada", 2, "has the day on which it was done"),
        ("status: begun\n    by: Ada", 2, "has the day on which it began"),
        ("status: not_begun\n    begun: '2026-01-11'", 2, "a task that is not begun has neither a day begun"),
        ("status: begun\n    begun: '2026-01-11'\n    begun: '2026-01-12'\n    by: Ada", 5, "'begun' appears twice"),
        (f"status: begun\n    begun: '{AHEAD}'\n    by: Ada", 4, "in the future"),
        (f"status: done\n    done: '{AHEAD}'\n    by: Ada", 4, "in the future"),
        ("status: begun\n    begun: last week\n    by: Ada", 4, "begun"),
        ("status: finished", 3, "status"),
        ("status: not_begun\n    whose: Ada", 4, "unknown key"),
        (f"status: not_begun\n    documents: [{{title: x, date: '{AHEAD}'}}]", 4, "in the future"),
    ],
)
def test_what_is_wrong_with_a_task_is_told_with_its_line(
    workspace: Workspace, entry: str, line: int, said: str
) -> None:
    written(workspace, f"tasks:\n  us.build:\n    {entry}\n")
    with pytest.raises(DocumentError, match=said) as caught:
        workspace.read()
    assert "TaskStatus" not in str(caught.value), "no class of ours is a word for people"
    where = caught.value.location
    assert where is not None and where.file is not None and where.file.endswith("tasks.yaml")
    assert where.line is not None and abs(where.line - line) <= 1


@pytest.mark.parametrize("text", ["- us.build\n", "tasks: [us.build]\n", "work: {}\n", "tasks: {us.build: done}\n"])
def test_another_shape_is_told(workspace: Workspace, text: str) -> None:
    written(workspace, text)
    with pytest.raises(DocumentError):
        workspace.tasks()


def test_what_somebody_else_wrote_meanwhile_is_told_and_stays(workspace: Workspace) -> None:
    workspace.save_tasks([TaskChange("us.build", BEGUN.but(by="Bo"), None)])
    with pytest.raises(WorkspaceError, match=r"somebody else changed us\.build meanwhile: begun.*by Bo") as caught:
        workspace.save_tasks([TaskChange("us.umls", DONE, None), TaskChange("us.build", DONE, None)])
    assert caught.value.location is not None and caught.value.location.line == 2
    assert workspace.tasks() == {"us.build": BEGUN.but(by="Bo")}, "nothing of the refused save went in"
    workspace.save_tasks([TaskChange("us.build", BEGUN.but(by="Bo"), None)])  # both say the same
    workspace.save_tasks([TaskChange("us.build", None, BEGUN.but(by="Bo"))])
    with pytest.raises(WorkspaceError, match="no longer in the file"):
        workspace.save_tasks([TaskChange("us.build", DONE, BEGUN.but(by="Bo"))])


def _save_many(root: Path, who: str) -> None:
    for number in range(15):
        Workspace(root).save_tasks([TaskChange(f"us.{who}{number}", BEGUN, None)])


def test_two_who_write_different_tasks_lose_nothing(workspace: Workspace) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_save_many, args=(workspace.root, who)) for who in ("a", "b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert len(workspace.tasks()) == 30
