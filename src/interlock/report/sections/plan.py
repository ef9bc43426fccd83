"""The plan: finishes with their confidence, what decides the dates, and how much rests on judgement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from interlock.model import words
from interlock.model.forecast import Driver, OrgForecast
from interlock.model.plan import PlanTask, UnknownThing
from interlock.plan.people import alike, decided_by
from interlock.report import estimates, safe
from interlock.report.charts import TornadoRow, timelines, tornado
from interlock.report.elements import Link, Pair, Picture, Shown
from interlock.report.sections.context import Context, Section
from interlock.report.sections.tasks import details, grouped, task_row
from interlock.report.sections.weeks import build_weeks

DECIDING_LIMIT, BRIEF_DECIDING, DECIDING_SHARE = 8, 6, 0.05
DRIVER_LIMIT = 8


def build_plan(context: Context) -> Shown:
    """The schedule as the simulation gives it; a brief report leaves out what its lead and its unknowns say already."""
    plan = context.assessment.plan
    forecasts = _forecasts(context)
    # The groups that are critical most often, in order of their start.
    groups = grouped([task for task in plan.left if task.criticality >= DECIDING_SHARE])
    groups.sort(key=lambda group: -max(task.criticality for task in group))
    deciding = sorted(
        groups[: BRIEF_DECIDING if context.brief else DECIDING_LIMIT],
        key=lambda group: min(task.start_p50 for task in group),
    )
    elsewhere = "in the appendix" if "tasks" in context.shown else "in the HTML and Markdown reports"
    deciding_note = f"On the critical path most often; days from the first organisation to the last. More {elsewhere}."
    return {
        "lead": _lead(context),
        "outlook": _outlook(context),
        "go": _go(context),
        "decisions": _decisions(context),
        "forecasts": [_forecast(context, link, forecast) for link, forecast in forecasts],
        "pictures": _pictures(context, forecasts),
        "firm": plan.ground.firm,
        "ranged": plan.if_no_gaps is not None,
        "facts": tuple(_facts(context)),
        "deciding": tuple(_deciding(context, group) for group in deciding),
        "deciding_note": deciding_note if deciding else "",
        "drivers": _drivers(context),
        "unknowns": [] if context.brief else [_unknown(context, unknown) for unknown in plan.asked_first],
        "unknowns_mean": words.UNKNOWNS_MEAN,
        "sandbox": None if context.brief else _sandbox(context),
        "ahead": build_weeks(context),
    }


def _deciding(context: Context, group: Sequence[PlanTask]) -> Shown:
    row = task_row(context, group)
    return row | {"id": Link(label="")}


def _lead(context: Context) -> tuple[str, ...]:
    plan = context.assessment.plan
    said = [*plan.ground.said, *((plan.most_likely,) if plan.ground.dated and not context.brief else ())]
    return tuple(words.sentence(safe.text(sentence)) for sentence in said)


def _facts(context: Context) -> Iterator[Pair]:
    """What the dates rest on and wait for, each fact with the word that it is found by."""
    plan = context.assessment.plan
    freezes = [f"Change freezes: {' '.join(map(words.sentence, plan.freezes))}"] if plan.freezes else []
    said: dict[str, list[str]] = {}
    for note in (*plan.order, *freezes, *plan.notes, *filter(None, [plan.ground.rests])):
        lead, _, told = note.partition(": ")
        said.setdefault(lead, []).append(words.capital(words.sentence(safe.text(told))))
    sandbox = _sandbox(context)
    if sandbox and context.brief:
        said["Shared sandboxes"] = [sandbox["lead"]]
    for lead, sentences in said.items():
        yield Pair(term=safe.text(lead, 60), value=" ".join(sentences))


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
    finish = forecast.finish
    return {
        "link": link,
        "span": finish.span,
        "supposed": tuple(safe.day(each.p80_date) for each in (forecast.if_no_gaps, forecast.if_all_gaps) if each),
        "p50": Pair(term=safe.day(finish.p50_date), value=_day_number(finish.p50_days)),
        "p80": Pair(term=safe.day(finish.p80_date), value=_day_number(finish.p80_days)),
        "p90": Pair(term=safe.day(finish.p90_date), value=_day_number(finish.p90_days)),
        "note": "not observed" if forecast.org and context.unseen(forecast.org) else "",
    }


def _day_number(value: float) -> str:
    return estimates.days(value).replace("working ", "")


def _pictures(context: Context, forecasts: Sequence[tuple[Link, OrgForecast]]) -> tuple[Picture, ...]:
    if not forecasts:
        return ()
    plan = context.assessment.plan
    drawn = timelines([(link.label, forecast) for link, forecast in forecasts], plan.start, firm=plan.ground.firm)
    bounds = "P50 and P80" if plan.ground.firm else "a range, and no date to promise"
    caption = f"When each organisation passes the target gate. The dates at the right are {bounds}."
    return tuple(
        Picture(svg=markup, alt=alt, caption=caption if not index else "Continued.")
        for index, (markup, alt) in enumerate(drawn)
    )


def _outlook(context: Context) -> tuple[Shown, ...]:
    """A line for each organisation, where to start on top."""
    return tuple(
        {
            "link": context.organization_link(line.org),
            "recommended": line.recommended,
            "why": words.sentence(safe.text(line.why)) if line.why else "",
            "vendor": safe.name(line.vendor),
            "stage": line.stage,
            "next": words.sentence(words.capital(safe.text(line.next))),
            "there": safe.text(line.there),
            "here": safe.text(line.here),
        }
        for line in context.assessment.plan.outlook
    )


def _go(context: Context) -> Shown | None:
    """The rule for the day on which the first pilot unit begins; none where no launch is left."""
    go = context.assessment.plan.go
    if go is None:
        return None
    return {
        "means": words.GO_MEANS,
        "title": f"Go or no-go at {safe.name(go.name)}, {safe.text(go.day)}",
        "holds": tuple(Pair(term=safe.text(what), value=words.sentence(safe.text(state))) for what, state in go.holds),
        "said": tuple(safe.text(sentence) for sentence in (go.decides, *go.otherwise)),
    }


def _decisions(context: Context) -> tuple[Shown, ...]:
    return tuple(
        {
            "title": words.sentence(safe.text(group[0].action or group[0].title)),
            "where": task_row(context, group)["where"],
            "who": safe.text(words.capital(group[0].decides.removeprefix("the "))),
            "when": decided_by(group),
        }
        for group in alike(context.assessment.plan.decisions)
    )


def _drivers(context: Context) -> Picture | None:
    """The tornado, widest bar first; none when nothing drives, nor in a brief report, whose lead names the widest."""
    plan = context.assessment.plan
    if context.brief:
        return None
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
        "id": details(context.finding_link(unknown.key)),
        "title": words.sentence(safe.text(unknown.action)),
        "state": safe.text(unknown.if_bad),
        "where": context.subject_link(node.subject).label if node else "",
        "because": safe.text(unknown.because),
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
        "lead": f"Without shared sandboxes the plan’s P80 would be {words.days(cost.p80_days)} earlier. {said}",
        "beyond": cost.beyond,
        "organizations": tuple(
            {
                "link": context.organization_link(org.org),
                "days": words.days(org.days),
                "p80": words.days(org.p80_days),
                "stated": "stated" if org.stated else "estimated",
            }
            for org in cost.orgs
        ),
        "elsewhere": cost.elsewhere,
        "behaviours": tuple(
            {
                "behaviour": safe.name(tested.behaviour),
                "why": words.sentence(safe.text(tested.why or "")),
                "runs": f"{words.number(tested.runs_per_week)} a week ({words.share(tested.share)} of the time)",
                "saved": words.days(tested.org_days_saved),
            }
            for tested in cost.behaviours
        ),
    }


SECTION = Section("plan", "Plan", build_plan)
