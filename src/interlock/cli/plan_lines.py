"""The plan on a terminal: dates, what to do first, the next weeks, what-ifs."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from interlock.cli.output import blank, show_heading, show_paragraph, show_table
from interlock.model import words
from interlock.model.forecast import Driver, GoNoGo, OrgForecast
from interlock.model.plan import FIND_OUT_WORDS, FirstThing, Plan, PlanChange, WhatIf
from interlock.model.text import plain
from interlock.usecases import plan as planning

#: Bars of the tornado, in characters.
_BAR = 20


def show_plan(plan: Plan, *, tasks: bool) -> None:
    """Dates, what the most likely path would have said, what to do first, what drives the date; tasks if asked for."""
    show_heading(f"To the {words.GATE[plan.target_gate].phrase} gate, from {words.iso_day(plan.start)}")
    show_paragraph(_basis(plan))
    blank()
    _dates(plan)
    if plan.most_likely and plan.ground.dated:
        blank()
        show_paragraph(plan.most_likely)
    _hospitals(plan)
    _first(plan)
    _unknowns(plan)
    _decided(plan)
    _drivers(plan.drivers)
    _sandbox(plan)
    notes = [*plan.notes, *filter(None, (plan.ground.rests,))]
    if notes:
        blank()
        show_heading("What the plan reckons with")
        for note in notes:
            show_paragraph(note, "- ")
    if tasks:
        _tasks(plan)


def show_weeks(plan: Plan, *, days: int) -> None:
    """The tasks that start in so many days: by week, whose each is, and when it is accepted."""
    show_heading(f"The next {days} days to the {words.gate(plan.target_gate)}, from {words.iso_day(plan.start)}")
    show_paragraph(words.WEEKS_MEAN)
    names = {line.org: line.name for line in plan.outlook}
    load = {each.week: each.said for each in plan.load}
    weeks = planning.next_weeks(plan, days)
    for sentence in planning.loads(plan, days, weeks):
        show_paragraph(sentence)
    if not weeks:
        show_paragraph(plan.first_note or "Nothing starts in these days.")
    for week, tasks in weeks:
        blank()
        show_heading(f"Week of {words.day(week)}: {load.get(week.isoformat(), 'no work of ours')}")
        for group in planning.alike(tasks):
            task, where = group[0], _at(plan, [each.org for each in group if each.org])
            name = task.id if len(group) == 1 else task.id.partition("@")[0]
            where = f" ({where})" if where else ""
            show_paragraph(f"{planning.done(group, names)}{where}", "- ")
            state = task.title.removeprefix(FIND_OUT_WORDS)
            bad = "If the answer is bad: " if task.kind == "discovery" else ""
            open_ = "" if state in (task.action or state) else f": {bad}{state}"
            show_paragraph(f"{name}{open_}", "  ", "dim")
            for part in planning.lines(group):
                at = f"{words.listed([each.org for each in part if each.org], 4)}: " if len(group) > 1 else ""
                told = f"{at}{words.capital(part[0].whose)}; {planning.spanned(part)}"
                show_paragraph(words.sentence(told), "  ", "dim")
            show_paragraph(words.sentence(f"Accepted when: {planning.accepted(group)}"), "  ", "dim")
    if sums := planning.reckoned(plan, weeks):
        blank()
        show_paragraph(sums)
    later = planning.later(plan, weeks)
    if later:
        blank()
        show_heading("Later: critical blockers, and what drives the P80")
    left = planning.sure(plan)
    for task in later:
        where = f" (at {task.org})" if task.org else ""
        show_paragraph(f"{task.id}: {planning.done([task], names)}{where}; {task.when}", "- ")
        if waits := planning.waits_for(plan, [task], left):
            show_paragraph(words.sentence(waits), "  ", "dim")


def show_what_if(result: WhatIf) -> None:
    """Every finish before and after, side by side."""
    show_heading(f"To the {words.GATE[result.target_gate].phrase} gate: what if")
    for change in result.changes:
        show_paragraph(change, "- ")
    blank()
    for sentence in result.ground.said:
        show_paragraph(sentence)
    if not result.ground.dated:
        return
    blank()
    firm = result.ground.firm
    was = "P80 was" if firm else "Eight of ten runs"
    show_table(
        ["", was, "P80 is" if firm else "As supposed", ("Working days", {"justify": "right"})],
        [_change(change, firm=firm) for change in result.finishes],
    )
    show_paragraph("Working days: by how many the day that four of five runs keep comes later (+) or earlier.")
    for note in result.notes:
        show_paragraph(note)


def _change(change: PlanChange, *, firm: bool) -> tuple[object, ...]:
    before, after = (_cell(each.told(firm=firm)) if each else "" for each in (change.before, change.after))
    days = f"{change.days:+.0f}" if round(change.days) else "0"
    return change.org or "all", before, after or "left out", days if after else ""


def _cell(told: str) -> Text:
    """A finish in a table: a range takes two lines, so that three of them fit beside one another."""
    return Text(told.removeprefix("P80 ").replace(" to ", "\nto "))


def _basis(plan: Plan) -> str:
    people = ", ".join(words.persons(persons, owner) for owner, persons in plan.capacity.items())
    return f"{people or 'No capacity stated'}; {plan.runs:,} simulated runs, seed {plan.seed}."


def _dates(plan: Plan) -> None:
    """What may be said of the dates, and each organisation's: single ones where they have ground, else ranges."""
    for sentence in plan.ground.said:
        show_paragraph(sentence)
    if not plan.ground.dated:
        return
    chances = {chance.org: chance for chance in plan.chances}
    by = [(f"By {words.iso_day(plan.chances[0].date)}", {"justify": "right", "no_wrap": True})] if chances else []
    ranged = plan.if_no_gaps is not None
    if plan.ground.firm:
        heads = ["", "P50, target", "P80, four of five runs", "P90"]
    else:
        unsure = ["Four of five, no unknown a gap", "Four of five, all gaps"] if ranged else []
        heads = ["", "Half of the runs", "Four of five", "Eight of ten between", *unsure]

    def row(name: str, forecast: Plan | OrgForecast) -> tuple[object, ...]:
        finish, chance = forecast.finish, chances.get(forecast.org if isinstance(forecast, OrgForecast) else None)
        if plan.ground.firm:
            cells: list[object] = [words.iso_day(day) for day in (finish.p50_date, finish.p80_date, finish.p90_date)]
        else:
            cells = [words.iso_day(finish.p50_date), words.iso_day(finish.p80_date)]
            supposed = (forecast.if_no_gaps, forecast.if_all_gaps)
            cells += [_cell(finish.span), *(words.iso_day(each.p80_date) for each in supposed if each)]
        return (name, *cells, words.share(chance.probability)) if chance else (name, *cells)

    blank()
    several = [row("all", plan)] if len(plan.orgs) > 1 else []
    show_table([*heads, *by], [*(row(forecast.org, forecast) for forecast in plan.orgs), *several])


def _hospitals(plan: Plan) -> None:
    """One line an organisation, where to start on top: what to do there and why, what comes next, who, and by when."""
    if not plan.outlook:
        return
    blank()
    show_heading("Where to start, in the order in which to decide")
    for number, line in enumerate(plan.outlook, 1):
        show_paragraph(line.said, f"{number}. ")
    for sentence in planning.order(plan):
        show_paragraph(sentence)
    if plan.freezes:
        show_paragraph(f"Change freezes. {'. '.join(plan.freezes)}")
    _go(plan.go)


def _go(go: GoNoGo | None) -> None:
    """The rule for the day on which the first pilot unit begins."""
    if go is None:
        return
    blank()
    show_heading(f"Go or no-go at {go.name}, {go.day}")
    show_paragraph(words.GO_MEANS)
    for requirement, state in go.holds:
        show_paragraph(f"{requirement}: {words.sentence(state)}", "- ")
    for sentence in (go.decides, *go.otherwise):
        show_paragraph(sentence)


def _decided(plan: Plan) -> None:
    """The decisions to be taken, who takes each, and when it is due."""
    if not plan.decisions:
        return
    blank()
    show_heading("Decisions to be taken")
    names = {line.org: line.name for line in plan.outlook}
    for group in planning.alike(plan.decisions):
        task, where = group[0], _at(plan, [each.org for each in group if each.org])
        where = f" ({where})" if where else ""
        show_paragraph(f"{planning.done(group, names)}{where}", "- ")
        show_paragraph(f"Decided by {task.decides}; {planning.decided_by(group)}.", "  ", "dim")


def _first(plan: Plan) -> None:
    """What to do first, from the top; apart from it, what saves nothing by itself."""
    if plan.first:
        blank()
        show_heading("Do first, from the top")
        show_paragraph(words.FIRST_MEANS)
    for number, thing in enumerate(plan.first, 1):
        _thing(plan, thing, f"{number}. ")
    if plan.left and plan.first_note:
        show_paragraph(plan.first_note)
    if plan.apart:
        blank()
        show_heading("Apart from these: needed, and saves no day by itself")
    for thing in plan.apart:
        show_paragraph(f"{thing.task or thing.title} ({thing.key}; {_whose(plan, thing)})", "- ")


def _at(plan: Plan, orgs: Sequence[str]) -> str:
    """``at Alder Hospital and Birch Clinic``; empty for what is about no organisation alone."""
    names = {line.org: line.name for line in plan.outlook}
    return f"at {words.listed([names.get(org, org) for org in orgs], 4)}" if orgs else ""


def _whose(plan: Plan, thing: FirstThing) -> str:
    where = _at(plan, thing.orgs)
    return ", ".join(filter(None, (words.OWNER[thing.owner].phrase, where)))


def _thing(plan: Plan, thing: FirstThing, number: str) -> None:
    show_paragraph(f"{thing.task or thing.title} ({_whose(plan, thing)})", number, "bold")
    show_paragraph(f"{thing.key}: {thing.state}" if thing.state else thing.key, "   ", "dim")
    if thing.action:
        show_paragraph(thing.action, "   ")
    if asks := planning.asks(plan, thing):
        show_paragraph(asks, "   ", "dim")
    show_paragraph(thing.because, "   ", "dim")


def _unknowns(plan: Plan) -> None:
    things = plan.asked_first
    if not things:
        return
    blank()
    show_heading("Of what is unknown: what is worth most for a day of asking")
    show_paragraph(words.UNKNOWNS_MEAN)
    for thing in things:
        show_paragraph(thing.action, "- ", "bold")
        show_paragraph(f"{thing.key}: {thing.if_bad}", "  ", "dim")
        show_paragraph(thing.because, "  ", "dim")


def _drivers(drivers: Sequence[Driver]) -> None:
    if not drivers:
        return
    blank()
    show_heading("What drives the P80")
    show_paragraph(
        "The plan's P80 in working days from its start: left over the fifth of the runs in which this went best, right "
        "over the fifth in which it went worst."
    )
    low, high = min(d.p80_if_well for d in drivers), max(d.p80_if_badly for d in drivers)
    scale = _BAR / (high - low) if high > low else 0.0
    rows = []
    for driver in drivers:
        start, end = (round((value - low) * scale) for value in (driver.p80_if_well, driver.p80_if_badly))
        bar = " " * start + "=" * max(1, end - start)
        name = plain(f"{driver.title} ({driver.id})", 200)
        rows.append((name, f"{driver.p80_if_well:.0f}", Text(bar.ljust(_BAR)), f"{driver.p80_if_badly:.0f}"))
    left, right = (("", {"justify": side, "no_wrap": True}) for side in ("left", "right"))
    show_table(["", right, left, right], rows, head=False)


def _sandbox(plan: Plan) -> None:
    cost = plan.sandbox
    if cost is None:
        return
    blank()
    show_heading("Shared sandboxes")
    show_paragraph(
        f"Without waiting for shared environments the P80 would be {words.days(cost.p80_days)} earlier. Mean time "
        "in them: " + ", ".join(f"{org.org} {words.days(org.days)}" for org in cost.orgs[:12]) + "."
    )
    stated = sum(org.stated for org in cost.orgs)
    if stated < len(cost.orgs):
        show_paragraph(
            f"Access windows are stated for {stated} of {words.count(len(cost.orgs), 'organisation')} "
            "(access_windows in orgs/ID.yaml); the others rest on the ruleset's estimate."
        )
    if cost.beyond:
        show_paragraph(cost.beyond)
    for saving in cost.behaviours:
        show_paragraph(
            f"{saving.behaviour} ({words.share(saving.share)} of that time): simulating it takes "
            f"{words.days(saving.org_days_saved)} off {words.p80s(len(plan.orgs))}.",
            "- ",
        )
    if cost.elsewhere:
        show_paragraph(cost.elsewhere)


def _tasks(plan: Plan) -> None:
    blank()
    show_heading("Tasks, in working days from the start (medians)")
    for wave in sorted({task.wave for task in plan.left}):
        blank()
        show_paragraph(f"Wave {wave + 1}")
        show_table(
            [
                ("Task", {"no_wrap": True}),
                ("Owner", {"no_wrap": True}),
                ("Starts", {"justify": "right", "no_wrap": True}),
                ("Ends", {"justify": "right", "no_wrap": True}),
                ("Critical", {"justify": "right", "no_wrap": True}),
            ],
            [
                (
                    task.id,
                    words.OWNER[task.owner].title,
                    f"{task.start_p50:.0f}",
                    f"{task.finish_p50:.0f}",
                    words.share(task.criticality),
                )
                for task in plan.left
                if task.wave == wave
            ],
        )
