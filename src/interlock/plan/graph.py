"""Findings → the gap graph: what is open, what waits for what, and what stands at the root.

Gaps and undecided findings become nodes at their own scope: an organisation's gaps once an organisation, a vendor's
shared by that vendor's organisations, the product's once. Advice and experimental rules become nodes that nothing waits
for and that block nothing. Findings about organisations that are not in the list concern nobody and are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby

import networkx as nx
from pydantic import TypeAdapter

from interlock.documents.timing import timed
from interlock.model.base import Gate, Owner, Scope
from interlock.model.errors import InterlockError
from interlock.model.finding import (
    GATE_RANK,
    OPEN,
    SEVERITY_RANK,
    UNDECIDED,
    Finding,
    by_vendor,
    is_requirement,
    rule_of,
    statement,
)
from interlock.model.gap_graph import GapEdge, GapGraph, GapNode
from interlock.model.organization import Organization
from interlock.model.rule import Rule
from interlock.plan.dependencies import Dependencies
from interlock.plan.roots import root_causes

#: Validates many at once, which is several times faster than one by one.
_EDGES = TypeAdapter(tuple[GapEdge, ...])
#: What has to be closed first, and what waits for it.
_Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Open:
    """An open finding with its rule and the organisations that it concerns."""

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
    opened = _opened(findings, rules, organizations)
    graph = _waiting(opened, rules, organizations)
    waves = list(nx.topological_generations(graph))
    blocks = _blocks(opened, graph, list(chain.from_iterable(waves)), organizations)
    nodes = [_node(opened[key], wave, blocks[key]) for wave, keys in enumerate(waves) for key in keys]
    nodes.sort(key=lambda node: (node.wave, SEVERITY_RANK[node.severity], node.key))
    nx.set_node_attributes(graph, {node.key: node for node in nodes}, "node")
    edges, reduced = _edges(graph, nodes)
    return GapGraph(
        nodes=tuple(nodes),
        edges=edges,
        reduced=reduced,
        waves=tuple(tuple(node.key for node in wave) for _, wave in groupby(nodes, key=lambda node: node.wave)),
        root_causes=root_causes(graph, organizations, target_gate),
    )


def _opened(
    findings: Sequence[Finding], rules: Mapping[str, Rule], organizations: Sequence[Organization]
) -> dict[str, _Open]:
    everyone = tuple(organization.id for organization in organizations)
    orgs_of = by_vendor(organizations)
    known = frozenset(everyone)
    opened: dict[str, _Open] = {}
    for finding in findings:
        rule = rule_of(finding, rules)
        if finding.outcome not in OPEN or rule.lifecycle == "deprecated":
            continue
        if finding.key in opened:
            raise InterlockError(f"two findings have the key {finding.key}")
        subject = finding.subject
        if subject.scope is Scope.PRODUCT:
            orgs = everyone
        elif subject.scope is Scope.VENDOR:
            orgs = orgs_of.get(subject.id, ())
        else:
            orgs = (subject.id,) if subject.id in known else ()
        if orgs or subject.scope is Scope.PRODUCT:
            opened[finding.key] = _Open(finding, rule, is_requirement(rule), orgs)
    return opened


def _waiting(
    opened: Mapping[str, _Open], rules: Mapping[str, Rule], organizations: Sequence[Organization]
) -> nx.DiGraph:
    """The open findings by key, with an edge from each to whatever waits for it."""
    dependencies = Dependencies(rules, organizations, {key for key, gap in opened.items() if gap.requirement})
    graph = nx.DiGraph()
    graph.add_nodes_from((key, {"requirement": gap.requirement}) for key, gap in opened.items())
    graph.add_edges_from(
        (first, key)
        for key, gap in opened.items()
        for first in dependencies.before(gap.rule.id, (gap.finding.subject.scope, gap.finding.subject.id))
    )
    return graph


def _blocks(
    opened: Mapping[str, _Open], graph: nx.DiGraph, in_order: Sequence[str], organizations: Sequence[Organization]
) -> dict[str, int]:
    """Requirement sets (organisation × gate) that cannot hold while a node is open, everything downstream included.

    Sets are bit masks, four bits an organisation. Without organisations the product itself is the one holder.
    """
    first_bit = {organization.id: len(Gate) * number for number, organization in enumerate(organizations)}
    everyone = sum(1 << bit for bit in first_bit.values()) or 1
    masks: dict[str, int] = {}
    for key in reversed(in_order):
        gap = opened[key]
        mask, gate = 0, GATE_RANK[gap.rule.gate]
        if gap.requirement and gap.finding.subject.scope is Scope.PRODUCT:
            mask = everyone << gate
        elif gap.requirement:
            for org in gap.orgs:
                mask |= 1 << (first_bit[org] + gate)
        for later in graph.successors(key):
            mask |= masks[later]
        masks[key] = mask
    return {key: mask.bit_count() for key, mask in masks.items()}


def _node(gap: _Open, wave: int, blocks: int) -> GapNode:
    finding, rule = gap.finding, gap.rule
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
        orgs=gap.orgs,
        outcome=finding.outcome,
    )


def _edges(graph: nx.DiGraph, nodes: Sequence[GapNode]) -> tuple[tuple[GapEdge, ...], tuple[GapEdge, ...]]:
    """All edges in the order of the nodes that wait, and those of the transitive reduction; the same objects."""
    position = {node.key: number for number, node in enumerate(nodes)}
    pairs = sorted(graph.edges, key=lambda pair: (position[pair[1]], position[pair[0]]))
    edges = _EDGES.validate_python([{"before": first, "after": then} for first, then in pairs])
    implied = _implied(pairs, {node.key: node for node in nodes})
    return edges, tuple(edge for edge, pair in zip(edges, pairs, strict=True) if pair not in implied)


def _implied(pairs: Sequence[_Pair], nodes: Mapping[str, GapNode]) -> set[_Pair]:
    """Edges that a longer path already implies.

    Each organisation's part of the graph is reduced by itself (its own nodes, its vendor's and the product's), which
    keeps the whole linear: whatever path leads through another organisation has its like in this one, because both come
    from the same rules and what is not open is transparent. No two nodes of a part have the same rule, so the part is a
    graph of rules, and organisations with the same gaps are reduced together.
    """
    pairs_of: dict[str, dict[_Pair, _Pair]] = {}
    for pair in pairs:
        first, then = nodes[pair[0]], nodes[pair[1]]
        for org in min(first.orgs, then.orgs, key=len) or ("",):
            pairs_of.setdefault(org, {})[first.rule, then.rule] = pair
    alike: dict[frozenset[_Pair], list[dict[_Pair, _Pair]]] = {}
    for part in pairs_of.values():
        alike.setdefault(frozenset(part), []).append(part)
    implied: set[_Pair] = set()
    for rules, alike_parts in alike.items():
        graph = nx.DiGraph()
        graph.add_edges_from(rules)
        redundant = rules.difference(nx.transitive_reduction(graph).edges)
        implied.update(part[rule_pair] for part in alike_parts for rule_pair in redundant)
    return implied
