"""The checks of a probe on a page: what is off first, then every family folded into one line of counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from textual.content import Content

from interlock.model import words
from interlock.model.base import CheckOutcome
from interlock.model.observation import Check
from interlock.tui.page import Page, line, text
from interlock.tui.styles import CHECK, DIM

_OFF = (CheckOutcome.FAIL, CheckOutcome.ERROR, CheckOutcome.WARN)
#: Reasons for not having looked that are told.
_REASONS = 5


def draw_checks(page: Page, checks: Iterable[Check]) -> None:
    """Checks that are off, the worst first, with their messages; then the families; then what could not be seen."""
    checks = tuple(checks)
    if not checks:
        return
    page.heading("Checks", words.count(len(checks), "check"))
    off = sorted((c for c in checks if c.outcome in _OFF), key=lambda c: (_OFF.index(c.outcome), c.severity.rank, c.id))
    for check in off:
        sign = CHECK[check.outcome]
        page.bullet(
            text(sign.glyph, sign.style),
            (f"{check.id} ", "bold"),
            (f"{sign.word}, {words.SEVERITY[check.severity].phrase}  ", DIM),
            check.message,
        )
    if not off and any(check.outcome is CheckOutcome.PASS for check in checks):
        page.line(("Nothing is off.", DIM))
    _families(page, checks)
    _unseen(page, checks)


def _families(page: Page, checks: tuple[Check, ...]) -> None:
    """One line for each family of checks, with how many ended in which way."""
    families: dict[str, Counter[CheckOutcome]] = {}
    for check in checks:
        families.setdefault(check.id.partition("-")[0], Counter())[check.outcome] += 1
    total = sum(families.values(), Counter[CheckOutcome]())
    page.blank()
    page.columns(
        [*((text(name), _counts(outcomes)) for name, outcomes in families.items()), (text("all"), _counts(total))]
    )


def _counts(outcomes: Counter[CheckOutcome]) -> Content:
    return Content("   ").join(
        line((sign.glyph, sign.style), f" {outcomes[outcome]} {sign.word}")
        for outcome, sign in CHECK.items()
        if outcomes[outcome]
    )


def _unseen(page: Page, checks: tuple[Check, ...]) -> None:
    """Why checks could not look, each reason once; a target of which nothing was seen has said why already."""
    unseen = [check.message for check in checks if check.outcome is CheckOutcome.NOT_OBSERVED]
    if not unseen or not any(check.outcome in {CheckOutcome.PASS, *_OFF} for check in checks):
        return
    page.blank()
    sign = CHECK[CheckOutcome.NOT_OBSERVED]
    for message, number in Counter(message.removeprefix("Not observed: ") for message in unseen).most_common(_REASONS):
        page.bullet(text(sign.glyph, sign.style), (f"{words.count(number, 'check')} could not look: {message}", DIM))
