"""A workspace without anything in it: its report says what to do first and gives no date of the plan."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from interlock.model.errors import InterlockError, WorkspaceError
from interlock.usecases import work
from interlock.usecases.assess import assess
from interlock.usecases.load import load_inputs
from interlock.usecases.report import write_report
from interlock.workspace.store import Workspace

DAY = date(2026, 11, 30)
SECTIONS = ("executive", "summary", "glance", "first", "plan", "tasks")


def test_it_says_what_to_do_first_and_gives_no_date(tmp_path: Path) -> None:
    (tmp_path / "interlock.yaml").write_text("name: Empty\nproduct: Empty\n")
    inputs = load_inputs(Workspace(tmp_path))
    assessment = assess(inputs, today=DAY, runs=100)
    formats = ("md", "xlsx")
    markdown, _ = write_report(assessment, inputs, tmp_path / "out", formats, sections=SECTIONS, made="2026-11-30")
    text = markdown.read_text()
    assert "There is no date yet" in text and "interlock org add" in text and re.search(r"\d+ questions answered", text)
    days = re.findall(r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Dec)\s20(?:2[6-9]|3\d)|Nov\s2027", text)
    assert "30 Nov 2026" in text and days == [], "its own day, and none after it"
    assert not assessment.plan.load and {task.starts for task in assessment.plan.tasks} == {None}
    with pytest.raises(InterlockError, match="no date to write: no organisation has been added"):
        work.calendar(assessment, now=datetime(2026, 11, 30, tzinfo=UTC))
    (tmp_path / "file").touch()
    with pytest.raises(WorkspaceError, match="a file stands where a folder is needed"):
        write_report(assessment, inputs, tmp_path / "file", ("md",), sections=("first",))
