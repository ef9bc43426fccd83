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
        nothing = np.zeros(runs, dtype=np.float32)
        # Gaps that end before they begin: not even a task without effort fits into one that is not there.
        self._gaps = [_Gap(nothing, nothing - 1, None if self._row is None else self._row[0]) for _ in range(GAPS)]
        self._any_gap = False

    def take(
        self, row: int, crew: int, ready: Floats, end_of: Callable[[Floats], Floats], absent: Bools | None = None
    ) -> tuple[Floats, Ints | None]:
        """Give a crew to a task that is ready; its start in every run, and the row that it waited for (-1 for none).

        One person takes the gap in which the task starts first, if it fits into one and starts no later than otherwise.
        Otherwise, of those free by then, the crew are the ones who became free last; else those who are free first.

        :param end_of: when the crew is free again, by start.
        :param absent: runs in which the task needs nobody.
        """
        gate = self._free[crew - 1]
        start = np.maximum(ready, gate)
        held: Ints | None = None
        if self._row is not None:
            held = np.where(gate > ready, self._row[crew - 1], np.int32(-1))
        spared = absent
        if absent is not None:
            start = np.where(absent, ready, start)
        if crew == 1 and self._any_gap:
            start, held, spared = self._fill(row, ready, start, held, end_of, absent)
        free, rows = self._free, self._row
        for _ in range(crew):
            self._remove(ready, start, spared)
        end = end_of(start)
        for _ in range(crew):
            self._insert(end, row)
        if spared is not None:
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
        absent: Bools | None,
    ) -> tuple[Floats, Ints | None, Bools]:
        """Put the task into a gap where it fits: its start, whom it waited for, and where no lane is needed."""
        best = np.full_like(start, np.inf)
        ends, choice = start, np.full(start.size, -1, dtype=np.int8)
        for number, gap in enumerate(self._gaps):
            begin = np.maximum(gap.first, ready)
            end = end_of(begin)
            better = (end <= gap.last) & (begin <= start) & (begin < best)
            if absent is not None:
                better &= ~absent
            best = np.where(better, begin, best)
            ends = np.where(better, end, ends)
            choice[better] = number
        for number, gap in enumerate(self._gaps):
            here = choice == number
            if not here.any():
                continue
            if held is not None and gap.row is not None:
                held = np.where(here, np.where(gap.first > ready, gap.row, np.int32(-1)), held)
            self._gaps[number] = gap.with_(here, ends, gap.last, row)
        filled: Bools = choice >= 0
        spared: Bools = filled if absent is None else filled | absent
        return np.where(filled, best, start), held, spared

    def _remove(self, ready: Floats, start: Floats, spared: Bools | None) -> None:
        """Take out the latest time that is not after ``ready``, else the earliest; what it leaves idle is a gap."""
        stays = self._free[1:] <= ready
        chosen = (np.count_nonzero(stays, axis=0), np.arange(start.size))
        idle: Floats = self._free[chosen]
        whose = None if self._row is None else self._row[chosen]
        self._free = np.where(stays, self._free[:-1], self._free[1:])
        if self._row is not None:
            self._row = np.where(stays, self._row[:-1], self._row[1:])
        wider: Bools = np.greater(start, idle)
        if spared is not None:
            wider &= ~spared
        if wider.any():
            self._remember(_Gap(idle, start, whose), wider)

    def _remember(self, new: _Gap, where: Bools) -> None:
        """Keep a gap in place of the shortest one that is known, if it is longer."""
        lengths = [gap.last - gap.first for gap in self._gaps]
        shortest: Floats = np.minimum.reduce(lengths)
        todo: Bools = where & (new.last - new.first > shortest)
        for number, gap in enumerate(self._gaps):
            here = todo & (lengths[number] == shortest)
            if not here.any():
                continue
            self._gaps[number] = gap.with_(here, new.first, new.last, new.row)
            todo &= ~here
        self._any_gap = True

    def _insert(self, end: Floats, row: int) -> None:
        others, lanes = self._free, len(self._free) + 1
        self._free = np.empty((lanes, end.size), dtype=np.float32)
        np.minimum(others, end, out=self._free[:-1])
        self._free[-1] = end
        np.maximum(self._free[1:], others, out=self._free[1:])
        if self._row is not None:
            earlier, theirs = others <= end, self._row
            self._row = np.empty((lanes, end.size), dtype=np.int32)
            self._row[:-1] = np.where(earlier, theirs, row)
            self._row[-1] = row
            self._row[1:] = np.where(earlier, self._row[1:], theirs)


@dataclass(frozen=True)
class _Gap:
    """Idle time of one person in every run, and whose task ended at its beginning."""

    first: Floats
    last: Floats
    row: Ints | None

    def with_(self, where: Bools, first: Floats, last: Floats, row: Ints | int | None) -> _Gap:
        """Another gap in some runs."""
        return _Gap(
            np.where(where, first, self.first),
            np.where(where, last, self.last),
            None
            if self.row is None or row is None
            else np.where(where, np.int32(row) if isinstance(row, int) else row, self.row),
        )
