"""The answers that one subject's conditions see, and what stands in place of the others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import chain
from typing import Any, NamedTuple

from interlock.content.messages import line
from interlock.model.base import Evidence, Scope, Status
from interlock.model.questionnaire import Item
from interlock.model.response import AnswerValue, Response


class AnswerState(NamedTuple):
    """What is known about one item.

    :ivar value: as a condition reads it (several options as a tuple); none unless it is answered.
    :ivar graded: v in [0, 1] of a graded answer.
    :ivar excused: why it needs no answer: hidden, or the reason given for not applicable.
    """

    value: AnswerValue | None = None
    graded: float | None = None
    evidence: Evidence | None = None
    excused: str | None = None


#: Item id → what is known about it; what is not known is not there.
States = Mapping[str, AnswerState]
#: Of an item about which nothing is known.
NOT_KNOWN = AnswerState()


def nested(states: States) -> dict[str, Any]:
    """``responses`` and ``value`` as conditions read them: nested by the words of the items' ids."""
    responses: dict[str, Any] = {}
    graded: dict[str, Any] = {}
    for item_id, state in states.items():
        if state.value is not None:
            _nest(responses, item_id, list(state.value) if isinstance(state.value, tuple) else state.value)
        if state.graded is not None:
            _nest(graded, item_id, state.graded)
    return {"responses": responses, "value": graded}


def state_of(
    item: Item, response: Response | None, hidden: bool = False, today: date | None = None
) -> AnswerState | None:
    """What is known about an item; none when it is asked and not answered, or answered with unknown.

    A value that its item no longer offers counts as not answered, an option that says unknown as unknown, and a reason
    for not applicable as not answered where the question always applies. While two authors differ, nobody knows.

    :param today: the day on which the evidence has to hold; without one it holds.
    """
    if hidden:
        return AnswerState(excused="not asked")
    if response is None:
        return None
    if response.agreed_status is Status.NOT_APPLICABLE:
        return AnswerState(excused=line(response.reason or "not applicable", 200)) if item.na != "never" else None
    value = response.value
    if response.agreed_status is not Status.ANSWERED or value is None or not item.takes(value) or not item.known(value):
        return None
    graded = item.graded_value(value)
    evidence = response.evidence if today is None else _evidence(item, response, today)
    return AnswerState(value, None if graded is None else float(graded), evidence)


def counts_as(item: Item, response: Response | None) -> Status:
    """The status as it is judged: an answer that says unknown is one, and what the question does not take is none."""
    if response is None or response.agreed_status in {Status.UNANSWERED, Status.UNKNOWN}:
        return response.agreed_status if response else Status.UNANSWERED
    if state_of(item, response) is not None:
        return response.agreed_status
    return Status.UNKNOWN if response.value is not None and item.takes(response.value) else Status.UNANSWERED


def _evidence(item: Item, response: Response, today: date) -> Evidence:
    """What an answer rests on: what a team saw of its own product is a document of it; an observer is somebody else."""
    if response.independently_tested(today):
        return Evidence.OBSERVED
    grade = response.grade(today)
    return Evidence.DOCUMENTED if grade is Evidence.OBSERVED and item.scope is not Scope.ORG else grade


def _nest(target: dict[str, Any], name: str, value: Any) -> None:
    """Put a value under a dotted name, level by level."""
    *path, last = name.split(".")
    for part in path:
        inner = target.setdefault(part, {})
        if not isinstance(inner, dict):
            return
        target = inner
    target[last] = value


class Causes(NamedTuple):
    """What an undecided condition waits for.

    :ivar answers: ids of items that are asked and not answered, or answered with unknown.
    :ivar excused: ids of items that are hidden or not applicable.
    :ivar facts: dotted names of facts that were not observed.
    :ivar others: other dotted names that are not there, such as the contract's, and what went wrong.
    :ivar organizations: ids of the organisations of which it is not known, where all of them are asked.
    """

    answers: tuple[str, ...] = ()
    excused: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()

    @property
    def only_excused(self) -> bool:
        """Nothing will ever decide it: all that is missing is hidden or not applicable."""
        return bool(self.excused) and not (self.answers or self.facts or self.others)

    def union(self, *others: Causes) -> Causes:
        """All of them, each name once."""
        return Causes(*(tuple(dict.fromkeys(chain.from_iterable(names))) for names in zip(self, *others, strict=True)))


#: Of a condition that is decided.
NO_CAUSES = Causes()
