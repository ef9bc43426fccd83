"""A problem told in full: what happened, where, what to do. The app goes on beneath it."""

from __future__ import annotations

from interlock.model.errors import InterlockError
from interlock.tui.page import Page
from interlock.tui.styles import ACCENT, BAD, DIM
from interlock.tui.widgets.flow import Flow


def draw_problem(page: Page, error: InterlockError, then: str = "") -> None:
    """Message, location and remedy on a page."""
    page.bullet("!", (error.message, f"bold {BAD}"))
    if error.location is not None:
        page.bullet(" ", ("at  ", DIM), (str(error.location), ""))
    if error.remedy:
        page.bullet(" ", ("do  ", DIM), (error.remedy, ""))
    if then:
        page.bullet(" ", (then, ACCENT))


class Problem(Flow):
    """Hidden while there is no problem."""

    def show(self, error: InterlockError | None, then: str = "") -> None:
        """Show this problem, or nothing."""
        self.display = error is not None
        if error is not None:
            self.draw(lambda page: draw_problem(page, error, then))
