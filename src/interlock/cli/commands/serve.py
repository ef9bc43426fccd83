"""``interlock serve``."""

from __future__ import annotations

import shlex
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.options import WorkspaceOption


def serve(
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port on loopback.")] = 8008,
    workspace: WorkspaceOption = None,
) -> None:
    """Serve the terminal UI to a browser on this machine."""
    from interlock.cli.output import say
    from interlock.model.errors import InterlockError
    from interlock.usecases.load import load_inputs, open_workspace

    place = open_workspace(workspace or Path())
    load_inputs(place)
    try:
        from textual_serve.server import Server
    except ImportError as error:
        raise InterlockError(
            "serving to a browser needs textual-serve", remedy="pip install 'interlock[web]'"
        ) from error
    command = shlex.join([sys.executable, "-m", "interlock", "assess", str(place.root)])
    say(f"Serving {place.root} on http://127.0.0.1:{port}")
    try:
        with redirect_stdout(sys.stderr):  # its banner is narration
            Server(command, host="127.0.0.1", port=port, title="Interlock").serve()
    except OSError as error:
        raise InterlockError(
            f"port {port} cannot be used: {error.strerror or error}", remedy="choose another one: --port N"
        ) from error
