"""Where answers and observations disagree: both sides."""

from __future__ import annotations

from interlock.model.finding import Contradiction
from interlock.report import safe
from interlock.report.elements import Link, Shown
from interlock.report.sections.context import Context, Section, answer_anchor


def build_contradictions(context: Context) -> Shown:
    """Answers that an observation contradicts, both sides."""
    texts = {answer.item: answer.text for answer in context.assessment.answers}
    rows = tuple(_row(context, row, texts.get(row.item, row.item)) for row in context.assessment.contradictions)
    return {"rows": rows}


def _row(context: Context, row: Contradiction, question: str) -> Shown:
    answer = context.answers.get((row.item, row.org or "product"))
    answered, evidence = safe.text(row.answered, 300), safe.text(row.evidence, 300)
    seen = context.seen_anchor(row.org) if row.org and not context.brief else context.settled_anchor(row.item)
    return {
        "item": safe.text(row.item, 96),
        "question": safe.text(question, 300),
        "where": context.organization_link(row.org) if row.org else context.product_link,
        "answered": answered,
        "answer": Link(label=answered, anchor=context.leads("answers", answer_anchor(answer)) if answer else ""),
        "observed": safe.text(row.observed, 300),
        "evidence": evidence,
        "seen": Link(label=evidence, anchor=seen),
    }


SECTION = Section("contradictions", "Where answers and observations disagree", build_contradictions)
