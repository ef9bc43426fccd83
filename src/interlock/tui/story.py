"""The story of one gap on a page: why it matters, what to do, what it waits for and blocks, what it rests on."""

from __future__ import annotations

from collections.abc import Mapping

from textual.content import Content

from interlock.model.assessment import Assessment
from interlock.model.gap_graph import GapNode
from interlock.model.rule import Effort, LeadTime
from interlock.tui.page import Page, line, text
from interlock.tui.widgets.neighbourhood import draw_neighbourhood
from interlock.tui.words import ACCENT, DIM, OWNER, SEVERITY, WARN

_CLASSES = {
    "product_blocker": "blocks the product",
    "integration_blocker": "blocks the integration",
    "gap": "a gap",
    "advice": "advice",
}


def draw_story(page: Page, assessment: Assessment, node: GapNode, names: Mapping[str, str]) -> None:
    """Everything known about one open gap or one thing to find out."""
    from interlock.usecases.gaps import story

    told = story(assessment, node.key)
    sign = SEVERITY[told.severity]
    page.para(told.title, "bold")
    if node.kind == "discovery":
        page.line(("? to find out", f"bold {WARN}"), (f"   {told.severity.value} once it is a gap", DIM))
    else:
        page.line((f"{sign.glyph} {sign.word}", f"bold {sign.style}"), (f"   {_CLASSES[told.gap_class.value]}", DIM))
    page.line((f"gate {told.gate.value}   owner {OWNER[told.remediation.owner]}   wave {node.wave + 1}", DIM))
    page.blank()
    page.para(told.statement)
    if node.orgs:
        page.field("Concerns", ", ".join(names.get(org, org) for org in node.orgs), label_width=9)
    page.heading("Why it matters")
    page.para(told.why)
    page.heading("What to do", OWNER[told.remediation.owner])
    page.para(told.remediation.text)
    _effort(page, told.remediation.effort, told.remediation.lead_time)
    if told.task is not None:
        days = f"day {told.task.start_p50:.0f} to {told.task.finish_p50:.0f}"
        page.field("In the plan", f"{days} (median), critical in {told.task.criticality:.0%} of runs", style=DIM)
    page.heading("Before and after")
    edges = assessment.graph.reduced
    before = [edge.before for edge in edges if edge.after == node.key]
    after = [edge.after for edge in edges if edge.before == node.key]
    draw_neighbourhood(page, _nodes(assessment, before), node, _nodes(assessment, after))
    if told.root_cause:
        page.blank()
        page.bullet(text("!", ACCENT), told.root_cause)
    if told.blocks:
        page.heading("What it blocks")
        gates: dict[str, list[str]] = {}
        for blocked in told.blocks:
            gates.setdefault(blocked.gate.value, []).append(
                names.get(blocked.org, blocked.org) if blocked.org else "product"
            )
        for gate, orgs in gates.items():
            page.field(gate, ", ".join(orgs), label_width=10)
    page.heading("What it rests on", told.evidence.value if told.evidence else "undecided")
    for read in told.reads:
        glyph = text("✓", "$success") if read.known else text("?", WARN)
        page.bullet(
            Content.assemble(glyph),
            (read.name, ""),
            line((f"  {read.origin}", DIM), ("" if read.known else ", not known", WARN)),
        )
    if told.references or told.source:
        page.heading("References", " ".join(told.source))
        for reference in told.references:
            page.bullet(text("→", DIM), reference.title, line(("  ", ""), (reference.url, DIM)))


def _nodes(assessment: Assessment, keys: list[str]) -> list[GapNode]:
    wanted = set(keys)
    return [node for node in assessment.graph.nodes if node.key in wanted]


def _effort(page: Page, effort: Effort, lead: LeadTime | None) -> None:
    page.field("Effort", f"{effort.expected:g} person-days ({effort.low:g} to {effort.high:g})", style=DIM)
    if lead is not None:
        unit = "days" if lead.unit == "days" else "working days"
        span = f"{lead.expected:g} {unit} ({lead.low:g} to {lead.high:g})"
        page.field("Others need", f"{span}; {lead.grade.value}, {lead.as_of}", style=DIM)
