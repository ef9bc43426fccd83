"""The report as a folder for a static host: pages of HTML that lead to each other and fetch nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from interlock.model.language import N_, _
from interlock.report import html
from interlock.report.elements import Shown
from interlock.report.view import ReportView

#: The pages: file, title, and what a reader finds there.
PAGES = (
    ("index.html", N_("Start"), N_("the verdict, and where everything is")),
    ("executive.html", N_("On one page"), N_("for who decides: what, when, at what cost, what is in the way")),
    ("report.html", N_("Report"), N_("the verdict, the plan, every gap and every organisation")),
    ("evidence.html", N_("Evidence"), N_("method, tasks, every answer and every request, references")),
)
_ID = re.compile(r' id="([^"]+)"')
_LINK = re.compile(r'href="#([^"]+)"')


def render(view: ReportView, *, own: Path | None = None) -> dict[str, str]:
    """Each page by its file's name. A page without a section is left out, but for the first.

    :param own: a folder of one's own templates, as for the report of one file.
    :raises InterlockError: an own template has a mistake, or does what a template may not do.
    """
    sections = {file: tuple(filter(lambda each: _file(each) == file, view.sections)) for file, *_rest in PAGES}
    kept = [page for page in PAGES if sections[page[0]] or page is PAGES[0]]
    pages: dict[str, str] = {}
    for here, *_rest in kept:
        links = [
            {"file": file, "title": _(title), "about": _(about), "here": file == here} for file, title, about in kept
        ]
        cover = view.cover if sections[here] else _start(view)
        shown = replace(view, sections=sections[here], cover=cover)
        pages[here] = html.render(shown, own=own, pages=links, contents=view.sections)
    home = {anchor: file for file, page in pages.items() for anchor in _ID.findall(page)}

    def across(page: str) -> str:
        own_ids = set(_ID.findall(page))

        def lead(match: re.Match[str]) -> str:
            anchor = match[1]
            return match[0] if anchor in own_ids or anchor not in home else f'href="{home[anchor]}#{anchor}"'

        return _LINK.sub(lead, page)

    return {file: across(page) for file, page in pages.items()}


def _start(view: ReportView) -> Shown:
    """The cover of the page that holds no section: it leads with what the one page to decide from says."""
    for section in view.sections:
        if section["id"] == "executive" and (content := section["content"])["verdict"]:
            return view.cover | {"verdict": content["verdict"], "headline": content["headline"], "organizations": ""}
    return view.cover


def _file(section: Shown) -> str:
    """Where a section stands: appendices have letters for numbers."""
    if section["id"] == "executive":
        return "executive.html"
    return "report.html" if section["number"].isdigit() else "evidence.html"
