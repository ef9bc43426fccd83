"""Unknowns as work: each ranked by how much finding out narrows the date and the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from interlock.model import words
from interlock.model.base import RuleOutcome, Scope
from interlock.model.finding import Finding, by_vendor, is_requirement
from interlock.model.gap_graph import GapGraph, GapNode
from interlock.model.organization import Organization
from interlock.model.plan import Quantiles, UnknownThing
from interlock.model.rule import Rule
from interlock.plan.first import action, person_days
from interlock.plan.network import Floats
from interlock.plan.sampling import effort_estimate, lead_estimate, pert_mean, sample
from interlock.plan.simulation import Comparison, Simulation, latest
from interlock.plan.tasks import Task
from interlock.plan.timing import Changed

#: How many are shown, and how many are compared at most.
SHOWN, _CANDIDATES = 20, 60


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
    points = _Points(rules, findings, organizations)
    by_key = {finding.key: finding for finding in findings}
    # Those with most to lose are compared; what waits longest to be closed can move the date furthest.
    nodes.sort(key=lambda node: (-_remediation_days(rules[node.rule]), -points.of(node), node.key))
    nodes = nodes[:_CANDIDATES]
    moved = map(comparison.saved, comparison.longer([{row_of[node.key]: gaps[row_of[node.key]]} for node in nodes]))
    things = [
        _thing(node, simulation.work.tasks[row_of[node.key]], max(0.0, -saved), points.of(node), rules, by_key)
        for node, saved in zip(nodes, moved, strict=True)
    ]
    things.sort(key=lambda t: (-t.p80_days / t.person_days, -t.score_points / t.person_days, t.key))
    return tuple(things[:SHOWN]), _if_all_are_gaps(simulation, comparison, gaps)


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
    [changed] = comparison.longer([gaps])
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


class _Points:
    """What one finding's weight is worth in points of the scores that it is part of (docs/scoring.md)."""

    def __init__(
        self, rules: Mapping[str, Rule], findings: Sequence[Finding], organizations: Sequence[Organization]
    ) -> None:
        self._rules = rules
        self._orgs_of = by_vendor(organizations)
        self._vendor_of = {organization.id: organization.vendor for organization in organizations}
        self._weights: dict[tuple[Scope, str], float] = {}
        for finding in findings:
            rule = rules[finding.rule]
            if is_requirement(rule) and finding.outcome is not RuleOutcome.NOT_APPLICABLE:
                subject = (finding.subject.scope, finding.subject.id)
                self._weights[subject] = self._weights.get(subject, 0.0) + rule.score_weight

    def of(self, node: GapNode) -> float:
        """Points of interval that this node holds open, summed over the scores that it is part of."""
        scope, name = node.subject.scope, node.subject.id
        weight = self._rules[node.rule].score_weight
        if scope is Scope.PRODUCT:
            totals = [self._weights[Scope.PRODUCT, ""]]
        else:
            orgs = self._orgs_of.get(name, ()) if scope is Scope.VENDOR else (name,)
            totals = [
                self._weights.get((Scope.VENDOR, self._vendor_of[org]), 0.0) + self._weights.get((Scope.ORG, org), 0.0)
                for org in orgs
            ]
        return sum(100.0 * weight / total for total in totals if total)
