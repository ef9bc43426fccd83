"""From durations to starts and finishes: the network, the teams and the freezes together, in every run.

:class:`Timing` holds what does not change with the durations: who waits for whom, who works on what, in which order the
teams take their work, and when which work stands still. The order is by the week in which a task could start on average
if nobody had to wait, and within a week by what has the longest way behind it. It never puts a task before one that it
waits for: that one can start no later, and has no shorter way behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

import numpy as np

from interlock.plan import network
from interlock.plan.calendar import Span
from interlock.plan.capacity import Lanes, Staffing
from interlock.plan.network import Bools, Floats, Ints
from interlock.plan.sampling import Durations
from interlock.plan.tasks import Work

#: Runs that decide the order in which a team takes its work.
_ORDERING = 256
#: Working days in a week.
_WEEK = 5.0
#: Tasks × runs of what-ifs that are timed beside one another.
_TOGETHER = 4_000_000


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
            start = starts[row]
            self._ready(row, finishes, start)
            number = self.staffing.team_of.get(row)
            spans = self.spans.get(row, ())
            if number is not None:
                touch = durations.touch[row]
                began, whom = lanes[number].take(
                    row,
                    self.staffing.size[row],
                    start,
                    partial(network.advance, duration=touch, spans=spans),
                    absent.get(row),
                )
                if whom is not None:
                    held[row], queued[row] = whom, float((began - start).mean())
                start[:] = began
            if spans:
                finishes[row] = network.advance(start, total[row], spans)
            else:
                np.add(start, total[row], out=finishes[row])
            if number is not None and limit is not None:
                repeated = finishes[row].reshape(-1, limit.shape[1])
                np.minimum(repeated, limit[row], out=repeated)
        return Times(durations, starts, finishes, held, queued)

    def _ready(self, row: int, finishes: Floats, out: Floats) -> None:
        """When the last of all that a task waits for is done."""
        firsts = self.work.before[row]
        out[:] = finishes[firsts[0]] if firsts else 0.0
        for first in firsts[1:]:
            np.maximum(out, finishes[first], out=out)


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
