"""What a routine task that has begun, or is done, still takes; and own history in the place of an estimate."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from gaps_factory import MONDAY, at_org, effort, finding, fixed, lead, org, plan_of, rule, rules_of, task
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.model.base import Gate, Grade, Owner, Scope
from interlock.model.routine import PastTask, TaskStatus
from interlock.model.rule import Effort, LeadTime, RoutineTask
from interlock.plan.actions import Wording
from interlock.plan.calendar import WorkingCalendar
from interlock.plan.history import own_estimates
from interlock.plan.people import with_people
from interlock.plan.progress import Progress, left, progress_of, touch_left
from interlock.plan.sampling import Sampler, given_open, sample
from interlock.plan.tasks import Task
from tiers import rounds

pytestmark = pytest.mark.fast

ALDER, BIRCH = org("alder"), org("birch")
DONE = TaskStatus.model_validate({"status": "done", "begun": "2025-11-03", "done": "2025-12-01", "by": "Ada"})
CHAIN = [
    task("org.a", effort=fixed(5)),
    task("org.b", after=("org.a",), effort=fixed(7)),
    task("org.c", after=("org.b",), effort=fixed(3)),
    task("org.d", effort=fixed(11)),
]


def begun(day: str) -> TaskStatus:
    return TaskStatus.model_validate({"status": "begun", "begun": day, "by": "Ada"})


def days(plan) -> float:
    return plan.finish.p80_days


def test_what_is_done_takes_off_exactly_its_own_time_and_keeps_its_place():
    before = plan_of((), {}, [ALDER, BIRCH], CHAIN)
    after = plan_of((), {}, [ALDER, BIRCH], CHAIN, statuses={"org.b@alder": DONE})
    assert [forecast.finish.p80_days for forecast in before.orgs] == [15.0, 15.0]
    assert [forecast.finish.p80_days for forecast in after.orgs] == [11.0, 15.0], "8 days of the chain, 11 beside it"
    assert {item.id: item.after for item in after.tasks} == {item.id: item.after for item in before.tasks}
    [b] = [item for item in after.tasks if item.id == "org.b@alder"]
    assert b.finish_p50 == b.start_p50 == 5.0 and b.progress == DONE
    assert "org.b@alder" not in {item.id for item in after.left}
    assert any("7 routine tasks, 0 of them begun (1 more is recorded as done)" in note for note in after.notes)


def test_a_plan_in_which_everything_is_done_says_that_nothing_is_left():
    statuses = {f"org.{name}@alder": DONE for name in "abcd"}
    plan = plan_of((), {}, [ALDER], CHAIN, statuses=statuses)
    assert days(plan) == 0.0 and plan.notes == ()
    assert plan.first == ()


def test_what_waits_for_what_is_done_may_be_done_first():
    rules = rules_of(rule("AA-001", gate=Gate.PILOT))
    tasks = [task("org.a", effort=fixed(5)), task("org.b", after=("org.a",), effort=fixed(30), owner=Owner.US)]
    plan = plan_of([finding(rules["AA-001"], at_org("alder"))], rules, [ALDER], tasks, statuses={"org.a@alder": DONE})
    assert plan.first[0].key == "org.b@alder"


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-01-05", 20.0),  # the plan's first day, a Monday: nothing is spent yet
        ("2026-01-02", 19.0),  # the Friday before
        ("2025-12-22", 10.0),
        ("2025-12-08", 4.0),  # spent as long as it takes: a fifth is left
        ("2025-01-06", 4.0),
        ("2026-01-06", 20.0),
    ],
)
def test_a_task_that_has_begun_has_the_rest_left(day: str, expected: float):
    tasks = [task("org.a", effort=fixed(20))]
    plan = plan_of((), {}, [ALDER], tasks, statuses={"org.a@alder": begun(day)})
    assert days(plan) == expected == plan.most_likely_days


@pytest.mark.parametrize("capacity", [{}, {"us": 1}])
@pytest.mark.parametrize(
    ("wait", "day", "left"),
    [
        (None, "2026-01-05", 20.0),
        (None, "2025-12-22", 10.0),
        (None, "2025-01-06", 4.0),
        (lead(6, 6, 6), "2025-12-22", 10.0),  # the work comes before the lead time
        (lead(6, 6, 6), "2025-11-17", 0.0),
    ],
)
def test_a_task_that_has_begun_asks_our_people_for_the_rest_alone(capacity, wait, day: str, left: float):
    work = task("us.build", effort=fixed(20), owner=Owner.US, scope=Scope.PRODUCT, lead_time=wait)
    plan = plan_of((), {}, [ALDER], [work], statuses={"us.build": begun(day)}, capacity=capacity)
    plan = with_people(plan, (), Wording(), {}, (), ())
    assert sum(load.work for load in plan.load) == pytest.approx(left, abs=0.05)
    assert plan.tasks[0].work_left == pytest.approx(left, abs=0.05)
    assert f"; {left:g} person-days of ours" in plan.tasks[0].when or not left
    if capacity:
        assert any(f"1 of us for {left:g} person-days" in note for note in plan.notes)


def test_holidays_are_not_spent():
    assert progress_of(begun("2025-12-22"), WorkingCalendar(MONDAY, (date(2025, 12, 25), date(2026, 1, 1)))).spent == 8
    assert progress_of(None, WorkingCalendar(MONDAY)) == Progress()
    assert progress_of(DONE, WorkingCalendar(MONDAY)) == Progress(done=True)


days_of = st.floats(0, 200, width=32)
estimates = st.tuples(days_of, days_of, days_of).map(sorted)


@given(work=estimates, wait=estimates, spent=days_of, later=days_of)
def test_in_no_run_is_more_left_than_all_of_it_and_never_more_as_time_passes(work, wait, spent, later):
    one = Task(
        id="us.a", title="", kind="routine", scope=Scope.PRODUCT, org=None, orgs=(), parties={}, owner=Owner.US,
        gate=Gate.PILOT, effort=Effort(**effort(*work)), lead_time=LeadTime(**lead(*wait)), after=(),
    )  # fmt: skip
    sampler = Sampler(3, 50)
    total = sample([one], sampler, [1.0], frozenset()).total[0]

    def open_after(days: float) -> np.ndarray:
        return left(total, given_open(one, sampler, 1.0, days)[0], Progress(spent=days))

    now, slack = open_after(spent), 2e-3 * (1 + work[2] + wait[2])
    assert (now <= total).all() and (now >= np.minimum(total, 1.0)).all()
    assert (open_after(spent + later) <= now + slack).all()


def test_a_task_that_is_open_is_one_of_those_that_take_longer_than_has_passed():
    """Twenty days at most and ten spent: what is left is what is left of those that take more than ten."""
    tasks = [task("org.a", lead_time=lead(0, 10, 20))]
    plan = plan_of((), {}, [ALDER], tasks, statuses={"org.a@alder": begun("2025-12-22")}, runs=4_000)
    drawn = 20 * np.random.default_rng(1).beta(3, 3, 200_000)
    rest = drawn[drawn > 10] - 10
    for share, found in ((0.5, plan.finish.p50_days), (0.8, plan.finish.p80_days), (0.9, plan.finish.p90_days)):
        assert found == pytest.approx(float(np.quantile(rest, share)), abs=0.25)


def test_the_lead_time_is_what_is_left_last():
    whole = np.array([9, 5, 2], dtype=np.float32)
    assert touch_left(whole, np.array([5, 5, 5], dtype=np.float32)).tolist() == [4, 0, 0]


def test_what_has_begun_waits_for_nothing_and_what_follows_waits_for_all_that_came_before():
    """a is open, b after it has begun, c follows b: b goes on beside a, and c comes after both."""

    def chain(a: int) -> list[RoutineTask]:
        return [
            task("org.a", effort=fixed(a)),
            task("org.b", after=("org.a",), effort=fixed(7)),
            task("org.c", after=("org.b",), effort=fixed(3)),
        ]

    statuses = {"org.b@alder": begun("2026-01-05")}
    for first, finish in ((5, 10.0), (9, 12.0)):
        plan = plan_of((), {}, [ALDER], chain(first), statuses=statuses)
        assert days(plan_of((), {}, [ALDER], chain(first))) == first + 10.0
        assert days(plan) == finish == plan.most_likely_days
        by_id = {each.id: each for each in plan.tasks}
        assert by_id["org.b@alder"].start_p50 == 0.0 and by_id["org.b@alder"].after == ("org.a@alder",)
        assert by_id["org.c@alder"].start_p50 == finish - 3
        critical = {name for name, each in by_id.items() if each.criticality == 1}
        assert ("org.a@alder" in critical) == (first == 9), "what has begun no longer waits for it"
    assert plan.first[0].key == "org.a@alder", "what has begun and has less left saves nothing"


def test_one_person_cannot_be_at_two_things_that_have_begun():
    tasks = [
        task("us.a", Scope.PRODUCT, owner=Owner.US, effort=fixed(6)),
        task("us.b", Scope.PRODUCT, owner=Owner.US, after=("us.a",), effort=fixed(4)),
    ]
    both = {"us.a": begun("2026-01-05"), "us.b": begun("2026-01-05")}
    assert days(plan_of((), {}, [ALDER], tasks, statuses=both)) == 6.0
    assert days(plan_of((), {}, [ALDER], tasks, statuses=both, capacity={Owner.US: 1.0})) == 10.0


NAMES = [f"org.{name}@{where}" for name in "abcd" for where in ("alder", "birch")]
BEGUN = st.sampled_from(["2026-01-05", "2025-12-22", "2025-11-03"]).map(begun)


@settings(max_examples=rounds(30, 100))
@given(
    first=st.dictionaries(st.sampled_from(NAMES), BEGUN),
    more=st.dictionaries(st.sampled_from(NAMES), BEGUN),
    data=st.data(),
)
def test_beginning_and_finishing_tasks_never_makes_anything_later(first, more, data):
    """From one state to a further one: some tasks begin, some that had begun are done."""
    finished = data.draw(st.sets(st.sampled_from(NAMES)))
    further = more | first | dict.fromkeys(finished, DONE)
    settings = {"capacity": {Owner.US: 1.0}, "runs": 60}
    tasks = [
        task("org.a", owner=Owner.US, effort=effort(2, 5, 20)),
        task("org.b", owner=Owner.US, after=("org.a",), effort=effort(2, 5, 20), lead_time=lead(1, 5, 30)),
        task("org.c", owner=Owner.US, after=("org.a",), effort=effort(1, 9, 12)),
        task("org.d", owner=Owner.US, effort=effort(3, 3, 30)),
    ]
    before = plan_of((), {}, [ALDER, BIRCH], tasks, statuses=first, **settings)
    after = plan_of((), {}, [ALDER, BIRCH], tasks, statuses=further, **settings)
    for old, new in zip((before, *before.orgs), (after, *after.orgs), strict=True):
        assert new.finish.p50_days <= old.finish.p50_days + 0.05
        assert new.finish.p80_days <= old.finish.p80_days + 0.05


def past(name: str, *spans: tuple[str, str]) -> list[PastTask]:
    return [PastTask(name, date.fromisoformat(first), date.fromisoformat(last)) for first, last in spans]


def test_the_shortest_the_median_and_the_longest_replace_an_estimate():
    spans = [("2025-03-03", "2025-03-07"), ("2025-03-03", "2025-03-14"), ("2025-03-03", "2025-03-28")]
    found = own_estimates(past("org.a", *spans), (date(2025, 3, 10),), MONDAY)
    estimate = found["org.a"]
    assert (estimate.low, estimate.expected, estimate.high) == (5, 9, 19)
    assert (estimate.source, estimate.grade, estimate.unit) == ("own history, n = 3", Grade.HISTORY, "working_days")
    assert not own_estimates(past("org.a", *spans[:2]), (), MONDAY), "two are too few"
    weekend = own_estimates(past("org.a", *[("2025-03-08", "2025-03-09")] * 3), (), MONDAY)
    assert weekend["org.a"].low == 1, "work on a day that is not worked is a day's work"


def test_own_history_makes_the_judgements_share_fall():
    tasks = [task("org.a", lead_time=lead(10, 20, 80)), task("org.b", after=("org.a",), effort=effort(2, 10, 18))]
    spans = [("2025-03-03", "2025-03-07"), ("2025-03-03", "2025-03-14"), ("2025-03-03", "2025-03-21")]
    history = own_estimates(past("org.a", *spans), (), MONDAY)
    before, after = plan_of((), {}, [ALDER], tasks), plan_of((), {}, [ALDER], tasks, history=history)
    assert before.judgement_share == 1.0 and [part.grade for part in before.spread] == [Grade.JUDGEMENT]
    assert {part.grade for part in after.spread} == {Grade.JUDGEMENT, Grade.HISTORY}
    assert 0.2 < after.judgement_share < 0.9 and {part.cause for part in after.spread} == {"org"}
    assert after.most_likely_days == 20.0
    assert any("shortest, median and longest, for “Title of org.a” (n = 3)" in note for note in after.notes)


def test_own_history_is_the_whole_time_and_a_crew_is_busy_for_no_longer():
    tasks = [task("us.a", Scope.PRODUCT, owner=Owner.US, effort=fixed(40), lead_time=lead(9, 9, 9))]
    history = own_estimates(past("us.a", *[("2025-03-03", "2025-03-14")] * 3), (), MONDAY)
    plan = plan_of((), {}, [ALDER], tasks, history=history, capacity={Owner.US: 1.0})
    assert days(plan) == 10.0


def test_a_shared_environment_costs_nothing_once_its_task_is_done():
    tasks = [task("org.a", lead_time=lead(5, 20, 50), shared_environment=True)]
    one = plan_of((), {}, [ALDER, BIRCH], tasks, statuses={"org.a@alder": DONE}).sandbox
    assert one is not None and [entry.org for entry in one.orgs] == ["birch"]
    assert plan_of((), {}, [ALDER], tasks, statuses={"org.a@alder": DONE}).sandbox is None
