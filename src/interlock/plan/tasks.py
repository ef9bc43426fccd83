"""The plan's tasks: every gap to close, every unknown to find out, and the routine tasks, in an order that can be run.

Only what the target gate needs is planned: requirements and routine tasks of gates up to it, and whatever they wait
for. Advice is not planned.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from types import MappingProxyType
from typing import Literal

import networkx as nx

from interlock.model import words
from interlock.model.base import GapClass, Gate, Grade, Owner, Scope, TaskState, VerdictValue
from interlock.model.finding import GATE_RANK, Finding, is_requirement
from interlock.model.gap_graph import GapGraph
from interlock.model.organization import Organization
from interlock.model.plan import FIND_OUT, FIND_OUT_WORDS
from interlock.model.postponed import last_postponing
from interlock.model.routine import TaskStatus
from interlock.model.rule import Effort, LeadTime, RoutineTask, Rule
from interlock.model.text import plain
from interlock.plan.dependencies import RoutineInstances, RoutineTasks, generations, key_at
from interlock.plan.postponed import postponing

#: Effort of finding out one thing by asking or reading, in person-days. Judgement.
DISCOVERY_EFFORT = Effort(low=0.25, expected=0.5, high=2.0)
#: How long somebody else takes to answer one question. Judgement.
ANSWER_TIME = LeadTime(
    low=1, expected=3, high=15, unit="working_days", source="judgement", grade=Grade.JUDGEMENT, as_of="2026-11-30"
)
#: Effort of finding something out by doing it there, and of trying what a routine task has done. Judgement.
TRIED_EFFORT = Effort(low=0.5, expected=1.0, high=4.0)
#: Effort of one probe, which settles all that it can show at once: minutes, and a look at what it says. Judgement.
PROBE_EFFORT = Effort(low=0.02, expected=0.05, high=0.25)


@dataclass(frozen=True, slots=True)
class Task:
    """One task before any time is given to it.

    :ivar org: the organisation, for organisation scope only.
    :ivar orgs: organisations whose finish waits for it.
    :ivar parties: who shares its luck (:data:`interlock.plan.sampling.SHARE`): vendor and organisation by scope.
    :ivar after: ids of tasks that have to be done before it.
    :ivar chance: how likely it has to be done at all, where that is not decided; none where it is.
    :ivar only_if: it has to be done where one of these is a gap; empty where that is certain or does not matter.
    :ivar verdict: the verdict that it helps to settle; none for most.
    :ivar postponed_by: the last verdict that postpones it; none when no verdict does.
    :ivar said: how far a routine task has come, where somebody has said so.
    :ivar about: keys of the findings whose evidence it is about; empty for other tasks.
    :ivar elapsed: what it takes from its first day to its last, by own history, in the place of effort and lead time.
    """

    id: str
    title: str
    kind: Literal["gap", "discovery", "evidence", "routine"]
    scope: Scope
    org: str | None
    orgs: tuple[str, ...]
    parties: Mapping[Scope, str]
    owner: Owner
    gate: Gate
    effort: Effort | None
    lead_time: LeadTime | None
    after: tuple[str, ...]
    waits_in_freeze: bool = False
    shared_environment: bool = False
    chance: float | None = None
    only_if: tuple[str, ...] = ()
    verdict: VerdictValue | None = None
    postponed_by: VerdictValue | None = None
    said: TaskStatus | None = None
    about: tuple[str, ...] = ()
    elapsed: LeadTime | None = None

    @property
    def is_done(self) -> bool:
        """Whether it is done: it keeps its place, and takes no time."""
        return self.said is not None and self.said.is_done

    @property
    def is_begun(self) -> bool:
        """Whether it is under way: it waits for nothing that was to come before it."""
        return self.said is not None and self.said.status is TaskState.BEGUN


@dataclass(frozen=True)
class Work:
    """Tasks in topological order (wave, then id); ``before`` holds for each the rows of ``tasks`` that it waits for.

    :ivar unknown: what somebody has said is begun or done, and is no routine task here.
    """

    tasks: tuple[Task, ...]
    before: tuple[tuple[int, ...], ...]
    unknown: tuple[str, ...] = ()

    @cached_property
    def _graph(self) -> nx.DiGraph:
        """Rows, with an edge from each to what waits for it."""
        graph = nx.DiGraph()
        graph.add_nodes_from(range(len(self.tasks)))
        graph.add_edges_from((first, row) for row, firsts in enumerate(self.before) for first in firsts)
        return graph

    @cached_property
    def after(self) -> tuple[tuple[int, ...], ...]:
        """For each row, the rows that wait for it, ascending."""
        return tuple(tuple(self._graph.successors(row)) for row in range(len(self.tasks)))

    @cached_property
    def wave(self) -> dict[int, int]:
        """Row → topological generation: everything in a wave can start together."""
        return {row: wave for wave, rows in enumerate(nx.topological_generations(self._graph)) for row in rows}

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Task id → row."""
        return {task.id: row for row, task in enumerate(self.tasks)}

    @cached_property
    def rows_of(self) -> Mapping[str, Sequence[int]]:
        """Organisation → rows of the tasks that its finish waits for, ascending; none for others."""
        rows: dict[str, list[int]] = defaultdict(list)
        for row, task in enumerate(self.tasks):
            for org in task.orgs:
                rows[org].append(row)
        return rows


def collect(
    graph: GapGraph,
    rules: Mapping[str, Rule],
    routine: Sequence[RoutineTask],
    findings: Sequence[Finding],
    organizations: Sequence[Organization],
    target_gate: Gate,
    freezes_stated: Set[str] = frozenset(),
    unseen: Set[str] = frozenset(),
    chances: Mapping[GapClass, float] = MappingProxyType({}),
    statuses: Mapping[str, TaskStatus] = MappingProxyType({}),
    history: Mapping[str, LeadTime] = MappingProxyType({}),
    evidence: Iterable[Task] = (),
    reads_only: bool = False,
) -> Work:
    """Every task that the target gate needs.

    What is not decided is two tasks: to find it out, and with its chance to close the gap that it may be. All that a
    probe of an organisation settles is found out by one probe. What a verdict postpones waits for what settles it.

    :param findings: those that are undecided say what is missing.
    :param freezes_stated: organisations whose change freezes are known.
    :param unseen: organisations of which nothing was observed.
    :param chances: how likely what is not decided is a gap, by class, where its rule does not say; else even.
    :param statuses: how far routine tasks have come, by id.
    :param history: what routine tasks have taken, by the id that all of a kind share.
    :param evidence: the work of getting the evidence that gates accept.
    :param reads_only: the contract is known to write nothing.
    :raises InterlockError: a routine task comes after something that does not exist, or tasks wait in a circle.
    """
    by_key = {finding.key: finding for finding in findings}
    everything = {task.id: task for task in _gap_tasks(graph, rules, organizations, by_key, unseen, chances)}
    everything.update({task.id: task for task in evidence})
    argued = {task.verdict for task in everything.values() if task.verdict is not None}
    book = RoutineTasks(routine, graph, rules, organizations, freezes_stated, argued, reads_only)
    everything.update({task.id: task for task in _routine_tasks(book, organizations, statuses, history)})
    everything.update(_closed_by_routine(everything, book))
    for gap, first in book.makes_possible():
        for name in {gap, finding_out(gap)} & everything.keys():
            everything[name] = replace(everything[name], after=(*everything[name].after, first))
    everything = _with_verdicts(everything, rules, {task.id: task for task in routine})
    every = RoutineInstances(routine, organizations, freezes_stated, reads_only=reads_only) if statuses else None
    known = every.instances if every else {}
    return _arranged(everything, target_gate, tuple(name for name in statuses if name not in known))


def _with_verdicts(
    tasks: Mapping[str, Task], rules: Mapping[str, Rule], routine: Mapping[str, RoutineTask]
) -> dict[str, Task]:
    """These tasks, with what a verdict postpones behind what settles it."""
    last = last_postponing(rules, routine)
    own = {key: task for key, task in tasks.items() if task.kind == "routine" and task.verdict is not None}
    placed = {}
    for key, task in tasks.items():
        name = key.partition("@")[0]
        placed[key] = task
        if task.kind != "discovery":
            firsts = [first for first in own if name in routine[first].before]
            placed[key] = replace(task, after=(*task.after, *firsts), postponed_by=last.get(name, task.postponed_by))
        if key in own:
            reasons = [gap for gap in tasks.values() if gap.kind == "gap" and gap.verdict is task.verdict]
            placed[key] = _if_any(placed[key], reasons, tasks)
    arrows = postponing(placed)
    return placed | {key: replace(placed[key], after=(*placed[key].after, *more)) for key, more in arrows.items()}


def _if_any(task: Task, reasons: Sequence[Task], tasks: Mapping[str, Task]) -> Task:
    """A verdict's own task: begun once it is known what argues for the verdict, and done only if something does."""
    known_by = [first for reason in reasons for first in reason.after if tasks[first].kind == "discovery"]
    task = replace(task, after=tuple(dict.fromkeys((*task.after, *known_by))))
    chances = [reason.chance for reason in reasons if reason.chance is not None]
    if len(chances) < len(reasons):
        return task
    chance = round(1.0 - prod(1.0 - chance for chance in chances), 4)
    return replace(task, chance=chance, only_if=tuple(reason.id for reason in reasons))


def _closed_by_routine(tasks: Mapping[str, Task], book: RoutineTasks) -> Iterator[tuple[str, Task]]:
    """Gaps and unknowns that a routine task closes: they come after it, and what is left is to try and to record it.

    That is so whether or not the routine task is done, so doing it never makes anything later.
    """
    for key, (routine, view) in book.instances.items():
        for rule in routine.closes:
            gap = key_at(rule, view)
            for name in {gap, finding_out(gap)} & tasks.keys():
                task = replace(tasks[name], after=(*tasks[name].after, key))
                yield name, replace(task, effort=TRIED_EFFORT, lead_time=None) if task.kind == "gap" else task


def finding_out(key: str) -> str:
    """The id of the task that finds out whether there is this gap."""
    return f"{FIND_OUT}{key}"


def probing(org: str) -> str:
    """The id of the task that probes an organisation."""
    return f"probe:{org}"


def _gap_tasks(
    graph: GapGraph,
    rules: Mapping[str, Rule],
    organizations: Sequence[Organization],
    findings: Mapping[str, Finding],
    unseen: Set[str],
    chances: Mapping[GapClass, float],
) -> Iterator[Task]:
    vendor_of = {organization.id: organization.vendor for organization in organizations}
    names = {organization.id: organization.name for organization in organizations}
    before: dict[str, list[str]] = defaultdict(list)
    for edge in graph.reduced:
        before[edge.after].append(edge.before)
    probes: dict[str, Gate] = {}
    for node in graph.nodes:
        rule, scope, name = rules[node.rule], node.subject.scope, node.subject.id
        if not is_requirement(rule):
            continue
        gap = Task(
            id=node.key,
            title=node.title,
            kind="gap",
            scope=scope,
            org=name if scope is Scope.ORG else None,
            orgs=node.orgs,
            parties=parties_of(scope, name, vendor_of),
            owner=rule.remediation.owner,
            gate=node.gate,
            effort=rule.remediation.effort,
            lead_time=rule.remediation.lead_time,
            after=tuple(before[node.key]),
            verdict=rule.verdict,
        )
        if node.kind == "gap":
            yield gap
            continue
        finding, known_by = findings.get(node.key), []
        if scope is Scope.ORG and name in unseen and finding is not None and finding.missing_facts:
            probes[name] = min(node.gate, probes.get(name, node.gate), key=GATE_RANK.__getitem__)
            known_by.append(probing(name))
        if not known_by or (finding is not None and finding.missing_answers):
            # What is found out by doing it, or by looking at what is not there yet, waits for what has to be there.
            seen_only = finding is not None and bool(finding.missing_facts) and not finding.missing_answers
            needs = before[node.key] if (rule.tried or seen_only) and rule.verdict is None else []
            firsts = (*known_by, *needs)
            known_by.append(finding_out(node.key))
            yield replace(
                gap,
                id=finding_out(node.key),
                title=f"{FIND_OUT_WORDS}{node.title}",
                kind="discovery",
                owner=Owner.US,
                effort=TRIED_EFFORT if rule.tried else DISCOVERY_EFFORT,
                lead_time=ANSWER_TIME if scope is Scope.ORG else None,
                after=firsts,
                verdict=None,
            )
        chance = chances.get(rule.gap_class, 0.5) if rule.chance is None else rule.chance
        yield replace(gap, after=(*gap.after, *known_by), chance=chance)
    for org, gate in probes.items():
        yield Task(
            id=probing(org),
            title=f"Probe {names[org]}",
            kind="discovery",
            scope=Scope.ORG,
            org=org,
            orgs=(org,),
            parties=parties_of(Scope.ORG, org, vendor_of),
            owner=Owner.US,
            gate=gate,
            effort=PROBE_EFFORT,
            lead_time=None,
            after=(),
        )


def _routine_tasks(
    book: RoutineTasks,
    organizations: Sequence[Organization],
    statuses: Mapping[str, TaskStatus],
    history: Mapping[str, LeadTime],
) -> list[Task]:
    vendor_of = {organization.id: organization.vendor for organization in organizations}
    return [
        Task(
            id=key,
            title=f"{task.title} ({_vendor(name, organizations)})" if scope is Scope.VENDOR else task.title,
            kind="routine",
            scope=scope,
            org=name if scope is Scope.ORG else None,
            orgs=book.orgs_of(key),
            parties=parties_of(scope, name, vendor_of),
            owner=task.owner,
            gate=task.gate,
            effort=task.effort,
            lead_time=task.lead_time,
            after=book.before(key),
            waits_in_freeze=task.waits_in_freeze,
            shared_environment=task.shared_environment,
            verdict=task.verdict,
            said=statuses.get(key),
            elapsed=history.get(task.id),
        )
        for key, (task, (scope, name)) in book.instances.items()
    ]


def _vendor(name: str, organizations: Sequence[Organization]) -> str:
    """A vendor's name; one that nobody has named is that of its organisations."""
    if name != "other":
        return words.vendor(name)
    return f"that of {words.listed([plain(org.name, 60) for org in organizations if org.vendor == name], 3)}"


def parties_of(scope: Scope, name: str, vendor_of: Mapping[str, str]) -> Mapping[Scope, str]:
    """Whose luck a task shares (:data:`interlock.plan.sampling.SHARE`)."""
    if scope is Scope.ORG:
        return {Scope.ORG: name, Scope.VENDOR: vendor_of[name]}
    return {Scope.VENDOR: name} if scope is Scope.VENDOR else {}


def _arranged(everything: Mapping[str, Task], target_gate: Gate, unknown: tuple[str, ...]) -> Work:
    """Tasks of gates up to the target, and all that they wait for whatever its gate."""
    waiting = nx.DiGraph()
    waiting.add_nodes_from(everything)
    waiting.add_edges_from((name, first) for name, task in everything.items() for first in task.after)
    wanted = [name for name, task in everything.items() if GATE_RANK[task.gate] <= GATE_RANK[target_gate]]
    needed = waiting.subgraph(name for layer in nx.bfs_layers(waiting, wanted) for name in layer)
    order = [name for names in generations(needed.reverse(), "tasks wait for one another") for name in names]
    row = {name: number for number, name in enumerate(order)}
    tasks = tuple(replace(everything[name], after=tuple(sorted(everything[name].after))) for name in order)
    return Work(tasks, tuple(tuple(sorted(row[first] for first in task.after)) for task in tasks), unknown)
