"""The plan: finishes with their confidence, what decides the dates, and how much rests on judgement."""

from __future__ import annotations

from collections.abc import Sequence

from interlock.model import words
from interlock.model.base import Grade, Model
from interlock.model.plan import PlanTask, Quantiles
from interlock.report import estimates, safe
from interlock.report.charts import TimelineRow, timelines
from interlock.report.elements import Content, Link, Pair, Picture
from interlock.report.sections.context import Context, Section
from interlock.report.sections.forecast import (
    SandboxSection,
    UnknownStep,
    build_drivers,
    build_sandbox,
    build_unknown_steps,
)
from interlock.report.sections.tasks import TaskRow, grouped, task_row

DECIDING_LIMIT, DECIDING_SHARE = 8, 0.05


class ForecastRow(Model):
    """One finish at three levels of confidence, each a date and days; and the single-path estimate with its odds."""

    link: Link
    p50: Pair
    p80: Pair
    p90: Pair
    most_likely: Pair
    note: str


class PlanSection(Content):
    """The schedule."""

    lead: tuple[str, ...]
    forecasts: tuple[ForecastRow, ...]
    pictures: tuple[Picture, ...]
    judgement: str
    grades: tuple[Pair, ...]
    notes: tuple[str, ...]
    deciding: tuple[TaskRow, ...]
    deciding_note: str
    drivers: Picture | None
    unknowns: tuple[UnknownStep, ...]
    sandbox: SandboxSection | None


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
        deciding=tuple(task_row(context, group) for group in deciding),
        deciding_note=_deciding_note(context) if deciding else "",
        drivers=build_drivers(context),
        unknowns=build_unknown_steps(context),
        sandbox=build_sandbox(context),
    )


def _deciding_note(context: Context) -> str:
    where = "in the appendix" if "tasks" in context.shown else "in the HTML and Markdown reports"
    count = words.count(len(context.assessment.plan.tasks), "task")
    return f"{count} are planned. These lie on the critical path most often; the rest are {where}."


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


def _deciding(tasks: Sequence[PlanTask]) -> list[list[PlanTask]]:
    """The groups that are critical most often, at most :data:`DECIDING_LIMIT`, in order of their start."""
    groups = grouped([task for task in tasks if task.criticality >= DECIDING_SHARE])
    groups.sort(key=lambda group: -max(task.criticality for task in group))
    return sorted(groups[:DECIDING_LIMIT], key=lambda group: min(task.start_p50 for task in group))


SECTION = Section("plan", "Plan", build_plan)
