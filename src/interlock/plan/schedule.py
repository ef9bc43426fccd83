"""The plan: when each organisation passes the target gate, what decides that date, and what to do first.

The method is in docs/scheduling.md. The same arguments give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from types import MappingProxyType

from interlock.documents.timing import timed
from interlock.model.base import Scope
from interlock.model.errors import InterlockError
from interlock.model.finding import Finding
from interlock.model.forecast import DateChance, OrgForecast
from interlock.model.gap_graph import GapGraph
from interlock.model.organization import Organization
from interlock.model.plan import Plan, PlanTask
from interlock.model.rule import RoutineTask, Rule
from interlock.model.text import plain
from interlock.plan import network
from interlock.plan.calendar import WorkingCalendar
from interlock.plan.dependencies import with_stated_freezes
from interlock.plan.drivers import tornado
from interlock.plan.environments import cost, within_windows
from interlock.plan.first import Ranking, rank_unknowns
from interlock.plan.network import Bools, Floats
from interlock.plan.notes import most_likely_words, notes
from interlock.plan.options import PlanOptions
from interlock.plan.sampling import Sampler
from interlock.plan.simulation import MAX_CELLS, Comparison, Simulation, latest, simulate
from interlock.plan.spread import spread
from interlock.plan.tasks import collect

#: Slack in days when a run is compared with the most-likely path: rounding of 32-bit sums.
_SLACK = 1e-3
#: Days that the list may keep for work that somebody was lent to: a wait for what stands before them counts.
_LENT = 10.0
#: A wait for another organisation in fewer runs than this is not told.
_LEAST_WAIT = 0.05


@timed("plan")
def make_plan(
    graph: GapGraph,
    rules: Mapping[str, Rule],
    ruleset_tasks: Sequence[RoutineTask],
    findings: Sequence[Finding],
    organizations: Sequence[Organization],
    options: PlanOptions,
    argue: Mapping[str, str] = MappingProxyType({}),
) -> Plan:
    """Simulate the work that the target gate needs, and say what decides the date.

    :param argue: keys of the findings that the verdict puts first, each with a sentence that says why.
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
        spread=spread(simulation, on_path),
        notes=notes(simulation, options, finish, none, every, {org.id: plain(org.name, 60) for org in organizations}),
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
                waits=_waits(simulation, org, own),
            )
        )
    return tuple(forecasts), criticality


def _waits(simulation: Simulation, org: str, on_path: Mapping[int, Bools]) -> dict[str, float]:
    """Another organisation → the share of runs in which this one's finish waits for our people's work there.

    :param on_path: of this organisation's tasks, in which runs each is critical for its finish.
    """
    work, times, timing = simulation.work, simulation.times, simulation.timing
    arcs, lent = timing.arcs, {row for row, most in timing.patience.items() if not most}
    elsewhere: dict[str, Bools] = {}
    for row, runs in on_path.items():
        firsts = list(arcs.before.get(row, ()))
        for first in firsts:
            if first in lent:
                # Its work is done earlier: whoever stands before its days in the list is waited for.
                firsts += [before for before in arcs.before.get(first, ()) if before not in firsts]
                continue
            other = work.tasks[first].org
            if other is None or other == org or first not in times.released:
                continue
            ready = latest(times.finishes, work.before[row], simulation.sampler.runs)
            start = times.starts[row]
            through = any(row_before in lent for row_before in arcs.before.get(row, ()))
            last = times.released[first] >= start - _SLACK - (_LENT if through else 0.0)
            held = runs & last & (start > ready + _SLACK)
            elsewhere[other] = elsewhere[other] | held if other in elsewhere else held
    shares = {other: round(float(runs.mean()), 3) for other, runs in elsewhere.items()}
    return {other: share for other, share in sorted(shares.items(), key=lambda each: -each[1]) if share >= _LEAST_WAIT}


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


def _tasks(simulation: Simulation, criticality: Sequence[float]) -> tuple[PlanTask, ...]:
    work, times = simulation.work, simulation.times
    if not work.tasks:
        return ()
    (starts,), (finishes, late) = network.quantiles(times.starts, 0.5), network.quantiles(times.finishes, 0.5, 0.8)
    return tuple(
        PlanTask.trusted(
            id=task.id,
            title=task.title,
            kind=task.kind,
            org=task.org,
            owner=task.owner,
            gate=task.gate,
            wave=work.wave[row],
            after=task.after,
            effort=task.effort,
            share_left=round(simulation.share_left(row), 3),
            lead_time=task.elapsed or task.lead_time,
            start_p50=0.0 if task.is_begun else round(float(starts[row]), 1),
            finish_p50=round(float(finishes[row]), 1),
            finish_p80=round(float(late[row]), 1),
            criticality=round(criticality[row], 3),
            queue_days=round(times.queued.get(row, 0.0), 1),
            shared_environment=task.shared_environment,
            chance=task.chance,
            progress=task.said,
            about=task.about,
        )
        for row, task in enumerate(work.tasks)
    )
