"""``interlock score``."""

from __future__ import annotations

from typing import Annotated

import typer

from interlock.cli.options import GateName, OnlyOrgOption, TableOrJson, WorkspaceOption
from interlock.cli.output import emit_result, say_paragraph
from interlock.cli.summary import show_score


def score(
    output: TableOrJson = "table",
    fail_under: Annotated[
        float | None,
        typer.Option("--fail-under", min=0, max=100, help="Exit 1 if a verified score is below N.", metavar="N"),
    ] = None,
    gate: Annotated[
        GateName | None,
        typer.Option("--gate", help="Exit 1 if an organisation has not passed this gate.", metavar="GATE"),
    ] = None,
    org: OnlyOrgOption = None,
    folder: WorkspaceOption = None,
) -> None:
    """Score: verdict, stage of each organisation, verified so far and best case."""
    from interlock.usecases.load import load_inputs  # brings CEL, which the help does without
    from interlock.usecases.opening import open_workspace
    from interlock.usecases.score import check_thresholds, score_of

    inputs = load_inputs(open_workspace(folder), org)
    result = score_of(inputs, org)
    emit_result(output, result, show_score)
    if output == "table" and inputs.unwritten:
        say_paragraph(inputs.unwritten)
    check_thresholds(result, fail_under=fail_under, gate=gate)
