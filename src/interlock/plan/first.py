"""What to do first: gaps to close, unknowns to find out, and routine tasks to begin.

A list to be worked from the top, each entry judged with all above it done. What argues for the verdict comes first;
then what takes most days off the dates for a day of work; what takes none off by itself stands apart. One thing at
several organisations is one entry. Unknowns are also ranked by how much finding out narrows the date and the score.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from interlock.model import words
from interlock.model.base import Gate, Owner, RuleOutcome, Scope
from interlock.model.finding import SEVERITY_RANK, Finding, is_requirement, listed
from interlock.model.gap_graph import GapGraph, GapNode
from interlock.model.organization import Organization
from interlock.model.plan import FIND_OUT_WORDS, FirstThing, UnknownThing
from interlock.model.rule import Rule
from interlock.model.text import plain
from interlock.plan.sampling import effort_estimate, lead_estimate, pert_mean
from interlock.plan.simulation import Comparison, Simulation
from interlock.plan.tasks import Task, finding_out, probing
from interlock.plan.timing import CLOSED, PRESENT

#: How many are shown, of the list and of what stands apart.
TOP, APART = 5, 5
#: Most candidates compared for the first entry and for each later one; bounds the time of huge fleets.
_CANDIDATES, _LATER = 60, 20
#: Of a plan with more tasks than this, fewer are compared, and at least so many.
_SMALL, _LEAST = 500, 8
#: How many unknowns are shown, and how many are compared at most.
UNKNOWNS_SHOWN, _UNKNOWNS = 20, 60
#: Nothing takes nobody any time: the least effort that savings are divided by, in person-days. Judgement.
LEAST_PERSON_DAYS = 0.25
#: In a smaller share of runs nobody is told that the date waits for it.
_TOLD_CRITICAL = 0.05
#: Times have 32 bits: savings below this, in working days, are rounding.
_ROUNDING = 0.05


@dataclass(frozen=True)
class _Thing:
    """One thing to do, at one or several organisations, with what it brings beyond all that is chosen already.

    :ivar keys: of the tasks; ``rows`` are theirs.
    :ivar argues: why the verdict puts it first, as a sentence; empty when it does not.
    """

    keys: tuple[str, ...]
    rows: tuple[int, ...]
    task: Task
    severity: int
    argues: str
    saved: float
    person_days: float
    unlocks: int
    criticality: float

    @property
    def rate(self) -> float:
        return round(self.saved / max(LEAST_PERSON_DAYS, self.person_days), 2)

    @property
    def order(self) -> tuple[bool, float, int, float, int, str]:
        return (not self.argues, -self.rate, -self.unlocks, -self.criticality, self.severity, self.keys[0])


class Ranking:
    """Chooses the first things to do of one plan.

    Candidates are the gaps, unknowns and routine tasks that wait for nothing but what stands further up. Each is given
    no time, together with those further up, and the plan is timed again with the same random numbers.

    :param criticality: share of runs by row of ``simulation.work.tasks``.
    :param argue: keys of the findings that the verdict puts first, each with a sentence that says why.
    """

    def __init__(
        self,
        simulation: Simulation,
        comparison: Comparison,
        graph: GapGraph,
        rules: Mapping[str, Rule],
        findings: Sequence[Finding],
        criticality: Sequence[float],
        argue: Mapping[str, str],
    ) -> None:
        self._simulation, self._comparison, self._rules, self._criticality = simulation, comparison, rules, criticality
        self._nodes = {node.key: node for node in graph.nodes}
        self._findings = {finding.key: finding for finding in findings}
        self._argue = argue
        # For each organisation and gate, what is open.
        self._required: dict[tuple[str, Gate], set[str]] = defaultdict(set)
        for node in graph.nodes:
            if is_requirement(rules[node.rule]):
                for org in node.orgs if simulation.orgs else ("",):
                    self._required[org, node.gate].add(node.key)
        self._chosen: dict[int, int] = {}  # row → number in the list
        self._now = comparison  # with what is chosen taken out

    def chosen(self, plan_p80: float) -> tuple[tuple[FirstThing, ...], tuple[FirstThing, ...]]:
        """The first things to do, and apart from them what passes a gate or is critical and saves nothing by itself.

        What argues for the verdict comes first, then what takes most days off the P80s for a person-day, then most
        gates passed, then what is most often critical. Ties go to the graver severity, then to the key.

        :param plan_p80: P80 of the whole plan in all runs, in working days.
        """
        first: list[FirstThing] = []
        apart: list[_Thing] = []
        while len(first) < TOP:
            things = sorted(self._candidates(), key=lambda thing: thing.order)
            useful = [thing for thing in things if thing.argues or thing.saved > 0]
            if not first:
                apart = [thing for thing in things if thing not in useful and (thing.unlocks or thing.criticality > 0)]
            if not useful:
                break
            first.append(self._take(useful[0], plan_p80))
        taken = {key for thing in first for key in thing.keys}
        rest = [thing for thing in apart if taken.isdisjoint(thing.keys)][:APART]
        return tuple(first), tuple(map(self._told, rest))

    def _candidates(self) -> list[_Thing]:
        work, chosen, totals = self._simulation.work, self._chosen, self._simulation.durations.total
        groups: dict[str, list[int]] = defaultdict(list)
        behind = set(chosen)  # what is chosen, and what is done behind it
        for row, task in enumerate(work.tasks):
            waits = not task.is_begun and any(first not in behind for first in work.before[row])
            if task.is_done and not waits:
                behind.add(row)
            elif row not in chosen and not waits and task.chance is None and totals[row].any():
                groups[_group(task)].append(row)
        ranked = sorted(groups.values(), key=lambda rows: (not self._argues(rows), -self._critical(rows), rows[0]))
        most = _LATER if chosen else _CANDIDATES
        compared = ranked[: max(_LEAST, min(most, most * _SMALL // max(1, len(totals))))]
        saved = self._now.savings([dict.fromkeys(rows, CLOSED) for rows in compared])
        return [self._thing(*each) for each in zip(compared, saved, strict=True)]

    def _thing(self, rows: list[int], saved: float) -> _Thing:
        tasks = [self._simulation.work.tasks[row] for row in rows]
        keys = tuple(task.id for task in tasks)
        node = self._nodes.get(keys[0])
        return _Thing(
            keys=keys,
            rows=tuple(rows),
            task=tasks[0],
            severity=SEVERITY_RANK[node.severity] if node else len(SEVERITY_RANK),
            argues=self._argues(rows),
            saved=saved if abs(saved) > _ROUNDING else 0.0,
            person_days=_person_days(*tasks),
            unlocks=sum(bool(keys_open) and keys_open <= set(keys) for keys_open in self._required.values()),
            criticality=round(self._critical(rows), 3),
        )

    def _critical(self, rows: Iterable[int]) -> float:
        return max(self._criticality[row] for row in rows)

    def _argues(self, rows: Iterable[int]) -> str:
        names = (self._simulation.work.tasks[row].id.removeprefix(finding_out("")) for row in rows)
        return next((self._argue[name] for name in names if name in self._argue), "")

    def _take(self, thing: _Thing, plan_p80: float) -> FirstThing:
        above = max(self._chosen.values(), default=0)
        told = self._told(thing, again=above > 0)
        self._chosen.update(dict.fromkeys(thing.rows, above + 1))
        for keys in self._required.values():
            keys.difference_update(thing.keys)
        self._now = self._now.without(thing.rows)
        through = max(0.0, plan_p80 - self._comparison.p80(None) + self._now.p80(None))
        date = self._simulation.calendar.date_of(round(through, 1)).isoformat()
        saved = self._now.saved_since(self._comparison)
        together = {org: round(days, 1) for org, days in saved.items() if org is not None and round(days, 1) > 0}
        return told.model_copy(
            update={
                "together_days": round(sum(saved.values()), 1),
                "together_p80_date": date,
                "together_orgs": together,
            }
        )

    def _told(self, thing: _Thing, *, again: bool = False) -> FirstThing:
        tasks = [self._simulation.work.tasks[row] for row in thing.rows]
        return FirstThing(
            key=thing.keys[0] if len(thing.keys) == 1 else _group(thing.task),
            keys=thing.keys,
            orgs=tuple(task.org for task in tasks if task.org is not None),
            title=thing.task.title if len(tasks) == 1 else _shared_title(thing.task),
            kind=thing.task.kind,
            owner=thing.task.owner,
            action=self._action(thing),
            argues=bool(thing.argues),
            p80_days_saved_per_person_day=thing.rate,
            unlocks=thing.unlocks,
            criticality=thing.criticality,
            because=_because(thing, again),
            p80_days_saved=round(thing.saved, 1),
        )

    def _above(self, rows: Iterable[int]) -> Iterator[int]:
        """The numbers in the list of what these tasks wait for and stands above them."""
        work, known, look = self._simulation.work, set(rows), list(rows)
        while look:
            for first in work.before[look.pop()]:
                if first in self._chosen:
                    yield self._chosen[first]
                elif first not in known:
                    known.add(first)
                    look.append(first)

    def _action(self, thing: _Thing) -> str:
        """What to do: a gap's remediation, whom or what to ask, whom to probe, or to begin."""
        node = self._nodes.get(thing.keys[0])
        if node is not None:
            return plain(self._rules[node.rule].remediation.text, 500)
        orgs = [org for row in thing.rows if (org := self._simulation.work.tasks[row].org) is not None]
        if thing.keys[0].startswith(probing("")):
            return _probe(orgs)
        if thing.task.kind == "discovery":
            findings = [self._findings.get(key.removeprefix(finding_out(""))) for key in thing.keys]
            return _find_out_words([finding for finding in findings if finding is not None])
        if thing.task.said is not None and thing.task.said.begun:
            return f"It began on {words.iso_day(thing.task.said.begun)}: see it through."
        above = [f"number {rank}" for rank in sorted(set(self._above(thing.rows)))]
        free = f"it waits for nothing{f' but {words.listed(above, len(above))} above' if above else ''}"
        if thing.task.owner is Owner.US:
            return f"Begin it: {free}."
        return f"Ask {words.OWNER[thing.task.owner].phrase} to begin it: {free}, and nobody begins unasked."


def _because(thing: _Thing, again: bool) -> str:
    saved = round(thing.saved, 1)
    gains = []
    if saved > 0:
        gains.append(f"save {'another ' if again else ''}{words.days(saved)}")
    if thing.unlocks:
        gains.append(f"pass {words.count(thing.unlocks, 'gate')}")
    if saved <= 0:
        gains.append("save no day by itself, because other work takes longer beside it")
    several = "one of its organisations" if len(thing.rows) > 1 else "its organisation"
    which = "The last date of all" if thing.task.org is None else f"The date of {several}"
    share = words.share(thing.criticality)
    waits = f" {which} waits for it in {share} of runs." if thing.criticality >= _TOLD_CRITICAL else ""
    reason = f"{thing.argues} " if thing.argues else ""
    effort = f"{_effort(thing.person_days, thing.task)}. " if thing.task.effort is not None else ""
    return f"{reason}{effort}Were it done already, that would {listed(gains)}.{waits}"


def _effort(person_days: float, task: Task) -> str:
    """What it costs whom."""
    whose = "ours" if task.owner is Owner.US else "theirs"
    return f"About {words.person_days(person_days)} of {whose}"


def _group(task: Task) -> str:
    """What several organisations' tasks have in common that are one thing to do."""
    return "probe" if task.id.startswith(probing("")) else task.id.partition("@")[0]


def _shared_title(task: Task) -> str:
    return "Probe the organisations that nobody has looked at" if _group(task) == "probe" else task.title


def _find_out_words(findings: Sequence[Finding]) -> str:
    """Whom or what to ask about something that is not decided, at one or several organisations."""
    answers = list(dict.fromkeys(name for finding in findings for name in finding.missing_answers))
    facts = any(finding.missing_facts for finding in findings)
    asked = [f"answer {listed(answers)}"] if answers else []
    asked += ["probe again, or ask the organisation"] if facts else []
    return f"Find out first: {', and '.join(asked) or findings[0].message}"


def _probe(orgs: Sequence[str]) -> str:
    return f"Run: interlock probe {' '.join(f'--org {org}' for org in orgs)}"


def _person_days(*tasks: Task) -> float:
    """Mean effort of all together."""
    return sum(task.effort.mean for task in tasks if task.effort is not None)


def rank_unknowns(
    simulation: Simulation,
    comparison: Comparison,
    graph: GapGraph,
    rules: Mapping[str, Rule],
    findings: Sequence[Finding],
    organizations: Sequence[Organization],
) -> tuple[UnknownThing, ...]:
    """Unknowns of the plan, those first whose answer narrows most for a person-day of asking.

    The date hangs on an unknown by as much as the P80s move between its being a gap and its being none; the score by
    the width that its weight holds open. The order is days of P80 per person-day, then points per person-day, then the
    key.
    """
    row_of = simulation.work.row_of
    nodes = [node for node in graph.nodes if node.kind == "discovery" and node.key in row_of]
    points = _score_points(nodes, rules, findings, organizations)
    by_key = {finding.key: finding for finding in findings}
    # Those with most to lose are compared; what waits longest to be closed can move the date furthest.
    nodes.sort(key=lambda node: (-_remediation_days(rules[node.rule]), -points[node.key], node.key))

    nodes = nodes[:_UNKNOWNS]
    sides = [{row_of[node.key]: change} for node in nodes for change in (CLOSED, PRESENT)]
    saved = comparison.savings(sides)
    things = [
        _thing(node, _asking(simulation, node), max(0.0, none - gap), points[node.key], by_key[node.key])
        for node, none, gap in zip(nodes, saved[::2], saved[1::2], strict=True)
    ]

    def order(thing: UnknownThing) -> tuple[float, float, str]:
        asking = max(LEAST_PERSON_DAYS, thing.person_days)
        return -thing.p80_days / asking, -thing.score_points / asking, thing.key

    things.sort(key=order)
    return tuple(things[:UNKNOWNS_SHOWN])


def _asking(simulation: Simulation, node: GapNode) -> Task:
    """The task that finds it out: one of its own, or the organisation's probe."""
    row_of = simulation.work.row_of
    name = finding_out(node.key)
    return simulation.work.tasks[row_of[name if name in row_of else probing(node.subject.id)]]


def _remediation_days(rule: Rule) -> float:
    remediation = rule.remediation
    return pert_mean(effort_estimate(remediation.effort)) + pert_mean(lead_estimate(remediation.lead_time))


def _thing(node: GapNode, task: Task, at_stake: float, points: float, finding: Finding) -> UnknownThing:
    effort, stake = _person_days(task), round(at_stake, 1)
    date = f"adds {words.days(stake)}" if stake else "moves no date"
    return UnknownThing(
        key=node.key,
        title=f"{FIND_OUT_WORDS}{node.title}",
        owner=task.owner,
        action=_probe([node.subject.id]) if task.id == probing(node.subject.id) else _find_out_words([finding]),
        person_days=round(effort, 2),
        score_points=round(points, 1),
        p80_days=stake,
        because=f"{_effort(effort, task)} to find out. A bad answer {date}; until there is one, it leaves "
        f"{points:.1f} points of the score open.",
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
