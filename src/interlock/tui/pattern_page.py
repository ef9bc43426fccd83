"""Patterns of trouble on a page: what was seen, what it usually means, what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from interlock.model import words
from interlock.model.pattern import PatternMatch
from interlock.tui.page import Page, line, text
from interlock.tui.styles import ACCENT, DIM, WARN

#: Organisations and messages of one pattern that are shown.
_SHOWN = 4


def draw_patterns(page: Page, matches: Sequence[PatternMatch], names: Mapping[str, str]) -> None:
    """Every pattern that holds, then those that too little is known about."""
    held = [match for match in matches if match.outcome == "matched"]
    open_ = [match for match in matches if match.outcome == "undecided"]
    page.para(
        f"{words.count(len(held), 'pattern')} of {len(matches)} known from earlier integrations "
        f"{words.agree(len(held), 'holds', 'hold')} here. They neither score nor block.",
        DIM,
    )
    for match in held:
        draw_pattern(page, match, names)
    if open_:
        page.heading("Too little is known", str(len(open_)))
    for match in open_:
        page.bullet(text("?", WARN), f"{match.title} ", (f"{match.pattern}  {match.detail or ''}", DIM))


def draw_pattern(page: Page, match: PatternMatch, names: Mapping[str, str]) -> None:
    """One pattern that holds: where, what was seen, what it means, what to do."""
    page.heading(match.title, match.pattern)
    if match.orgs:
        organizations = words.listed([names.get(org, org) for org in match.orgs], _SHOWN)
        page.field("Where", organizations, label_width=7)
    for message in match.messages[:_SHOWN]:
        page.field("Seen", message, label_width=7)
    page.field("Means", match.means, label_width=7)
    page.field("Do", line((f"{words.OWNER[match.owner].title}: ", ACCENT), match.action), label_width=7)
