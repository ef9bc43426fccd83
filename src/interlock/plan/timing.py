"""From durations to times: the network, the teams and the freezes together, in every run at once.

:class:`Timing` holds what does not change with the durations: who waits for whom, whose crew a task takes over, and
when which work stands still. It is made once, on the fullest network (everything undecided a gap), so that dates never
run backwards from "nothing undecided is a gap" to "all of it is", and closing a gap never makes anything later.
:class:`Rerun` times again what a change moves.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np

from interlock.plan import network
from interlock.plan.calendar import Span
from interlock.plan.capacity import Arcs, Staffing, arcs, no_arcs
from interlock.plan.network import Bools, Floats, Times
from interlock.plan.sampling import Durations
from interlock.plan.tasks import Work

#: Runs whose mean durations decide who follows whom.
_ORDERING = 256
#: Working days in a week.
_WEEK = 5.0
#: Most working days that work lies ready for its turn, and of each day that it waits in the list's own schedule how
#: many more. Judgement.
MOST_WAIT, MORE_WAIT = 10.0, 2.0
#: Nothing is absent.
NONE_ABSENT: Mapping[int, Bools] = MappingProxyType({})


@dataclass(frozen=True)
class Timing:
    """The part of a schedule that stays the same whatever the tasks take.

    :ivar spans: row → when its work stands still.
    :ivar arcs: whose crew each task takes over, and the order in which tasks are timed.
    :ivar begun: rows of the tasks that are under way when the plan starts.
    :ivar patience: row → most working days that its work lies ready for its turn in the list: then somebody is lent to
        it, for the days that the list has for it later. None for what comes straight after what is done or under way.
    """

    work: Work
    staffing: Staffing
    spans: Mapping[int, Sequence[Span]]
    arcs: Arcs
    begun: frozenset[int] = frozenset()
    patience: Mapping[int, float] = field(default_factory=dict)

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
        made = arcs(work, staffing, order, total, touch, spans)
        patience = {row: MOST_WAIT + MORE_WAIT * made.waits.get(row, 0.0) for row in made.before}
        return replace(alone, arcs=made, patience=patience)

    def times(self, durations: Durations, absent: Mapping[int, Bools] = NONE_ABSENT, *, queues: bool = False) -> Times:
        """Start and finish of every task: the earliest that the order of the work and its crews allow.

        :param absent: row → runs in which the task does not take place. It takes no time then, and its crew is handed
            on as it would have got it.
        :param queues: whether to reckon how long each waits for its crew, which a comparison does without.
        """
        total = durations.total
        starts, finishes = np.empty_like(total), np.empty_like(total)
        released: dict[int, Floats] = {}
        queued: dict[int, float] = {}
        for row in self.arcs.order:
            start = starts[row]
            self._earliest(row, finishes, start)
            ready = start.copy() if queues and row in self.arcs.before and row not in self.begun else None
            self.time(row, start, durations.of(row), released, absent.get(row), finishes[row])
            if ready is not None:
                queued[row] = float((start - ready).mean())
        gone = {row: absent[row] for row in absent if row in released}
        return Times(starts, finishes, released, gone, queued, self.patience)

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
            most = self.patience.get(row)
            start[:] = began if most is None else np.minimum(began, start + np.float32(most))
        network.advance(start, total, spans, out=finish)
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
    """One task in a what-if: its new durations, in at least as many runs, and whether it takes place.

    :ivar absent: true: it does not; false: it does in every run; none: as it is.
    """

    total: Floats | None = None
    touch: Floats | None = None
    absent: bool | None = None


#: It takes no time, and nobody's.
CLOSED = Changed(absent=True)
#: It takes place in every run.
PRESENT = Changed(absent=False)
_SAME = Changed()


@dataclass(frozen=True)
class Moved:
    """What several what-ifs move, by row, shape (what-ifs, runs): where one of them moves nothing, it is as it was.

    :ivar what_ifs: how many there are.
    :ivar released: when crews are free again.
    """

    what_ifs: int
    finishes: Mapping[int, Floats]
    released: Mapping[int, Floats]


class Rerun:
    """What-ifs over the first so many runs: what changes is timed again, with everything that may move with it.

    :ivar finishes: of every task as it is, in these runs.
    """

    def __init__(
        self, timing: Timing, durations: Durations, absent: Mapping[int, Bools], times: Times, runs: int
    ) -> None:
        """:param times: what the durations come to; in the first runs it is what these would come to alone."""
        self.timing, self.runs, self._durations = timing, runs, durations.first(runs)
        self._absent = {row: where[:runs] for row, where in absent.items()}
        self.finishes: Floats = times.finishes[:, :runs]
        self._released = {row: free[:runs] for row, free in times.released.items()}

    def changed(self, changes: Sequence[Mapping[int, Changed]]) -> Moved:
        """What moves with any of several what-ifs; what stays as it is in all of them, is not followed.

        They are timed side by side: at so few runs a step costs as much for one as for several.
        """
        timing = self.timing
        new = {row for change in changes for row in change}
        finishes: dict[int, Floats] = {}
        released = dict(self._released)
        waiting = [(timing.position[row], row) for row in new]
        heapq.heapify(waiting)
        last = -1
        while waiting:
            at, row = heapq.heappop(waiting)
            if at == last:
                continue  # several of those before it moved
            last = at
            ready: Floats = np.zeros((len(changes), self.runs), dtype=np.float32)
            for first in timing.work.before[row]:
                np.maximum(ready, finishes[first] if first in finishes else self.finishes[first], out=ready)
            days, absent = self._durations.of(row), self._absent.get(row)
            if row in new:
                days, absent = self._new([change.get(row, _SAME) for change in changes], row)
            finish = np.empty_like(ready)
            timing.time(row, ready, days, released, absent, finish)
            moved = bool((finish != self.finishes[row]).any())
            if moved or row in new:
                finishes[row] = finish
            later = timing.work.after[row] if moved else ()
            if row in released and (released[row] != self._released[row]).any():
                later = (*later, *timing.arcs.after.get(row, ()))
            for follower in later:
                heapq.heappush(waiting, (timing.position[follower], follower))
        moves = {row: free for row, free in released.items() if free is not self._released[row]}
        return Moved(len(changes), finishes, moves)

    def _new(self, changes: Sequence[Changed], row: int) -> tuple[tuple[Floats, Floats | None], Bools]:
        """A task's durations under each what-if, and the runs in which it does not take place."""
        total, touch = self._durations.of(row)
        absent = self._absent.get(row, np.zeros(self.runs, dtype=np.bool_))
        totals = np.stack([total if new.total is None else new.total[: self.runs] for new in changes])
        if touch is not None:
            touch = np.stack([touch if new.touch is None else new.touch[: self.runs] for new in changes])
        where = [absent if new.absent is None else np.full(self.runs, new.absent) for new in changes]
        return (totals, touch), np.stack(where)
