"""Own history: what tasks of a kind have taken, in the place of the ruleset's estimate.

With :data:`ENOUGH` finished tasks of one routine task, the shortest, the median and the longest take the place of low,
expected and high. They are whole durations, from the day begun to the day done, both included, in working days.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from statistics import median

from interlock.model.base import Grade
from interlock.model.routine import PastTask
from interlock.model.rule import LeadTime
from interlock.plan.calendar import WorkingCalendar

#: Fewest finished tasks of a kind that replace an estimate. Judgement: the next task lies outside of what three have
#: taken with a chance of one half, which is 2 / (n + 1) if none differs from the others.
ENOUGH = 3


def own_estimates(past: Iterable[PastTask], holidays: tuple[date, ...], as_of: date) -> dict[str, LeadTime]:
    """By routine task, what the finished ones have taken; only where there are enough of them.

    :param holidays: days that were not worked.
    """
    taken: dict[str, list[float]] = defaultdict(list)
    for task in past:
        taken[task.kind].append(max(1.0, WorkingCalendar(task.begun, holidays).days_through(task.done)))
    return {
        kind: LeadTime(
            low=min(days),
            expected=median(days),
            high=max(days),
            unit="working_days",
            source=f"own history, n = {len(days)}",
            grade=Grade.HISTORY,
            as_of=as_of.isoformat(),
        )
        for kind, days in sorted(taken.items())
        if len(days) >= ENOUGH
    }
