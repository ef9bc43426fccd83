"""The network, the teams and the freezes together, against brute force; what-ifs against timing everything anew."""

from dataclasses import replace

import numpy as np
from gaps_factory import graphs
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.model.base import Gate, Owner, Scope
from interlock.model.rule import Effort
from interlock.plan.capacity import Staffing, Team, staff
from interlock.plan.network import critical
from interlock.plan.sampling import Durations
from interlock.plan.tasks import Task, Work
from interlock.plan.timing import CLOSED, MORE_WAIT, MOST_WAIT, PRESENT, Changed, Rerun, Timing
from tiers import rounds

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


@given(graphs())
def test_the_rows_of_a_work_say_who_waits_for_whom(before):
    work = work_of(before)
    assert work.after == tuple(
        tuple(n for n, firsts in enumerate(before) if row in firsts) for row in range(len(before))
    )
    for row, firsts in enumerate(before):
        assert work.wave[row] == 1 + max((work.wave[first] for first in firsts), default=-1)


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
    """Its start is the latest end of what it waits for, or of the touch of those whose crew it takes over."""
    before, touch, _, _ = job
    timing, durations = timing_of(*job)
    times = timing.times(durations)
    for row, firsts in enumerate(before):
        crews = timing.arcs.before.get(row, ())
        for run in range(RUNS):
            ends = [times.finishes[first, run] for first in firsts]
            ends += [times.starts[crew, run] + touch[crew, run] for crew in crews]
            assert times.starts[row, run] == max(ends, default=0.0)


@given(jobs())
def test_the_order_never_puts_a_task_before_one_that_it_waits_for_or_whose_crew_it_takes(job):
    timing, _ = timing_of(*job)
    position = {row: number for number, row in enumerate(timing.arcs.order)}
    assert sorted(position) == list(range(len(job[0])))
    for row, firsts in enumerate(job[0]):
        assert all(position[first] < position[row] for first in (*firsts, *timing.arcs.before.get(row, ())))


@given(jobs())
def test_nobody_idles_beside_work_in_the_schedule_that_is_made(job):
    """In the schedule from which the arcs come, a task that waits for a person starts when some person ends a task."""
    before, touch, wait, lanes = job
    same = np.repeat(touch[:, :1], RUNS, axis=1), np.repeat(wait[:, :1], RUNS, axis=1)
    timing, durations = timing_of(before, *same, lanes)
    times = timing.times(durations)
    ends = {0.0, *(float(end) for end in (times.starts + same[0])[:, 0])}
    for row, firsts in enumerate(before):
        start = float(times.starts[row, 0])
        assert start in ends or start == max(times.finishes[first, 0] for first in firsts)


@settings(max_examples=rounds(30, 100))
@given(jobs())
def test_with_somebody_for_everything_the_finish_is_the_longest_path(job):
    before, touch, wait, _ = job
    durations = Durations(touch + wait, {})
    work = work_of(before)
    times = Timing.of(work, staff(work, {}), {}, durations).times(durations)
    for run in range(RUNS if before else 0):
        longest = []
        for node, firsts in enumerate(before):
            longest.append(durations.total[node, run] + max((longest[first] for first in firsts), default=0.0))
        assert times.finishes[:, run].max() == max(longest)


@given(jobs(), st.data())
def test_less_work_never_makes_anything_later_in_any_run(job, data):
    """Whatever is closed, absent in some runs or shorter, with and without a team that is short of persons."""
    before, touch, wait, _ = job
    if not before:
        return
    rows = st.sampled_from(range(len(before)))
    closed, shorter = data.draw(st.sets(rows)), data.draw(st.sets(rows))
    missing = {row: np.array(data.draw(st.lists(st.booleans(), min_size=RUNS, max_size=RUNS))) for row in closed}
    less = touch.copy()
    less[list(shorter)] //= 2
    for levelled in (True, False):
        timing, durations = timing_of(*job)
        if not levelled:
            timing = Timing.of(timing.work, staff(timing.work, {}), {}, durations)
        times = timing.times(durations)
        base = times.finishes
        assert (timing.times(durations, missing).finishes <= base).all()
        assert (timing.times(Durations(less + wait, dict(enumerate(less)) if levelled else {})).finishes <= base).all()
        rerun = Rerun(timing, durations, {}, times, RUNS)
        changed = rerun.changed([dict.fromkeys(closed, CLOSED)]).finishes
        assert closed <= set(changed)
        for row, (finish,) in changed.items():
            assert (finish <= base[row]).all()


@given(jobs(), st.data())
def test_a_what_if_is_the_same_as_timing_everything_anew(job, data):
    before, touch, wait, _ = job
    if not before:
        return
    row, other = (data.draw(st.integers(0, len(before) - 1)) for _ in range(2))
    more = np.full(RUNS, data.draw(st.integers(0, 9)), dtype=np.float32)
    absent = {other: np.array(data.draw(st.lists(st.booleans(), min_size=RUNS, max_size=RUNS)))}
    never, always = np.ones(RUNS, dtype=np.bool_), np.zeros(RUNS, dtype=np.bool_)
    for levelled in (True, False):
        timing, durations = timing_of(*job)
        if not levelled:
            timing = Timing.of(timing.work, staff(timing.work, {}), {}, durations)
        rerun = Rerun(timing, durations, absent, timing.times(durations, absent), RUNS)
        new = touch.copy()
        new[row] = more
        longer = Durations(new + wait, dict(enumerate(new)) if levelled else {})
        changes = [{row: Changed(more + wait[row], more if levelled else None)}, {row: CLOSED}, {row: PRESENT}]
        moved = rerun.changed(changes)
        ends = ((longer, absent), (durations, absent | {row: never}), (durations, absent | {row: always}))
        for what_if, (there, missing) in enumerate(ends):
            anew = timing.times(there, missing)
            for task in range(len(before)):
                changed = moved.finishes[task][what_if] if task in moved.finishes else rerun.finishes[task]
                assert (changed == anew.finishes[task]).all()
            for task, freed in moved.released.items():
                assert (freed[what_if] == anew.released[task]).all()


@settings(max_examples=rounds(30, 100))
@given(jobs(), st.data())
def test_what_is_critical_makes_the_plan_longer(job, data):
    """A task is critical in the runs in which one day more of it is a day more for the plan."""
    before, touch, wait, _ = job
    if not before:
        return
    timing, durations = timing_of(*job)
    missing = {0: np.array(data.draw(st.lists(st.booleans(), min_size=RUNS, max_size=RUNS)))}
    times = timing.times(durations, missing)
    end = times.finishes.max(axis=0)
    on_path = critical(timing.work.after, timing.arcs.after, times, timing.arcs.order, end)
    for row in range(len(before)):
        longer = touch.copy()
        longer[row] += 0.25
        later = timing.times(Durations(longer + wait, dict(enumerate(longer))), missing).finishes.max(axis=0)
        for run in range(RUNS):
            if later[run] > end[run]:
                assert on_path[row][run]


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


def test_whoever_is_free_takes_the_work_that_it_ties_least():
    """Two projects and two persons: their last tasks, twenty days apart, do not follow one another."""
    before = [[], [], [0], [1], [2], [3]]  # 0, 2, 4 and 1, 3, 5; tasks 2 and 3 are somebody else's waiting
    touch = np.array([[2], [2], [0], [0], [2], [2]], dtype=np.float32)
    wait = np.array([[0], [0], [20], [40], [0], [0]], dtype=np.float32)
    timing, durations = timing_of(before, touch, wait, 2)
    assert 4 not in timing.arcs.before[5], "the last task of one project waits for the other's"
    durations.total[2] = 90.0
    assert timing.times(durations).finishes[5][0] == 44.0


def test_what_comes_after_nothing_but_what_is_under_way_does_not_wait_for_its_turn() -> None:
    """One person and a list: 0, then 2. Task 2 follows 1, which has begun: it starts when that is done."""
    before = [[], [], [1]]
    touch = np.array([[60], [0], [2]], dtype=np.float32)
    wait = np.array([[0], [100], [0]], dtype=np.float32)
    timing, durations = timing_of(before, touch, wait, 1)
    durations.total[1] = 10.0
    now = replace(timing, begun=frozenset({1}), patience={2: 0.0})
    times = now.times(durations)
    assert (times.starts[2][0], times.finishes[2][0]) == (10.0, 12.0)
    assert times.released[2][0] == 62.0, "those after it in the list keep their turn"


def test_ready_work_waits_for_its_turn_for_two_weeks_and_then_somebody_is_lent_to_it() -> None:
    """In the list 2 comes after 0, for nothing that 2 needs; once 1 is done early, 2 would lie ready for 50 days."""
    before = [[], [], [1]]
    touch = np.array([[60], [0], [2]], dtype=np.float32)
    wait = np.array([[0], [100], [0]], dtype=np.float32)
    timing, durations = timing_of(before, touch, wait, 1)
    assert timing.times(durations).starts[2][0] == 100.0, "in the list's own schedule nobody is lent"
    durations.total[1] = 10.0
    times = timing.times(durations)
    assert (times.starts[2][0], times.released[2][0]) == (10.0 + MOST_WAIT, 62.0)
    on_path = critical(timing.work.after, timing.arcs.after, times, [1, 2], times.finishes[2])
    assert on_path[1].all(), "what it came after decides when it could start"


def test_a_team_that_is_short_keeps_its_queue() -> None:
    """Eight tasks of five days for one person: the last waits for 35 days, in the list and in every run."""
    touch = np.full((8, 1), 5, dtype=np.float32)
    timing, durations = timing_of([[] for _ in range(8)], touch, np.zeros_like(touch), 1)
    assert timing.times(durations).finishes.max() == 40.0
    assert max(timing.patience.values()) == MOST_WAIT + MORE_WAIT * 35.0
