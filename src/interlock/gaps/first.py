"""What to close first: what each startable gap would take off the forecast if it were closed today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from interlock.documents.text import plain
from interlock.gaps import network
from interlock.gaps.network import Floats
from interlock.gaps.sampling import effort_estimate, pert_mean
from interlock.gaps.subjects import SEVERITY_RANK, is_requirement
from interlock.gaps.tasks import Task, Work
from interlock.gaps.wording import count, days, listed
from interlock.model.assessment import FirstThing, GapGraph, GapNode
from interlock.model.base import Gate
from interlock.model.finding import Finding
from interlock.model.organization import Organization
from interlock.model.rule import Rule

#: How many are shown.
TOP = 5
#: Runs used to compare; the same for every candidate, so differences are not luck.
_RUNS = 2_000
#: Most cells (tasks × runs) compared at once for one candidate, and most candidates; bounds the time of huge fleets.
_CELLS = 2_000_000
_CANDIDATES = 200
#: Nothing takes nobody any time: the least effort that savings are divided by, in person-days. Judgement.
_LEAST_PERSON_DAYS = 0.25


@dataclass(frozen=True)
class Simulation:
    """Times of every task in every run, shape (tasks, runs), in working days."""

    work: Work
    durations: Floats
    starts: Floats
    finishes: Floats


@dataclass(frozen=True, slots=True)
class _Candidate:
    node: GapNode
    row: int
    saved: float
    person_days: float
    unlocks: int
    criticality: float

    @property
    def rate(self) -> float:
        return round(self.saved / self.person_days, 2)


def rank(
    simulation: Simulation,
    graph: GapGraph,
    rules: Mapping[str, Rule],
    findings: Sequence[Finding],
    organizations: Sequence[Organization],
    criticality: Sequence[float],
) -> tuple[FirstThing, ...]:
    """The first things to do: most days off the P80 per person-day, then most gates passed, then most often critical.

    Candidates are gaps and unknowns of the plan that wait for nothing. Each is given no time and the critical path is
    run again with the same random numbers; the days saved are summed over the organisations' own P80 (the plan's, when
    there are no organisations). Ties go to the worse severity, then to the key.

    :param criticality: share of runs by row of ``simulation.work.tasks``.
    """
    startable = {task.id: row for row, task in enumerate(simulation.work.tasks) if not simulation.work.before[row]}
    unlocks = _unlocks(graph, rules, bool(organizations))
    nodes = [node for node in graph.nodes if node.key in startable]
    nodes.sort(key=lambda node: (-criticality[startable[node.key]], -node.blocks, node.key))
    what_if = _WhatIf(simulation, [organization.id for organization in organizations])
    candidates = []
    for node in nodes[:_CANDIDATES]:
        row = startable[node.key]
        task = simulation.work.tasks[row]
        person_days = max(_LEAST_PERSON_DAYS, pert_mean(effort_estimate(task.effort, 1.0)))
        saved = what_if.saved(row)
        candidates.append(
            _Candidate(node, row, saved, person_days, unlocks.get(node.key, 0), round(criticality[row], 3))
        )
    candidates.sort(key=lambda c: (-c.rate, -c.unlocks, -c.criticality, SEVERITY_RANK[c.node.severity], c.node.key))
    by_key = {finding.key: finding for finding in findings}
    tasks = simulation.work.tasks
    return tuple(_thing(c, tasks[c.row], rules[c.node.rule], by_key.get(c.node.key)) for c in candidates[:TOP])


class _WhatIf:
    """Forecasts with one task closed, compared with the same runs as they were."""

    def __init__(self, simulation: Simulation, orgs: Sequence[str]) -> None:
        work = simulation.work
        runs = min(_RUNS, max(100, _CELLS // max(1, len(work.tasks))))
        self._work = work
        self._durations = simulation.durations[:, :runs]
        self._starts = simulation.starts[:, :runs]
        self._finishes = simulation.finishes[:, :runs]
        self._ends: dict[str, list[int]] = {}
        self._ends_at: dict[int, list[str]] = {}
        for org in orgs or [""]:
            rows = work.rows_of(org) if orgs else list(range(len(work.tasks)))
            inside = set(rows)
            self._ends[org] = [row for row in rows if inside.isdisjoint(work.after[row])]
            for row in self._ends[org]:
                self._ends_at.setdefault(row, []).append(org)
        self._p80 = {org: self._forecast(org, {}) for org in self._ends}

    def saved(self, row: int) -> float:
        """Working days off the P80, summed over the organisations, if this task took no time."""
        later = network.downstream(self._work.after, row)
        changed = network.without(self._work.before, later, self._starts, self._finishes, self._durations, row)
        orgs = dict.fromkeys(org for end in changed for org in self._ends_at.get(end, ()))
        return sum(self._p80[org] - self._forecast(org, changed) for org in orgs)

    def _forecast(self, org: str, changed: Mapping[int, Floats]) -> float:
        rows = [changed[end] if end in changed else self._finishes[end] for end in self._ends[org]]
        if not rows:
            return 0.0
        return network.quantile(np.maximum.reduce(rows), 0.8)


def _unlocks(graph: GapGraph, rules: Mapping[str, Rule], has_organizations: bool) -> dict[str, int]:
    """Requirement sets (organisation × gate) in which a node is the only one that is not met."""
    open_in: dict[tuple[str, Gate], list[str]] = {}
    for node in graph.nodes:
        if is_requirement(rules[node.rule]):
            for org in node.orgs if has_organizations else ("",):
                open_in.setdefault((org, node.gate), []).append(node.key)
    unlocks: dict[str, int] = {}
    for keys in open_in.values():
        if len(keys) == 1:
            unlocks[keys[0]] = unlocks.get(keys[0], 0) + 1
    return unlocks


def _thing(candidate: _Candidate, task: Task, rule: Rule, finding: Finding | None) -> FirstThing:
    return FirstThing(
        key=candidate.node.key,
        title=task.title,
        owner=task.owner,
        action=_action(candidate.node, rule, finding),
        p80_days_saved_per_person_day=candidate.rate,
        unlocks=candidate.unlocks,
        criticality=candidate.criticality,
        because=_because(candidate),
    )


def _action(node: GapNode, rule: Rule, finding: Finding | None) -> str:
    if node.kind == "gap" or finding is None:
        return plain(rule.remediation.text, 500)
    parts = []
    if finding.missing_answers:
        parts.append(f"answer {listed(finding.missing_answers)}")
    if finding.missing_facts:
        parts.append(f"probe again, or ask the organisation, for {listed(finding.missing_facts)}")
    return f"Find out first: {' and '.join(parts) or node.message}"


def _because(candidate: _Candidate) -> str:
    saved = round(candidate.saved, 1)
    orgs = len(candidate.node.orgs)
    over = f" over {orgs:,} organisations" if orgs > 1 else ""
    effort = f"{candidate.person_days:.2g} person-{'day' if candidate.person_days == 1 else 'days'}"
    gain = f"takes {days(saved)} off the P80{over}" if saved > 0 else "takes nothing off the P80 by itself"
    gates = f"passes {count(candidate.unlocks, 'gate')} alone" if candidate.unlocks else "passes no gate alone"
    path = f"lies on the critical path in {100 * candidate.criticality:.0f} % of runs"
    return f"About {effort} of work; closing it {gain}, {gates}, and it {path}."
