"""The report as one HTML file: stylesheet, script, pictures and fonts inside it, nothing fetched from anywhere.

The page is whole without its script, which is ours alone (``reports/report.js``) and allowed by its hash: it folds,
filters and sorts what is there, and draws the gap graph from the data of its section.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from interlock.documents.files import read_bytes
from interlock.model.language import ENGLISH, N_, _, current
from interlock.report import templates
from interlock.report.elements import Brand, Shown
from interlock.report.english import marked
from interlock.report.view import ReportView

_FONT = re.compile(r"url\(\s*[\"']?fonts/([A-Za-z0-9._-]+\.woff2)[\"']?\s*\)")
_MAX_FONT_BYTES = 400_000
#: Every fixed word of the script, as it stands there between quotation marks.
SCRIPT_WORDS = (
    N_("All"),
    N_("Fold: %(name)s"),
    N_("Critical"),
    N_("High"),
    N_("Medium"),
    N_("Low"),
    N_("Organisation"),
    N_("Owner"),
    N_("Severity"),
    N_("%(shown)s of %(all)s entries match"),
    N_("Fold all"),
    N_("Unfold all"),
    N_("Text"),
    N_("Clear"),
    N_("Filter and fold"),
    N_("Gap graph with all nodes"),
    N_("nothing"),
    N_(
        "Follow what a node waits for and what waits for it: click or arrow keys and Enter. Drag to move; + and − "
        "zoom; 0 shows all; Escape lets go."
    ),
    N_("Waits for: %(before)s. Opens the way for: %(after)s."),
    N_("Read about it"),
    N_("root cause"),
    N_("Gap graph to explore"),
    N_("Only the chain that is followed"),
    N_("Zoom in"),
    N_("Zoom out"),
    N_("Whole graph"),
)


def render(
    view: ReportView,
    *,
    own: Path | None = None,
    scripted: bool = True,
    pages: Sequence[Mapping[str, Any]] = (),
    contents: Sequence[Shown] | None = None,
) -> str:
    """The whole document as text.

    :param own: a folder whose ``report.html.j2``, ``report.css`` or ``fonts/*.woff2`` take the shipped ones' place.
    :param scripted: with the script; a page that is only printed needs none.
    :param pages: of a site that this page is one of: ``file``, ``title``, ``about``, and whether it is ``here``.
    :param contents: the sections that the contents list; by default those of the page.
    :raises InterlockError: an own template has a mistake, or does what a template may not do.
    """
    css = (_stylesheet(_numbered(templates.read_text(own, "report.css")), own) + _branding(view.brand)).replace(
        "</", "<\\/"
    )  # kept inside its element
    script = _said(_script()) if scripted else ""
    # The one stylesheet and the one script are allowed by their hashes, fonts and pictures as data, and nothing else.
    allowed = f"script-src 'sha256-{_digest(script)}'; " if scripted else ""
    policy = (
        f"default-src 'none'; style-src 'sha256-{_digest(css)}'; {allowed}font-src data:; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    shown = view.plain
    variables = {
        "view": shown,
        "contents": shown["sections"] if contents is None else [_entry(section) for section in contents],
        "pages": list(pages),
        "css": css,
        "csp": policy,
        "script": script,
    }
    page = templates.render("report.html.j2", variables, own, autoescape=True)
    return marked(page, view.english) if view.english else page


def _entry(section: Shown) -> dict[str, Any]:
    """What the contents show of a section."""
    children = [{"label": child.label, "anchor": child.anchor} for child in section["children"]]
    return {"id": section["id"], "number": section["number"], "title": section["title"], "children": children}


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _said(script: str) -> str:
    """The script with its fixed words in the language that is written now."""
    if current() is ENGLISH:
        return script
    for sentence in SCRIPT_WORDS:
        script = script.replace(f'"{sentence}"', json.dumps(_(sentence)).replace("<", "\\u003c"))
    return script


def _numbered(css: str) -> str:
    """The stylesheet with the number of the page, and of all, in the language that is written now."""
    if current() is ENGLISH:
        return css
    said = _("%(page)s of %(pages)s", page="\x01", pages="\x02")
    for sign, escaped in (("\\", "\\\\"), ('"', '\\"'), ("<", "\\3c ")):
        said = said.replace(sign, escaped)
    said = said.replace("\x01", '" counter(page) "').replace("\x02", '" counter(pages) "')
    return css.replace('counter(page) " of " counter(pages)', f'"{said}"')


@cache
def _script() -> str:
    """The shipped script without comments and most spaces. A folder of one's own brings none."""
    lines = re.sub(r"(?m)^ +|^\s*//.*\n", "", templates.read_text(None, "report.js"))
    # No text of the script has an operator between spaces, or a letter behind a comma and a space.
    return re.sub(
        r" (=>|===?|!==|&&|\|\||[?:=<>]) |(?<=\{) (?=\w)| (?=\})|(?<=\)) (?=\{)|(?<=,) (?=[a-zA-Z\[({.])", r"\1", lines
    )


def _stylesheet(css: str, own: Path | None) -> str:
    def embed(match: re.Match[str]) -> str:
        font = templates.find(own, f"fonts/{match.group(1)}")
        if font is None or font.stat().st_size > _MAX_FONT_BYTES:
            return "local('')"
        encoded = base64.b64encode(read_bytes(font, _MAX_FONT_BYTES)).decode("ascii")
        return f"url(data:font/woff2;base64,{encoded})"

    return _FONT.sub(embed, css)


def _branding(brand: Brand) -> str:
    """What comes after the report's own stylesheet; empty for a report without branding."""
    rules = []
    if brand.heading:
        rules.append(f"h1, h2, h3, h4, .verdict {{ color: {brand.heading}; }}")
    if brand.accent:
        rules.append(f"h2, .cover-verdict, .cover-facts {{ border-top-color: {brand.accent}; }}")
        rules.append(f"a {{ text-decoration-color: {brand.accent}; }}")
    # Dark screens keep the report's own colours, which are made for them.
    media = ("print", "screen and (prefers-color-scheme: light)") if rules else ()
    parts = [f"\n@media {medium} {{ {' '.join(rules)} }}" for medium in media]
    if brand.paper == "letter":
        parts.append(
            "\n@page { size: letter; } @page wide { size: letter landscape; } "
            "@page brief { margin-top: 14mm; margin-bottom: 12mm; }"
        )
    return "".join(parts)
