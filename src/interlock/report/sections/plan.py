"""The plan: finishes with their confidence, what decides the dates, and how much rests on judgement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from interlock.model import words
from interlock.model.forecast import Driver, OrgForecast
from interlock.model.language import N_, _
from interlock.model.plan import PlanTask, UnknownThing
from interlock.plan.go import LAUNCH
from interlock.plan.outlook import order
from interlock.plan.people import alike, decided_by
from interlock.report import estimates, safe
from interlock.report.charts import GanttRow, TornadoRow, finish_curve, gantt, timelines, tornado
from interlock.report.elements import Link, Pair, Picture, Shown
from interlock.report.sections.context import Context, Section
from interlock.report.sections.tasks import details, grouped, task_row
from interlock.report.sections.weeks import build_weeks

DECIDING_LIMIT, DECIDING_SHARE = 8, 0.05
DRIVER_LIMIT = 8
#: Parts of the contract that the last conditions of a launch are taken from, the first where a review is required.
_GO_PARTS = ("review", "safeguards", "failures", "failures", "output-is-wrong")
#: Facts that the method explains elsewhere than where it says what the figures are taken from.
_FACT_AT = {
    "What makes the range this wide": "-plan",
    "Order": "-verdict",
    **dict.fromkeys(("Queue", "Our people", "Unknowns", "Stated days"), "-counted"),
}
DECIDING_NOTE = N_(
    "The work that is critical most often: median start to median end, or the days that what is stated leaves for it, "
    "from the first organisation to the last, and the share of the runs in which it decides the date."
)


def build_plan(context: Context) -> Shown:
    """The schedule as the simulation gives it."""
    plan = context.assessment.plan
    dated = forecasts(context)
    groups = deciding(context)
    return {
        "lead": lead(context),
        "outlook": _outlook(context),
        "go": go(context),
        "decisions": decisions(context),
        "forecasts": [forecast_row(context, link, forecast) for link, forecast in dated],
        "pictures": (*pictures(context, dated), *filter(None, [curve(context)])),
        "firm": plan.ground.firm,
        "ranged": plan.if_no_gaps is not None,
        "facts": tuple(
            {"term": fact.term, "value": fact.value, "at": _FACT_AT.get(fact.term, "-inputs")}
            for fact in facts(context)
        ),
        "deciding": tuple(_deciding(context, group) for group in groups),
        "deciding_note": _(DECIDING_NOTE) if groups else "",
        "bars": bars(context, groups),
        "drivers": drivers(context),
        "unknowns": [_unknown(context, unknown) for unknown in plan.asked_first],
        "unknowns_mean": _(words.UNKNOWNS_MEAN),
        "sandbox": _sandbox(context),
        "ahead": build_weeks(context),
    }


def _deciding(context: Context, group: Sequence[PlanTask]) -> Shown:
    return task_row(context, group) | {"id": Link(label="")}


def deciding(context: Context) -> list[list[PlanTask]]:
    """The work that is critical most often, once for all organisations, in order of its start."""
    groups = grouped([task for task in context.assessment.plan.left if task.criticality >= DECIDING_SHARE])
    groups.sort(key=lambda group: -max(task.criticality for task in group))
    return sorted(groups[:DECIDING_LIMIT], key=lambda group: min(task.start_p50 for task in group))


def bars(context: Context, groups: Sequence[Sequence[PlanTask]]) -> Picture | None:
    """The work that decides the date as a Gantt chart; none where nothing decides it."""
    rows = []
    for group in groups:
        told = task_row(context, group)
        first = min((day for task in group if (day := safe.parse_day(task.starts))), default=None)
        last = max((day for task in group if (day := safe.parse_day(task.ends))), default=None)
        if first and last:
            effort = [] if group[0].effort is None else [_("%(effort)s person-days", effort=told["effort"])]
            takes = [_("takes %(time)s", time=told["lead_time"])] if group[0].lead_time else []
            aside = " · ".join([told["where"], told["owner"], *effort, *takes])
            critical = max(task.criticality for task in group)
            rows.append(GanttRow(told["title"], aside, first, last, critical))
    markup, alt = gantt(rows, context.assessment.plan.start)
    caption = _(DECIDING_NOTE) if context.brief else _("The same work as bars.")
    return Picture(svg=markup, alt=alt, caption=caption) if markup else None


def curve(context: Context) -> Picture | None:
    """How likely it is that all is through by a day; none where there is no date."""
    plan = context.assessment.plan
    if not plan.ground.dated:
        return None
    markup, alt = finish_curve(plan.finish, plan.if_no_gaps, plan.if_all_gaps, plan.start)
    caption = _("The share of the simulated runs in which every organisation is through by a day, from P10 to P90.")
    return Picture(svg=markup, alt=alt, caption=caption)


def lead(context: Context) -> tuple[str, ...]:
    """What may be said of the dates."""
    plan = context.assessment.plan
    said = [*plan.ground.said, *((plan.most_likely,) if plan.ground.dated else ())]
    return tuple(words.sentence(safe.text(sentence)) for sentence in said)


def facts(context: Context) -> Iterator[Pair]:
    """What the dates rest on and wait for, each fact with the word that it is found by."""
    plan = context.assessment.plan
    told = " ".join(map(words.sentence, plan.freezes))
    freezes = [_("Change freezes: %(freezes)s", freezes=told)] if told else []
    said: dict[str, list[str]] = {}
    for note in (*order(plan), *freezes, *plan.notes, *filter(None, [plan.ground.rests])):
        lead, _colon, told = note.partition(": ")
        said.setdefault(lead, []).append(words.capital(words.sentence(safe.text(told))))
    sandbox = _sandbox(context)
    if sandbox and context.brief:
        said[N_("Shared sandboxes")] = [sandbox["lead"]]
    for lead, sentences in said.items():
        yield Pair(term=_(safe.text(lead, 60)), value=" ".join(sentences))


def forecasts(context: Context) -> list[tuple[Link, OrgForecast]]:
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
    return [(Link(label=_("All organisations")), everybody), *own] if len(own) > 1 else own


def forecast_row(context: Context, link: Link, forecast: OrgForecast) -> Shown:
    """One finish: its range, and where none or all of what is unknown would put it."""
    finish = forecast.finish
    return {
        "link": link,
        "span": finish.span,
        "supposed": tuple(safe.day(each.p80_date) for each in (forecast.if_no_gaps, forecast.if_all_gaps) if each),
        "p50": Pair(term=safe.day(finish.p50_date), value=_day_number(finish.p50_days)),
        "p80": Pair(term=safe.day(finish.p80_date), value=_day_number(finish.p80_days)),
        "p90": Pair(term=safe.day(finish.p90_date), value=_day_number(finish.p90_days)),
        "note": _("not observed") if forecast.org and context.unseen(forecast.org) else "",
    }


def _day_number(value: float) -> str:
    return estimates.days(value).replace("working ", "")


def pictures(context: Context, dated: Sequence[tuple[Link, OrgForecast]]) -> tuple[Picture, ...]:
    """When each organisation is through, as a timeline; none where there is no date."""
    if not dated:
        return ()
    plan = context.assessment.plan
    drawn = timelines([(link.label, forecast) for link, forecast in dated], plan.start, firm=plan.ground.firm)
    bounds = _("P50 and P80") if plan.ground.firm else _("a range, and no date to promise")
    caption = _("When each organisation passes the target gate. The dates at the right are %(bounds)s.", bounds=bounds)
    return tuple(
        Picture(svg=markup, alt=alt, caption=caption if not index else _("Continued."))
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
            "task": (context.task_link(context.tasks.get(line.next_task)),),
            "there": safe.text(line.there),
            "here": safe.text(line.here),
        }
        for line in context.assessment.plan.outlook
    )


def go(context: Context) -> Shown | None:
    """The rule for the day on which the first pilot unit begins; none where no launch is left."""
    plan = context.assessment.plan
    rule = plan.go
    if rule is None:
        return None
    launch = context.tasks.get(f"{LAUNCH}@{rule.org}")
    before = [task for task in plan.tasks if launch is not None and task.id in launch.after]
    rests = [context.task_link(task).anchor for task in before]
    rests.append(context.organization_link(rule.org).anchor)  # its gates; what comes then is from the contract
    written = context.assessment.contract
    parts = [f"contract-{part}" for part in _GO_PARTS] if written is not None and written.schema_version > 1 else []
    rests += [context.leads("contract", part) for part in parts[len(rests) - len(rule.holds) :]]
    rests += [context.leads("contract")] * max(len(rule.holds) - len(rests), 0)
    return {
        "means": _(words.GO_MEANS),
        "title": _("Go or no-go at %(rule)s, %(day)s", rule=safe.name(rule.name), day=safe.text(rule.day)),
        "holds": tuple(
            {
                "term": safe.text(requirement),
                "value": words.sentence(safe.text(state)),
                "link": Link(label=safe.text(requirement), anchor="" if context.brief else anchor),
            }
            for (requirement, state), anchor in zip(rule.holds, rests, strict=False)
        ),
        "said": tuple(safe.text(sentence) for sentence in (rule.decides, *rule.otherwise)),
        "rests": Link(label=_("the workflow contract"), anchor=context.leads("contract")),
        "source": Link(label=_("sources"), anchor=context.leads("method", "method-inputs")),
    }


def decisions(context: Context) -> tuple[Shown, ...]:
    """Each decision once for all organisations at which it is the same."""
    return tuple(
        {
            "title": (title := words.sentence(safe.text(group[0].action or group[0].title))),
            "row": Link(label=title, anchor=context.task_link(group[0]).anchor),
            "where": task_row(context, group)["where"],
            "who": safe.text(words.capital(group[0].decides.removeprefix("the "))),
            "when": decided_by(group),
        }
        for group in alike(context.assessment.plan.decisions)
    )


def drivers(context: Context, limit: int = DRIVER_LIMIT) -> Picture | None:
    """The tornado, widest bar first; none when nothing drives."""
    plan = context.assessment.plan
    rows = [_driver(context, driver) for driver in plan.drivers[:limit]]
    markup, alt = tornado(rows, plan.finish.p80_days)
    if not markup:
        return None
    caption = _(
        "P80 in working days over the fifth of the runs in which each went best (light), and "
        "worst (dark). Semi-bold: the luck that all tasks of one organisation, vendor or of the "
        "product share."
    )
    return Picture(svg=markup, alt=alt, caption=caption)


def _driver(context: Context, driver: Driver) -> TornadoRow:
    where = context.organization_name(driver.org) if driver.org else ""
    name = safe.name(driver.title)
    if driver.what == "party" and where:
        name, where = where, _("everything there, together")
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
        _("Their access windows are stated.")
        if stated == len(cost.orgs)
        else _("Access windows are stated by none of them: the time is the ruleset’s estimate.")
        if not stated
        else _(
            "Access windows are stated for %(stated)s of %(orgs)s; elsewhere the time is an estimate.",
            stated=stated,
            orgs=len(cost.orgs),
        )
    )
    return {
        "lead": _(
            "Without shared sandboxes the plan’s P80 would be %(p80_days)s earlier. %(said)s",
            p80_days=words.days(cost.p80_days),
            said=said,
        ),
        "beyond": cost.beyond,
        "organizations": tuple(
            {
                "link": context.organization_link(org.org),
                "days": words.days(org.days),
                "p80": words.days(org.p80_days),
                "stated": _("stated") if org.stated else _("estimated"),
            }
            for org in cost.orgs
        ),
        "elsewhere": cost.elsewhere,
        "behaviours": tuple(
            {
                "behaviour": safe.name(tested.behaviour),
                "why": words.sentence(safe.text(tested.why or "")),
                "runs": _(
                    "%(runs_per_week)s a week (%(share)s of the time)",
                    runs_per_week=words.number(tested.runs_per_week),
                    share=words.share(tested.share),
                ),
                "saved": words.days(tested.org_days_saved),
            }
            for tested in cost.behaviours
        ),
    }


SECTION = Section("plan", "Plan", build_plan)
