"""The report as GitHub-flavoured Markdown, every string escaped so that nobody else's text becomes markup."""

from __future__ import annotations

import re
from pathlib import Path

from interlock.report import templates
from interlock.report.view import ReportView

_BLANK_LINES = re.compile(r"\n{3,}")


def render(view: ReportView, *, own: Path | None = None) -> str:
    """The whole document as text, ending with one line feed.

    :param own: a folder whose ``report.md.j2`` takes the place of the shipped one.
    :raises InterlockError: that template has a mistake, or does what a template may not do.
    """
    text = templates.render("report.md.j2", {"view": view.plain}, own, autoescape=False)
    return _BLANK_LINES.sub("\n\n", text).strip() + "\n"
