"""A workspace as it is opened, before anything of it is read: the terminal UI paints its first frame in between."""

from __future__ import annotations

from pathlib import Path

from interlock.workspace.store import Workspace


def open_workspace(folder: Path | None) -> Workspace:
    """The workspace in a folder (by default the one here) or above it; see :meth:`Workspace.find` for errors."""
    return Workspace.find(folder or Path())
