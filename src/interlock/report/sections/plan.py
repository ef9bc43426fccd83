"""What to do first, and the plan: finishes with their confidence, waves of tasks, how much rests on judgement."""

from __future__ import annotations

import math
from collections.abc import Sequence

from interlock.model import words
from interlock.model.base import Grade
from interlock.model.plan import FirstThing, PlanTask, Quantiles
from interlock.report import estimates, safe
from interlock.report.charts import TimelineRow, timelines
from interlock.report.models import Figure, FirstStep, ForecastRow, Link, Pair, Picture, PlanSection, TaskRow, Wave
from interlock.report.sections.context import Context
from interlock.report.sections.forecast import build_drivers, build_sandbox, build_unknown_steps
from interlock.report.sections.summary import question

FIRST_LIMIT = 5
DECIDING_LIMIT, DECIDING_SHARE = 8, 0.05
FIRST_NUMBERS = (
    "Ranked by what each takes off the P80 finish. The three numbers: working days off that finish, added up over the "
    "organisations, for each person-day spent; how many gates of organisations pass by closing this alone; and in what "
    "share of the simulated runs it lies on the critical path."
)


def build_first(context: Context) -> tuple[FirstStep, ...]:
    """The first things to do, best first."""
    return tuple(
        _first(context, rank, first) for rank, first in enumerate(context.assessment.plan.first[:FIRST_LIMIT], start=1)
    )


def _first(context: Context, rank: int, first: FirstThing) -> FirstStep:
    node = context.nodes.get(first.key)
    where = context.subject_link(node.subject).label if node else ""
    title = question(node.title) if node is not None and node.kind == "discovery" else safe.name(first.title)
    return FirstStep(
        rank=str(rank),
        id=context.finding_link(first.key),
        title=title,
        where=where,
        owner=words.OWNER[first.owner].title,
        action=words.sentence(safe.text(first.action)),
        because=words.capital(words.sentence(safe.text(first.because))),
        numbers=(
            Figure(value=words.number(first.p80_days_saved_per_person_day), label="days saved a person-day", note=""),
            Figure(
                value=f"{first.unlocks:,}",
                label="gate passed by it alone" if first.unlocks == 1 else "gates passed by it alone",
                note="",
            ),
            Figure(value=words.share(first.criticality), label="of runs critical", note=""),
        ),
    )


def build_plan(context: Context) -> PlanSection:
    """The schedule as the simulation gives it."""
    plan = context.assessment.plan
    gate = words.GATE[plan.target_gate].phrase
    deciding = _deciding(plan.tasks)
    return PlanSection(
        lead=_lead(context, gate),
        forecasts=_forecasts(context),
        pictures=_pictures(context),
        judgement=_judgement(plan.judgement_share),
        grades=tuple(
            Pair(term=words.GRADE[grade].title, value=words.share(plan.grades[grade]))
            for grade in Grade
            if grade in plan.grades
        ),
        notes=tuple(words.sentence(safe.text(note)) for note in plan.notes),
        deciding=tuple(_task(context, group) for group in deciding),
        deciding_note=_deciding_note(context) if deciding else "",
        drivers=build_drivers(context),
        unknowns=build_unknown_steps(context),
        sandbox=build_sandbox(context),
    )


def _deciding_note(context: Context) -> str:
    where = "in the appendix" if "tasks" in context.shown else "in the HTML and Markdown reports"
    count = words.count(len(context.assessment.plan.tasks), "task")
    return f"{count} are planned. These lie on the critical path most often; the rest are {where}."


def build_tasks(context: Context) -> tuple[Wave, ...]:
    """Every task of the plan, by wave."""
    return _waves(context, context.assessment.plan.tasks)


def _lead(context: Context, gate: str) -> tuple[str, ...]:
    plan = context.assessment.plan
    if not plan.tasks:
        return (f"Nothing is left to do before the {gate} gate, as far as is known.",)
    finish = plan.finish
    return (
        f"Counting from {safe.day(plan.start)}, all organisations pass the {gate} gate with even odds by "
        f"{safe.day(finish.p50_date)} (P50), and four times in five by {safe.day(finish.p80_date)} (P80). "
        "Commit to the P80 date.",
        words.sentence(safe.text(plan.most_likely))
        or "If every task took its single most likely time, the plan would end after "
        f"{estimates.days(plan.most_likely_days)}. The simulation ends that early in "
        f"{words.share(plan.probability_of_most_likely)} of its runs, because tasks that wait for several others wait "
        "for the slowest of them.",
    )


def _judgement(share: float) -> str:
    if share <= 0:
        return "None of the critical path's time rests on our own judgement."
    return (
        f"{words.share(share)} of the critical path's time rests on judgement: a range that we estimated, because no "
        "regulation, vendor document or study states one. Replace it with what your own vendor and hospital tell you."
    )


def _forecasts(context: Context) -> tuple[ForecastRow, ...]:
    plan = context.assessment.plan
    if not plan.tasks:
        return ()
    rows = [_forecast(Link(label="All organisations"), plan.finish, plan.most_likely_days,
                      plan.probability_of_most_likely, "")]  # fmt: skip
    for org in plan.orgs:
        unseen = context.unseen(org.org)
        note = "not observed: the forecast includes finding out, not what may then be found" if unseen else ""
        link = context.organization_link(org.org)
        rows.append(_forecast(link, org.finish, org.most_likely_days, org.probability_of_most_likely, note))
    return tuple(rows)


def _forecast(link: Link, finish: Quantiles, likely: float, chance: float, note: str) -> ForecastRow:
    return ForecastRow(
        link=link,
        p50=Pair(term=safe.day(finish.p50_date), value=_day_number(finish.p50_days)),
        p80=Pair(term=safe.day(finish.p80_date), value=_day_number(finish.p80_days)),
        p90=Pair(term=safe.day(finish.p90_date), value=_day_number(finish.p90_days)),
        most_likely=Pair(term=_day_number(likely), value=f"in {words.share(chance)} of runs"),
        note=note,
    )


def _day_number(value: float) -> str:
    return estimates.days(value).replace("working ", "")


def _pictures(context: Context) -> tuple[Picture, ...]:
    plan = context.assessment.plan
    if not plan.tasks:
        return ()
    rows = [TimelineRow("All organisations", plan.finish, plan.most_likely_days, strong=True)]
    rows += [TimelineRow(context.organization_name(org.org), org.finish, org.most_likely_days) for org in plan.orgs]
    drawn = timelines(rows, plan.start)
    caption = "When each organisation passes the target gate. The dates at the right are P50 and P80."
    return tuple(
        Picture(svg=markup, alt=alt, caption=caption if not index else "Continued.")
        for index, (markup, alt) in enumerate(drawn)
    )


def _grouped(tasks: Sequence[PlanTask]) -> list[list[PlanTask]]:
    """The same work at several organisations in one group, in order of first appearance."""
    groups: dict[tuple[str, str, str], list[PlanTask]] = {}
    for task in tasks:
        key = (task.kind, task.id.partition("@")[0], task.title if task.kind == "routine" else "")
        groups.setdefault(key, []).append(task)
    return list(groups.values())


def _deciding(tasks: Sequence[PlanTask]) -> list[list[PlanTask]]:
    """The groups that are critical most often, at most :data:`DECIDING_LIMIT`, in order of their start."""
    groups = _grouped([task for task in tasks if task.criticality >= DECIDING_SHARE])
    groups.sort(key=lambda group: -max(task.criticality for task in group))
    return sorted(groups[:DECIDING_LIMIT], key=lambda group: min(task.start_p50 for task in group))


def _waves(context: Context, tasks: Sequence[PlanTask]) -> tuple[Wave, ...]:
    by_wave: dict[int, list[PlanTask]] = {}
    for task in tasks:
        by_wave.setdefault(task.wave, []).append(task)
    waves = []
    for wave in sorted(by_wave):
        start = "can start now, side by side" if wave == min(by_wave) else "each waits for something in an earlier wave"
        note = f"{words.count(len(by_wave[wave]), 'task')}: {start}."
        rows = tuple(_task(context, group) for group in _grouped(by_wave[wave]))
        waves.append(Wave(number=str(wave + 1), note=note, tasks=rows))
    return tuple(waves)


def _task(context: Context, group: Sequence[PlanTask]) -> TaskRow:
    first = group[0]
    source, cites = context.lead_source(first.lead_time)
    link = context.finding_link(first.id)
    base = first.id.partition("@")[0]
    start, finish = min(task.start_p50 for task in group), max(task.finish_p50 for task in group)
    return TaskRow(
        id=Link(label=safe.text(base, 60) if first.kind != "routine" else "", anchor=link.anchor),
        kind=words.TASK[first.kind].title,
        title=_title(context, first, base),
        where=_where(context, group),
        owner=words.OWNER[first.owner].title,
        gate=words.GATE[first.gate].title,
        effort=estimates.effort(first.effort, unit=False),
        lead_time=estimates.expected(first.lead_time),
        source=f"{estimates.spread(first.lead_time)}; {source}" if first.lead_time else "",
        cites=cites,
        when=_from_to(start, finish),
        critical=words.share(max(task.criticality for task in group)),
    )


def _from_to(start: float, finish: float) -> str:
    """Whole working days around both: never later than it starts, never earlier than it ends."""
    return f"{math.floor(round(start, 6)):,} to {math.ceil(round(finish, 6)):,}"


def _title(context: Context, task: PlanTask, rule_id: str) -> str:
    rule = context.rule(rule_id)
    if task.kind == "discovery" and rule is not None:
        return question(rule.title)
    return safe.name(task.title)


def _where(context: Context, group: Sequence[PlanTask]) -> str:
    orgs = list(dict.fromkeys(task.org for task in group if task.org))
    if not orgs:
        vendor = group[0].id.partition("@vendor:")[2]
        return f"{words.vendor(vendor)} (vendor)" if vendor else "Product"
    total = len(context.assessment.organizations)
    if len(orgs) > 2:
        return f"all {total:,} organisations" if len(orgs) == total else f"{len(orgs):,} of {total:,} organisations"
    return words.listed([context.organization_name(org) for org in orgs], 2)
