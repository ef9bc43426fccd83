"""One rule on what is known about one subject: a conclusion, three-valued.

A condition that cannot be decided is unknown, never a gap: the missing key of a map absorbs into ``||`` and ``&&`` as
CEL's errors do (CEL specification, Logical Operators), so only what is really needed is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from interlock.content.compile import ANSWER_ROOTS, COMPARED_ROOTS, OBSERVED_ROOTS, CompiledRule, Condition, Expression
from interlock.judge.answers import NO_CAUSES, NOT_KNOWN, Causes, States
from interlock.judge.context import SubjectContext
from interlock.model.base import Evidence, RuleOutcome
from interlock.model.finding import NO_CONTRACT, UNDECIDED, Finding, Subject, finding_key

#: The most that an open gap counts in the score, however good the answer that measures it (docs/scoring.md).
GAP_VALUE = 0.75
_SHOWN = 6
_COMPARED = "anything to compare the answers with"


def causes_of(condition: Expression, context: SubjectContext) -> Causes:
    """What an undecided condition waits for.

    Operands of ``||``, ``&&`` and ``!`` that are decided on their own ask for nothing: in
    ``responses.a == "x" || responses.b == "y"`` with ``a`` answered otherwise, only ``b`` is missing.
    """
    undecided = [part for part in condition.parts if part.evaluate(context.context) == (None, None)]
    if undecided:
        return NO_CAUSES.union(*(causes_of(part, context) for part in undecided))
    missing = (name for name in condition.reads if context.lookup(name) is None)
    return NO_CAUSES.union(*(context.unknown.get(name) or _cause(name, context.answers) for name in missing))


def detail_of(causes: Causes, context: SubjectContext) -> str:
    """The causes in one sentence, for a person."""
    if causes.only_excused:
        reasons = "; ".join(f"{item} ({context.answers[item].excused})" for item in causes.excused[:_SHOWN])
        return f"rests on questions that do not apply: {reasons}"
    parts = []
    if causes.answers:
        parts.append(f"not answered: {listed(causes.answers)}")
    if causes.facts:
        because = f" ({context.unobserved})" if context.unobserved else ""
        named = tuple(dict.fromkeys(_COMPARED if name in COMPARED_ROOTS else name for name in causes.facts))
        parts.append(f"not observed: {listed(named)}{because}")
    others = []
    for name in causes.others:
        root = name.partition(".")[0]
        if root in {"contract", "settings"} and context.lookup(root) is None:
            parts.append(NO_CONTRACT)
        elif root == "settings":
            parts.append("the contract has no settings (organization_surface)")
        else:
            others.append(name)
    parts = list(dict.fromkeys(parts))
    if others:
        parts.append(f"not there: {listed(others)}")
    return "; ".join(parts) if parts else "a field that the condition reads is not there"


def _cause(name: str, answers: States) -> Causes:
    root, _, item = name.partition(".")
    if root in OBSERVED_ROOTS:
        return Causes(facts=(name,))
    if root not in ANSWER_ROOTS:
        return Causes(others=(name,))
    state = answers.get(item, NOT_KNOWN)
    if state.excused is not None:
        return Causes(excused=(item,))
    return NO_CAUSES if state.evidence else Causes(answers=(item,))


def listed(names: Sequence[str]) -> str:
    """``a, b``; after six names how many more there are."""
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


_WEAKEST_FIRST = (Evidence.ASSERTED, Evidence.DOCUMENTED, Evidence.OBSERVED)


class Conclusion(NamedTuple):
    """What a rule concludes, without its subject: the same for all subjects with the same facts and answers.

    :ivar causes: what an undecided one waits for.
    :ivar value, evidence: as in :class:`Finding`, where they were asked for.
    """

    outcome: RuleOutcome
    detail: str | None = None
    causes: Causes = NO_CAUSES
    value: float | None = None
    evidence: Evidence | None = None


def decide(rule: Condition, context: SubjectContext) -> Conclusion:
    """The outcome of one rule for one subject: applicability first, then the condition of the gap."""
    if rule.applies is not None:
        applies, error = rule.applies.evaluate(context.context)
        if error:
            return _failed("applies", error)
        if applies is None:
            return _undecided(rule.applies, context, rule.gap_when)
        if applies is False:
            return Conclusion(RuleOutcome.NOT_APPLICABLE, "does not apply here")
    gap, error = rule.gap_when.evaluate(context.context)
    if error:
        return _failed("gap_when", error)
    if gap is None:
        return _undecided(rule.gap_when, context)
    return Conclusion(RuleOutcome.GAP if gap else RuleOutcome.MET)


def _failed(key: str, error: str) -> Conclusion:
    return Conclusion(RuleOutcome.ERROR, f"{key}: {error}", Causes(others=(error,)))


def _undecided(condition: Expression, context: SubjectContext, then: Expression | None = None) -> Conclusion:
    causes = causes_of(condition, context)
    if causes.only_excused:
        return Conclusion(RuleOutcome.NOT_APPLICABLE, detail_of(causes, context))
    if then is not None and then.evaluate(context.context) == (None, None):
        causes = causes.union(causes_of(then, context))
    return Conclusion(RuleOutcome.UNKNOWN, detail_of(causes, context), causes)


def conclude(rule: Condition, context: SubjectContext) -> Conclusion:
    """The same, with the value and the evidence of what is decided."""
    decided = decide(rule, context)
    if decided.outcome not in (RuleOutcome.MET, RuleOutcome.GAP):
        return decided
    if _observed_alone(rule.gap_when, context, decided.outcome):
        value: float | None = float(decided.outcome is RuleOutcome.MET)
        return decided._replace(value=value, evidence=Evidence.OBSERVED)
    value, evidence = _value(rule, context, decided.outcome), _evidence(rule.gap_when, context)
    return decided._replace(value=value, evidence=evidence)


def over_all(context: SubjectContext, concluded: Mapping[str, Mapping[str, Conclusion]]) -> SubjectContext:
    """The product with ``anywhere`` and ``everywhere``: what conditions come to over all organisations.

    An organisation of which a condition is not applicable counts for neither. What an undecided one could still decide
    is not there, so that conditions that read it are undecided.

    :param concluded: name of the condition → organisation's id → what it comes to there.
    """
    anywhere, everywhere, unknown = {}, {}, {}
    for name, conclusions in concluded.items():
        outcomes = {conclusion.outcome for conclusion in conclusions.values()}
        undecided = None if outcomes & UNDECIDED else False
        anywhere[name] = True if RuleOutcome.GAP in outcomes else undecided
        everywhere[name] = False if RuleOutcome.MET in outcomes else None if undecided is None else True
        unknown[f"anywhere.{name}"] = unknown[f"everywhere.{name}"] = all_causes(conclusions)
    variables = {**context.variables, "anywhere": anywhere, "everywhere": everywhere}
    return replace(context, variables=variables, unknown=unknown)


def all_causes(conclusions: Mapping[str, Conclusion]) -> Causes:
    """What the undecided among some organisations' conclusions wait for, and which organisations these are."""
    return NO_CAUSES.union(
        *(
            conclusion.causes._replace(organizations=(org,))
            for org, conclusion in conclusions.items()
            if conclusion.outcome in UNDECIDED
        )
    )


def finding(rule: CompiledRule, subject: Subject, conclusion: Conclusion, message: str) -> Finding:
    """A rule's conclusion about a subject, with the rule's message filled in."""
    return Finding.trusted(
        key=finding_key(rule.rule.id, subject),
        rule=rule.rule.id,
        subject=subject,
        message=message,
        reads=rule.reads,
        outcome=conclusion.outcome,
        value=conclusion.value,
        evidence=conclusion.evidence,
        missing_answers=conclusion.causes.answers,
        missing_facts=conclusion.causes.facts,
        detail=conclusion.detail,
    )


def _value(rule: Condition, context: SubjectContext, outcome: RuleOutcome) -> float | None:
    """v in [0, 1]: the measured question's, 1 or 0 where there is none to answer; none while nobody has answered it."""
    measured = context.answers.get(rule.measures or "", NOT_KNOWN)
    if measured.graded is not None:
        return min(measured.graded, GAP_VALUE) if outcome is RuleOutcome.GAP else measured.graded
    return None if rule.measures and measured.excused is None else float(outcome is RuleOutcome.MET)


def _observed_alone(condition: Expression, context: SubjectContext, outcome: RuleOutcome) -> bool:
    """Whether what was observed decides as the answers do, so that it needs none of them."""
    reads = ((name, name.partition(".")[0]) for name in condition.reads)
    if not any(root in OBSERVED_ROOTS and context.lookup(name) is not None for name, root in reads):
        return False
    alone, _ = condition.evaluate(context.without_answers)
    return alone is (outcome is RuleOutcome.GAP)


def _evidence(condition: Expression, context: SubjectContext) -> Evidence:
    """What a decision rests on that an observation does not make alone: the weakest answer read, else a document."""
    reads = (name.partition(".") for name in condition.reads)
    given = (context.answers.get(item, NOT_KNOWN).evidence for root, _, item in reads if root in ANSWER_ROOTS)
    return min(filter(None, given), key=_WEAKEST_FIRST.index, default=Evidence.DOCUMENTED)
