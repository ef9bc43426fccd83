"""Finished tasks of earlier work: what a table of them is refused for, and what of it is not used."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from interlock.model.errors import DocumentError
from interlock.usecases.history import own_past, read_history
from interlock.usecases.initialize import initialize
from interlock.usecases.load import Inputs, load_inputs
from interlock.workspace.store import Workspace

AHEAD = (date.today() + timedelta(days=9)).isoformat()
GOOD = "org.cab,2025-03-03,2025-03-14\norg.cab,2025-04-07,2025-04-11\norg.cab,2025-05-05,2025-05-30\n"
TWO = "org.training,2025-03-03,2025-03-14\norg.training,2025-04-07,2025-04-11\n"


OWN = """\
tasks:
  us.build: {status: done, begun: "2025-12-15", done: "2026-04-24", by: Ada}
  us.umls: {status: done, done: "2025-10-06", by: Ada}
  org.priority@riverside: {status: done, begun: "2025-09-08", done: "2025-12-05", by: Ada}
  org.uat@riverside: {status: done, begun: "2026-09-21", done: "2026-10-02", by: Ada}
  org.safer@riverside: {status: begun, begun: "2026-11-16", by: Ada}
"""


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    initialize(tmp_path / "ws", "sepsis")
    (tmp_path / "ws/tasks.yaml").write_text(OWN)
    return load_inputs(Workspace(tmp_path / "ws"))


def table(tmp_path: Path, rows: str, head: str = "task,begun,done") -> Path:
    path = tmp_path / "history.csv"
    path.write_text(f"{head}\n{rows}")
    return path


@pytest.mark.parametrize(
    ("rows", "line", "said"),
    [
        (GOOD + "org.cab,2025-06-06,2025-06-01\n", 5, "done on 1 Jun 2025, before it began on 6 Jun 2025"),
        (GOOD + "org.cab@riverside,2025-06-02,2025-06-06\norg.cab@riverside,2025-07-07,2025-07-11\n", 6, "began twice"),
        (GOOD + "org.cab,2025-03-03,2025-03-21\n", 5, "began on 3 Mar 2025 here, and on 3 Mar 2025 in line 2"),
        (f"org.cab,2025-03-03,{AHEAD}\n", 2, "the day done is .* in the future"),
        (f"org.cab,{AHEAD},{AHEAD}\n", 2, "the day begun is .* in the future"),
        ("org.cab,2025-03-03,\n", 2, "the day done is missing"),
        ("org.cab,30,60\n", 2, "the day begun is no day: '30'"),
        ("org.cab,2025-03-03,03/14/2025\n", 2, "the day done is no day"),
        ("\norg.cap,2025-03-03,2025-03-14\n", 3, "no routine task 'org.cap'.*did you mean 'org.cab'"),
        ("org.cab,2025-03-03\n", 2, "2 cells, and the head has 3"),
        ("org.priority@riverside,2025-03-03,2025-03-14\n", 2, "8 Sep 2025 to 5 Dec 2025 in tasks.yaml"),
        ('"org.cab,2025-03-03\n', 2, "not a table in CSV"),
        ("org.cab,2025-03-03,2025-03-14\x07\n", 2, r"U\+0007"),
    ],
)
def test_what_is_wrong_with_a_row_is_told_with_its_line(
    inputs: Inputs, tmp_path: Path, rows: str, line: int, said: str
) -> None:
    path = table(tmp_path, rows)
    with pytest.raises(DocumentError, match=said) as caught:
        read_history(path, inputs)
    where = caught.value.location
    assert where is not None and (where.file, where.line) == (str(path), line)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("task,hours,done", "the column 'hours' is not known.*is not read in any unit"),
        ("task,begun,done,days", "the column 'days' is not known"),
        ("task,begun", "the column 'done' is missing"),
        ("task,begun,begun,done", "two columns have the same name"),
    ],
)
def test_durations_in_other_units_are_refused(inputs: Inputs, tmp_path: Path, head: str, said: str) -> None:
    with pytest.raises(DocumentError, match=said):
        read_history(table(tmp_path, GOOD, head), inputs)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe\x00", b"PK\x03\x04"])
def test_another_kind_of_file_is_told(inputs: Inputs, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "history.csv"
    path.write_bytes(content)
    with pytest.raises(DocumentError):
        read_history(path, inputs)
    with pytest.raises(DocumentError, match="no such file"):
        read_history(tmp_path / "nothing.csv", inputs)


def test_two_of_a_kind_and_another_product_are_told_and_not_used(inputs: Inputs, tmp_path: Path) -> None:
    rows = "".join(f"{row},{inputs.settings.product.upper()}\n" for row in (GOOD + TWO).splitlines())
    path = table(tmp_path, rows + "org.training,2025-05-05,2025-05-09,Another product\n", "Task;Begun;Done;Product")
    path.write_text(path.read_text().replace(",", ";"))
    found = read_history(path, inputs)
    assert [task.kind for task in found.past] == ["org.cab"] * 3 + ["org.training"] * 2
    assert found.told == (
        f"{path}:7: 1 row of Another product, which is not {inputs.settings.product}: not used.",
        f"{path}:5: 2 finished tasks of the kind org.training, and it takes 3: not used, the estimate stays.",
    )


def test_what_the_workspace_has_finished_counts_too_and_once(inputs: Inputs, tmp_path: Path) -> None:
    own = {task.task for task in own_past(inputs)}
    assert own == {"us.build", "org.priority@riverside", "org.uat@riverside"}, (
        "others are not done, or began nobody knows when"
    )
    rows = (
        "org.priority@riverside,2025-09-08,2025-12-05\norg.uat@a,2025-03-03,2025-03-14\norg.uat,2025-04-07,2025-04-11\n"
    )
    found = read_history(table(tmp_path, rows), inputs)
    assert [task.task for task in found.past] == ["org.uat@a", "org.uat"]
    assert not found.told, "with Riverside's acceptance there are three"


def test_plan_from_history_shows_where_the_numbers_come_from(tmp_path: Path, capsys) -> None:
    from interlock.cli.main import run

    initialize(tmp_path / "ws", "early")
    arguments = ["plan", "--runs", "200", "--format", "json", "-w", str(tmp_path / "ws")]
    long = [("2024-01-01", last) for last in ("2024-12-27", "2025-01-31", "2025-02-28")]
    rows = "".join(f"org.priority@{number},{first},{last}\n" for number, (first, last) in enumerate(long))
    path = table(tmp_path, rows + TWO)
    plans = []
    for more in ([], ["--from-history", str(path)]):
        assert run([*arguments, *more]) == 0
        plans.append(capsys.readouterr())
    before, after = (json.loads(plan.out) for plan in plans)
    assert "org.training, and it takes 3" in plans[1].err
    [task] = [task for task in after["tasks"] if task["id"] == "org.priority@riverside"]
    assert (task["lead_time"]["source"], task["lead_time"]["grade"]) == ("own history, n = 3", "history")
    assert (task["lead_time"]["low"], task["lead_time"]["expected"], task["lead_time"]["high"]) == (260, 285, 305)
    shares = [sum(part["share"] for part in plan["spread"] if part["grade"] == "judgement") for plan in (before, after)]
    assert shares[1] < shares[0] == pytest.approx(1, abs=0.01)
    assert run([*arguments, "--what-if", "org.priority", "--from-history", str(path)]) == 0
