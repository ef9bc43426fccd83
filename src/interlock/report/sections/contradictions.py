"""Where answers and observations disagree: both sides."""

from __future__ import annotations

from interlock.model.language import _
from interlock.report import safe
from interlock.report.elements import Link, Shown
from interlock.report.sections.context import Context, Section


def build_contradictions(context: Context) -> Shown:
    """Answers that an observation contradicts, both sides."""
    texts = {answer.item: answer.text for answer in context.assessment.answers}
    rows = tuple(
        {
            "item": safe.text(row.item, 96),
            "question": safe.text(texts.get(row.item, row.item), 300),
            "where": context.organization_link(row.org) if row.org else Link(label=_("Product")),
            "answered": safe.text(row.answered, 300),
            "observed": safe.text(row.observed, 300),
            "evidence": safe.text(row.evidence, 300),
        }
        for row in context.assessment.contradictions
    )
    return {"rows": rows}


SECTION = Section("contradictions", "Where answers and observations disagree", build_contradictions)
