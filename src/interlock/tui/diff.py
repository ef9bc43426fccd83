"""What moved between two assessments, on a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from interlock.model.diff import AssessmentDiff, FindingChange
from interlock.tui.page import Page, text
from interlock.tui.words import BAD, DIM, OK, PRIMARY, VERDICT, WARN, counted, stage_word


def draw_diff(page: Page, diff: AssessmentDiff, names: Mapping[str, str]) -> None:
    """Verdict and stages first, then gaps, unknowns and dates."""
    if diff.is_empty:
        page.para("Nothing has moved since.", DIM)
    for caution in diff.not_comparable:
        page.bullet(text("!", WARN), (caution, WARN))
    if diff.verdict is not None:
        page.field("Verdict", f"{VERDICT[diff.verdict.before]} → {VERDICT[diff.verdict.after]}", style="bold")
    for move in diff.stages:
        words = f"{stage_word(move.before)} → {stage_word(move.after)}"
        page.field("Stage", f"{names.get(move.org, move.org)}: {words}", style="bold")
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
    page.line((f"{counted(len(diff.still_open), 'gap')} still open.", DIM))
    moved = [move for move in diff.forecasts if move.calendar_days]
    if moved:
        page.heading("Dates", "P80")
    for forecast in moved:
        days = forecast.calendar_days
        words = f"{counted(abs(days), 'day')} {'later' if days > 0 else 'earlier'}"
        name = names.get(forecast.org, forecast.org) if forecast.org else "All of them"
        page.bullet(
            text("▼" if days > 0 else "▲", BAD if days > 0 else OK),
            (f"{name}  ", "bold"),
            f"{forecast.before_date} → {forecast.after_date}",
            (f"  {words}", DIM),
        )
        for sentence in forecast.because:
            page.para(sentence, DIM, indent=2)


def _changes(page: Page, title: str, glyph: str, style: str, changes: Sequence[FindingChange]) -> None:
    if not changes:
        return
    page.heading(title, str(len(changes)))
    for change in changes:
        page.bullet(text(glyph, style), (f"{change.key}  ", "bold"), change.title)
