"""Who works on what: crews, teams, and a person's next free day, for many runs at once.

An owner with a stated capacity has that many persons: ours once, a vendor's and an organisation's each for itself. A
task takes a crew of them for as long as its touch effort lasts; lead time occupies nobody. Tasks are served in one list
order, the serial schedule generation scheme (Kolisch, *European Journal of Operational Research* 90(2), 1996): each
starts as soon as all that it waits for is done and its crew is free, in a gap before work that was given out earlier if
it fits there. So nobody idles because the next task in the list is late, and the dates are those of a team that can
really follow them.

An owner without a stated capacity never makes a task wait: each of its tasks has one person.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from interlock.model.base import Owner, Scope
from interlock.plan.network import Bools, Floats, Ints
from interlock.plan.tasks import Work

#: Person-days of expected effort for each person of a crew: smaller work is not split. Our judgement.
CREW_DAYS = 10.0
#: Gaps that a team's calendar remembers in each run, the longest ones.
GAPS = 3
#: Of any number of runs, none.
NO_RUN: Bools = np.zeros(1, dtype=np.bool_)


@dataclass(frozen=True)
class Team:
    """Persons of one owner who share work: ``lanes`` of them, each doing ``pace`` person-days a day."""

    lanes: int
    pace: float


@dataclass(frozen=True)
class Staffing:
    """How every task is staffed.

    :ivar crews: persons at work on each task, by row: its effort is divided by this.
    :ivar teams: teams that are short of persons for all their tasks.
    :ivar team_of: row → number in ``teams``, for tasks that may have to wait for somebody.
    :ivar size: row → lanes that such a task takes.
    """

    crews: tuple[float, ...]
    teams: tuple[Team, ...]
    team_of: Mapping[int, int]
    size: Mapping[int, int]

    @property
    def split(self) -> frozenset[int]:
        """Rows of which touch effort and lead time are needed apart."""
        return frozenset(self.team_of)


def staff(work: Work, persons: Mapping[Owner, float]) -> Staffing:
    """Crews and teams for the tasks of a plan.

    A capacity that is no whole number is spread over the next whole number of persons at a slower pace.
    """
    crews: list[float] = []
    rows_of: dict[tuple[Owner, str], list[int]] = defaultdict(list)
    size: dict[int, int] = {}
    for row, task in enumerate(work.tasks):
        if task.owner not in persons:
            crews.append(1.0)
            continue
        team = team_for(persons[task.owner])
        expected = task.effort.expected if task.effort else 0.0
        size[row] = min(team.lanes, max(1, int(expected / CREW_DAYS)))
        crews.append(size[row] * team.pace)
        if task.effort is not None and task.effort.high > 0:
            whose = "" if task.owner is Owner.US else task.parties.get(Scope(task.owner), "")
            rows_of[task.owner, whose].append(row)
    teams: list[Team] = []
    team_of: dict[int, int] = {}
    for (owner, _), rows in rows_of.items():
        team = team_for(persons[owner])
        if sum(size[row] for row in rows) > team.lanes:
            team_of.update(dict.fromkeys(rows, len(teams)))
            teams.append(team)
    return Staffing(tuple(crews), tuple(teams), team_of, {row: size[row] for row in team_of})


def team_for(persons: float) -> Team:
    """A team of this many persons."""
    lanes = max(1, math.ceil(persons))
    return Team(lanes, persons / lanes)


class Lanes:
    """When each person of a team is next free, in every run, the earliest first; and the longest gaps before that.

    Of every time it is remembered whose task ends then, unless nobody asks (``trace``).
    """

    def __init__(self, team: Team, runs: int, *, trace: bool = True) -> None:
        self._free: Floats = np.zeros((team.lanes, runs), dtype=np.float32)
        self._row: Ints | None = np.full((team.lanes, runs), -1, dtype=np.int32) if trace else None
        # Gaps that end before they begin: not even a task without effort fits into one that is not there.
        self._gap_first: Floats = np.zeros((GAPS, runs), dtype=np.float32)
        self._gap_last: Floats = self._gap_first - 1
        self._gap_row: Ints = np.full((GAPS, runs), -1, dtype=np.int32)

    def take(
        self, row: int, crew: int, ready: Floats, end_of: Callable[[Floats], Floats], absent: Bools = NO_RUN
    ) -> tuple[Floats, Ints | None]:
        """Give a crew to a task that is ready; its start in every run, and the row that it waited for (-1 for none).

        One person takes the gap in which the task starts first, if it fits into one and starts no later than otherwise.
        Otherwise, of those free by then, the crew are the ones who became free last; else those who are free first.

        :param end_of: when the crew is free again, by start.
        :param absent: runs in which the task needs nobody.
        """
        gate = self._free[crew - 1]
        start = np.where(absent, ready, np.maximum(ready, gate))
        held = None if self._row is None else np.where(gate > ready, self._row[crew - 1], np.int32(-1))
        spared: Bools = absent | self._fill(row, ready, start, held, end_of, absent) if crew == 1 else absent
        free, rows = self._free, self._row
        for _ in range(crew):
            self._remove(ready, start, spared)
        end = end_of(start)
        for _ in range(crew):
            self._insert(end, row)
        if spared.any():
            self._free = np.where(spared, free, self._free)
            if rows is not None and self._row is not None:
                self._row = np.where(spared, rows, self._row)
        return start, held

    def _fill(
        self,
        row: int,
        ready: Floats,
        start: Floats,
        held: Ints | None,
        end_of: Callable[[Floats], Floats],
        absent: Bools,
    ) -> Bools:
        """Put the task into a gap where it fits; there ``start`` and ``held`` change, and no lane is needed."""
        begin = np.maximum(self._gap_first, ready)
        end = end_of(begin)
        fits = (end <= self._gap_last) & (begin <= start) & ~absent
        filled: Bools = np.any(fits, axis=0)
        runs = np.flatnonzero(filled)
        gaps = np.where(fits, begin, np.inf).argmin(axis=0)[runs], runs
        start[runs] = begin[gaps]
        if held is not None:
            held[runs] = np.where(self._gap_first[gaps] > ready[runs], self._gap_row[gaps], np.int32(-1))
        self._gap_first[gaps] = end[gaps]
        self._gap_row[gaps] = row
        return filled

    def _remove(self, ready: Floats, start: Floats, spared: Bools) -> None:
        """Take out the latest time that is not after ``ready``, else the earliest.

        What it leaves idle replaces the shortest gap that is known, if it is longer.
        """
        stays = self._free[1:] <= ready
        lanes = np.count_nonzero(stays, axis=0), np.arange(start.size)
        idle: Floats = self._free[lanes]
        self._free = np.where(stays, self._free[:-1], self._free[1:])
        lengths = self._gap_last - self._gap_first
        runs = np.flatnonzero((start > idle) & ~spared & (start - idle > lengths.min(axis=0)))
        gaps = lengths.argmin(axis=0)[runs], runs
        self._gap_first[gaps], self._gap_last[gaps] = idle[runs], start[runs]
        if self._row is not None:
            self._gap_row[gaps] = self._row[lanes][runs]
            self._row = np.where(stays, self._row[:-1], self._row[1:])

    def _insert(self, end: Floats, row: int) -> None:
        others = self._free
        self._free = np.vstack((np.minimum(others, end), end))
        self._free[1:] = np.maximum(self._free[1:], others)
        if self._row is not None:
            earlier, theirs, own = others <= end, self._row, np.full(end.size, row, dtype=np.int32)
            self._row = np.vstack((np.where(earlier, theirs, own), own))
            self._row[1:] = np.where(earlier, self._row[1:], theirs)
