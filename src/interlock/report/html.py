"""The report as one HTML file: stylesheet, pictures and fonts inside it, no script, nothing fetched from anywhere."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from interlock.documents.files import read_bytes
from interlock.report import templates
from interlock.report.elements import Brand
from interlock.report.view import ReportView

_FONT = re.compile(r"url\(\s*[\"']?fonts/([A-Za-z0-9._-]+\.woff2)[\"']?\s*\)")
_MAX_FONT_BYTES = 400_000


def render(view: ReportView, *, own: Path | None = None) -> str:
    """The whole document as text.

    :param own: a folder whose ``report.html.j2``, ``report.css`` or ``fonts/*.woff2`` take the shipped ones' place.
    :raises InterlockError: an own template has a mistake, or does what a template may not do.
    """
    css = (_stylesheet(templates.read_text(own, "report.css"), own) + _branding(view.brand)).replace(
        "</", "<\\/"
    )  # kept inside its element
    # The one stylesheet is allowed by its hash, fonts and pictures as data, and nothing else.
    digest = base64.b64encode(hashlib.sha256(css.encode("utf-8")).digest()).decode("ascii")
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; font-src data:; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    variables = {"view": templates.plain_data(view), "css": css, "csp": policy}
    return templates.render("report.html.j2", variables, own, autoescape=True)


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
        parts.append("\n@page { size: letter; } @page wide { size: letter landscape; }")
    return "".join(parts)
