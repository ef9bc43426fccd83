"""The report as GitHub-flavoured Markdown, every string escaped so that nobody else's text becomes markup."""

from __future__ import annotations

import re
from pathlib import Path

from interlock.report import templates
from interlock.report.models import ReportView

_SPECIAL = re.compile(r"([\\`*_{}\[\]|~$#])")
_LEADING = re.compile(r"^([-+=>])")
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
_MAIL = re.compile(r"@(?=[A-Za-z0-9])")
_BLANK_LINES = re.compile(r"\n{3,}")


def render(view: ReportView, *, override: Path | None = None) -> str:
    """The whole document as text, ending with one line feed.

    :param override: a directory whose ``report.md.j2`` replaces the shipped one.
    :raises InterlockError: an overriding template has a mistake or does what a template may not do.
    """
    environment = templates.environment(override, autoescape=False)
    environment.filters["md"] = escape
    text = templates.render(environment, "report.md.j2", view)
    return _BLANK_LINES.sub("\n\n", text).strip() + "\n"


def escape(text: str) -> str:
    """Text as Markdown that renders as that text: no emphasis, link, code, table cell, HTML or block starts from it.

    ``&``, ``<`` and ``>`` become entities; punctuation that means something is escaped by a backslash, and so are the
    colon and the dot that would turn a bare address into a link (GFM autolinks), and the at sign of an address.
    """
    safe = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    safe = _SPECIAL.sub(r"\\\1", safe)
    safe = _LEADING.sub(r"\\\1", safe)
    safe = _NUMBERED.sub(r"\1\\\2", safe).replace(">", "&gt;").replace("\\&gt;", "&gt;")
    safe = re.sub(r"(?i)(https?|ftp|mailto|xmpp):", r"\1\\:", safe)
    safe = re.sub(r"(?i)\bwww\.", r"www\\.", safe)
    return _MAIL.sub(r"\\@", safe)
