"""No task is told to begin before the stated day of what it waits for, nor in a freeze; no run is changed."""

from __future__ import annotations

from interlock.model.base import Gate, Owner
from interlock.model.forecast import OrgForecast, Quantiles
from interlock.model.organization import Freeze
from interlock.model.plan import Plan, PlanTask
from interlock.model.routine import TaskStatus
from interlock.model.rule import Effort
from interlock.plan.stated import with_stated_days

FREEZE = Freeze.model_validate({"from": "2026-12-18", "to": "2027-01-04", "org": "alder"})
DUE = "2026-12-16"
#: From 1 Dec 2026 to 8 Dec 2026 in one run of ten, which is before the committee's stated day.
FINISH = Quantiles(
    p10_days=6, p50_days=13, p80_days=27, p90_days=30,
    p10_date="2026-12-08", p50_date="2026-12-17", p80_date="2027-01-06", p90_date="2027-01-11",
)  # fmt: skip


def task(name: str, wave: int, after: tuple[str, ...], start: float, finish: float, **more: object) -> PlanTask:
    return PlanTask(
        id=f"{name}@alder", title=f"Title of {name}", kind="routine", org="alder", owner=Owner.US, gate=Gate.PILOT,
        wave=wave, after=tuple(f"{first}@alder" for first in after), lead_time=None, start_p50=start, finish_p50=finish,
        finish_p80=finish + 1, criticality=1, **{"effort": Effort(low=2, expected=2, high=2), **more},
    )  # fmt: skip


def stated(due: str | None = DUE, freezes: tuple[Freeze, ...] = (FREEZE,), review: float = 3) -> Plan:
    begun = TaskStatus(status="begun", begun="2026-11-02", owner="Grace Okafor", due=due, by="Lena Ortiz")
    tasks = (
        task("org.committee", 0, (), 0, 10, progress=begun),
        task("us.launch", 1, ("org.committee",), 10, 12, queue_days=5.0),
        task("us.review", 2, ("us.launch",), 12, 12 + review),
    )
    own = OrgForecast(org="alder", finish=FINISH, most_likely_days=9, probability_of_most_likely=0.1)
    plan = Plan(
        start="2026-12-01", seed=1, runs=1, target_gate=Gate.PILOT, finish=FINISH, most_likely_days=0,
        probability_of_most_likely=1, orgs=(own,), tasks=tasks, first=(), notes=("Tasks: 3 are left.",),
    )  # fmt: skip
    return with_stated_days(plan, {"us.launch"}, freezes, (), {"alder": "Alder Hospital"})


def test_nothing_begins_before_the_stated_day_of_what_it_waits_for() -> None:
    _, launch, review = stated(freezes=()).tasks
    # 16 Dec 2026 is working day 12: the launch begins on the next one, and keeps its two days.
    assert (launch.start_p50, launch.finish_p50, launch.finish_p80) == (12, 14, 14)
    assert launch.queue_days == 3.0, "of the wait for its turn, what the stated day does not take is left"
    assert (review.start_p50, review.finish_p50) == (14, 17), "what follows begins after it"


def test_a_launch_does_not_begin_in_a_freeze_and_one_before_it_is_left_alone() -> None:
    _, launch, review = stated("2026-12-18").tasks
    assert (launch.start_p50, launch.finish_p50) == (25, 27), "5 Jan 2027 is working day 26"
    assert review.start_p50 == 27
    assert [each.start_p50 for each in stated(None).tasks] == [0, 10, 12]


def test_the_range_of_an_organisation_does_not_begin_before_the_stated_days_and_its_end_stays() -> None:
    plan = stated("2026-12-18")
    [own] = plan.orgs
    assert own.finish.span == plan.finish.span == "5 Jan 2027 to 11 Jan 2027"
    assert (own.finish.p50_date, own.finish.p80_date, own.finish.p10_days) == ("2027-01-05", "2027-01-06", 26)
    assert stated(None).orgs[0].finish == FINISH


def test_where_stated_days_end_well_after_the_middle_of_the_runs_a_note_says_which_day_to_quote() -> None:
    assert stated("2027-01-15").notes == ("Tasks: 3 are left.",)
    [_, note] = stated("2027-01-15", review=8).notes
    assert note.startswith("Stated days: ") and note.endswith("Quote no day before that.")
    assert "Alder Hospital 29 Jan 2027, 9 working days after half of the runs" in note
