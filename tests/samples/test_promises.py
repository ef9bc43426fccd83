"""No sample without ground promises a date, in any form that leaves the house; one with ground gives two dates."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from interlock.cli.main import run
from interlock.cli.summary import show_summary
from interlock.model.base import VerdictValue
from interlock.plan.ground import ground
from interlock.usecases.assess import assess
from interlock.usecases.initialize import initialize
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.report import write_report

PROMISES = re.compile(
    r"\bcommit(ment|s|ted)?\b(?! to (memory|git))|nearly certain|P80 date|Nothing is open", re.IGNORECASE
)
TODAY = date(2026, 11, 30)


def sentences(value: object) -> Iterator[str]:
    """Every text of a JSON document that is a sentence and no name."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from sentences(each)
    elif isinstance(value, list):
        for each in value:
            yield from sentences(each)


@pytest.mark.parametrize("template", ["sepsis", "ready", "outside-ehr", "early", "blank"])
def test_without_ground_nothing_promises_a_date(
    template: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = initialize(tmp_path / template, template)
    assert run(["plan", "--runs", "200", "--workspace", str(workspace.root)]) == 0
    inputs = load_inputs(workspace)
    assessment = assess(inputs, today=TODAY, runs=200)
    show_summary(assessment)
    shown = capsys.readouterr().out
    assert not assessment.plan.ground.firm
    written = write_report(assessment, inputs, tmp_path / "out", ("md", "html"), sections=("summary", "first", "plan"))
    plan = json.loads(assessment.plan.model_dump_json())
    texts = [shown, *(path.read_text() for path in written), *sentences(plan)]
    assert [found.group() for text in texts for found in PROMISES.finditer(text)] == []
    if template == "blank":
        assert "There is no date yet: add the first organisation" in shown
        assert not assessment.plan.ground.dated
    else:
        assert "a range and not a date to promise" in " ".join(shown.split())


def test_with_ground_the_two_dates_are_there(inputs_of: Callable[[str], Inputs], tmp_path: Path) -> None:
    inputs = replace(inputs_of("ready"), today=TODAY)
    assessment = assess(inputs, today=TODAY, runs=200)
    verdict = assessment.verdict.model_copy(update={"value": VerdictValue.INTEGRATE, "latest": VerdictValue.INTEGRATE})
    readiness = tuple(own.model_copy(update={"observed": "observed"}) for own in assessment.readiness)
    said = ground(assessment.plan, verdict, readiness, assessment.organizations)
    assert said.firm
    firm = assessment.model_copy(
        update={"verdict": verdict, "readiness": readiness, "plan": assessment.plan.model_copy(update={"ground": said})}
    )
    (written,) = write_report(firm, inputs, tmp_path, ("md",), sections=("plan",))
    text = written.read_text()
    assert "P50, target" in text and "P80, four of five runs" in text and "your own decision" in text
