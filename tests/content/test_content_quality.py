"""The shipped questions and rules as a product lead meets them: what is asked of whom, and how plainly it is said."""

from __future__ import annotations

import re

import pytest

from interlock.content.questionnaires import load_questionnaires
from interlock.content.rulesets import load_ruleset
from interlock.content.visibility import hidden, visible
from interlock.documents.resources import data_dir
from interlock.model.base import GapClass, Gate, ProductKind, Scope, Status
from interlock.model.questionnaire import Item, ItemType
from interlock.model.response import AnswerValue, Response
from interlock.model.rule import Rule

pytestmark = pytest.mark.fast

QUESTIONNAIRES = load_questionnaires([data_dir("questionnaires")])
QUESTIONS = {item.id: item for questionnaire in QUESTIONNAIRES for item in questionnaire.questions()}
RULES = {rule.id: rule for rule in load_ruleset(data_dir("rulesets") / "core").rules}
WRITTEN = {"contract.withdrawal", "contract.output_labels", "contract.write_outcome", "contract.review_load"}
LAUNCHED = {"auth.issuer_allow_list", "auth.launch_context", "production.user_identity"}


def hidden_by(**answers: AnswerValue) -> frozenset[str]:
    """The questions that these answers hide; ``contract_writes`` stands for ``contract.writes``."""
    responses = {
        name.replace("_", ".", 1): Response(status=Status.ANSWERED, value=value) for name, value in answers.items()
    }
    return hidden(visible(QUESTIONNAIRES, responses))


def sentences(text: str) -> list[str]:
    """The sentences of a text; a full stop inside quotation marks or brackets ends none."""
    return [part for part in re.split(r"(?<=[.!?])\s+(?=[A-Z])", " ".join(text.split())) if part]


def test_the_article_is_asked_in_full_and_the_core_takes_half_an_hour() -> None:
    core = [item for item in QUESTIONS.values() if item.priority == "core"]
    assert len(QUESTIONS) >= 110
    assert 36 <= len(core) <= 44
    assert len(RULES) >= 130


def test_a_read_only_product_is_not_asked_about_what_it_writes() -> None:
    unasked = hidden_by(contract_writes=("nothing",))
    assert unasked >= WRITTEN | {"contract.draft_place", "contract.recipient", "contract.order_authority"}
    assert not hidden_by(contract_writes=("note",)) & WRITTEN


def test_a_message_beside_the_ehr_needs_somebody_who_reads_it_and_nothing_that_is_written() -> None:
    unasked = hidden_by(contract_writes=("beside",))
    assert unasked >= WRITTEN
    assert "contract.recipient" not in unasked


def test_proxies_are_asked_about_where_patients_sign_in_to_read() -> None:
    asked_of = [
        kind
        for kind in ProductKind
        if "production.proxies"
        not in hidden(
            visible(QUESTIONNAIRES, {"contract.readers": Response(status=Status.ANSWERED, value=("patients",))}, kind)
        )
    ]
    assert asked_of == [ProductKind.PATIENT_APP]
    assert "production.proxies" in hidden_by(contract_readers=("clinicians",))


def test_a_backend_product_is_not_asked_about_launches() -> None:
    assert hidden_by(auth_launch_modes=("backend",)) >= LAUNCHED
    assert "contract.event_channel" not in hidden_by(auth_launch_modes=("backend",))
    assert "contract.event_channel" in hidden_by(auth_launch_modes=("ehr_launch",))


def test_patients_and_orders_bring_their_own_questions() -> None:
    assert "contract.patient_notice" in hidden_by(contract_readers=("clinicians",))
    assert "contract.patient_notice" not in hidden_by(contract_readers=("clinicians", "patients"))
    assert "contract.order_authority" not in hidden_by(contract_writes=("order",))


@pytest.mark.parametrize("item", QUESTIONS.values(), ids=list(QUESTIONS))
def test_each_question_says_what_a_good_answer_is_and_what_goes_wrong(item: Item) -> None:
    assert item.help and item.why and item.source, "help: what a good answer is; why: what goes wrong; source: who asks"
    assert item.text.endswith("?") and item.text.count("?") == 1, "one question, which ends with its question mark"
    if item.type is ItemType.CHOICE:
        weights = [option.weight for option in item.options]
        known = [weight for weight in weights if weight is not None]
        graded = len(known) >= 3 and (min(known), max(known)) == (0, 1)
        assert None in weights or graded, (
            "three options or more with weights from 0 to 1; a yes or no is of type boolean"
        )


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_each_rule_says_why_in_one_sentence_and_how_it_is_tested(rule: Rule) -> None:
    assert len(sentences(rule.why)) == 1
    expected = {test.expect for test in rule.tests}
    assert {"gap", "met"} <= expected
    if rule.remediation.lead_time is not None and rule.remediation.lead_time.grade == "judgement":
        assert rule.remediation.lead_time.source == "judgement"


def test_the_core_profile_decides_the_design_and_sandbox_gates_of_the_product() -> None:
    asked_later = {item.id for item in QUESTIONS.values() if item.priority == "full"}
    for rule in RULES.values():
        early = rule.gate in {Gate.DESIGN, Gate.SANDBOX} and rule.gap_class is not GapClass.ADVICE
        if early and rule.scope is Scope.PRODUCT:
            read = set(re.findall(r"(?:value|responses)\.([a-z_]+\.[a-z_]+)", f"{rule.applies} {rule.gap_when}"))
            assert not read & asked_later, rule.id


def test_each_rule_says_what_is_asked_while_nobody_knows() -> None:
    """Its own question, or that of the one that it measures; a title, which states a gap, asks nothing."""
    written = {path: path.read_text() for path in data_dir("rulesets").rglob("*.yaml")}
    rules = {path: text for path, text in written.items() if "\nremediation:" in text}
    assert len(rules) > 300
    silent = [path.stem for path, text in rules.items() if not re.search(r"^(question|measures): ", text, re.MULTILINE)]
    assert silent == []
