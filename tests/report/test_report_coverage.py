"""What a report rests on stands before what it concludes, once: answers, observations, and whose rules judge."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import assessment_factory as factory
import pytest

from interlock.model.assessment import Assessment, GivenAnswer
from interlock.model.base import Evidence, Status
from interlock.model.content import ContentChange
from interlock.model.response import Response
from interlock.report import markdown, view
from interlock.report.sections.coverage import BRIEF_ROWS

pytestmark = pytest.mark.fast


def given(number: int, status: Status, scope: str = "product", **said: Any) -> GivenAnswer:
    response = Response(status=status, at=datetime(2026, 9, 1, tzinfo=UTC), **said)
    return GivenAnswer(item=f"auth.q{number}", scope=scope, text=f"Question {number}?", said="Yes", response=response)


ANSWERS = (
    given(1, Status.ANSWERED, value="yes", by="Ada Long <ada@product.example>", evidence=Evidence.DOCUMENTED),
    given(2, Status.ANSWERED, value="yes", by="Ada Long <ada@product.example>"),
    given(3, Status.UNKNOWN),
    given(4, Status.NOT_APPLICABLE, by="Bo Short", reason="No browser is used."),
    given(5, Status.ANSWERED, "lakeshore", value="yes"),
)
CHANGES = tuple(
    ContentChange(
        kind="off", of="rule", id=f"AUTH-{number:03}", title=f"Rule {number}", change="turned off", blocker=True
    )
    for number in range(1, 12)
)


def shown(assessment: Assessment, **options: Any) -> Any:
    built = view.build(assessment, generated=None, interlock_version="1", observations={}, **options)
    return factory.content(built, "coverage")


def test_it_stands_before_every_conclusion_but_the_page_to_decide_from() -> None:
    assert view.SECTIONS[:3] == ("executive", "coverage", "summary")


def test_each_is_counted_with_what_its_answers_rest_on_and_what_was_observed() -> None:
    rows = {row.where.label: row for row in shown(factory.sample().but(answers=ANSWERS)).rows}
    product = rows["Sentinel Sepsis"]
    assert (product.answered, product.unknown, product.not_applicable) == ("2", "1", "1")
    assert product.evidence.label == "1 documented and 1 asserted" and product.observed.label == ""
    lakeshore = rows["Lakeshore Health System"]
    assert (lakeshore.answered, lakeshore.evidence.label) == ("1", "1 asserted")
    assert lakeshore.observed.label.startswith("Observed, ")
    assert rows["Harborview Clinics"].observed.label.endswith(": connection timed out after 10 s.")


def test_an_answer_that_says_unknown_is_counted_as_the_total_counts_it() -> None:
    told = ANSWERS[0].model_copy(update={"counts_as": Status.UNKNOWN})
    row = next(iter(shown(factory.sample().but(answers=(told, *ANSWERS[1:]))).rows))
    assert (row.answered, row.unknown, row.evidence.label) == ("1", "2", "1 asserted")


def test_who_answered_is_named_without_an_address() -> None:
    assert shown(factory.sample().but(answers=ANSWERS)).authors == "Ada Long (2), nobody named (2) and Bo Short (1)"


def test_what_does_not_apply_is_a_register_and_in_a_brief_report_a_count_with_reasons() -> None:
    assessed = factory.sample().but(answers=ANSWERS)
    (row,) = shown(assessed).not_applicable
    assert (row.question.label, row.question.anchor) == ("Question 4?", "answer-product-auth-q4")
    brief = shown(assessed, brief=True)
    assert brief.not_applicable == ()
    assert brief.excused == "Left out as not applicable, 1 answer: No browser is used (1)."


def test_every_difference_of_the_content_is_told_by_title_and_counted_where_it_is_brief() -> None:
    assert "unchanged" in shown(factory.sample()).content
    assessed = factory.sample().but(content_changes=CHANGES)
    whole, brief = shown(assessed), shown(assessed, brief=True)
    assert whole.content.startswith("11 changes of this workspace")
    assert len(whole.changes) == 11 and whole.changes_left == 0
    assert len(brief.changes) + brief.changes_left == 11 and brief.changes_left > 0


def test_many_organisations_are_a_row_for_each_way_of_being_observed_in_a_brief_report() -> None:
    many = factory.large(BRIEF_ROWS + 4, rules=2)
    assert len(shown(many).rows) == BRIEF_ROWS + 5
    rows = shown(many, brief=True).rows
    assert len(rows) < BRIEF_ROWS and all("organisation" in row.where.label for row in rows[1:])


def test_it_is_told_once() -> None:
    built = view.build(factory.sample().but(answers=ANSWERS), generated=None, interlock_version="1", observations={})
    assert markdown.render(built).count("Of 84 questions: ") == 1
    assert markdown.render(built).count("What the answers rest on") == 1
