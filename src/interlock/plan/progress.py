"""What is left of a routine task that has begun or is done: nothing of one that is done, some of one that has begun.

A task that has begun and is not over takes longer than what has passed since: its duration is drawn from those that do
(:func:`interlock.plan.sampling.given_open`), and what has passed is taken off. No run keeps less than a rest: a task
that is open has something left to do, however long it has taken. The rest is a fifth of the run's own duration and at
least a day, or all of it where that is shorter. Both numbers are our judgement: past the end of its estimate, a task
would be planned as done tomorrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from interlock.model.routine import TaskStatus
from interlock.plan.calendar import WorkingCalendar
from interlock.plan.network import Floats

#: The least part of a task's duration, and the least working days, that are left of one that has begun. Judgement.
LEAST_SHARE, LEAST_DAYS = 0.2, 1.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one task has come when the plan starts.

    :ivar spent: working days from the day on which it began to the plan's first day.
    """

    done: bool = False
    spent: float = 0.0


def progress_of(said: TaskStatus | None, calendar: WorkingCalendar) -> Progress:
    """How far a task has come when the plan starts; without a word it is not begun."""
    if said is None or said.begun is None or said.is_done:
        return Progress(done=said is not None and said.is_done)
    return Progress(spent=calendar.days_since(date.fromisoformat(said.begun)))


def left(total: Floats, longer: Floats, progress: Progress) -> Floats:
    """What is left of a task in each run: never more than all of it, and never less when it takes longer.

    :param total: its duration, as if nothing were known of it.
    :param longer: its duration, given that it is not over yet.
    """
    if progress.done:
        return np.zeros_like(total)
    rest = np.maximum(np.float32(LEAST_DAYS), np.float32(LEAST_SHARE) * total)
    result: Floats = np.minimum(total, np.maximum(longer - np.float32(progress.spent), rest))
    return result


def touch_left(whole: Floats, wait: Floats) -> Floats:
    """What is left of the part in which its crew is busy, which comes first: the lead time is what is left last.

    :param whole: what is left of the task.
    :param wait: its lead time.
    """
    result: Floats = np.maximum(whole - wait, np.float32(0.0))
    return result
