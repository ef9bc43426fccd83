"""The command ``interlock``: registers every command, and turns errors into one clear message and an exit code."""

from __future__ import annotations

import gc
import os
import sys
from typing import Annotated, NoReturn

import typer

from interlock.cli import commands
from interlock.cli.options import WorkspaceOption

app = typer.Typer(
    name="interlock",
    help="Is the product ready to integrate with an EHR, what stands in the way, and what comes first?",
    epilog="Without a command, the terminal UI opens on the workspace here. "
    "Exit codes: 0 fine, 1 a threshold was not met, 2 bad input, 3 nothing observed, 130 interrupted.",
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
    workspace: WorkspaceOption = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """Is the product ready to integrate with an EHR, what stands in the way, and what comes first?"""
    if context.invoked_subcommand is not None:
        if workspace is not None:  # `interlock -w DIR score` means what `interlock score -w DIR` means
            os.environ["INTERLOCK_WORKSPACE"] = str(workspace)
    else:
        from interlock.cli.commands.assess import open_terminal_ui

        open_terminal_ui(workspace)


commands.register(app)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code. Errors go to stderr, data to stdout."""
    # A command is over before garbage matters; looking for it while modules load takes a tenth of a short one's time.
    gc.set_threshold(150_000, 20, 50)
    code = run(arguments)
    gc.freeze()  # or the interpreter looks through everything once more on its way out
    sys.exit(code)


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code: Typer's own (0, 2, 130), or the one of the error."""
    try:
        app(args=arguments, prog_name="interlock")
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else 0
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    except Exception as error:
        from interlock.model.errors import InterlockError

        if not isinstance(error, InterlockError):
            raise
        from interlock.cli.output import show_error

        show_error(error)
        return error.exit_code
    return 0
