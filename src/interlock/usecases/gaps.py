"""The gap graph in the formats that other programs read, and the story of one gap."""

from __future__ import annotations

from typing import Literal

from interlock.gaps import exports
from interlock.gaps.story import GapStory, explain
from interlock.model.assessment import Assessment, GapGraph
from interlock.model.errors import InterlockError


def story(assessment: Assessment, key: str) -> GapStory:
    """The story of one gap; its key as ``interlock gaps`` shows it, upper or lower case.

    :raises InterlockError: no open gap has that key; close ones are named.
    """
    by_upper = {node.key.upper(): node.key for node in assessment.graph.nodes}
    if key.upper() not in by_upper:
        import difflib

        close = difflib.get_close_matches(key.upper(), by_upper, n=3, cutoff=0.5)
        hint = f"did you mean {', '.join(by_upper[name] for name in close)}?" if close else "interlock gaps lists them"
        raise InterlockError(f"no open gap is called {key!r}", remedy=hint)
    return explain(by_upper[key.upper()], assessment)


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


def draw(assessment: Assessment, how: Literal["json", "mermaid", "dot", "svg"], org: str | None = None) -> str:
    """The gap graph as node-link JSON, Mermaid, DOT or SVG text.

    :raises InterlockError: a picture is asked for and nothing is open.
    """
    graph = part(assessment.graph, org)
    if how == "json":
        return exports.to_json(graph)
    if how == "mermaid":
        return exports.to_mermaid(graph)
    if how == "dot":
        return exports.to_dot(graph)
    if not graph.nodes:
        raise InterlockError(
            "there is no graph to draw: nothing is open", remedy="interlock score shows where things stand"
        )
    from interlock.report.charts import gap_graph_svg

    return gap_graph_svg(graph, {organization.id: organization.name for organization in assessment.organizations})
