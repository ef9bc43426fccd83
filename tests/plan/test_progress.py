"""What a routine task that has begun, or is done, still takes; and own history in the place of an estimate."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from gaps_factory import MONDAY, at_org, effort, finding, fixed, lead, org, plan_of, rule, rules_of, task
from hypothesis import given
from hypothesis import strategies as st

from interlock.model.base import Gate, Grade, Owner, Scope
from interlock.model.routine import PastTask, TaskStatus
from interlock.plan.calendar import WorkingCalendar
from interlock.plan.history import own_estimates
from interlock.plan.progress import Progress, left, progress_of, touch_left

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
    assert any(note.startswith("Of 8 routine tasks 1 is done and 0 begun") for note in after.notes)


def test_a_plan_in_which_everything_is_done_says_that_nothing_is_left():
    statuses = {f"org.{name}@alder": DONE for name in "abcd"}
    plan = plan_of((), {}, [ALDER], CHAIN, statuses=statuses)
    assert days(plan) == 0.0 and plan.notes == ("Nothing is left to plan before the production gate.",)
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


def test_holidays_are_not_spent():
    assert progress_of(begun("2025-12-22"), WorkingCalendar(MONDAY, (date(2025, 12, 25), date(2026, 1, 1)))).spent == 8
    assert progress_of(None, WorkingCalendar(MONDAY)) == Progress()
    assert progress_of(DONE, WorkingCalendar(MONDAY)) == Progress(done=True)


positive = st.floats(0, 500, width=32)


@given(total=positive, more=positive, spent=positive, later=positive)
def test_what_is_left_never_grows_with_time_and_never_shrinks_with_the_duration(total, more, spent, later):
    def one(value: float, days_spent: float) -> float:
        return float(left(np.array([value], dtype=np.float32), Progress(spent=days_spent))[0])

    now = one(total, spent)
    assert min(total, 1.0) <= now <= total or now == pytest.approx(total)
    assert one(total, spent + later) <= now <= one(total + more, spent) + 1e-4 * (total + more + 1)


@given(touch=positive, wait=positive, spent=positive)
def test_the_lead_time_is_what_is_left_last(touch, wait, spent):
    work, total = np.array([touch], dtype=np.float32), np.array([touch + wait], dtype=np.float32)
    progress = Progress(spent=spent)
    rest = float(touch_left(work, total, progress)[0])
    assert 0 <= rest <= touch + 1e-3
    if wait == 0:
        assert rest == pytest.approx(float(left(total, progress)[0]), abs=1e-3)
    if touch == 0:
        assert rest == pytest.approx(0, abs=1e-3)


@given(st.sets(st.sampled_from([f"org.{name}@{where}" for name in "abcd" for where in ("alder", "birch")])))
def test_finishing_tasks_never_makes_anything_later(done):
    settings = {"capacity": {Owner.US: 1.0}, "runs": 60}
    tasks = [
        task("org.a", owner=Owner.US, effort=effort(2, 5, 20)),
        task("org.b", owner=Owner.US, after=("org.a",), effort=effort(2, 5, 20), lead_time=lead(1, 5, 30)),
        task("org.c", owner=Owner.US, after=("org.a",), effort=effort(1, 9, 12)),
        task("org.d", owner=Owner.US, effort=effort(3, 3, 30)),
    ]
    before = plan_of((), {}, [ALDER, BIRCH], tasks, **settings)
    after = plan_of((), {}, [ALDER, BIRCH], tasks, statuses=dict.fromkeys(done, DONE), **settings)
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
    tasks = [task("org.a", lead_time=lead(10, 20, 80)), task("org.b", after=("org.a",), effort=fixed(10))]
    history = own_estimates(past("org.a", *[("2025-03-03", "2025-03-14")] * 3), (), MONDAY)
    before, after = plan_of((), {}, [ALDER], tasks), plan_of((), {}, [ALDER], tasks, history=history)
    assert before.judgement_share == 1.0 and after.judgement_share == 0.5 == after.grades[Grade.HISTORY]
    assert days(after) == 20.0 == after.most_likely_days
    assert any("the estimate of org.a (n = 3)" in note for note in after.notes)


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
