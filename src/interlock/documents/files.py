"""Files that somebody else wrote: read whole, up to a size, and only where they belong."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from interlock.model.errors import DocumentError, Location
from interlock.model.text import plain

#: Opening what is in a workspace waits for nobody (a FIFO's other end) and does not follow a link that came last.
_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
_CONFLICT = re.compile(r"^(?:<{7}|>{7})(?: |$)", re.MULTILINE)


def read_bytes(path: Path, limit: int, *, within: Path | None = None) -> bytes:
    """A file's bytes, at most ``limit`` of them.

    :param within: the folder that the file must really be in, as a file: no link out of it, FIFO, device or socket.
    :raises DocumentError: the file is missing, elsewhere, larger, or cannot be read.
    """
    location = Location(file=str(path))
    try:
        with path.open("rb") if within is None else os.fdopen(os.open(inside(within, path), _FLAGS), "rb") as handle:
            if within is not None and not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
                raise DocumentError("this is no file", location=location, remedy="put a file there, or remove it")
            content = handle.read(limit + 1)
    except FileNotFoundError as error:
        raise DocumentError("no such file", location=location) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise DocumentError(
            f"cannot be read: {getattr(error, 'strerror', None) or error}", location=location
        ) from error
    if len(content) > limit:
        raise DocumentError(
            f"larger than {limit:,} bytes", location=location, remedy="split it, or remove what is not needed"
        )
    return content


def check_merged(text: str, file: str) -> None:
    """Make sure that git did not leave a merge unfinished in this text.

    :raises DocumentError: a line is one of git's conflict markers.
    """
    if "<<<<<<<" not in text and ">>>>>>>" not in text:
        return
    marker = _CONFLICT.search(text)
    if marker is not None:
        line = text.count("\n", 0, marker.start()) + 1
        raise DocumentError(
            f"this file has unresolved merge conflicts at line {line}",
            location=Location(file=file, line=line),
            remedy="resolve them in git, then run again",
        )


def inside(root: Path, path: Path) -> Path:
    """The real path of a file, which must lie in the real folder ``root``: no link and no ``..`` leads out of it.

    :raises DocumentError: it lies elsewhere; names the link and where it leads.
    """
    try:
        real_root, real = Path(os.path.realpath(root)), Path(os.path.realpath(path))
    except ValueError as error:  # a NUL in the name
        raise DocumentError("no file has such a name", location=Location(file=plain(path))) from error
    if real == real_root or real_root in real.parents:
        return real
    location = Location(file=str(path))
    for part in (*reversed(path.parents), path):
        if part.is_symlink() and real_root in Path(os.path.realpath(part.parent), part.name).parents:
            leads_to = Path(os.path.realpath(part))
            if leads_to != real_root and real_root not in leads_to.parents:
                raise DocumentError(
                    f"{plain(part.name, 80)} is a link that leads out of this folder, to {plain(leads_to)}",
                    location=location,
                    remedy="put the file or folder itself in its place; what a link leads to outside is never used",
                )
    raise DocumentError(f"this is outside the folder {plain(root)}", location=location, remedy="name a file inside it")
