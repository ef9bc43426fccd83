"""The plan's notes: what a reader has to know before quoting a date, each with the word that it is found by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from interlock.model import words
from interlock.model.base import Gate, Owner
from interlock.model.finding import GATE_RANK, listed
from interlock.model.forecast import Quantiles
from interlock.model.text import plain
from interlock.plan.options import PlanOptions
from interlock.plan.sampling import effort_estimate, pert_mean
from interlock.plan.simulation import Simulation
from interlock.plan.tasks import Work

#: Two whole projects to hold the sum of our steps against; neither is part of any path.
CROSS_CHECK = (
    "Cross-check: elsewhere a light web tool took 10 to 12 weeks at three systems (Branda 2024), and an integration "
    "that is no SMART app took 18 months at five centres (Scalia 2021). Where our first organisation takes less than "
    "the one, or our last more than the other, somebody has to look at the estimates again before a date is quoted."
)
#: The bounds of the cross-check, in days of the calendar.
_SHORT, _LONG = 70, 548
#: Who looks at the estimates again, and how what is found takes effect.
_LOOK_AGAIN = (
    "whoever of us is the contact there goes through what is left with theirs, and states the days that are known "
    "(interlock task)"
)
_WEEK_DAYS, _MONTH_DAYS = 7.0, 30.44


def most_likely_words(simulation: Simulation, most: float, when: str, chance: float) -> str:
    """What the path of most likely times alone would have said, and how unlikely that is; empty without tasks."""
    if not simulation.work.tasks:
        return ""
    runs = "all" if chance >= 1 else "none" if chance <= 0 else f"{max(1, round(100 * chance))} in 100"
    return (
        f"If everything took its most likely time, all would be through by {words.iso_day(when)} ({words.days(most)}). "
        f"In {runs} of the {simulation.sampler.runs:,} runs it was that early, because where paths meet the slowest "
        "decides and most estimates lean to the late side."
    )


def notes(
    simulation: Simulation,
    options: PlanOptions,
    finish: Quantiles,
    none: Quantiles | None,
    every: Quantiles | None,
    names: Mapping[str, str],
) -> tuple[str, ...]:
    """The notes of a plan, those that move dates most first; each is ``Lead: what there is to know``.

    :param names: of organisations, by id.
    """
    work, used = simulation.work, simulation.sampler.runs
    if all(task.is_done for task in work.tasks):
        return ()  # that nothing is left is what there is to say of the dates
    said = [*_people(simulation, finish)]
    chances = [task.chance for task in work.tasks if task.chance is not None and not task.only_if]
    if none and every:
        probes = [task.id for task in work.tasks if task.kind == "discovery" and task.id.startswith("probe:")]
        asked = sum(task.kind == "discovery" for task in work.tasks) - len(probes)
        observed = sum(
            task.chance is not None and not any(first.startswith("find-out:") for first in task.after)
            for task in work.tasks
            if task.kind == "gap"
        )
        by_probe = f", {observed:,} by {words.count(len(probes), 'probe')} alone" if probes else ""
        said.append(
            f"Unknowns: {words.count(len(chances), 'rule')} {words.agree(len(chances), 'is', 'are')} undecided: "
            f"{asked:,} to be found out one by one{by_probe}. About {sum(chances):.0f} of them turn out to be gaps in "
            "each run."
        )
    said += _decisions(work)
    said += _parts(work)
    said += _calendar(simulation, options)
    if simulation.orgs and GATE_RANK[options.target_gate] >= GATE_RANK[Gate.PILOT]:
        said.append(f"{CROSS_CHECK} {_crossed(simulation, names)}")
    if used < options.runs:
        said.append(f"Runs: {used:,} instead of {options.runs:,}, because there are {len(work.tasks):,} tasks.")
    return tuple(said)


def _crossed(simulation: Simulation, names: Mapping[str, str]) -> str:
    """Whether the cross-check asks for a second look here, and why."""
    start = simulation.calendar.first_day()
    days = {
        org: (date.fromisoformat(simulation.quantiles(simulation.end(org)).p50_date) - start).days
        for org in simulation.orgs
    }
    first, last = (choose(days, key=lambda org: (days[org], org)) for choose in (min, max))
    weeks = words.count(round(days[first] / _WEEK_DAYS), "week")
    months = words.count(round(days[last] / _MONTH_DAYS), "month")
    fires = []
    if days[first] < _SHORT:
        begun = sum(
            task.kind == "routine" and task.org == first and (task.is_done or task.is_begun)
            for task in simulation.work.tasks
        )
        through = f"{names.get(first, first)} is through in {weeks} in half of the runs"
        if begun:
            done = f"{words.count(begun, 'routine task')} there {words.agree(begun, 'is', 'are')} done or begun"
            fires.append(f"{through}, which is the time of what is left, so it asks for nothing ({done})")
        else:
            fires.append(f"{through}: {_LOOK_AGAIN}")
    if days[last] > _LONG:
        fires.append(f"{names.get(last, last)} is through in {months} in half of the runs: {_LOOK_AGAIN}")
    if fires:
        return f"That is so here: {'; and '.join(fires)}."
    if first == last:
        return f"It is not so here: {names.get(first, first)} is through in {weeks} in half of the runs."
    return (
        f"It is not so here: in half of the runs {names.get(first, first)} is through in {weeks} and "
        f"{names.get(last, last)} in {months}."
    )


def _parts(work: Work) -> Iterator[str]:
    """What the tasks that are left are, so that every number of them is part of one sum, and what tasks.yaml says."""
    left = [task for task in work.tasks if not task.is_done]
    routine = [task for task in work.tasks if task.kind == "routine"]
    begun = sum(task.is_begun for task in routine)
    done = sum(task.is_done for task in routine)
    kinds = {
        "gap to close": sum(task.kind == "gap" and task.chance is None for task in left),
        "unknown to find out": sum(task.kind == "discovery" for task in left),
        "gap that an unknown may be": sum(task.kind == "gap" and task.chance is not None for task in left),
        "piece of evidence": sum(task.kind == "evidence" for task in left),
        "routine task": len(routine) - done,
    }
    plural = {"unknown to find out": "unknowns to find out", "gap to close": "gaps to close"}
    plural |= {"gap that an unknown may be": "gaps that unknowns may be", "piece of evidence": "pieces of evidence"}
    named = [words.count(number, kind, plural.get(kind)) for kind, number in kinds.items() if number]
    if left:
        of = f", {begun:,} of them begun" if len(routine) > done else ""
        recorded = f"{done:,} more {words.agree(done, 'is', 'are')} recorded as done"
        said = f"{of} ({recorded})" if routine else ""
        yield f"Tasks: {len(left):,} {words.agree(len(left), 'is', 'are')} left: {words.listed(named)}{said}."
    if work.unknown:
        entries = words.count(len(work.unknown), "entry", "entries")
        yield f"tasks.yaml: {entries} {words.agree(len(work.unknown), 'counts', 'count')} for nothing: " + (
            f"no routine task here is called {listed([plain(name, 60) for name in work.unknown])}."
        )
    known = {task.title: task.elapsed for task in routine if task.elapsed and not task.is_done}
    if known:
        told = listed(
            [f"“{title}” ({estimate.source.removeprefix('own history, ')})" for title, estimate in known.items()]
        )
        yield f"History: the estimate is what earlier ones took, shortest, median and longest, for {told}."


def _people(simulation: Simulation, finish: Quantiles) -> Iterator[str]:
    work = simulation.work
    days = {
        row: pert_mean(effort_estimate(task.effort))
        * simulation.share_left(row)
        * (1.0 if task.chance is None else task.chance)
        for row, task in enumerate(work.tasks)
        if task.owner is Owner.US and not task.is_done
    }
    ours = sum(days.values())
    # Each is rounded by itself, as in the tables, so that they add up.
    at = {org: sum(d for row, d in days.items() if work.tasks[row].org == org) for org in simulation.orgs}
    persons = simulation.persons.get(Owner.US)
    if persons is None:
        needed = ours / finish.p80_days if finish.p80_days else 0.0
        short = f" Our work adds up to {ours:,.0f} person-days: the P80 needs {needed:.1f} of us." if needed > 1 else ""
        yield (
            "Our people: how many there are is not stated (capacity in interlock.yaml): each task of ours has one "
            f"person, and nobody waits for a colleague.{short}"
        )
    else:
        busy = [
            queued
            for row, queued in simulation.times.queued.items()
            if work.tasks[row].owner is Owner.US and not work.tasks[row].is_done
        ]
        turn = "on average for its turn in the list of our work"
        waits = f"; a task of ours that is ready waits {words.days(sum(busy) / len(busy))} {turn}" if busy else ""
        of, total = "", round(ours)
        if simulation.orgs and (once := round(ours - sum(at.values()))):
            there = sum(map(round, at.values()))
            of, total = (
                f" ({there:,} at the organisations, {once:,} once for the product and the vendors)",
                there + once,
            )
        yield f"Our people: {persons:g} of us for {total:,} person-days{of}{waits}."


def _decisions(work: Work) -> Iterator[str]:
    """What a verdict's own tasks end with has an outcome that nobody knows yet."""
    own = [t for t in work.tasks if t.kind == "routine" and t.verdict is not None and not t.is_done]
    ends = [task for task in own if not any(task.id in other.after for other in own if other.verdict is task.verdict)]
    if ends:
        names = words.listed([f"“{plain(task.title, 200)}” ({task.id})" for task in ends], 4)
        yield f"Assumed: the plan assumes a yes at {names}: a no ends, or repeats, what comes before it."


def _calendar(simulation: Simulation, options: PlanOptions) -> Iterator[str]:
    calendar, start, by = simulation.calendar, options.start, options.by
    if options.passed is not None:
        yield (
            f"Start: the start in interlock.yaml, {words.day(options.passed)}, has passed: nothing is planned before "
            "today."
        )
    if calendar.first_day() != start:
        yield f"Start: {words.day(start)} is not worked; the plan starts on {words.day(calendar.first_day())}."
    if by is not None and not calendar.is_working_day(by):
        yield f"Asked for: {words.day(by)} is not worked; what is done by the working day before it counts."
    holidays = sum(day >= calendar.first_day() and day.weekday() < 5 for day in calendar.holidays)
    if not holidays:
        yield "Holidays: none are stated (holidays in interlock.yaml), so every Monday to Friday is worked."
    stopped = len(simulation.timing.spans)
    if stopped:
        yield f"Change freezes: {words.count(stopped, 'task')} can stand still in those whose dates are stated."
