"""The command line: every command, and the options that go before one."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli import commands
from interlock.cli.options import WorkspaceOption

app = typer.Typer(
    name="interlock",
    help="Is the product ready to integrate with an EHR, what stands in the way, and what comes first?",
    epilog="Without a command, the terminal UI opens on the workspace here. "
    "Exit codes: 0 fine, 1 a threshold was not met, 2 bad input, 3 nothing observed, 70 Interlock itself failed, "
    "130 interrupted, 141 the reader of the output stopped, as in | head.",
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from interlock import __version__

        sys.stdout.write(f"interlock {__version__}\n")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def interlock(
    context: typer.Context,
    folder: WorkspaceOption = None,
    log_file: Annotated[
        Path | None,
        typer.Option(
            "--log-file",
            envvar="INTERLOCK_LOG_FILE",
            help="Add what happens to FILE, as lines of JSON without secrets.",
            metavar="FILE",
        ),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell on stderr what happens.")] = False,
    timings: Annotated[bool, typer.Option("--timings", help="Tell on stderr where the time went.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """Is the product ready to integrate with an EHR, what stands in the way, and what comes first?"""
    if context.obj is not None:  # the run of interlock.cli.main, which ends what begins here
        context.obj.narrate(log_file=log_file, verbose=verbose, timings=timings)
    if context.invoked_subcommand is not None:
        if folder is not None:  # `interlock -w DIR score` means what `interlock score -w DIR` means
            os.environ["INTERLOCK_WORKSPACE"] = str(folder)
    else:
        from interlock.cli.commands.assess import open_terminal_ui

        open_terminal_ui(folder)


commands.register(app)
