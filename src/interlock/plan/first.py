"""What to do first: gaps to close, and unknowns to find out.

Gaps and unknowns to close are a list to be worked from the top, each entry judged with all above it closed. Unknowns as
work are ranked by how much finding out narrows the date and the score.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from interlock.model import words
from interlock.model.base import Gate, RuleOutcome, Scope
from interlock.model.finding import SEVERITY_RANK, Finding, is_requirement, listed
from interlock.model.gap_graph import GapGraph, GapNode
from interlock.model.organization import Organization
from interlock.model.plan import FirstThing, Quantiles, UnknownThing
from interlock.model.rule import Rule
from interlock.model.text import plain
from interlock.plan.network import Floats
from interlock.plan.sampling import effort_estimate, lead_estimate, pert_mean, sample
from interlock.plan.simulation import Changed, Comparison, Simulation, latest
from interlock.plan.tasks import Task, Work

#: How many are shown.
TOP = 5
#: Most candidates compared for the first entry and for each later one; bounds the time of huge fleets.
_CANDIDATES, _LATER = 60, 20
#: How many unknowns are shown, and how many are compared at most.
UNKNOWNS_SHOWN, _UNKNOWNS = 20, 60
#: Nothing takes nobody any time: the least effort that savings are divided by, in person-days. Judgement.
LEAST_PERSON_DAYS = 0.25


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

    @property
    def order(self) -> tuple[float, int, float, int, str]:
        return (-self.rate, -self.unlocks, -self.criticality, SEVERITY_RANK[self.node.severity], self.node.key)


def rank(
    simulation: Simulation,
    comparison: Comparison,
    graph: GapGraph,
    rules: Mapping[str, Rule],
    findings: Sequence[Finding],
    criticality: Sequence[float],
    plan_p80: float,
) -> tuple[FirstThing, ...]:
    """The first things to do: most days off the P80 per person-day, then most gates passed, then most often critical.

    Candidates are gaps and unknowns of the plan that wait for nothing that is not further up in the list. Each is given
    no time, together with those further up, and the plan is timed again with the same random numbers. Ties go to the
    worse severity, then to the key.

    :param criticality: share of runs by row of ``simulation.work.tasks``.
    :param plan_p80: P80 of the whole plan in all runs, in working days.
    """
    work, row_of = simulation.work, simulation.work.row_of
    nodes = {row_of[node.key]: node for node in graph.nodes if node.key in row_of}
    # For each organisation and gate, what is open.
    required: dict[tuple[str, Gate], set[str]] = defaultdict(set)
    for node in graph.nodes:
        if is_requirement(rules[node.rule]):
            for org in node.orgs if simulation.orgs else ("",):
                required[org, node.gate].add(node.key)
    by_key = {finding.key: finding for finding in findings}
    chosen: dict[int, None] = {}
    together = 0.0
    things: list[FirstThing] = []
    while len(things) < TOP:
        # What waits for nothing but what is chosen, most often critical first.
        rows = [row for row in nodes if row not in chosen and all(first in chosen for first in work.before[row])]
        rows.sort(key=lambda row: (-criticality[row], -nodes[row].blocks, nodes[row].key))
        rows = rows[: _LATER if chosen else _CANDIDATES]
        if not rows:
            break
        savings = map(comparison.saved, comparison.closed([[*chosen, row] for row in rows]))
        candidates = [
            _Candidate(
                node=nodes[row],
                row=row,
                # Times have 32 bits: less than this is rounding.
                saved=saved - together if abs(saved - together) > 1e-3 else 0.0,
                person_days=person_days(work.tasks[row]),
                unlocks=sum(keys == {nodes[row].key} for keys in required.values()),
                criticality=round(criticality[row], 3),
            )
            for row, saved in zip(rows, savings, strict=True)
        ]
        best = min(candidates, key=lambda candidate: candidate.order)
        because = _because(best, bool(chosen), _holding(work, best, chosen, criticality))
        chosen[best.row] = None
        for keys in required.values():
            keys.discard(best.node.key)
        [closed] = comparison.closed([chosen])
        together = comparison.saved(closed)
        through = max(0.0, plan_p80 - comparison.p80(None) + comparison.p80(None, closed))
        date = simulation.calendar.date_of(round(through, 1)).isoformat()
        task = work.tasks[best.row]
        things.append(
            FirstThing(
                key=best.node.key,
                title=task.title,
                owner=task.owner,
                action=action(best.node, rules[best.node.rule], by_key.get(best.node.key)),
                p80_days_saved_per_person_day=best.rate,
                unlocks=best.unlocks,
                criticality=best.criticality,
                because=because,
                p80_days_saved=round(best.saved, 1),
                together_days=round(together, 1),
                together_p80_date=date,
            )
        )
    return tuple(things)


def person_days(task: Task) -> float:
    """Mean effort, at least a quarter of a day."""
    return max(LEAST_PERSON_DAYS, pert_mean(effort_estimate(task.effort)))


def _holding(
    work: Work, candidate: _Candidate, chosen: Mapping[int, None], criticality: Sequence[float]
) -> Task | None:
    """What keeps the date while this is closed: the most critical other task that could start, at its organisations."""
    rows: Iterable[int] = range(len(work.tasks))
    if candidate.node.orgs:
        rows = {row for org in candidate.node.orgs[:50] for row in work.rows_of[org]}
    free = [row for row in rows if row != candidate.row and row not in chosen and not work.before[row]]
    best = max(sorted(free), key=lambda row: criticality[row], default=None)
    return None if best is None or criticality[best] < 0.01 else work.tasks[best]


def action(node: GapNode, rule: Rule, finding: Finding | None) -> str:
    """What to do about a gap: its remediation; about an unknown: whom or what to ask."""
    if node.kind == "gap" or finding is None:
        return plain(rule.remediation.text, 500)
    asked = []
    if finding.missing_answers:
        asked.append(f"answer {listed(finding.missing_answers)}")
    if finding.missing_facts:
        asked.append(f"probe again, or ask the organisation, for {listed(finding.missing_facts)}")
    return f"Find out first: {' and '.join(asked) or node.message}"


def _because(candidate: _Candidate, later: bool, holding: Task | None) -> str:
    saved = round(candidate.saved, 1)
    orgs = len(candidate.node.orgs)
    over = f" over {orgs:,} organisations" if orgs > 1 else ""
    more = "another " if later and saved > 0 else ""
    if saved > 0:
        gain = f"takes {more}{words.days(saved)} off the P80{over}"
    else:
        gain = "takes nothing off the P80 by itself"
        gain += f", because {plain(holding.id, 120)} takes longer beside it" if holding else ""
    how = "with those above" if later else "alone"
    gates = f"passes {words.count(candidate.unlocks, 'gate')} {how}" if candidate.unlocks else f"passes no gate {how}"
    path = f"lies on the critical path in {words.share(candidate.criticality)} of runs"
    return f"About {words.person_days(candidate.person_days)} of work; closing it {gain}, {gates}, and it {path}."


def rank_unknowns(
    simulation: Simulation,
    comparison: Comparison,
    graph: GapGraph,
    rules: Mapping[str, Rule],
    findings: Sequence[Finding],
    organizations: Sequence[Organization],
) -> tuple[tuple[UnknownThing, ...], Quantiles | None]:
    """Unknowns of the plan, those first whose answer narrows most for a person-day of asking.

    The date hangs on an unknown by as much as the P80s move out when, after the time to find out, its remediation is
    needed too; the score by the width that its weight holds open. The order is days of P80 per person-day, then points
    per person-day, then the key.

    :returns: the unknowns, and the plan's finish if every one of them turned out to be a gap (none without unknowns).
    """
    row_of = simulation.work.row_of
    nodes = [node for node in graph.nodes if node.kind == "discovery" and node.key in row_of]
    if not nodes:
        return (), None
    gaps = {row_of[node.key]: _as_gap(simulation, row_of[node.key], rules[node.rule]) for node in nodes}
    points = _score_points(nodes, rules, findings, organizations)
    by_key = {finding.key: finding for finding in findings}
    # Those with most to lose are compared; what waits longest to be closed can move the date furthest.
    nodes.sort(key=lambda node: (-_remediation_days(rules[node.rule]), -points[node.key], node.key))
    nodes = nodes[:_UNKNOWNS]
    changes = [{row_of[node.key]: gaps[row_of[node.key]]} for node in nodes]
    moved = map(comparison.saved, comparison.changed(changes, never_later=False))
    things = [
        _thing(node, simulation.work.tasks[row_of[node.key]], max(0.0, -saved), points[node.key], rules, by_key)
        for node, saved in zip(nodes, moved, strict=True)
    ]
    things.sort(key=lambda t: (-t.p80_days / t.person_days, -t.score_points / t.person_days, t.key))
    return tuple(things[:UNKNOWNS_SHOWN]), _if_all_are_gaps(simulation, comparison, gaps)


def _as_gap(simulation: Simulation, row: int, rule: Rule) -> Changed:
    """The discovery's own time and then that of the remediation, with the same luck."""
    task, durations = simulation.work.tasks[row], simulation.times.durations
    remediation = rule.remediation
    closing = replace(task, owner=remediation.owner, effort=remediation.effort, lead_time=remediation.lead_time)
    levelled = row in durations.touch
    drawn = sample([closing], simulation.sampler, [1.0], frozenset({0}) if levelled else frozenset())
    touch: Floats | None = None
    if levelled:
        touch = durations.touch[row] + (drawn.touch[0] if remediation.owner is task.owner else np.float32(0.0))
    return Changed(durations.total[row] + drawn.total[0], touch)


def _remediation_days(rule: Rule) -> float:
    remediation = rule.remediation
    return pert_mean(effort_estimate(remediation.effort)) + pert_mean(lead_estimate(remediation.lead_time))


def _if_all_are_gaps(simulation: Simulation, comparison: Comparison, gaps: Mapping[int, Changed]) -> Quantiles:
    [changed] = comparison.changed([gaps], never_later=False)
    finishes = {
        row: changed.get(row, simulation.times.finishes[row][: comparison.runs]) for row in simulation.ends[None]
    }
    return simulation.quantiles(latest(finishes, simulation.ends[None], comparison.runs))


def _thing(
    node: GapNode,
    task: Task,
    at_stake: float,
    points: float,
    rules: Mapping[str, Rule],
    findings: Mapping[str, Finding],
) -> UnknownThing:
    effort, stake = person_days(task), round(at_stake, 1)
    date = f"moves the P80 out by {words.days(stake)}" if stake else "does not move the P80 even"
    return UnknownThing(
        key=node.key,
        title=task.title,
        owner=task.owner,
        action=action(node, rules[node.rule], findings.get(node.key)),
        person_days=round(effort, 2),
        score_points=round(points, 1),
        p80_days=stake,
        because=f"About {words.person_days(effort)} to find out; it {date} if it is a gap, "
        f"and it holds {points:.1f} points of score open.",
    )


def _score_points(
    nodes: Iterable[GapNode],
    rules: Mapping[str, Rule],
    findings: Iterable[Finding],
    organizations: Iterable[Organization],
) -> dict[str, float]:
    """Points of interval that each node holds open, summed over the scores that it is part of (docs/scoring.md)."""
    weights: dict[tuple[Scope, str], float] = defaultdict(float)
    for finding in findings:
        rule = rules[finding.rule]
        if is_requirement(rule) and finding.outcome is not RuleOutcome.NOT_APPLICABLE:
            weights[finding.subject.scope, finding.subject.id] += rule.score_weight
    total_of = {org.id: weights[Scope.VENDOR, org.vendor] + weights[Scope.ORG, org.id] for org in organizations}
    points = {}
    for node in nodes:
        product = node.subject.scope is Scope.PRODUCT
        totals = [weights[Scope.PRODUCT, ""]] if product else [total_of[org] for org in node.orgs]
        points[node.key] = sum(100.0 * rules[node.rule].score_weight / total for total in totals if total)
    return points
