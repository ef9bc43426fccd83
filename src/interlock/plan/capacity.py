"""Who works on what, and who follows whom: crews, teams, and the resource arcs of one schedule that a team can follow.

An owner with a stated capacity has that many persons: ours once, a vendor's and an organisation's each for itself. A
task takes a crew of them for as long as its touch effort lasts; lead time occupies nobody. One schedule is made, by the
serial schedule generation scheme (Kolisch, *European Journal of Operational Research* 90(2), 1996): tasks are taken in
one list order, and each starts as soon as all that it waits for is done and its crew is free, in a gap before work that
was given out earlier if it fits there. What is kept of that schedule are its *resource arcs*, who does what after what;
every run then takes the earliest starts that the arcs and the order of the work allow. Such a policy never ends later
when something takes less time (earliest-start policies; graph monotonicity, Igelmund and Radermacher 1983).

An owner without a stated capacity never makes a task wait: each of its tasks has one person.
"""

from __future__ import annotations

import math
from bisect import bisect, insort
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from interlock.model.base import Owner, Scope
from interlock.plan.calendar import Span
from interlock.plan.tasks import Work

#: Person-days of expected effort for each person of a crew: smaller work is not split. Our judgement.
CREW_DAYS = 10.0


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
        lanes = min(team.lanes, max(1, int(expected / CREW_DAYS)))
        crews.append(lanes * team.pace)
        if task.effort is not None and task.effort.high > 0:
            whose = "" if task.owner is Owner.US else task.parties.get(Scope(task.owner), "")
            rows_of[task.owner, whose].append(row)
            size[row] = lanes
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


@dataclass(frozen=True)
class Arcs:
    """One schedule's resource arcs.

    :ivar before: row → the rows whose crew it takes over, all or part of it.
    :ivar after: the same the other way round.
    :ivar order: every row, in an order in which nothing comes before what it waits for or whose crew it takes over.
    :ivar waits: row → working days that it waits for a crew in this schedule, where it does.
    """

    before: Mapping[int, tuple[int, ...]]
    after: Mapping[int, tuple[int, ...]]
    order: tuple[int, ...]
    waits: Mapping[int, float] = field(default_factory=dict)


def no_arcs(rows: int) -> Arcs:
    """Of a plan in which nobody has to wait for anybody."""
    return Arcs({}, {}, tuple(range(rows)))


def arcs(
    work: Work,
    staffing: Staffing,
    order: Sequence[int],
    total: Sequence[float],
    touch: Mapping[int, float],
    spans: Mapping[int, Sequence[Span]],
) -> Arcs:
    """Schedule everything once, and keep who follows whom.

    :param order: rows in the order in which a team takes its work; nothing comes before what it waits for.
    :param total, touch: how long each task takes, and of those in ``staffing.team_of`` the part that needs a crew.
    :param spans: row → when its work stands still.
    """
    teams = [[_Lane() for _ in range(team.lanes)] for team in staffing.teams]
    behind = _behind(work, order)
    starts, finishes = [0.0] * len(order), [0.0] * len(order)
    waits: dict[int, float] = {}
    for row in order:
        ready = max((finishes[first] for first in work.before[row]), default=0.0)
        still, number = spans.get(row, ()), staffing.team_of.get(row)
        if number is not None:
            start = _give(teams[number], staffing.size[row], row, ready, touch[row], still, behind)
            waits[row], ready = start - ready, start
        starts[row], finishes[row] = ready, _end(ready, total[row], still)
    position = {row: at for at, row in enumerate(order)}
    before: dict[int, dict[int, None]] = defaultdict(dict)
    after: dict[int, dict[int, None]] = defaultdict(dict)
    for lane in (lane for lanes in teams for lane in lanes):
        rows = sorted((row for _, _, row in lane.given), key=lambda row: (starts[row], position[row]))
        for first, then in pairwise(rows):
            before[then][first] = after[first][then] = None
    in_time = sorted(range(len(order)), key=lambda row: (starts[row], position[row]))
    return Arcs(
        {row: tuple(firsts) for row, firsts in before.items()},
        {row: tuple(laters) for row, laters in after.items()},
        tuple(in_time),
        waits,
    )


@dataclass
class _Lane:
    """One person's calendar: when it is free, as (first, last) in order, and the work given, as (start, end, row)."""

    free: list[tuple[float, float]] = field(default_factory=lambda: [(0.0, math.inf)])
    given: list[tuple[float, float, int]] = field(default_factory=list)

    def at(self, ready: float, days: float, still: Sequence[Span]) -> Iterator[float]:
        """Every earliest start from ``ready`` on at which the work fits into one of its free spans."""
        for first, last in self.free:
            start = max(first, ready)
            if last >= start and _end(start, days, still) <= last:
                yield start

    def holds(self, start: float, end: float) -> bool:
        return any(first <= start and end <= last for first, last in self.free)

    def leeway(self, row: int, start: float, end: float, behind: Sequence[int]) -> float:
        """Days by which the work before may be late, or this work, before one delays the other in this calendar.

        Work that is tied to this one by the order of the work anyhow does not count: handing over adds nothing to it.
        """
        at = bisect(self.given, (start, end, row))
        days = math.inf
        if at and not behind[row] >> self.given[at - 1][2] & 1:
            days = start - self.given[at - 1][1]
        if at < len(self.given) and not behind[self.given[at][2]] >> row & 1:
            days = min(days, self.given[at][0] - end)
        return days

    def take(self, row: int, start: float, end: float) -> None:
        insort(self.given, (start, end, row))
        first, last = next(span for span in self.free if span[0] <= start and end <= span[1])
        self.free.remove((first, last))
        for span in ((first, start), (end, last)):
            if span[1] > span[0]:
                insort(self.free, span)


def _behind(work: Work, order: Sequence[int]) -> list[int]:
    """For each row, all that it waits for, however far back: bit n stands for row n."""
    behind = [0] * len(order)
    for row in order:
        for first in work.before[row]:
            behind[row] |= behind[first] | 1 << first
    return behind


def _give(
    lanes: Sequence[_Lane],
    crew: int,
    row: int,
    ready: float,
    days: float,
    still: Sequence[Span],
    behind: Sequence[int],
) -> float:
    """Give a task the first time at which enough persons are free at once; its start.

    Of those who are free it takes whose handing over ties it least to other work (see :meth:`_Lane.leeway`).
    """
    if crew == 1:
        start = min(next(lane.at(ready, days, still)) for lane in lanes)
    else:
        times = sorted({start for lane in lanes for start in lane.at(ready, days, still)})
        start = next(t for t in times if sum(lane.holds(t, _end(t, days, still)) for lane in lanes) >= crew)
    end = _end(start, days, still)
    able = [lane for lane in lanes if lane.holds(start, end)]
    able.sort(key=lambda lane: -lane.leeway(row, start, end, behind))
    for lane in able[:crew]:
        lane.take(row, start, end)
    return start


def _end(start: float, days: float, spans: Sequence[Span]) -> float:
    """When work ends that stands still within the spans (:func:`interlock.plan.network.advance`, of one run)."""
    for first, last in spans:
        if first <= start < last:
            start = last
    end = start + days
    for first, last in spans:
        if start < first < end:
            end += last - first
    return end
