"""An organisation's answers beside what was observed of it, as conditions read it.

``compared`` is how many of its answers an observation speaks about, ``contradictions`` the ids of those that it
contradicts. Both are absent while nothing was observed: not observed is never "no contradiction".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from interlock.content.cel import cel
from interlock.content.expression import Expression, compile_expression
from interlock.content.syntax import CelSyntaxError
from interlock.judge.answers import AnswerState
from interlock.model.base import Scope
from interlock.model.questionnaire import AnswerValue, AutoAnswer, Item, ItemType

#: Item id → the answer that an observation gives, and the condition that gave it.
Observed = Mapping[str, tuple[AnswerValue, Expression]]


def automatic_items(items: Iterable[Item]) -> tuple[Item, ...]:
    """The items that an observation may answer, in their order."""
    return tuple(item for item in items if item.auto_answer and item.scope is Scope.ORG)


def automatic_reads(items: Iterable[Item]) -> frozenset[str]:
    """The dotted names that decide what an observation answers."""
    conditions = [_condition(automatic) for item in items for automatic in item.auto_answer]
    return frozenset(name for condition in conditions if condition is not None for name in condition.reads)


def observed_answer(item: Item, context: cel.Context) -> tuple[AnswerValue, Expression] | None:
    """The answer that observed facts give to an item, and the condition that gave it; none when they decide nothing."""
    for automatic in item.auto_answer:
        condition = _condition(automatic)
        if condition is None:
            return None
        holds, _ = condition.evaluate(context)
        if holds is None:
            return None
        if holds:
            return _value(item, automatic), condition
    return None


def differs(item: Item, answered: AnswerValue, observed: AnswerValue) -> bool:
    """Whether an observation contradicts an answer; of several options it names one that must be among them."""
    if item.type is ItemType.MULTI_CHOICE and isinstance(answered, tuple) and isinstance(observed, tuple):
        return not set(observed) <= set(answered)
    return type(answered) is not type(observed) or answered != observed


def comparison(items: Iterable[Item], observed: Observed, states: Mapping[str, AnswerState]) -> dict[str, Any]:
    """``compared`` and ``contradictions`` of one organisation that was observed."""
    compared = 0
    contradicted = []
    for item in items:
        state, given = states.get(item.id), observed.get(item.id)
        if state is None or state.evidence is None or given is None:
            continue
        compared += 1
        if state.value is not None and differs(item, state.value, given[0]):
            contradicted.append(item.id)
    return {"compared": compared, "contradictions": contradicted}


def _condition(automatic: AutoAnswer) -> Expression | None:
    """When an answer is given; none when it is not CEL, which lint reports."""
    try:
        return compile_expression(automatic.when)
    except CelSyntaxError:
        return None


def _value(item: Item, automatic: AutoAnswer) -> AnswerValue:
    if item.type is ItemType.MULTI_CHOICE and isinstance(automatic.value, str):
        return (automatic.value,)
    return automatic.value
