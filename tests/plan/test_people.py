"""Whose each task is, by when, when it is accepted, and which of them start in the next weeks."""

from __future__ import annotations

from datetime import date

from interlock.model.base import Evidence, GapClass, Gate, Owner
from interlock.model.forecast import Quantiles
from interlock.model.organization import Organization
from interlock.model.plan import Plan, PlanTask
from interlock.model.questionnaire import Item
from interlock.model.response import Response
from interlock.model.routine import TaskStatus
from interlock.model.rule import Effort
from interlock.model.words import WEEKS_MEAN
from interlock.plan.actions import Wording
from interlock.plan.due import later, loads, sure, waits_for
from interlock.plan.people import accepted, alike, decided_by, done, lines, next_weeks, reckoned, spanned, with_people

from gaps_factory import UNKNOWN, at_org, finding, rule, rules_of  # isort: skip
from gaps_factory import task as routine  # isort: skip

BLOCKER = GapClass.INTEGRATION_BLOCKER
NAMES = {"alder": "Alder Hospital"}
CONTACTS = (
    {"name": "Dan Whit", "role": "interface analyst", "email": "dan@example.org"},
    {"name": "Pri Ram", "side": "here"},
)
ORGS = (Organization(id="alder", name="Alder Hospital", contacts=CONTACTS),)

ZERO = Quantiles(
    p50_days=0, p80_days=0, p90_days=0, p50_date="2026-12-01", p80_date="2026-12-01", p90_date="2026-12-01"
)


def task(name: str, kind: str, start: float, **more: object) -> PlanTask:
    return PlanTask(
        id=name, title=f"Title of {name}", kind=kind, owner=Owner.US, gate=Gate.PILOT, wave=0, after=(),
        start_p50=start, finish_p50=start + 1, criticality=0,
        **{"org": None, "effort": None, "lead_time": None, **more},
    )  # fmt: skip


ITEM = Item.model_validate(
    {
        "id": "area.item", "type": "choice", "text": "How is it known?", "scope": "org",
        "ask": {"text": "Which scopes did you grant?"},
        "options": [
            {"value": "guess", "label": "It is assumed", "weight": 0},
            {"value": "list", "label": "From a list", "weight": 0.67},
            {"value": "token", "label": "From a token", "weight": 1},
        ],
    }
)  # fmt: skip


def peopled() -> Plan:
    rules = rules_of(
        rule("AA-001"), rule("AA-002", gate="pilot", gap_when="value.area.item < 0.5", measures="area.item")
    )
    unknown = finding(rules["AA-001"], at_org("alder"), UNKNOWN, missing_answers=("area.item",))
    more = {"effort": Effort(low=1, expected=2, high=3), "finish_p80": 9.0}
    tasks = (
        task("find-out:AA-001@alder", "discovery", 0, org="alder"),
        task("AA-001@alder", "gap", 3, chance=0.5, org="alder"),
        task("AA-002", "gap", 6, **more),
        task("us.build", "routine", 4, progress=TaskStatus(status="not_begun", owner="Bea Ng", due="2027-02-01")),
        task("us.late", "routine", 200),
        task("us.scripts@alder", "routine", 201, org="alder"),
        task("org.network@alder", "routine", 201, org="alder").model_copy(update={"owner": Owner.ORG}),
    )
    plan = Plan(
        start="2026-12-01", seed=1, runs=1, target_gate=Gate.PILOT, finish=ZERO, most_likely_days=0,
        probability_of_most_likely=1, orgs=(), tasks=tasks, first=(), capacity={"us": 2},
    )  # fmt: skip
    owed = Response(status="unanswered", assignee="Cy Ode", due="2026-12-09")
    gap = finding(rules["AA-002"], reads=("value.area.item",))
    build = routine("us.build", record="the released version", decides="the board")
    wording = Wording(rules, {"area.item": ITEM}, {"us.build": build}, NAMES, {Gate.PILOT: Evidence.DOCUMENTED})
    return with_people(plan, (unknown, gap), wording, {"product": {"area.item": owed}}, ORGS, ())


def test_tasks_have_people_days_and_what_they_are_accepted_by() -> None:
    by_id = {each.id: each for each in peopled().tasks}
    assert (by_id["us.build"].whose, by_id["us.build"].by_said) == ("Bea Ng", "by 1 Feb 2027")
    assert by_id["us.late"].whose == "the product team, nobody named yet"
    assert by_id["us.scripts@alder"].whose == "the product team, through Pri Ram"
    assert by_id["org.network@alder"].whose == "the organisation, through Dan Whit"
    assert [contact.told for contact in ORGS[0].contacts] == [
        "Dan Whit, interface analyst",
        "Pri Ram",
    ]
    assert by_id["us.build"].accepted == "recorded as done, with the released version"
    assert by_id["us.late"].accepted == "recorded as done"
    asked = by_id["find-out:AA-001@alder"]
    assert (asked.whose, asked.by) == ("Cy Ode", "2026-12-09")
    assert asked.accepted == "interlock answer area.item --org alder has recorded more than “unknown”"
    assert accepted([asked, asked]) == "interlock answer area.item --org ID, for each has recorded more than “unknown”"
    gap = by_id["AA-002"]
    assert gap.accepted == "“How is it known?” is answered “From a list” or better, with its document"
    assert gap.whose == "Cy Ode"
    assert gap.when == (
        "from 9 Dec 2026, by 9 Dec 2026 (as stated; four of five need until 11 Dec 2026); 2 person-days of ours"
    )
    assert by_id["us.build"].starts == "2026-12-07"


def test_a_gap_whose_remedy_is_refused_says_what_else_closes_it() -> None:
    rules = rules_of(rule("AA-001"))
    gap = finding(rules["AA-001"], at_org("alder"), reads=("fit.writes",))
    wording = Wording(rules, {}, {}, NAMES)
    closed = wording.accepted(task("AA-001@alder", "gap", 0, org="alder"), gap)
    assert closed == "the next probe of Alder Hospital no longer finds it"
    assert "A gap whose answer stays “no” is closed by a decision: the contract no longer needs it, or" in WEEKS_MEAN


def test_a_task_is_a_verb_and_its_state_is_not() -> None:
    by_id = {each.id: each for each in peopled().tasks}
    asked = by_id["find-out:AA-001@alder"]
    assert asked.action == "Ask the organisation: “Which scopes did you grant?”"
    assert done([asked], NAMES) == "Ask Alder Hospital: “Which scopes did you grant?”"
    assert done([asked, asked], NAMES) == asked.action
    assert by_id["AA-002"].action == "Do AA-002"
    assert by_id["us.build"].action == "Title of us.build"


def test_the_same_work_at_several_organisations_is_told_once_with_a_line_for_each_place_or_person() -> None:
    owners = ("Ann Ode", "Bea Ng", "Ann Ode", None, None)
    tasks = [task(f"org.network@o{at}", "routine", at, org=f"o{at}", person=name) for at, name in enumerate(owners)]
    [group] = alike(tasks)
    assert [len(part) for part in lines(group[:3])] == [1, 1, 1]
    assert [[each.org for each in part] for part in lines(group)] == [["o0", "o2"], ["o1"], ["o3", "o4"]]
    begun = TaskStatus(status="begun", begun="2026-11-02", by="Ann Ode")
    assert len(alike([*tasks, task("org.network@o9", "routine", 0, org="o9", progress=begun)])) == 2
    gap, asked = task("AA-001@o1", "gap", 0, org="o1"), task("find-out:AA-001@o2", "discovery", 0, org="o2")
    assert alike([gap, asked]) == [[gap], [asked]], "asking whether it is so is another task than closing it"


def test_decisions_say_who_takes_them_and_weeks_what_they_ask_of_us() -> None:
    plan = peopled()
    assert [(each.id, each.decides) for each in plan.decisions] == [("us.build", "the board")]
    assert [(each.week, each.work, each.there) for each in plan.load] == [("2026-12-07", 2.0, 10.0)]
    assert plan.load[0].said == "2 of 10 person-days of ours"
    [group] = [group for group in alike(plan.tasks) if group[0].id == "AA-002"]
    assert spanned([*group, *group]).endswith("4 person-days of ours")


def test_no_week_asks_for_more_than_its_people_have_and_the_weeks_sum_to_the_tasks() -> None:
    ten = Effort(low=5, expected=10, high=21)  # mean 11
    tasks = (
        task("us.one", "routine", 0, effort=ten),
        task("us.two", "routine", 0, effort=ten),
        task("us.three", "routine", 0, effort=ten),
        task("AA-001@alder", "gap", 4, org="alder", chance=0.5, effort=Effort(low=2, expected=2, high=2)),
    )
    plan = Plan(
        start="2026-12-01", seed=1, runs=1, target_gate=Gate.PILOT, finish=ZERO, most_likely_days=0,
        probability_of_most_likely=1, orgs=(), tasks=tasks, first=(), capacity={"us": 2},
    )  # fmt: skip
    plan = with_people(plan, (), Wording(), {}, (), ())
    # The plan starts on a Tuesday: its first week has four days.
    assert [(each.week, each.work, each.there, each.maybe) for each in plan.load] == [
        ("2026-11-30", 8.0, 8.0, 0.0),
        ("2026-12-07", 10.0, 10.0, 0.0),
        ("2026-12-14", 10.0, 10.0, 0.0),
        ("2026-12-21", 6.0, 10.0, 1.0),
    ]
    assert plan.load[-1].said == "6 of 10 person-days of ours, 1 of them on gaps that may be found"
    assert [len(each) for _, each in next_weeks(plan, 90)] == [3, 0, 0, 0]
    assert all("11 person-days of ours" in each.when for each in plan.tasks if each.kind == "routine")
    assert reckoned(plan, next_weeks(plan, 90)).startswith(
        "Our work of these weeks is 34 person-days: 33 on the tasks listed, and 1 on"
    )
    assert "33 on the tasks listed" not in reckoned(plan, next_weeks(plan, 7))
    assert "(15 more of their 33 come in later weeks)" in reckoned(plan, next_weeks(plan, 7))


def test_the_next_weeks_leave_out_what_is_later_and_what_may_never_be() -> None:
    weeks = next_weeks(peopled(), 90)
    assert [(week, [each.id for each in tasks]) for week, tasks in weeks] == [
        (date(2026, 11, 30), ["find-out:AA-001@alder"]),
        (date(2026, 12, 7), ["us.build", "AA-002"]),
    ]


def of_one(*tasks: PlanTask) -> Plan:
    plan = Plan(
        start="2026-12-01", seed=1, runs=1, target_gate=Gate.PILOT, finish=ZERO, most_likely_days=0,
        probability_of_most_likely=1, orgs=(), tasks=tasks, first=(), capacity={"us": 3},
    )  # fmt: skip
    return with_people(plan, (), Wording(names=NAMES), {}, ORGS, ())


def works(name: str, start: float, days: float, by: str | None = None, **more: object) -> PlanTask:
    """A task of Bea Ng's that takes so many days of work and no waiting."""
    said = TaskStatus(status="not_begun", owner="Bea Ng", due=by)
    ends = {"finish_p50": start + days, "finish_p80": start + days, **more}
    effort = Effort(low=days, expected=days, high=days)
    return task(name, "routine", start, progress=said, effort=effort).model_copy(update=ends)


def test_a_person_who_has_two_tasks_at_once_keeps_the_days_that_are_told() -> None:
    """Three of us could do both at once: who has both by name ends the second when the first is done."""
    plan = of_one(works("us.long", 0, 6), works("us.short", 2, 3), works("us.other", 40, 1))
    by_id = {each.id: each for each in plan.tasks}
    # The short one is due first, on the fifth day, and takes days 3 to 5; the long one ends on the ninth.
    assert (by_id["us.short"].latest, by_id["us.short"].person_days_late) == ("2026-12-07", 0)
    assert (by_id["us.long"].latest, by_id["us.long"].ends) == ("2026-12-11", "2026-12-11")
    assert by_id["us.long"].person_days_late == 3
    [bea] = plan.people
    assert [(week.week, week.work, week.there) for week in bea.weeks] == [
        ("2026-11-30", 4.0, 4.0),
        ("2026-12-07", 5.0, 5.0),
        ("2027-01-25", 1.0, 5.0),
    ]
    said = loads(plan, 30, next_weeks(plan, 30))
    assert said[1] == (
        "Bea Ng: 9 person-days of work, with no hour free in the weeks of 30 Nov 2026 and 7 Dec 2026; 1 task ends up "
        "to 3 working days later for it."
    )


def test_what_the_date_waits_for_is_named_where_its_person_has_other_work() -> None:
    plan = of_one(works("us.long", 0, 6, criticality=0.5), works("us.short", 2, 3))
    assert (
        "The last date of all waits for “Title of us.long” in 50% of runs: give that to somebody else"
        in loads(plan, 30, next_weeks(plan, 30))[1]
    )


def test_a_stated_day_that_cannot_be_kept_is_told_with_the_day_that_can() -> None:
    plan = of_one(works("us.one", 0, 6, "2026-12-04"), works("us.two", 0, 2, "2026-12-11"))
    assert loads(plan, 30, next_weeks(plan, 30))[-1] == (
        "1 stated day is kept in fewer than four of five runs, 1 of them in fewer than half: “Title of us.one” on 4 "
        "Dec 2026, where four of five need until 8 Dec 2026."
    )
    late = "by 4 Dec 2026 (as stated; on the days told here it ends later, four of five need until 8 Dec 2026)"
    assert late in plan.tasks[0].when
    over = of_one(works("us.one", 10, 2, "2026-12-04")).tasks[0]
    assert over.when == (
        "from 15 Dec 2026, by 16 Dec 2026 (stated: 4 Dec 2026, before it can begin); 2 person-days of ours"
    )
    plan = of_one(works("us.one", 0, 2, "2026-12-04"))
    assert loads(plan, 30, next_weeks(plan, 30))[-1].startswith("Bea Ng: 2 person-days of work.")


def test_work_comes_before_the_waiting_that_it_starts() -> None:
    """Two days of work and eight of waiting, due on the tenth day: the work is due on the second, before the other."""
    asks = works("us.ask", 0, 2, "2026-12-14", finish_p50=10.0, finish_p80=10.0)
    plan = of_one(works("us.write", 0, 6, "2026-12-10"), asks)
    assert [each.person_days_late for each in plan.tasks] == [2, 0]


def test_whoever_is_named_for_one_task_of_a_vendor_is_asked_about_its_others() -> None:
    named = TaskStatus(status="not_begun", owner="Nadia Haddad, Oracle Health")
    tasks = (
        task("oracle.validation@vendor:oracle", "routine", 0, progress=named),
        task("AA-001@alder", "gap", 0, org="alder"),
        task("AA-001@birch", "gap", 0, org="birch"),
    )
    plan = of_one(*(each.model_copy(update={"owner": Owner.VENDOR}) for each in tasks))
    orgs = (Organization(id="alder", name="Alder", vendor="oracle"), Organization(id="birch", name="B", vendor="epic"))
    told = with_people(plan, (), Wording(), {}, orgs, ()).tasks
    assert told[1].whose == "the EHR vendor, through Nadia Haddad, Oracle Health"
    assert told[2].whose == "the EHR vendor, nobody named yet", "another vendor is another company"


def test_who_decides_is_named_where_the_contract_names_the_role() -> None:
    build = routine("us.build", decides="the product lead with the clinical owner: the product lead's list")
    wording = Wording(routine={"us.build": build}, people={"product lead": "Maya Okafor", "security officer": "L H"})
    assert wording.decides(task("us.build", "routine", 0), None) == (
        "the product lead (Maya Okafor) with the clinical owner: the product lead's list"
    )


def test_a_decision_has_one_day_the_stated_one_where_there_is_one() -> None:
    stated = task("org.a@x", "routine", 0, org="x", due="2026-12-18", ends="2026-12-17", starts="2026-12-01")
    open_ = task("org.a@y", "routine", 0, org="y", ends="2027-02-01", starts="2027-01-01")
    assert decided_by([stated]) == "by 18 Dec 2026 (as stated)"
    assert decided_by([open_, stated]) == "by 18 Dec 2026 (as stated) at the first, by 1 Feb 2027 at the last"


def test_a_critical_blocker_that_can_only_begin_later_is_told_with_what_it_waits_for() -> None:
    rules = rules_of(rule("AA-001", gap_class=BLOCKER, severity="critical"), rule("AA-002", gap_class=BLOCKER))
    client, key = task("org.client@alder", "routine", 60, org="alder"), task("AA-001@alder", "gap", 90, org="alder")
    tasks = (client, key.model_copy(update={"after": ("org.client@alder",)}), task("AA-002", "gap", 91))
    gaps = (finding(rules["AA-001"], at_org("alder")), finding(rules["AA-002"]))
    plan = with_people(of_one(*tasks), gaps, Wording(rules, names=NAMES), {}, ORGS, ())
    assert [each.id for each in later(plan, next_weeks(plan, 90))] == ["AA-001@alder"]
    assert waits_for(plan, later(plan, next_weeks(plan, 90)), sure(plan)).startswith(
        "Waits for “Title of org.client@alder”, by "
    )
    assert waits_for(plan, [client], sure(plan)) == ""
    assert [each.id for each in later(plan, next_weeks(plan, 200))] == [], "what the weeks list is not told twice"


def test_stated_days_that_are_not_kept_are_those_of_the_tasks_in_the_list() -> None:
    """Two are listed; the day of the second is after the ninety days in which it begins."""
    plan = of_one(works("us.one", 0, 6, "2026-12-04"), works("us.two", 60, 20, "2027-03-05"))
    listed = [each for _, tasks in next_weeks(plan, 90) for each in tasks if "as stated" in each.by_said]
    assert len(listed) == 2 and loads(plan, 90, next_weeks(plan, 90))[-1].startswith(
        "2 stated days are kept in fewer than four of five"
    )


def test_two_ways_of_reckoning_our_time_are_named_and_a_wait_for_its_turn_is_no_want_of_people() -> None:
    plan = of_one(works("us.one", 0, 6))
    assert (
        "rest on a simulation" in loads(plan, 30, next_weeks(plan, 30))[0]
        and "one person keeps who does it alone" in loads(plan, 30, next_weeks(plan, 30))[0]
    )
    waiting = works("us.one", 20, 6, queue_days=9.6).model_copy(update={"starts": "2026-12-30", "ends": "2027-01-06"})
    assert waiting.when.endswith("ready about 10 working days before its turn")
    assert "“Before its turn” is no want of people" in WEEKS_MEAN and "“From” and “by” are no duration" in WEEKS_MEAN
