"""Findings → the gap graph: what is open, what waits for what, and what stands at the root.

Gaps and undecided findings become nodes at their own scope: an organisation's gaps once an organisation, a vendor's
shared by that vendor's organisations, the product's once. Advice and experimental rules become nodes that nothing waits
for and that block nothing. Findings about organisations that are not in the list concern nobody and are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby

import networkx as nx
from pydantic import TypeAdapter

from interlock.documents.timing import timed
from interlock.model import words
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
from interlock.model.gap_graph import GapEdge, GapGraph, GapNode, RootCause
from interlock.model.organization import Organization
from interlock.model.rule import Rule
from interlock.model.text import plain
from interlock.plan.dependencies import Dependencies

#: Validates many at once, which is several times faster than one by one.
_EDGES = TypeAdapter(tuple[GapEdge, ...])
#: What has to be closed first, and what waits for it.
_Pair = tuple[str, str]
#: What comes before everything that waits for nothing; no finding has an empty key.
_SOURCE = ""


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
        root_causes=_root_causes(graph, organizations, target_gate),
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
    return GapNode.trusted(
        key=finding.key,
        rule=rule.id,
        subject=finding.subject,
        kind="discovery" if undecided else "gap",
        title=rule.title,
        question=rule.question,
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
    pairs_of: dict[str, dict[_Pair, _Pair]] = defaultdict(dict)
    for pair in pairs:
        first, then = nodes[pair[0]], nodes[pair[1]]
        for org in min(first.orgs, then.orgs, key=len) or ("",):
            pairs_of[org][first.rule, then.rule] = pair
    alike: dict[frozenset[_Pair], list[dict[_Pair, _Pair]]] = defaultdict(list)
    for part in pairs_of.values():
        alike[frozenset(part)].append(part)
    implied: set[_Pair] = set()
    for rules, alike_parts in alike.items():
        redundant = rules.difference(nx.transitive_reduction(nx.DiGraph(list(rules))).edges)
        implied.update(part[rule_pair] for part in alike_parts for rule_pair in redundant)
    return implied


def _root_causes(graph: nx.DiGraph, organizations: Sequence[Organization], target_gate: Gate) -> tuple[RootCause, ...]:
    """Root causes grouped by rule and by the first gate not held, those that hold back most organisations first.

    A root cause is the one gap that every path to an organisation's gate passes through. Picture a source before
    everything that waits for nothing, and for each organisation a sink behind all that it must close up to the target
    gate. The sink's immediate dominator, when it is a real node, is a root cause: nothing of that organisation's can be
    finished before it. Where the sink of the target gate has none, the sink of the next gate that the organisation has
    not passed is asked instead.

    :param graph: the open findings by key; attributes ``node`` and ``requirement``.
    """
    names = {organization.id: organization.name for organization in organizations}
    required = _required(graph, names, target_gate)
    first_gate = {org: min((node.gate for node in nodes), key=GATE_RANK.__getitem__) for org, nodes in required.items()}
    flow = nx.DiGraph()
    flow.add_edges_from(graph.edges)
    flow.add_edges_from((_SOURCE, key) for key, degree in graph.in_degree if not degree)
    for org, nodes in required.items():
        at_first = [node for node in nodes if node.gate is first_gate[org]]
        flow.add_edges_from((node.key, (org, "target")) for node in nodes)
        if len(at_first) < len(nodes):
            flow.add_edges_from((node.key, (org, "first")) for node in at_first)
    dominators = nx.immediate_dominators(flow, _SOURCE) if required else {}
    groups: dict[tuple[str, Gate], list[tuple[str, GapNode]]] = defaultdict(list)
    for org, gate in first_gate.items():
        key = dominators[org, "target"] or dominators.get((org, "first"), _SOURCE)
        if key != _SOURCE:
            node = graph.nodes[key]["node"]
            groups[node.rule, gate].append((org, node))
    causes = [_cause(rule, gate, group, names) for (rule, gate), group in groups.items()]
    return tuple(sorted(causes, key=lambda cause: (-len(cause.orgs), cause.gate.rank, cause.key)))


def dominators(graph: GapGraph) -> dict[str, str | None]:
    """For each node the nearest one that every path to it passes through; none where no single one does.

    Nothing can be begun before its dominator is closed, so these make a tree of what blocks what.
    """
    flow = nx.DiGraph()
    flow.add_nodes_from(node.key for node in graph.nodes)
    flow.add_edges_from((edge.before, edge.after) for edge in graph.reduced)
    flow.add_edges_from([(_SOURCE, key) for key, degree in flow.in_degree if not degree])
    if _SOURCE not in flow:
        return {}
    return {key: first or None for key, first in nx.immediate_dominators(flow, _SOURCE).items() if key != _SOURCE}


def _required(graph: nx.DiGraph, names: Mapping[str, str], target_gate: Gate) -> dict[str, list[GapNode]]:
    """Organisation → the nodes that it must close up to the target gate; organisations with none are left out.

    Without organisations the empty id stands for the product.
    """
    required: dict[str, list[GapNode]] = defaultdict(list)
    for _, attributes in graph.nodes(data=True):
        node = attributes["node"]
        if attributes["requirement"] and GATE_RANK[node.gate] <= GATE_RANK[target_gate]:
            for org in node.orgs or ("",):
                required[org].append(node)
    return {org: required[org] for org in names or ("",) if org in required}


def _cause(rule: str, gate: Gate, group: Sequence[tuple[str, GapNode]], names: dict[str, str]) -> RootCause:
    """The root cause of the organisations in the group; an empty id stands for the product."""
    nodes = {node.key: node for _, node in group}
    orgs = tuple(org for org, _ in group if org)
    undecided = sum(node.kind == "discovery" for node in nodes.values())
    aside = ""
    if undecided == len(nodes):
        aside = ", not decided yet,"
    elif undecided:
        aside = f", not decided yet at {undecided} of them,"
    if not orgs:
        between = f"the product and its {words.gate(gate)}"
    elif len(orgs) == 1:
        between = f"{plain(names[orgs[0]], 120)} and its {words.gate(gate)}"
    else:
        between = f"{len(orgs):,} of {len(names):,} organisations and their {words.gate(gate)}"
    return RootCause(
        key=next(iter(nodes)) if len(nodes) == 1 else rule,
        orgs=orgs,
        gate=gate,
        sentence=f"{rule}{aside} stands between {between}",
        nodes=tuple(sorted(nodes)),
    )
