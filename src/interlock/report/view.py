"""From an assessment to the one view that every format of the report is rendered from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count
from operator import attrgetter
from string import ascii_uppercase
from typing import Any

from pydantic_core import to_jsonable_python

from interlock.model.assessment import Assessment
from interlock.model.errors import InterlockError
from interlock.model.language import ENGLISH, _, current
from interlock.model.observation import Observation
from interlock.report import safe
from interlock.report.brief import BRIEF
from interlock.report.elements import Brand, Shown
from interlock.report.english import sentences_of
from interlock.report.sections import (
    answers,
    changes,
    comparison,
    contract,
    contradictions,
    coverage,
    executive,
    first,
    fit,
    gaps,
    glance,
    graph,
    hazards,
    method,
    organizations,
    patterns,
    plan,
    references,
    rehearsal,
    statements,
    summary,
    tasks,
    unknowns,
)
from interlock.report.sections.context import WHOLE, Context, Section

#: The report's sections, in order. Contents, numbers, bookmarks and ``--sections`` follow from this list.
ALL_SECTIONS = (
    executive.SECTION,
    coverage.SECTION,
    summary.SECTION,
    glance.SECTION,
    comparison.SECTION,
    changes.SECTION,
    first.SECTION,
    plan.SECTION,
    graph.SECTION,
    hazards.SECTION,
    gaps.SECTION,
    unknowns.SECTION,
    contract.SECTION,
    fit.SECTION,
    contradictions.SECTION,
    rehearsal.SECTION,
    patterns.SECTION,
    organizations.SECTION,
    method.SECTION,
    tasks.SECTION,
    answers.SECTION,
    references.SECTION,
    statements.SECTION,
)
#: Their ids.
SECTIONS = tuple(section.id for section in ALL_SECTIONS)


@dataclass(frozen=True)
class ReportView:
    """The whole report: every string prepared and bounded, every list in reading order.

    :ivar sections: of each the ``id``, the ``number`` (a letter in the appendix), the ``title``, the links of its
        ``children``, its ``content``, and the name of its ``layout`` among the templates.
    :ivar linked: ids of the sections that a fixed link may lead into; of a brief report none.
    :ivar whole: of a brief report the file beside it that has all; each section and id leads to its place there.
    :ivar english: what stays English in another language; empty where all is.
    """

    lang: str
    title: str
    brand: Brand
    cover: Shown
    sections: tuple[Shown, ...]
    linked: tuple[str, ...] = ()
    whole: str = ""
    english: frozenset[str] = frozenset()

    def only(self, ids: Collection[str]) -> ReportView:
        """The same with these sections alone, numbered anew; data that stays may still lead to what goes."""
        linked = tuple(each for each in self.linked if each in ids)
        return replace(self, linked=linked, sections=_numbered(each for each in self.sections if each["id"] in ids))

    @cached_property
    def plain(self) -> dict[str, Any]:
        """The same as dictionaries, lists, strings and numbers: no object that a template could reach into."""
        data: dict[str, Any] = to_jsonable_python(self, exclude={"english"})
        return data


def chosen(assessment: Assessment, sections: Collection[str] | None) -> tuple[Section, ...]:
    """The sections of these ids in the report's order; none means all that the assessment has something for.

    :raises InterlockError: a section that does not exist.
    """
    unknown = sorted(set(sections or ()) - set(SECTIONS))
    if unknown:
        raise InterlockError(f"no section {safe.text(unknown[0], 40)!r}", remedy=f"sections are: {', '.join(SECTIONS)}")
    return tuple(
        section
        for section in ALL_SECTIONS
        if (section.present(assessment) if sections is None else section.id in sections)
    )


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
    """The report as data.

    :param generated: ISO 8601 date or time shown as the report's date; none leaves it undated, so that the same
        assessment gives the same bytes.
    :param observations: organisation id to its latest observation; absent means never probed.
    :param sections: names out of :data:`SECTIONS`; none means all of them.
    :param brief: for a document that is read from front to back: the worst blockers and open questions are told in
        full, other gaps get a row, and the rest is counted.
    :param brand: logo, colours, confidentiality and paper.
    :raises InterlockError: a section that does not exist.
    """
    wanted = chosen(assessment, sections)
    context = Context(assessment, observations, [section.id for section in wanted], brief=brief)
    own = BRIEF if brief else {}
    contents = {
        section.id: own.get(section.id, section.build)(context) for section in sorted(wanted, key=attrgetter("late"))
    }
    return ReportView(
        lang=current().tag,
        title=_("%(product)s: integration readiness report", product=safe.name(assessment.product)),
        brand=brand or Brand(),
        cover=summary.build_cover(context, generated, interlock_version),
        sections=_numbered(
            {
                "id": section.id,
                "title": _(section.title),
                "children": contents[section.id].get("children", ()),
                "content": contents[section.id],
                "layout": f"sections/{'brief/' if section.id in own else ''}{section.id}",
            }
            for section in wanted
        ),
        linked=() if brief else tuple(section.id for section in wanted),
        whole=WHOLE if brief else "",
        english=frozenset() if current() is ENGLISH else sentences_of(assessment, observations),
    )


def _numbered(entries: Iterable[Shown]) -> tuple[Shown, ...]:
    """Sections with their numbers, those of the appendix with letters."""
    numbers, letters = count(1), iter(ascii_uppercase)
    appendix = {section.id for section in ALL_SECTIONS if section.appendix}
    return tuple(
        entry | {"number": next(letters) if entry["id"] in appendix else str(next(numbers))} for entry in entries
    )
