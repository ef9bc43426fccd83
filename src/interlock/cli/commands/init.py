"""``interlock init``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.output import say
from interlock.usecases.initialize import initialize


def init(
    directory: Annotated[Path, typer.Argument(help="Folder to make the workspace in.", metavar="DIR")] = Path(),
    template: Annotated[
        str,
        typer.Option(
            "--template",
            "-t",
            help="What to start from: blank; sepsis or early, with organisations; ci-gate, with a workflow file; or a "
            "finished example: ready, too-early, outside-ehr, fuzzy-contract, auth-blocked.",
        ),
    ] = "blank",
    name: Annotated[str | None, typer.Option("--name", help="The product's name.")] = None,
) -> None:
    """Make a workspace: settings, contract and answers as files that belong in git."""
    workspace = initialize(directory, template, name=name)
    say(f"Made a workspace in {workspace.root}")
    here = shlex.quote(str(directory))
    say(f"Next: interlock assess {here}")
    if template == "blank":
        say(f"or:   {'' if directory == Path() else f'cd {here} && '}interlock org add NAME --url URL")
