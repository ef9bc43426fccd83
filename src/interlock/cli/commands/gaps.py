"""``interlock gaps``."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import typer

from interlock.cli.options import OnlyOrgOption, WorkspaceOption
from interlock.cli.output import emit, emit_result
from interlock.cli.summary import show_evidence, show_explanation, show_gaps
from interlock.usecases.assess import assess
from interlock.usecases.gaps import draw, explanation_of
from interlock.usecases.judge import judge
from interlock.usecases.load import load_inputs
from interlock.usecases.opening import open_workspace
from interlock.usecases.owed import evidence_tasks


def gaps(
    output: Annotated[
        Literal["table", "json", "mermaid", "dot", "graphml", "svg"],
        typer.Option("--format", "-f", help="How to show the graph."),
    ] = "table",
    org: OnlyOrgOption = None,
    explain: Annotated[
        str | None,
        typer.Option("--explain", help="Why one gap is open, what it rests on, and what to do.", metavar="ID"),
    ] = None,
    folder: WorkspaceOption = None,
) -> None:
    """Show the open gaps and unknowns, what blocks what, and in which order they can be closed."""
    inputs = load_inputs(open_workspace(folder), org)
    assessment = assess(inputs, today=date.today(), runs=100)
    if explain is not None:
        emit_result(output, explanation_of(assessment, explain, inputs), show_explanation)
    elif output == "table":
        show_gaps(assessment, org)
        show_evidence(evidence_tasks(inputs, judge(inputs), org))
    else:
        emit(draw(assessment, output, org))
