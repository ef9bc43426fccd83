"""Everything that the report cites, in order of its number."""

from __future__ import annotations

from interlock.report.elements import Shown
from interlock.report.sections.context import Context, Section


def build_references(context: Context) -> Shown:
    """What the sections before this one cite."""
    return {"entries": context.book.entries()}


SECTION = Section("references", "References", build_references, appendix=True, late=True)
