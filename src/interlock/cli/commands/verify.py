"""``interlock verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.options import TableOrJson, WorkspaceOption
from interlock.cli.output import emit_result, show_paragraph
from interlock.model import words
from interlock.model.errors import DocumentError, Location, WorkspaceError
from interlock.model.manifest import Found, Verification
from interlock.usecases.load import load_inputs
from interlock.usecases.opening import open_workspace
from interlock.usecases.verify import verify as hold

#: 0: it matches. 1: it does not. 3: there is no workspace to hold it against.
_EXIT: dict[Found, int] = {"matches": 0, "agrees": 0, "unedited": 3}
_MARK: dict[Found, str] = {"matches": "✓ ", "agrees": "✓ ", "unedited": "? "}


def verify(
    file: Annotated[Path, typer.Argument(help="A report that Interlock wrote.", metavar="FILE", show_default=False)],
    output: TableOrJson = "table",
    folder: WorkspaceOption = None,
) -> None:
    """Say whether a report matches a workspace, its content and its answers; exit 1 if it does not.

    A hospital's own report is held against its own part alone.
    """
    if file.is_dir():
        raise DocumentError("this is a folder", location=Location(file=str(file)), remedy="name a report in it")
    try:
        workspace = open_workspace(folder)
    except WorkspaceError:
        if folder is not None:
            raise
        workspace = None
    result = hold(file, None if workspace is None else load_inputs(workspace))
    emit_result(output, result, _show)
    if code := _EXIT.get(result.found, 1):
        raise typer.Exit(code)


def _show(result: Verification) -> None:
    whose = f"for {result.recipient} alone" if result.recipient else "of all organisations"
    show_paragraph(f"{result.file}: a report {whose}, made on {words.iso_day(result.made)}")
    show_paragraph(result.sentence, _MARK.get(result.found, "✗ "))
