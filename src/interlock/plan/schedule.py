"""The plan: when each organisation passes the target gate, what decides that date, and what to do first.

The method is in docs/scheduling.md. The same arguments give the same bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np

from interlock.documents.timing import timed
from interlock.model.base import GapClass, Gate, Grade, Owner, Scope
from interlock.model.contract import TestPathEntry
from interlock.model.errors import InterlockError
from interlock.model.finding import Finding
from interlock.model.gap_graph import GapGraph
from interlock.model.organization import Freeze, Organization
from interlock.model.plan import DateChance, OrgForecast, Plan, PlanTask
from interlock.model.routine import TaskStatus
from interlock.model.rule import LeadTime, RoutineTask, Rule
from interlock.plan import network
from interlock.plan.calendar import WorkingCalendar
from interlock.plan.dependencies import with_stated_freezes
from interlock.plan.drivers import tornado
from interlock.plan.environments import cost, within_windows
from interlock.plan.first import Ranking, rank_unknowns
from interlock.plan.network import Bools, Floats
from interlock.plan.notes import most_likely_words, notes
from interlock.plan.sampling import Sampler, effort_estimate, lead_estimate, pert_mean
from interlock.plan.simulation import MAX_CELLS, Comparison, Simulation, latest, simulate
from interlock.plan.tasks import Task, collect

#: Slack in days when a run is compared with the most-likely path: rounding of 32-bit sums.
_SLACK = 1e-3


@dataclass(frozen=True)
class PlanOptions:
    """What a plan reckons with, besides the work itself.

    :ivar start: the first day; a day that is not worked moves to the next one that is.
    :ivar runs: Monte Carlo runs; fewer are used when tasks × runs would not fit (see the notes).
    :ivar capacity: persons by owner (``us``, ``vendor``, ``org``); nobody queues for an owner that is absent.
    :ivar holidays, freezes: days that nobody works, and change freezes.
    :ivar test_path: where each behaviour of the contract is tested.
    :ivar by: the day whose probability is asked for.
    :ivar unseen: organisations of which nothing was observed: one probe finds out all that it can show.
    :ivar statuses: how far routine tasks have come, by id.
    :ivar history: what routine tasks have taken before, by the id that all of a kind share.
    :ivar reads_only: the contract is known to write nothing.
    :ivar chances: how likely what is not decided is a gap, by class, where its rule does not say.
    :ivar evidence: the work of getting the evidence that gates accept.
    """

    target_gate: Gate
    start: date
    seed: int
    runs: int
    capacity: Mapping[Owner, float] = field(default_factory=dict)
    holidays: tuple[date, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    test_path: tuple[TestPathEntry, ...] = ()
    by: date | None = None
    unseen: frozenset[str] = frozenset()
    chances: Mapping[GapClass, float] = field(default_factory=dict)
    statuses: Mapping[str, TaskStatus] = field(default_factory=dict)
    history: Mapping[str, LeadTime] = field(default_factory=dict)
    evidence: tuple[Task, ...] = ()
    reads_only: bool = False


@timed("plan")
def make_plan(
    graph: GapGraph,
    rules: Mapping[str, Rule],
    ruleset_tasks: Sequence[RoutineTask],
    findings: Sequence[Finding],
    organizations: Sequence[Organization],
    options: PlanOptions,
    argue: Collection[str] = (),
) -> Plan:
    """Simulate the work that the target gate needs, and say what decides the date.

    :param argue: keys of the findings that argue for the verdict, or could.
    :raises InterlockError: a seed out of range, a routine task that comes after something unknown, or tasks that wait
        in a circle.
    """
    simulation = simulation_of(graph, rules, ruleset_tasks, findings, organizations, options)
    work, times = simulation.work, simulation.times
    end = simulation.end(None)
    arcs = simulation.timing.arcs
    on_path = network.critical(work.after, arcs.after, times, arcs.order, end)
    likely = simulation.most_likely()
    forecasts, criticality = _organisations(simulation, likely.finishes, on_path)
    comparison = Comparison(simulation)
    unknowns = rank_unknowns(simulation, comparison, graph, rules, findings, organizations)
    undecided = bool(simulation.absent)
    none = simulation.quantiles(simulation.if_no_gaps[None]) if undecided else None
    every = simulation.quantiles(simulation.if_all_gaps[None]) if undecided else None
    grades = _grades(simulation, on_path)
    finish = simulation.quantiles(end)
    ranking = Ranking(simulation, comparison, graph, rules, findings, criticality, argue)
    first, apart = ranking.chosen(finish.p80_days)
    most = float(latest(likely.finishes, simulation.ends[None], 1)[0])
    chance = _share_within(end, most)
    most_date = simulation.calendar.date_of(round(most, 1)).isoformat()
    return Plan(
        start=simulation.calendar.first_day().isoformat(),
        seed=simulation.sampler.seed,
        runs=simulation.sampler.runs,
        target_gate=options.target_gate,
        finish=finish,
        most_likely_days=round(most, 1),
        probability_of_most_likely=chance,
        orgs=forecasts,
        tasks=_tasks(simulation, criticality),
        first=first,
        apart=apart,
        grades=grades,
        judgement_share=grades.get(Grade.JUDGEMENT, 0.0),
        notes=notes(simulation, options.target_gate, options.start, options.runs, finish, none, every, options.by),
        most_likely=most_likely_words(simulation, most, most_date, chance),
        most_likely_date=most_date,
        capacity=dict(simulation.persons),
        drivers=tornado(simulation, criticality),
        unknowns=unknowns,
        if_no_gaps=none,
        if_all_gaps=every,
        sandbox=cost(simulation, comparison, options.test_path, organizations),
        chances=_chances(simulation, options.by),
    )


def simulation_of(
    graph: GapGraph,
    rules: Mapping[str, Rule],
    ruleset_tasks: Sequence[RoutineTask],
    findings: Sequence[Finding],
    organizations: Sequence[Organization],
    options: PlanOptions,
) -> Simulation:
    """The plan's runs; the first half of :func:`make_plan`, which lists the errors."""
    if not 0 <= options.seed < 2**63:
        raise InterlockError(f"the seed is {options.seed}", remedy=f"give a whole number from 0 to {2**63 - 1:,}")
    by_id = {organization.id: organization for organization in organizations}
    work = collect(
        graph,
        rules,
        ruleset_tasks,
        findings,
        organizations,
        options.target_gate,
        with_stated_freezes(organizations, options.freezes),
        options.unseen,
        options.chances,
        options.statuses,
        options.history,
        options.evidence,
        options.reads_only,
    )
    work = replace(work, tasks=tuple(within_windows(task, by_id) for task in work.tasks))
    calendar = WorkingCalendar(options.start, tuple(sorted(set(options.holidays))))
    used = max(1, min(options.runs, MAX_CELLS // max(1, len(work.tasks))))
    return simulate(work, by_id, calendar, options.freezes, options.capacity, Sampler(options.seed, used))


def _organisations(
    simulation: Simulation, likely: Floats, on_path: Mapping[int, Bools]
) -> tuple[tuple[OrgForecast, ...], list[float]]:
    """Forecast of each organisation; criticality of each task for its own finish.

    An organisation's task is measured against that organisation's finish, a shared task against the plan's.
    """
    work, times = simulation.work, simulation.times
    criticality = [float(on_path[row].mean()) for row in range(len(work.tasks))]
    arcs = simulation.timing.arcs
    position = {row: number for number, row in enumerate(arcs.order)}
    forecasts = []
    for org in simulation.orgs:
        rows = sorted(work.rows_of[org], key=position.__getitem__)
        end, most = simulation.end(org), float(latest(likely, simulation.ends[org], 1)[0])
        own = network.critical(work.after, arcs.after, times, rows, end)
        for row in rows:
            if work.tasks[row].scope is Scope.ORG:
                criticality[row] = float(own[row].mean())
        forecasts.append(
            OrgForecast(
                org=org,
                finish=simulation.quantiles(end),
                if_no_gaps=simulation.quantiles(simulation.if_no_gaps[org]) if simulation.absent else None,
                if_all_gaps=simulation.quantiles(simulation.if_all_gaps[org]) if simulation.absent else None,
                most_likely_days=round(most, 1),
                probability_of_most_likely=_share_within(end, most),
            )
        )
    return tuple(forecasts), criticality


def _share_within(end: Floats, limit: float) -> float:
    return round(float((end <= limit + _SLACK).mean()), 3)


def _chances(simulation: Simulation, by: date | None) -> tuple[DateChance, ...]:
    """How likely everything, and each organisation, is through by a day."""
    if by is None:
        return ()
    limit = simulation.calendar.days_through(by)
    return tuple(
        DateChance(
            org=org, date=by.isoformat(), probability=_share_within(simulation.end(org), limit) if limit > 0 else 0.0
        )
        for org in (None, *simulation.orgs)
    )


def _grades(simulation: Simulation, on_path: Mapping[int, Bools]) -> dict[Grade, float]:
    """Share of the critical path's time by the grade of the estimate that it rests on.

    Time is the mean over runs of what each task spends on the plan's critical path, split between effort and lead time
    by their means. Effort is always the ruleset author's judgement.
    """
    time = dict.fromkeys(Grade, 0.0)
    crews, total = simulation.timing.staffing.crews, simulation.durations.total
    for row, task in enumerate(simulation.work.tasks):
        if not on_path[row].any():
            continue
        present = on_path[row] & simulation.times.present(row)
        spent = float(np.dot(total[row], present)) / total.shape[1]
        effort = pert_mean(effort_estimate(task.effort, crews[row]))
        lead = pert_mean(lead_estimate(task.lead_time))
        if spent and task.elapsed is not None:
            time[task.elapsed.grade] += spent
        elif spent and effort + lead:
            time[Grade.JUDGEMENT] += spent * effort / (effort + lead)
            if task.lead_time:
                time[task.lead_time.grade] += spent * lead / (effort + lead)
    whole_time = sum(time.values())
    return {grade: round(value / whole_time, 3) for grade, value in time.items() if value} if whole_time else {}


def _tasks(simulation: Simulation, criticality: Sequence[float]) -> tuple[PlanTask, ...]:
    work, times = simulation.work, simulation.times
    if not work.tasks:
        return ()
    starts, finishes = network.quantiles(times.starts, 0.5), network.quantiles(times.finishes, 0.5)
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
            lead_time=task.elapsed or task.lead_time,
            start_p50=round(float(starts[row]), 1),
            finish_p50=round(float(finishes[row]), 1),
            criticality=round(criticality[row], 3),
            queue_days=round(times.queued.get(row, 0.0), 1),
            shared_environment=task.shared_environment,
            chance=task.chance,
            progress=task.said,
        )
        for row, task in enumerate(work.tasks)
    )
