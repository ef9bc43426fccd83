"""``interlock task``: routine tasks listed, begun, done, taken back and given to somebody."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from interlock.usecases.initialize import initialize
from interlock.workspace.store import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    initialize(tmp_path / "ws", "sepsis")
    (tmp_path / "ws/tasks.yaml").unlink(missing_ok=True)
    return tmp_path / "ws"


@pytest.fixture
def task(command, workspace: Path):
    return lambda name, *arguments: command("task", name, *arguments, "-w", workspace)


def test_a_task_begins_is_done_and_is_taken_back(task, workspace: Path) -> None:
    begun = task("begin", "us.build", "--on", "2026-01-12", "--by", "Ada", "--owner", "Bo", "--due", "2026-04-30")
    assert begun.code == 0 and "us.build: begun on 12 Jan 2026, by Ada, owned by Bo, due 30 Apr 2026." in begun.err
    done = task("done", "us.build", "--on", "2026-04-24", "--by", "Cy", "--note", "late", "--title", "Release 3")
    assert done.code == 0 and "done on 24 Apr 2026, by Cy" in done.err and "(it was begun on 12 Jan" in done.err
    saved = Workspace(workspace).tasks()["us.build"]
    assert (saved.begun, saved.done, saved.owner, saved.note) == ("2026-01-12", "2026-04-24", "Bo", "late")
    assert [record.title for record in saved.documents] == ["Release 3"]
    assert "begun on 12 Jan 2026" in task("reopen", "us.build").err
    assert "not begun, owned by Bo" in task("reopen", "us.build").err
    assert task("reopen", "us.build").code == 2


def test_a_general_id_stands_for_all_of_its_kind(task, workspace: Path) -> None:
    assert task("done", "org.priority@riverside", "--on", "2026-01-12", "--by", "Ada").code == 0
    everywhere = task("done", "org.priority", "us.umls", "--by", "Bo")
    assert everywhere.code == 0 and "riverside" not in everywhere.err
    by = {name: status.by for name, status in Workspace(workspace).tasks().items()}
    assert by == {
        "org.priority@riverside": "Ada", "us.umls": "Bo",
        **{f"org.priority@{org}": "Bo" for org in ("harborview", "lakeshore", "pinecrest")},
    }  # fmt: skip


def test_the_list_says_who_and_since_when(task) -> None:
    task("begin", "us.build", "--on", "2026-01-12", "--by", "Ada", "--owner", "Bo Kim", "--due", "2026-02-01")
    shown = task("list")
    assert "1 begun and 0 done" in shown.err and "◐ begun" in shown.out and "1 Feb 2026 overdue" in shown.out
    found = json.loads(task("list", "--format", "json", "--owner", "bo k").out)
    assert [entry["id"] for entry in found["tasks"]] == ["us.build"] and found["schema_version"] == "1"
    own = json.loads(task("list", "--org", "riverside", "--format", "json").out)["tasks"]
    assert {entry["org"] for entry in own} == {None, "riverside"}
    assert not any("oracle" in entry["id"] or "lakeshore" in entry["id"] for entry in own)
    assert {
        entry["owner"] for entry in json.loads(task("list", "--owner", "org", "--format", "json").out)["tasks"]
    } == {"org"}


@pytest.mark.parametrize(
    ("arguments", "said", "do"),
    [
        (("begin", "us.buld"), "no routine task 'us.buld'", "did you mean us.build"),
        (("begin", "org.priority@nowhere"), "no routine task 'org.priority@nowhere'", "did you mean org.priority"),
        (("done", "org.licence@riverside"), "no routine task", "the vendor's own stands for it: epic.subscription"),
        (("done", "us.build", "--on", "2026-01-01"), "before it began on 12 Jan 2026", "give days that fit"),
        (("begin", "us.build"), "begun on 12 Jan 2026, by Ada already", "task reopen us.build"),
        (("done", "us.umls"), "done on 9 Jan 2026, by Ada already", "task reopen us.umls"),
        (("done", "us.build", "--begun", "2026-01-13"), "began on 12 Jan 2026 already, not on", "task reopen"),
        (("done", "us.build", "--by", " "), "nobody says so", "give --by NAME"),
        (("begin", "us.pentest", "--on", "tomorrow"), "is no day", "YYYY-MM-DD"),
        (("begin", "us.pentest", "--on", (date.today() + timedelta(9)).isoformat()), "in the future", "--due"),
        (("begin", "us.pentest", "--due", "soon"), "the due date is no day", "YYYY-MM-DD"),
        (("begin", "us.pentest", "--owner", "a\nb"), "the name", "on one line"),
        (("reopen", "us.pentest"), "is not begun", ""),
        (("assign", "us.pentest"), "nothing is said", "--owner NAME"),
    ],
)
def test_what_cannot_be_said_changes_nothing(task, workspace: Path, arguments, said: str, do: str) -> None:
    task("begin", "us.build", "--on", "2026-01-12", "--by", "Ada")
    task("done", "us.umls", "--on", "2026-01-09", "--by", "Ada")
    before = (workspace / "tasks.yaml").read_bytes()
    got = task(*arguments)
    assert got.code == 2 and said in got.err and do in got.err
    assert (workspace / "tasks.yaml").read_bytes() == before


def test_what_no_task_or_hazard_is_called_is_told_by_the_list_and_the_lint(task, command, workspace: Path) -> None:
    (workspace / "tasks.yaml").write_text("tasks:\n  us.buld: {status: done, done: '2026-01-09', by: Ada}\n")
    assert "us.buld" in task("list").err
    figures = "hazards:\n  HZ-99: {severity: 3, by: Ada, date: '2026-01-09'}\n"
    (workspace / "hazards.yaml").write_text(figures)
    linted = command("lint", workspace)
    (workspace / "hazards.yaml").unlink()
    assert linted.code == 1 and "tasks.yaml:2" in linted.out + linted.err
    assert "hazards.yaml:2" in linted.out + linted.err and "there is no hazard HZ-99" in linted.out + linted.err
    assert "did you mean us.build" in linted.out + linted.err


def test_an_answer_leaves_routine_tasks_as_they_were(task, command, workspace: Path) -> None:
    def routine() -> list[tuple[str, float]]:
        plan = json.loads(command("plan", "--runs", "100", "--format", "json", "-w", workspace).out)
        return [
            (entry["id"], round(entry["finish_p50"] - entry["start_p50"]) > 0)
            for entry in sorted(plan["tasks"], key=lambda entry: entry["id"])
            if entry["id"] in listed and entry["org"] == "lakeshore"
        ]

    listed = task("list", "--format", "json").out
    planned = routine()
    assert len(planned) > 15
    assert command("answer", "org.client_registered", "production", "--org", "lakeshore", "-w", workspace).code == 0
    assert task("list", "--format", "json").out == listed
    assert routine() == planned
