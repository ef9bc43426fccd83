"""The plan as a timeline: for each finish its range, and the optimistic single-path date."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date, timedelta

import numpy as np

from interlock.model import words
from interlock.model.forecast import OrgForecast, Quantiles
from interlock.model.language import _
from interlock.report import safe
from interlock.report.charts import svg
from interlock.report.charts.svg import element, fit, label

ROWS_PER_PICTURE = 24
#: Days; what lies beyond is drawn at the right edge, and its dates are still written out.
_LONGEST = 30 * 366
_Scale = Callable[[date], float]
_Row = tuple[str, OrgForecast, tuple[date, date, date]]
_WIDTH, _LEFT, _RIGHT, _ROW, _HEAD, _FOOT = 680.0, 196.0, 136.0, 28.0, 26.0, 30.0


def workday(start: date, days: float) -> date:
    """The date ``days`` working days (Monday to Friday, rounded up) after ``start``; holidays are not known here."""

    whole = math.ceil(round(min(max(days, 0.0), 20_000.0), 6)) if math.isfinite(days) else 0
    return date.fromisoformat(str(min(np.busday_offset(start, whole, roll="backward"), np.datetime64(date.max))))


def timelines(
    forecasts: Sequence[tuple[str, OrgForecast]], start: str, *, firm: bool = True
) -> tuple[tuple[str, str], ...]:
    """Pictures of at most :data:`ROWS_PER_PICTURE` rows on one scale, each with its text alternative.

    :param forecasts: with their names; what is nobody's alone is set in semi-bold.
    :param firm: P50 to P80 is drawn, and P90 beside it; else P10 to P90, because no single date has ground.
    """
    begin = date.fromisoformat(start)
    rows = [(name, forecast, _dates(forecast.finish, firm)) for name, forecast in forecasts]
    end = horizon(begin, [max(dates) for *_, dates in rows])
    parts = range(0, len(rows), ROWS_PER_PICTURE)
    return tuple(_picture(rows[first : first + ROWS_PER_PICTURE], begin, end, firm) for first in parts)


def horizon(begin: date, days: Sequence[date]) -> date:
    """The last day of a picture: at least two weeks after the first, and at most 30 years."""
    return max(min(max(days), _later(begin, _LONGEST)), _later(begin, 14))


def _later(start: date, days: int) -> date:
    return start + timedelta(days=min(days, (date.max - start).days))


def _dates(finish: Quantiles, firm: bool) -> tuple[date, date, date]:
    """Where the bar begins and ends, and P90."""
    bar = (finish.p50_date, finish.p80_date) if firm else (finish.first_date, finish.p90_date)
    first, last, p90 = map(date.fromisoformat, (*bar, finish.p90_date))
    return first, last, p90


def _picture(rows: Sequence[_Row], begin: date, end: date, firm: bool) -> tuple[str, str]:
    span = max((end - begin).days, 1)
    plot = _WIDTH - _LEFT - _RIGHT

    def x_of(value: date) -> float:
        return _LEFT + plot * min(max((value - begin).days / span, 0.0), 1.0)

    height = _HEAD + _ROW * len(rows) + _FOOT
    body = axis(begin, end, x_of, height - _FOOT, right=_WIDTH - _RIGHT)
    for index, row in enumerate(rows):
        body += _row(row, begin, _HEAD + _ROW * index + _ROW / 2, x_of)
    body.append(_key(height, firm))
    spoken = "; ".join(
        _(
            "%(name)s: even chance by %(first)s, 80%% by %(last)s, 90%% by %(p90)s",
            name=safe.name(name),
            first=words.day(first),
            last=words.day(last),
            p90=words.day(p90),
        )
        if firm
        else _(
            "%(name)s: %(first)s to %(last)s in eight of ten runs",
            name=safe.name(name),
            first=words.day(first),
            last=words.day(last),
        )
        for name, _link, (first, last, p90) in rows
    )
    alt = _("Timeline from %(begin)s. %(spoken)s.", begin=words.day(begin), spoken=spoken)
    return svg.picture(_WIDTH, height, alt, body, name="timeline"), alt


def axis(begin: date, end: date, x_of: _Scale, bottom: float, *, right: float) -> list[str]:
    """Months along the top, with a line down to ``bottom`` at each; ``right`` is where the last day stands."""
    body = []
    months = (end.year - begin.year) * 12 + end.month - begin.month + 1
    step = next((size for size in (1, 2, 3, 6, 12, 24, 48) if months / size <= 7), 60)
    year, month, free = begin.year, begin.month, 0.0
    while (year, month) <= (end.year, end.month) and year < date.max.year:
        first = max(date(year, month, 1), begin)
        x = x_of(first)
        tick = f"M{x:.1f} {_HEAD - 4}V{bottom:.1f}"
        body.append(element("path", {"d": tick, "class": "l-grid", "stroke": svg.RULE}))
        if x >= free and (x < right - 24 or first == begin):
            body.append(label(x, 14, words.month(first), size=10.5, tone="soft"))
            free = x + 56
        month += step
        year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return body


def _row(row: _Row, begin: date, y: float, x_of: _Scale) -> list[str]:
    name, forecast, dates = row
    x50, x80, x90 = map(x_of, dates)
    guess = x_of(workday(begin, forecast.most_likely_days))
    weight = 400 if forecast.org else 600
    return [
        label(0, y + 4, fit(safe.name(name), _LEFT - 16, 11.5, bold=not forecast.org), size=11.5, weight=weight),
        element("path", {"d": f"M{_LEFT} {y}H{x50:.1f}", "class": "l-lead", "stroke": svg.RULE, "stroke-width": 1.5}),
        element("path", {"d": f"M{x50:.1f} {y}H{x90:.1f}", "class": "l-tail", "stroke": svg.SOFT, "stroke-width": 1.2}),
        element("path", {"d": f"M{x90:.1f} {y - 5}V{y + 5}", "class": "l-tail", "stroke": svg.SOFT,
                         "stroke-width": 1.4}),
        element("rect", {"x": x50, "y": y - 5, "width": max(x80 - x50, 1.5), "height": 10, "class": "l-range",
                         "fill": svg.INK}),
        element("path", {"d": f"M{guess:.1f} {y - 5.5}L{guess + 5.5:.1f} {y}L{guess:.1f} {y + 5.5}"
                              f"L{guess - 5.5:.1f} {y}Z", "class": "l-guess", "fill": svg.PAPER, "stroke": svg.INK,
                         "stroke-width": 1.2}),
        label(_WIDTH, y + 4, words.between(*map(words.day, dates[:2])), size=11, anchor="end", weight=weight),
    ]  # fmt: skip


def _key(height: float, firm: bool) -> str:
    x, y = _LEFT, height - 8
    parts = [
        element("path", {"d": f"M{x + 5:.1f} {y - 9.5}L{x + 10.5:.1f} {y - 4}L{x + 5:.1f} {y + 1.5}L{x - 0.5:.1f} "
                              f"{y - 4}Z", "class": "l-guess", "fill": svg.PAPER, "stroke": svg.INK,
                         "stroke-width": 1.2}),
        label(x + 16, y, _("if everything takes its most likely time"), size=10.5, tone="soft"),
        element("rect", {"x": x + 216, "y": y - 9, "width": 26, "height": 10, "class": "l-range", "fill": svg.INK}),
        label(x + 248, y, _("P50 to P80") if firm else _("eight of ten runs: P10 to P90"), size=10.5, tone="soft"),
    ]  # fmt: skip
    if firm:
        tail = f"M{x + 316} {y - 4}H{x + 334}M{x + 334} {y - 9}V{y + 1}"
        style: dict[str, str | float | int] = {
            "class": "l-tail",
            "stroke": svg.SOFT,
            "stroke-width": 1.4,
            "fill": "none",
        }
        parts += [element("path", {"d": tail, **style}), label(x + 341, y, "P90", size=10.5, tone="soft")]
    return element("g", {}, *parts)
