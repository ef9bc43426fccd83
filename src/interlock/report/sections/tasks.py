"""Every task of the plan, by wave; the same work at several organisations is one row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from interlock.model import words
from interlock.model.language import _
from interlock.model.plan import PlanTask, finding_of
from interlock.report import estimates, safe
from interlock.report.elements import Link, Shown
from interlock.report.sections.context import Context, Section, task_anchor
from interlock.report.sections.summary import question

#: Kinds of task that are about one rule, which their id names.
_OF_RULES = ("gap", "discovery")


def grouped(tasks: Sequence[PlanTask]) -> list[list[PlanTask]]:
    """The same work at several organisations in one group, in order of first appearance."""
    groups: dict[tuple[str, str, str], list[PlanTask]] = {}
    for task in tasks:
        key = (task.kind, task.id.partition("@")[0], "" if task.kind in _OF_RULES else task.title)
        groups.setdefault(key, []).append(task)
    return list(groups.values())


def details(link: Link) -> Link:
    """A link to what is open, in words: ids are for columns of their own."""
    return Link(label=_("details") if link.anchor else "", anchor=link.anchor)


def build_tasks(context: Context) -> Shown:
    """Every task of the plan, by wave."""
    by_wave: dict[int, list[PlanTask]] = {}
    for task in context.assessment.plan.left:
        by_wave.setdefault(task.wave, []).append(task)
    waves = []
    for wave in sorted(by_wave):
        note = words.count(len(by_wave[wave]), "task")
        rows = tuple(task_row(context, group) for group in grouped(by_wave[wave]))
        waves.append({"number": str(wave + 1), "note": note, "tasks": rows})
    waits = _("The first wave can start now, side by side; a task of a later one waits for something in an earlier.")
    return {
        "waves": tuple(waves),
        "done": tuple(_done(context, group) for group in grouped([t for t in context.tasks.values() if t.is_done])),
        "note": waits if waves else _("Nothing is planned."),
        "rests": _("Person-days are judgement; a lead time of others names its source.") if waves else "",
        "method": Link(label=_("How the dates are made"), anchor=context.leads("method")),
    }


def task_row(context: Context, group: Sequence[PlanTask]) -> Shown:
    """One row for the same work at several organisations."""
    first = group[0]
    source, cites = ("", ()) if context.brief else context.lead_source(first.lead_time)
    link = context.finding_link(finding_of(first.id))
    base = finding_of(first.id).partition("@")[0]
    rule = context.rule(base)
    title = question(rule) if first.kind == "discovery" and rule else safe.name(first.title)
    starts, ends, latest = (
        [day for task in group if (day := getattr(task, name))] for name in ("starts", "ends", "latest")
    )
    when = words.span(min(starts), max(ends)) if starts and ends else ""
    if latest and not context.brief:
        by = words.iso_day(max(latest))
        when = _("%(when)s; in four of five runs by %(by)s", when=when, by=by) if when else when
    effort = estimates.effort(first.effort, unit=False)
    if first.effort is not None and not context.brief:
        effort = _("%(effort)s, on average %(mean)s", effort=effort, mean=words.number(first.effort.mean))
    return {
        "anchor": task_anchor(first),
        "id": Link(label=safe.text(base, 60) if first.kind in _OF_RULES else "", anchor=link.anchor),
        "about_findings": tuple(map(context.finding_link, first.about)),
        "kind": words.TASK[first.kind].title,
        "title": title,
        "recorded": () if context.brief else tuple(_recorded(context, group)),
        "row": Link(label=title, anchor=context.task_link(first).anchor),
        "where": where(context, group),
        "about": tuple(dict.fromkeys(context.task_subject(task) for task in group)),
        "owner": words.OWNER[first.owner].title,
        "gate": words.GATE[first.gate].title,
        "effort": effort,
        "lead_time": estimates.expected(first.lead_time),
        "source": f"{estimates.spread(first.lead_time)}; {source}" if first.lead_time and not context.brief else "",
        "cites": cites,
        "when": when,
        "critical": words.share(max(task.criticality for task in group)),
    }


def _done(context: Context, group: Sequence[PlanTask]) -> Shown:
    """The same work where it is done: when, and who says so."""
    said = [", ".join([context.task_subject(task), *_days_done(task)]) for task in group]
    return {"anchor": task_anchor(group[0]), "title": safe.name(group[0].title), "said": "; ".join(said)}


def _days_done(task: PlanTask) -> Iterator[str]:
    if task.progress is not None and task.progress.done:
        yield words.iso_day(task.progress.done)
    if task.progress is not None and task.progress.by:
        yield safe.text(task.progress.by.partition(" <")[0], 60)


def _recorded(context: Context, group: Sequence[PlanTask]) -> Iterator[str]:
    """What somebody has written of a task, at each organisation: that it began, who does it, by when."""
    for task in group:
        said = task.progress
        begun = [_("begun on %(day)s", day=words.iso_day(said.begun))] if said is not None and said.begun else []
        owner = [safe.text(task.person, 60)] if task.person else []
        due = [_("due on %(day)s", day=words.iso_day(task.due))] if task.due else []
        if told := [*begun, *owner, *due]:
            file = "tasks.yaml" if task.kind == "routine" else "responses"
            yield f"{context.task_subject(task)}: {', '.join(told)} ({file})"


def where(context: Context, group: Sequence[PlanTask]) -> str:
    """The organisations of the same work by name, or how many; or what else it is about."""
    named = {task.org for task in group}
    orgs = [org for org in context.organizations if org in named]
    if not orgs:
        return context.task_subject(group[0])
    if len(orgs) > 2:
        return context.how_many(len(orgs))
    return words.listed([context.organization_name(org) for org in orgs], 2)


SECTION = Section("tasks", "All tasks, by wave", build_tasks, appendix=True)
