"""``interlock assess``, and ``interlock`` alone: the terminal UI."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.options import AuthorOption

if TYPE_CHECKING:
    from interlock.tui.planner import Planner


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
        from interlock.usecases.opening import open_workspace

        walk(open_workspace(_chosen(directory)), author_of(author))
    else:
        open_terminal_ui(directory, author)


def open_terminal_ui(directory: Path | None, author: str | None = None) -> None:
    """Run the terminal UI; where it cannot be shown say what to use instead.

    :param author: who answers, as given with ``--as``.
    :raises InterlockError: there is no workspace, no terminal that has room, or the author is no name.
    :raises Exception: whatever ended it although nobody foresaw it; what was typed is saved by then.
    """
    from interlock.tui.planner import Planner

    gc.disable()  # until the first section is shown: nothing that is made so far is garbage
    try:
        with contextlib.closing(Planner()) as planner:
            with contextlib.suppress(OSError):  # whoever wants something of the process says so
                planner.start()  # it imports while we do
            _open(directory, author, planner)
    finally:
        gc.enable()


def _open(directory: Path | None, author: str | None, planner: Planner) -> None:
    from interlock.cli.output import show_error
    from interlock.usecases.author import author_of
    from interlock.usecases.opening import open_workspace

    by = author_of(author)
    workspace = open_workspace(_chosen(directory))
    served = "TEXTUAL_DRIVER" in os.environ  # `interlock serve` talks to us through pipes
    if not served:
        _need_a_terminal()
    beside = planner.reading(workspace)
    from interlock.tui.app import InterlockApp
    from interlock.usecases.preferences import left_off_in, preferences, remember

    # Whoever comes in by a browser sees this user's colours and keys, and writes nothing outside the workspace.
    app = InterlockApp(workspace, by, *preferences(), None if served else left_off_in(workspace.root), beside)
    app.run()
    if app.left is not None and not served:
        remember(app.left)
    for error in app.lost:
        show_error(error)
    if app.crash is not None:
        raise app.crash
    if app.return_code:
        raise typer.Exit(app.return_code)


def _chosen(directory: Path | None) -> Path | None:
    """The folder; where none is named and none is here, one of those opened last, if the user picks one of them."""
    from interlock.model.errors import WorkspaceError
    from interlock.usecases.opening import open_workspace

    if directory not in {None, Path()} or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return directory
    try:
        return open_workspace(directory).root
    except WorkspaceError:
        from interlock.usecases.preferences import recent_workspaces

        known = recent_workspaces()
        if not known:
            raise
    return _picked(known)


def _picked(known: Sequence[Path]) -> Path:
    from interlock.cli.output import say

    say("There is no workspace here. Opened last:")
    for recent, root in enumerate(known, 1):
        say(f"{recent:>4}  {root}")
    while True:
        number: int = typer.prompt("Which one? Ctrl-C for none", type=int, default=1, err=True)
        if 1 <= number <= len(known):
            return known[number - 1]
        say(f"Type a number from 1 to {len(known)}.")


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
