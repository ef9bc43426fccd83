"""One simulated plan with all its runs, and the comparisons that reuse them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from interlock.model.base import Owner
from interlock.model.organization import Freeze
from interlock.model.plan import Quantiles
from interlock.plan import network
from interlock.plan.calendar import Span, WorkingCalendar
from interlock.plan.capacity import staff
from interlock.plan.network import Floats
from interlock.plan.sampling import Durations, Sampler, effort_estimate, lead_estimate, sample
from interlock.plan.tasks import Work
from interlock.plan.timing import Rerun, Times, Timing

#: Most tasks × runs that are held at once (4 bytes each, three arrays); more tasks get fewer runs.
MAX_CELLS = 10_000_000
#: Runs in which what-ifs are compared, the same for every one, so that differences are not luck. Fewer with levelling,
#: which has more to compute, and for huge fleets (most cells at once).
_RUNS, _LEVELLED_RUNS, _CELLS = 2_000, 500, 2_000_000
#: Most tasks whose what-ifs are levelled. In a larger plan they are compared as if nobody had to wait.
_LEVELLED_TASKS = 500


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
        return {None: _last(self.work, every)} | {org: _last(self.work, self.work.rows_of(org)) for org in self.orgs}

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
        indexes = [network.quantile_index(share, end.size) for share in (0.5, 0.8, 0.9)]
        ordered = np.partition(end, sorted(set(indexes)))
        days = [round(float(ordered[index]), 1) for index in indexes]
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
        self._p80: dict[str | None, float] = {}

    def saved(self, changed: Mapping[int, Floats]) -> float:
        """Working days that the P80s come forward (negative: that they move out), summed over the organisations."""
        orgs = dict.fromkeys(org for row in changed for org in self._ends_at.get(row, ()))
        return sum(self.p80(org) - self.p80(org, changed) for org in orgs)

    def p80(self, org: str | None, changed: Mapping[int, Floats] | None = None) -> float:
        """P80 of an organisation's finish, or of the plan's, in working days."""
        if changed is None:
            if org not in self._p80:
                self._p80[org] = self.p80(org, {})
            return self._p80[org]
        finishes = {row: changed.get(row, self.times.finishes[row]) for row in self._ends[org]}
        return network.quantile(latest(finishes, self._ends[org], self.runs), 0.8)
