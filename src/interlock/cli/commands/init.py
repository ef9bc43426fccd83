"""``interlock init``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def init(
    directory: Annotated[Path, typer.Argument(help="Folder to make the workspace in.", metavar="[DIR]")] = Path(),
    template: Annotated[str, typer.Option("--template", "-t", help="blank, sepsis or early.")] = "blank",
    name: Annotated[str | None, typer.Option("--name", help="The product's name.")] = None,
) -> None:
    """Make a workspace: settings, contract and answers as files that belong in git."""
    from interlock.cli.output import say
    from interlock.usecases.initialize import initialize

    workspace = initialize(directory, template, name=name)
    say(f"Made a workspace in {workspace.root}")
    say(f"Next: interlock assess {directory}    or add an organisation: interlock org add NAME --url URL")
