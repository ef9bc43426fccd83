"""The auth and production questions: not knowing is no answer, and each fact is asked of whom it is about."""

from __future__ import annotations

import re

import pytest

from interlock.content.questionnaires import load_questionnaires
from interlock.content.rulesets import load_ruleset
from interlock.documents.resources import data_dir
from interlock.judge.answers import state_of
from interlock.model.base import Evidence, Gate, Scope, Status
from interlock.model.questionnaire import Item, ItemType
from interlock.model.response import AnswerValue, Response

pytestmark = pytest.mark.fast

QUESTIONNAIRES = load_questionnaires([data_dir("questionnaires")])
ITEMS = {
    item.id: item
    for questionnaire in QUESTIONNAIRES
    if questionnaire.id in {"auth-surface", "production-behaviour"}
    for item in questionnaire.questions()
}
RULES = {rule.id: rule for rule in load_ruleset(data_dir("rulesets") / "core").rules}
CHOICES = [item for item in ITEMS.values() if item.type in {ItemType.CHOICE, ItemType.MULTI_CHOICE}]

#: What one organisation decides or has seen, and nobody else can say.
OF_EACH_ORGANIZATION = {"auth.path_walked", "auth.refresh_issued", "production.document_states"}

#: The options that used to say a bad fact "or nobody knows", and what the file of then means now.
SPLIT = [
    ("auth.credentials", "unknown_places", None),
    ("auth.credentials", "in_code", 0.0),
    ("auth.certificate_checks", "can_be_off", 0.0),
    ("auth.certificate_checks", "not_looked", None),
    ("auth.framing", "anyone", 0.0),
    ("auth.framing", "not_known", None),
    ("auth.token_storage", "exposed", 0.0),
    ("auth.token_storage", "not_known", None),
    ("auth.token_refresh", "error", 0.0),
    ("auth.token_refresh", "not_tried", None),
    ("auth.cors_origins", "not_known", None),
    ("auth.log_content", "not_known", None),
    ("auth.return_checks", ("not_known",), None),
    ("auth.return_checks", ("none",), 0.0),
    ("auth.id_token_checks", ("not_known",), None),
    ("auth.id_token_checks", ("none",), 0.0),
    ("auth.server_keys", "not_known", None),
]


@pytest.mark.parametrize(("item", "value", "graded"), SPLIT)
def test_not_knowing_is_apart_from_the_bad_fact(item: str, value: AnswerValue, graded: float | None) -> None:
    state = state_of(ITEMS[item], Response(status=Status.ANSWERED, value=value))
    assert (None if state is None else state.graded) == graded


@pytest.mark.parametrize("item", CHOICES, ids=lambda item: item.id)
def test_a_ladder_has_at_most_five_rungs(item: Item) -> None:
    if item.type is ItemType.CHOICE:
        assert len([option for option in item.options if not option.unknown]) <= 5


def test_a_question_that_asked_two_things_is_two_questions() -> None:
    assert not re.search("valid|until", ITEMS["production.document_states"].text)
    assert "receives" not in ITEMS["production.output_expiry"].text
    for option in ITEMS["auth.log_content"].options:
        assert not re.search("agreement|retention", option.label)
    for option in ITEMS["production.ehr_unavailable"].options:
        assert not re.search("fallback|organisation", option.label)


@pytest.mark.parametrize("item", ITEMS.values(), ids=list(ITEMS))
def test_nothing_is_asked_that_only_a_live_product_has(item: Item) -> None:
    assert not re.search(r"(last|this) (week|month|year)", item.text)


def test_what_is_a_fact_of_one_organisation_is_asked_there() -> None:
    assert {item.id for item in ITEMS.values() if item.scope is Scope.ORG} == OF_EACH_ORGANIZATION
    assert not [
        (item.id, option.label)
        for item in CHOICES
        if item.scope is Scope.PRODUCT
        for option in item.options
        if re.search(r"\b(at|with) (each|every) organisation\b", option.label)
    ]


def test_rules_of_moved_questions_are_judged_at_each_organisation() -> None:
    for rule, item in {"AUTH-041": "auth.path_walked", "PROD-008": "production.document_states"}.items():
        assert (RULES[rule].scope, RULES[rule].measures) == (Scope.ORG, item)
        assert not ITEMS[item].proposable, "nobody can propose what has to be done or seen there"
        assert RULES[rule].message.startswith("{org.name}: ")


def test_what_needs_an_observation_says_how_it_is_got() -> None:
    observed = [rule for rule in RULES.values() if rule.accepts.get(Gate.PRODUCTION) is Evidence.OBSERVED]
    assert len(observed) >= 4
    for rule in observed:
        assert "test report" in rule.remediation.text and "outside the team" in rule.remediation.text, rule.id
