"""How likely it is that all is through by a day: the S-curve of the finish, and where what is unknown would move it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from interlock.model import words
from interlock.model.forecast import Quantiles
from interlock.model.language import N_, _
from interlock.report.charts import svg
from interlock.report.charts.svg import Value, element, label
from interlock.report.charts.timeline import axis, horizon

_WIDTH, _LEFT, _RIGHT, _HEAD, _PLOT, _FOOT = 680.0, 40.0, 24.0, 26.0, 150.0, 26.0
#: Name of a line → how it is drawn: each differs without colour.
_STROKES: dict[str, dict[str, Value]] = {
    N_("as drawn"): {"stroke-width": 2.2},
    N_("no unknown a gap"): {"stroke-width": 1.4, "stroke-dasharray": "7 4"},
    N_("each unknown a gap"): {"stroke-width": 1.4, "stroke-dasharray": "2 3"},
}


def finish_curve(finish: Quantiles, none: Quantiles | None, every: Quantiles | None, start: str) -> tuple[str, str]:
    """The picture and its text alternative: shares of the runs that are through, by day.

    The simulation keeps P10, P50, P80 and P90 of each line; they are joined by straight strokes and nothing is drawn
    beyond them.

    :param none, every: the finish if nothing, and if everything, that is unknown turns out to be a gap.
    """
    lines = {
        name: _points(quantiles)
        for name, quantiles in zip(_STROKES, (finish, none, every), strict=True)
        if quantiles is not None
    }
    begin = date.fromisoformat(start)
    end = horizon(begin, [day for points in lines.values() for day, _ in points])

    def at(day: date, share: float) -> tuple[float, float]:
        along = min(max((day - begin).days / max((end - begin).days, 1), 0.0), 1.0)
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * along, _HEAD + _PLOT * (1 - share)

    height = _HEAD + _PLOT + _FOOT
    body = axis(begin, end, lambda day: at(day, 0)[0], _HEAD + _PLOT, right=_WIDTH - _RIGHT)
    for share in (0.1, 0.5, 0.8, 0.9):
        y = at(begin, share)[1]
        stroke: dict[str, Value] = {"class": "l-grid", "stroke": svg.RULE, "stroke-width": 0.6}
        body.append(element("path", {"d": f"M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}", **stroke}))
        body.append(label(_LEFT - 6, y + 4, words.share(share), size=10.5, anchor="end", tone="soft"))
    for index, (name, points) in enumerate(lines.items()):
        path = "L".join("{:.1f} {:.1f}".format(*at(day, share)) for day, share in points)
        drawn: dict[str, Value] = {"class": "l-curve", "stroke": svg.INK, "fill": "none", **_STROKES[name]}
        body.append(element("path", {"d": f"M{path}", **drawn}))
        x = _LEFT + 190 * index
        body.append(element("path", {"d": f"M{x} {height - 9}H{x + 26}", **drawn}))
        body.append(label(x + 32, height - 5, _(name), size=10.5, tone="soft"))
    spoken = "; ".join(f"{_(name)}: {_spoken(points)}" for name, points in lines.items())
    alt = _("Share of the runs that are through, by day. %(spoken)s.", spoken=spoken)
    return svg.picture(_WIDTH, height, alt, body, name="curve"), alt


def _points(finish: Quantiles) -> list[tuple[date, float]]:
    known = ((finish.p10_date, 0.1), (finish.p50_date, 0.5), (finish.p80_date, 0.8), (finish.p90_date, 0.9))
    return [(date.fromisoformat(day), share) for day, share in known if day]


def _spoken(points: Sequence[tuple[date, float]]) -> str:
    return ", ".join(_("%(share)s by %(day)s", share=words.share(share), day=words.day(day)) for day, share in points)
