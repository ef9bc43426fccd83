"""The plan: finishes with their confidence, what decides the dates, and how much rests on judgement."""

from __future__ import annotations

from collections.abc import Sequence

from interlock.model import words
from interlock.model.plan import Driver, OrgForecast, PlanTask, UnknownThing
from interlock.plan.people import alike, next_weeks
from interlock.report import estimates, safe
from interlock.report.charts import TornadoRow, timelines, tornado
from interlock.report.elements import Figure, Link, Pair, Picture, Shown
from interlock.report.sections.context import Context, Section
from interlock.report.sections.summary import question
from interlock.report.sections.tasks import grouped, task_row

DECIDING_LIMIT, DECIDING_SHARE = 8, 0.05
DRIVER_LIMIT, UNKNOWN_LIMIT = 8, 5
DAYS_AHEAD = 90


def build_plan(context: Context) -> Shown:
    """The schedule as the simulation gives it."""
    plan = context.assessment.plan
    forecasts = _forecasts(context)
    # The groups that are critical most often, in order of their start.
    groups = grouped([task for task in plan.left if task.criticality >= DECIDING_SHARE])
    groups.sort(key=lambda group: -max(task.criticality for task in group))
    deciding = sorted(groups[:DECIDING_LIMIT], key=lambda group: min(task.start_p50 for task in group))
    elsewhere = "in the appendix" if "tasks" in context.shown else "in the HTML and Markdown reports"
    deciding_note = (
        f"{words.count(len(plan.left), 'task')} are planned. These lie on the critical path most often; the rest are "
        f"{elsewhere}."
    )
    return {
        "lead": _lead(context),
        "forecasts": [_forecast(context, link, forecast) for link, forecast in forecasts],
        "pictures": _pictures(context, forecasts),
        "firm": plan.ground.firm,
        "ranged": plan.if_no_gaps is not None,
        "judgement": plan.ground.rests,
        "notes": tuple(words.sentence(safe.text(note)) for note in plan.notes),
        "deciding": tuple(task_row(context, group) for group in deciding),
        "deciding_note": deciding_note if deciding else "",
        "drivers": _drivers(context),
        "unknowns": [_unknown(context, unknown) for unknown in plan.unknowns[:UNKNOWN_LIMIT]],
        "sandbox": _sandbox(context),
        "weeks": _weeks(context),
    }


def _lead(context: Context) -> tuple[str, ...]:
    plan = context.assessment.plan
    said = [*plan.ground.said, *((plan.most_likely,) if plan.ground.dated else ())]
    return tuple(words.sentence(safe.text(sentence)) for sentence in said)


def _forecasts(context: Context) -> list[tuple[Link, OrgForecast]]:
    """The forecast of all organisations, which is nobody's alone, and that of each; none where there is no date."""
    plan = context.assessment.plan
    if not plan.ground.dated:
        return []
    everybody = OrgForecast(
        org="",
        finish=plan.finish,
        if_no_gaps=plan.if_no_gaps,
        if_all_gaps=plan.if_all_gaps,
        most_likely_days=plan.most_likely_days,
        probability_of_most_likely=plan.probability_of_most_likely,
    )
    own = [(context.organization_link(forecast.org), forecast) for forecast in plan.orgs]
    return [(Link(label="All organisations"), everybody), *own] if len(own) > 1 else own


def _forecast(context: Context, link: Link, forecast: OrgForecast) -> Shown:
    finish, chance = forecast.finish, words.share(forecast.probability_of_most_likely)
    return {
        "link": link,
        "spans": tuple(each.span for each in (finish, forecast.if_no_gaps, forecast.if_all_gaps) if each),
        "p50": Pair(term=safe.day(finish.p50_date), value=_day_number(finish.p50_days)),
        "p80": Pair(term=safe.day(finish.p80_date), value=_day_number(finish.p80_days)),
        "p90": Pair(term=safe.day(finish.p90_date), value=_day_number(finish.p90_days)),
        "most_likely": Pair(term=_day_number(forecast.most_likely_days), value=f"in {chance} of runs"),
        "note": "not observed" if forecast.org and context.unseen(forecast.org) else "",
    }


def _day_number(value: float) -> str:
    return estimates.days(value).replace("working ", "")


def _pictures(context: Context, forecasts: Sequence[tuple[Link, OrgForecast]]) -> tuple[Picture, ...]:
    if not forecasts:
        return ()
    plan = context.assessment.plan
    drawn = timelines([(link.label, forecast) for link, forecast in forecasts], plan.start, firm=plan.ground.firm)
    bounds = "P50 and P80" if plan.ground.firm else "P10 and P90: a range, and no date to promise"
    caption = f"When each organisation passes the target gate. The dates at the right are {bounds}."
    return tuple(
        Picture(svg=markup, alt=alt, caption=caption if not index else "Continued.")
        for index, (markup, alt) in enumerate(drawn)
    )


def _weeks(context: Context) -> tuple[Shown, ...]:
    """The tasks of the next 90 days by week; the same work at several organisations is one row."""
    weeks = next_weeks(context.assessment.plan, DAYS_AHEAD)
    return tuple(
        {"week": f"Week of {words.day(week)}", "tasks": tuple(_due(context, group) for group in alike(tasks))}
        for week, tasks in weeks
    )


def _due(context: Context, group: Sequence[PlanTask]) -> Shown:
    row = task_row(context, group)
    accepted = words.capital(words.sentence(safe.text(group[0].accepted)))
    return {
        "title": row["title"],
        "id": row["id"],
        "where": row["where"],
        "whose": safe.text(words.capital(group[0].whose.removeprefix("the "))),
        "accepted": accepted,
    }


def _drivers(context: Context) -> Picture | None:
    """The tornado, widest bar first; none when nothing drives."""
    plan = context.assessment.plan
    rows = [_driver(context, driver) for driver in plan.drivers[:DRIVER_LIMIT]]
    markup, alt = tornado(rows, plan.finish.p80_days)
    if not markup:
        return None
    caption = (
        "P80 in working days over the fifth of the runs in which each went best (light), and worst (dark). Semi-bold: "
        "the luck that all tasks of one organisation, vendor or of the product share."
    )
    return Picture(svg=markup, alt=alt, caption=caption)


def _driver(context: Context, driver: Driver) -> TornadoRow:
    where = context.organization_name(driver.org) if driver.org else ""
    name = safe.name(driver.title)
    if driver.what == "party" and where:
        name, where = where, "everything there, together"
    return TornadoRow(name, where, driver.p80_if_well, driver.p80_if_badly, strong=driver.what == "party")


def _unknown(context: Context, unknown: UnknownThing) -> Shown:
    node = context.nodes.get(unknown.key)
    return {
        "id": context.finding_link(unknown.key),
        "title": question(node.title) if node else safe.name(unknown.title),
        "where": context.subject_link(node.subject).label if node else "",
        "action": words.sentence(safe.text(unknown.action)),
        "numbers": (
            Figure(value=words.number(unknown.person_days), label="person-days to find out", note=""),
            Figure(value=words.number(unknown.p80_days), label="working days later if it is a gap", note=""),
            Figure(value=words.number(unknown.score_points), label="points of score open", note=""),
        ),
    }


def _sandbox(context: Context) -> Shown | None:
    """What shared environments cost; none when no time of the plan goes by in them."""
    cost = context.assessment.plan.sandbox
    if cost is None or not cost.orgs:
        return None
    stated = sum(org.stated for org in cost.orgs)
    said = (
        "Their access windows are stated."
        if stated == len(cost.orgs)
        else "Access windows are stated by none of them: the time is the ruleset’s estimate."
        if not stated
        else f"Access windows are stated for {stated} of {len(cost.orgs)}; elsewhere the time is an estimate."
    )
    return {
        "lead": f"Without shared sandboxes the plan’s P80 would be {estimates.days(cost.p80_days)} earlier. {said}",
        "organizations": tuple(
            {
                "link": context.organization_link(org.org),
                "days": estimates.days(org.days),
                "p80": estimates.days(org.p80_days),
                "stated": "stated" if org.stated else "estimated",
            }
            for org in cost.orgs
        ),
        "behaviours": tuple(
            {
                "behaviour": safe.name(tested.behaviour),
                "why": words.sentence(safe.text(tested.why or "")),
                "runs": words.number(tested.runs_per_week),
                "saved": estimates.days(tested.p80_days_saved),
            }
            for tested in cost.behaviours
        ),
    }


SECTION = Section("plan", "Plan", build_plan)
