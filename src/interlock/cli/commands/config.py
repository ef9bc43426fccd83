"""``interlock config``."""

from __future__ import annotations

from typing import Annotated

import typer

from interlock.cli.options import WorkspaceOption
from interlock.cli.output import emit, emit_json
from interlock.usecases.load import open_workspace
from interlock.usecases.schemas import SCHEMAS, schema_of

app = typer.Typer(
    help="Where things are, the settings in force, and the schemas of files and JSON.", no_args_is_help=True
)


@app.command("path")
def path(folder: WorkspaceOption = None) -> None:
    """Print the workspace's folder."""
    emit(str(open_workspace(folder).root))


@app.command("show")
def show(folder: WorkspaceOption = None) -> None:
    """Print the workspace's settings as JSON."""
    emit_json(open_workspace(folder).settings())


@app.command("schema")
def schema(
    name: Annotated[str, typer.Argument(help="A schema's name; without it, the names.", metavar="NAME")] = "",
) -> None:
    """Print the JSON Schema of a file or of a command's JSON."""
    if not name:
        for known, (_model, purpose) in SCHEMAS.items():
            emit(f"{known:<14} {purpose}")
        return
    emit_json(schema_of(name))
