"""The plan on a page: the first things with what is behind them, and the dates."""

from __future__ import annotations

from interlock.model.assessment import Assessment
from interlock.model.plan import Plan
from interlock.tui.bars import quantile_bar
from interlock.tui.page import Page, line, text
from interlock.tui.words import ACCENT, DIM, OWNER, PRIMARY, WARN, shorter

#: A task in at least this share of runs on the critical path is drawn solid.
CRITICAL = 0.5
#: Unknowns, drivers and behaviours that are listed.
_SHOWN = 5


def draw_first(page: Page, plan: Plan) -> None:
    """What to do first, what to find out first, what drives the P80, and what shared sandboxes cost."""
    if not plan.first:
        page.para("Nothing is open on the way to the target gate.", DIM)
    for number, thing in enumerate(plan.first, 1):
        page.blank()
        page.bullet(text(f"{number}", ACCENT), (shorter(thing.title), "bold"), (f"  {thing.key}", DIM))
        page.bullet(
            " ",
            (f"{thing.p80_days_saved_per_person_day:.1f}", "bold"),
            (" days of P80 per person-day, ", DIM),
            ("opens ", DIM),
            (f"{thing.unlocks or 'no'}", "bold"),
            (f" {'gate' if thing.unlocks <= 1 else 'gates'} {'with those above' if number > 1 else 'alone'}, ", DIM),
            ("critical in ", DIM),
            (f"{thing.criticality:.0%}", "bold"),
        )
        page.bullet(" ", (f"{OWNER[thing.owner]}: ", ACCENT), thing.action)
        page.bullet(" ", (thing.because, DIM))
    if len(plan.first) > 1 and plan.first[-1].together_days > 0:
        last = plan.first[-1]
        page.blank()
        page.para(
            f"All of these together: {last.together_days:.0f} days off, through by {last.together_p80_date} (P80)."
        )
    _draw_unknowns(page, plan)
    _draw_drivers(page, plan)
    _draw_sandbox(page, plan)


def _draw_unknowns(page: Page, plan: Plan) -> None:
    things = [thing for thing in plan.unknowns if thing.p80_days or thing.score_points][:_SHOWN]
    if things:
        page.heading("Find out first", "what narrows dates and score most")
    for thing in things:
        page.bullet(text("?", WARN), (shorter(thing.title), "bold"), (f"  {thing.key}", DIM))
        page.bullet(" ", (thing.because, DIM))


def _draw_drivers(page: Page, plan: Plan) -> None:
    drivers = plan.drivers[:_SHOWN]
    if not drivers:
        return
    page.heading("What drives the P80", "days, best to worst fifth of runs")
    rows = []
    for driver in drivers:
        name = f"all at {driver.org or driver.id}" if driver.what == "party" else driver.id
        rows.append(
            (
                text(f"{driver.p80_if_well:.0f}", DIM),
                text(f"{driver.p80_if_badly:.0f}", "bold"),
                line(name, (f"  {shorter(driver.title)}" if driver.what == "task" else "", DIM)),
            )
        )
    page.columns(rows)


def _draw_sandbox(page: Page, plan: Plan) -> None:
    cost = plan.sandbox
    if cost is None or not cost.orgs:
        return
    page.heading("Shared sandboxes", f"{cost.p80_days:.0f} days of the P80")
    for behaviour in cost.behaviours[:_SHOWN]:
        saved = f"  simulated, it would save {behaviour.p80_days_saved:.0f} days"
        page.bullet(text("·", DIM), behaviour.behaviour, (saved, DIM))


def draw_dates(page: Page, assessment: Assessment) -> None:
    """When each organisation is through, and what that rests on."""
    plan = assessment.plan
    page.line((f"past the {plan.target_gate.value} gate", DIM), ("   █ to P50  ▒ to P80  ░ to P90", DIM))
    names = {org.id: org.name for org in assessment.organizations}
    longest = max([plan.finish.p90_days, *(forecast.finish.p90_days for forecast in plan.orgs)], default=0)
    entries = [(names.get(forecast.org, forecast.org), forecast.finish) for forecast in plan.orgs]
    for name, finish in (*entries, ("All of them", plan.finish)):
        page.blank()
        page.line((name, "bold"), (f"   {finish.p50_days:.0f}, {finish.p80_days:.0f}, {finish.p90_days:.0f} days", DIM))
        page.add(quantile_bar(finish, longest, page.width - 1))
        page.line(
            ("P50 ", DIM),
            finish.p50_date,
            ("   P80 ", DIM),
            (finish.p80_date, f"bold {PRIMARY}"),
            ("   P90 ", DIM),
            finish.p90_date,
        )
    page.blank()
    likely = f"{plan.most_likely_days:.0f} working days, kept with a chance of {plan.probability_of_most_likely:.0%}"
    page.field("Likeliest", likely, style=DIM, label_width=9)
    shares = ", ".join(f"{grade.value} {part:.0%}" for grade, part in plan.grades.items() if part)
    style = WARN if plan.judgement_share > CRITICAL else DIM
    words = line((f"{plan.judgement_share:.0%} judgement", style), (f" of the critical path ({shares})", DIM))
    page.field("Rests on", words, label_width=9)
    for note in plan.notes:
        page.bullet(text("·", DIM), (note, DIM))
