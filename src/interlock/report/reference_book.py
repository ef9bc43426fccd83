"""The numbers of what a report cites."""

from __future__ import annotations

from collections.abc import Iterable

from interlock.model.base import Reference
from interlock.report import safe
from interlock.report.elements import Cite, ReferenceEntry


class ReferenceBook:
    """Numbers references in order of first citation; the same address, or else the same title, is one entry.

    :param linked: whether the report has the list that a number can lead to.
    """

    def __init__(self, *, linked: bool) -> None:
        self._linked = linked
        self._entries: dict[str, ReferenceEntry] = {}
        self._cited: dict[tuple[str, str], Cite] = {}  # a workbook of 50 organisations cites 12,000 times

    def cite(self, reference: Reference) -> Cite:
        """The reference's number, a new one on first sight."""
        known = self._cited.get((reference.url, reference.title))
        if known is None:
            known = self._cited[reference.url, reference.title] = self._cite(reference)
        return known

    def _cite(self, reference: Reference) -> Cite:
        url, title, number = safe.web_address(reference.url), safe.text(reference.title, 200), len(self._entries) + 1
        new = ReferenceEntry(number=number, anchor=f"ref-{number}", title=title, url=url)
        entry = self._entries.setdefault(url or title.casefold(), new)
        return Cite(number=entry.number, anchor=entry.anchor if self._linked else "")

    def cite_all(self, references: Iterable[Reference]) -> tuple[Cite, ...]:
        """Each reference's number, each once."""
        return tuple({cite.number: cite for cite in map(self.cite, references)}.values())

    def entries(self) -> tuple[ReferenceEntry, ...]:
        """Everything cited so far, in number order."""
        return tuple(self._entries.values())
