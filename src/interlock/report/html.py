"""The report as one HTML file: stylesheet, pictures and fonts inside it, no script, nothing fetched from anywhere."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from pathlib import Path

from markupsafe import Markup

from interlock.documents.resources import data_dir
from interlock.report import templates
from interlock.report.models import ReportView

_FONT = re.compile(r"url\(\s*[\"']?fonts/([A-Za-z0-9._-]+\.woff2)[\"']?\s*\)")
_MAX_FONT_BYTES = 400_000


def render(view: ReportView, *, override: Path | None = None) -> str:
    """The whole document as text.

    :param override: a directory whose ``report.html.j2``, ``report.css`` or ``fonts/*.woff2`` replace the shipped ones.
    :raises InterlockError: an overriding template has a mistake or does what a template may not do.
    """
    css = _stylesheet(templates.read_text(override, "report.css"), override)
    environment = templates.environment(override, autoescape=True)
    return templates.render(
        environment,
        "report.html.j2",
        view,
        css=Markup(css.replace("</", "<\\/")),  # noqa: S704  # our own stylesheet, kept inside its element
        csp=_policy(css.replace("</", "<\\/")),
    )


def _policy(css: str) -> str:
    """A policy that allows the one stylesheet by its hash, fonts and pictures as data, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(css.encode("utf-8")).digest()).decode("ascii")
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; font-src data:; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _stylesheet(css: str, override: Path | None) -> str:
    directories = [directory / "fonts" for directory in (override, data_dir("reports")) if directory is not None]

    def embed(match: re.Match[str]) -> str:
        for directory in directories:
            font = directory / match.group(1)
            if font.is_file() and font.stat().st_size <= _MAX_FONT_BYTES:
                return f"url(data:font/woff2;base64,{_encoded(str(font), font.stat().st_mtime_ns)})"
        return "local('')"

    return _FONT.sub(embed, css)


@lru_cache(maxsize=32)
def _encoded(path: str, _modified: int) -> str:
    return base64.b64encode(Path(path).read_bytes()).decode("ascii")
