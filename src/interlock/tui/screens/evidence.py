"""The evidence behind one answer: its pieces with a form for one more, each with what, where, by whom, for how long."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Select

from interlock.model import words
from interlock.model.base import EvidenceKind
from interlock.model.evidence import EvidenceRecord
from interlock.model.text import plain
from interlock.tui.page import ACCENT, WARN, line
from interlock.tui.screens.form import Form
from interlock.tui.screens.section import Confirm, Pick, Section
from interlock.tui.widgets.fields import Field, Tick, labelled

#: (field, label, hint) of a piece of evidence.
_FIELDS: tuple[tuple[str, str, str], ...] = (
    ("title", "Title", "Penetration test of the launch, 2026"),
    ("link", "Link", "https://… or the number of a ticket"),
    ("file", "File", "its path in the workspace, such as evidence/pen-test.pdf"),
    ("reviewer", "Reviewed by", "a name"),
    ("date", "Of the day", "2026-11-02"),
    ("valid_until", "Valid until", "2027-11-02, the last day on which it counts"),
)


async def ask_evidence(
    section: Section, records: tuple[EvidenceRecord, ...], question: str, root: Path, today: date
) -> EvidenceRecord | int | None:
    """Show the pieces: a new one to add, the number (from 1) of one to remove, or none to change nothing."""
    pieces: list[tuple[str, Content]] = [
        (str(number), _told(record, today)) for number, record in enumerate(records, start=1)
    ]
    add = line(("+ ", f"bold {ACCENT}"), "Add a piece of evidence")
    chosen = await section.answer_to(Pick(f"Evidence: {plain(question, 200)}", [("add", add), *pieces]))
    if chosen is None:
        return None
    if chosen == "add":
        return await section.app.push_screen_wait(EvidenceForm(root, today))
    record = records[int(chosen) - 1]
    dialog = Confirm("Remove this piece of evidence?", record.told(today), (("remove", "Remove"), ("keep", "Keep")))
    return int(chosen) if await section.answer_to(dialog) == "remove" else None


def _told(record: EvidenceRecord, today: date) -> Content:
    return line(("  ", ""), (record.told(today), WARN if record.expired(today) else ""))


class EvidenceForm(Form["EvidenceRecord | None"]):
    """A piece of evidence; dismissed with it, or none when cancelled."""

    ABOUT = "A title, a link or a file is enough."
    SAVE = "Add"

    def __init__(self, root: Path, today: date) -> None:
        """``root`` is the workspace's folder, where its file has to be; it has to hold ``today``."""
        super().__init__("A piece of evidence")
        self._root, self._today = root, today

    def fields(self) -> ComposeResult:
        """A labelled line for each field."""
        kinds = [(words.capital(words.EVIDENCE_KIND[kind].phrase), kind.value) for kind in EvidenceKind]
        yield labelled("Kind", Select(kinds, value="document", allow_blank=False, id="kind", compact=True))
        for name, label, hint in _FIELDS:
            yield labelled(label, Field(placeholder=hint, id=name, compact=True))
        yield labelled("", Tick("made by somebody who does not work on the product", False, id="independent"))

    def on_mount(self) -> None:
        """A title comes first to mind."""
        self.query_one("#title", Field).focus()

    async def save(self) -> None:
        """Check it, and hand it over."""
        from interlock.usecases.evidence import Piece, evidence_record

        given = {name: self.query_one(f"#{name}", Field).given or None for name, _, _ in _FIELDS}
        kind = str(self.query_one("#kind", Select).value)
        piece = Piece(kind=kind, independent=self.query_one("#independent", Tick).value, **given)
        self.dismiss(evidence_record(piece, self._root, self._today))
