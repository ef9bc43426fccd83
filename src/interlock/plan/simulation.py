"""One plan with all its runs: every task sampled, the work levelled, each finish with its quantiles.

:class:`Simulation` is the plan; :class:`Comparison` times it again with something closed or changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from interlock.model.base import Owner
from interlock.model.forecast import Quantiles
from interlock.model.organization import Freeze
from interlock.plan import network
from interlock.plan.calendar import Span, WorkingCalendar
from interlock.plan.capacity import Staffing, staff
from interlock.plan.network import Bools, Floats, Times
from interlock.plan.progress import left, progress_of, touch_left
from interlock.plan.sampling import Durations, Sampler, effort_estimate, given_open, pert_mean, sample, whole_estimate
from interlock.plan.tasks import Work
from interlock.plan.timing import CLOSED, Changed, Moved, Rerun, Timing

#: Most tasks × runs that are held at once (4 bytes each, three arrays); more tasks get fewer runs.
MAX_CELLS = 10_000_000
#: Runs in which what-ifs are compared, the same for every one, so that differences are not luck; fewer for huge fleets
#: (most cells at once).
_RUNS, _CELLS = 2_000, 2_000_000
#: Runs of what-ifs that are timed side by side: what stays in a processor's cache. Four organisations' 200 what-ifs of
#: 2,000 runs take 0.23 s of processor time by twos, and 0.39 s by eights.
_AT_ONCE = 5_000


@dataclass(frozen=True)
class Simulation:
    """A plan's runs.

    :ivar orgs: organisation ids, in the order given.
    :ivar persons: stated capacity by owner.
    :ivar absent: row of what is a gap only by chance → the runs in which it turns out to be none.
    :ivar done: rows of the tasks that are done → every run.
    """

    work: Work
    orgs: tuple[str, ...]
    calendar: WorkingCalendar
    persons: Mapping[Owner, float]
    sampler: Sampler
    timing: Timing
    durations: Durations
    absent: Mapping[int, Bools]
    done: Mapping[int, Bools]
    times: Times

    @cached_property
    def ends(self) -> dict[str | None, tuple[int, ...]]:
        """Organisation → the last rows of all that its finish waits for; none → those of the whole plan."""
        every = range(len(self.work.tasks))
        return {None: _last(self.work, every)} | {org: _last(self.work, self.work.rows_of[org]) for org in self.orgs}

    def end(self, org: str | None) -> Floats:
        """The finish of an organisation, or of the plan, in each run."""
        return latest(self.times.finishes, self.ends[org], self.sampler.runs)

    @cached_property
    def if_no_gaps(self) -> dict[str | None, Floats]:
        """The finishes if nothing undecided turned out to be a gap."""
        never = np.ones(self.sampler.runs, dtype=np.bool_)
        return self._ends_if({**dict.fromkeys(self.absent, never), **self.done})

    @cached_property
    def if_all_gaps(self) -> dict[str | None, Floats]:
        """The finishes if everything undecided turned out to be a gap."""
        return self._ends_if(self.done)

    def _ends_if(self, absent: Mapping[int, Bools]) -> dict[str | None, Floats]:
        if not self.absent:
            return {org: self.end(org) for org in self.ends}
        finishes = self.timing.times(self.durations, absent).finishes
        return {org: latest(finishes, rows, self.sampler.runs) for org, rows in self.ends.items()}

    def most_likely(self) -> Times:
        """The times when everything takes its most likely value and what is more likely no gap is none, in one run."""
        staffing, tasks = self.timing.staffing, self.work.tasks
        touch = [effort_estimate(task.effort, crew)[1] for task, crew in zip(tasks, staffing.crews, strict=True)]
        parts = map(whole_estimate, tasks, staffing.crews)
        total = np.array([work[1] + wait[1] for work, wait in parts], dtype=np.float32).reshape(-1, 1)
        alone = {row: np.minimum(np.float32(touch[row]), total[row]) for row in staffing.split}
        likely_none = {row: np.array([(tasks[row].chance or 0.0) < 0.5]) for row in self.absent}
        done = dict.fromkeys(self.done, np.ones(1, dtype=np.bool_))
        durations = _left(self.work, self.calendar, Durations(total, alone), staffing, None)
        return self.timing.times(durations, {**likely_none, **done})

    def share_left(self, row: int) -> float:
        """The mean share of a task's own work that is left, in [0, 1]: all of it, unless the task is under way."""
        task = self.work.tasks[row]
        if not task.is_begun:
            return 1.0
        work, wait = map(pert_mean, whole_estimate(task, self.timing.staffing.crews[row]))
        total, touch = self.durations.of(row)
        whole = work or wait  # own history tells no effort apart
        rest = touch if touch is not None else touch_left(total, np.full_like(total, wait)) if work else total
        return min(1.0, float(rest.mean(dtype=np.float64)) / whole) if whole else 1.0

    def quantiles(self, end: Floats) -> Quantiles:
        """P10, P50, P80 and P90 of a finish, as working days and dates."""
        days = [round(float(day), 1) for day in network.quantiles(end, 0.1, 0.5, 0.8, 0.9)]
        dates = [self.calendar.date_of(day).isoformat() for day in days]
        return Quantiles(
            p10_days=days[0],
            p50_days=days[1],
            p80_days=days[2],
            p90_days=days[3],
            p10_date=dates[0],
            p50_date=dates[1],
            p80_date=dates[2],
            p90_date=dates[3],
        )


def simulate(
    work: Work,
    orgs: Iterable[str],
    calendar: WorkingCalendar,
    freezes: Sequence[Freeze],
    persons: Mapping[Owner, float],
    sampler: Sampler,
) -> Simulation:
    """Sample every task and time the network; the work is levelled where an owner's capacity is stated."""
    staffing = staff(work, persons)
    durations = sample(work.tasks, sampler, staffing.crews, staffing.split)
    timing = Timing.of(work, staffing, _spans(work, calendar, freezes), durations)
    durations = _left(work, calendar, durations, staffing, sampler)
    begun = frozenset(row for row, task in enumerate(work.tasks) if task.is_begun)
    moving = begun | {row for row, task in enumerate(work.tasks) if task.is_done}
    lent = (
        row
        for row, crew in timing.arcs.before.items()
        if work.before[row] and moving.issuperset(work.before[row]) and not set(crew) & set(work.before[row])
    )
    timing = replace(timing, begun=begun, patience={**timing.patience, **dict.fromkeys(lent, 0.0)})
    done = dict.fromkeys((row for row, task in enumerate(work.tasks) if task.is_done), np.ones(sampler.runs, np.bool_))
    absent = _absent(work, sampler)
    times = timing.times(durations, {**absent, **done}, queues=True)
    return Simulation(work, tuple(orgs), calendar, persons, sampler, timing, durations, absent, done, times)


def _left(
    work: Work, calendar: WorkingCalendar, durations: Durations, staffing: Staffing, sampler: Sampler | None
) -> Durations:
    """What is left of the durations: who follows whom was decided on the whole ones, so nothing gets later by it.

    :param sampler: what they were drawn with; none for the most likely ones, which are not drawn.
    """
    total, touch = durations.total, dict(durations.touch)
    for row, task in enumerate(work.tasks):
        if task.said is None:
            continue
        progress = progress_of(task.said, calendar)
        longer, wait = total[row], total[row] - touch.get(row, np.float32(0.0))
        if sampler is not None and progress.spent:
            longer, wait = given_open(task, sampler, staffing.crews[row], progress.spent)
        total[row] = left(total[row], longer, progress)
        if row in touch:
            touch[row] = np.minimum(touch[row], touch_left(total[row], wait))
    return Durations(total, touch)


def _absent(work: Work, sampler: Sampler) -> dict[int, Bools]:
    """Row of what need not be done → the runs in which it need not: no gap, or none of those that would ask for it."""
    chances = {row: task.chance for row, task in enumerate(work.tasks) if task.chance is not None}
    absent: dict[int, Bools] = {
        row: ~sampler.happens(work.tasks[row].id, chance)
        for row, chance in chances.items()
        if not work.tasks[row].only_if
    }
    for row in chances.keys() - absent.keys():
        reasons = [work.row_of[name] for name in work.tasks[row].only_if if name in work.row_of]
        every = np.ones(sampler.runs, dtype=np.bool_)
        absent[row] = np.logical_and.reduce([every, *(absent[reason] for reason in reasons)])
    return dict(sorted(absent.items()))


def _spans(work: Work, calendar: WorkingCalendar, freezes: Sequence[Freeze]) -> dict[int, tuple[Span, ...]]:
    """When the work of each row stands still; a shared task is held by everybody's freezes only."""
    waiting = {row: task.org for row, task in enumerate(work.tasks) if task.waits_in_freeze}
    stopped = {
        org: calendar.spans(freeze for freeze in freezes if freeze.org in {None, org}) for org in set(waiting.values())
    }
    return {row: stopped[org] for row, org in waiting.items() if stopped[org]}


def _last(work: Work, rows: Iterable[int]) -> tuple[int, ...]:
    inside = set(rows)
    return tuple(row for row in sorted(inside) if inside.isdisjoint(work.after[row]))


def latest(finishes: Floats | Mapping[int, Floats], rows: Sequence[int], runs: int) -> Floats:
    """The latest finish of these rows in each run; zero without any."""
    if not rows:
        return np.zeros(runs, dtype=np.float32)
    result: Floats = finishes[rows[0]].copy()
    for row in rows[1:]:
        np.maximum(result, finishes[row], out=result)
    return result


class Comparison(Rerun):
    """The same runs with some tasks closed or changed: P80s before and after.

    Savings are summed over the organisations' own P80s (the plan's, when there are none).
    """

    def __init__(self, simulation: Simulation) -> None:
        runs = min(simulation.sampler.runs, _RUNS, max(100, _CELLS // max(1, len(simulation.work.tasks))))
        absent = {**simulation.absent, **simulation.done}
        super().__init__(simulation.timing, simulation.durations, absent, simulation.times, runs)
        self._ends = simulation.ends
        self._ends_at: dict[int, list[str | None]] = defaultdict(list)
        for org in simulation.orgs or (None,):
            for row in simulation.ends[org]:
                self._ends_at[row].append(org)
        self._p80 = {org: network.quantile(latest(self.finishes, self._ends[org], runs), 0.8) for org in self._ends}

    def without(self, rows: Iterable[int]) -> Comparison:
        """The comparison in which these tasks are taken out from the start."""
        moved = self.changed([dict.fromkeys(rows, CLOSED)])
        other = copy(self)
        other._absent = {**self._absent, **dict.fromkeys(rows, np.ones(self.runs, dtype=np.bool_))}
        other.finishes = self.finishes.copy()
        for row, (finish,) in moved.finishes.items():
            other.finishes[row] = finish
        other._released = {**self._released, **{row: free for row, (free,) in moved.released.items()}}
        other._p80 = {org: self.p80s(org, moved)[0] for org in self._ends}
        return other

    def savings(self, changes: Sequence[Mapping[int, Changed]]) -> list[float]:
        """What each of many what-ifs saves; a few are timed at a time, because all that they move has to be held."""
        many = max(1, _AT_ONCE // self.runs)
        some = (changes[first : first + many] for first in range(0, len(changes), many))
        return [days for few in some for days in self.saved(self.changed(few))]

    def saved(self, moved: Moved) -> list[float]:
        """Working days that the P80s come forward (negative: that they move out), summed over the organisations."""
        saved = [0.0] * moved.what_ifs
        for org in dict.fromkeys(org for row in moved.finishes for org in self._ends_at.get(row, ())):
            saved = [days + self.p80(org) - p80 for days, p80 in zip(saved, self.p80s(org, moved), strict=True)]
        return saved

    def saved_since(self, before: Comparison) -> dict[str | None, float]:
        """Working days that each organisation's P80 has come forward since another comparison."""
        orgs = {org for orgs in self._ends_at.values() for org in orgs}
        return {org: before.p80(org) - self.p80(org) for org in sorted(orgs, key=str)}

    def p80(self, org: str | None) -> float:
        """P80 of an organisation's finish, or of the plan's, in working days."""
        return self._p80[org]

    def p80s(self, org: str | None, moved: Moved) -> list[float]:
        """The same under each what-if."""
        rows = self._ends[org]
        if moved.finishes.keys().isdisjoint(rows):
            return [self.p80(org)] * moved.what_ifs
        end: Floats = np.zeros((moved.what_ifs, self.runs), dtype=np.float32)
        for row in rows:
            np.maximum(end, moved.finishes.get(row, self.finishes[row]), out=end)
        return [float(p80) for p80 in network.quantiles(end, 0.8)[0]]
