"""The evidence annex as data, for the JSON report and the workbook; HTML and Markdown have the same in sections."""

from __future__ import annotations

from interlock.model.annex import Annex, Note, Seen, StatementJudged
from interlock.report.sections.context import Context
from interlock.report.sections.method import GLOSSARY, LIMITS, build_method
from interlock.report.sections.statements import spoken


def annex_of(context: Context) -> Annex:
    """Everything that was seen, the statements, and how to read the report; texts are as they are, not escaped."""
    observations = context.observations
    return Annex(
        seen=tuple(
            Seen(
                org=org.id,
                started=observation.started,
                elapsed_ms=observation.elapsed_ms,
                outcome=observation.outcome,
                origin=observation.origin_told,
                requests=observation.requests,
                checks=observation.checks,
            )
            for org in context.assessment.organizations
            if (observation := observations.get(org.id)) is not None
        ),
        statements=tuple(
            StatementJudged(
                id=said.id,
                text=said.text,
                rules=tuple(said.rules),
                outcome=said.outcome,
            )
            for said in spoken(context)
        ),
        method=tuple(Note(title=note["title"], text=note["text"]) for note in build_method(context)["notes"]),
        limits=LIMITS,
        glossary=tuple(Note(title=term, text=text) for term, text in GLOSSARY.items()),
    )
