"""Files that somebody else wrote: read whole, up to a size, and only where they belong."""

from __future__ import annotations

import os
from pathlib import Path

from interlock.documents.text import plain
from interlock.model.errors import DocumentError, Place


def read_bytes(path: Path, limit: int | None = None, shown_as: str | None = None) -> bytes:
    """A file's bytes; with ``limit`` one byte more at the most, so that the caller can tell a file that is larger.

    :param shown_as: the name that errors give.
    :raises DocumentError: the file is missing or cannot be read.
    """
    place = Place(file=shown_as or str(path))
    try:
        with path.open("rb") as handle:
            return handle.read(-1 if limit is None else limit + 1)
    except FileNotFoundError as error:
        raise DocumentError("no such file", place=place) from error
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror or error}", place=place) from error


def inside(root: Path, path: Path) -> Path:
    """The real path of a file, which must lie in the real folder ``root``: no link and no ``..`` leads out of it.

    :raises DocumentError: it lies elsewhere; names the link and where it leads.
    """
    try:
        real_root, real = Path(os.path.realpath(root)), Path(os.path.realpath(path))
    except ValueError as error:  # a NUL in the name
        raise DocumentError("no file has such a name", place=Place(file=plain(path))) from error
    if real == real_root or real_root in real.parents:
        return real
    place = Place(file=str(path))
    for part in (*reversed(path.parents), path):
        if part.is_symlink() and real_root in Path(os.path.realpath(part.parent), part.name).parents:
            leads_to = Path(os.path.realpath(part))
            if leads_to != real_root and real_root not in leads_to.parents:
                raise DocumentError(
                    f"{plain(part.name, 80)} is a link that leads out of this folder, to {plain(leads_to)}",
                    place=place,
                    remedy="put the file or folder itself in its place; what a link leads to outside is never used",
                )
    raise DocumentError(f"this is outside the folder {plain(root)}", place=place, remedy="name a file inside it")
