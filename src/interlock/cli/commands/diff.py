"""``interlock diff``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.options import TableOrJson, WorkspaceOption


def diff(
    before: Annotated[
        str | None,
        typer.Argument(
            help="A milestone's number or name, 'last', 'now', a report.json, or an observation's file; "
            "with --org a date or 'before'.",
            metavar="A",
        ),
    ] = None,
    after: Annotated[
        str | None, typer.Argument(help="The same, for the later one; with --org a date or 'last'.", metavar="B")
    ] = None,
    org: Annotated[
        str | None, typer.Option("--org", help="Compare observations of this organisation.", metavar="ID")
    ] = None,
    output: TableOrJson = "table",
    folder: WorkspaceOption = None,
) -> None:
    """Compare two assessments, or two observations of one organisation: what changed, what matters most first."""
    from interlock.model.errors import DocumentError, InterlockError, Location
    from interlock.usecases.drift import is_observation_file

    if org is not None:
        _observations(org, before, after, output, folder)
        return
    if before is None:
        raise InterlockError(
            "say what to compare",
            remedy="a milestone's name (interlock milestone list), two observation files, or --org ID",
        )
    for reference in (before, after):
        if reference is not None and reference.endswith(".json") and not Path(reference).is_file():
            raise DocumentError("no such file", location=Location(file=reference))
    files = [is_observation_file(reference) for reference in (before, after) if reference is not None]
    if files == [True, True]:
        _files(before, after or "", output, folder)
        return
    if any(files):
        raise InterlockError("an observation is compared with another observation", remedy="give two of their files")
    _assessments(before, after or "now", output, folder)


def _assessments(before: str, after: str, output: str, folder: Path | None) -> None:
    from datetime import date

    from interlock.cli.comparison import show_diff
    from interlock.cli.output import emit_json
    from interlock.usecases.load import open_workspace
    from interlock.usecases.milestone import compare_references

    result = compare_references(open_workspace(folder), before, after, today=date.today())
    if output == "json":
        emit_json(result)
    else:
        show_diff(result)


def _observations(org: str, before: str | None, after: str | None, output: str, folder: Path | None) -> None:
    from interlock.cli.output import emit_json
    from interlock.cli.probe_drift import show_drift
    from interlock.usecases.drift import drift_of_org
    from interlock.usecases.load import open_workspace

    drift = drift_of_org(open_workspace(folder), org, before, after)
    emit_json(drift) if output == "json" else show_drift(drift)


def _files(before: str, after: str, output: str, folder: Path | None) -> None:
    from interlock.cli.output import emit_json
    from interlock.cli.probe_drift import show_drift
    from interlock.usecases.drift import drift_of_files

    drift = drift_of_files(Path(before), Path(after), folder or Path(after).absolute().parent)
    emit_json(drift) if output == "json" else show_drift(drift)
