"""What our people have in the weeks to come, what cannot be kept of it, and what can begin only after them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

from interlock.model import words
from interlock.model.forecast import PersonLoad
from interlock.model.language import _, ngettext
from interlock.model.plan import Plan, PlanTask
from interlock.plan.people import Weeks, done

#: People, weeks and tasks that are named; the rest is counted.
_PEOPLE, _WEEKS, _TASKS = 6, 6, 4
#: A week of which less than this share is free is full.
_FULL = 0.02
#: From this share of the runs on, a task that is moved is told to move the date.
_MATTERS = 0.05


def loads(plan: Plan, days: int, weeks: Weeks) -> tuple[str, ...]:
    """What each of our people has in the next so many calendar days, and what of it is moved; one sentence each.

    :param weeks: these days with the tasks that start in them.
    """
    last = date.fromisoformat(plan.start) + timedelta(days=days)
    told = [sentence for load in plan.people if (sentence := _load(plan, load, last))]
    if not told:
        return tuple(_unkept(plan, weeks))
    reads = _(
        "Two things are reckoned here, and they are not the same. The dates of an organisation, "
        "and the work of a week, rest on a simulation that takes our work in the order of one "
        "list and gives it to whoever of us is free. The days of a task of ours are those that "
        "one person keeps who does it alone, by name or as the contact: so one of us may have no "
        "hour free in a week in which the team has. The organisations' dates suppose that such "
        "work is shared out."
    )
    more = (
        [_("%(number)s more of our people have work in these weeks.", number=len(told) - _PEOPLE)]
        if len(told) > _PEOPLE
        else []
    )
    return (reads, *told[:_PEOPLE], *more, *_unkept(plan, weeks))


def _load(plan: Plan, load: PersonLoad, last: date) -> str:
    weeks = [week for week in load.weeks if date.fromisoformat(week.week) <= last]
    if not weeks:
        return ""
    said = _(
        "%(person)s: %(work)s of work",
        person=load.person,
        work=words.person_days(round(sum(week.work for week in weeks), 1)),
    )
    full = [words.iso_day(week.week) for week in weeks if week.there and week.work >= week.there * (1 - _FULL)]
    if full:
        said += ", " + ngettext(
            "with no hour free in the week of %(weeks)s",
            "with no hour free in the weeks of %(weeks)s",
            len(full),
            weeks=words.listed(full, _WEEKS),
        )
    moved = [
        task
        for task in plan.left
        if task.person_days_late
        and load.person in {task.person, task.contact}
        and task.starts
        and date.fromisoformat(task.starts) <= last
    ]
    if moved:
        most = words.days(max(task.person_days_late for task in moved))
        said += "; " + words.counted(
            len(moved),
            "%(number)s task ends up to %(most)s later for it",
            "%(number)s tasks end up to %(most)s later for it",
            most=most,
        )
        first = max(moved, key=lambda task: (task.criticality, task.id))
        if first.criticality >= _MATTERS:
            which = _("The last date of all") if first.org is None else _("The date of its organisation")
            said += ". " + _(
                "%(which)s waits for “%(task)s” in %(share)s of runs: give that to somebody else, or something that "
                "comes before it",
                which=which,
                task=_quoted(plan, first),
                share=words.share(first.criticality),
            )
    return f"{said}."


def _quoted(plan: Plan, task: PlanTask) -> str:
    """What a task is, to stand within quotation marks."""
    names = {line.org: line.name for line in plan.outlook}
    return done([task], names).replace("“", "‘").replace("”", "’")


def _unkept(plan: Plan, weeks: Weeks) -> Iterator[str]:
    """The stated days of tasks of these weeks that fewer than four of five runs keep, those that fewest keep first."""
    told = [task for _, tasks in weeks for task in tasks]
    late = [task for task in told if task.due and task.latest and task.latest > task.due]
    late.sort(key=lambda task: (not _missed(task), task.due or "", task.id))
    if late:
        missed = sum(map(_missed, late))
        if missed:
            yield words.counted(
                len(late),
                "%(number)s stated day is kept in fewer than four of five runs, %(missed)s of them in fewer than half: "
                "%(told)s.",
                "%(number)s stated days are kept in fewer than four of five runs, %(missed)s of them in fewer than "
                "half: %(told)s.",
                missed=missed,
                told=_told(plan, late),
            )
        else:
            yield words.counted(
                len(late),
                "%(number)s stated day is kept in fewer than four of five runs: %(told)s.",
                "%(number)s stated days are kept in fewer than four of five runs: %(told)s.",
                told=_told(plan, late),
            )


def later(plan: Plan, weeks: Weeks) -> tuple[PlanTask, ...]:
    """What starts only after these weeks and is a critical blocker, or drives the plan's date; the first on top."""
    driving = {driver.id for driver in plan.drivers}
    shown = {task.id for _, tasks in weeks for task in tasks}
    behind = [task for task in plan.left if task.chance is None and task.id not in shown]
    told = [task for task in behind if task.id in driving or task.critical]
    return tuple(sorted(told, key=lambda task: (task.start_p50, task.id)))


def sure(plan: Plan) -> dict[str, PlanTask]:
    """By id what is left and has to be done whatever is found out."""
    return {task.id: task for task in plan.left if task.chance is None}


def longest_before(task: PlanTask, left: Mapping[str, PlanTask]) -> PlanTask | None:
    """What a task waits for longest, of what comes directly before it; none where that is nothing that is left."""
    before = [left[name] for name in task.after if name in left]
    return max(before, key=lambda first: (first.finish_p50, first.id), default=None)


def waits_for(plan: Plan, tasks: Sequence[PlanTask], left: Mapping[str, PlanTask]) -> str:
    """What tasks wait for longest, of what comes directly before each; empty where that is nothing that is left.

    :param left: what is left and :func:`sure`.
    """
    names = {line.org: line.name for line in plan.outlook}
    said = []
    for task in tasks:
        last = longest_before(task, left)
        if last is not None:
            first_of_all = {"task": _quoted(plan, last), "by": last.by_said}
            if len(tasks) > 1:
                name = names.get(task.org or "", task.org)
                said.append(_("%(name)s waits for “%(task)s”, %(by)s", name=name, **first_of_all))
            else:
                said.append(_("Waits for “%(task)s”, %(by)s", **first_of_all))
    return ". ".join(said)


def _missed(task: PlanTask) -> bool:
    return bool(task.ends and task.due and task.ends > task.due)


def _told(plan: Plan, tasks: Sequence[PlanTask]) -> str:
    names = {line.org: line.name for line in plan.outlook}
    told = []
    for task in tasks[:_TASKS]:
        where = f" ({names.get(task.org, task.org)})" if task.org else ""
        days = _(
            "%(due)s, where four of five need until %(latest)s",
            due=words.iso_day(task.due or ""),
            latest=words.iso_day(task.latest or ""),
        )
        told.append(_("%(task)s on %(days)s", task=f"“{_quoted(plan, task)}”{where}", days=days))
    if len(tasks) > _TASKS:
        told.append(_("and %(number)s more", number=len(tasks) - _TASKS))
    return "; ".join(told)
