"""What to close first: a list to be worked from the top, each entry judged with all above it closed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from interlock.model import words
from interlock.model.base import Gate
from interlock.model.finding import SEVERITY_RANK, Finding, is_requirement, listed
from interlock.model.gap_graph import GapGraph, GapNode
from interlock.model.plan import FirstThing
from interlock.model.rule import Rule
from interlock.model.text import plain
from interlock.plan.sampling import effort_estimate, pert_mean
from interlock.plan.simulation import Comparison, Simulation
from interlock.plan.tasks import Task, Work

#: How many are shown.
TOP = 5
#: Most candidates compared for the first entry and for each later one; bounds the time of huge fleets.
_CANDIDATES, _LATER = 60, 20
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


class _Unlocks:
    """Requirement sets (organisation × gate), and the nodes that are open in each."""

    def __init__(self, graph: GapGraph, rules: Mapping[str, Rule], has_organizations: bool) -> None:
        self._open: dict[tuple[str, Gate], set[str]] = {}
        self._sets_of: dict[str, list[tuple[str, Gate]]] = {}
        for node in graph.nodes:
            if is_requirement(rules[node.rule]):
                for org in node.orgs if has_organizations else ("",):
                    self._open.setdefault((org, node.gate), set()).add(node.key)
                    self._sets_of.setdefault(node.key, []).append((org, node.gate))

    def by(self, key: str) -> int:
        """Sets in which this node is the only one open."""
        return sum(len(self._open[required]) == 1 for required in self._sets_of.get(key, ()))

    def close(self, key: str) -> None:
        """Take a node out of its sets."""
        for required in self._sets_of.get(key, ()):
            self._open[required].discard(key)


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
    row_of = simulation.work.row_of
    nodes = {row_of[node.key]: node for node in graph.nodes if node.key in row_of}
    unlocks = _Unlocks(graph, rules, bool(simulation.orgs))
    by_key = {finding.key: finding for finding in findings}
    chosen: dict[int, None] = {}
    together = 0.0
    things: list[FirstThing] = []
    while len(things) < TOP:
        rows = _startable(simulation.work, nodes, chosen, criticality)[: _LATER if chosen else _CANDIDATES]
        if not rows:
            break
        savings = map(comparison.saved, comparison.closed([[*chosen, row] for row in rows]))
        candidates = [
            _candidate(row, nodes[row], simulation.work.tasks[row], saved - together, unlocks, criticality[row])
            for row, saved in zip(rows, savings, strict=True)
        ]
        best = min(candidates, key=lambda candidate: candidate.order)
        because = _because(best, bool(chosen), _holding(simulation.work, best, chosen, criticality))
        chosen[best.row] = None
        unlocks.close(best.node.key)
        [closed] = comparison.closed([chosen])
        together = comparison.saved(closed)
        through = max(0.0, plan_p80 - comparison.p80(None) + comparison.p80(None, closed))
        date = simulation.calendar.date_of(round(through, 1)).isoformat()
        task = simulation.work.tasks[best.row]
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


def _startable(
    work: Work, nodes: Mapping[int, GapNode], chosen: Mapping[int, None], criticality: Sequence[float]
) -> list[int]:
    """Rows that wait for nothing but what is chosen, those that are most often critical first."""
    rows = [row for row in nodes if row not in chosen and all(first in chosen for first in work.before[row])]
    return sorted(rows, key=lambda row: (-criticality[row], -nodes[row].blocks, nodes[row].key))


def _candidate(row: int, node: GapNode, task: Task, saved: float, unlocks: _Unlocks, criticality: float) -> _Candidate:
    # Times have 32 bits: less than this is rounding.
    saved = saved if abs(saved) > 1e-3 else 0.0
    return _Candidate(node, row, saved, person_days(task), unlocks.by(node.key), round(criticality, 3))


def person_days(task: Task) -> float:
    """Mean effort, at least a quarter of a day."""
    return max(LEAST_PERSON_DAYS, pert_mean(effort_estimate(task.effort)))


def _holding(
    work: Work, candidate: _Candidate, chosen: Mapping[int, None], criticality: Sequence[float]
) -> Task | None:
    """What keeps the date while this is closed: the most critical other task that could start, at its organisations."""
    rows: Iterable[int] = range(len(work.tasks))
    if candidate.node.orgs:
        rows = {row for org in candidate.node.orgs[:50] for row in work.rows_of(org)}
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
