"""Whose each task is, by when, when it is accepted, and which of them start in the next weeks."""

from __future__ import annotations

from datetime import date

from interlock.model.base import Gate, Owner
from interlock.model.plan import Plan, PlanTask, Quantiles
from interlock.model.questionnaire import Response
from interlock.model.routine import TaskStatus
from interlock.plan.people import next_weeks, with_people

from gaps_factory import UNKNOWN, finding, rule, rules_of  # isort: skip

ZERO = Quantiles(
    p50_days=0, p80_days=0, p90_days=0, p50_date="2026-12-01", p80_date="2026-12-01", p90_date="2026-12-01"
)


def task(name: str, kind: str, start: float, **more: object) -> PlanTask:
    return PlanTask(
        id=name, title=f"Title of {name}", kind=kind, org=None, owner=Owner.US, gate=Gate.PILOT, wave=0, after=(),
        effort=None, lead_time=None, start_p50=start, finish_p50=start + 1, criticality=0, **more,
    )  # fmt: skip


def peopled() -> Plan:
    rules = rules_of(rule("AA-001"), rule("AA-002"))
    unknown = finding(rules["AA-001"], outcome=UNKNOWN, missing_answers=("area.item",))
    tasks = (
        task("find-out:AA-001", "discovery", 0),
        task("AA-001", "gap", 3, chance=0.5),
        task("AA-002", "gap", 6),
        task("us.build", "routine", 4, progress=TaskStatus(status="not_begun", owner="Bea Ng", due="2027-02-01")),
        task("us.late", "routine", 200),
    )
    plan = Plan(
        start="2026-12-01", seed=1, runs=1, target_gate=Gate.PILOT, finish=ZERO, most_likely_days=0,
        probability_of_most_likely=1, orgs=(), tasks=tasks, first=(),
    )  # fmt: skip
    owed = Response(status="unanswered", assignee="Cy Ode", due="2026-12-09")
    gap = finding(rules["AA-002"], reads=("value.area.item",))
    return with_people(plan, (unknown, gap), rules, {"product": {"area.item": owed}}, ())


def test_tasks_have_people_days_and_what_they_are_accepted_by() -> None:
    by_id = {each.id: each for each in peopled().tasks}
    assert by_id["us.build"].whose == "Bea Ng, by 1 Feb 2027"
    assert by_id["us.build"].accepted == "recorded as done"
    assert by_id["find-out:AA-001"].whose == "Cy Ode, by 9 Dec 2026"
    assert by_id["find-out:AA-001"].accepted == "answered, or observed"
    assert by_id["AA-002"].accepted == "an answer or an observation closes it"
    assert by_id["AA-002"].whose == "Cy Ode, by 9 Dec 2026"
    assert by_id["us.build"].starts == "2026-12-07"


def test_the_next_weeks_leave_out_what_is_later_and_what_may_never_be() -> None:
    weeks = next_weeks(peopled(), 90)
    assert [(week, [each.id for each in tasks]) for week, tasks in weeks] == [
        (date(2026, 11, 30), ["find-out:AA-001"]),
        (date(2026, 12, 7), ["us.build", "AA-002"]),
    ]
