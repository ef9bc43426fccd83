"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        "-w",
        envvar="INTERLOCK_WORKSPACE",
        help="Workspace folder; by default the one here or above.",
        metavar="DIR",
    ),
]
TableOrJson = Annotated[Literal["table", "json"], typer.Option("--format", "-f", help="A table to read, or JSON.")]
AuthorOption = Annotated[
    str | None,
    typer.Option(
        "--as", help="Who answers; by default git's user, else this system's.", metavar="NAME", show_default=False
    ),
]
GateName = Literal["design", "sandbox", "pilot", "production"]
OnlyOrgOption = Annotated[str | None, typer.Option("--org", help="Only this organisation, by its id.", metavar="ID")]
RunsOption = Annotated[int, typer.Option("--runs", min=100, max=200_000, help="Simulated schedules.")]
SeedOption = Annotated[
    int | None, typer.Option("--seed", min=0, help="Seed of the simulation; by default the workspace's.")
]
