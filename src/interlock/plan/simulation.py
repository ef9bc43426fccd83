"""From durations to finishes: the network, the teams and the freezes together, in every run of one plan.

:class:`Timing` holds what does not change with the durations: who waits for whom, whose crew a task takes over, and
when which work stands still. It is made once, on the fullest network (everything undecided a gap), so that dates never
run backwards from "nothing undecided is a gap" to "all of it is", and closing a gap never makes anything later.

:class:`Simulation` is one plan with all its runs; :class:`Rerun` and :class:`Comparison` reuse them for what-ifs.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np

from interlock.model.base import Owner
from interlock.model.forecast import Quantiles
from interlock.model.organization import Freeze
from interlock.plan import network
from interlock.plan.calendar import Span, WorkingCalendar
from interlock.plan.capacity import Arcs, Staffing, arcs, no_arcs, staff
from interlock.plan.network import Bools, Floats, Times
from interlock.plan.progress import left, progress_of, touch_left
from interlock.plan.sampling import Durations, Sampler, effort_estimate, given_open, pert_mean, sample, whole_estimate
from interlock.plan.tasks import Work

#: Runs whose mean durations decide who follows whom.
_ORDERING = 256
#: Working days in a week.
_WEEK = 5.0
#: Most tasks × runs that are held at once (4 bytes each, three arrays); more tasks get fewer runs.
MAX_CELLS = 10_000_000
#: Runs in which what-ifs are compared, the same for every one, so that differences are not luck; fewer for huge fleets
#: (most cells at once).
_RUNS, _CELLS = 2_000, 2_000_000
#: Nothing is absent.
NONE_ABSENT: Mapping[int, Bools] = MappingProxyType({})


@dataclass(frozen=True)
class Timing:
    """The part of a schedule that stays the same whatever the tasks take.

    :ivar spans: row → when its work stands still.
    :ivar arcs: whose crew each task takes over, and the order in which tasks are timed.
    :ivar begun: rows of the tasks that are under way when the plan starts.
    :ivar lent: rows of those that come straight after what is done or under way: somebody is lent to them as soon as
        they are ready, for the days that the list has for them later.
    """

    work: Work
    staffing: Staffing
    spans: Mapping[int, Sequence[Span]]
    arcs: Arcs
    begun: frozenset[int] = frozenset()
    lent: frozenset[int] = frozenset()

    @classmethod
    def of(cls, work: Work, staffing: Staffing, spans: Mapping[int, Sequence[Span]], durations: Durations) -> Timing:
        """The timing of this work; one schedule of the durations' means says who follows whom.

        A team takes its work by the week in which a task could start if nobody had to wait, and within a week by what
        has the longest way behind it. That never puts a task before one that it waits for: that one can start no later,
        and has no shorter way behind it.
        """
        alone = cls(work, staffing, spans, no_arcs(len(work.tasks)))
        if not staffing.teams:
            return alone
        some = durations.first(_ORDERING)
        week = alone.times(some).starts.mean(axis=1, dtype=np.float64) // _WEEK
        total = [float(days) for days in some.total.mean(axis=1, dtype=np.float64)]
        touch = {row: float(days.mean(dtype=np.float64)) for row, days in some.touch.items()}
        way = _ways(work, total)
        order = sorted(range(len(work.tasks)), key=lambda row: (week[row], -way[row], row))
        return replace(alone, arcs=arcs(work, staffing, order, total, touch, spans))

    def times(self, durations: Durations, absent: Mapping[int, Bools] = NONE_ABSENT) -> Times:
        """Start and finish of every task: the earliest that the order of the work and its crews allow.

        :param absent: row → runs in which the task does not take place. It takes no time then, and its crew is handed
            on as it would have got it.
        """
        total = durations.total
        starts, finishes = np.empty_like(total), np.empty_like(total)
        released: dict[int, Floats] = {}
        queued: dict[int, float] = {}
        for row in self.arcs.order:
            start = starts[row]
            self._earliest(row, finishes, start)
            ready = start.copy() if row in self.arcs.before and row not in self.begun else None
            self.time(row, start, durations.of(row), released, absent.get(row), finishes[row])
            if ready is not None:
                queued[row] = float((start - ready).mean())
        return Times(starts, finishes, released, {row: absent[row] for row in absent if row in released}, queued)

    def _earliest(self, row: int, finishes: Floats | Mapping[int, Floats], start: Floats) -> None:
        firsts = self.work.before[row]
        start[:] = finishes[firsts[0]] if firsts else 0.0
        for first in firsts[1:]:
            np.maximum(start, finishes[first], out=start)

    def time(
        self,
        row: int,
        start: Floats,
        days: tuple[Floats, Floats | None],
        released: dict[int, Floats],
        absent: Bools | None,
        finish: Floats,
    ) -> None:
        """Time one task that is ready at ``start``, which becomes its start.

        One that has begun does not wait for what was to come before it, only for its crew. It is not over before that
        either: where its own work ends first, it stands at the end of what it was to follow, like a task that is done.

        :param days: its duration, and of one with a crew the part for which it needs it.
        """
        total, touch = days
        ready = start.copy() if row in self.begun else None
        if ready is not None:
            start[:] = 0.0
        spans, before = self.spans.get(row, ()), self.arcs.before.get(row, ())
        if touch is not None and (before or row in self.arcs.after):
            given = released[before[0]] if before else np.zeros_like(start)
            for first in before[1:]:
                given = np.maximum(given, released[first])
            began = np.maximum(start, given)
            free = network.advance(began, touch, spans)
            if absent is not None:
                began, free = np.where(absent, start, began), np.where(absent, given, free)
            released[row] = free
            if row not in self.lent:
                start[:] = began
        finish[:] = network.advance(start, total, spans)
        if absent is not None:
            np.copyto(finish, start, where=absent)
        if ready is not None:
            over = finish <= ready
            np.copyto(start, ready, where=over)
            np.copyto(finish, ready, where=over)

    @cached_property
    def position(self) -> dict[int, int]:
        """Row → where it stands in the order in which tasks are timed."""
        return {row: at for at, row in enumerate(self.arcs.order)}


def _ways(work: Work, durations: Sequence[float]) -> dict[int, float]:
    """Working days from the start of each task to the end of the plan, along the longest way."""
    ways: dict[int, float] = {}
    for row in reversed(range(len(work.tasks))):
        ways[row] = durations[row] + max((ways[later] for later in work.after[row]), default=0.0)
    return ways


@dataclass(frozen=True)
class Changed:
    """One task's new durations in a what-if, in at least as many runs.

    :ivar absent: it does not take place at all.
    """

    total: Floats | None = None
    touch: Floats | None = None
    absent: bool = False


#: It takes no time, and nobody's.
CLOSED = Changed(absent=True)
#: It takes place in every run.
PRESENT = Changed()


class Rerun:
    """What-ifs over the first so many runs: what changes is timed again, with everything that may move with it.

    :ivar times: the schedule as it is, in these runs.
    """

    def __init__(self, timing: Timing, durations: Durations, absent: Mapping[int, Bools], runs: int) -> None:
        self.timing, self.runs, self._durations = timing, runs, durations.first(runs)
        self._absent = {row: where[:runs] for row, where in absent.items()}
        self.times = timing.times(self._durations, self._absent)

    def closed(self, rows: Iterable[int]) -> dict[int, Floats]:
        """The finishes of all that changes when these tasks take no time and nobody's."""
        return self.changed(dict.fromkeys(rows, CLOSED))

    def changed(self, change: Mapping[int, Changed]) -> dict[int, Floats]:
        """The finishes of what is changed and of all that moves with it; what stays as it is, is not followed."""
        timing, known = self.timing, self.times
        finishes: dict[int, Floats] = {}
        released = dict(known.released)
        waiting = [(timing.position[row], row) for row in change]
        heapq.heapify(waiting)
        last = -1
        while waiting:
            at, row = heapq.heappop(waiting)
            if at == last:
                continue  # several of those before it moved
            last = at
            ready: Floats = np.zeros(self.runs, dtype=np.float32)
            for first in timing.work.before[row]:
                np.maximum(ready, finishes[first] if first in finishes else known.finishes[first], out=ready)
            new = change.get(row)
            absent = self._absent.get(row)
            total, touch = self._durations.of(row)
            if new is not None:
                total = total if new.total is None else new.total[: self.runs]
                touch = touch if new.touch is None else new.touch[: self.runs]
                absent = np.ones(self.runs, dtype=np.bool_) if new.absent else None if new is PRESENT else absent
            finish: Floats = np.empty(self.runs, dtype=np.float32)
            timing.time(row, ready, (total, touch), released, absent, finish)
            moved = not np.array_equal(finish, known.finishes[row])
            if moved or new is not None:
                finishes[row] = finish
            later = timing.work.after[row] if moved else ()
            if row in released and not np.array_equal(released[row], known.released[row]):
                later = (*later, *timing.arcs.after.get(row, ()))
            for follower in later:
                heapq.heappush(waiting, (timing.position[follower], follower))
        return finishes


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
        days = [round(network.quantile(end, share), 1) for share in (0.1, 0.5, 0.8, 0.9)]
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
    lent = frozenset(
        row
        for row, crew in timing.arcs.before.items()
        if work.before[row] and moving.issuperset(work.before[row]) and not set(crew) & set(work.before[row])
    )
    timing = replace(timing, begun=begun, lent=lent)
    done = dict.fromkeys((row for row, task in enumerate(work.tasks) if task.is_done), np.ones(sampler.runs, np.bool_))
    absent = _absent(work, sampler)
    times = timing.times(durations, {**absent, **done})
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
    result: Floats = np.maximum.reduce([finishes[row] for row in rows])
    return result


class Comparison(Rerun):
    """The same runs with some tasks closed or changed: P80s before and after.

    Savings are summed over the organisations' own P80s (the plan's, when there are none).
    """

    def __init__(self, simulation: Simulation, closed: Iterable[int] = ()) -> None:
        """:param closed: rows of tasks that are taken out from the start."""
        runs = min(simulation.sampler.runs, _RUNS, max(100, _CELLS // max(1, len(simulation.work.tasks))))
        never = np.ones(simulation.sampler.runs, dtype=np.bool_)
        absent = {**simulation.absent, **simulation.done, **dict.fromkeys(closed, never)}
        super().__init__(simulation.timing, simulation.durations, absent, runs)
        self._ends = simulation.ends
        self._ends_at: dict[int, list[str | None]] = defaultdict(list)
        for org in simulation.orgs or (None,):
            for row in simulation.ends[org]:
                self._ends_at[row].append(org)
        self._p80 = {org: self.p80(org, {}) for org in self._ends}

    def saved(self, changed: Mapping[int, Floats]) -> float:
        """Working days that the P80s come forward (negative: that they move out), summed over the organisations."""
        orgs = dict.fromkeys(org for row in changed for org in self._ends_at.get(row, ()))
        return sum(self.p80(org) - self.p80(org, changed) for org in orgs)

    def saved_since(self, before: Comparison) -> dict[str | None, float]:
        """Working days that each organisation's P80 has come forward since another comparison."""
        orgs = {org for orgs in self._ends_at.values() for org in orgs}
        return {org: before.p80(org) - self.p80(org) for org in sorted(orgs, key=str)}

    def p80(self, org: str | None, changed: Mapping[int, Floats] | None = None) -> float:
        """P80 of an organisation's finish, or of the plan's, in working days."""
        if changed is None:
            return self._p80[org]
        finishes = {row: changed.get(row, self.times.finishes[row]) for row in self._ends[org]}
        return network.quantile(latest(finishes, self._ends[org], self.runs), 0.8)
