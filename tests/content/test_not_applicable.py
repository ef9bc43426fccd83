"""What a rule concludes where a question that it reads is not applicable: never a gap that only an answer could be."""

from __future__ import annotations

from collections.abc import Iterator

from interlock.content.compile import compile_rule
from interlock.content.questionnaires import load_questionnaires
from interlock.content.rulesets import load_ruleset
from interlock.documents.resources import data_dir
from interlock.judge.answers import AnswerState, nested, state_of
from interlock.judge.context import SubjectContext
from interlock.judge.engine import decide
from interlock.judge.lint.proofs import best_answer
from interlock.judge.lint.rule_tests import test_context as context_of
from interlock.model.base import RuleOutcome, Status
from interlock.model.questionnaire import Item
from interlock.model.response import Response
from interlock.model.rule import Rule

ITEMS = {
    item.id: item
    for questionnaire in load_questionnaires((data_dir("questionnaires"),))
    for item in questionnaire.questions()
}
RULES = load_ruleset(data_dir("rulesets") / "core").rules
EXCUSED = AnswerState(excused="there is none of it")


def with_answer(context: SubjectContext, item: str, state: AnswerState) -> SubjectContext:
    answers = {**context.answers, item: state}
    return SubjectContext(context.subject, {**context.variables, **nested(answers)}, answers)


def excusable(rule: Rule) -> Iterator[Item]:
    """The questions that the rule reads and that may be not applicable."""
    reads = {name.partition(".")[2] for name in compile_rule(rule).all_reads}
    yield from (item for name, item in ITEMS.items() if name in reads and item.na == "with_reason")


def test_a_question_that_is_not_applicable_makes_no_gap_that_its_best_answer_would_not() -> None:
    """In every situation of the rule's own tests; what else is bad there may still be a gap."""
    looked_at, wrong = set(), []
    for rule in RULES:
        compiled = compile_rule(rule)
        for item in excusable(rule):
            best = best_answer(item)
            good = None if best is None else state_of(item, Response(status=Status.ANSWERED, value=best))
            for test in rule.tests:
                context = context_of(rule.scope, test.given, ITEMS)
                looked_at.add((rule.id, item.id))
                if decide(compiled, with_answer(context, item.id, EXCUSED)).outcome is not RuleOutcome.GAP:
                    continue
                if good is None or decide(compiled, with_answer(context, item.id, good)).outcome is not RuleOutcome.GAP:
                    wrong.append((rule.id, item.id, test.given))
    assert not wrong
    assert len(looked_at) > 60, "many rules read a question that may be not applicable"


def test_a_rule_that_rests_on_one_question_does_not_apply_where_the_question_does_not() -> None:
    """All that is missing is excused, so nothing will ever decide it: it is not left unknown either."""
    alone = [
        (rule, item)
        for rule in RULES
        for item in excusable(rule)
        if {name.partition(".")[2] for name in compile_rule(rule).all_reads} == {item.id}
    ]
    assert ("BND-016", "boundary.vendor_evidence") in [(rule.id, item.id) for rule, item in alone]
    for rule, item in alone:
        context = with_answer(context_of(rule.scope, {}, ITEMS), item.id, EXCUSED)
        assert decide(compile_rule(rule), context).outcome is RuleOutcome.NOT_APPLICABLE, rule.id
