"""``interlock diff``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.options import TableOrJson, WorkspaceOption


def diff(
    before: Annotated[
        str, typer.Argument(help="A milestone's number or name, 'last', 'now', or a report.json.", metavar="A")
    ],
    after: Annotated[str, typer.Argument(help="The same, for the later one.", metavar="[B]")] = "now",
    output: TableOrJson = "table",
    workspace: WorkspaceOption = None,
) -> None:
    """Compare two assessments: what opened, what closed, which stage and date moved."""
    from datetime import date

    from interlock.cli.comparison import show_diff
    from interlock.cli.output import emit_json
    from interlock.usecases.load import open_workspace
    from interlock.usecases.milestone import compare_references

    place = open_workspace(workspace or Path())
    result = compare_references(place, before, after, today=date.today())
    if output == "json":
        emit_json(result)
    else:
        show_diff(result)
