"""The plan on a page: the first things with what is behind them, and the dates."""

from __future__ import annotations

from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.plan import Plan
from interlock.tui.bars import quantile_bar
from interlock.tui.page import Page, line, text
from interlock.tui.styles import ACCENT, DIM, PRIMARY, WARN

#: A task in at least this share of runs on the critical path is drawn solid.
CRITICAL = 0.5
#: Unknowns, drivers and behaviours that are listed.
_SHOWN = 5


def draw_first(page: Page, plan: Plan) -> None:
    """What to do first, what to find out first, what drives the P80, and what shared sandboxes cost."""
    if not plan.first:
        page.para("Nothing is open on the way to the target gate.", DIM)
    for number, thing in enumerate(plan.first, 1):
        company = "with those above" if number > 1 else "alone"
        page.blank()
        page.bullet(text(f"{number}", ACCENT), (shorter(thing.title), "bold"), (f"  {thing.key}", DIM))
        page.bullet(
            " ",
            (f"{thing.p80_days_saved_per_person_day:.1f}", "bold"),
            (" days of P80 per person-day, ", DIM),
            ("opens ", DIM),
            (f"{thing.unlocks or 'no'}", "bold"),
            (f" {words.agree(thing.unlocks or 1, 'gate', 'gates')} {company}, ", DIM),
            ("critical in ", DIM),
            (words.share(thing.criticality), "bold"),
        )
        page.bullet(" ", (f"{words.OWNER[thing.owner].title}: ", ACCENT), thing.action)
        page.bullet(" ", (thing.because, DIM))
    if len(plan.first) > 1 and plan.first[-1].together_days > 0:
        last = plan.first[-1]
        page.blank()
        days = words.count(round(last.together_days), "day")
        page.para(f"All of these together: {days} off, through by {words.iso_day(last.together_p80_date)} (P80).")
    _draw_unknowns(page, plan)
    _draw_drivers(page, plan)
    _draw_sandbox(page, plan)


def shorter(title: str) -> str:
    """A title of something to find out, without the words that its question mark says already."""
    short = title.removeprefix("Find out whether this holds: ")
    return title if short == title else f"Find out: {short}"


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
    page.heading("Shared sandboxes", f"{words.count(round(cost.p80_days), 'day')} of the P80")
    for behaviour in cost.behaviours[:_SHOWN]:
        saved = f"  simulated, it would save {words.count(round(behaviour.p80_days_saved), 'day')}"
        page.bullet(text("·", DIM), behaviour.behaviour, (saved, DIM))


def draw_dates(page: Page, assessment: Assessment) -> None:
    """When each organisation is through, and what that rests on."""
    plan = assessment.plan
    page.line((f"past the {words.GATE[plan.target_gate].phrase} gate", DIM), ("   █ to P50  ▒ to P80  ░ to P90", DIM))
    names = {org.id: org.name for org in assessment.organizations}
    longest = max([plan.finish.p90_days, *(forecast.finish.p90_days for forecast in plan.orgs)], default=0)
    entries = [(names.get(forecast.org, forecast.org), forecast.finish) for forecast in plan.orgs]
    for name, finish in (*entries, ("All of them", plan.finish)):
        page.blank()
        page.line((name, "bold"), (f"   {finish.p50_days:.0f}, {finish.p80_days:.0f}, {finish.p90_days:.0f} days", DIM))
        page.add(quantile_bar(finish, longest, page.width - 1))
        page.line(
            ("P50 ", DIM),
            words.iso_day(finish.p50_date),
            ("   P80 ", DIM),
            (words.iso_day(finish.p80_date), f"bold {PRIMARY}"),
            ("   P90 ", DIM),
            words.iso_day(finish.p90_date),
        )
    page.blank()
    days, chance = (
        words.count(round(plan.most_likely_days), "working day"),
        words.share(plan.probability_of_most_likely),
    )
    page.field("Likeliest", f"{days}, kept with a chance of {chance}", style=DIM, label_width=9)
    shares = [f"{words.GRADE[grade].phrase} {words.share(share)}" for grade, share in plan.grades.items() if share]
    style = WARN if plan.judgement_share > CRITICAL else DIM
    judged = line(
        (f"{words.share(plan.judgement_share)} judgement", style),
        (f" of the critical path ({', '.join(shares)})", DIM),
    )
    page.field("Rests on", judged, label_width=9)
    for note in plan.notes:
        page.bullet(text("·", DIM), (note, DIM))
