"""Findings → the working graph: what is open, what waits for what, and what stands at the root.

Gaps and undecided findings become nodes at their own scope: an organisation's gaps once an organisation, a vendor's
shared by that vendor's organisations, the product's once. Advice and experimental rules become nodes that nothing waits
for and that block nothing. Findings about organisations that are not in the list concern nobody and are left out.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import compress

from pydantic import TypeAdapter

from interlock.documents.timing import timed
from interlock.gaps import dag
from interlock.gaps.frontier import Frontier
from interlock.gaps.roots import root_causes
from interlock.gaps.subjects import GATE_RANK, OPEN, SEVERITY_RANK, UNDECIDED, by_vendor, is_requirement, rule_of
from interlock.gaps.wording import statement
from interlock.model.base import Gate, Owner, Scope
from interlock.model.errors import InterlockError
from interlock.model.finding import Finding
from interlock.model.gap_graph import GapEdge, GapGraph, GapNode
from interlock.model.organization import Organization
from interlock.model.rule import Rule

_GATES = len(Gate)
#: Validates many at once, which is several times faster than one by one.
_EDGES = TypeAdapter(tuple[GapEdge, ...])


@dataclass(frozen=True, slots=True)
class _Open:
    """One open finding on its way to becoming a node."""

    finding: Finding
    rule: Rule
    requirement: bool
    orgs: tuple[str, ...]


@timed("gap graph")
def build(
    findings: Sequence[Finding], rules: Mapping[str, Rule], organizations: Sequence[Organization], target_gate: Gate
) -> GapGraph:
    """The gap graph of these findings. Pure; linear in nodes and edges.

    :param target_gate: root causes are looked for up to this gate; nodes of later gates are kept.
    :raises InterlockError: a finding or dependency without a rule, two findings with one key, or a dependency cycle
        (with its path).
    """
    with _collector_paused():
        return _build(findings, rules, organizations, target_gate)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Building allocates hundreds of thousands of values and no cycles: looking for cycles meanwhile costs a third."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _build(
    findings: Sequence[Finding], rules: Mapping[str, Rule], organizations: Sequence[Organization], target_gate: Gate
) -> GapGraph:
    opened = _opened(findings, rules, organizations)
    frontier = Frontier(
        rules, organizations, {o.finding.key: number for number, o in enumerate(opened) if o.requirement}
    )
    opened, before = _numbered(opened, frontier)
    wave = dag.waves(before)
    shared = frozenset(n for n, o in enumerate(opened) if o.finding.subject.scope is not Scope.ORG)
    reduced = dag.reduce(before, wave, shared)
    blocks = _blocks(opened, dag.after(reduced), organizations)
    nodes = [_node(o, wave[number], blocks[number]) for number, o in enumerate(opened)]
    order = sorted(range(len(nodes)), key=lambda n: (nodes[n].wave, SEVERITY_RANK[nodes[n].severity], nodes[n].key))
    causes = root_causes(nodes, [o.requirement for o in opened], dag.dominators(before), organizations, target_gate)
    edges, kept = _edges(nodes, order, before, reduced)
    return GapGraph(
        nodes=tuple(nodes[number] for number in order),
        edges=edges,
        reduced=kept,
        waves=_by_wave(nodes, order),
        root_causes=causes,
    )


def _opened(
    findings: Sequence[Finding], rules: Mapping[str, Rule], organizations: Sequence[Organization]
) -> list[_Open]:
    everyone = tuple(organization.id for organization in organizations)
    orgs_of = by_vendor(organizations)
    known = frozenset(everyone)
    keys: set[str] = set()
    opened = []
    for finding in findings:
        rule = rule_of(finding, rules)
        if finding.outcome not in OPEN or rule.lifecycle == "deprecated":
            continue
        if finding.key in keys:
            raise InterlockError(f"two findings have the key {finding.key}")
        keys.add(finding.key)
        subject = finding.subject
        if subject.scope is Scope.PRODUCT:
            orgs = everyone
        elif subject.scope is Scope.VENDOR:
            orgs = orgs_of.get(subject.id, ())
        else:
            orgs = (subject.id,) if subject.id in known else ()
        if orgs or subject.scope is Scope.PRODUCT:
            opened.append(_Open(finding, rule, is_requirement(rule), orgs))
    return opened


def _numbered(opened: list[_Open], frontier: Frontier) -> tuple[list[_Open], list[tuple[int, ...]]]:
    """Renumber in rule order, so that every edge goes from a lower to a higher number (:mod:`interlock.gaps.dag`)."""
    place = {rule_id: number for number, rule_id in enumerate(frontier.order)}
    order = sorted(range(len(opened)), key=lambda n: (place[opened[n].rule.id], opened[n].finding.key))
    new = [0] * len(opened)
    for number, old in enumerate(order):
        new[old] = number
    before: list[tuple[int, ...]] = []
    for old in order:
        subject = opened[old].finding.subject
        firsts = frontier.before(opened[old].rule.id, (subject.scope, subject.id))
        before.append(tuple(sorted([new[first] for first in firsts])))
    return [opened[old] for old in order], before


def _blocks(
    opened: Sequence[_Open], after: Sequence[Sequence[int]], organizations: Sequence[Organization]
) -> list[int]:
    """Requirement sets (organisation × gate) that cannot hold while a node is open, everything downstream included.

    Sets are bit masks, four bits an organisation. Without organisations the product itself is the one holder.
    """
    place = {organization.id: number for number, organization in enumerate(organizations)}
    everyone = sum(1 << (_GATES * number) for number in range(max(1, len(place))))
    masks = [0] * len(opened)
    for number in range(len(opened) - 1, -1, -1):
        one = opened[number]
        mask, gate = 0, GATE_RANK[one.rule.gate]
        if one.requirement and one.finding.subject.scope is Scope.PRODUCT:
            mask = everyone << gate
        elif one.requirement:
            for org in one.orgs:
                mask |= 1 << (_GATES * place[org] + gate)
        for later in after[number]:
            mask |= masks[later]
        masks[number] = mask
    return [mask.bit_count() for mask in masks]


def _node(one: _Open, wave: int, blocks: int) -> GapNode:
    finding, rule = one.finding, one.rule
    undecided = finding.outcome in UNDECIDED
    return GapNode(
        key=finding.key,
        rule=rule.id,
        subject=finding.subject,
        kind="discovery" if undecided else "gap",
        title=rule.title,
        message=statement(finding),
        severity=rule.severity,
        gap_class=rule.gap_class,
        gate=rule.gate,
        owner=Owner.US if undecided else rule.remediation.owner,
        wave=wave,
        blocks=blocks,
        orgs=one.orgs,
        outcome=finding.outcome,
    )


def _edges(
    nodes: Sequence[GapNode], order: Sequence[int], before: dag.Before, reduced: dag.Before
) -> tuple[tuple[GapEdge, ...], tuple[GapEdge, ...]]:
    """Edges in the order of the nodes that wait; the reduced edges are the same objects."""
    rank = [0] * len(order)
    for place, number in enumerate(order):
        rank[number] = place
    pairs: list[dict[str, str]] = []
    stays: list[bool] = []
    for number in order:
        kept, then = set(reduced[number]), nodes[number].key
        for first in sorted(before[number], key=rank.__getitem__):
            pairs.append({"before": nodes[first].key, "after": then})
            stays.append(first in kept)
    edges = _EDGES.validate_python(pairs)
    return edges, tuple(compress(edges, stays))


def _by_wave(nodes: Sequence[GapNode], order: Sequence[int]) -> tuple[tuple[str, ...], ...]:
    groups: list[list[str]] = []
    for number in order:
        node = nodes[number]
        if node.wave == len(groups):
            groups.append([])
        groups[node.wave].append(node.key)
    return tuple(tuple(group) for group in groups)
