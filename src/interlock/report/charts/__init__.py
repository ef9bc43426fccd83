"""Charts as SVG text, drawn by our own code: score bars, the gap graph, the plan's timeline and tornado."""

from interlock.report.charts.bars import TornadoRow, score_bar, tornado
from interlock.report.charts.condense import Drawing, DrawnNode, condense, required
from interlock.report.charts.curve import finish_curve
from interlock.report.charts.explorer import graph_data
from interlock.report.charts.gantt import GanttRow, gantt
from interlock.report.charts.graph import arranged, gap_graph, gap_graph_svg, mermaid
from interlock.report.charts.timeline import timelines

__all__ = [
    "Drawing",
    "DrawnNode",
    "GanttRow",
    "TornadoRow",
    "condense",
    "finish_curve",
    "gantt",
    "gap_graph",
    "gap_graph_svg",
    "graph_data",
    "mermaid",
    "arranged",
    "required",
    "score_bar",
    "timelines",
    "tornado",
]
