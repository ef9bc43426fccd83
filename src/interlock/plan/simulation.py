"""From durations to finishes: the network, the teams and the freezes together, in every run of one plan.

:class:`Timing` holds what does not change with the durations: who waits for whom, who works on what, in which order the
teams take their work, and when which work stands still. The order is by the week in which a task could start on average
if nobody had to wait, and within a week by what has the longest way behind it. It never puts a task before one that it
waits for: that one can start no later, and has no shorter way behind it.

:class:`Simulation` is one plan with all its runs; :class:`Rerun` and :class:`Comparison` reuse them for what-ifs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from types import MappingProxyType

import numpy as np

from interlock.model.base import Owner
from interlock.model.organization import Freeze
from interlock.model.plan import Quantiles
from interlock.plan import network
from interlock.plan.calendar import Span, WorkingCalendar
from interlock.plan.capacity import NO_RUN, Lanes, Staffing, staff
from interlock.plan.network import Bools, Floats, Ints
from interlock.plan.sampling import Durations, Sampler, effort_estimate, lead_estimate, sample
from interlock.plan.tasks import Work

#: Runs that decide the order in which a team takes its work.
_ORDERING = 256
#: Working days in a week.
_WEEK = 5.0
#: Tasks × runs of what-ifs that are timed beside one another.
_TOGETHER = 4_000_000
#: Most tasks × runs that are held at once (4 bytes each, three arrays); more tasks get fewer runs.
MAX_CELLS = 10_000_000
#: Runs in which what-ifs are compared, the same for every one, so that differences are not luck. Fewer with levelling,
#: which has more to compute, and for huge fleets (most cells at once).
_RUNS, _LEVELLED_RUNS, _CELLS = 2_000, 500, 2_000_000
#: Most tasks whose what-ifs are levelled. In a larger plan they are compared as if nobody had to wait.
_LEVELLED_TASKS = 500


@dataclass(frozen=True)
class Times:
    """Times of every task in every run, shape (tasks, runs), in working days.

    :ivar held: for tasks that may have waited for a person: the row that they waited for, -1 for none.
    :ivar queued: mean working days of that waiting, by row.
    """

    durations: Durations
    starts: Floats
    finishes: Floats
    held: Mapping[int, Ints]
    queued: Mapping[int, float]


@dataclass(frozen=True)
class Changed:
    """One task's new durations in a what-if, in at least as many runs; without ``touch`` it needs nobody's time."""

    total: Floats
    touch: Floats | None = None


@dataclass(frozen=True)
class Timing:
    """The part of a schedule that stays the same whatever the tasks take.

    :ivar spans: row → when its work stands still.
    :ivar order: rows in the order in which they are timed; nothing comes before what it waits for.
    """

    work: Work
    staffing: Staffing
    spans: Mapping[int, Sequence[Span]]
    order: tuple[int, ...]

    @classmethod
    def of(cls, work: Work, staffing: Staffing, spans: Mapping[int, Sequence[Span]], durations: Durations) -> Timing:
        """The timing of this work, its tasks ordered for these durations."""
        rows = tuple(range(len(work.tasks)))
        if not staffing.teams:
            return cls(work, staffing, spans, rows)
        alone = cls(work, staffing, spans, rows).unlevelled().times(durations.first(_ORDERING))
        week = alone.starts.mean(axis=1, dtype=np.float64) // _WEEK
        way = _ways(work, durations.first(_ORDERING).total.mean(axis=1, dtype=np.float64))
        return cls(work, staffing, spans, tuple(sorted(rows, key=lambda row: (week[row], -way[row], row))))

    def unlevelled(self) -> Timing:
        """This timing as if nobody had to wait for anybody."""
        return replace(self, staffing=replace(self.staffing, teams=(), team_of={}, size={}))

    def times(
        self,
        durations: Durations,
        *,
        trace: bool = True,
        absent: Mapping[int, Bools] = MappingProxyType({}),
        limit: Floats | None = None,
    ) -> Times:
        """Start and finish of every task.

        :param trace: also whom a task waited for, and how long.
        :param absent: row → runs in which the task needs nobody.
        :param limit: finishes that levelled tasks do not exceed, over and over for every so many runs.
        """
        total = durations.total
        starts, finishes = np.empty_like(total), np.empty_like(total)
        lanes = [Lanes(team, total.shape[1], trace=trace) for team in self.staffing.teams]
        held: dict[int, Ints] = {}
        queued: dict[int, float] = {}
        for row in self.order:
            start, firsts = starts[row], self.work.before[row]
            start[:] = finishes[firsts[0]] if firsts else 0.0
            for first in firsts[1:]:
                np.maximum(start, finishes[first], out=start)
            number = self.staffing.team_of.get(row)
            spans = self.spans.get(row, ())
            if number is not None:
                began, whom = lanes[number].take(
                    row,
                    self.staffing.size[row],
                    start,
                    partial(network.advance, duration=durations.touch[row], spans=spans),
                    absent.get(row, NO_RUN),
                )
                if whom is not None:
                    held[row], queued[row] = whom, float((began - start).mean())
                start[:] = began
            finishes[row] = network.advance(start, total[row], spans)
            if number is not None and limit is not None:
                repeated = finishes[row].reshape(-1, limit.shape[1])
                np.minimum(repeated, limit[row], out=repeated)
        return Times(durations, starts, finishes, held, queued)


def _ways(work: Work, durations: Sequence[float]) -> dict[int, float]:
    """Working days from the start of each task to the end of the plan, along the longest way."""
    ways: dict[int, float] = {}
    for row in reversed(range(len(work.tasks))):
        ways[row] = float(durations[row]) + max((ways[later] for later in work.after[row]), default=0.0)
    return ways


class Rerun:
    """What-ifs over the first so many runs.

    :ivar times: the schedule as it is, in these runs.
    """

    def __init__(self, timing: Timing, durations: Durations, runs: int) -> None:
        self.timing, self.runs = timing, runs
        self.times = timing.times(durations.first(runs), trace=False)

    def closed(self, closings: Iterable[Iterable[int]]) -> Iterator[dict[int, Floats]]:
        """For each set of tasks, the finishes of all that changes when they take no time and nobody's."""
        nothing = Changed(np.zeros(self.runs, dtype=np.float32))
        return self.changed([dict.fromkeys(rows, nothing) for rows in closings])

    def changed(
        self, changes: Sequence[Mapping[int, Changed]], *, never_later: bool = True
    ) -> Iterator[dict[int, Floats]]:
        """For each of several what-ifs, in their order, the finishes of all that changes.

        Without levelling only what waits for a changed task is timed again. With it all that follows in a team's list
        may change, so many what-ifs are timed beside one another, as more runs of the same plan.

        :param never_later: the changes only take work away. The schedule as it is then stays possible, so no task ends
            later than in it; a list schedule made anew might (Graham, *SIAM Journal on Applied Mathematics* 17, 1969).
        """
        if not self.timing.staffing.teams:
            yield from map(self._alone, changes)
            return
        together = max(1, _TOGETHER // max(1, self.times.starts.size))
        for first in range(0, len(changes), together):
            yield from self._beside(changes[first : first + together], never_later)

    def _alone(self, change: Mapping[int, Changed]) -> dict[int, Floats]:
        times, before, spans = self.times, self.timing.work.before, self.timing.spans
        finishes: dict[int, Floats] = {}
        for row in self.timing.work.with_following(change):
            rows = [finishes[first] if first in finishes else times.finishes[first] for first in before[row]]
            start = np.maximum.reduce(rows) if rows else np.zeros(self.runs, dtype=np.float32)
            total = change[row].total[: self.runs] if row in change else times.durations.total[row]
            finishes[row] = network.advance(start, total, spans.get(row, ()))
        return finishes

    def _beside(self, changes: Sequence[Mapping[int, Changed]], never_later: bool) -> Iterator[dict[int, Floats]]:
        base = self.times.durations
        parts = [slice(number * self.runs, (number + 1) * self.runs) for number in range(len(changes))]
        total = np.tile(base.total, len(changes))
        touch = {row: np.tile(days, len(changes)) for row, days in base.touch.items()}
        absent: dict[int, Bools] = {}
        for part, change in zip(parts, changes, strict=True):
            for row, new in change.items():
                total[row, part] = new.total[: self.runs]
                if row in touch and new.touch is None:
                    absent.setdefault(row, np.zeros(total.shape[1], dtype=np.bool_))[part] = True
                elif row in touch and new.touch is not None:
                    touch[row][part] = new.touch[: self.runs]
        limit = self.times.finishes if never_later else None
        finishes = self.timing.times(Durations(total, touch), trace=False, absent=absent, limit=limit).finishes
        for part in parts:
            yield dict(enumerate(finishes[:, part]))


@dataclass(frozen=True)
class Simulation:
    """A plan's runs.

    :ivar orgs: organisation ids, in the order given.
    :ivar persons: stated capacity by owner.
    """

    work: Work
    orgs: tuple[str, ...]
    calendar: WorkingCalendar
    persons: Mapping[Owner, float]
    sampler: Sampler
    timing: Timing
    times: Times

    @cached_property
    def ends(self) -> dict[str | None, tuple[int, ...]]:
        """Organisation → the last rows of all that its finish waits for; none → those of the whole plan."""
        every = range(len(self.work.tasks))
        return {None: _last(self.work, every)} | {org: _last(self.work, self.work.rows_of[org]) for org in self.orgs}

    def end(self, org: str | None) -> Floats:
        """The finish of an organisation, or of the plan, in each run."""
        return latest(self.times.finishes, self.ends[org], self.sampler.runs)

    def most_likely(self) -> Times:
        """The times when everything takes its most likely value, in one run."""
        staffing, tasks = self.timing.staffing, self.work.tasks
        touch = [effort_estimate(task.effort, crew)[1] for task, crew in zip(tasks, staffing.crews, strict=True)]
        total = [days + lead_estimate(task.lead_time)[1] for task, days in zip(tasks, touch, strict=True)]
        alone = {row: np.array([touch[row]], dtype=np.float32) for row in staffing.split}
        return self.timing.times(Durations(np.array(total, dtype=np.float32).reshape(-1, 1), alone))

    def quantiles(self, end: Floats) -> Quantiles:
        """P50, P80 and P90 of a finish, as working days and dates."""
        days = [round(network.quantile(end, share), 1) for share in (0.5, 0.8, 0.9)]
        dates = [self.calendar.date_of(day).isoformat() for day in days]
        return Quantiles(
            p50_days=days[0],
            p80_days=days[1],
            p90_days=days[2],
            p50_date=dates[0],
            p80_date=dates[1],
            p90_date=dates[2],
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
    return Simulation(work, tuple(orgs), calendar, persons, sampler, timing, timing.times(durations))


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

    def __init__(self, simulation: Simulation) -> None:
        timing, rows = simulation.timing, max(1, len(simulation.work.tasks))
        if rows > _LEVELLED_TASKS:
            timing = timing.unlevelled()
        wanted = _LEVELLED_RUNS if timing.staffing.teams else _RUNS
        runs = min(simulation.sampler.runs, wanted, max(100, _CELLS // rows))
        super().__init__(timing, simulation.times.durations, runs)
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

    def p80(self, org: str | None, changed: Mapping[int, Floats] | None = None) -> float:
        """P80 of an organisation's finish, or of the plan's, in working days."""
        if changed is None:
            return self._p80[org]
        finishes = {row: changed.get(row, self.times.finishes[row]) for row in self._ends[org]}
        return network.quantile(latest(finishes, self._ends[org], self.runs), 0.8)
