"""What the verdict postpones waits in the plan too: the arrows that it adds to those of the order.

Each gap that argues for a verdict, and each routine task of it, is waited for by whatever that verdict postpones
(:mod:`interlock.model.postponed`). The verdict itself is the earliest of those that something argues for, so while it
stands nothing starts that it postpones. Arrows are drawn for the later ones as well, and before a gap is known to be
one: so closing a gap, or finding out that there is none, only ever takes arrows away, and no date moves back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Protocol

from interlock.model.base import Scope, VerdictValue
from interlock.model.postponed import POSTPONING

#: Whose facts settle a verdict: the product's (name empty), one vendor's, or one organisation's.
_Party = tuple[Scope, str]


class Waiting(Protocol):
    """What has to be known of a task (:class:`interlock.plan.tasks.Task`)."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def scope(self) -> Scope:
        """Whether it is the product's, a vendor's or an organisation's."""

    @property
    def parties(self) -> Mapping[Scope, str]:
        """Its vendor and its organisation, by scope."""

    @property
    def after(self) -> tuple[str, ...]:
        """Ids of what it comes after."""

    @property
    def verdict(self) -> VerdictValue | None:
        """The verdict that it helps to settle; none for most."""

    @property
    def postponed_by(self) -> VerdictValue | None:
        """The last verdict that postpones it; none when no verdict does."""


def postponing(tasks: Mapping[str, Waiting]) -> dict[str, tuple[str, ...]]:
    """Task → what it has to wait for besides its ``after``.

    A task waits for what settles the verdict at the product, at its vendor and at its organisation, never at another
    one. An arrow that others imply is left out: of what settles a verdict the last are waited for, and whatever comes
    after something that waits for them already does not wait for them itself.
    """
    last = {verdict: _last(tasks, verdict) for verdict in POSTPONING}
    arrows: dict[str, tuple[str, ...]] = {}
    for task in tasks.values():
        firsts: dict[str, None] = {}
        for verdict in reversed(POSTPONING):
            for party in _waits_for(task, verdict):
                settles = last[verdict].get(party, ())
                if settles and not any(party in _waits_for(tasks[first], verdict) for first in (*task.after, *firsts)):
                    firsts.update(dict.fromkeys(settles))
        if more := tuple(first for first in firsts if first not in task.after):
            arrows[task.id] = more
    return arrows


def _waits_for(task: Waiting, verdict: VerdictValue) -> tuple[_Party, ...]:
    """Whose facts the task waits for while this verdict is not settled."""
    if task.postponed_by is None or task.postponed_by.rank < verdict.rank:
        return ()
    return ((Scope.PRODUCT, ""), *task.parties.items())


def _last(tasks: Mapping[str, Waiting], verdict: VerdictValue) -> dict[_Party, tuple[str, ...]]:
    """By party, what settles a verdict there and nothing else that settles it there comes after."""
    settles: dict[_Party, list[Waiting]] = defaultdict(list)
    for task in tasks.values():
        if task.verdict is verdict:
            settles[_party(task)].append(task)
    return {party: _ends(members) for party, members in settles.items()}


def _party(task: Waiting) -> _Party:
    return (task.scope, "" if task.scope is Scope.PRODUCT else task.parties[task.scope])


def _ends(members: Iterable[Waiting]) -> tuple[str, ...]:
    ids = {task.id: None for task in members}
    passed = {first for task in members for first in task.after}
    return tuple(name for name in ids if name not in passed)
