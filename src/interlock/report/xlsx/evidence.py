"""Rows of the contract's fit and of the evidence annex: requests, statements, method, limits and words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from interlock.model import words
from interlock.model.language import _
from interlock.report.annex import annex_of
from interlock.report.sections.answers import build_requests
from interlock.report.sections.changes import build_changes
from interlock.report.sections.context import Context
from interlock.report.sections.fit import KIND, PART, need_name
from interlock.report.sections.method import made_with
from interlock.report.xlsx.book import Column, Row, whole

REQUESTS = (
    Column("Organisation", 24),
    Column("Request", 60),
    Column("Came back", 14),
    Column("Size", 14),
    Column("SHA-256 of the body", 42),
    Column("Looked at (JSON pointer, check)", 70),
    Column("Observed at (UTC)", 19, "moment"),
)
FIT = (
    Column("Organisation", 26),
    Column("Part of the contract", 20),
    Column("Need", 36),
    Column("Kind", 20),
    Column("Optional", 10),
    Column("Its statement", 18),
    Column("Note", 54),
    Column("Launch modes that need it", 26),
)
STATEMENTS = (Column("Statement", 10), Column("Text", 60), Column("Rules", 40), Column("Findings", 30))
CHANGES = (
    Column("Kind", 26),
    Column("What", 70),
    Column("Where", 26),
    Column("Before", 30),
    Column("Now", 30),
    Column("Because of", 26),
)
_COLUMNS = ("Where", "Before", "Now")
METHOD = (Column("Kind", 12), Column("Title", 28), Column("Text", 110))


def changes(context: Context) -> Iterator[Row]:
    """What was put in otherwise since the last milestone, by kind, then each finding with another outcome."""
    told = build_changes(context)
    for kind in told["kinds"]:
        for cells in kind["rows"]:
            row = dict(zip(kind["columns"], cells, strict=True))
            subject = next((cell for column, cell in row.items() if column not in _COLUMNS), None)
            yield kind["title"], subject, *(row.get(column) for column in _COLUMNS), None
    for row in told["findings"]:
        yield row["became"], row["title"], row["where"], row["before"], row["after"], row["because"]


def requests(context: Context) -> Iterator[Row]:
    """Every request of each organisation's last observation."""
    for org in context.assessment.organizations:
        observation = context.observations.get(org.id)
        for row in build_requests(observation) if observation else ():
            started = observation.started.astimezone(UTC).replace(tzinfo=None) if observation else None
            cells = (row[name] for name in ("asked", "came", "size", "hash", "looked"))
            yield context.organization_name(org.id), *cells, started


def fit(context: Context) -> Iterator[Row]:
    """Every need of the contract against every organisation's own statement; what was not seen is never missing."""
    for each in context.assessment.fit:
        rows = (
            (
                context.organization_name(each.org),
                PART[match.direction],
                need_name(match),
                KIND[match.kind],
                _("yes") if match.optional else _("no"),
                words.FIT[match.outcome if each.observed else "not_observed"].title,
                whole(match.note or "") or None,
                ", ".join(match.modes) or None,
            )
            for match in each.matches
        )
        yield from dict.fromkeys(rows)  # two inputs of one type need the same of a server


def statements(context: Context) -> Iterator[Row]:
    """S01 to S50 with the rules that rest on each."""
    for row in annex_of(context).statements:
        yield row.id, whole(row.text), ", ".join(row.rules), row.outcome


def method(context: Context) -> Iterator[Row]:
    """How the numbers come about, what the report cannot say, its words, and what it was made with."""
    annex = annex_of(context)
    yield from ((_("Method"), note.title, note.text) for note in annex.method)
    yield from ((_("Limit"), None, _(limit)) for limit in annex.limits)
    yield from ((_("Word"), _(note.title), _(note.text)) for note in annex.glossary)
    yield from ((_("Made with"), term, value) for term, value in made_with(context).items())
