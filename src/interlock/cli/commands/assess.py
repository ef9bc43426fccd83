"""``interlock assess``, and ``interlock`` alone: the terminal UI."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer


def assess(
    directory: Annotated[
        Path, typer.Argument(help="Workspace folder.", metavar="DIR", envvar="INTERLOCK_WORKSPACE")
    ] = Path(),
) -> None:
    """Open the terminal UI on a workspace."""
    open_terminal_ui(directory)


def open_terminal_ui(directory: Path | None) -> None:
    """Run the terminal UI; outside a terminal say what to use instead.

    :raises InterlockError: there is no workspace, or no terminal.
    """
    from interlock.model.errors import InterlockError
    from interlock.usecases.load import load_inputs, open_workspace

    workspace = open_workspace(directory or Path())
    load_inputs(workspace)  # a broken file is said before the screen changes
    in_browser = "TEXTUAL_DRIVER" in os.environ  # `interlock serve` talks to us through pipes
    if not in_browser and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InterlockError(
            "the terminal UI needs a terminal", remedy="use the commands: interlock score, gaps, plan, report"
        )
    from interlock.tui.app import InterlockApp

    InterlockApp(workspace).run()
