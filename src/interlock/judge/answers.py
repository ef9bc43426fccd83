"""The answers that one subject's conditions see, and what stands in place of the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple

from interlock.content.messages import line
from interlock.model.base import Evidence, Status
from interlock.model.questionnaire import AnswerValue, Item, ItemType, Response, Responses


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


@dataclass(frozen=True)
class Answers:
    """The answers of one subject, nested as conditions read them.

    :ivar responses: nested by the words of the item's id; answered items only.
    :ivar value: the same shape, v in [0, 1], graded items only.
    :ivar graded: item id → v.
    :ivar evidence: item id → evidence, of answered items.
    :ivar excused: item id → why it needs no answer.
    """

    responses: dict[str, Any] = field(default_factory=dict)
    value: dict[str, Any] = field(default_factory=dict)
    graded: dict[str, float] = field(default_factory=dict)
    evidence: dict[str, Evidence] = field(default_factory=dict)
    excused: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, states: Mapping[str, AnswerState]) -> Answers:
        """The answers that these states are."""
        answers = cls()
        for item_id, state in states.items():
            if state.excused is not None:
                answers.excused[item_id] = state.excused
                continue
            assert state.evidence is not None
            value = state.value
            nest(answers.responses, item_id, list(value) if isinstance(value, tuple) else value)
            answers.evidence[item_id] = state.evidence
            if state.graded is not None:
                answers.graded[item_id] = state.graded
                nest(answers.value, item_id, state.graded)
        return answers


def collect_answers(items: Iterable[Item], responses: Responses, hidden: frozenset[str]) -> Answers:
    """The answers to these items; a value that its item no longer offers counts as not answered."""
    states = {item.id: state_of(item, responses.get(item.id), item.id in hidden) for item in items}
    return Answers.of({item_id: state for item_id, state in states.items() if state is not None})


def state_of(item: Item, response: Response | None, hidden: bool) -> AnswerState | None:
    """What is known about an item; none when it is asked and not answered, or answered with unknown."""
    if hidden:
        return AnswerState(excused="not asked")
    if response is None:
        return None
    if response.status is Status.NOT_APPLICABLE:
        return AnswerState(excused=line(response.reason or "not applicable", 200))
    value = response.value
    if response.status is not Status.ANSWERED or value is None or not _possible(item, value):
        return None
    graded = item.graded_value(value)
    return AnswerState(value, None if graded is None else float(graded), response.evidence)


def nest(target: dict[str, Any], name: str, value: Any) -> None:
    """Put a value under a dotted name, level by level."""
    *path, last = name.split(".")
    for part in path:
        inner = target.setdefault(part, {})
        if not isinstance(inner, dict):
            return
        target = inner
    target[last] = value


def _possible(item: Item, value: AnswerValue) -> bool:
    if item.type is ItemType.CHOICE:
        return isinstance(value, str) and item.option(value) is not None
    if item.type is ItemType.MULTI_CHOICE:
        return isinstance(value, tuple) and all(item.option(option) is not None for option in value)
    if item.type is ItemType.BOOLEAN:
        return isinstance(value, bool)
    if item.type is ItemType.INTEGER:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, str)


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
