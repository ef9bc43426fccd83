"""The plan as a timeline: for each finish the P50 to P80 range, P90, and the optimistic single-path date."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from interlock.model import words
from interlock.model.plan import Quantiles
from interlock.report import safe
from interlock.report.charts import svg
from interlock.report.charts.svg import element, fit, label

ROWS_PER_PICTURE = 24
#: Days; what lies beyond is drawn at the right edge, and its dates are still written out.
_LONGEST = 30 * 366
_Scale = Callable[[date], float]
_WIDTH, _LEFT, _RIGHT, _ROW, _HEAD, _FOOT = 680.0, 196.0, 136.0, 28.0, 26.0, 30.0


@dataclass(frozen=True)
class TimelineRow:
    """One finish. ``most_likely_days`` are working days from the start; ``strong`` rows are set in semi-bold."""

    name: str
    finish: Quantiles
    most_likely_days: float
    strong: bool = False


def workday(start: date, days: float) -> date:
    """The date ``days`` working days (Monday to Friday, rounded up) after ``start``; holidays are not known here."""

    whole = math.ceil(round(min(max(days, 0.0), 20_000.0), 6)) if math.isfinite(days) else 0
    return date.fromisoformat(str(min(np.busday_offset(start, whole, roll="backward"), np.datetime64(date.max))))


def timelines(rows: Sequence[TimelineRow], start: str) -> tuple[tuple[str, str], ...]:
    """Pictures of at most :data:`ROWS_PER_PICTURE` rows on one scale, each with its text alternative.

    Empty when the plan's start is no date.
    """
    begin = safe.parse_day(start)
    if begin is None or not rows:
        return ()
    dated = [(row, _dates(row.finish)) for row in rows]
    end = min(max(max(dates) for _, dates in dated), _later(begin, _LONGEST))
    end = max(end, _later(begin, 14))
    parts = range(0, len(dated), ROWS_PER_PICTURE)
    return tuple(_picture(dated[first : first + ROWS_PER_PICTURE], begin, end) for first in parts)


def _later(start: date, days: int) -> date:
    return start + timedelta(days=min(days, (date.max - start).days))


def _dates(finish: Quantiles) -> tuple[date, date, date]:
    p50, p80, p90 = map(date.fromisoformat, (finish.p50_date, finish.p80_date, finish.p90_date))
    return p50, p80, p90


def _picture(rows: Sequence[tuple[TimelineRow, tuple[date, date, date]]], begin: date, end: date) -> tuple[str, str]:
    span = max((end - begin).days, 1)
    plot = _WIDTH - _LEFT - _RIGHT

    def x_of(value: date) -> float:
        return _LEFT + plot * min(max((value - begin).days / span, 0.0), 1.0)

    height = _HEAD + _ROW * len(rows) + _FOOT
    body = _axis(begin, end, x_of, height - _FOOT)
    for index, (row, dates) in enumerate(rows):
        body += _row(row, dates, workday(begin, row.most_likely_days), _HEAD + _ROW * index + _ROW / 2, x_of)
    body.append(_key(height))
    spoken = "; ".join(
        f"{safe.name(row.name)}: even chance by {words.day(p50)}, 80% by {words.day(p80)}, 90% by {words.day(p90)}"
        for row, (p50, p80, p90) in rows
    )
    alt = f"Timeline from {words.day(begin)}. {spoken}."
    return svg.picture(_WIDTH, height, alt, body, name="timeline"), alt


def _axis(begin: date, end: date, x_of: _Scale, bottom: float) -> list[str]:
    body = []
    months = (end.year - begin.year) * 12 + end.month - begin.month + 1
    step = next((size for size in (1, 2, 3, 6, 12, 24, 48) if months / size <= 7), 60)
    year, month, free = begin.year, begin.month, 0.0
    while (year, month) <= (end.year, end.month) and year < date.max.year:
        first = max(date(year, month, 1), begin)
        x = x_of(first)
        tick: dict[str, svg.Value] = {"d": f"M{x:.1f} {_HEAD - 4}V{bottom:.1f}", "class": "l-grid", "stroke": svg.RULE}
        body.append(element("path", tick))
        if x >= free and (x < _WIDTH - _RIGHT - 24 or first == begin):
            body.append(label(x, 14, words.month(first), size=10.5, tone="soft"))
            free = x + 56
        month += step
        year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return body


def _row(row: TimelineRow, dates: tuple[date, date, date], likely: date, y: float, x_of: _Scale) -> list[str]:
    x50, x80, x90 = (x_of(value) for value in dates)
    guess = x_of(likely)
    weight = 600 if row.strong else 400
    name = fit(safe.name(row.name), _LEFT - 16, 11.5, bold=row.strong)
    return [
        label(0, y + 4, name, size=11.5, weight=weight),
        element("path", {"d": f"M{_LEFT} {y}H{x50:.1f}", "class": "l-lead", "stroke": svg.RULE, "stroke-width": 1.5}),
        element("path", {"d": f"M{x50:.1f} {y}H{x90:.1f}", "class": "l-tail", "stroke": svg.SOFT, "stroke-width": 1.2}),
        element("path", {"d": f"M{x90:.1f} {y - 5}V{y + 5}", "class": "l-tail", "stroke": svg.SOFT,
                         "stroke-width": 1.4}),
        element("rect", {"x": x50, "y": y - 5, "width": max(x80 - x50, 1.5), "height": 10, "class": "l-range",
                         "fill": svg.INK}),
        element("path", {"d": f"M{guess:.1f} {y - 5.5}L{guess + 5.5:.1f} {y}L{guess:.1f} {y + 5.5}"
                              f"L{guess - 5.5:.1f} {y}Z", "class": "l-guess", "fill": svg.PAPER, "stroke": svg.INK,
                         "stroke-width": 1.2}),
        label(_WIDTH, y + 4, f"{words.day(dates[0])} to {words.day(dates[1])}", size=11, anchor="end", weight=weight),
    ]  # fmt: skip


def _key(height: float) -> str:
    y = height - 8
    x = _LEFT
    parts = [
        element("path", {"d": f"M{x + 5:.1f} {y - 9.5}L{x + 10.5:.1f} {y - 4}L{x + 5:.1f} {y + 1.5}L{x - 0.5:.1f} "
                              f"{y - 4}Z", "class": "l-guess", "fill": svg.PAPER, "stroke": svg.INK,
                         "stroke-width": 1.2}),
        label(x + 16, y, "if everything takes its most likely time", size=10.5, tone="soft"),
        element("rect", {"x": x + 216, "y": y - 9, "width": 26, "height": 10, "class": "l-range", "fill": svg.INK}),
        label(x + 248, y, "P50 to P80", size=10.5, tone="soft"),
        element("path", {"d": f"M{x + 316} {y - 4}H{x + 334}M{x + 334} {y - 9}V{y + 1}", "class": "l-tail",
                         "stroke": svg.SOFT, "stroke-width": 1.4, "fill": "none"}),
        label(x + 341, y, "P90", size=10.5, tone="soft"),
    ]  # fmt: skip
    return element("g", {}, *parts)
