"""The evidence behind one answer: its pieces with a form for one more, each with what, where, by whom, for how long."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Select, Static

from interlock.model import words
from interlock.model.base import EvidenceKind
from interlock.model.errors import InterlockError
from interlock.model.evidence import EvidenceRecord
from interlock.model.text import plain
from interlock.tui.keys import bindings
from interlock.tui.page import ACCENT, WARN, line, text
from interlock.tui.screens.section import Confirm, Dialog, Pick, Section
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


class EvidenceForm(Dialog["EvidenceRecord | None"]):
    """A piece of evidence; dismissed with it, or none when cancelled."""

    BINDINGS = bindings("form")
    FRAME = "dialog -wide"

    def __init__(self, root: Path, today: date) -> None:
        """``root`` is the workspace's folder, where its file has to be; it has to hold ``today``."""
        super().__init__("A piece of evidence")
        self._root, self._today = root, today

    def body(self) -> ComposeResult:
        """A labelled line for each field, and what is wrong with them."""
        with VerticalScroll(classes="form", can_focus=False):
            kinds = [(words.capital(words.EVIDENCE_KIND[kind].phrase), kind.value) for kind in EvidenceKind]
            yield labelled("Kind", Select(kinds, value="document", allow_blank=False, id="kind", compact=True))
            for name, label, hint in _FIELDS:
                yield labelled(label, Field(placeholder=hint, id=name, compact=True))
            yield labelled("", Tick("made by somebody who does not work on the product", False, id="independent"))
        yield Static("A title, a link or a file is enough.", classes="hint", markup=False)
        yield Static("", id="form-problem", classes="error", markup=False)
        with Horizontal(classes="dialog--buttons"):
            yield Button("Add", id="save", variant="primary", compact=True)
            yield Button("Cancel", id="cancel", compact=True)
            yield Static("ctrl+s adds it   escape cancels", classes="hint", markup=False)

    def on_mount(self) -> None:
        """A title comes first to mind."""
        self.query_one("#title", Field).focus()

    @on(Button.Pressed, "#save")
    @on(Input.Submitted)
    def action_save(self) -> None:
        """Check it; what is wrong is said, and the form stays."""
        from interlock.usecases.evidence import Piece, evidence_record

        given = {name: self.query_one(f"#{name}", Field).given or None for name, _, _ in _FIELDS}
        kind = str(self.query_one("#kind", Select).value)
        try:
            piece = Piece(kind=kind, independent=self.query_one("#independent", Tick).value, **given)
            record = evidence_record(piece, self._root, self._today)
        except InterlockError as error:
            problem = self.query_one("#form-problem", Static)
            problem.display = True
            problem.update(text(f"! {error.message}{f'. {error.remedy}' if error.remedy else ''}"))
        else:
            self.dismiss(record)

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)
