"""Score intervals as bars: solid up to what is verified so far, outlined and hatched up to the best case."""

from __future__ import annotations

import math

from interlock.model.readiness import Interval
from interlock.report.charts.svg import INK, PAPER, RULE, SOFT, WASH, Value, element, picture


def score_bar(score: Interval, alt: str, *, width: float = 168, height: float = 14) -> str:
    """A bar on 0 to 100, ``width`` by ``height`` user units.

    The unknown part is hatched, so that it differs from the verified part without colour.
    """
    low, high = (width * _bounded(value) / 100 for value in (score.low, score.high))
    high = max(high, low)
    body: list[str] = [
        element("rect", {"x": 0.5, "y": 0.5, "width": width - 1, "height": height - 1, "class": "b-track",
                         "fill": WASH, "stroke": RULE}),
    ]  # fmt: skip
    if high - low > 0.5:
        body.append(
            element("rect", {"x": low, "y": 0.5, "width": high - low - 0.5, "height": height - 1, "class": "b-open",
                             "fill": PAPER, "stroke": SOFT})
        )  # fmt: skip
        body.append(element("path", _hatching(low, high, height)))
    if low > 0.5:
        body.append(element("rect", {"x": 0, "y": 0, "width": low, "height": height, "class": "b-solid", "fill": INK}))
    return picture(width, height, alt, body, name="bar")


def _bounded(value: float) -> float:
    return min(100.0, max(0.0, value)) if math.isfinite(value) else 0.0


def _hatching(low: float, high: float, height: float) -> dict[str, Value]:
    """Strokes at 45 degrees inside the rectangle from ``low`` to ``high``, clipped by arithmetic (no ids needed)."""
    strokes: list[str] = []
    start = low - height + 5
    while start < high:
        left, right = max(start, low + 1), min(start + height, high - 1)
        if right - left > 0.5:
            strokes.append(f"M{left:.1f} {height - (left - start):.1f}L{right:.1f} {height - (right - start):.1f}")
        start += 5
    return {"d": "".join(strokes), "class": "b-hatch", "stroke": SOFT, "stroke-width": 0.8, "fill": "none"}
