"""What moved between two assessments, or from milestone to milestone, on a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from interlock.model import words
from interlock.model.diff import AssessmentDiff, BurnDown, FindingChange
from interlock.model.readiness import Interval
from interlock.tui.page import BAD, DIM, OK, PRIMARY, WARN, Page, interval_bar, text

#: Cells of a milestone's day, counts and date in the burn-down, with the room between them.
_NUMBERS = 44


def draw_diff(page: Page, diff: AssessmentDiff, names: Mapping[str, str]) -> None:
    """Verdict and stages first, then gaps, unknowns and dates."""
    if diff.is_empty:
        page.para("Nothing has moved since.", DIM)
    for caution in diff.not_comparable:
        page.bullet(text("!", WARN), (caution, WARN))
    if diff.verdict is not None:
        before, after = words.VERDICT[diff.verdict.before], words.VERDICT[diff.verdict.after]
        page.field("Verdict", f"{before.title} → {after.title}", style="bold")
    for move in diff.stages:
        stages = f"{words.stage(move.before)} → {words.stage(move.after)}"
        page.field("Stage", f"{names.get(move.org, move.org)}: {stages}", style="bold")
    for org in diff.organizations_added:
        page.field("Added", names.get(org, org))
    for org in diff.organizations_removed:
        page.field("Removed", org)
    _changes(page, "Closed", "✓", OK, diff.closed)
    _changes(page, "Opened", "✗", BAD, diff.opened)
    _changes(page, "Opened again", "✗", BAD, diff.reopened)
    _changes(page, "Decided", "●", PRIMARY, diff.decided)
    _changes(page, "No longer decided", "?", WARN, diff.no_longer_decided)
    _changes(page, "Gone", "–", DIM, diff.gone)
    page.blank()
    page.line((f"{words.count(len(diff.still_open), 'gap')} still open.", DIM))
    moved = [move for move in diff.forecasts if move.calendar_days]
    if moved:
        page.heading("Dates", "P80")
    for forecast in moved:
        days = forecast.calendar_days
        shift = f"{words.count(abs(days), 'day')} {'later' if days > 0 else 'earlier'}"
        name = names.get(forecast.org, forecast.org) if forecast.org else "All of them"
        page.bullet(
            text("▼" if days > 0 else "▲", BAD if days > 0 else OK),
            (f"{name}  ", "bold"),
            f"{words.iso_day(forecast.before_date)} → {words.iso_day(forecast.after_date)}",
            (f"  {shift}", DIM),
        )
        for sentence in forecast.because:
            page.para(sentence, DIM, indent=2)


def _changes(page: Page, title: str, glyph: str, style: str, changes: Sequence[FindingChange]) -> None:
    if not changes:
        return
    page.heading(title, str(len(changes)))
    for change in changes:
        page.bullet(text(glyph, style), (f"{change.key}  ", "bold"), change.title)


def draw_burn_down(page: Page, series: BurnDown) -> None:
    """One line a milestone: what is open and undecided, and the P80; below, each score's interval from then to now."""
    if len(series.points) < 2:
        page.para("No milestone yet: what is shown is only now. m freezes the assessment.", DIM)
    longest = max(6, min(24, page.width - _NUMBERS))
    page.columns(
        [
            tuple(text(title, DIM) for title in ("Milestone", "Day", "Gaps", "Undecided", "P80 of all")),
            *(
                (
                    text(point.name, "bold", longest),
                    text(words.iso_day(point.date)),
                    text(f"{point.open:>4}"),
                    text(f"{point.undecided:>9}"),
                    text(
                        words.iso_day(point.p80_date) if point.p80_date else "no plan",
                        PRIMARY if point.p80_date else DIM,
                    ),
                )
                for point in series.points
            ),
        ]
    )
    _intervals(page, "Product", series, [point.product for point in series.points])
    for org, name in series.names.items():
        _intervals(page, name, series, [point.orgs.get(org) for point in series.points])


def _intervals(page: Page, name: str, series: BurnDown, intervals: Sequence[Interval | None]) -> None:
    """One score from milestone to milestone: verified so far, and the best case."""
    page.heading(name, "score")
    longest = min(24, max(len(point.name) for point in series.points))
    width = max(8, min(40, page.width - longest - 16))
    page.columns(
        [
            (
                text(point.name, DIM, 24),
                interval_bar(interval, width) if interval else text("not there yet", DIM),
                text(words.interval(interval.low, interval.high) if interval else "", "bold"),
            )
            for point, interval in zip(series.points, intervals, strict=True)
        ]
    )
