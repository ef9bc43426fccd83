"""``interlock config``."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import Annotated

import typer

from interlock.cli.options import WorkspaceOption
from interlock.cli.output import emit, emit_json, say
from interlock.model.errors import InterlockError, Location
from interlock.model.preferences import Preferences
from interlock.usecases.opening import open_workspace
from interlock.usecases.preferences import config_path, make_config, preferences
from interlock.usecases.schemas import SCHEMAS, schema_of

app = typer.Typer(
    help="Where things are, the settings in force, and the schemas of files and JSON.", no_args_is_help=True
)


UserOption = Annotated[
    bool, typer.Option("--user", help="Of your own config.toml: colours and keys of the terminal UI.")
]


@app.command("path")
def path(folder: WorkspaceOption = None, user: UserOption = False) -> None:
    """Print the workspace's folder, or where your own config.toml is."""
    emit(str(config_path() if user else open_workspace(folder).root))


@app.command("show")
def show(folder: WorkspaceOption = None, user: UserOption = False) -> None:
    """Print the workspace's settings as JSON, or what you prefer in the terminal UI."""
    if user:
        emit_json(_told())
    else:
        emit_json(open_workspace(folder).settings())


@app.command("edit")
def edit() -> None:
    """Open your own config.toml (colours and keys of the terminal UI) in your editor; without one, make it first."""
    file = make_config()
    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "")
    if not editor:
        say(f"It is {file}. Set EDITOR to open it from here.")
    else:
        try:
            subprocess.run([*editor, str(file)], check=True)  # noqa: S603  # the user's own editor
        except (OSError, subprocess.CalledProcessError) as error:
            raise InterlockError(
                f"{editor[0]} did not open it: {error}", location=Location(file=str(file)), remedy="set EDITOR"
            ) from error
    _told()


def _told() -> Preferences:
    """What the user prefers; what of the file is left out is told."""
    preferred, remarks = preferences()
    for remark in remarks:
        say(f"{config_path()}: {remark}")
    return preferred


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
