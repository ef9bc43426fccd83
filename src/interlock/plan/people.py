"""Who does each task, by when, and when it counts as accepted; and the tasks of the next weeks."""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Literal

from interlock.model import words
from interlock.model.base import Owner, Scope
from interlock.model.finding import Finding
from interlock.model.forecast import PersonLoad, WeekLoad
from interlock.model.language import _
from interlock.model.organization import Organization
from interlock.model.plan import FIND_OUT_WORDS, FirstThing, Plan, PlanTask, finding_of
from interlock.model.response import Response
from interlock.model.rule import Effort
from interlock.model.text import plain
from interlock.plan.actions import PROBE, Wording, named
from interlock.plan.calendar import WorkingCalendar

#: By Monday the tasks that start in each week.
Weeks = Sequence[tuple[date, tuple[PlanTask, ...]]]
#: On which side of an organisation's contacts the people of each owner are.
_SIDES: Mapping[Owner, Literal["there", "here"]] = {Owner.ORG: "there", Owner.US: "here"}
#: Weeks of work that are reckoned at most: a team too small for its plan never ends.
_WEEKS = 520
#: The same work at so many organisations is told in a line for each.
_LINES = 3
#: Less work than this, in person-days, is rounding.
_ROUNDING = 0.01


def with_people(
    plan: Plan,
    findings: Sequence[Finding],
    wording: Wording,
    responses: Mapping[str, Mapping[str, Response]],
    organizations: Sequence[Organization],
    holidays: tuple[date, ...],
) -> Plan:
    """The plan whose tasks say what to do, who does it, on which days and by when, and when they are accepted.

    A routine task's person and day are those of ``tasks.yaml``; those of a gap, an unknown or evidence are of whoever
    owes one of the answers that it reads. Where nobody is named, the task goes through the organisation's contact.
    """
    contacts = {
        (organization.id, owner): contact.name
        for organization in organizations
        for owner, side in _SIDES.items()
        if (contact := organization.contact(side)) is not None
    }
    # A vendor has no contacts of its own: whoever is named for a task of the vendor's is asked about its others too.
    vendors = {task.id.partition("@vendor:")[2]: said for task in plan.left if (said := _named_there(task))}
    contacts |= {
        (organization.id, Owner.VENDOR): vendors[organization.vendor]
        for organization in organizations
        if organization.vendor in vendors
    }
    by_key = {finding.key: finding for finding in findings}
    calendar = WorkingCalendar(date.fromisoformat(plan.start), holidays)

    def told(task: PlanTask) -> PlanTask:
        person, due = (task.progress.owner, task.progress.due) if task.progress else (None, None)
        finding = by_key.get(finding_of(task.id))
        about = [by_key[key] for key in task.about] if finding is None else [finding]
        if about and task.kind != "routine":
            person, due = _owed(about, responses)
        return task.model_copy(
            update={
                "person": person,
                "contact": None if person or task.org is None else contacts.get((task.org, task.owner)),
                "due": due,
                "starts": calendar.date_of(math.floor(task.start_p50) + 1).isoformat(),
                "ends": calendar.date_of(task.finish_p50).isoformat(),
                "latest": calendar.date_of(task.finish_p80).isoformat() if task.finish_p80 is not None else None,
                "accepted": wording.accepted(task, finding),
                "action": wording.action(task, finding),
                "critical": wording.critical(task, finding),
                "decides": wording.decides(task, finding),
                "decided_by": wording.decided_by(task, finding),
            }
        )

    tasks, people = _paced(tuple(map(told, plan.tasks)), calendar)
    by_id = {task.id: task for task in tasks}
    actions = {
        finding_of(task.id): named(task.action, wording.names.get(task.org or "", ""))
        for task in tasks
        if task.kind == "discovery"
    }
    first, apart = (
        tuple(_worded(thing, by_id, wording.names) for thing in things) for things in (plan.first, plan.apart)
    )
    unknowns = tuple(
        thing.model_copy(update={"action": actions[thing.key]}) if thing.key in actions else thing
        for thing in plan.unknowns
    )
    update = {"tasks": tasks, "first": first, "apart": apart, "unknowns": unknowns}
    load = tuple(_load(tasks, plan, calendar))
    return plan.model_copy(update=update | {"load": load, "people": people})


def _named_there(task: PlanTask) -> str | None:
    """Who is named for a task that a vendor does once for all its organisations."""
    vendors = task.owner is Owner.VENDOR and task.org is None
    return task.progress.owner if vendors and task.progress is not None else None


def _worded(thing: FirstThing, tasks: Mapping[str, PlanTask], names: Mapping[str, str]) -> FirstThing:
    """A first thing with what to do as its headline, and what is open below it."""
    task = tasks.get(thing.keys[0]) if thing.keys else None
    if task is None or thing.kind in {"routine", "evidence"} or task.id.startswith(PROBE):
        where = names.get(thing.orgs[0], "") if len(thing.orgs) == 1 else ""
        return thing.model_copy(update={"task": thing.title, "action": named(thing.action, where)})
    several = len(thing.keys) > 1 and thing.kind == "discovery"
    more = f" (the same at {words.listed(thing.orgs, 4)})" if several else ""
    action = "" if thing.kind == "discovery" else thing.action
    state = thing.title.removeprefix(FIND_OUT_WORDS)
    done = named(task.action, "" if several else names.get(task.org or "", ""))
    return thing.model_copy(update={"task": f"{done}{more}", "state": state, "action": action})


def _load(tasks: Sequence[PlanTask], plan: Plan, calendar: WorkingCalendar) -> Iterator[WeekLoad]:
    """Our mean work by week, each task's from its median start on, one person at it; unknown gaps by their chance.

    What is more than the people of a week, from the plan's first day on, can do is done in the next one; what is sure
    goes before what an unknown may bring.
    """
    sure, maybe = _by_week([task for task in tasks if task.owner is Owner.US], calendar)
    persons, first = plan.capacity.get(Owner.US) or None, calendar.first_day()
    week = min((*sure, *maybe), default=first)
    for _week in range(_WEEKS):
        if not (sure or maybe):
            return
        there = None if persons is None else persons * _worked(week, calendar)
        asked, may = sure.pop(week, 0.0), maybe.pop(week, 0.0)
        known = asked if there is None else min(asked, there)
        perhaps = may if there is None else min(may, there - known)
        following = week + timedelta(days=7)
        for weeks, rest in ((sure, asked - known), (maybe, may - perhaps)):
            if rest > _ROUNDING:
                weeks[following] += rest
        if known + perhaps > _ROUNDING:
            yield WeekLoad(
                week=week.isoformat(),
                work=round(known + perhaps, 1),
                there=None if there is None else round(there, 1),
                maybe=round(perhaps, 1),
            )
        week = following if following in sure or following in maybe else min((*sure, *maybe), default=week)


def _paced(
    tasks: tuple[PlanTask, ...], calendar: WorkingCalendar
) -> tuple[tuple[PlanTask, ...], tuple[PersonLoad, ...]]:
    """The tasks with days that each of our people who is named can keep, and what each week then asks of them.

    The simulation gives a task to whoever of us is free. Here each of our people does alone what has their name, or
    goes through them: a person-day a working day, from each task's median start on, and of what is there always that
    whose work is due first, so that what it then waits for fits in. That order keeps every day if any order does
    (Jackson's rule, with work that may be interrupted). What a task ends later than in the simulation, its days move.
    """
    of: dict[str, list[PlanTask]] = defaultdict(list)
    for task in tasks:
        if task.owner is Owner.US and not task.is_done and task.work_left and (name := task.person or task.contact):
            of[name].append(task)
    moved: dict[str, PlanTask] = {}
    people = []
    for name in sorted(of):
        later, weeks = _one_by_one(of[name], calendar)
        for task in of[name]:
            days = later[task.id]
            if days >= 1 and task.chance is None:
                late = task.finish_p80 if task.finish_p80 is not None else task.finish_p50
                ends, latest = (calendar.date_of(day + days).isoformat() for day in (task.finish_p50, late))
                moved[task.id] = task.model_copy(update={"ends": ends, "latest": latest, "person_days_late": days})
        people.append(PersonLoad(person=name, weeks=tuple(weeks)))
    return tuple(moved.get(task.id, task) for task in tasks), tuple(people)


def _one_by_one(tasks: Sequence[PlanTask], calendar: WorkingCalendar) -> tuple[dict[str, int], list[WeekLoad]]:
    """By how many working days one person alone ends each task later, and this person's work by week.

    What an unknown may bring takes its mean share of the days, and is moved for nobody.
    """
    left = {task.id: task.work_left * (1.0 if task.chance is None else task.chance) for task in tasks}
    there = sorted(tasks, key=lambda task: (_work_due(task, calendar), task.start_p50, task.id))
    ended: dict[str, int] = {}
    weeks: dict[date, float] = defaultdict(float)
    coming = sorted(((math.floor(task.start_p50), index) for index, task in enumerate(there)), reverse=True)
    ready: list[int] = []  # indices of the tasks that are there and not done, the first due on top
    day = 0
    while ready or coming:
        day = day + 1 if ready else max(day, coming[-1][0]) + 1
        while coming and coming[-1][0] < day:
            heapq.heappush(ready, coming.pop()[1])
        room, on = 1.0, calendar.date_of(day)
        monday = on - timedelta(days=on.weekday())
        while ready and room > _ROUNDING:
            task = there[ready[0]]
            done_now = min(room, left[task.id])
            room, left[task.id] = room - done_now, left[task.id] - done_now
            weeks[monday] += done_now
            if left[task.id] <= _ROUNDING:
                heapq.heappop(ready)
                ended[task.id] = day
    later = {task.id: max(0, ended[task.id] - math.ceil(task.start_p50 + task.work_left)) for task in tasks}
    loads = [
        WeekLoad(week=week.isoformat(), work=round(work, 1), there=float(_worked(week, calendar)))
        for week, work in sorted(weeks.items())
    ]
    return later, loads


def _work_due(task: PlanTask, calendar: WorkingCalendar) -> float:
    """The working day by which the work on a task has to end so that four of five runs have it done by its day.

    What comes after the work is waiting.
    """
    late = task.finish_p50 if task.finish_p80 is None else task.finish_p80
    wait = max(0.0, late - task.start_p50 - task.work_left)
    return (calendar.days_through(date.fromisoformat(task.by)) if task.by else math.inf) - wait


def _by_week(tasks: Sequence[PlanTask], calendar: WorkingCalendar) -> tuple[dict[date, float], dict[date, float]]:
    """Monday → mean work of these tasks, first what is sure, then what unknowns may bring, by the chance of each.

    Each is worked on for a day every working day, from its median start on.
    """
    sure: dict[date, float] = defaultdict(float)
    maybe: dict[date, float] = defaultdict(float)
    for task in tasks:
        left, day = 0.0 if task.is_done else task.work_left, math.floor(task.start_p50) + 1
        weeks, share = (sure, 1.0) if task.chance is None else (maybe, task.chance)
        while left > 0:
            on = calendar.date_of(day)
            weeks[on - timedelta(days=on.weekday())] += min(1.0, left) * share
            left, day = left - 1.0, day + 1
    return sure, maybe


def _worked(week: date, calendar: WorkingCalendar) -> int:
    """Days of a week that are worked, from the plan's first day on."""
    days = [week + timedelta(days=more) for more in range(7)]
    return sum(day >= calendar.first_day() and calendar.is_working_day(day) for day in days)


def _owed(
    findings: Sequence[Finding], responses: Mapping[str, Mapping[str, Response]]
) -> tuple[str | None, str | None]:
    """Who owes an answer that the findings read, and by when: the first of them that is due."""
    owed = []
    for finding in findings:
        scopes = ("product", finding.subject.id) if finding.subject.scope is Scope.ORG else ("product",)
        read = [name.partition(".")[2] for name in finding.reads]  # value.auth.jwks, or what was probed
        for item in dict.fromkeys((*finding.missing_answers, *read)):
            for scope in scopes:
                response = responses.get(scope, {}).get(item)
                if response is not None and (response.assignee or response.due):
                    owed.append((response.due or "9999", response.assignee, response.due))
    _, person, due = min(owed, key=lambda entry: (entry[0], entry[1] or ""), default=("", None, None))
    return person, due


def next_weeks(plan: Plan, days: int) -> Weeks:
    """The tasks that start at the median in the weeks of so many calendar days, by Monday, then by owner.

    What is done, and what only an unknown that turns out to be a gap would bring, is left out. The last week is whole,
    and a week in which we only go on with what began earlier has no task.
    """
    last = date.fromisoformat(plan.start) + timedelta(days=days)
    weeks: dict[date, list[PlanTask]] = {date.fromisoformat(load.week): [] for load in plan.load}
    for task in plan.left:
        if task.chance is None and task.starts is not None:
            day = date.fromisoformat(task.starts)
            weeks.setdefault(day - timedelta(days=day.weekday()), []).append(task)
    order = list(type(plan.tasks[0].owner)) if plan.tasks else []
    return tuple(
        (week, tuple(sorted(tasks, key=lambda task: (order.index(task.owner), task.person or "", task.id))))
        for week, tasks in sorted(weeks.items())
        if week <= last
    )


def reckoned(plan: Plan, weeks: Weeks) -> str:
    """How the work of these weeks and the work of their tasks are one sum; empty without work of ours."""
    shown = {week.isoformat() for week, _ in weeks}
    loads = [load for load in plan.load if load.week in shown]
    work, maybe = sum(load.work for load in loads), sum(load.maybe for load in loads)
    whole = sum(task.work_left for _, tasks in weeks for task in tasks if task.owner is Owner.US)
    if not loads:
        return ""
    later = whole - (work - maybe)
    said = {
        "work": words.person_days(work),
        "listed": words.number(work - maybe),
        "maybe": words.number(maybe),
    }
    if later > 0.5:
        return _(
            "Our work of these weeks is %(work)s: %(listed)s on the tasks listed (%(later)s more of their %(whole)s "
            "come in later weeks), and %(maybe)s on gaps that unknowns may turn out to be, each by its chance.",
            **said,
            later=words.number(later),
            whole=words.number(whole),
        )
    return _(
        "Our work of these weeks is %(work)s: %(listed)s on the tasks listed, and %(maybe)s on gaps that unknowns may "
        "turn out to be, each by its chance.",
        **said,
    )


def alike(tasks: Sequence[PlanTask]) -> list[list[PlanTask]]:
    """The same work at several organisations together; where it is under way, apart from where it is to come."""
    groups: dict[tuple[str, bool], list[PlanTask]] = {}
    for task in tasks:
        work = "probe" if task.id.startswith(PROBE) else task.id.partition("@")[0]
        groups.setdefault((work, task.progress is not None and task.progress.begun is not None), []).append(task)
    return list(groups.values())


def lines(group: Sequence[PlanTask]) -> list[Sequence[PlanTask]]:
    """The same work in parts that get a line each: every task alone, or where they are many, those of one person."""
    if len(group) <= _LINES:
        return [[task] for task in group]
    parts: dict[str, list[PlanTask]] = {}
    for task in group:
        parts.setdefault(task.whose, []).append(task)
    return list(parts.values())


def spanned(group: Sequence[PlanTask]) -> str:
    """The days of the same work at several organisations: from the first to the last, and the work of all."""
    if len(group) == 1:
        return group[0].when
    starts, latest = ([day for task in group if (day := getattr(task, name)) is not None] for name in ("starts", "by"))
    work = sum(task.work_left for task in group)
    task = group[0].model_copy(
        update={
            "starts": min(starts, default=None),
            "due": None,
            "latest": max(latest, default=None),
            "queue_days": max(task.queue_days for task in group),
            "effort": Effort(low=work, expected=work, high=work) if work else None,
            "share_left": 1.0,
        }
    )
    return task.when


def asks(plan: Plan, thing: FirstThing) -> str:
    """Who of ours asks whom, where somebody else does it; empty where we do it ourselves, or nobody is named."""
    if thing.owner is Owner.US:
        return ""
    lines = {line.org: line for line in plan.outlook}
    asked = [lines[org] for org in thing.orgs if org in lines]
    if asked:
        return " ".join(
            _("%(here)s, asks %(there)s, at %(where)s.", here=line.here, there=line.there, where=line.name)
            for line in asked
        )
    named = {task.person for task in plan.left if task.id in thing.keys and task.person}
    return _("Whom to ask: %(named)s.", named=words.listed(sorted(plain(name, 60) for name in named))) if named else ""


def done(group: Sequence[PlanTask], names: Mapping[str, str]) -> str:
    """What the same work at one or several organisations is."""
    task = group[0]
    return named(task.action or task.title, names.get(task.org or "", "") if len(group) == 1 else "")


def accepted(group: Sequence[PlanTask]) -> str:
    """When the same work at one or several organisations counts as done."""
    task = group[0]
    return task.accepted if len(group) == 1 else task.accepted.replace(f"--org {task.org}", "--org ID, for each")


def decided_by(group: Sequence[PlanTask]) -> str:
    """The day of these decisions at the first organisation and at the last: as stated, or in half of the runs."""
    days = sorted((task.due_kept or task.ends, task.due_kept is not None) for task in group if task.ends)
    if not days:
        return ""

    def said(day: tuple[str, bool]) -> str:
        when = words.iso_day(day[0] or "")
        return _("by %(day)s (as stated)", day=when) if day[1] else _("by %(day)s", day=when)

    if days[0] == days[-1]:
        return said(days[0])
    return _("%(first)s at the first, %(last)s at the last", first=said(days[0]), last=said(days[-1]))
