"""Writing files so that a killed process or a full disk leaves the old content whole."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from interlock.documents.files import inside
from interlock.documents.timing import timed
from interlock.model.errors import Location, WorkspaceError

LOCK_NAME = ".interlock.lock"
LOCK_SECONDS = 10.0
#: What a writer that was killed leaves behind: ``.NAME.12ab34cd.interlock.tmp``.
TEMPORARY = ".*.interlock.tmp"
_LEFT_BEHIND = re.compile(r"^\..+\.[0-9a-f]{8}\.interlock\.tmp$")
#: Seconds after which no writer is still at work on such a file.
_OLD_S = 3600.0
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)

_UNWRITABLE = ("the folder cannot be written", "make it writable, or copy the workspace elsewhere")
#: Why a write failed, and what to do, by the system's number of the error.
_NO_FOLDER = ("a file stands where a folder is needed", "name a folder, or move the file away")
_REASONS = {
    errno.ENOSPC: ("the disk is full", "free some space and save again"),
    errno.EDQUOT: ("your disk quota is used up", "free some space and save again"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _UNWRITABLE),
    **dict.fromkeys((errno.EEXIST, errno.ENOTDIR), _NO_FOLDER),
    errno.ENOENT: ("there is no such folder, and none can be made", "check the path, or name another folder"),
}

#: Folders that this process has cleaned.
_cleaned: set[Path] = set()

_logger = logging.getLogger(__name__)


@timed("write files")
def write_atomically(path: Path, content: bytes, *, within: Path | None = None) -> None:
    """Replace ``path`` by ``content``: temporary file beside it, fsync, rename, fsync of the folder.

    :param within: the folder that the file must really be in.
    :raises WorkspaceError: nothing was written; the message says why and the old content is untouched.
    :raises DocumentError: a link leads out of ``within``.
    """
    target = path if within is None else inside(within, path)
    temporary: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = _mode(target)
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.interlock.tmp")
        with os.fdopen(os.open(temporary, _NEW, 0o666), "wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(target)
        temporary = None
        sync_folder(target.parent)
        _logger.info("file written", extra={"fields": {"file": path, "bytes": len(content)}})
    except OSError as error:
        raise explain(error, path) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
    if target.parent not in _cleaned:
        _cleaned.add(target.parent)
        _clean(target.parent)


def _mode(path: Path) -> int | None:
    """The permissions of a file that is replaced, or none when there is no file yet.

    :raises WorkspaceError: something else than a file is there.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(mode):
        raise WorkspaceError(
            "not saved: this is no file", location=Location(file=str(path)), remedy="move it away and save again"
        )
    return stat.S_IMODE(mode) & 0o777


def _clean(folder: Path) -> None:
    """Remove what writers that were killed left in a folder; one that is still at work has touched its file lately."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _LEFT_BEHIND.match(entry.name):
                with contextlib.suppress(OSError):
                    if abs(time.time() - entry.stat(follow_symlinks=False).st_mtime) > _OLD_S:
                        Path(entry).unlink()


def sync_folder(folder: Path) -> None:
    """Make sure that the names in a folder are on disk."""
    with contextlib.suppress(OSError):  # some file systems cannot sync a folder; the rename itself has happened
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def explain(error: OSError, path: Path) -> WorkspaceError:
    """The one clear message for a failed write: what happened, where, what to do."""
    otherwise = (error.strerror or str(error), "check the folder and save again")
    message, remedy = _REASONS.get(error.errno or 0, otherwise)
    return WorkspaceError(f"not saved: {message}", location=Location(file=str(path)), remedy=remedy)


@contextlib.contextmanager
def locked(root: Path, seconds: float = LOCK_SECONDS, name: str = LOCK_NAME) -> Iterator[None]:
    """Hold the lock of a folder, so that two processes that save at once take turns.

    :raises WorkspaceError: another process has held the lock for ``seconds``, or the folder cannot be written.
    """
    from filelock import FileLock, Timeout  # 0.01 s, which a command that saves nothing does without

    path = root / name
    lock = FileLock(path)
    began = time.monotonic()
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise WorkspaceError(
                "not saved: the lock is no file", location=Location(file=str(path)), remedy="remove it and save again"
            )
        lock.acquire(timeout=seconds, poll_interval=0.01)
    except Timeout as error:
        raise WorkspaceError(
            f"not saved: another Interlock has been saving here for {seconds:g} seconds",
            location=Location(file=str(path)),
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
