"""Writing files so that a killed process or a full disk leaves the old content whole."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from interlock.documents.timing import timed
from interlock.model.errors import Place, WorkspaceError

LOCK_NAME = ".interlock.lock"
LOCK_SECONDS = 10.0

_logger = logging.getLogger(__name__)


@timed("write files")
def write_atomically(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content``: temporary file beside it, fsync, rename, fsync of the folder.

    :raises WorkspaceError: nothing was written; the message says why and the old content is untouched.
    """
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        _keep_mode(path, temporary)
        Path(temporary).replace(path)
        temporary = None
        _sync_folder(path.parent)
        _logger.info("file written", extra={"fields": {"file": path, "bytes": len(content)}})
    except OSError as error:
        raise explain(error, path) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()


def _keep_mode(path: Path, temporary: str) -> None:
    """Give the new file the old one's permissions, or the umask's default (mkstemp makes files private)."""
    try:
        mode = path.stat().st_mode & 0o777
    except FileNotFoundError:
        current = os.umask(0)
        os.umask(current)
        mode = 0o666 & ~current
    Path(temporary).chmod(mode)


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # some file systems cannot sync a folder; the rename itself has happened
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def explain(error: OSError, path: Path) -> WorkspaceError:
    """The one clear message for a failed write: what happened, where, what to do."""
    place = Place(file=str(path))
    if error.errno == errno.ENOSPC:
        return WorkspaceError("not saved: the disk is full", place=place, remedy="free some space and save again")
    if error.errno == errno.EDQUOT:
        return WorkspaceError(
            "not saved: your disk quota is used up", place=place, remedy="free some space and save again"
        )
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return WorkspaceError(
            "not saved: the folder cannot be written",
            place=place,
            remedy="make it writable, or copy the workspace elsewhere",
        )
    return WorkspaceError(
        f"not saved: {error.strerror or error}", place=place, remedy="check the folder and save again"
    )


@contextlib.contextmanager
def locked(root: Path, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Hold the workspace's lock, so that two processes that save at once take turns.

    :raises WorkspaceError: another process has held the lock for ``seconds``, or the folder cannot be written.
    """
    path = root / LOCK_NAME
    lock = FileLock(path)
    began = time.monotonic()
    try:
        lock.acquire(timeout=seconds)
    except Timeout as error:
        raise WorkspaceError(
            f"not saved: another Interlock has been saving here for {seconds:g} seconds",
            place=Place(file=str(path)),
            remedy="close the other one, then save again",
        ) from error
    except OSError as error:
        raise explain(error, path) from error
    waited_ms = round((time.monotonic() - began) * 1000)
    _logger.info("locked", extra={"fields": {"file": path, "waited_ms": waited_ms}})
    try:
        yield
    finally:
        lock.release()
