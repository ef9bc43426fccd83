"""Why a condition cannot be decided: which answers and observations would help, and which will never come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from interlock.content.compile import ANSWER_ROOTS, COMPARED_ROOTS, OBSERVED_ROOTS
from interlock.content.expression import Expression
from interlock.judge.answers import Answers
from interlock.judge.context import SubjectContext

_SHOWN = 6
_COMPARED = "anything to compare the answers with"


class Causes(NamedTuple):
    """What an undecided condition waits for.

    :ivar answers: ids of items that are asked and not answered, or answered with unknown.
    :ivar excused: ids of items that are hidden or not applicable.
    :ivar facts: dotted names of facts that were not observed.
    :ivar others: other dotted names that are not there, such as the contract's.
    """

    answers: tuple[str, ...] = ()
    excused: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def only_excused(self) -> bool:
        """Nothing will ever decide it: all that is missing is hidden or not applicable."""
        return bool(self.excused) and not (self.answers or self.facts or self.others)

    def union(self, other: Causes) -> Causes:
        """Both, each name once."""
        return Causes(*(tuple(dict.fromkeys(mine + theirs)) for mine, theirs in zip(self, other, strict=True)))


#: Of a condition that is decided.
NO_CAUSES = Causes()


def causes_of(condition: Expression, context: SubjectContext) -> Causes:
    """What an undecided condition waits for.

    Operands of ``||``, ``&&`` and ``!`` that are decided on their own ask for nothing: in
    ``responses.a == "x" || responses.b == "y"`` with ``a`` answered otherwise, only ``b`` is missing.
    """
    undecided = [part for part in condition.parts if part.evaluate(context.context) == (None, None)]
    if not undecided:
        return missing(condition.reads, context.lookup, context.answers)
    causes = causes_of(undecided[0], context)
    for part in undecided[1:]:
        causes = causes.union(causes_of(part, context))
    return causes


def detail_of(causes: Causes, context: SubjectContext) -> str:
    """The causes in one sentence, for a person."""
    if causes.only_excused:
        reasons = "; ".join(f"{item} ({context.answers.excused[item]})" for item in causes.excused[:_SHOWN])
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


def missing(names: Iterable[str], lookup: Callable[[str], Any], given: Answers) -> Causes:
    """Those of the dotted names whose value ``lookup`` does not find, by kind."""
    answers: list[str] = []
    excused: list[str] = []
    facts: list[str] = []
    others: list[str] = []
    for name in names:
        if lookup(name) is not None:
            continue
        root, _, item = name.partition(".")
        if root in OBSERVED_ROOTS:
            facts.append(name)
        elif root not in ANSWER_ROOTS:
            others.append(name)
        elif item in given.excused:
            excused.append(item)
        elif item not in given.evidence:
            answers.append(item)
    # The same item may be read as an answer and as its value.
    return Causes(tuple(dict.fromkeys(answers)), tuple(dict.fromkeys(excused)), tuple(facts), tuple(others))


def listed(names: Sequence[str]) -> str:
    """``a, b``; after six names how many more there are."""
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
