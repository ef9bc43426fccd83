"""What depends on what: the gap graph as a picture and as Mermaid, and its root causes."""

from __future__ import annotations

from collections.abc import Callable

from interlock.model import words
from interlock.model.base import RuleOutcome
from interlock.model.gap_graph import GapGraph, GapNode, RootCause
from interlock.model.language import _
from interlock.report import safe
from interlock.report.charts import Drawing, arranged, condense, gap_graph, graph_data, mermaid, required
from interlock.report.elements import SEVERITY_MARK, Mark, Picture, Shown
from interlock.report.sections.context import Context, Section

#: Print area in user units (96 to the inch): A4 upright and lying on its side, less heading and caption.
#: Below the smallest scale the text of a box is too small to read in print: then fewer boxes are drawn.
_SMALLEST, _BUDGETS = 0.74, (24, 20, 16, 12)
_UPRIGHT, _LANDSCAPE = (643.0, 718.0), (960.0, 470.0)


def build_graph(context: Context) -> Shown:
    """Picture, Mermaid source and root causes of the working graph."""
    graph = context.assessment.graph
    if not graph.nodes:
        lead = _("Nothing is open and nothing is undecided, so there is nothing to draw.")
        return {"lead": lead, "picture": None, "data": None, "mermaid": "", "arrows": (), "note": "", "root_causes": ()}

    def anchor(node: GapNode) -> str:
        return context.rule_anchor(node.rule, RuleOutcome.GAP if node.kind == "gap" else RuleOutcome.UNKNOWN)

    gaps = sum(1 for node in graph.nodes if node.kind == "gap")
    parts = [words.count(gaps, "open gap")] if gaps else []
    if len(graph.nodes) > gaps:
        parts.append(words.count(len(graph.nodes) - gaps, "thing to find out", "things to find out"))
    lead = words.counted(
        len(graph.reduced),
        "%(parts)s, joined by %(number)s dependency. An arrow leads from what has to be closed "
        "first to what waits for it.",
        "%(parts)s, joined by %(number)s dependencies. An arrow leads from what has to be closed "
        "first to what waits for it.",
        parts=words.listed(parts),
    )

    drawn = required(graph, lambda node: context.needed(context.assessment.rules[node.rule]))
    drawn = drawn if drawn.nodes else graph
    number, gate = len(graph.nodes) - len(drawn.nodes), words.GATE[context.assessment.target_gate].phrase
    are = words.agree(number, "is", "are")
    needless = (
        words.counted(
            number,
            "%(number)s node that the %(gate)s gate does not need %(are)s left out.",
            "%(number)s nodes that the %(gate)s gate does not need %(are)s left out.",
            gate=gate,
            are=are,
        )
        if number
        else ""
    )
    drawing, picture = _legible(drawn, context, anchor, graph.root_causes, lead)
    return {
        "lead": lead,
        "picture": picture,
        "data": None if context.brief else graph_data(graph, context.names, anchor),
        "mermaid": mermaid(drawing),
        "arrows": _arrows(drawing),
        "note": " ".join(filter(None, (needless, drawing.note))),
        "root_causes": tuple(_root(context, cause) for cause in graph.root_causes),
    }


def _arrows(drawing: Drawing) -> tuple[Shown, ...]:
    """The picture's arrows in words: what comes first, and all that then can begin."""
    told = {node.key: f"{node.rule} ({node.where}): {node.title}" for node in drawing.nodes}
    then: dict[str, list[str]] = {}
    for before, after in drawing.edges:
        then.setdefault(before, []).append(told[after])
    return tuple({"first": told[key], "then": tuple(rest)} for key, rest in then.items())


def _legible(
    graph: GapGraph, context: Context, anchor: Callable[[GapNode], str], causes: tuple[RootCause, ...], lead: str
) -> tuple[Drawing, Picture]:
    """As many boxes as can be read on one page, and their picture."""
    roots = words.listed([safe.text(cause.key, 60) for cause in causes], 6)
    alt = _("Gap graph. %(lead)s", lead=lead)
    if roots:
        alt += f" {_('Root causes: %(roots)s.', roots=roots)}"
    caption = _("Open gaps and what to find out, from left to right.")
    for budget in _BUDGETS:
        placed = arranged(condense(graph, context.names, anchor, budget))
        upright, lying = (
            min(1.0, across / placed.width, down / placed.height) for across, down in (_UPRIGHT, _LANDSCAPE)
        )
        if max(upright, lying) >= _SMALLEST:
            break
    svg = gap_graph(placed, alt)
    return placed.drawing, Picture(svg=svg, alt=alt, caption=caption, wide=lying > upright * 1.03)


def _root(context: Context, cause: RootCause) -> Shown:
    nodes = [context.nodes[key] for key in (cause.nodes or (cause.key,)) if key in context.nodes]
    node = nodes[0] if nodes else None
    mark = SEVERITY_MARK[node.severity] if node else Mark(symbol="", label="", tone="neutral")
    return {
        "mark": mark,
        "id": context.finding_link(node.key if node else cause.key),
        "where": words.listed(list(dict.fromkeys(context.subject_link(node.subject).label for node in nodes)), 4),
        "sentence": words.sentence(safe.text(cause.sentence)),
        "gate": words.GATE[cause.gate].title,
        "organizations": words.listed([context.organization_name(org) for org in cause.orgs], 6),
    }


SECTION = Section("graph", "What depends on what", build_graph)
