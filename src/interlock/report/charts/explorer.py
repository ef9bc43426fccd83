"""The whole gap graph as data for the page's script: every node of every organisation, nothing merged or left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from interlock.model import words
from interlock.model.gap_graph import GapGraph, GapNode
from interlock.model.language import _
from interlock.report import safe
from interlock.report.charts.condense import drawn
from interlock.report.charts.svg import wrap

#: What a box of the script has for its title: width and size in user units, and lines.
_TITLE = (192.0, 11.0, 2)


def graph_data(graph: GapGraph, names: Mapping[str, str], anchor: Callable[[GapNode], str]) -> dict[str, Any]:
    """Nodes, edges between their positions, and texts and organisations that nodes name by position.

    Short names, since there may be thousands of nodes: of a node ``r`` is the rule, ``k`` the kind in words, ``s`` the
    class of its box, ``w`` where, ``t`` the title's position, ``o`` the organisations', ``v`` the wave, ``a`` the
    anchor, ``x`` whether it is a root cause. A title is the whole text and the lines of a box.
    """
    roots = {key for cause in graph.root_causes for key in (cause.nodes or (cause.key,))}
    titles: dict[str, int] = {}
    orgs = {org: index for index, org in enumerate(dict.fromkeys(org for node in graph.nodes for org in node.orgs))}
    nodes = []
    for node in graph.nodes:
        box = drawn([node], roots, names, anchor)
        severity = _("%(severity)s gap", severity=words.SEVERITY[box.severity].phrase)
        nodes.append(
            {
                "r": box.rule,
                "k": words.TASK["discovery"].phrase if box.discovery else severity,
                "s": "find" if box.discovery else box.severity.value,
                "w": box.where,
                "t": titles.setdefault(box.title, len(titles)),
                "o": [orgs[org] for org in node.orgs],
                "v": node.wave,
                "a": box.anchor,
                "x": int(box.root),
            }
        )
    at = {node.key: index for index, node in enumerate(graph.nodes)}
    return {
        "nodes": nodes,
        "edges": [[at[edge.before], at[edge.after]] for edge in graph.reduced],
        "labels": [[title, wrap(title, *_TITLE)] for title in titles],
        "orgs": [safe.name(names.get(org, org)) for org in orgs],
    }
