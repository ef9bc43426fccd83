"""Writing the report in the formats that were asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from interlock import __version__
from interlock.documents.resources import data_dir
from interlock.model.assessment import Assessment
from interlock.model.errors import InterlockError
from interlock.usecases.load import Inputs
from interlock.workspace.atomic import write_atomically

Format = Literal["md", "html", "pdf", "json"]
FORMATS: tuple[Format, ...] = get_args(Format)


def parse_formats(text: str) -> tuple[Format, ...]:
    """``md,html,pdf,json`` or ``all``.

    :raises InterlockError: an unknown format.
    """
    wanted = [part.strip().lower() for part in text.split(",") if part.strip()]
    if wanted == ["all"]:
        return FORMATS
    for name in wanted:
        if name not in FORMATS:
            raise InterlockError(f"there is no report format {name!r}", remedy=f"formats: {', '.join(FORMATS)}, all")
    return tuple(name for name in FORMATS if name in wanted)


def write_report(
    assessment: Assessment,
    inputs: Inputs,
    directory: Path,
    formats: Sequence[Format] = FORMATS,
    *,
    sections: Sequence[str] | None = None,
    templates: Path | None = None,
    now: datetime | None = None,
    on_skipped: Callable[[Format, InterlockError], None] | None = None,
) -> tuple[Path, ...]:
    """Write ``report.<format>`` files into ``directory``; returns those written.

    :param sections: names of the sections to keep; all by default. The JSON is always whole.
    :param templates: a folder whose files replace the shipped templates, stylesheet and fonts one by one.
    :param on_skipped: called instead of failing when one format cannot be made (a PDF without its libraries).
    :raises InterlockError: a format cannot be made and ``on_skipped`` is not given.
    :raises WorkspaceError: the folder cannot be written.
    """
    from interlock.report import html, json, markdown, pdf, view

    generated = (now or datetime.now(UTC)).strftime("%Y-%m-%d")
    shown = view.build(
        assessment,
        generated=generated,
        interlock_version=__version__,
        observations=inputs.observations,
        sections=sections,
    )
    own = templates if templates is not None and templates.is_dir() else None
    page: list[str] = []

    def html_page() -> str:
        if not page:
            page.append(html.render(shown, override=own))
        return page[0]

    makers: dict[Format, Callable[[], bytes]] = {
        "md": lambda: markdown.render(shown, override=own).encode(),
        "html": lambda: html_page().encode(),
        "pdf": lambda: pdf.render(html_page(), own or data_dir("reports")),
        "json": lambda: json.render(assessment).encode(),
    }
    written = []
    for name in formats:
        try:
            content = makers[name]()
        except InterlockError as error:
            if on_skipped is None:
                raise
            on_skipped(name, error)
            continue
        write_atomically(directory / f"report.{name}", content)
        written.append(directory / f"report.{name}")
    return tuple(written)
