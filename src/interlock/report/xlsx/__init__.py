"""The report as a workbook for people who work in spreadsheets: tables to sort, filter and print.

Nothing that a server, a file or a person wrote becomes a formula, a link, a number or a control character: such text is
written as text, and what would become a formula in a CSV file of the sheet stays text there too. The same assessment
gives the same bytes: the workbook's date is the assessment's.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Mapping
from datetime import date

from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.errors import InterlockError
from interlock.model.language import N_, _
from interlock.model.observation import Observation
from interlock.report import safe
from interlock.report.sections.context import Context
from interlock.report.view import SECTIONS
from interlock.report.xlsx import evidence, summary
from interlock.report.xlsx.book import A3, A4, Book, Column
from interlock.report.xlsx.columns import (
    ANSWERS,
    FACTS,
    FIRST,
    GAPS,
    HAZARDS,
    ORGANIZATIONS,
    PLAN,
    PROBE,
    QUESTIONS,
    SOURCES,
)
from interlock.report.xlsx.rows import Content

#: Sheets in order, and the sections of the report that ask for each.
SHEETS = {
    N_("Summary"): frozenset({"summary", "glance", "first"}),
    N_("Gaps"): frozenset({"gaps"}),
    N_("Questions open"): frozenset({"unknowns"}),
    N_("Hazards"): frozenset({"hazards"}),
    N_("Plan"): frozenset({"plan", "tasks"}),
    N_("Fit"): frozenset({"fit"}),
    N_("Probe findings"): frozenset({"organizations"}),
    N_("Answers"): frozenset({"answers"}),
    N_("Requests"): frozenset({"answers"}),
    N_("Changes"): frozenset({"changes"}),
    N_("Statements"): frozenset({"statements"}),
    N_("Method"): frozenset({"method"}),
    N_("Sources"): frozenset({"references"}),
}


def sheets(sections: Collection[str] | None) -> tuple[str, ...]:
    """Names of the sheets that these sections ask for; none means all of them.

    :raises InterlockError: there is no sheet for any of them.
    """
    chosen = SECTIONS if sections is None else sections
    names = tuple(name for name, asked in SHEETS.items() if not asked.isdisjoint(chosen))
    if not names:
        have = [section for section in SECTIONS if any(section in asked for asked in SHEETS.values())]
        named = words.listed([safe.text(section, 40) for section in chosen])
        raise InterlockError(
            f"the workbook has no sheet for the section {named}", remedy=f"sections with a sheet: {', '.join(have)}"
        )
    return names


def render(
    assessment: Assessment,
    observations: Mapping[str, Observation],
    *,
    interlock_version: str,
    sections: Collection[str] | None = None,
    holidays: Iterable[date] = (),
) -> bytes:
    """The workbook.

    :param observations: organisation id to its latest observation; absent means never probed.
    :param sections: names out of ``SECTIONS``; none means all of them. Those without a sheet are left out.
    :param holidays: days that the plan does not work, besides weekends.
    :raises InterlockError: there is no sheet for any of the sections.
    """
    names = tuple(name for name in sheets(sections) if name != "Changes" or assessment.since is not None)
    shown = frozenset(SECTIONS if sections is None else sections)
    content = Content(Context(assessment, observations, shown), tuple(holidays), names)
    target = io.BytesIO()
    book = Book(target, content.context, interlock_version)
    if "Summary" in names:
        _summary(book, content, shown, interlock_version)
    for name, columns, rows, fixed, paper in (
        ("Gaps", GAPS, content.gaps, 2, A3),
        ("Questions open", QUESTIONS, content.questions, 2, A3),
        ("Hazards", HAZARDS, content.hazards, 2, A3),
        ("Plan", PLAN, content.tasks, 2, A3),
        ("Fit", evidence.FIT, lambda: evidence.fit(content.context), 2, A4),
        ("Probe findings", PROBE, content.checks, 2, A3),
        ("Answers", ANSWERS, content.answers, 2, A3),
        ("Requests", evidence.REQUESTS, lambda: evidence.requests(content.context), 2, A3),
        ("Changes", evidence.CHANGES, lambda: evidence.changes(content.context), 1, A4),
        ("Statements", evidence.STATEMENTS, lambda: evidence.statements(content.context), 1, A4),
        ("Method", evidence.METHOD, lambda: evidence.method(content.context), 1, A4),
        ("Sources", SOURCES, content.sources, 1, A4),
    ):
        if name in names:
            book.rows(book.sheet(name, columns, fixed=fixed, paper=paper), 0, columns, list(rows()))
    book.close()
    return target.getvalue()


def _summary(book: Book, content: Content, shown: Collection[str], version: str) -> None:
    """The first sheet: the verdict with how sure it is, organisations at a glance, and what to do first."""
    sheet = book.sheet("Summary", ORGANIZATIONS, fixed=1)
    book.title(sheet, _("%(product)s: integration readiness", product=safe.name(content.assessment.product)))
    top = 2
    if "summary" in shown:
        top = book.rows(sheet, top, FACTS, list(summary.facts(content, safe.text(version, 40))), filtered=False)
        shares = (FACTS[0], Column("Share", 26, "share", mixed=True), FACTS[2])
        top = book.rows(sheet, top, shares, summary.shares(content), filtered=False) + 1
    if "glance" in shown:
        top = book.rows(sheet, top, ORGANIZATIONS, list(summary.organizations(content))) + 1
    if "first" in shown:
        book.rows(sheet, top, FIRST, list(summary.first(content)), filtered=False)
