"""Reading a directory file, and picking organisations from it."""

from __future__ import annotations

import fnmatch
import sys
from collections import Counter
from datetime import date
from pathlib import Path

from interlock.documents.files import read_bytes
from interlock.fhir.directory.listed import Directory, DirectoryError, ListedOrganization
from interlock.fhir.directory.reading import read_directory
from interlock.fhir.directory.unpacking import MAX_BYTES
from interlock.model import words
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
        return read_directory(data, date.today())
    except DirectoryError as error:
        raise DocumentError(
            f"this is no directory of endpoints: {error}",
            location=location,
            remedy="give a FHIR Bundle of Endpoints, a CSV with a column base_url or url, or one address a line",
        ) from error


def pick(directory: Directory, name: str | None, vendor: str | None) -> list[ListedOrganization]:
    """Organisations whose name and vendor fit; those of exactly that name come first.

    ``name`` is a part of a name, or a pattern when it holds ``*`` or ``?``; case does not matter. An organisation that
    is part of another and uses its base is picked only by its own name, and only when the other one does not fit. A
    directory that names no vendor has only organisations of the vendor asked for.

    :raises InterlockError: none fits; with names that are nearly what was asked for.
    """
    if name is None:
        fitting = [organization for organization in directory.organizations if organization.part_of is None]
    else:
        wanted = name.casefold()
        fitting = [organization for organization in directory.organizations if _fits(wanted, organization)]
        picked = set(fitting)
        fitting = [organization for organization in fitting if organization.part_of not in picked]
        fitting.sort(key=lambda organization: organization.name.casefold() != wanted)
    if vendor is not None and any(base.vendors for base in directory.bases):
        fitting = [
            organization for organization in fitting if any(_is_of(vendor, listed) for listed in organization.vendors)
        ]
    if not fitting and (name is not None or vendor is not None):
        count = words.count(len(directory.organizations), "listed organisation")
        similar = f", such as {near}" if (near := words.listed(_nearly(name, vendor, directory), last="or")) else ""
        raise InterlockError(f"none of the {count} fits", remedy=f"ask for another --name or --vendor{similar}")
    return fitting


def _is_of(vendor: str, listed: str) -> bool:
    return vendor_id(listed) == vendor_id(vendor) or vendor.casefold() in listed.casefold()


def _nearly(name: str | None, vendor: str | None, directory: Directory) -> list[str]:
    """Up to three names that share most words with what was asked for; of vendors, those with most base URLs."""
    shared: Counter[str] = Counter()
    if name is None or vendor is not None:
        shared.update(listed for base in directory.bases for listed in base.vendors)
    elif asked := {word for word in slug(name).split("-") if len(word) > 2}:
        for organization in directory.organizations:
            if common := len(asked & set(slug(organization.name).split("-"))):
                shared[organization.name] = common
    return [near for near, _ in shared.most_common(3)]


def vendor_id(listed: str) -> str:
    """A vendor's id from the name under which it publishes: a known vendor's own, otherwise the name as an id."""
    words = slug(listed)
    return next(
        (known for word, known in _VENDORS.items() if word in words.split("-") or words.startswith(word)), words
    )


def _fits(wanted: str, organization: ListedOrganization) -> bool:
    names = (organization.name, *organization.aliases)
    if "*" in wanted or "?" in wanted:
        pattern = wanted.replace("[", "[[]")
        return any(fnmatch.fnmatchcase(name.casefold(), pattern) for name in names)
    return any(wanted in name.casefold() for name in names)
