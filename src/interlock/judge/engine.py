"""One rule on what is known about one subject: a conclusion, three-valued.

A condition that cannot be decided is unknown, never a gap: the missing key of a map absorbs into ``||`` and ``&&`` as
CEL's errors do (CEL specification, Logical Operators), so only what is really needed is asked for.
"""

from __future__ import annotations

from typing import NamedTuple

from interlock.content.compile import ANSWER_ROOTS, OBSERVED_ROOTS, CompiledRule
from interlock.content.expression import Expression
from interlock.judge.causes import NO_CAUSES, Causes, causes_of, detail_of
from interlock.judge.context import SubjectContext
from interlock.model.base import Evidence, RuleOutcome
from interlock.model.finding import Conclusion, Finding, Subject, finding_key

_WEAKEST_FIRST = (Evidence.ASSERTED, Evidence.DOCUMENTED, Evidence.OBSERVED)


class Decision(NamedTuple):
    """The outcome of one rule for one subject, and what an undecided one waits for."""

    outcome: RuleOutcome
    detail: str | None = None
    causes: Causes = NO_CAUSES


def decide(rule: CompiledRule, context: SubjectContext) -> Decision:
    """The outcome of one rule for one subject: applicability first, then the condition of the gap."""
    if rule.applies is not None:
        applies, error = rule.applies.evaluate(context.context)
        if error:
            return Decision(RuleOutcome.ERROR, f"applies: {error}")
        if applies is None:
            return _undecided(rule.applies, context, rule.gap_when)
        if applies is False:
            return Decision(RuleOutcome.NOT_APPLICABLE, "does not apply here")
    gap, error = rule.gap_when.evaluate(context.context)
    if error:
        return Decision(RuleOutcome.ERROR, f"gap_when: {error}")
    if gap is None:
        return _undecided(rule.gap_when, context)
    return Decision(RuleOutcome.GAP if gap else RuleOutcome.MET)


def _undecided(condition: Expression, context: SubjectContext, then: Expression | None = None) -> Decision:
    causes = causes_of(condition, context)
    if causes.only_excused:
        return Decision(RuleOutcome.NOT_APPLICABLE, detail_of(causes, context))
    if then is not None and then.evaluate(context.context) == (None, None):
        causes = causes.union(causes_of(then, context))
    return Decision(RuleOutcome.UNKNOWN, detail_of(causes, context), causes)


def conclude(rule: CompiledRule, context: SubjectContext) -> Conclusion:
    """What a rule concludes about one subject."""
    decision = decide(rule, context)
    decided = decision.outcome in (RuleOutcome.MET, RuleOutcome.GAP)
    return Conclusion(
        outcome=decision.outcome,
        value=_value(rule, context, decision.outcome) if decided else None,
        evidence=_evidence(rule.gap_when, context, decision.outcome) if decided else None,
        missing_answers=decision.causes.answers,
        missing_facts=decision.causes.facts,
        detail=decision.detail,
    )


def finding(rule: CompiledRule, subject: Subject, conclusion: Conclusion, message: str) -> Finding:
    """A rule's conclusion about a subject, with the rule's message filled in."""
    return Finding(
        key=finding_key(rule.rule.id, subject),
        rule=rule.rule.id,
        subject=subject,
        message=message,
        reads=rule.reads,
        **conclusion._asdict(),
    )


def _value(rule: CompiledRule, context: SubjectContext, outcome: RuleOutcome) -> float:
    """v in [0, 1]: the measured question's, unless an observation found a gap that the best answer denies."""
    measured = context.answers.graded.get(rule.rule.measures) if rule.rule.measures else None
    if measured is None:
        return 0.0 if outcome is RuleOutcome.GAP else 1.0
    return 0.0 if outcome is RuleOutcome.GAP and measured >= 1.0 else measured


def _evidence(condition: Expression, context: SubjectContext, outcome: RuleOutcome) -> Evidence:
    """What a decision rests on: an observation that decides alone, else the weakest answer read, else a document."""
    reads = [name.partition(".") for name in condition.reads]
    if any(
        root in OBSERVED_ROOTS and context.lookup(name) is not None
        for (root, _, _), name in zip(reads, condition.reads, strict=True)
    ):
        alone, _ = condition.evaluate(context.without_answers)
        if alone is (outcome is RuleOutcome.GAP):
            return Evidence.OBSERVED
    known = context.answers.evidence
    given = [known[item] for root, _, item in reads if root in ANSWER_ROOTS and item in known]
    return min(given, key=_WEAKEST_FIRST.index) if given else Evidence.DOCUMENTED
