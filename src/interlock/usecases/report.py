"""Writing the report in the formats that were asked for, with the look that a workspace gives it."""

from __future__ import annotations

import base64
import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, get_args

from interlock import __version__
from interlock.documents.files import read_bytes
from interlock.documents.timing import timed, writing_time
from interlock.documents.yaml import load_yaml
from interlock.model.assessment import Assessment
from interlock.model.branding import Branding
from interlock.model.errors import DocumentError, InterlockError, Location
from interlock.model.language import ENGLISH, Language, using
from interlock.report import safe
from interlock.report.elements import Brand
from interlock.report.sections.context import WHOLE
from interlock.report.view import ALL_SECTIONS, SECTIONS, ReportView, chosen
from interlock.report.view import build as build_view
from interlock.usecases.load import Inputs
from interlock.usecases.manifest import manifest_of
from interlock.usecases.milestone import with_changes
from interlock.usecases.pdf import PdfProcess
from interlock.workspace.atomic import write_atomically
from interlock.workspace.store import SETTINGS_FILE

Format = Literal["md", "html", "pdf", "json", "xlsx", "docx", "csv", "sarif"]
#: What ``all`` stands for. Workbook, Word document and findings for code scanning are for some readers: they are named.
FORMATS: tuple[Format, ...] = ("md", "html", "pdf", "json")
_DATA = frozenset({"json", "sarif"})
#: What the PDF leaves to the whole report that is attached to it.
_ATTACHED_ALONE = {"tasks", "statements", "answers"}
PDF_SECTIONS: tuple[str, ...] = tuple(name for name in SECTIONS if name not in _ATTACHED_ALONE)
#: The largest logo, in bytes.
MAX_LOGO_BYTES = 500_000
#: Pixels on a side: a small file may unpack to a picture that fills memory.
MAX_LOGO_SIDE = 4_000
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"


def parse_formats(text: str) -> tuple[Format, ...]:
    """Names separated by commas, out of :data:`Format`, or ``all`` (:data:`FORMATS`).

    :raises InterlockError: an unknown format.
    """
    wanted = [part.strip().lower() for part in text.split(",") if part.strip()]
    if wanted == ["all"]:
        return FORMATS
    known: tuple[Format, ...] = get_args(Format)
    for name in wanted:
        if name not in known:
            raise InterlockError(f"there is no report format {name!r}", remedy=f"formats: {', '.join(known)}, all")
    return tuple(name for name in known if name in wanted)


@timed("render reports")
def write_report(
    assessment: Assessment,
    inputs: Inputs,
    directory: Path,
    formats: Sequence[Format] = FORMATS,
    *,
    sections: Sequence[str] | None = None,
    templates: Path | None = None,
    pdf_process: PdfProcess | None = None,
    on_skipped: Callable[[Format, InterlockError], None] | None = None,
    made: str | None = None,
    language: Language | None = None,
) -> tuple[Path, ...]:
    """Write ``report.<format>`` files (of CSV one for each table) into ``directory``; returns those written.

    The PDF is for reading from front to back. The whole report goes with it as :data:`~context.WHOLE`, attached to it
    and as a file beside it: what the PDF only counts stands there.

    :param sections: names of the sections to keep. By default the PDF leaves out the long appendices
        (:data:`PDF_SECTIONS`), the others have all. The workbook has a sheet for some of the sections. The JSON is
        always whole, and SARIF has what was observed.
    :param templates: a folder that the user names, whose files replace the shipped templates, stylesheet and fonts one
        by one. Never one that a workspace brings.
    :param pdf_process: a process that was started earlier; without one, one is started when a PDF is asked for.
    :param on_skipped: called instead of failing when one format cannot be made (a PDF without its libraries).
    :param made: the day on the report; by default today.
    :param language: of the fixed words, by default the workspace's; JSON and SARIF are data, and stay English.
    :raises InterlockError: a format cannot be made and ``on_skipped`` is not given; nothing was ever probed and SARIF
        is asked for; the workbook has no sheet for any of the sections.
    :raises WorkspaceError: the folder cannot be written.
    """
    from interlock.report import docx, html, json, markdown, seal
    from interlock.report.annex import annex_of
    from interlock.report.sections.context import Context
    from interlock.report.templates import own_folder

    language = language or report_language(inputs.settings.branding, inputs.root)
    assessment = with_changes(assessment, inputs)
    told = chosen(assessment, sections)  # fails before anything is written
    on_paper = [section.id for section in told if sections or section.id in PDF_SECTIONS]
    own = own_folder(templates) if templates is not None else None

    day = made or writing_time().date().isoformat()

    manifest = manifest_of(
        inputs, assessment, made=day, sections=sections, own_templates=own is not None, language=language.tag
    )

    with using(language), contextlib.ExitStack() as stack:
        makers: dict[Format, Callable[[], bytes]] = {}
        if {"md", "html", "pdf", "docx"} & {*formats}:
            whole = report_view(assessment, inputs, day, sections)
            makers["md"] = lambda: markdown.render(whole, own=own).encode()
            makers["html"] = lambda: html.render(whole, own=own).encode()
        if "pdf" in formats:  # first, so that it is laid out while the others are written
            brief = report_view(assessment, inputs, day, on_paper, brief=True)
            page = html.render(brief, own=own, scripted=False)
            page = seal.in_html(page, manifest.but(form="pdf"))
            all_of_it = makers["html"]()
            process = pdf_process or stack.enter_context(PdfProcess())
            attached = {WHOLE: seal.sealed(all_of_it, "html", manifest.but(form="html"))}
            makers["pdf"] = process.submit(page, own, attached)
            makers["html"] = lambda: all_of_it
            formats = tuple(name for name in get_args(Format) if name in {*formats, "html"})
        data = manifest.but(form="json", language=ENGLISH.tag)
        makers["json"] = lambda: json.render(
            assessment.but(manifest=data, annex=annex_of(Context(assessment, inputs.observations, SECTIONS)))
        )
        if "xlsx" in formats:
            makers["xlsx"] = _workbook(assessment, inputs, sections)
        if "docx" in formats:
            paper = whole.only({*on_paper, "answers"}) if sections is None else whole
            makers["docx"] = lambda: docx.render(paper, day=day, version=__version__)
        if "sarif" in formats:
            makers["sarif"] = _sarif(inputs)
        written: dict[Format, tuple[Path, ...]] = {}
        for name in sorted(set(formats) - {"csv"}, key=lambda name: (name == "pdf", name)):
            try:
                with using(ENGLISH if name in _DATA else language):
                    content = makers[name]()
                made_of = data if name == "json" else manifest.but(form=name)
                content = content if name == "pdf" else seal.sealed(content, name, made_of)
            except InterlockError as error:
                if on_skipped is None:
                    raise
                on_skipped(name, error)
                continue
            written[name] = (directory / f"report.{name}",)
            write_atomically(written[name][0], content)
        if "csv" in formats:
            written["csv"] = _write_tables(assessment, inputs, directory)
    return tuple(path for name in formats for path in written.get(name, ()))


def _write_tables(assessment: Assessment, inputs: Inputs, directory: Path) -> tuple[Path, ...]:
    """``report-gaps.csv`` and the like."""
    from interlock.report import csv

    tables = csv.render(assessment, inputs.observations, holidays=inputs.settings.holidays)
    paths = {directory / f"report-{name}.csv": text for name, text in tables.items()}
    for path, text in paths.items():
        write_atomically(path, text.encode())
    return tuple(paths)


def report_view(
    assessment: Assessment, inputs: Inputs, day: str, sections: Sequence[str] | None = None, *, brief: bool = False
) -> ReportView:
    """What every format of the report is rendered from, with the look that the workspace gives it.

    :param day: ISO 8601, the day on the report.
    :raises InterlockError: a section that does not exist.
    :raises DocumentError: the logo is outside, too large or no such picture.
    """
    return build_view(
        assessment,
        generated=day,
        interlock_version=__version__,
        observations=inputs.observations,
        sections=sections,
        brief=brief,
        brand=load_brand(inputs.settings.branding, inputs.root),
    )


def section_titles() -> dict[str, str]:
    """Every section's title by its name, in the report's order."""
    return {section.id: section.title for section in ALL_SECTIONS}


def preview(assessment: Assessment, inputs: Inputs, sections: Sequence[str] | None = None) -> str:
    """The report as Markdown, as it would be written today; nothing is written. Without ``sections`` the whole one."""
    from interlock.report import markdown

    with using(report_language(inputs.settings.branding, inputs.root)):
        return markdown.render(
            report_view(with_changes(assessment, inputs), inputs, writing_time().date().isoformat(), sections)
        )


def _workbook(assessment: Assessment, inputs: Inputs, sections: Sequence[str] | None) -> Callable[[], bytes]:
    from interlock.report import xlsx

    xlsx.sheets(sections)  # fails before anything is written
    return lambda: xlsx.render(
        assessment,
        inputs.observations,
        interlock_version=__version__,
        sections=sections,
        holidays=inputs.settings.holidays,
    )


def _sarif(inputs: Inputs) -> Callable[[], bytes]:
    """The findings of the latest observations; an empty file would say that there are none."""
    from interlock.report.sarif import to_sarif

    observations = [inputs.observations[org.id] for org in inputs.organizations if org.id in inputs.observations]
    if not observations:
        raise InterlockError(
            "there is nothing to write as SARIF: none of the organisations was ever probed",
            remedy="interlock probe --all",
        )
    return lambda: to_sarif(observations, inputs.content.words, inputs.content.changes).encode()


def never_probed(inputs: Inputs) -> tuple[str, ...]:
    """Ids of the organisations of which SARIF can say nothing, because they have no observation."""
    return tuple(org.id for org in inputs.organizations if org.id not in inputs.observations)


def load_brand(branding: Branding, root: Path) -> Brand:
    """The look of a report of the workspace at ``root``.

    A logo that is not there is left out (:func:`missing_logo` says so).

    :raises DocumentError: the logo is outside, too large or no such picture; says where it is named.
    """
    there = branding.logo and not missing_logo(branding, root)
    return Brand(
        logo=_logo(branding.logo, root) if branding.logo and there else "",
        confidentiality=safe.text(branding.confidentiality or "", 100),
        heading=branding.colours.heading or "",
        accent=branding.colours.accent or "",
        paper=branding.paper,
    )


def missing_logo(branding: Branding, root: Path) -> str:
    """What to say of a logo that the settings name and that is not there; empty when all is well."""
    if branding.logo is None or os.path.lexists(root / branding.logo):
        return ""
    return f"{_location(root)}: there is no logo {branding.logo!r}, so the report has none."


def report_language(branding: Branding, root: Path, file: Path | None = None) -> Language:
    """The language of a report's fixed words: a translation that the user or the workspace names, or English.

    :param file: a ``.po`` file that the user names; it goes before the workspace's.
    :raises DocumentError: the file is missing, outside, too large, or no translation.
    """
    if file is None and branding.language is None:
        return ENGLISH
    from interlock.report.translation import read_translation

    return read_translation(file) if file else read_translation(root / str(branding.language), within=root)


def write_words(path: Path) -> int:
    """Write the template of a translation, every fixed word of the report; returns how many there are.

    :raises WorkspaceError: the file cannot be written.
    """
    from interlock.report.fixed_words import fixed_words, template

    words = fixed_words()
    write_atomically(path, template(words))
    return len(words)


def _logo(name: str, root: Path) -> str:
    try:
        content = read_bytes(root / name, MAX_LOGO_BYTES, within=root)
        kind, sides = _picture(content)
    except DocumentError as error:
        raise DocumentError(
            f"the logo {name!r}: {error.message}",
            location=_location(root),
            remedy=f"name a PNG or JPEG picture in the workspace, at most {MAX_LOGO_BYTES // 1000} kB",
        ) from error
    if max(sides) > MAX_LOGO_SIDE or min(sides) < 1:
        raise DocumentError(
            f"the logo {name!r} has {sides[0]:,} × {sides[1]:,} pixels; at most {MAX_LOGO_SIDE:,} on a side are taken",
            location=_location(root),
            remedy="make the picture smaller",
        )
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _location(root: Path) -> Location:
    return load_yaml(root / SETTINGS_FILE).location(("branding", "logo"))


def _picture(content: bytes) -> tuple[str, tuple[int, int]]:
    """Kind, width and height, by what the file says and not by its name."""
    if content.startswith(_PNG) and content[12:16] == b"IHDR":
        return "png", (int.from_bytes(content[16:20]), int.from_bytes(content[20:24]))
    if content.startswith(_JPEG):
        return "jpeg", _jpeg_sides(content)
    raise DocumentError("neither a PNG nor a JPEG picture")


def _jpeg_sides(content: bytes) -> tuple[int, int]:
    """Width and height from the frame header (ISO/IEC 10918-1, B.2.2: SOF0 to SOF15 without DHT, JPG, DAC)."""
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4])
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            return int.from_bytes(content[at + 7 : at + 9]), int.from_bytes(content[at + 5 : at + 7])
        at += 2 + length if marker != 0xFF else 1
    raise DocumentError("a JPEG picture that does not say how large it is")
