"""The next 90 days of the plan: our load week by week, and each task with its people, its days and its acceptance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from interlock.model import words
from interlock.model.language import _
from interlock.model.plan import FIND_OUT_WORDS, PlanTask, finding_of
from interlock.plan.actions import ASK_ORG
from interlock.plan.due import later, loads, longest_before, sure, waits_for
from interlock.plan.people import accepted, alike, done, lines, next_weeks, reckoned, spanned
from interlock.report import safe
from interlock.report.elements import Link, Pair, Shown
from interlock.report.sections.context import Context
from interlock.report.sections.tasks import details, where

DAYS_AHEAD = 90


def build_weeks(context: Context) -> Shown:
    """Load, the tasks of each week, and what drives the date later; empty parts where nothing is."""
    plan = context.assessment.plan
    ahead = next_weeks(plan, DAYS_AHEAD)
    left = sure(plan)
    return {
        "loads": tuple(safe.text(sentence, 1200) for sentence in loads(plan, DAYS_AHEAD, ahead)),
        "mean": f"{_(words.WEEKS_MEAN)} {reckoned(plan, ahead)}".strip(),
        "load": tuple(_load(context, {week.isoformat() for week, _tasks in ahead})),
        "told": tuple(
            {"week": _heading(context, week), "tasks": tuple(_block(context, group) for group in alike(tasks))}
            for week, tasks in ahead
            if tasks
        ),
        "later": tuple(
            _block(context, group)
            | {
                "state": words.sentence(safe.text(waits_for(plan, group, left))),
                "waits": tuple(
                    Link(label=_("task"), anchor=context.task_link(first).anchor)
                    for task in group
                    if (first := longest_before(task, left)) is not None
                ),
            }
            for group in alike(later(plan, ahead))
        ),
    }


def together(tasks: Sequence[PlanTask]) -> list[list[PlanTask]]:
    """The same work at several organisations, and first all that one person asks one organisation."""
    questions: dict[tuple[str | None, str], list[PlanTask]] = {}
    for task in tasks:
        if task.action.startswith(ASK_ORG):
            questions.setdefault((task.org, task.whose), []).append(task)
    groups = [group for group in questions.values() if len(group) > 1]
    covered = {task.id for group in groups for task in group}
    return groups + alike([task for task in tasks if task.id not in covered])


def asked(context: Context, group: Sequence[PlanTask]) -> str:
    """Several questions to one organisation as one task; empty for any other work."""
    if len(group) < 2 or not all(task.action.startswith(ASK_ORG) and task.org == group[0].org for task in group):
        return ""
    return words.counted(
        len(group),
        "Ask %(task_subject)s %(number)s question.",
        "Ask %(task_subject)s %(number)s questions.",
        task_subject=context.task_subject(group[0]),
    )


def _block(context: Context, group: Sequence[PlanTask]) -> Shown:
    """One task, at one or several organisations: what to do, where, by whom and when, and when it is accepted."""
    task = group[0]
    names = {} if task.org is None else {task.org: context.organization_name(task.org)}
    state = task.title.removeprefix(FIND_OUT_WORDS)
    told = task.action and state not in task.action
    if task.kind == "discovery":
        state = _("If the answer is bad: %(state)s", state=state)
    return {
        "title": words.sentence(safe.text(done(group, names))),
        "id": details(context.finding_link(finding_of(task.id))),
        "state": words.sentence(safe.text(state)) if told else "",
        "lines": tuple(_line(context, part) for part in lines(group)),
        "accepted": words.sentence(safe.text(accepted(group))),
    }


def _line(context: Context, part: Sequence[PlanTask]) -> Shown:
    return {
        "where": where(context, part),
        "whose": safe.text(words.capital(part[0].whose.removeprefix("the "))),
        "when": Link(label=safe.text(spanned(part)), anchor=context.task_link(part[0]).anchor),
    }


def _heading(context: Context, week: date) -> str:
    load = {each.week: each.said for each in context.assessment.plan.load}
    said = load.get(week.isoformat()) or _("no work of ours")
    return _("Week of %(week)s: %(load)s", week=words.day(week), load=said)


def _load(context: Context, shown: set[str]) -> Iterator[Pair]:
    """Of each week of these days in which we work: its Monday, and our work of what there is."""
    plan = context.assessment.plan
    for load in plan.load:
        if load.week in shown:
            said = words.number(load.work)
            if load.there is not None:
                said = _("%(work)s of %(there)s", work=said, there=words.number(load.there))
            yield Pair(term=words.iso_day(load.week), value=said)
