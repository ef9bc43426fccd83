"""``interlock assess``, and ``interlock`` alone: the terminal UI."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.options import AuthorOption


def assess(
    directory: Annotated[
        Path, typer.Argument(help="Workspace folder.", metavar="DIR", envvar="INTERLOCK_WORKSPACE")
    ] = Path(),
    author: AuthorOption = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Ask in plain lines: for a screen reader, or a bare terminal.")
    ] = False,
) -> None:
    """Open the terminal UI on a workspace."""
    if plain:
        from interlock.cli.walk import walk
        from interlock.usecases.author import author_of
        from interlock.usecases.load import open_workspace

        walk(open_workspace(directory), author_of(author))
    else:
        open_terminal_ui(directory, author)


def open_terminal_ui(directory: Path | None, author: str | None = None) -> None:
    """Run the terminal UI; where it cannot be shown say what to use instead.

    :param author: who answers, as given with ``--as``.
    :raises InterlockError: there is no workspace, no terminal that has room, or the author is no name.
    :raises Exception: whatever ended it although nobody foresaw it; what was typed is saved by then.
    """
    from interlock.cli.output import show_error
    from interlock.usecases.author import author_of
    from interlock.usecases.load import load_inputs, open_workspace

    by = author_of(author)
    workspace = open_workspace(directory)
    load_inputs(workspace)  # a broken file is said before the screen changes
    if "TEXTUAL_DRIVER" not in os.environ:  # `interlock serve` talks to us through pipes
        _need_a_terminal()
    from interlock.tui.app import InterlockApp

    app = InterlockApp(workspace, by)
    app.run()
    for error in app.lost:
        show_error(error)
    if app.crash is not None:
        raise app.crash
    if app.return_code:
        raise typer.Exit(app.return_code)


def _need_a_terminal() -> None:
    from interlock.model.errors import InterlockError

    # Keys come from stdin; the screen is drawn on stderr, so that stdout stays for data.
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise InterlockError(
            "the terminal UI needs a terminal",
            remedy="use interlock assess --plain, or the commands: interlock score, gaps, plan, report",
        )
    if 0 in os.get_terminal_size(sys.stderr.fileno()) and not os.environ.get("COLUMNS"):
        raise InterlockError(
            "the terminal says that it has no room: 0 columns or 0 lines",
            remedy="tell its size (stty cols 80 rows 24), or use the commands: interlock score, gaps, plan, report",
        )
