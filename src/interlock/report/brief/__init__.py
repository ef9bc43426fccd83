"""Sections as a document has them that is read from front to back; the whole report goes with it."""

from collections.abc import Callable, Mapping

from interlock.report.brief.contradictions import build_contradictions_brief
from interlock.report.brief.gaps import build_gaps_brief
from interlock.report.brief.organizations import build_organizations_brief
from interlock.report.brief.plan import build_first_brief, build_plan_brief
from interlock.report.brief.unknowns import build_unknowns_brief
from interlock.report.elements import Shown
from interlock.report.sections.context import Context
from interlock.report.sections.method import build_method
from interlock.report.sections.patterns import build_patterns
from interlock.report.sections.summary import build_summary

#: Id of a section → what its template in ``reports/sections/brief/`` is given; other sections are as everywhere.
BRIEF: Mapping[str, Callable[[Context], Shown]] = {
    "summary": build_summary,
    "first": build_first_brief,
    "plan": build_plan_brief,
    "gaps": build_gaps_brief,
    "unknowns": build_unknowns_brief,
    "contradictions": build_contradictions_brief,
    "patterns": build_patterns,
    "organizations": build_organizations_brief,
    "method": build_method,
}
