"""Root causes: the one gap that every path to an organisation's gate passes through.

Picture a source before everything that waits for nothing, and for each organisation a sink behind all that it must
close up to the target gate. The sink's immediate dominator, when it is a real node, is a root cause: nothing of that
organisation's can be finished before it. Where the sink of the target gate has none, the sink of the next gate that the
organisation has not passed is asked instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import networkx as nx

from interlock.model import words
from interlock.model.base import Gate
from interlock.model.finding import GATE_RANK
from interlock.model.gap_graph import GapNode, RootCause
from interlock.model.organization import Organization
from interlock.model.text import plain

#: No finding has an empty key.
_SOURCE = ""


@dataclass
class _Group:
    nodes: dict[str, GapNode] = field(default_factory=dict)
    orgs: list[str] = field(default_factory=list)


def root_causes(graph: nx.DiGraph, organizations: Sequence[Organization], target_gate: Gate) -> tuple[RootCause, ...]:
    """Root causes grouped by rule and by the first gate not held, those that hold back most organisations first.

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
    groups: dict[tuple[str, Gate], _Group] = {}
    for org, gate in first_gate.items():
        key = dominators[org, "target"] or dominators.get((org, "first"), _SOURCE)
        if key == _SOURCE:
            continue
        node = graph.nodes[key]["node"]
        group = groups.setdefault((node.rule, gate), _Group())
        group.nodes[key] = node
        if org:
            group.orgs.append(org)
    causes = [_cause(rule, gate, group, names) for (rule, gate), group in groups.items()]
    return tuple(sorted(causes, key=lambda cause: (-len(cause.orgs), cause.gate.rank, cause.key)))


def _required(graph: nx.DiGraph, names: Mapping[str, str], target_gate: Gate) -> dict[str, list[GapNode]]:
    """Organisation → the nodes that it must close up to the target gate; organisations with none are left out.

    Without organisations the empty id stands for the product.
    """
    required: dict[str, list[GapNode]] = {org: [] for org in names or ("",)}
    for _, attributes in graph.nodes(data=True):
        node = attributes["node"]
        if attributes["requirement"] and GATE_RANK[node.gate] <= GATE_RANK[target_gate]:
            for org in node.orgs or ("",):
                required[org].append(node)
    return {org: nodes for org, nodes in required.items() if nodes}


def _cause(rule: str, gate: Gate, group: _Group, names: dict[str, str]) -> RootCause:
    undecided = sum(node.kind == "discovery" for node in group.nodes.values())
    key = next(iter(group.nodes)) if len(group.nodes) == 1 else rule
    aside = ""
    if undecided == len(group.nodes):
        aside = ", not decided yet,"
    elif undecided:
        aside = f", not decided yet at {undecided} of them,"
    if not group.orgs:
        between = f"the product and its {words.gate(gate)}"
    elif len(group.orgs) == 1:
        between = f"{plain(names[group.orgs[0]], 120)} and its {words.gate(gate)}"
    else:
        between = f"{len(group.orgs):,} of {len(names):,} organisations and their {words.gate(gate)}"
    return RootCause(
        key=key,
        orgs=tuple(group.orgs),
        gate=gate,
        sentence=f"{rule}{aside} stands between {between}",
        nodes=tuple(sorted(group.nodes)),
    )
