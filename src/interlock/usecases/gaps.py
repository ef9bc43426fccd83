"""The gap graph in the formats that other programs read, and why one gap is open."""

from __future__ import annotations

from typing import Literal

from interlock.documents.names import closest
from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.base import Scope
from interlock.model.errors import InterlockError
from interlock.model.gap_graph import GapGraph
from interlock.model.text import plain
from interlock.plan import exports
from interlock.plan.explanation import GapExplanation, ReadValue, explain
from interlock.usecases.load import Inputs
from interlock.usecases.questions import Asked


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
