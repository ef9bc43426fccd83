"""``interlock gaps``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import typer

from interlock.cli.options import OnlyOrgOption, WorkspaceOption


def gaps(
    output: Annotated[
        Literal["table", "json", "mermaid", "dot", "graphml", "svg"],
        typer.Option("--format", "-f", help="How to show the graph."),
    ] = "table",
    org: OnlyOrgOption = None,
    explain: Annotated[str | None, typer.Option("--explain", help="The story of one gap.", metavar="ID")] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Show the open gaps and unknowns, what blocks what, and in which order they can be closed."""
    from interlock.cli.output import emit, emit_json
    from interlock.cli.summary import show_gaps, show_story
    from interlock.usecases.assess import assess
    from interlock.usecases.gaps import draw, story
    from interlock.usecases.load import load_inputs, open_workspace

    inputs = load_inputs(open_workspace(workspace or Path()))
    if org is not None:
        inputs.organization(org)
    assessment = assess(inputs, today=date.today(), runs=100)
    if explain is not None:
        told = story(assessment, explain, inputs)
        if output == "json":
            emit_json(told)
        else:
            show_story(told)
    elif output == "table":
        show_gaps(assessment, org)
    else:
        emit(draw(assessment, output, org))
