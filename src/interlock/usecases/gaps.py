"""The gap graph in the formats that other programs read, why one gap is open, and the chain that it is part of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import networkx as nx

from interlock.documents.names import closest
from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.base import Scope
from interlock.model.errors import InterlockError
from interlock.model.gap_graph import GapGraph, GapNode
from interlock.model.text import plain
from interlock.plan import exports
from interlock.plan.explanation import GapExplanation, ReadValue, explain
from interlock.plan.graph import dominators
from interlock.usecases.load import Inputs
from interlock.usecases.questions import Asked

__all__ = ["Chain", "ChainLink", "chain_of", "dominators", "draw", "explanation_of", "part"]


@dataclass(frozen=True)
class ChainLink:
    """One box of a chain: a node, or those of one rule at several organisations.

    :ivar layer: 0 for what waits for nothing in the chain.
    :ivar after: places in the chain of the links that wait directly for this one.
    """

    nodes: tuple[GapNode, ...]
    layer: int
    after: tuple[int, ...]


@dataclass(frozen=True)
class Chain:
    """What has to be closed before a gap, the gap itself, and what waits for it, layer by layer.

    :ivar here: the place of the gap itself.
    :ivar left: how many gaps and unknowns of the chain are left out, the farthest ones.
    """

    links: tuple[ChainLink, ...]
    here: int
    left: int


def chain_of(graph: GapGraph, key: str, most: int = 24) -> Chain:
    """The chain around a gap, of so many boxes at most, the nearest ones; in a layer, what hangs together is near.

    :raises KeyError: there is no such node.
    """
    nodes = {node.key: node for node in graph.nodes}
    waiting = nx.DiGraph()
    waiting.add_nodes_from(nodes)
    waiting.add_edges_from((edge.before, edge.after) for edge in graph.reduced)
    if key not in waiting:
        raise KeyError(key)
    near = nx.single_source_shortest_path_length(waiting.reverse(copy=False), key)
    near |= nx.single_source_shortest_path_length(waiting, key)
    boxes: dict[tuple[str, str], list[str]] = {}
    for other in sorted(near, key=lambda other: (near[other], nodes[other].wave)):
        boxes.setdefault((nodes[other].rule, nodes[other].kind), []).append(other)
    kept = dict(list(boxes.items())[:most])
    box_of = {other: box for box, others in kept.items() for other in others}
    joined = nx.DiGraph()
    joined.add_nodes_from(kept)
    for before, after in waiting.subgraph(box_of).edges:
        joined.add_edge(box_of[before], box_of[after])
    joined = nx.transitive_reduction(joined)
    order: list[tuple[str, str]] = []
    layers: dict[tuple[str, str], int] = {}
    for layer, generation in enumerate(nx.topological_generations(joined)):
        number = {box: number for number, box in enumerate(order)}

        def weight(box: tuple[str, str], number: dict[tuple[str, str], int] = number) -> tuple[float, tuple[str, str]]:
            before = [number[other] for other in joined.predecessors(box)]
            return (sum(before) / len(before) if before else 0.0, box)

        layers |= dict.fromkeys(generation, layer)
        order += sorted(generation, key=weight)
    number = {box: number for number, box in enumerate(order)}
    links = tuple(
        ChainLink(
            nodes=tuple(nodes[other] for other in kept[box]),
            layer=layers[box],
            after=tuple(sorted(number[other] for other in joined.successors(box))),
        )
        for box in order
    )
    return Chain(links, number[box_of[key]], len(near) - len(box_of))


def explanation_of(assessment: Assessment, key: str, inputs: Inputs | None = None) -> GapExplanation:
    """Why one gap is open, what it rests on and what to do about it.

    :param key: as ``interlock gaps`` shows it, in upper or lower case.
    :param inputs: what the assessment was made of, to say what each answer and check said.
    :raises InterlockError: no open gap has that key; close ones are named.
    """
    by_upper = {node.key.upper(): node.key for node in assessment.graph.nodes}
    if key.upper() not in by_upper:
        remedy = closest(key, by_upper.values(), "interlock gaps lists them")
        raise InterlockError(f"no open gap is called {key!r}", remedy=remedy)
    explanation = explain(by_upper[key.upper()], assessment)
    if inputs is None:
        return explanation
    org = explanation.subject.id if explanation.subject.scope is Scope.ORG else None
    reads = tuple(read.model_copy(update={"says": _says(read, inputs, org)}) for read in explanation.reads)
    return explanation.model_copy(update={"reads": reads})


def _says(read: ReadValue, inputs: Inputs, org: str | None) -> str | None:
    """What an answer or a check said; none when it is neither or not there."""
    head, _, name = read.name.partition(".")
    if read.origin == "answer":
        return _answer(name, inputs, org)
    observation = inputs.observations.get(org) if org else None
    if read.origin != "observation" or observation is None:
        return None
    probed = f"probed {words.day(observation.started)}"
    if head == "checks":
        checks = [check for check in observation.checks if check.id == name]
        return f"{words.CHECK[checks[0].outcome].phrase}: {checks[0].message} ({probed})" if checks else None
    return probed


def _answer(name: str, inputs: Inputs, org: str | None) -> str | None:
    item = inputs.content.items.get(name)
    scope = org if item is not None and item.scope is Scope.ORG and org else "product"
    response = inputs.answers(scope).get(name)
    if item is None:
        return None
    answer = Asked(scope, "", item, response).shown_answer()
    if response is None:
        return answer
    about = [words.EVIDENCE[response.evidence].phrase]
    about += [f"by {plain(response.by, 80)}"] if response.by else []
    about += [words.day(response.at)] if response.at else []
    return f"{answer} ({', '.join(about)})"


def part(graph: GapGraph, org: str | None) -> GapGraph:
    """The graph as it concerns one organisation, or the whole."""
    if org is None:
        return graph
    kept = tuple(node for node in graph.nodes if org in node.orgs)
    keys = {node.key for node in kept}
    return graph.model_copy(
        update={
            "nodes": kept,
            "edges": tuple(edge for edge in graph.edges if edge.before in keys and edge.after in keys),
            "reduced": tuple(edge for edge in graph.reduced if edge.before in keys and edge.after in keys),
            "waves": tuple(tuple(key for key in wave if key in keys) for wave in graph.waves),
        }
    )


_WRITERS = {
    "json": exports.to_json,
    "mermaid": exports.to_mermaid,
    "dot": exports.to_dot,
    "graphml": exports.to_graphml,
}


def draw(
    assessment: Assessment, how: Literal["json", "mermaid", "dot", "graphml", "svg"], org: str | None = None
) -> str:
    """The gap graph as node-link JSON, Mermaid, DOT, GraphML or SVG text.

    :raises InterlockError: a picture is asked for and nothing is open.
    """
    graph = part(assessment.graph, org)
    if how != "svg":
        return _WRITERS[how](graph)
    if not graph.nodes:
        raise InterlockError(
            "there is no graph to draw: nothing is open", remedy="interlock score shows where things stand"
        )
    from interlock.report.charts import gap_graph_svg

    return gap_graph_svg(graph, {organization.id: organization.name for organization in assessment.organizations})
