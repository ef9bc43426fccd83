"""``interlock serve``."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import Annotated

import typer

from interlock.cli.options import AuthorOption, WorkspaceOption
from interlock.cli.output import say, say_paragraph
from interlock.usecases.author import author_of
from interlock.usecases.opening import open_workspace
from interlock.usecases.serve import serve_workspace


def serve(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")] = 8008,
    host: Annotated[
        str, typer.Option("--host", help="Address to serve on; by default only this machine can reach it.")
    ] = "127.0.0.1",
    author: AuthorOption = None,
    folder: WorkspaceOption = None,
) -> None:
    """Serve the terminal UI to a browser on this machine."""
    opened, by = open_workspace(folder), author_of(author)

    def ready(address: str, here_alone: bool) -> None:
        if not here_alone:
            say_paragraph(
                f"Everybody who can reach {host} can try, and whoever reads the traffic on the way, which is not "
                "encrypted, gets in and does what you can do here. Safer: leave --host out, and come over a tunnel "
                "such as ssh -L 8008:127.0.0.1:8008.",
                "WARNING: ",
            )
        say(f"Serving {opened.root}. Stop with Ctrl-C. Open this address, and tell it to nobody:")
        sys.stderr.write(f"{address}\n")  # a secret: on the terminal and nowhere else
        sys.stderr.flush()

    with redirect_stdout(sys.stderr):  # what a session's process says when it fails is narration
        serve_workspace(opened, by, host, port, ready)
