"""Why a condition cannot be decided: which answers and observations would help, and which will never come."""

from __future__ import annotations

from collections.abc import Sequence

from interlock.content.compile import ANSWER_ROOTS, COMPARED_ROOTS, OBSERVED_ROOTS
from interlock.content.expression import Expression
from interlock.judge.answers import NO_CAUSES, NOT_KNOWN, Causes, States
from interlock.judge.context import SubjectContext

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
    others = causes.others
    if context.lookup("contract") is None and any(name.partition(".")[0] == "contract" for name in others):
        parts.append("there is no workflow contract")
        others = tuple(name for name in others if name.partition(".")[0] != "contract")
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
