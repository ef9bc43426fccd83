"""The command line: every command, loaded when it is called, and the options that go before one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from typer.core import TyperGroup

from interlock.cli.options import WorkspaceOption

#: Every command, in the order in which a person meets them. Its module in :mod:`interlock.cli.commands` has its name
#: (but ``import_`` and ``next_``, words of Python), and in it a function of that name or ``app`` with subcommands.
COMMANDS = {
    "demo": "Do the whole job on four simulated organisations.",
    "init": "Make a workspace: a folder of files that belongs in git.",
    "assess": "Open the terminal UI on a workspace.",
    "questions": "List the questions and their answers, or show one whole.",
    "next": "Show the next question to answer, and why it is next.",
    "answer": "Answer one question and save it at once.",
    "org": "Add, import, list, show, change and remove organisations.",
    "probe": "Look at FHIR endpoints: what they declare, what is off.",
    "fleet": "Look at every endpoint of a directory.",
    "checks": "List what a probe checks, or explain one check.",
    "observe": "Show what the last probe of an organisation saw.",
    "score": "Show verdict, stages and scores; hold them to a threshold.",
    "gaps": "Show what is open or unknown, and what blocks what.",
    "patterns": "Show which known patterns of trouble hold here.",
    "plan": "Show what to do first, and how long it takes.",
    "task": "Say which routine tasks have begun, and which are done.",
    "report": "Write the report for stakeholders.",
    "verify": "Say whether a report matches a workspace.",
    "contract": "Check the workflow contract, export skeletons from it.",
    "milestone": "Freeze assessments, list them, compare with now.",
    "diff": "Compare two assessments, or two observations.",
    "export": "Write forms, issues, a plan of action, calendar dates.",
    "import": "Take answers from other tools.",
    "lint": "Prove that questions, rules and patterns are sound.",
    "sandbox": "Serve the simulated organisations on this machine.",
    "rehearse": "Let simulated hospitals launch your running product, and see what it does.",
    "serve": "Serve the terminal UI to a browser on this machine.",
    "trust": "Show what a workspace asks for beyond being read, and allow it.",
    "doctor": "Check this machine and the workspace; say what to do.",
    "config": "Show folder and settings, edit your own; print the JSON Schemas.",
}


class _LoadedWhenCalled(Mapping[str, Any]):
    """Commands by name. A command's module is imported when the command is asked for, so it can import at its top."""

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)

    def __getitem__(self, name: str) -> Any:
        if name not in COMMANDS:
            raise KeyError(name)
        module_name = f"{name}_" if name in {"import", "next"} else name
        module = import_module(f"interlock.cli.commands.{module_name}")
        holder = typer.Typer(rich_markup_mode=None)
        if hasattr(module, "app"):
            holder.add_typer(module.app, name=name)
        else:
            holder.command(name)(getattr(module, module_name))
        return typer.main.get_group(holder).commands[name]


class _Commands(TyperGroup):
    """The group of all commands; its help does without loading them."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = cast(Any, _LoadedWhenCalled())

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


app = typer.Typer(
    cls=_Commands,
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
    author: Annotated[
        str | None,
        typer.Option(
            "--as", help="Who answers in the terminal UI; a command takes it behind its name.", metavar="NAME"
        ),
    ] = None,
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
        if author is not None:
            raise typer.BadParameter("give it behind the command, as in: interlock answer … --as NAME")
    else:
        from interlock.cli.commands.assess import open_terminal_ui

        open_terminal_ui(folder, author)
