"""``interlock report``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.options import RunsOption, SeedOption, WorkspaceOption
from interlock.cli.output import emit, say
from interlock.documents.timing import judging_day
from interlock.model import words
from interlock.model.errors import InterlockError
from interlock.model.plan import DEFAULT_RUNS
from interlock.usecases.assess import assess
from interlock.usecases.load import load_inputs
from interlock.usecases.opening import open_workspace
from interlock.usecases.pdf import start_pdf_process
from interlock.usecases.recipient import for_recipient
from interlock.usecases.report import (
    load_brand,
    missing_logo,
    never_probed,
    parse_formats,
    report_language,
    write_report,
    write_words,
)
from interlock.usecases.site import write_site

if TYPE_CHECKING:
    from interlock.workspace.generated import Generated


def _say_site(files: Iterable[Generated]) -> None:
    """Which pages stand there now, and what else is in their folder."""
    for file in files:
        if file.state == "orphan":
            say(f"Not of this site, and left as it is: {file.path}")
            continue
        if file.state == "kept":
            say(f"Edited since it was written, and left as it is: {file.path}")
        elif file.state == "beside":
            say(f"The page was edited since it was written, so the new one stands beside it: {file.path}")
        emit(str(file.path))


def report(
    formats: Annotated[
        str,
        typer.Option(
            "--format",
            "-f",
            help="md, html, pdf, json; all of these (all); xlsx (a workbook), docx (Word), "
            "csv (gaps, answers, fit, plan), sarif (the probes' findings).",
            metavar="LIST",
        ),
    ] = "all",
    directory: Annotated[
        Path | None,
        typer.Option(
            "--output", "--out", "-o", help="Folder to write to; by default the workspace's reports/.", metavar="DIR"
        ),
    ] = None,
    sections: Annotated[
        str | None,
        typer.Option(
            "--sections", help="Only these sections, separated by commas, like summary,plan,gaps.", metavar="LIST"
        ),
    ] = None,
    org: Annotated[
        str | None,
        typer.Option("--org", help="One organisation's own: its dates, and nothing of any other.", metavar="ID"),
    ] = None,
    site: Annotated[
        Path | None,
        typer.Option("--site", help="Write a folder of pages for a static host instead.", metavar="DIR"),
    ] = None,
    templates: Annotated[
        Path | None,
        typer.Option(
            "--templates",
            help="Your own folder with report.html.j2, report.md.j2, report.css or fonts/, in place of the shipped.",
            metavar="DIR",
        ),
    ] = None,
    language: Annotated[
        Path | None,
        typer.Option(
            "--language",
            help="A translation of the report's fixed words, a .po file; JSON stays English.",
            metavar="FILE",
        ),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option("--write-words", help="Only write the template of a translation, a .pot file.", metavar="FILE"),
    ] = None,
    runs: RunsOption = DEFAULT_RUNS,
    seed: SeedOption = None,
    folder: WorkspaceOption = None,
) -> None:
    """Write the report for stakeholders."""
    if write is not None:
        say(f"{write_words(write):,} sentences to translate; then: interlock report --language FILE.po")
        emit(str(write))
        return
    if site is not None and (formats != "all" or sections or directory):
        raise InterlockError(
            "a site is HTML with every section, in its own folder",
            remedy="leave out --format, --sections and --output, or --site",
        )
    wanted = parse_formats(formats) if site is None else ()
    workspace = open_workspace(folder)
    if templates is None and (workspace.root / "templates").exists():
        say(
            "The workspace's templates/ is not used, because a workspace brings data only. "
            f"If they are yours: interlock report --templates {workspace.root / 'templates'}"
        )
    inputs = load_inputs(workspace)
    branding = inputs.settings.branding
    load_brand(branding, inputs.root)  # what is wrong with it is told before anything is computed
    spoken = report_language(branding, inputs.root, language)
    for line in filter(None, (missing_logo(branding, inputs.root), *spoken.told)):
        say(line)
    with start_pdf_process(wanted) as pdf_process:
        if org is not None:
            inputs = for_recipient(inputs, org)
        assessment = assess(inputs, today=judging_day(), runs=runs, seed=seed)
        if site is not None:
            _say_site(write_site(assessment, inputs, site, templates=templates, language=spoken))
            return
        skip = (lambda name, error: say(f"No {name}: {error}")) if formats == "all" else None
        written = write_report(
            assessment,
            inputs,
            workspace.output(directory or workspace.root / "reports" / (org or "")),
            wanted,
            sections=[name.strip() for name in sections.split(",")] if sections else None,
            templates=templates,
            pdf_process=pdf_process,
            on_skipped=skip,
            language=spoken,
        )
    if "sarif" in wanted and (unseen := never_probed(inputs)):
        say(f"Not in report.sarif, because never probed: {words.listed(unseen)}. interlock probe --all")
    for path in written:
        emit(str(path))
