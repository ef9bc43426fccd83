"""The network, the teams and the freezes together, against brute force; what-ifs against timing everything anew."""

from dataclasses import replace

import numpy as np
from gaps_factory import graphs
from hypothesis import given
from hypothesis import strategies as st

from interlock.model.base import Gate, Owner, Scope
from interlock.model.rule import Effort
from interlock.plan.capacity import GAPS, Lanes, Staffing, Team, staff
from interlock.plan.sampling import Durations
from interlock.plan.simulation import Changed, Rerun, Timing
from interlock.plan.tasks import Task, Work

RUNS = 3


def work_of(before, effort=4.0, owner=Owner.US):
    tasks = tuple(
        Task(
            id=f"t{row:02d}",
            title="",
            kind="routine",
            scope=Scope.PRODUCT,
            org=None,
            orgs=(),
            parties={},
            owner=owner,
            gate=Gate.PILOT,
            effort=Effort(low=effort, expected=effort, high=effort),
            lead_time=None,
            after=tuple(f"t{first:02d}" for first in firsts),
        )
        for row, firsts in enumerate(before)
    )
    return Work(tasks, tuple(map(tuple, before)))


@given(graphs(), st.data())
def test_the_rows_of_a_work_say_who_waits_for_whom(before, data):
    work = work_of(before)
    assert work.after == tuple(
        tuple(n for n, firsts in enumerate(before) if row in firsts) for row in range(len(before))
    )
    for row, firsts in enumerate(before):
        assert work.wave[row] == 1 + max((work.wave[first] for first in firsts), default=-1)
    changed = set(data.draw(st.lists(st.sampled_from(range(len(before)))))) if before else set()
    behind = set(changed)
    for row, firsts in enumerate(before):
        if behind.intersection(firsts):
            behind.add(row)
    assert work.with_following(changed) == sorted(behind)


@st.composite
def jobs(draw, most=9):
    """A network, touch effort and lead time of every task in every run, and a team's size."""
    before = draw(graphs(most=most))
    whole = st.lists(st.integers(0, 4), min_size=RUNS, max_size=RUNS)
    touch = np.array([draw(whole) for _ in before], dtype=np.float32).reshape(len(before), RUNS)
    wait = np.array([draw(whole) for _ in before], dtype=np.float32).reshape(len(before), RUNS)
    return before, touch, wait, draw(st.integers(1, 3))


def timing_of(before, touch, wait, lanes):
    work = work_of(before)
    rows = range(len(before))
    staffing = Staffing((1.0,) * len(before), (Team(lanes, 1.0),), dict.fromkeys(rows, 0), dict.fromkeys(rows, 1))
    durations = Durations(touch + wait, dict(enumerate(touch)))
    return Timing.of(work, staffing, {}, durations), durations


@given(jobs())
def test_nobody_is_needed_twice_and_nothing_starts_before_what_it_waits_for(job):
    before, touch, wait, lanes = job
    timing, durations = timing_of(*job)
    times = timing.times(durations)
    for run in range(RUNS):
        spans = []
        for row, firsts in enumerate(before):
            start = times.starts[row, run]
            assert all(times.finishes[first, run] <= start for first in firsts)
            assert times.finishes[row, run] == start + touch[row, run] + wait[row, run]
            spans.append((start, start + touch[row, run]))
        for start, _ in spans:
            assert sum(a <= start < b for a, b in spans) <= lanes


@given(jobs())
def test_a_task_waits_only_for_what_it_needs(job):
    """Its start is the latest end of what it waits for, or the end of the touch of the task that it was held by."""
    before, touch, _, _ = job
    timing, durations = timing_of(*job)
    times = timing.times(durations)
    for row, firsts in enumerate(before):
        for run in range(RUNS):
            ready = max((times.finishes[first, run] for first in firsts), default=0.0)
            holder = times.held[row][run]
            if holder < 0:
                assert times.starts[row, run] == ready
            else:
                assert times.starts[row, run] == times.starts[holder, run] + touch[holder, run] > ready


@given(jobs())
def test_the_order_never_puts_a_task_before_one_that_it_waits_for(job):
    timing, _ = timing_of(*job)
    position = {row: number for number, row in enumerate(timing.order)}
    assert all(position[first] < position[row] for row, firsts in enumerate(job[0]) for first in firsts)


@given(jobs())
def test_with_somebody_for_everything_the_finish_is_the_longest_path(job):
    before, touch, wait, _ = job
    durations = Durations(touch + wait, {})
    work = work_of(before)
    levelled, _ = timing_of(before, touch, wait, max(1, len(before)))
    times = Timing.of(work, staff(work, {}), {}, durations).times(durations)
    assert (levelled.times(Durations(touch + wait, dict(enumerate(touch)))).finishes == times.finishes).all()
    for run in range(RUNS if before else 0):
        longest = []
        for node, firsts in enumerate(before):
            longest.append(durations.total[node, run] + max((longest[first] for first in firsts), default=0.0))
        assert times.finishes[:, run].max() == max(longest)


@given(jobs(), st.data())
def test_closing_never_makes_anything_later_in_any_run(job, data):
    """Under common random numbers, with and without a team that is short of persons."""
    before = job[0]
    if not before:
        return
    closed = data.draw(st.sets(st.integers(0, len(before) - 1), min_size=1))
    for levelled in (True, False):
        timing, durations = timing_of(*job)
        if not levelled:
            timing = Timing.of(timing.work, staff(timing.work, {}), {}, durations)
        rerun = Rerun(timing, durations, RUNS)
        [changed] = rerun.closed([closed])
        for row, finish in changed.items():
            assert (finish <= rerun.times.finishes[row]).all()
        assert closed <= set(changed)


def test_no_task_fits_into_a_gap_that_is_not_there():
    """Even one without effort waits for a person, whatever happens in the runs beside it."""
    touch = np.array([[5, 5], [0, 0]], dtype=np.float32)
    lanes = Lanes(Team(1, 1.0), 2)
    ready = np.array([[3, 0], [0, 0]], dtype=np.float32)  # only the first run leaves the person idle, before 3
    starts = [lanes.take(row, 1, ready[row], lambda began, row=row: began + touch[row])[0] for row in (0, 1)]
    assert [start.tolist() for start in starts] == [[3, 0], [0, 5]]


@given(jobs(), st.data())
def test_a_what_if_is_the_same_as_timing_everything_anew(job, data):
    before, touch, wait, _ = job
    if not before:
        return
    row = data.draw(st.integers(0, len(before) - 1))
    more = np.full(RUNS, data.draw(st.integers(0, 9)), dtype=np.float32)
    for levelled in (True, False):
        timing, durations = timing_of(*job)
        if not levelled:
            timing = Timing.of(timing.work, staff(timing.work, {}), {}, durations)
        new = touch.copy()
        new[row] = more
        [_, changed] = Rerun(timing, durations, RUNS).changed(
            [{}, {row: Changed(more + wait[row], more)}], never_later=False
        )
        anew = timing.times(Durations(new + wait, dict(enumerate(new)) if levelled else {}))
        base = timing.times(durations)
        for other in range(len(before)):
            assert (changed.get(other, base.finishes[other]) == anew.finishes[other]).all()


def brute_force(free, gaps, crew, ready, touch):
    """One run of :meth:`Lanes.take` by the words of its docstring."""
    start = max(ready, sorted(free)[crew - 1])
    starts = [(max(first, ready), number) for number, (first, last) in enumerate(gaps)]
    fitting = [(at, number) for at, number in starts if at + touch <= gaps[number][1] and at <= start]
    if crew == 1 and fitting:
        at, number = min(fitting)
        gaps[number] = (at + touch, gaps[number][1])
        return at
    for _ in range(crew):
        usable = [lane for lane in free if lane <= ready]
        chosen = max(usable) if usable else min(free)
        free.remove(chosen)
        shortest = min(range(len(gaps)), key=lambda number: gaps[number][1] - gaps[number][0])
        if start > chosen and start - chosen > gaps[shortest][1] - gaps[shortest][0]:
            gaps[shortest] = (chosen, start)
    free += [start + touch] * crew
    return start


@given(
    st.integers(1, 5),
    st.lists(st.tuples(st.integers(1, 5), st.integers(0, 30), st.integers(0, 6)), max_size=20),
)
def test_lanes_are_what_their_words_say(lanes, takes):
    team, free, gaps = Lanes(Team(lanes, 1.0), 1), [0.0] * lanes, [(0.0, -1.0)] * GAPS
    for row, (crew, ready, touch) in enumerate(takes):
        crew = min(crew, lanes)
        start, _ = team.take(row, crew, np.array([ready], np.float32), lambda began, t=touch: began + np.float32(t))
        assert start[0] == brute_force(free, gaps, crew, ready, touch)


class TestStaffing:
    def test_an_owner_without_a_number_has_one_person_a_task_and_nobody_queues(self):
        staffing = staff(work_of([[], [], []]), {})
        assert staffing.crews == (1.0, 1.0, 1.0)
        assert (staffing.teams, staffing.split) == ((), frozenset())

    def test_only_teams_that_are_short_make_tasks_wait(self):
        work = work_of([[], [], []])
        assert staff(work, {Owner.US: 3.0}).teams == ()
        short = staff(work, {Owner.US: 2.0})
        assert (short.teams, short.split) == ((Team(2, 1.0),), frozenset({0, 1, 2}))

    def test_a_person_for_every_ten_days_of_a_task(self):
        assert staff(work_of([[]], effort=9.0), {Owner.US: 4.0}).crews == (1.0,)
        assert staff(work_of([[]], effort=25.0), {Owner.US: 4.0}).crews == (2.0,)
        assert staff(work_of([[]], effort=90.0), {Owner.US: 4.0}).crews == (4.0,)

    def test_half_a_person_works_at_half_the_pace(self):
        assert staff(work_of([[]]), {Owner.US: 0.5}).crews == (0.5,)
        assert staff(work_of([[]]), {Owner.US: 2.5}).crews == (2.5 / 3,)

    def test_organisations_and_vendors_each_have_a_team_of_their_own(self):
        work = work_of([[], []], owner=Owner.ORG)
        names = ("alder", "birch")
        apart = [replace(task, parties={Scope.ORG: name}) for task, name in zip(work.tasks, names, strict=True)]
        two = replace(work, tasks=tuple(apart))
        assert staff(two, {Owner.ORG: 1.0}).teams == ()
        assert len(staff(work, {Owner.ORG: 1.0}).teams) == 1
