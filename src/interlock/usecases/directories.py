"""Reading a directory file, and picking entries from it."""

from __future__ import annotations

import fnmatch
import sys
from collections.abc import Sequence
from pathlib import Path

from interlock.documents.files import read_bytes
from interlock.fhir.directory import MAX_BYTES, Directory, DirectoryEntry, DirectoryError, read_directory
from interlock.model.errors import DocumentError, InterlockError, Location
from interlock.model.text import slug

#: Words in a publisher's name → the vendor's id, as the shipped rulesets have it.
_VENDORS = {"epic": "epic", "oracle": "oracle", "cerner": "oracle", "athena": "athenahealth", "meditech": "meditech"}


def read_directory_file(source: Path | None) -> Directory:
    """The directory in a file, or in standard input when ``source`` is none.

    :raises DocumentError: it cannot be read, or holds no directory.
    """
    location = Location(file=str(source) if source is not None else "standard input")
    try:
        data = sys.stdin.buffer.read(MAX_BYTES + 1) if source is None else read_bytes(source, MAX_BYTES)
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror or error}", location=location) from error
    try:
        return read_directory(data)
    except DirectoryError as error:
        raise DocumentError(
            f"this is no directory of endpoints: {error}",
            location=location,
            remedy="give a FHIR Bundle of Endpoints, a CSV with a column base_url or url, or one address a line",
        ) from error


def pick(entries: Sequence[DirectoryEntry], name: str | None, vendor: str | None) -> tuple[DirectoryEntry, ...]:
    """Entries whose name and vendor fit. A directory that names no vendor has only entries of the vendor asked for.

    ``name`` is a part of a name, or a pattern when it holds ``*`` or ``?``; case does not matter.

    :raises InterlockError: none fits.
    """
    fitting = [entry for entry in entries if name is None or any(_fits(name, listed) for listed in entry.names)]
    if vendor is not None and any(entry.vendor for entry in entries):
        wanted = vendor_id(vendor)
        fitting = [
            entry
            for entry in fitting
            if entry.vendor and (vendor_id(entry.vendor) == wanted or vendor.casefold() in entry.vendor.casefold())
        ]
    if not fitting and (name is not None or vendor is not None):
        raise InterlockError(
            f"none of the {len(entries):,} endpoints fits", remedy="ask for less, or for another --name or --vendor"
        )
    return tuple(fitting)


def vendor_id(listed: str) -> str:
    """A vendor's id from the name under which it publishes: a known vendor's own, otherwise the name as an id."""
    words = slug(listed)
    return next(
        (known for word, known in _VENDORS.items() if word in words.split("-") or words.startswith(word)), words
    )


def _fits(pattern: str, name: str) -> bool:
    if "*" in pattern or "?" in pattern:
        return fnmatch.fnmatchcase(name.casefold(), pattern.casefold().replace("[", "[[]"))
    return pattern.casefold() in name.casefold()
