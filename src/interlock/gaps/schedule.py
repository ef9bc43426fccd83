"""The plan: when each organisation passes the target gate, what decides that date, and what to do first.

The method is in docs/scheduling.md. The same arguments give the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from interlock.gaps import network
from interlock.gaps.calendar import WorkingCalendar
from interlock.gaps.first import Simulation, rank
from interlock.gaps.network import Floats
from interlock.gaps.sampling import effort_estimate, lead_estimate, most_likely, pert_mean, sample
from interlock.gaps.tasks import Work, collect
from interlock.gaps.wording import count, days, gate_words
from interlock.model.assessment import GapGraph, OrgForecast, Plan, PlanTask, Quantiles
from interlock.model.base import Gate, Grade, Owner, Scope
from interlock.model.errors import InterlockError
from interlock.model.finding import Finding
from interlock.model.organization import Organization
from interlock.model.rule import Rule, StandingTask

MAX_RUNS = 1_000_000
#: Most tasks × runs that are held at once (8 bytes each, four arrays); more tasks get fewer runs, and a note says so.
MAX_CELLS = 5_000_000
#: Slack in days when a run is compared with the most-likely path, for rounding in sums.
_SLACK = 1e-9


def make_plan(
    graph: GapGraph,
    rules: Mapping[str, Rule],
    ruleset_tasks: Sequence[StandingTask],
    findings: Sequence[Finding],
    organizations: Sequence[Organization],
    *,
    target_gate: Gate,
    start: date,
    seed: int,
    runs: int,
    capacity: Mapping[str, float],
) -> Plan:
    """Simulate the work that the target gate needs.

    :param runs: Monte Carlo runs, 1 to 1,000,000; fewer are used when tasks × runs would not fit (see the notes).
    :param capacity: persons who work for each owner (``us``, ``vendor``, ``org``); one where absent.
    :raises InterlockError: a capacity that is not above zero, a seed or number of runs that is not a whole number in
        range, a standing task that comes after something unknown, or tasks that wait in a circle.
    """
    persons = _capacity(capacity)
    seed, asked = _whole(seed, "seed", 0, 2**63 - 1), _whole(runs, "number of runs", 1, MAX_RUNS)
    work = collect(graph, rules, ruleset_tasks, findings, organizations, target_gate)
    calendar = WorkingCalendar(start)
    used = max(1, min(asked, MAX_CELLS // max(1, len(work.tasks))))
    simulation = _simulate(work, sample(work.tasks, seed, used, persons))
    expected = np.array([[most_likely(task, persons)] for task in work.tasks]).reshape(len(work.tasks), 1)
    _, likely = network.forward(work.before, expected)
    everything = list(range(len(work.tasks)))
    end = _latest(simulation.finishes, everything)
    on_path = network.critical(work.after, simulation.starts, simulation.finishes, everything, end)
    forecasts, criticality = _organisations(simulation, likely, organizations, on_path, calendar)
    grades = _grades(simulation, on_path, persons)
    most = float(_latest(likely, everything)[0])
    return Plan(
        start=calendar.first_day().isoformat(),
        seed=seed,
        runs=used,
        target_gate=target_gate,
        finish=_quantiles(end, calendar),
        most_likely_days=round(most, 1),
        probability_of_most_likely=_share_within(end, most),
        orgs=forecasts,
        tasks=_tasks(simulation, criticality),
        first=rank(simulation, graph, rules, findings, organizations, criticality),
        grades=grades,
        judgement_share=grades.get(Grade.JUDGEMENT, 0.0),
        notes=_notes(work, persons, target_gate, asked, used, network.quantile(end, 0.8)),
    )


def _capacity(capacity: Mapping[str, float]) -> dict[Owner, float]:
    persons = dict.fromkeys(Owner, 1.0)
    for name, value in capacity.items():
        if name not in {owner.value for owner in Owner}:
            raise InterlockError(f"capacity names {name!r}, which is no owner", remedy="use us, vendor or org")
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
            raise InterlockError(f"the capacity of {name} is {value!r}", remedy="give a number of persons above zero")
        persons[Owner(name)] = float(value)
    return persons


def _whole(value: int, what: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InterlockError(f"the {what} is {value!r}", remedy=f"give a whole number from {low:,} to {high:,}")
    return value


def _simulate(work: Work, durations: Floats) -> Simulation:
    starts, finishes = network.forward(work.before, durations)
    return Simulation(work, durations, starts, finishes)


def _latest(finishes: Floats, rows: Sequence[int]) -> Floats:
    """The latest finish of these rows in each run; zero without any."""
    latest: Floats = np.zeros(finishes.shape[1]) if finishes.size else np.zeros(1)
    for row in rows:
        latest = np.maximum(latest, finishes[row])
    return latest


def _organisations(
    simulation: Simulation,
    likely: Floats,
    organizations: Sequence[Organization],
    on_path: Mapping[int, network.Bools],
    calendar: WorkingCalendar,
) -> tuple[tuple[OrgForecast, ...], list[float]]:
    """Forecast of each organisation; criticality of each task for its own finish.

    An organisation's task is measured against that organisation's finish, a shared task against the plan's.
    """
    work = simulation.work
    criticality = [float(on_path[row].mean()) for row in range(len(work.tasks))]
    forecasts = []
    for organization in organizations:
        rows = work.rows_of(organization.id)
        end, most = _latest(simulation.finishes, rows), float(_latest(likely, rows)[0])
        own = network.critical(work.after, simulation.starts, simulation.finishes, rows, end)
        for row in rows:
            if work.tasks[row].scope is Scope.ORG:
                criticality[row] = float(own[row].mean())
        forecasts.append(
            OrgForecast(
                org=organization.id,
                finish=_quantiles(end, calendar),
                most_likely_days=round(most, 1),
                probability_of_most_likely=_share_within(end, most),
            )
        )
    return tuple(forecasts), criticality


def _quantiles(end: Floats, calendar: WorkingCalendar) -> Quantiles:
    p50, p80, p90 = (round(network.quantile(end, share), 1) for share in (0.5, 0.8, 0.9))
    return Quantiles(
        p50_days=p50,
        p80_days=p80,
        p90_days=p90,
        p50_date=calendar.date_of(p50).isoformat(),
        p80_date=calendar.date_of(p80).isoformat(),
        p90_date=calendar.date_of(p90).isoformat(),
    )


def _share_within(end: Floats, limit: float) -> float:
    return round(float((end <= limit + _SLACK).mean()), 3)


def _grades(
    simulation: Simulation, on_path: Mapping[int, network.Bools], persons: Mapping[Owner, float]
) -> dict[Grade, float]:
    """Share of the critical path's time by the grade of the estimate that it rests on.

    Time is the mean over runs of what each task spends on the plan's critical path, split between effort and lead time
    by their means. Effort is always the ruleset author's judgement.
    """
    time = dict.fromkeys(Grade, 0.0)
    for row, task in enumerate(simulation.work.tasks):
        spent = float((simulation.durations[row] * on_path[row]).mean())
        effort = pert_mean(effort_estimate(task.effort, persons[task.owner]))
        lead = pert_mean(lead_estimate(task.lead_time))
        if spent and effort + lead:
            time[Grade.JUDGEMENT] += spent * effort / (effort + lead)
            if task.lead_time:
                time[task.lead_time.grade] += spent * lead / (effort + lead)
    total = sum(time.values())
    return {grade: round(value / total, 3) for grade, value in time.items() if value} if total else {}


def _tasks(simulation: Simulation, criticality: Sequence[float]) -> tuple[PlanTask, ...]:
    work = simulation.work
    if not work.tasks:
        return ()
    starts, finishes = network.medians(simulation.starts), network.medians(simulation.finishes)
    return tuple(
        PlanTask(
            id=task.id,
            title=task.title,
            kind=task.kind,
            org=task.org,
            owner=task.owner,
            gate=task.gate,
            wave=work.wave[row],
            after=task.after,
            effort=task.effort,
            lead_time=task.lead_time,
            start_p50=round(float(starts[row]), 1),
            finish_p50=round(float(finishes[row]), 1),
            criticality=round(criticality[row], 3),
        )
        for row, task in enumerate(work.tasks)
    )


def _notes(
    work: Work, persons: Mapping[Owner, float], target_gate: Gate, asked: int, used: int, p80: float
) -> tuple[str, ...]:
    """What a reader has to know before quoting a date."""
    if not work.tasks:
        return (f"Nothing is left to plan before the {gate_words(target_gate)}.",)
    notes = ["Tasks that do not wait for one another run at the same time; nothing is levelled by who is free."]
    effort = sum(
        pert_mean(effort_estimate(task.effort, persons[Owner.US])) for task in work.tasks if task.owner is Owner.US
    )
    if effort > p80:
        notes.append(
            f"Our own work alone adds up to {days(round(effort, 1))} for {persons[Owner.US]:g} of us, more than the "
            "P80: with these people the dates are too early."
        )
    unknown = sum(task.kind == "discovery" for task in work.tasks)
    if unknown:
        notes.append(
            f"{count(unknown, 'unknown')} in the plan: there is time to find out, none to close what may be found."
        )
    if any(task.kind == "standing" for task in work.tasks):
        notes.append("Standing tasks are planned as not yet begun.")
    if work.done:
        notes.append(f"{count(work.done, 'standing task')} not planned: met rules show that the work is done.")
    if used < asked:
        notes.append(f"{used:,} runs instead of {asked:,}, because there are {len(work.tasks):,} tasks.")
    return tuple(notes)
