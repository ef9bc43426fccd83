"""A text drawing of what stands before a gap and what waits for it: before → this → after."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from interlock.model.gap_graph import GapNode
from interlock.tui.page import Page, line, text
from interlock.tui.words import ACCENT, DIM, PRIMARY, SEVERITY, WARN

#: How many neighbours are drawn on each side; the rest is counted.
MOST = 6


def draw_neighbourhood(page: Page, before: Sequence[GapNode], node: GapNode, after: Sequence[GapNode]) -> None:
    """Direct neighbours in the working graph, from what comes first to what comes last."""
    if not before:
        page.line(("nothing has to be closed first", DIM))
    for index, other in enumerate(before[:MOST]):
        _box(page, "┌" if index == 0 else "├", other)
    if len(before) > MOST:
        page.line(("├ ", PRIMARY), (f"and {len(before) - MOST} more", DIM))
    page.line(("▼", PRIMARY))
    page.bullet(
        Content.styled("■", f"bold {PRIMARY}"), (f"{node.key}  ", "bold"), (node.title, "bold"), ("  this one", ACCENT)
    )
    page.line(("▼", PRIMARY))
    if not after:
        page.line(("nothing waits for it directly", DIM))
    for index, other in enumerate(after[:MOST]):
        last = index == len(after) - 1
        _box(page, "└" if last else "├", other)
    if len(after) > MOST:
        page.line(("└ ", PRIMARY), (f"and {len(after) - MOST} more", DIM))


def _box(page: Page, corner: str, node: GapNode) -> None:
    sign = SEVERITY[node.severity]
    unknown = node.kind == "discovery"
    glyph = text("?", WARN) if unknown else text(sign.glyph, sign.style)
    lead = Content.assemble((corner, PRIMARY), " ", glyph)
    page.bullet(lead, line((f"{node.key}  ", "bold"), (node.title, DIM)))
