"""Every routine task that ships is argued in docs/scheduling.md, with the same numbers, grade and date."""

import re
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.fast

ROOT = Path(__file__).parents[2]
TASKS = {
    task["id"]: task
    for path in sorted((ROOT / "rulesets").glob("**/tasks/*.yaml"))
    for task in yaml.safe_load(path.read_text(encoding="utf-8"))["tasks"]
}
LINES = {
    cells[0]: cells
    for line in (ROOT / "docs" / "scheduling.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and len(cells := [cell.strip() for cell in line.strip("| ").split("|")]) == 7
}


def numbers(estimate):
    if estimate is None:
        return "–"
    unit = " calendar" if estimate.get("unit") == "days" else ""
    return f"{estimate['low']:g} / {estimate['expected']:g} / {estimate['high']:g}{unit}"


@pytest.mark.parametrize("name", TASKS)
def test_a_line_says_what_the_task_says(name):
    task, line = TASKS[name], LINES[name]
    lead = task.get("lead_time")
    assert line[1:4] == [task["owner"], numbers(task.get("effort")), numbers(lead)]
    assert (
        line[4] == f"{lead['grade']} {lead['as_of']}" if lead else re.fullmatch(r"judgement 20\d\d-\d\d-\d\d", line[4])
    )
    assert len(line[6]) > 3


def test_no_line_is_about_a_task_that_is_gone():
    assert set(LINES) - {"task"} - {"---"} == set(TASKS)
