"""The work that decides the date: a bar each from median start to median end, and how often it is critical."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from interlock.model import words
from interlock.model.language import _
from interlock.report.charts import svg
from interlock.report.charts.svg import element, label, wrap
from interlock.report.charts.timeline import axis, horizon

_WIDTH, _LEFT, _RIGHT, _HEAD, _LINE, _PAD, _LINES = 680.0, 300.0, 62.0, 26.0, 13.5, 9.0, 4


@dataclass(frozen=True)
class GanttRow:
    """One piece of work: its name, what stands below it, its days, and how often it is critical."""

    name: str
    aside: str
    first: date
    last: date
    critical: float


def gantt(rows: Sequence[GanttRow], start: str) -> tuple[str, str]:
    """The picture and its text alternative; both empty without rows. A name takes as many lines as it needs."""
    if not rows:
        return "", ""
    begin = date.fromisoformat(start)
    end = horizon(begin, [row.last for row in rows])
    plot = _WIDTH - _LEFT - _RIGHT

    def x_of(day: date) -> float:
        return _LEFT + plot * min(max((day - begin).days / max((end - begin).days, 1), 0.0), 1.0)

    body: list[str] = []
    y = _HEAD
    for row in rows:
        name, aside = (wrap(text, _LEFT - 18, size, _LINES) for text, size in ((row.name, 11.5), (row.aside, 10)))
        body += [label(0, y + _PAD + _LINE * (index + 0.5), line, size=11.5) for index, line in enumerate(name)]
        body += [
            label(0, y + _PAD + _LINE * (len(name) + index + 0.4), line, size=10, tone="soft")
            for index, line in enumerate(aside)
        ]
        left, right = x_of(row.first), x_of(row.last)
        middle = y + _PAD + _LINE * 0.2
        body.append(
            element("rect", {"x": left, "y": middle - 4.5, "width": max(right - left, 2.0), "height": 9,
                             "class": "l-range", "fill": svg.INK})
        )  # fmt: skip
        body.append(label(_WIDTH, middle + 4, words.share(row.critical), size=11, anchor="end"))
        y += _PAD + _LINE * (len(name) + len(aside))
    height = y + 6
    body = [
        *axis(begin, end, x_of, height, right=_WIDTH - _RIGHT),
        label(_WIDTH, 14, _("critical in"), size=10.5, anchor="end", tone="soft"),
        *body,
    ]
    spoken = "; ".join(
        _(
            "%(row)s, %(aside)s: %(first)s to %(last)s, critical in %(critical)s of the runs",
            row=row.name,
            aside=row.aside,
            first=words.day(row.first),
            last=words.day(row.last),
            critical=words.share(row.critical),
        )
        for row in rows
    )
    alt = _("Work that decides the date, median start to median end. %(spoken)s.", spoken=spoken)
    return svg.picture(_WIDTH, height, alt, body, name="gantt"), alt
