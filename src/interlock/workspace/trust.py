"""What this user allows each workspace to do: a list of grants in the user's state folder, outside every workspace.

A workspace is data from a stranger. What it asks for (a credential sent to an origin, a private address, content that
changes ours) is a grant; a grant holds only while the workspace is the folder it was given to and asks for
exactly the same. So a copied, moved or replaced folder has no grants, and a file changed by git or by hand loses those
that it changed and no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import Field, ValidationError

from interlock.documents.files import read_bytes
from interlock.model.base import Model
from interlock.model.errors import DocumentError, Location, WorkspaceError
from interlock.model.trust import Grant, TrustedWorkspace
from interlock.workspace.atomic import explain, locked, write_atomically

_MAX_BYTES = 4_000_000


class _Record(Model):
    version: Literal[1] = 1
    workspaces: Annotated[tuple[TrustedWorkspace, ...], Field(max_length=100_000)] = ()


@dataclass(frozen=True)
class Trust:
    """What this user allows the workspace at ``root``."""

    root: Path

    def grants(self) -> frozenset[Grant]:
        """Everything that is allowed now.

        :raises DocumentError: the record is damaged; nothing is trusted until it is mended or removed.
        """
        identity = _identity(self.root)
        return frozenset(
            grant for known in _read().workspaces if (known.root, known.folder) == identity for grant in known.grants
        )

    def allow(self, grants: Iterable[Grant]) -> None:
        """Allow these besides what is allowed already.

        :raises DocumentError: the record is damaged. :raises WorkspaceError: it cannot be written.
        """
        added = frozenset(grants)
        if added:
            self._write(added, keep=True)

    def allow_only(self, grants: Iterable[Grant]) -> None:
        """Allow exactly these: none of them forgets the workspace.

        :raises DocumentError: the record is damaged. :raises WorkspaceError: it cannot be written.
        """
        self._write(frozenset(grants), keep=False)

    def _write(self, grants: frozenset[Grant], *, keep: bool) -> None:
        root, folder = _identity(self.root)
        with _changing() as known:
            if keep:
                grants |= self.grants()
            known[:] = [workspace for workspace in known if workspace.root != root]
            if grants:
                changed = datetime.now(UTC).isoformat(timespec="seconds")
                ordered = tuple(sorted(grants, key=Grant.model_dump_json))
                known.append(TrustedWorkspace(root=root, folder=folder, changed=changed, grants=ordered))


def forget(root: str) -> None:
    """Forget everything that the workspace at a real path may do.

    :raises DocumentError: the record is damaged. :raises WorkspaceError: it cannot be written.
    """
    with _changing() as known:
        known[:] = [workspace for workspace in known if workspace.root != root]


def trusted_workspaces() -> tuple[TrustedWorkspace, ...]:
    """Every workspace that may do something, by its path.

    :raises DocumentError: the record is damaged.
    """
    return tuple(sorted(_read().workspaces, key=lambda known: known.root))


def record_path() -> Path:
    """The file that holds the grants of every workspace."""
    return platformdirs.user_state_path("interlock") / "trust.json"


def _identity(root: Path) -> tuple[str, int]:
    """The real path of a folder and the file system's number of it."""
    try:
        return str(root.resolve(strict=True)), root.stat().st_ino
    except OSError as error:
        raise WorkspaceError(f"cannot be read: {error.strerror or error}", location=Location(file=str(root))) from error


@contextmanager
def _changing() -> Iterator[list[TrustedWorkspace]]:
    """The trusted workspaces, to be changed in place and written back under the record's lock."""
    path = record_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise explain(error, path) from error
    with locked(path.parent):
        path.touch(mode=0o600)  # an empty record; what replaces it keeps its permissions
        known = list(_read().workspaces)
        yield known
        record = _Record(workspaces=tuple(known))
        write_atomically(path, record.model_dump_json(indent=1, exclude_none=True).encode() + b"\n")


def _read() -> _Record:
    path = record_path()
    try:
        content = read_bytes(path, _MAX_BYTES) if path.exists() else b""
        return _Record.model_validate_json(content) if content else _Record()
    except ValidationError as error:
        raise DocumentError(
            "this record of trusted workspaces is damaged, so nothing is trusted",
            location=Location(file=str(path)),
            remedy="remove the file, then trust your workspaces again: interlock trust DIR",
        ) from error
