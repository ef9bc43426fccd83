"""What docs/questions.md decides about questions, held against the questions as they are asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from interlock.content.questionnaires import load_questionnaires
from interlock.documents.resources import data_dir
from interlock.judge.answers import state_of
from interlock.model.base import Status
from interlock.model.questionnaire import Item, ItemType, Option
from interlock.model.response import Response

pytestmark = pytest.mark.fast

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "questions.md").read_text(encoding="utf-8")
QUESTIONS = {
    item.id: item
    for questionnaire in load_questionnaires([data_dir("questionnaires")])
    for item in questionnaire.questions()
}
IGNORANCE = re.compile(r"nobody (knows|has (looked|asked|counted|checked|the list))|not known", re.IGNORECASE)
#: Answers that used to mean, or to mean as well, that nobody knows → what each says now.
SAYS_UNKNOWN = {
    "boundary.workflow_settled": ("changing", False),
    "boundary.upstream_model": ("unchecked", True),
    "boundary.known_limits": ("never_looked", False),
    "boundary.intended_use": ("open", False),
    "contract.resource_gaps": ("not_looked", True),
    "contract.local_extensions": ("never_looked", True),
    "contract.recipient": ("not_known", True),
    "contract.code_licences": ("not_asked", False),
    "endpoints.caches": ("not_known", True),
    "endpoints.ai_stores": ("shared", False),
    "endpoints.operations_pages": ("not_looked", True),
    "endpoints.redirect_targets": ("raw", False),
    "delivery.sandbox_dependence": ("not_counted", True),
    "delivery.known_patterns": ("not_at_all", False),
    "org.redirect_uri": ("no_list", True),
    "org.embedding_host": ("not_known", True),
    "org.profiles_extensions": ("not_asked", True),
    "org.sensitive_data": ("not_asked", True),
    "org.enabled_features": ("not_asked", True),
    "org.calendar": ("not_known", True),
    "org.data_use": ("not_asked", False),
    "org.code_map": ("nobody", False),
}


def option(item: str, value: str) -> Option:
    found = QUESTIONS[item].option(value)
    assert found is not None, f"{item} no longer offers {value}, which answers on disk may hold"
    return found


@pytest.mark.parametrize("item", QUESTIONS.values(), ids=list(QUESTIONS))
def test_no_graded_answer_also_says_that_nobody_knows(item: Item) -> None:
    for offered in item.options:
        assert offered.unknown or not IGNORANCE.search(offered.label), f"{offered.value}: {offered.label}"


@pytest.mark.parametrize(("item", "said"), SAYS_UNKNOWN.items(), ids=list(SAYS_UNKNOWN))
def test_an_answer_given_before_says_no_more_than_it_did(item: str, said: tuple[str, bool]) -> None:
    value, unknown = said
    offered = option(item, value)
    assert offered.unknown is unknown
    assert unknown or offered.weight == 0
    answer = Response(status=Status.ANSWERED, value=value)
    assert (state_of(QUESTIONS[item], answer) is None) is unknown


def test_what_nobody_knows_comes_last_so_that_as_before_means_the_answer_before() -> None:
    for item in QUESTIONS.values():
        unknown = [offered.unknown for offered in item.options]
        assert unknown == sorted(unknown), item.id


@pytest.mark.parametrize("item", QUESTIONS.values(), ids=list(QUESTIONS))
def test_an_answer_is_short_enough_to_be_read_once(item: Item) -> None:
    """An answer that joins three conditions needs more than these hundred characters, or commas between them."""
    for offered in item.options if item.type is ItemType.CHOICE else ():
        assert len(offered.label) <= 100 and offered.label.count(",") <= 2, f"{offered.value}: {offered.label}"


def test_not_applicable_is_offered_where_the_help_says_when() -> None:
    for item in QUESTIONS.values():
        assert ("Not applicable " in (item.help or "")) is (item.na == "with_reason"), item.id


def test_the_list_of_endpoints_and_its_controls_are_two_questions() -> None:
    assert "control" not in QUESTIONS["endpoints.inventory"].text
    assert option("endpoints.inventory", "complete").label.startswith("Every endpoint is listed")


def test_three_questions_about_testing_ask_one_thing_each() -> None:
    simulator, dependence = QUESTIONS["delivery.simulator"], QUESTIONS["delivery.sandbox_dependence"]
    assert "stands in for the EHR" in simulator.text and "What share" in dependence.text
    assert not any(re.search("every change|every day|daily", offered.label) for offered in simulator.options)
    assert not any("plan" in offered.label for offered in dependence.options)


@pytest.mark.parametrize(
    "item",
    [item for item in QUESTIONS if item.startswith("delivery.")],
)
def test_what_holds_at_one_hospital_is_not_asked_of_the_product(item: str) -> None:
    for offered in QUESTIONS[item].options:
        assert not re.search(r"(at|from|with) each organisation|on both sides|agreed with", offered.label), (
            offered.label
        )


def test_each_decision_is_about_a_question_that_is_asked() -> None:
    named = set(re.findall(r"`((?:auth|boundary|contract|delivery|endpoints|org|production)\.[a-z_]+)`", PAGE))
    assert len(named) > 90 and named <= set(QUESTIONS)
    assert named >= set(SAYS_UNKNOWN)
