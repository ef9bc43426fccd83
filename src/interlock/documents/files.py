"""Files that somebody else wrote: read whole, up to a size."""

from __future__ import annotations

from pathlib import Path

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
