"""Bars of block characters: score intervals, stages, counts, dates, and when a task begins and ends.

Three shades, told apart without colour too: ``█`` verified or done, ``▒`` possible or not known, ``░`` the rest.
"""

from __future__ import annotations

from textual.content import Content

from interlock.model.base import Gate
from interlock.model.plan import Quantiles
from interlock.model.readiness import Interval
from interlock.tui.styles import OK, PRIMARY

FULL, PART, REST = "█", "▒", "░"
_POSSIBLE, _TRACK = "$possible", "$track"


def cells(share: float, width: int) -> int:
    """How many cells a share in [0, 1] fills: more than nothing fills at least one, and only 1.0 fills all."""
    share = min(1.0, max(0.0, share))
    count = round(share * width)
    if share > 0:
        count = max(1, count)
    if share < 1:
        count = min(width - 1, count)
    return max(0, count)


def three(first: float, second: float, width: int, style: str = OK) -> Content:
    """A bar of three parts: ``first`` solid, up to ``second`` shaded, then the track. Shares in [0, 1]."""
    solid = cells(first, width)
    shaded = max(0, cells(max(first, second), width) - solid)
    return Content.assemble(
        (FULL * solid, style), (PART * shaded, _POSSIBLE), (REST * (width - solid - shaded), _TRACK)
    )


def interval_bar(interval: Interval, width: int) -> Content:
    """A score interval on 0 to 100: solid is verified so far, shaded the best case."""
    return three(interval.low / 100, interval.high / 100, width)


def stage_bar(stage: Gate | None) -> str:
    """Gates passed of the four, as four cells: ``■■□□``."""
    passed = 0 if stage is None else stage.rank + 1
    return "■" * passed + "□" * (len(Gate) - passed)


def count_bar(done: int, unsure: int, total: int, width: int) -> Content:
    """Counts: solid is done, shaded is said to be not known, the rest is open."""
    if total <= 0:
        return Content.styled(REST * width, _TRACK)
    return three(done / total, (done + unsure) / total, width)


def quantile_bar(quantiles: Quantiles, longest: float, width: int) -> Content:
    """Days to the P50 solid, on to the P80 shaded, on to the P90 light, on a scale that ends at ``longest`` days."""
    if longest <= 0:
        return Content.blank(width)
    solid = cells(quantiles.p50_days / longest, width)
    shaded = max(0, cells(quantiles.p80_days / longest, width) - solid)
    light = max(0, cells(quantiles.p90_days / longest, width) - solid - shaded)
    left = width - solid - shaded - light
    return Content.assemble((FULL * solid, PRIMARY), (PART * shaded, _POSSIBLE), (REST * light, _TRACK), " " * left)


def span_bar(start: float, finish: float, longest: float, width: int, *, critical: bool) -> Content:
    """A task's median start and finish on a scale that ends at ``longest`` days; ``critical`` is drawn solid."""
    if longest <= 0 or width <= 0:
        return Content.blank(max(0, width))
    left = min(width - 1, int(start / longest * width))
    length = max(1, min(width - left, round((finish - start) / longest * width)))
    glyph, style = (FULL, PRIMARY) if critical else (PART, _POSSIBLE)
    return Content.assemble(("·" * left, _TRACK), (glyph * length, style), ("·" * (width - left - length), _TRACK))
