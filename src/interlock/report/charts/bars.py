"""Charts of bars: a score's interval, and what drives the P80.

A score is solid up to what is verified so far, outlined and hatched up to the best case. The tornado has for each task
or party the P80 of the runs in which it went best, and worst.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from interlock.model import words
from interlock.model.language import _
from interlock.model.readiness import Interval
from interlock.report import safe
from interlock.report.charts.svg import INK, PAPER, RULE, SOFT, WASH, Value, element, fit, label, picture, wrap

_WIDTH, _LEFT, _VALUE, _ROW, _LINE, _HEAD, _FOOT = 680.0, 268.0, 44.0, 31.0, 13.0, 22.0, 8.0


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


@dataclass(frozen=True)
class TornadoRow:
    """One bar, in working days from the plan's start; ``aside`` stands below the name, ``strong`` sets it semi-bold."""

    name: str
    aside: str
    well: float
    badly: float
    strong: bool = False


def tornado(rows: Sequence[TornadoRow], p80_days: float) -> tuple[str, str]:
    """The picture and its text alternative; both empty without rows.

    :param p80_days: the plan's own P80, drawn as the line through all bars.
    """
    if not rows:
        return "", ""
    low = min(p80_days, *(min(row.well, row.badly) for row in rows))
    high = max(p80_days, *(max(row.well, row.badly) for row in rows))
    span = max(high - low, 1.0)
    room = _WIDTH - _LEFT - 2 * _VALUE

    def x_of(days: float) -> float:
        return _LEFT + _VALUE + room * (days - low) / span

    tall = [_ROW + _LINE * (len(_lines(row)) - 1) for row in rows]
    height = _HEAD + sum(tall) + _FOOT
    line = x_of(p80_days)
    body = [
        element("path", {"d": f"M{line:.1f} {_HEAD - 5}V{height - _FOOT:.1f}", "class": "l-grid", "stroke": RULE}),
        label(
            line,
            12,
            _("P80: day %(p80_days)s", p80_days=words.number(round(p80_days))),
            size=10.5,
            anchor="middle",
            tone="soft",
        ),
    ]
    for index, row in enumerate(rows):
        body += _bar(row, _HEAD + sum(tall[:index]) + _ROW / 2, x_of(row.well), x_of(row.badly), line)
    spoken = "; ".join(
        _(
            "%(spoken)s: day %(well)s to %(badly)s",
            spoken=_spoken(row),
            well=words.number(round(row.well)),
            badly=words.number(round(row.badly)),
        )
        for row in rows
    )
    alt = _("P80 when each goes well and when it goes badly. %(spoken)s.", spoken=spoken)
    return picture(_WIDTH, height, alt, body, name="tornado"), alt


def _spoken(row: TornadoRow) -> str:
    return safe.name(row.name) + (f" ({safe.name(row.aside)})" if row.aside else "")


def _lines(row: TornadoRow) -> tuple[str, ...]:
    """The name, whole."""
    return wrap(safe.name(row.name), (_LEFT - 12) / (1.04 if row.strong else 1), 11.5, 4)


def _bar(row: TornadoRow, y: float, well: float, badly: float, line: float) -> list[str]:
    name = _lines(row)
    weight, below = 600 if row.strong else 400, y + 12 + _LINE * (len(name) - 1)
    left, right = min(well, badly), max(well, badly)
    middle = min(max(line, left), right)
    return [
        *(
            label(0, y + (0 if row.aside else 4) + _LINE * index, line_, size=11.5, weight=weight)
            for index, line_ in enumerate(name)
        ),
        *([label(0, below, fit(safe.name(row.aside), _LEFT - 12, 10), size=10, tone="soft")] if row.aside else []),
        element("rect", {"x": left, "y": y - 5.5, "width": max(middle - left, 1.0), "height": 11, "class": "l-well",
                         "fill": RULE}),
        element("rect", {"x": middle, "y": y - 5.5, "width": max(right - middle, 1.0), "height": 11,
                         "class": "l-range", "fill": INK}),
        label(left - 5, y + 4, f"{round(row.well):,}", size=10.5, anchor="end", tone="soft"),
        label(right + 5, y + 4, f"{round(row.badly):,}", size=10.5, tone="soft"),
    ]  # fmt: skip
