"""The plan on a page: the first things, the dates, and what-if, with the dates before and after it side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast, get_args

from textual.content import Content

from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.base import Owner
from interlock.model.contract import WorkflowContract
from interlock.model.contract_parts import LaunchMode
from interlock.model.errors import InterlockError
from interlock.model.forecast import OrgForecast
from interlock.model.plan import FirstThing, Plan, PlanChange, WhatIf
from interlock.tui.keys import key_of, keyed
from interlock.tui.page import ACCENT, BAD, DIM, OK, PRIMARY, WARN, Page, line, quantile_bar, text
from interlock.tui.widgets.flow import draw_problem

if TYPE_CHECKING:
    from interlock.usecases.plan import Changes


#: A task in at least this share of runs on the critical path is drawn solid.
CRITICAL = 0.5
#: Unknowns, drivers and behaviours that are listed.
_SHOWN = 5


def draw_first(page: Page, plan: Plan, names: Mapping[str, str]) -> None:
    """What to do first, what to find out first, what drives the P80, and what shared sandboxes cost."""
    for number, thing in enumerate(plan.first, 1):
        page.blank()
        page.bullet(text(f"{number}", ACCENT), (shorter(thing.title), "bold"), (at_organizations(thing, names), DIM))
        page.bullet(" ", (f"{words.OWNER[thing.owner].title}: ", ACCENT), thing.what_to_do)
        page.bullet(" ", (thing.because, DIM))
    if plan.first_note:
        page.blank()
        page.para(plan.first_note)
    if plan.apart:
        page.heading("Apart from these", "needed, saves no day by itself")
    for thing in plan.apart:
        page.bullet(text("·", DIM), shorter(thing.title), (at_organizations(thing, names), DIM))
    _draw_unknowns(page, plan)
    _draw_drivers(page, plan, names)
    _draw_sandbox(page, plan)


def shorter(title: str) -> str:
    """A title of something to find out, without the words that its question mark says already."""
    short = title.removeprefix("Find out whether this holds: ")
    return title if short == title else f"Find out: {short}"


def at_organizations(thing: FirstThing, names: Mapping[str, str]) -> str:
    """Where it is to be done, by name: ``  at Riverside and Lakeshore``; nothing where it is not at organisations."""
    return f"  at {words.listed([names.get(org, org) for org in thing.orgs], 3)}" if thing.orgs else ""


def _draw_unknowns(page: Page, plan: Plan) -> None:
    things = [thing for thing in plan.unknowns if thing.p80_days or thing.score_points][:_SHOWN]
    if things:
        page.heading("Find out first", "what narrows dates and score most")
    for thing in things:
        page.bullet(text("?", WARN), (shorter(thing.title), "bold"))
        page.bullet(" ", (thing.because, DIM))


def _draw_drivers(page: Page, plan: Plan, names: Mapping[str, str]) -> None:
    drivers = plan.drivers[:_SHOWN]
    if not drivers:
        return
    page.heading("What drives the P80", "days, best to worst fifth of runs")
    rows = []
    for driver in drivers:
        party_name = names.get(driver.org, driver.org) if driver.org else None
        party = driver.what == "party"
        title = f"How all goes at {party_name}" if party and party_name else shorter(driver.title)
        rows.append(
            (
                text(f"{driver.p80_if_well:.0f}", DIM),
                text(f"{driver.p80_if_badly:.0f}", "bold"),
                line(title, (f"  at {party_name}" if party_name and not party else "", DIM)),
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
    plan, ground = assessment.plan, assessment.plan.ground
    for sentence in ground.said[:1]:
        page.para(sentence)
    if not ground.dated:
        return
    page.blank()
    page.line((f"past the {words.GATE[plan.target_gate].phrase} gate", DIM), ("   █ to P50  ▒ to P80  ░ to P90", DIM))
    names = {org.id: org.name for org in assessment.organizations}
    longest = max([plan.finish.p90_days, *(forecast.finish.p90_days for forecast in plan.orgs)], default=0)
    entries: list[tuple[str, Plan | OrgForecast]] = [(names.get(own.org, own.org), own) for own in plan.orgs]
    if len(entries) > 1:
        entries.append(("All of them", plan))
    for name, own in entries:
        finish = own.finish
        page.blank()
        page.line((name, "bold"))
        page.add(quantile_bar(finish, longest, page.width - 1))
        if not ground.firm:
            page.line(finish.span, ("  eight of ten runs", DIM))
            if own.if_no_gaps and own.if_all_gaps:
                page.line((own.if_no_gaps.span, DIM), ("  if nothing unknown is a gap", DIM))
                page.line((own.if_all_gaps.span, DIM), ("  if everything is", DIM))
            continue
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
    for sentence in ground.said[1:]:
        page.para(sentence)
    for note in (*plan.notes, *filter(None, (ground.rests,))):
        page.bullet(text("·", DIM), (note, DIM))


_PERSON = {
    Owner.US: "One more person of us",
    Owner.VENDOR: "One more person at each vendor",
    Owner.ORG: "One more person at each organisation",
}
_LAUNCH = {
    "ehr": "Launch: inside the EHR",
    "standalone": "Launch: standalone, outside the EHR",
    "backend": "Launch: backend only, nobody signs in",
}
_GONE = (
    "Another launch leaves out some of the work; {plan.suppose} on a task that is marked as done gives it back, "
    "{plan.clear} clears."
)
#: Stands for every behaviour that is tested in a sandbox.
_EVERY = "all"

#: What a what-if supposes, in the order in which it was marked: ``done:ID`` of a task, ``drop:ORG``, ``add:OWNER`` for
#: one more person, ``launch:MODE``, and ``simulate:BEHAVIOUR`` (or ``all``) instead of testing it in a sandbox.
Suppositions = tuple[str, ...]


def named(supposed: Suppositions, kind: str) -> tuple[str, ...]:
    """What is supposed of one kind: ids, owners, ways to launch or behaviours."""
    return tuple(key.removeprefix(f"{kind}:") for key in supposed if key.startswith(f"{kind}:"))


def turned(supposed: Suppositions, key: str) -> Suppositions:
    """With this supposed if it was not, and the other way round: one launch, all behaviours or some."""
    if key in supposed:
        return tuple(other for other in supposed if other != key)
    kind, _, name = key.partition(":")
    if kind == "launch" or (kind == "simulate" and name == _EVERY):
        supposed = tuple(other for other in supposed if not other.startswith(f"{kind}:"))
    return (*(other for other in supposed if kind != "simulate" or other != f"simulate:{_EVERY}"), key)


def still_possible(supposed: Suppositions, plan: Plan, contract: WorkflowContract | None) -> Suppositions:
    """The suppositions that a newer plan and contract still allow."""
    possible = {f"done:{task.id}" for task in plan.tasks} | {f"drop:{forecast.org}" for forecast in plan.orgs}
    possible |= {f"done:{thing.key}" for thing in plan.first}  # one thing at several organisations is no task's id
    possible |= {f"launch:{mode}" for mode in _other_launches(contract)}
    possible |= {f"simulate:{behaviour}" for behaviour in _simulable(contract)}
    return tuple(key for key in supposed if key in possible or key.startswith("add:"))


def changes_of(supposed: Suppositions) -> Changes:
    """The suppositions as the use case takes them."""
    from interlock.usecases.plan import Changes

    return Changes(
        close=named(supposed, "done"),
        drop=named(supposed, "drop"),
        add={Owner(owner): 1.0 for owner in named(supposed, "add")},
        launch=cast("LaunchMode | None", next(iter(named(supposed, "launch")), None)),
        simulate=named(supposed, "simulate"),
    )


@dataclass(frozen=True)
class Supposing:
    """The suppositions and what became of them; no result and no error while it is worked out."""

    supposed: Suppositions
    result: WhatIf | None = None
    error: InterlockError | None = None

    @property
    def is_open(self) -> bool:
        """Is it still being worked out?"""
        return self.result is None and self.error is None


def _other_launches(contract: WorkflowContract | None) -> tuple[LaunchMode, ...]:
    """Ways to launch that the contract does not ask for as it is; what runs in the background goes on beside them."""
    if contract is None:
        return ()
    now = set(contract.launch.modes)
    modes: tuple[LaunchMode, ...] = get_args(LaunchMode)
    return tuple(mode for mode in modes if now - (set() if mode == "backend" else {"backend"}) != {mode})


def _simulable(contract: WorkflowContract | None) -> tuple[str, ...]:
    """Behaviours that are tested in a sandbox; where there are several, ``all`` stands behind them."""
    entries = contract.test_path if contract is not None else ()
    behaviours = tuple(dict.fromkeys(entry.behaviour for entry in entries if entry.where == "sandbox"))
    return tuple(dict.fromkeys((*behaviours, _EVERY))) if len(behaviours) > 1 else behaviours


def choices(
    plan: Plan, contract: WorkflowContract | None, supposed: Suppositions, names: Mapping[str, str]
) -> list[tuple[str, str, bool]]:
    """The suppositions on offer beside the list of tasks, as (key, label, supposed already)."""
    offers = [
        (f"done:{thing.key}", f"Done: {shorter(thing.title)}{at_organizations(thing, names)}") for thing in plan.first
    ]
    if len(plan.orgs) > 1:
        offers += [
            (f"drop:{forecast.org}", f"Without {names.get(forecast.org, forecast.org)}") for forecast in plan.orgs
        ]
    offers += [(f"add:{owner.value}", _PERSON[owner]) for owner in Owner if owner in plan.capacity]
    offers += [(f"launch:{mode}", _LAUNCH[mode]) for mode in _other_launches(contract)]
    offers += [(f"simulate:{behaviour}", _simulated(behaviour)) for behaviour in _simulable(contract)]
    return [(key, label, key in supposed) for key, label in offers]


def _simulated(behaviour: str) -> str:
    return "Simulated: all that is tested in a sandbox" if behaviour == _EVERY else f"Simulated: {behaviour}"


def draw_supposing(page: Page, assessment: Assessment, supposing: Supposing) -> None:
    """Every finish before and after."""
    names = {org.id: org.name for org in assessment.organizations}
    page.line((keyed("{plan.what-if} changes what is supposed, {plan.clear} goes back to the plan as it is"), DIM))
    for change in _said(supposing.supposed, assessment, names):
        page.bullet(text("×", ACCENT), change)
    page.blank()
    result = supposing.result
    if supposing.error is not None:
        launched = named(supposing.supposed, "launch") and named(supposing.supposed, "done")
        draw_problem(page, supposing.error, keyed(_GONE) if launched else "")
    elif result is None:
        page.line(("… working out the dates", ACCENT))
    else:
        draw_result(page, result, names)


def summary(supposing: Supposing) -> str:
    """What becomes of all in one line: ``what if: all of them 12 working days earlier``."""
    if supposing.error is not None:
        return "what if: it cannot be worked out"
    every = next((c for c in supposing.result.finishes if c.org is None), None) if supposing.result else None
    if every is None or every.after is None:
        return "what if: working out the dates…"
    return f"what if: all of them {_moved(every).plain}"


def _said(supposed: Suppositions, assessment: Assessment, names: Mapping[str, str]) -> Iterable[str]:
    known: dict[str, tuple[str, Sequence[str]]] = {
        task.id: (task.title, (task.org,) if task.org else ()) for task in assessment.plan.tasks
    }
    known |= {thing.key: (thing.title, thing.orgs) for thing in assessment.plan.first}
    orgs_of: dict[str, list[str]] = {}
    for key in named(supposed, "done"):
        title, orgs = known.get(key, (key, ()))
        orgs_of.setdefault(shorter(title), []).extend(names.get(org, org) for org in orgs)
    yield from (f"as if done: {title}{f', at {words.listed(at, 3)}' if at else ''}" for title, at in orgs_of.items())
    yield from (f"without {names.get(org, org)}" for org in named(supposed, "drop"))
    yield from (_lower(_PERSON[Owner(owner)]) for owner in named(supposed, "add"))
    yield from (_lower(_LAUNCH[mode]) for mode in named(supposed, "launch"))
    yield from (_lower(_simulated(behaviour)) for behaviour in named(supposed, "simulate"))


def _lower(label: str) -> str:
    """The label inside a list: its first letter small, the rest (EHR, a behaviour's name) as it is."""
    return label[:1].lower() + label[1:]


def draw_result(page: Page, result: WhatIf, names: Mapping[str, str]) -> None:
    """Every finish before and after, on a scale that they share."""
    longest = max([max(c.before.p90_days, c.after.p90_days if c.after else 0.0) for c in result.finishes], default=0.0)
    if result.opened or result.closed:  # a change of the contract: what it opens and closes is part of the answer
        page.bullet(text("·", ACCENT), result.changes[0])
        page.blank()
    for sentence in result.ground.said:
        page.para(sentence, DIM)
    if not result.ground.dated:
        return
    firm = result.ground.firm
    measure = "P80" if firm else "eight of ten runs"
    page.line((f"{measure} past the {words.gate(result.target_gate)}", DIM), ("   █ to P50  ▒ to P80  ░ to P90", DIM))
    for change in sorted(result.finishes, key=lambda change: change.org is not None):
        name = names.get(change.org, change.org) if change.org else "All of them"
        page.blank()
        if change.after is None:
            page.line((name, "bold"), ("   left out", DIM))
            continue
        page.line((name, "bold"), "   ", _moved(change))
        before, after = (each.told(firm=firm).removeprefix("P80 ") for each in (change.before, change.after))
        page.add(line((f"{before} → ", DIM), (after, f"bold {PRIMARY}" if change.days else "")))
        if change.days:
            page.add(
                line(("before ", DIM), quantile_bar(change.before, longest, page.width - 8)),
                line(("after  ", DIM), quantile_bar(change.after, longest, page.width - 8)),
            )
    page.blank()
    for note in result.notes:
        page.bullet(text("·", WARN), (note, DIM))


def _moved(change: PlanChange) -> Content:
    """By how many working days the P80 is earlier or later."""
    days = round(change.days)
    if not days:
        return text("no change", DIM)
    glyph, style, direction = ("▲", OK, "earlier") if days < 0 else ("▼", BAD, "later")
    return text(f"{glyph} {words.count(abs(days), 'working day')} {direction}", f"bold {style}")


def draw_chances(page: Page, plan: Plan, names: Mapping[str, str]) -> None:
    """How likely everything, and each organisation, is through by a day that somebody asked about."""
    if not plan.chances:
        return
    day = words.iso_day(plan.chances[0].date)
    page.para(
        f"Share of the simulated runs in which it is past the {words.GATE[plan.target_gate].phrase} gate by {day}:"
    )
    page.blank()
    told = [
        (text(names.get(each.org or "", "All of them")), text(words.share(each.probability), "bold"))
        for each in plan.chances
    ]
    page.columns(told)
    page.blank()
    for sentence in plan.ground.said[:1]:
        page.para(sentence, DIM)
    page.line((f"{key_of('plan.clear')} goes back to the dates", ACCENT))
