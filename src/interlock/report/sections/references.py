"""Everything that the report cites, in order of its number."""

from __future__ import annotations

from interlock.report.elements import Content, ReferenceEntry
from interlock.report.sections.context import Context, Section


class References(Content):
    """The list that the numbers in brackets lead to."""

    entries: tuple[ReferenceEntry, ...]


def build_references(context: Context) -> References:
    """What the sections before this one cite."""
    return References(entries=context.book.entries())


SECTION = Section("references", "References", build_references, appendix=True, late=True)
