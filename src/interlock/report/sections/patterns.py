"""Patterns of trouble known from earlier integrations, where their facts come together here."""

from __future__ import annotations

from interlock.model import words
from interlock.model.language import _
from interlock.model.pattern import PatternMatch
from interlock.report import safe
from interlock.report.elements import Link, Shown
from interlock.report.sections.context import Context, Section, without_lead

#: Messages of one pattern that are shown; a large fleet repeats them.
SEEN_LIMIT = 6


def build_patterns(context: Context) -> Shown:
    """Every pattern that holds, in order of its id, and those that too little is known about."""
    matches = context.assessment.patterns
    matched = [match for match in matches if match.outcome == "matched"]
    undecided = [match for match in matches if match.outcome == "undecided"]
    return {
        "lead": _lead(len(matched), len(undecided), len(matches)),
        "entries": tuple(_entry(context, match) for match in matched),
        "undecided": tuple(
            {
                "id": match.pattern,
                "title": safe.name(match.title),
                "seen": _seen(context, match),
                "detail": words.sentence(safe.text(match.detail or _("too little is known"))),
            }
            for match in undecided
            if not context.brief
        ),
    }


def _lead(matched: int, undecided: int, total: int) -> str:
    known = words.count(total, "pattern")
    if undecided:
        lead = words.counted(
            matched,
            "Of %(known)s known from earlier integrations, %(number)s holds here, and of %(others)s too little is "
            "known.",
            "Of %(known)s known from earlier integrations, %(number)s hold here, and of %(others)s too little is "
            "known.",
            known=known,
            others=words.count(undecided, "other"),
        )
    else:
        lead = words.counted(
            matched,
            "Of %(known)s known from earlier integrations, %(number)s holds here.",
            "Of %(known)s known from earlier integrations, %(number)s hold here.",
            known=known,
        )
    means = _("A pattern neither scores nor blocks: it says what several facts together usually turn out to be.")
    return f"{lead} {means}"


def _entry(context: Context, match: PatternMatch) -> Shown:
    lead = context.organization_name(match.orgs[0]) if len(match.orgs) == 1 else ""
    messages = [words.sentence(without_lead(safe.text(said), lead)) for said in match.messages[:SEEN_LIMIT]]
    if len(match.messages) > SEEN_LIMIT:
        messages.append(_("And %(messages)s more.", messages=len(match.messages) - SEEN_LIMIT))
    return {
        "anchor": safe.anchor("pattern", match.pattern),
        "id": match.pattern,
        "title": safe.name(match.title),
        "where": _where(context, match),
        "messages": tuple(messages),
        "seen": _seen(context, match),
        "means": words.sentence(safe.text(match.means)),
        "action": words.sentence(safe.text(match.action, 1500)),
        "owner": words.OWNER[match.owner].title,
        "cites": context.book.cite_all(match.references),
    }


def _seen(context: Context, match: PatternMatch) -> tuple[Link, ...]:
    """Leads to what was asked of its organisation; of several, to what is compared of them."""
    seen = context.seen_anchor(match.orgs[0]) if len(match.orgs) == 1 and not context.brief else ""
    return (Link(label=_("observed") if seen else _("compared"), anchor=seen or context.leads("comparison")),)


def _where(context: Context, match: PatternMatch) -> tuple[Link, ...]:
    if len(match.orgs) > SEEN_LIMIT:
        return (Link(label=context.how_many(len(match.orgs))),)
    return tuple(context.organization_link(org) for org in match.orgs)


SECTION = Section("patterns", "Patterns of trouble", build_patterns, late=True)
