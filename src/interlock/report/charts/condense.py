"""Which nodes of a gap graph a picture shows, so that it stays legible on one page, and what it then leaves out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import networkx as nx

from interlock.model import words
from interlock.model.base import Scope, Severity
from interlock.model.gap_graph import GapGraph, GapNode
from interlock.model.language import _
from interlock.report import safe
from interlock.report.charts.layout import Edge, layers_of

#: More than this and the same rule at several organisations becomes one node.
MAX_CONNECTED = 24
MAX_SEPARATE = 16
MAX_LAYERS = 7


@dataclass(frozen=True)
class DrawnNode:
    """One rounded rectangle: a node of the graph, or the same rule at several subjects. Texts are safe and bounded."""

    key: str
    rule: str
    title: str
    where: str
    severity: Severity
    discovery: bool
    root: bool
    anchor: str
    blocks: int


@dataclass(frozen=True)
class Drawing:
    """What a picture shows. ``separate`` nodes wait for nothing and nothing waits for them.

    ``waves`` is true when the columns are the graph's own waves; ``note`` says what was merged or left out.
    """

    nodes: tuple[DrawnNode, ...]
    edges: tuple[Edge, ...]
    separate: tuple[DrawnNode, ...]
    note: str
    waves: bool = False


def required(graph: GapGraph, needed: Callable[[GapNode], bool]) -> GapGraph:
    """The graph without nodes that are not ``needed`` and that nothing needed waits for."""
    waiting = nx.DiGraph()
    waiting.add_nodes_from(node.key for node in graph.nodes)
    waiting.add_edges_from((edge.after, edge.before) for edge in graph.reduced)
    start = [node.key for node in graph.nodes if needed(node)]
    kept = {key for layer in nx.bfs_layers(waiting, start) for key in layer}
    if len(kept) == len(graph.nodes):
        return graph
    edges = tuple(edge for edge in graph.reduced if edge.before in kept and edge.after in kept)
    return graph.model_copy(
        update={"nodes": tuple(node for node in graph.nodes if node.key in kept), "reduced": edges, "edges": edges}
    )


def condense(
    graph: GapGraph, names: Mapping[str, str], anchor: Callable[[GapNode], str], most: int = MAX_CONNECTED
) -> Drawing:
    """The nodes and edges to draw: all of them, or one node per rule, or the root causes' neighbourhood.

    :param names: organisation id to name.
    :param anchor: where a click on a node leads.
    :param most: how many joined boxes the picture may hold.
    """
    roots = {key for cause in graph.root_causes for key in (cause.nodes or (cause.key,))}
    if len(graph.nodes) <= most + MAX_SEPARATE:
        single = [drawn([node], roots, names, anchor) for node in graph.nodes]
        drawing = _split(single, [(edge.before, edge.after) for edge in graph.reduced], "")
        if not _too_large(drawing, most):
            wave = {node.key: node.wave for node in graph.nodes}
            return replace(drawing, waves=all(wave[key] == layer for key, layer in _layers(drawing).items()))
    merged = _merge(graph, roots, names, anchor)
    if not _too_large(merged, most):
        return merged
    return _neighbourhood(merged, len(graph.nodes), most)


def _too_large(drawing: Drawing, most: int) -> bool:
    return (
        len(drawing.nodes) > most
        or len(drawing.separate) > MAX_SEPARATE
        or max(_layers(drawing).values(), default=0) >= MAX_LAYERS
    )


def _layers(drawing: Drawing) -> dict[str, int]:
    return layers_of([node.key for node in drawing.nodes], drawing.edges)


def _split(nodes: Sequence[DrawnNode], edges: Iterable[Edge], note: str) -> Drawing:
    known = {node.key for node in nodes}
    kept = tuple(dict.fromkeys(edge for edge in edges if edge[0] in known and edge[1] in known and edge[0] != edge[1]))
    joined = {end for edge in kept for end in edge}
    return Drawing(
        nodes=tuple(node for node in nodes if node.key in joined),
        edges=kept,
        separate=tuple(node for node in nodes if node.key not in joined),
        note=note,
    )


def drawn(
    nodes: Sequence[GapNode], roots: Iterable[str], names: Mapping[str, str], anchor: Callable[[GapNode], str]
) -> DrawnNode:
    """One box for one node, or for the same rule at several subjects: the worst of them leads."""
    first = min(nodes, key=lambda node: (node.severity.rank, node.key))
    return DrawnNode(
        key=first.key if len(nodes) == 1 else f"{first.rule}/{first.kind}",
        rule=safe.text(first.rule, 20),
        title=safe.text(first.label, 300),
        where=_where(nodes, names),
        severity=first.severity,
        discovery=first.kind == "discovery",
        root=any(node.key in roots for node in nodes),
        anchor=anchor(first),
        blocks=sum(node.blocks for node in nodes),
    )


def _where(nodes: Sequence[GapNode], names: Mapping[str, str]) -> str:
    first = nodes[0].subject
    if first.scope is Scope.PRODUCT:
        return "product"
    if len(nodes) > 1:
        return f"×{len(nodes)} {'orgs' if first.scope is Scope.ORG else 'vendors'}"
    if first.scope is Scope.VENDOR:
        return words.vendor(first.id)
    name = safe.name(names.get(first.id, first.id))
    return min(name, safe.name(first.id), key=len)


def _merge(graph: GapGraph, roots: set[str], names: Mapping[str, str], anchor: Callable[[GapNode], str]) -> Drawing:
    members: dict[tuple[str, str], list[GapNode]] = defaultdict(list)
    for node in graph.nodes:
        members[node.rule, node.kind].append(node)
    groups = {key: drawn(nodes, roots, names, anchor) for key, nodes in members.items()}
    group_of = {node.key: groups[node.rule, node.kind].key for node in graph.nodes}
    edges = {(group_of[edge.before], group_of[edge.after]) for edge in graph.reduced}
    note = _(
        "With %(nodes)s nodes, the same rule at several organisations is drawn as one box, with "
        "their number beside its id.",
        nodes=words.number(len(graph.nodes)),
    )
    reduced = nx.transitive_reduction(nx.DiGraph(edges)).edges
    return _split(list(groups.values()), [edge for edge in sorted(edges) if edge in reduced], note)


def _neighbourhood(drawing: Drawing, total: int, most: int) -> Drawing:
    """The root causes (or else the heaviest nodes) and then, nearest first, what hangs together with them."""
    everything = (*drawing.nodes, *drawing.separate)
    order = sorted(drawing.nodes, key=lambda node: (not node.root, -node.blocks, node.severity.rank, node.key))
    rank = {node.key: position for position, node in enumerate(order)}
    joined = nx.DiGraph(drawing.edges)
    roots = [node.key for node in order if node.root]
    chosen: dict[str, None] = {}
    nearest = roots or [node.key for node in order[:1]]
    while nearest and len(chosen) < most:
        chosen.update(dict.fromkeys(nearest[: most - len(chosen)]))
        beside = {key for near in nearest for key in nx.all_neighbors(joined, near)}
        nearest = sorted(beside - chosen.keys(), key=rank.__getitem__)
    smaller = _split([node for node in drawing.nodes if node.key in chosen], drawing.edges, "")
    layers = _layers(smaller)
    near_enough = [node for node in smaller.nodes if layers[node.key] < MAX_LAYERS]
    smaller = _split(near_enough, smaller.edges, "")
    near = _("the root causes") if roots else _("the heaviest gap")
    note = _(
        "With %(total)s nodes the graph is too large for one page: the same rule at several "
        "organisations is drawn as one box, and of %(everything)s boxes the %(nodes)s nearest to "
        "%(near)s are shown. The gap list and the plan hold all of them.",
        total=words.number(total),
        everything=len(everything),
        nodes=len(smaller.nodes),
        near=near,
    )
    return replace(smaller, separate=(), note=note)
