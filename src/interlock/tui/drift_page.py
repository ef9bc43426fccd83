"""What changed at an organisation between two observations, on a page: what the contract uses first."""

from __future__ import annotations

from interlock.model import words
from interlock.model.drift import Drift, DriftChange
from interlock.tui.page import Page, line, text
from interlock.tui.styles import ACCENT, DIM, DRIFT, Mark

#: Changes of one rank that are shown.
_SHOWN = 25


def draw_drift(page: Page, drift: Drift) -> None:
    """Every change by its rank, and what could not be compared."""
    page.field("From", f"{words.moment(drift.before)} to {words.moment(drift.after)}", label_width=9)
    page.field("Ranked by", drift.ranked_by or "no contract: nobody can say what is used", style=DIM, label_width=9)
    if not drift.changes:
        page.blank()
        page.para("Nothing changed.", DIM)
    for rank, sign in DRIFT.items():
        changes = [change for change in drift.changes if change.rank == rank]
        if changes:
            _draw_changes(page, sign, changes)
    if drift.not_compared:
        page.heading("Not compared", "not seen one of the two times; nothing is concluded")
    for note in drift.not_compared:
        page.bullet(text("○", DIM), (note, DIM))


def _draw_changes(page: Page, sign: Mark, changes: list[DriftChange]) -> None:
    page.heading(words.capital(sign.word), str(len(changes)))
    for change in changes[:_SHOWN]:
        page.bullet(text(sign.glyph, sign.style), change.summary())
        if change.uses:
            page.bullet(" ", line(("used: ", ACCENT), (change.uses, DIM)))
    if len(changes) > _SHOWN:
        page.line((f"and {len(changes) - _SHOWN} more: interlock diff --org lists them", DIM))
