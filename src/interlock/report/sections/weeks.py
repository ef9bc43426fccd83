"""The next 90 days of the plan: our load week by week, and each task with its people, its days and its acceptance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from interlock.model import words
from interlock.model.plan import FIND_OUT_WORDS, PlanTask
from interlock.plan.actions import ASK_ORG
from interlock.plan.due import loads
from interlock.plan.people import accepted, alike, done, later_drivers, lines, next_weeks, reckoned, spanned
from interlock.report import safe
from interlock.report.elements import Link, Pair, Shown
from interlock.report.sections.context import Context
from interlock.report.sections.tasks import details, task_row

DAYS_AHEAD = 90
#: Weeks with tasks that a brief report tells in full; of the later ones it gives titles.
BRIEF_WEEKS = 2
#: What a brief report says above the titles.
TITLES_ONLY = (
    "Of the later weeks this document gives titles alone. Who does each, on which days, and when it is accepted is in "
    "the HTML and Markdown reports, in the sheet “Plan” of the workbook, and on a screen (interlock plan --days 90)."
)


def build_weeks(context: Context) -> Shown:
    """Load, tasks told in full, tasks told by title, and what drives the date later; empty parts where nothing is."""
    plan = context.assessment.plan
    weeks = [(week, tasks) for week, tasks in next_weeks(plan, DAYS_AHEAD) if tasks]
    told = weeks[:BRIEF_WEEKS] if context.brief else weeks
    titled = weeks[len(told) :]
    return {
        "loads": tuple(safe.text(sentence, 1200) for sentence in loads(plan, DAYS_AHEAD)),
        "mean": words.WEEKS_MEAN if context.brief else f"{words.WEEKS_MEAN} {reckoned(plan, DAYS_AHEAD)}".strip(),
        "load": tuple(_load(context)),
        "told": tuple(
            {"week": _heading(context, week), "tasks": tuple(_blocks(context, tasks))} for week, tasks in told
        ),
        "titled": tuple({"week": words.day(week), "places": _titles(context, tasks)} for week, tasks in titled),
        "titles_only": TITLES_ONLY if titled else "",
        "later": tuple(_block(context, [task]) for task in later_drivers(plan, DAYS_AHEAD) if not context.brief),
    }


def _blocks(context: Context, tasks: Sequence[PlanTask]) -> Iterator[Shown]:
    """A block for each piece of work; in a brief report first one for all that one person asks one organisation."""
    asked: dict[tuple[str | None, str], list[PlanTask]] = {}
    for task in tasks if context.brief else ():
        if task.action.startswith(ASK_ORG):
            asked.setdefault((task.org, task.whose), []).append(task)
    together = [group for group in asked.values() if len(group) > 1]
    for group in together:
        yield _block(context, group) | {
            "title": f"Ask {context.task_subject(group[0])} {words.count(len(group), 'question')}.",
            "id": Link(label=""),
            "state": " ".join(safe.text(task.action.removeprefix(ASK_ORG)) for task in group),
            "lines": (_line(context, group),),
            "accepted": f"each is answered with more than “unknown” (interlock answer ID --org {group[0].org}).",
        }
    covered = {task.id for group in together for task in group}
    for group in alike([task for task in tasks if task.id not in covered]):
        yield _block(context, group)


def _block(context: Context, group: Sequence[PlanTask]) -> Shown:
    """One task, at one or several organisations: what to do, where, by whom and when, and when it is accepted."""
    task = group[0]
    names = {} if task.org is None else {task.org: context.organization_name(task.org)}
    state = task.title.removeprefix(FIND_OUT_WORDS)
    bad = "If the answer is bad: " if task.kind == "discovery" else ""
    told = task.action and state not in task.action and not context.brief
    return {
        "title": words.sentence(safe.text(done(group, names))),
        "id": details(task_row(context, group)["id"]),
        "state": words.sentence(safe.text(f"{bad}{state}")) if told else "",
        "lines": tuple(_line(context, part) for part in lines(group)),
        "accepted": words.sentence(safe.text(accepted(group))),
    }


def _line(context: Context, part: Sequence[PlanTask]) -> Shown:
    return {
        "where": task_row(context, part)["where"],
        "whose": safe.text(words.capital(part[0].whose.removeprefix("the "))),
        "when": safe.text(spanned(part)),
    }


def _heading(context: Context, week: date) -> str:
    load = {each.week: each.said for each in context.assessment.plan.load}
    return f"Week of {words.day(week)}: {load.get(week.isoformat(), 'no work of ours')}"


def _load(context: Context) -> Iterator[Pair]:
    """Of each week of these days in which we work: its Monday, and our work of what there is."""
    plan = context.assessment.plan
    shown = {week.isoformat() for week, _ in next_weeks(plan, DAYS_AHEAD)}
    for load in plan.load:
        if load.week in shown:
            there = f" of {words.number(load.there)}" if load.there is not None else ""
            yield Pair(term=words.iso_day(load.week), value=f"{words.number(load.work)}{there}")


def _titles(context: Context, tasks: Sequence[PlanTask]) -> tuple[Pair, ...]:
    """The titles of a week's tasks by place, in the order of the places' first tasks."""
    titles: dict[str, list[str]] = {}
    for task in tasks:
        said = (task.action or task.title).replace(ASK_ORG, "Ask: ", 1)
        titles.setdefault(context.task_subject(task), []).append(safe.text(said).rstrip("."))
    return tuple(Pair(term=place, value=f"{'; '.join(said)}.") for place, said in titles.items())
