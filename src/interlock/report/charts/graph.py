"""The gap graph as a picture: layered left to right, boxes with id and title, what to find out dashed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from interlock.model import words
from interlock.model.base import Severity
from interlock.model.gap_graph import GapGraph
from interlock.model.language import _
from interlock.report.charts import svg
from interlock.report.charts.condense import Drawing, DrawnNode, condense
from interlock.report.charts.layout import Layout, arrange, layers_of
from interlock.report.charts.svg import element, fit, label, wrap


@dataclass(frozen=True)
class _Shape:
    """Sizes in user units: many columns get narrower and taller boxes, so that print stays legible."""

    width: float
    height: float
    gap: float
    lines: int

    def x(self, column: int) -> float:
        return _MARGIN + column * (self.width + self.gap)


_WIDE = _Shape(width=184, height=58, gap=40, lines=2)
_NARROW = _Shape(width=152, height=67, gap=28, lines=3)
_ROW_GAP = 11.0
_HEAD, _LEGEND, _LEGEND_WIDTH, _MARGIN = 26.0, 34.0, 390.0, 4.0
_BORDER = {Severity.CRITICAL: 2.6, Severity.HIGH: 1.9, Severity.MEDIUM: 1.2, Severity.LOW: 0.8}
_TONE = {Severity.CRITICAL: "bad", Severity.HIGH: "warn", Severity.MEDIUM: "soft", Severity.LOW: "soft"}


def gap_graph_svg(graph: GapGraph, names: Mapping[str, str]) -> str:
    """The picture of a graph as a file of its own; ``names`` are the organisations' names by id."""
    drawing = condense(graph, names, lambda _: "")
    gaps = sum(node.kind == "gap" for node in graph.nodes)
    alt = words.counted(
        gaps,
        "Gap graph: %(number)s open gap, %(nodes)s to find out.",
        "Gap graph: %(number)s open gaps, %(nodes)s to find out.",
        nodes=words.number(len(graph.nodes) - gaps),
    )
    return gap_graph(arranged(drawing), f"{alt} {drawing.note}".strip()) + "\n"


class Placed(NamedTuple):
    """A drawing with the place of everything in it, and its size in user units (96 to the inch).

    Separate nodes, which wait for nothing and hold up nothing, stand in rows of their own below.
    """

    drawing: Drawing
    layout: Layout
    shape: _Shape
    columns: int
    width: float
    height: float

    @property
    def below(self) -> float:
        """Where what stands alone begins."""
        return _HEAD + self.layout.height + _ROW_GAP if self.drawing.nodes else 0.0


def arranged(drawing: Drawing) -> Placed:
    """Where everything goes; cheap beside drawing it, for one who looks for a size that fits."""
    keys = [node.key for node in drawing.nodes]
    shape = _NARROW if max(layers_of(keys, drawing.edges).values(), default=0) > 2 else _WIDE
    layout = arrange(keys, drawing.edges, box=shape.height, gap=_ROW_GAP, bend=shape.height / 3)
    columns = max(layout.layers, min(len(drawing.separate), 3), 2 if drawing.nodes else 1)
    width = columns * (shape.width + shape.gap) - shape.gap + 2 * _MARGIN
    rows = -(-len(drawing.separate) // columns)
    placed = Placed(drawing, layout, shape, columns, max(width, _LEGEND_WIDTH), 0.0)
    alone = _HEAD + rows * (shape.height + _ROW_GAP) if rows else 0.0
    return placed._replace(height=placed.below + alone + _LEGEND)


def gap_graph(placed: Placed, alt: str) -> str:
    """The picture."""
    drawing, layout, shape = placed.drawing, placed.layout, placed.shape
    body: list[str] = []
    if drawing.nodes:
        body += [_heading(index, shape, waves=drawing.waves) for index in range(layout.layers)]
        body += [_edge(edge, layout, shape) for edge in drawing.edges]
        body += [
            _box(node, shape.x(layout.layer[node.key]), _HEAD + layout.centre[node.key] - shape.height / 2, shape)
            for node in drawing.nodes
        ]
    if drawing.separate:
        heading = _("Stand alone: can start now, and nothing waits for them")
        body.append(label(_MARGIN, placed.below + 16, heading, size=11, tone="soft"))
        for index, node in enumerate(drawing.separate):
            row, column = divmod(index, placed.columns)
            y = placed.below + _HEAD + row * (shape.height + _ROW_GAP)
            body.append(_box(node, shape.x(column), y, shape))
    body.append(_legend(placed.height - _LEGEND))
    return svg.picture(placed.width, placed.height, alt, body, name="graph")


def _heading(index: int, shape: _Shape, *, waves: bool) -> str:
    if not waves:
        said = _("Step %(number)s", number=index + 1)
    elif index:
        said = _("Wave %(number)s", number=index + 1)
    else:
        said = _("Wave %(number)s: can start now", number=index + 1)
    return label(shape.x(index), 13, said, size=11, tone="soft")


def _edge(edge: tuple[str, str], layout: Layout, shape: _Shape) -> str:
    """A smooth curve from box to box, through the bends that keep it clear of boxes between."""
    start, end = edge
    x, y = shape.x(layout.layer[start]) + shape.width, _HEAD + layout.centre[start]
    path = f"M{x:.1f} {y:.1f}"
    goals = [(shape.x(at), _HEAD + height, shape.width) for at, height in layout.bends[edge]]
    goals.append((shape.x(layout.layer[end]) - 6, _HEAD + layout.centre[end], 0.0))
    for goal_x, goal_y, run in goals:
        middle = (x + goal_x) / 2
        path += f"C{middle:.1f} {y:.1f} {middle:.1f} {goal_y:.1f} {goal_x:.1f} {goal_y:.1f}"
        if run:
            path += f"L{goal_x + run:.1f} {goal_y:.1f}"
        x, y = goal_x + run, goal_y
    tip = f"M{x + 6:.1f} {y:.1f}L{x - 1:.1f} {y - 4:.1f}L{x - 1:.1f} {y + 4:.1f}Z"
    line = element("path", {"d": path, "class": "g-edge", "fill": "none", "stroke": svg.SOFT, "stroke-width": 1.2})
    return line + element("path", {"d": tip, "class": "g-tip", "fill": svg.SOFT})


def _box(node: DrawnNode, x: float, y: float, shape: _Shape) -> str:
    tone = "unknown" if node.discovery else _TONE[node.severity]
    left = x + 14
    used = svg.text_width(node.rule, 11.5, bold=True) + 15
    where = fit(node.where, shape.width - 14 - used - 18, 10.5)
    lines = enumerate(wrap(node.title, shape.width - 24, 10.8, shape.lines))
    group = element(
        "g",
        {},
        element("title", {}, text=_spoken(node)),
        element("rect", {"x": x, "y": y, "width": shape.width, "height": shape.height, "rx": 6,
                         "class": _("g-box g-%(tone)s", tone=tone), "fill": svg.PAPER, "stroke": svg.COLOURS[tone],
                         "stroke-width": _BORDER[node.severity],
                         **({"stroke-dasharray": "5 3"} if node.discovery else {})}),
        element("rect", {"x": x + 4, "y": y + 6, "width": 4, "height": shape.height - 12, "class": "g-root",
                         "fill": svg.INK}) if node.root else "",
        _icon(left + 5, y + 14, node.severity, discovery=node.discovery),
        label(left + 15, y + 18, node.rule, size=11.5, weight=600),
        label(x + shape.width - 9, y + 18, where, size=10.5, anchor="end", tone="soft"),
        *(label(left, y + 33 + 12.8 * index, line, size=10.8) for index, line in lines),
    )  # fmt: skip
    return element("a", {"href": f"#{node.anchor}"}, group) if node.anchor else group


def _spoken(node: DrawnNode) -> str:
    kind = (
        words.TASK["discovery"].phrase
        if node.discovery
        else _("%(severity)s gap", severity=words.SEVERITY[node.severity].phrase)
    )
    root = [_("root cause")] if node.root else []
    return f"{', '.join([node.rule, kind, *root, node.where])}: {node.title}"


def _icon(x: float, y: float, severity: Severity, *, discovery: bool = False) -> str:
    """The severity's glyph of about 10 by 10 units centred on (x, y); shape carries the meaning, colour repeats it."""
    if discovery:
        return label(x, y + 4.5, "?", size=13, weight=600, anchor="middle", tone="unknown")
    shared: dict[str, svg.Value] = {"class": f"i-{_TONE[severity]}", "fill": svg.COLOURS[_TONE[severity]]}
    if severity is Severity.CRITICAL:
        return element("path", {"d": f"M{x} {y - 5.5}L{x + 5.5} {y}L{x} {y + 5.5}L{x - 5.5} {y}Z", **shared})
    if severity is Severity.HIGH:
        return element("path", {"d": f"M{x} {y - 5}L{x + 5.5} {y + 4.5}L{x - 5.5} {y + 4.5}Z", **shared})
    half = 4.2 if severity is Severity.MEDIUM else 2.6
    return element("rect", {"x": x - half, "y": y - half, "width": 2 * half, "height": 2 * half, **shared})


def _legend(top: float) -> str:
    x, y = _MARGIN + 6, top + 18
    parts: list[str] = []
    for severity in Severity:
        phrase = words.SEVERITY[severity].phrase
        parts += [_icon(x, y - 4, severity), label(x + 10, y, phrase, size=10.5, tone="soft")]
        x += 16 + svg.text_width(phrase, 10.5) + 10
    to_find_out = words.TASK["discovery"].phrase
    last = x + 23 + svg.text_width(to_find_out, 10.5) + 14
    return element(
        "g",
        {},
        *parts,
        element("rect", {"x": x, "y": y - 10, "width": 18, "height": 12, "rx": 3, "class": "g-box g-unknown",
                         "fill": svg.PAPER, "stroke": svg.UNKNOWN, "stroke-width": 1.2, "stroke-dasharray": "4 2"}),
        label(x + 23, y, to_find_out, size=10.5, tone="soft"),
        element("rect", {"x": last, "y": y - 11, "width": 4, "height": 14, "class": "g-root", "fill": svg.INK}),
        label(last + 9, y, _("root cause"), size=10.5, tone="soft"),
    )  # fmt: skip


def mermaid(drawing: Drawing) -> str:
    """The same picture as Mermaid source. Every character that is not plain is written as a numeric entity."""
    nodes = (*drawing.nodes, *drawing.separate)
    ids = {node.key: f"n{index}" for index, node in enumerate(nodes, start=1)}
    lines = ["flowchart LR"]
    for node in nodes:
        kind = words.TASK["discovery"].phrase if node.discovery else words.SEVERITY[node.severity].phrase
        content = f"{node.rule} {_entity(node.where)}<br/>{_entity(node.title)}<br/>({kind})"
        shape = f'("{content}")' if node.discovery else f'["{content}"]'
        lines.append(f"  {ids[node.key]}{shape}{':::find' if node.discovery else ':::' + node.severity.value}")
    lines += [f"  {ids[start]} --> {ids[end]}" for start, end in drawing.edges]
    lines += [
        "  classDef critical stroke:#9b1c1c,stroke-width:4px",
        "  classDef high stroke:#9a5200,stroke-width:3px",
        "  classDef medium stroke:#55606d,stroke-width:2px",
        "  classDef low stroke:#55606d,stroke-width:1px",
        "  classDef find stroke:#3b5b8c,stroke-width:2px,stroke-dasharray:5 3",
    ]
    return "\n".join(lines)


def _entity(content: str) -> str:
    return "".join(
        char if char.isascii() and (char.isalnum() or char in " .,-") else f"#{ord(char)};" for char in content
    )
