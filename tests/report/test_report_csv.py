"""The report's tables as CSV: the workbook's rows, which no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from typing import Any

import assessment_factory as factory
import pytest

from interlock.model import words
from interlock.model.assessment import Assessment, GivenAnswer
from interlock.model.response import Response
from interlock.report import csv as tables

FORMULAS = ("=1+1", "+1", "-1", "@SUM", "\t=1", "\r=1")


def answered(assessment: Assessment, note: str) -> Assessment:
    response = Response.model_validate(
        {"status": "answered", "value": True, "note": note, "by": "Ada", "at": "2026-11-20T08:30:00+02:00"}
    )
    answer = GivenAnswer(item="auth.launch", scope="product", text="Is it so?", said="Yes", response=response)
    return assessment.but(answers=(answer,))


def rows(assessment: Assessment) -> dict[str, list[dict[str, Any]]]:
    made = tables.render(assessment, factory.observations())
    return {name: list(csv.DictReader(io.StringIO(text, newline=""))) for name, text in made.items()}


@pytest.fixture(scope="module")
def sample() -> dict[str, list[dict[str, Any]]]:
    return rows(answered(factory.sample(), "as the vendor says"))


def test_each_gap_task_and_answer_has_a_row(sample: dict[str, list[dict[str, Any]]]) -> None:
    assessment = factory.sample()
    assert len(sample["gaps"]) == sum(finding.outcome == "gap" for finding in assessment.findings) > 0
    assert [row["Task"] for row in sample["plan"]] and len(sample["plan"]) == len(assessment.plan.left)
    (answer,) = sample["answers"]
    assert (answer["Who answered"], answer["Note"]) == ("Ada", "as the vendor says")
    assert answer["Answered at (UTC)"] == "2026-11-20T06:30:00Z"


def test_a_task_has_its_p80(sample: dict[str, list[dict[str, Any]]]) -> None:
    latest = {task.id: task.latest or "" for task in factory.sample().plan.left}
    assert {row["Task"]: row["Finish, P80"] for row in sample["plan"]} == latest


def test_what_was_not_observed_is_not_called_missing(sample: dict[str, list[dict[str, Any]]]) -> None:
    unseen = {fit.org for fit in factory.sample().fit if not fit.observed}
    names = {org.name for org in factory.sample().organizations if org.id in unseen}
    told = {row["Its statement"] for row in sample["fit"] if row["Organisation"] in names}
    assert names and told == {words.FIT["not_observed"].title}
    assert len({tuple(row.values()) for row in sample["fit"]}) == len(sample["fit"])


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_begins_a_formula(formula: str) -> None:
    # An at sign in an address is a user's name, which no workspace takes.
    everywhere = factory.sample() if "@" in formula else factory.hostile(formula)
    attacked = rows(answered(everywhere, formula))
    for name, table in attacked.items():
        assert table, name
        for row in table:
            for cell in row.values():
                assert not cell.startswith(("=", "+", "@", "\t", "\r")), (name, cell)
                assert not cell.startswith("-") or float(cell) < 0, (name, cell)


def test_lines_end_as_the_standard_says() -> None:
    text = tables.render(factory.sample(), factory.observations())["gaps"]
    assert text.startswith("Rank,Id,Gap,") and text.endswith("\r\n")
