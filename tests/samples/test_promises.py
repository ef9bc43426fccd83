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
from interlock.cli.plan_lines import show_plan, show_what_if
from interlock.cli.summary import show_summary
from interlock.model import words
from interlock.plan.diff import burn_down
from interlock.tui.page import Page
from interlock.tui.plan_page import draw_dates, draw_first
from interlock.usecases.assess import assess
from interlock.usecases.initialize import initialize
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.plan import Changes, what_if
from interlock.usecases.report import write_report

from test_conclusions import adversarial  # isort: skip

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
    at = ["--workspace", str(workspace.root)]
    assert run(["plan", "--runs", "200", *at]) == 0
    assert run(["milestone", "save", "start", *at]) == 0
    assert run(["milestone", "burndown", *at]) == 0
    assert run(["plan", "--runs", "200", "--what-if", "us.umls", *at]) == 0
    assert run(["plan", "--runs", "200", "--days", "90", *at]) == 0
    assert run(["diff", "last", "now", *at]) == 0
    assert run(["next", *at]) == 0
    inputs = load_inputs(workspace)
    assessment = assess(inputs, today=TODAY, runs=200)
    show_summary(assessment)
    page = Page(100)
    draw_dates(page, assessment)
    draw_first(page, assessment.plan, {})
    shown = capsys.readouterr().out + page.content().plain
    assert not assessment.plan.ground.firm
    assert "its P80 is" not in shown
    assert not re.search(r"P[58]0 was|P[58]0, (target|four)|P[58]0 \d+ [A-Z]", shown), "a P80 on its own is a date"
    written = write_report(assessment, inputs, tmp_path / "out", ("md", "html"), sections=("summary", "first", "plan"))
    plan = json.loads(assessment.plan.model_dump_json())
    texts = [shown, *(path.read_text() for path in written), *sentences(plan)]
    assert [found.group() for text in texts for found in PROMISES.finditer(text)] == []
    if template == "blank":
        assert "There is no date yet: add the first organisation" in shown
        assert not assessment.plan.ground.dated
    else:
        assert "a range and not a date to promise" in " ".join(shown.split())


def test_a_hospital_that_nobody_looked_at_does_not_finish_before_itself_observed(
    inputs_of: Callable[[str], Inputs],
) -> None:
    """Riverside has work left; without its observation and its answers it has the same work, and unknowns."""
    seen = replace(inputs_of("sepsis"), today=TODAY)
    observations = {org: seen.observations[org] for org in seen.observations if org != "riverside"}
    unseen = replace(seen, observations=observations, by_org=seen.by_org | {"riverside": {}})
    known, unknown = (
        next(own for own in assess(inputs, today=TODAY, runs=300).plan.orgs if own.org == "riverside")
        for inputs in (seen, unseen)
    )
    assert known.finish.p80_days > 0 and unknown.if_no_gaps and unknown.if_all_gaps
    assert known.finish.p50_days < unknown.finish.p50_days and known.finish.p80_days < unknown.finish.p80_days
    assert unknown.if_no_gaps.p80_days <= unknown.finish.p80_days <= unknown.if_all_gaps.p80_days


def test_with_ground_the_two_dates_are_there(
    inputs_of: Callable[[str], Inputs], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The ready sample with its organisation observed, every answer the best and tested where production wants it."""
    ready = replace(inputs_of("ready"), today=TODAY)
    inputs = dict(adversarial(ready))["the same, and what production wants observed independently tested"]
    assessment = assess(inputs, today=TODAY, runs=300)
    plan = assessment.plan
    assert plan.ground.firm and not plan.ground.because and plan.left, "routine tasks are left, and nothing else lacks"
    p50, p80 = words.iso_day(plan.finish.p50_date), words.iso_day(plan.finish.p80_date)
    p90, means = words.iso_day(plan.finish.p90_date), words.GATE_MEANS[plan.target_gate]
    promise = (
        f"Northgate University Hospital past the {words.gate(plan.target_gate)} ({means}): half of the 300 simulated "
        f"runs are through by {p50} (P50), a target, four of five by {p80} (P80), and nine of ten by {p90} (P90)."
    )
    assert plan.ground.said[0].startswith(promise)
    assert plan.ground.said[0].endswith("Which date to commit to is your own decision.")
    show_plan(plan, tasks=False)
    show_summary(assessment)
    page = Page(100)
    draw_dates(page, assessment)
    written = write_report(assessment, inputs, tmp_path, ("md",), sections=("summary", "plan"))
    shown = " ".join(capsys.readouterr().out.split())
    drawn = " ".join(page.content().plain.split())
    report = written[0].read_text()
    assert promise in shown and promise in drawn and promise in report
    assert "P50, target P80, four of five runs P90" in shown and "P50, target" in report
    assert f"P50 {p50} P80 {p80}" in drawn
    for text in (shown, drawn, report):
        assert "range and not a date" not in text and "nearly certain" not in text
    changed = what_if(inputs, assessment, Changes(close=(plan.left[0].id,)), today=TODAY, runs=300)
    show_what_if(changed)
    said = " ".join(capsys.readouterr().out.split())
    assert "P80 was P80 is" in said and p80 in said and "Which date to commit to is your own decision." in said
    assert burn_down([("now", assessment)]).points[0].finish_told == f"P80 {p80}"
