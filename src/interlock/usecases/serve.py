"""Serving the terminal UI to a browser until interrupted."""

from __future__ import annotations

import sys
from collections.abc import Callable

from interlock.model.errors import InterlockError
from interlock.model.text import plain
from interlock.usecases.load import load_inputs
from interlock.workspace.store import Workspace


def serve_workspace(
    workspace: Workspace, author: str, host: str, port: int, on_ready: Callable[[str, bool], object]
) -> None:
    """Serve a workspace's terminal UI; port 0 takes a free one.

    :param author: of every answer that is given in the browser.
    :param on_ready: receives the whole address with its token, and whether only this machine can reach it.
    :raises InterlockError: the extra is not installed, a file of the workspace is broken, or the address is in use.
    """
    try:
        from interlock.web import server
    except ImportError as error:
        raise InterlockError(
            "serving to a browser needs textual-serve", remedy="pip install 'interlock[web]'"
        ) from error
    from interlock.web.guard import Guard, is_loopback

    name = load_inputs(workspace).settings.name
    try:
        listener = server.bind(host, port)
    except OSError as error:
        raise InterlockError(
            f"{host} port {port} cannot be used: {error.strerror or error}",
            remedy="choose another one: --port N, --host ADDRESS",
        ) from error
    with listener:
        guard = Guard(host, listener.getsockname()[1])
        command = (sys.executable, "-P", "-m", "interlock", "assess", str(workspace.root), f"--as={author}")
        server.serve_until_stopped(
            listener,
            server.TerminalServer(guard, command, f"{plain(name, 60)} – Interlock"),
            lambda: on_ready(f"{guard.address}?token={guard.token}", is_loopback(host)),
        )
