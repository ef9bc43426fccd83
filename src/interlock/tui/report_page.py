"""What the section of the report shows of files: those that were written, and the report itself before it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from interlock.model.errors import InterlockError
from interlock.tui.keys import key_of, keyed
from interlock.tui.page import DIM, OK, WARN, Page, text
from interlock.tui.widgets.flow import draw_problem

if TYPE_CHECKING:
    from interlock.tui.work import Exported

#: Where other parts of the report lead to: for a browser, not for a reader.
_ANCHOR = re.compile(r"<a id=\"[^\"]*\"></a>")
#: Lines of a preview: more than anybody reads in a panel.
_PREVIEWED = 600


def draw_preview(page: Page, report: str) -> None:
    """The report as Markdown, as far as anybody reads in a panel."""
    lines = _ANCHOR.sub("", report).splitlines()
    for shown in lines[:_PREVIEWED]:
        if shown.strip():
            page.para(shown, "bold" if shown.startswith("#") else "")
        else:
            page.blank()
    if len(lines) > _PREVIEWED:
        page.para(f"{len(lines) - _PREVIEWED:,} more lines are in the file that {key_of('report.export')} writes.", DIM)


def draw_written(page: Page, exported: Exported, error: InterlockError | None, *, web: bool) -> None:
    """The files, where they are, and what could not be made with its reason."""
    if error is not None:
        draw_problem(page, error)
    if exported.written:
        page.heading("Written")
    for path in exported.written:
        page.bullet(text("✓", OK), str(path))
    if exported.written:
        where = keyed("They are where Interlock runs; {report.download} brings one of them to where the browser runs.")
        page.line((where if web else f"{key_of('report.open-folder')} opens the folder.", DIM))
    if exported.skipped:
        page.heading("To look at")
    for name, reason in exported.skipped:
        page.bullet(text("–", WARN), (f"{name}: ", "bold"), reason.message)
        if reason.remedy:
            page.bullet(" ", ("do  ", DIM), reason.remedy)
