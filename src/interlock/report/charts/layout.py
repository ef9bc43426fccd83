"""A layered drawing of a small acyclic graph, left to right (Sugiyama, Tagawa, Toda 1981, in its simplest form).

The paper: docs/requirements.md#methods-in-the-code.

Layers by longest path, long edges split by bends, crossings reduced by barycentre sweeps, heights by averaging
neighbours and then pushing apart (pool adjacent violators: the order is kept and the total movement is least).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx

Edge = tuple[str, str]
#: A layout's vertex: a node's key, or (edge's ends, layer) of a bend.
Vertex = str | tuple[str, str, int]

SWEEPS = 8


@dataclass(frozen=True)
class Layout:
    """Where things go: the layer of each node, its centre's height, and the bends of each edge as (layer, height).

    Heights start at 0 and are in the unit of the heights given; ``height`` is the whole drawing's.
    """

    layer: Mapping[str, int]
    centre: Mapping[str, float]
    bends: Mapping[Edge, tuple[tuple[int, float], ...]]
    layers: int
    height: float


def layers_of(nodes: Sequence[str], edges: Sequence[Edge]) -> dict[str, int]:
    """Layer of each node: 0 without predecessors, else one more than the deepest predecessor."""
    graph = nx.DiGraph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from(edges)
    return {node: layer for layer, column in enumerate(nx.topological_generations(graph)) for node in column}


def arrange(nodes: Sequence[str], edges: Sequence[Edge], box: float, gap: float, bend: float) -> Layout:
    """Lay out ``nodes`` (the order given breaks ties) joined by ``edges``.

    :param box: height of a node; ``gap`` what stays free between two; ``bend`` the height kept for a passing edge.
    """
    layer = layers_of(nodes, edges)
    columns: list[list[Vertex]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for node in nodes:
        columns[layer[node]].append(node)
    graph = nx.DiGraph()
    graph.add_nodes_from(nodes)
    for start, end in edges:
        passed = [(start, end, at) for at in range(layer[start] + 1, layer[end])]
        for vertex in passed:
            columns[vertex[2]].append(vertex)
        nx.add_path(graph, [start, *passed, end])
    ordered = _fewest_crossings(columns, graph)
    size: dict[Vertex, float] = {vertex: box if isinstance(vertex, str) else bend for vertex in graph}
    centre = _heights(ordered, graph, size, gap)
    bends = {
        (start, end): tuple((at, centre[(start, end, at)]) for at in range(layer[start] + 1, layer[end]))
        for start, end in edges
    }
    heights = {vertex: height for vertex, height in centre.items() if isinstance(vertex, str)}
    lowest = max((centre[vertex] + size[vertex] / 2 for vertex in centre), default=0.0)
    return Layout(layer, heights, bends, len(ordered), lowest)


def _fewest_crossings(columns: Sequence[list[Vertex]], graph: nx.DiGraph) -> Sequence[list[Vertex]]:
    """The order within each column after sweeps from left to right and back, of those that crossed least."""
    tried = [list(columns)]
    for sweep in range(SWEEPS):
        current = list(tried[-1])
        back = sweep % 2
        for index in range(len(current) - 2, -1, -1) if back else range(1, len(current)):
            position = {vertex: row for row, vertex in enumerate(current[index + 1 if back else index - 1])}
            current[index] = _by_barycentre(current[index], graph.succ if back else graph.pred, position)
        tried.append(current)
    return min(tried, key=lambda ordered: _crossings(ordered, graph))


def _by_barycentre(column: list[Vertex], towards: Mapping[Vertex, Any], position: Mapping[Vertex, int]) -> list[Vertex]:
    def weight(row: int, vertex: Vertex) -> float:
        neighbours = [position[other] for other in towards[vertex]]
        return sum(neighbours) / len(neighbours) if neighbours else float(row)

    keyed = sorted((weight(row, vertex), row) for row, vertex in enumerate(column))
    return [column[row] for _, row in keyed]


def _crossings(columns: Sequence[Sequence[Vertex]], graph: nx.DiGraph) -> int:
    total = 0
    for near, far in itertools.pairwise(columns):
        position = {vertex: row for row, vertex in enumerate(far)}
        ends = [end for start in near for end in sorted(position[end] for end in graph.succ[start])]
        total += sum(other < end for end, other in itertools.combinations(ends, 2))
    return total


def _heights(
    columns: Sequence[Sequence[Vertex]], graph: nx.DiGraph, size: Mapping[Vertex, float], gap: float
) -> dict[Vertex, float]:
    centre: dict[Vertex, float] = {}
    for column in columns:
        top = 0.0
        for vertex in column:
            centre[vertex] = top + size[vertex] / 2
            top += size[vertex] + gap
    for sweep in range(2 * SWEEPS):
        towards = graph.succ if sweep % 2 else graph.pred
        for column in reversed(columns) if sweep % 2 else columns:
            wanted = []
            for vertex in column:
                near = towards[vertex] or graph.succ[vertex] or graph.pred[vertex]
                wanted.append(sum(centre[other] for other in near) / len(near) if near else centre[vertex])
            centre.update(zip(column, _apart(wanted, [size[vertex] for vertex in column], gap), strict=True))
    top = min((centre[vertex] - size[vertex] / 2 for vertex in centre), default=0.0)
    return {vertex: height - top for vertex, height in centre.items()}


def _apart(wanted: Sequence[float], sizes: Sequence[float], gap: float) -> list[float]:
    """Positions in the same order, at least the two half sizes and ``gap`` apart, nearest to ``wanted``."""
    offsets: list[float] = []
    for index, size in enumerate(sizes):
        offsets.append(0.0 if not index else offsets[-1] + (sizes[index - 1] + size) / 2 + gap)
    blocks: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        mean, members = want - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, others = blocks.pop()
            mean = (mean * members + other * others) / (members + others)
            members += others
        blocks.append((mean, members))
    flat = [mean for mean, members in blocks for _ in range(members)]
    return [base + offset for base, offset in zip(flat, offsets, strict=True)]
