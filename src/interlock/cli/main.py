"""The command ``interlock``: registers every command, and turns errors into one clear message and an exit code."""

from __future__ import annotations

import codecs
import gc
import io
import os
import sys
from typing import Annotated, NoReturn

import typer

from interlock.cli import commands
from interlock.cli.options import WorkspaceOption

#: 128 + SIGPIPE.
READER_LEFT = 141

app = typer.Typer(
    name="interlock",
    help="Is the product ready to integrate with an EHR, what stands in the way, and what comes first?",
    epilog="Without a command, the terminal UI opens on the workspace here. "
    "Exit codes: 0 fine, 1 a threshold was not met, 2 bad input, 3 nothing observed, 130 interrupted, "
    "141 the reader of the output stopped, as in | head.",
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
    # Python's helper processes (the PDF's, the fleet's) would import from the current folder first, which may be a
    # stranger's workspace.
    os.environ["PYTHONSAFEPATH"] = "1"
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.encoding.lower() not in {"utf-8", "utf8"}:
        codecs.register_error("json-escape", _json_escape)
        sys.stdout.reconfigure(errors="json-escape")
    code = run(arguments)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = _reader_left()
    gc.freeze()  # or the interpreter looks through everything once more on its way out
    sys.exit(code)


def _json_escape(error: UnicodeError) -> tuple[str, int]:
    """What stdout's encoding does not have is written as JSON writes it, so that JSON stays JSON."""
    import json

    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def _reader_left() -> int:
    """The exit code where whoever read stdout stopped, as in ``| head``: what the shell gives such a program.

    Not 0 or 1, because a threshold may not have been looked at yet.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python complains once more when it closes stdout
    return READER_LEFT


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code: Typer's own (0, 2, 130), or the one of the error."""
    try:
        app(args=arguments, prog_name="interlock")
    except SystemExit as exit_:
        if isinstance(exit_.__context__, BrokenPipeError):
            return _reader_left()
        return exit_.code if isinstance(exit_.code, int) else 0
    except BrokenPipeError:
        return _reader_left()
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
