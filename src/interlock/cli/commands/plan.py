"""``interlock plan``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.options import RunsOption, SeedOption, TableOrJson, WorkspaceOption


def plan(
    output: TableOrJson = "table",
    runs: RunsOption = 5000,
    seed: SeedOption = None,
    tasks: Annotated[bool, typer.Option("--tasks", help="Also list every task.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Plan: what to do first, in which order, and how long it takes."""
    from interlock.cli.output import emit_json
    from interlock.cli.summary import show_plan
    from interlock.usecases.assess import assess
    from interlock.usecases.load import load_inputs, open_workspace

    inputs = load_inputs(open_workspace(workspace or Path()))
    assessment = assess(inputs, today=date.today(), runs=runs, seed=seed)
    if output == "json":
        emit_json(assessment.plan)
    else:
        show_plan(assessment, tasks=tasks)
