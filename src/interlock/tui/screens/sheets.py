"""An organisation's questions as a sheet: written to be mailed, and what came in is shown before it is taken."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from interlock.model import words
from interlock.model.errors import InterlockError
from interlock.model.organization import Organization
from interlock.model.text import plain
from interlock.tui.keys import key_of
from interlock.tui.page import ACCENT, BAD, DIM, OK, WARN, Page, text
from interlock.tui.screens.organization_import import readable_file
from interlock.tui.screens.section import AskText, Review, Section
from interlock.tui.state import Answer
from interlock.tui.undo import Step
from interlock.tui.work import in_thread

if TYPE_CHECKING:
    from interlock.model.forms import ChangeKind, FormChange, FormImport
    from interlock.usecases.form_import import FormsRefusedError
    from interlock.usecases.load import Inputs

#: What becomes of an answer that came in, in the order in which it is told, with the mark before it.
_KINDS: dict[ChangeKind, tuple[str, str, str]] = {
    "differs": ("≠", WARN, "differ from ours: both stand until one is kept, and the question counts as unknown"),
    "new": ("+", OK, "new"),
    "changed": ("~", OK, "changed"),
    "confirmed": ("✓", OK, "confirmed"),
    "older": ("·", DIM, "older than ours: ours stay"),
    "same": ("·", DIM, "as ours"),
}
#: Answers, and reasons against a sheet, that are told one by one.
_SHOWN = 200


async def send_sheet(section: Section, org: Organization) -> None:
    """Ask for a folder, and write the organisation's questions there, in its own words and without our notes."""
    from interlock.usecases.sheet import export_sheet, write_sheet

    inputs, workspace = section.state.inputs, section.interlock.workspace
    about = "A workbook and a FHIR form to mail: what it is asked, with no note, evidence or weight of ours."
    typed = await section.answer_to(
        AskText(f"Sheet for {org.name}: into which folder?", about, value=str(workspace.root / "reports" / "sheets"))
    )
    if inputs is None or typed is None:
        return

    def write() -> tuple[int, tuple[Path, ...]]:
        export = export_sheet(inputs, org.id, "both", day=date.today())
        folder = workspace.output((workspace.root / Path(typed or ".").expanduser()).absolute())
        return export.questions, write_sheet(export, folder)

    try:
        questions, paths = await in_thread(write)
    except InterlockError as error:
        section.notify(plain(error, 600), title="Not written", severity="error", timeout=10, markup=False)
        return

    def drawing(page: Page) -> None:
        page.para(
            f"{words.count(questions, 'question')}. When the workbook comes back, "
            f"{key_of('organizations.sheet-in')} takes its answers."
        )
        page.blank()
        for path in paths:
            page.bullet(text("✓", OK), str(path))

    await section.answer_to(Review("Written", drawing, (("close", "Close"),)))


async def take_sheet(section: Section) -> None:
    """Ask for a workbook, show what it brings, and take it if somebody wants it: all of it or nothing."""
    from interlock.usecases.form_import import FormsRefusedError, apply_import
    from interlock.usecases.sheet_import import plan_sheet_import

    inputs, workspace = section.state.inputs, section.interlock.workspace
    typed = await section.answer_to(
        AskText(
            "Which sheet came back?",
            "The path of a workbook that an organisation filled in. Nothing is taken before you have seen it.",
            placeholder="~/Downloads/north-questions-2026-12-01.xlsx",
            check=readable_file,
        )
    )
    if inputs is None or typed is None:
        return
    try:
        planned = await in_thread(lambda: plan_sheet_import(inputs, [Path(typed).expanduser()]))
        takes = (("take", "Take them"), ("leave", "Leave them")) if planned.changes else (("leave", "Close"),)
        review = Review("What came in", lambda page: draw_import(page, planned, inputs), takes)
        if await section.answer_to(review) != "take":
            return
        await in_thread(apply_import, workspace, planned)
    except FormsRefusedError as refused:
        problems = refused
        await section.answer_to(
            Review("Nothing was taken", lambda page: _draw_refused(page, problems), (("close", "Close"),))
        )
        return
    except InterlockError as error:
        section.notify(plain(error, 600), title="Nothing was taken", severity="error", timeout=10, markup=False)
        return
    answers = tuple(Answer(change.scope, change.item, change.after, change.before) for change in planned.changes)
    told = words.count(len(answers), "answer")
    section.interlock.changed(Step(f"{told} of a sheet", answers))
    section.notify(f"{told}; {key_of('app.undo')} takes them back.", title="Taken", markup=False)
    section.interlock.action_reload()


def draw_import(page: Page, planned: FormImport, inputs: Inputs) -> None:
    """What a sheet brings, by what becomes of it: each question with our answer and theirs."""
    changes = (*planned.changes, *planned.others)
    counts = Counter(change.kind for change in changes)
    page.para(", ".join(f"{counts[kind]} {kind}" for kind in _KINDS if counts[kind]) or "It holds no answer.")
    for kind, (sign, style, told) in _KINDS.items():
        of_kind = [change for change in changes if change.kind == kind]
        if of_kind and kind != "same":
            page.heading(words.capital(told), str(len(of_kind)))
            for change in of_kind[:_SHOWN]:
                _draw_change(page, change, inputs, sign, style)
    if planned.kept:
        page.heading("Not in it", words.count(len(planned.kept), "stored answer"))
        page.line(("What it leaves out stays as it is.", DIM))
    for remark in planned.remarks:
        page.bullet(text("!", WARN), f"{remark}.")


def _draw_change(page: Page, change: FormChange, inputs: Inputs, sign: str, style: str) -> None:
    from interlock.usecases.form_import import answer_words

    item, theirs = inputs.content.items[change.item], change.theirs
    page.bullet(text(sign, style), (plain(change.text, 300), "bold"), (f"  {change.scope}", DIM))
    by = ", ".join(filter(None, (theirs.by, words.day(theirs.at) if theirs.at else "")))
    page.bullet(" ", ("theirs ", ACCENT), plain(answer_words(item, theirs), 600), (f"  {by}" if by else "", DIM))
    if change.before is not None:
        page.bullet(" ", ("ours   ", DIM), (plain(answer_words(item, change.before), 600), DIM))
    if change.hidden:
        page.bullet(" ", ("It is not asked, given the other answers: it counts for nothing yet.", WARN))


def _draw_refused(page: Page, refused: FormsRefusedError) -> None:
    for problem in refused.problems[:_SHOWN]:
        page.bullet(text("!", BAD), str(problem))
