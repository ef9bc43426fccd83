"""From an assessment to the one view model that every format of the report is rendered from."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from interlock.model.assessment import Assessment
from interlock.model.errors import InterlockError
from interlock.model.observation import Observation
from interlock.report import safe
from interlock.report.brand import Brand
from interlock.report.models import Link, ReportView, SectionTitle
from interlock.report.sections import (
    appendix,
    fit,
    forecast,
    gaps,
    glance,
    graph,
    organizations,
    patterns,
    plan,
    summary,
    unknowns,
)
from interlock.report.sections.context import SECTIONS, Context

__all__ = ["SECTIONS", "build"]

_TITLES = {
    "summary": "Summary",
    "glance": "Organisations at a glance",
    "first": "What to do first",
    "plan": "Plan",
    "graph": "What depends on what",
    "gaps": "Open gaps",
    "unknowns": "What we do not know",
    "fit": "Contract fit",
    "contradictions": "Where answers and observations disagree",
    "patterns": "Patterns of trouble",
    "organizations": "Organisation by organisation",
    "method": "Method",
    "tasks": "All tasks, by wave",
    "references": "References",
    "statements": "Statements and findings",
}
_APPENDIX = ("method", "tasks", "references", "statements")


def build(
    assessment: Assessment,
    *,
    generated: str | None,
    interlock_version: str,
    observations: Mapping[str, Observation],
    sections: Collection[str] | None = None,
    brief: bool = False,
    brand: Brand | None = None,
) -> ReportView:
    """The report as data: every string prepared and bounded, every list in reading order.

    :param generated: ISO 8601 date or time shown as the report's date; none leaves it undated, so that the same
        assessment gives the same bytes.
    :param observations: organisation id to its latest observation; absent means never probed.
    :param sections: names out of :data:`SECTIONS`; none means all of them.
    :param brief: for a document that is read from front to back: the worst blockers and open questions are told in
        full, other gaps get a row, and the rest is counted.
    :param brand: logo, colours, confidentiality and paper.
    :raises InterlockError: a section that does not exist.
    """
    shown = _shown(sections)
    context = Context(assessment, observations, shown, brief=brief)
    wanted = frozenset(shown)
    first_steps = plan.build_first(context) if "first" in wanted else None
    plan_section = plan.build_plan(context) if "plan" in wanted else None
    gap_groups = gaps.build_gaps(context) if "gaps" in wanted else None
    tasks = plan.build_tasks(context) if "tasks" in wanted else None
    pages = organizations.build_organizations(context) if "organizations" in wanted else None
    waves = tuple(Link(label=group.title, anchor=group.anchor) for group in gap_groups or ())
    contents = _contents(context, shown, waves)
    return ReportView(
        lang="en-GB",
        title=f"{safe.name(assessment.product)}: integration readiness report",
        brand=brand or Brand(),
        contents=contents,
        headings={entry.anchor: entry for entry in contents},
        cover=summary.build_cover(context, generated, interlock_version),
        summary=summary.build_summary(context) if "summary" in wanted else None,
        glance=glance.build_glance(context) if "glance" in wanted else None,
        first=first_steps,
        first_note=plan.FIRST_NUMBERS,
        first_together=forecast.together(context, plan.FIRST_LIMIT),
        plan=plan_section,
        graph=graph.build_graph(context) if "graph" in wanted else None,
        gaps=gap_groups,
        unknowns=unknowns.build_unknowns(context) if "unknowns" in wanted else None,
        fit=fit.build_fit(context) if "fit" in wanted else None,
        contradictions=fit.build_contradictions(context) if "contradictions" in wanted else None,
        patterns=patterns.build_patterns(context) if "patterns" in wanted else None,
        organizations=pages,
        product_gates=organizations.build_product_gates(context) if pages else (),
        method=appendix.build_method(context) if "method" in wanted else None,
        tasks=tasks,
        references=context.book.entries() if "references" in wanted else None,
        statements=appendix.build_statements(context) if "statements" in wanted else None,
    )


def _shown(sections: Collection[str] | None) -> tuple[str, ...]:
    if sections is None:
        return SECTIONS
    unknown = sorted(set(sections) - set(SECTIONS))
    if unknown:
        raise InterlockError(f"no section {safe.text(unknown[0], 40)!r}", remedy=f"sections are: {', '.join(SECTIONS)}")
    return tuple(section for section in SECTIONS if section in sections)


def _contents(context: Context, shown: tuple[str, ...], gap_groups: tuple[Link, ...]) -> tuple[SectionTitle, ...]:
    pages = tuple(
        organizations.subtitle_link(context, readiness.org)
        for readiness in context.assessment.readiness
        if readiness.org in context.organizations
    )
    children = {"gaps": gap_groups, "organizations": pages if len(pages) <= 12 else ()}
    entries, number, letter = [], 0, 0
    for section in shown:
        if section in _APPENDIX:
            mark = "ABCD"[letter]
            letter += 1
        else:
            number += 1
            mark = str(number)
        entries.append(
            SectionTitle(number=mark, title=_TITLES[section], anchor=section, children=children.get(section, ()))
        )
    return tuple(entries)
