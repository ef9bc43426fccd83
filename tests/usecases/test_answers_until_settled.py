"""How many answers settle the verdict, and that the page which says so is not stale."""

from __future__ import annotations

from functools import cache

import answers_page
import pytest
from answers_page import TRUTHS, Played, Rows, Truth, by_file, page, start

from interlock.model import words
from interlock.usecases.judge import judge
from interlock.usecases.load import load_content

each_truth = pytest.mark.parametrize("truth", TRUTHS, ids=lambda truth: f"{truth.name}, {truth.kind}")


@cache
def rows() -> Rows:
    return answers_page.rows(load_content(None))


def test_the_page_says_what_the_content_gives() -> None:
    assert answers_page.PAGE.read_text("utf-8") == page(rows()), "docs/scoring.md is stale: make renew"


def test_an_unstable_product_is_settled_by_one_answer() -> None:
    (unstable,) = [truth for truth in TRUTHS if truth.worst == {"boundary.output_stable"}]
    assert rows()[unstable][0] == Played(1, "Product first", True)


@each_truth
def test_asking_what_settles_most_never_takes_more_answers_than_the_order_of_the_files(truth: Truth) -> None:
    with_next, in_order = rows()[truth]
    assert with_next.answers <= in_order.answers
    assert with_next.settled == in_order.settled == truth.known
    assert with_next.verdict == in_order.verdict


@each_truth
def test_answering_the_rest_leaves_the_verdict_as_it_was_settled(truth: Truth) -> None:
    content = load_content(None)
    inputs = start(truth, content)
    while (question := by_file(inputs)) is not None:
        inputs = inputs.with_response(*question, truth.answer(content.items[question[1]]))
    verdict = judge(inputs).verdict
    assert words.verdict(verdict.value, verdict.latest) == rows()[truth][0].verdict
