"""A gap graph as text for other programs: Mermaid, Graphviz DOT, GraphML, and node-link JSON.

Every label is made of text that a stranger may have chosen (an organisation's name, a server's words in a message), so
each writer escapes for its own medium and trusts nothing.
"""

from __future__ import annotations

import re

import networkx as nx

from interlock.documents import visible
from interlock.model.gap_graph import GapGraph, GapNode
from interlock.model.text import plain

LABEL_LIMIT = 160

#: Everything that Mermaid, Markdown or HTML could read as more than itself.
_MERMAID_SPECIAL = re.compile(r"[^\w\s.,:@/+=()'!?–—…-]")
_MERMAID_SHAPES = {"gap": ('["', '"]'), "discovery": ('(["', '"])')}
_MERMAID_CLASSES = """\
    classDef critical stroke-width:4px
    classDef high stroke-width:3px
    classDef medium stroke-width:2px
    classDef low stroke-width:1px
    classDef discovery stroke-dasharray:4 3
"""


def to_mermaid(graph: GapGraph) -> str:
    """A Mermaid flowchart, left to right; arrows go from what is closed first to what waits for it.

    Only the edges of the transitive reduction are drawn. Undecided findings have round ends and a dashed border.
    Characters outside a small safe set are written as ``#code;``, Mermaid's own escape, so quotes, brackets, line feeds
    and HTML stay text.
    """
    names = {node.key: f"n{number}" for number, node in enumerate(graph.nodes)}
    lines = ["flowchart LR"]
    for node in graph.nodes:
        opening, closing = _MERMAID_SHAPES[node.kind]
        label = _MERMAID_SPECIAL.sub(lambda match: f"#{ord(match.group())};", _label(node))
        style = node.severity.value if node.kind == "gap" else "discovery"
        lines.append(f"    {names[node.key]}{opening}{label}{closing}:::{style}")
    lines += [f"    {names[edge.before]} --> {names[edge.after]}" for edge in graph.reduced]
    return "\n".join(lines) + "\n" + (_MERMAID_CLASSES if graph.nodes else "")


def to_dot(graph: GapGraph) -> str:
    """A Graphviz digraph (DOT language) of the transitive reduction; undecided findings are dashed, one rank a wave.

    Labels are double-quoted strings: backslashes and quotes are escaped for DOT, ``&``, ``<`` and ``>`` as the
    character entities that Graphviz resolves.
    """
    lines = ["digraph gaps {", "    rankdir=LR;", '    node [shape=box, fontname="Helvetica"];']
    for node in graph.nodes:
        style = ", style=dashed" if node.kind == "discovery" else ""
        lines.append(f"    {_dot(node.key)} [label={_dot(_label(node))}{style}];")
    lines += [f"    {_dot(edge.before)} -> {_dot(edge.after)};" for edge in graph.reduced]
    lines += [f"    {{ rank=same; {'; '.join(map(_dot, wave))}; }}" for wave in graph.waves if len(wave) > 1]
    return "\n".join([*lines, "}"]) + "\n"


def to_graphml(graph: GapGraph) -> str:
    """GraphML 1.0 (graphml.graphdrawing.org), every edge, with ``reduced`` saying which the transitive reduction keeps.

    Text is escaped by the XML writer; ``plain`` has replaced the characters that XML 1.0 does not allow.
    """
    drawn = nx.DiGraph()
    for node in graph.nodes:
        texts = {
            "label": _label(node),
            "rule": node.rule,
            "kind": node.kind,
            "severity": node.severity.value,
            "gate": node.gate.value,
            "owner": node.owner.value,
            "organisations": " ".join(node.orgs),
        }
        written = {name: plain(text, 20_000) for name, text in texts.items()}
        drawn.add_node(plain(node.key), wave=node.wave, blocks=node.blocks, **written)
    kept = set(graph.reduced)
    for edge in graph.edges:
        drawn.add_edge(plain(edge.before), plain(edge.after), reduced=edge in kept)
    lines = nx.generate_graphml(drawn, named_key_ids=True)
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', *lines]) + "\n"


def to_json(graph: GapGraph) -> str:
    """Node-link JSON as ``networkx.node_link_graph`` reads it: ``nodes`` with ``id``, ``edges`` with source and target.

    Each edge says whether it belongs to the transitive ``reduced`` graph. ``<``, ``>``, ``&`` and the two line
    separators of JavaScript are written as ``\\u`` escapes, so the text may stand inside an HTML ``script`` element.
    """
    drawn = nx.DiGraph(
        waves=[list(wave) for wave in graph.waves],
        root_causes=[cause.model_dump(mode="json") for cause in graph.root_causes],
    )
    drawn.add_nodes_from((node.key, node.model_dump(mode="json", exclude={"key"})) for node in graph.nodes)
    kept = set(graph.reduced)
    drawn.add_edges_from((edge.before, edge.after, {"reduced": edge in kept}) for edge in graph.edges)
    document = nx.node_link_data(drawn, edges="edges")
    position = {node.key: number for number, node in enumerate(graph.nodes)}
    document["edges"].sort(key=lambda edge: (position[edge["target"]], position[edge["source"]]))
    text = visible.to_json(document)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _label(node: GapNode) -> str:
    return plain(f"{node.key}: {node.label}", LABEL_LIMIT)


def _dot(text: str) -> str:
    escaped = plain(text, LABEL_LIMIT).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return '"' + escaped.replace("\\", "\\\\").replace('"', '\\"') + '"'
