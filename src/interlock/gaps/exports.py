"""A gap graph as text for other programs: Mermaid, Graphviz DOT, GraphML, and node-link JSON.

Every label is made of text that a stranger may have chosen (an organisation's name, a server's words in a message), so
each writer escapes for its own medium and trusts nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

from interlock.documents import visible
from interlock.documents.text import plain
from interlock.model.gap_graph import GapGraph, GapNode

LABEL_LIMIT = 160

#: Everything that Mermaid, Markdown or HTML could read as more than itself.
_MERMAID_SPECIAL = re.compile(r"[^\w\s.,:@/+=()'!?–—…-]")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
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
        marks = node.severity.value if node.kind == "gap" else "discovery"
        lines.append(f"    {names[node.key]}{opening}{label}{closing}:::{marks}")
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


#: Attributes of a node in GraphML: name, GraphML's type, and where it comes from.
_GRAPHML_NODE: tuple[tuple[str, str, Callable[[GapNode], object]], ...] = (
    ("label", "string", lambda node: _label(node)),
    ("rule", "string", lambda node: node.rule),
    ("kind", "string", lambda node: node.kind),
    ("severity", "string", lambda node: node.severity.value),
    ("gate", "string", lambda node: node.gate.value),
    ("owner", "string", lambda node: node.owner.value),
    ("wave", "int", lambda node: node.wave),
    ("blocks", "int", lambda node: node.blocks),
    ("organisations", "string", lambda node: " ".join(node.orgs)),
)


def to_graphml(graph: GapGraph) -> str:
    """GraphML 1.0 (graphml.graphdrawing.org), every edge, with ``reduced`` saying which the transitive reduction keeps.

    Text is escaped by the XML writer; characters that XML 1.0 does not allow are made visible before.
    """
    root = ElementTree.Element("graphml", {"xmlns": "http://graphml.graphdrawing.org/xmlns"})
    for name, kind, _ in _GRAPHML_NODE:
        root.append(ElementTree.Element("key", {"id": name, "for": "node", "attr.name": name, "attr.type": kind}))
    reduced = {"id": "reduced", "for": "edge", "attr.name": "reduced", "attr.type": "boolean"}
    root.append(ElementTree.Element("key", reduced))
    drawn = ElementTree.SubElement(root, "graph", {"id": "gaps", "edgedefault": "directed"})
    for node in graph.nodes:
        element = ElementTree.SubElement(drawn, "node", {"id": _xml(node.key)})
        for name, _, value in _GRAPHML_NODE:
            ElementTree.SubElement(element, "data", {"key": name}).text = _xml(value(node))
    kept = {(edge.before, edge.after) for edge in graph.reduced}
    for edge in graph.edges:
        link = ElementTree.SubElement(drawn, "edge", {"source": _xml(edge.before), "target": _xml(edge.after)})
        stays = str((edge.before, edge.after) in kept).lower()
        ElementTree.SubElement(link, "data", {"key": "reduced"}).text = stays
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def to_json(graph: GapGraph) -> str:
    """Node-link JSON as ``networkx.node_link_graph`` reads it: ``nodes`` with ``id``, ``edges`` with source and target.

    Each edge says whether it belongs to the transitive ``reduced`` graph. ``<``, ``>``, ``&`` and the two line
    separators of JavaScript are written as ``\\u`` escapes, so the text may stand inside an HTML ``script`` element.
    """
    kept = {(edge.before, edge.after) for edge in graph.reduced}
    document: dict[str, Any] = {
        "directed": True,
        "multigraph": False,
        "graph": {
            "waves": [list(wave) for wave in graph.waves],
            "root_causes": [cause.model_dump(mode="json") for cause in graph.root_causes],
        },
        "nodes": [{"id": node.key, **node.model_dump(mode="json", exclude={"key"})} for node in graph.nodes],
        "edges": [
            {"source": edge.before, "target": edge.after, "reduced": (edge.before, edge.after) in kept}
            for edge in graph.edges
        ],
    }
    text = visible.to_json(document)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _label(node: GapNode) -> str:
    return plain(f"{node.key}: {node.label}", LABEL_LIMIT)


def _xml(value: object) -> str:
    """Text without the surrogates and non-characters that XML 1.0 does not allow (its section 2.2)."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", plain(value, 20_000))


def _dot(text: str) -> str:
    escaped = plain(text, LABEL_LIMIT).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return '"' + escaped.replace("\\", "\\\\").replace('"', '\\"') + '"'
