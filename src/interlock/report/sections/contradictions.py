"""Where answers and observations disagree: both sides."""

from __future__ import annotations

from interlock.model.base import Model
from interlock.report import safe
from interlock.report.elements import Content, Link
from interlock.report.sections.context import Context, Section


class ContradictionRow(Model):
    """An answer that an observation contradicts: both sides."""

    item: str
    where: Link
    answered: str
    observed: str
    evidence: str


class Contradictions(Content):
    """Every answer that an observation contradicts."""

    rows: tuple[ContradictionRow, ...]


def build_contradictions(context: Context) -> Contradictions:
    """Answers that an observation contradicts, both sides."""
    rows = tuple(
        ContradictionRow(
            item=safe.text(row.item, 96),
            where=context.organization_link(row.org) if row.org else Link(label="Product"),
            answered=safe.text(row.answered, 300),
            observed=safe.text(row.observed, 300),
            evidence=safe.text(row.evidence, 300),
        )
        for row in context.assessment.contradictions
    )
    return Contradictions(rows=rows)


SECTION = Section("contradictions", "Where answers and observations disagree", build_contradictions)
