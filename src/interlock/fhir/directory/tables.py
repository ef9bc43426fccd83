"""Directories as tables and lists: CSV with or without a head, NPPES' endpoint file, JSON lists, an address a line."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Any

from interlock.fhir.directory import states
from interlock.fhir.directory.listed import DirectoryError, Row, name_of, owners_named
from interlock.model.text import plain

_MAX_CELLS = 64
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")

#: What a column is for → the names that directories give it, the first that is filled in counts.
_COLUMNS = {
    "address": (
        "base_url",
        "fhir_base_url",
        "url",
        "fhir_url",
        "service_base_url",
        "endpoint_url",
        "endpoint",
        "address",
    ),
    "name": (
        "organization",
        "organisation",
        "organization_name",
        "organisation_name",
        "affiliation_legal_business_name",
        "name",
        "facility",
        "practice",
    ),
    "vendor": ("vendor", "vendor_name", "developer", "ehr", "source", "list_source"),
    "type": ("endpoint_type", "connection_type", "connectiontype"),
    "status": ("status",),
    "release": ("fhir_version", "fhir_release", "release"),
    "environment": ("environment", "environment_type"),
    "npi": ("npi",),
    "label": ("endpoint_description",),
}


def lines_of(text: str) -> Iterator[str]:
    """The lines of a table with their ends, one at a time: as a file's, they would be four bytes a character."""
    return (match[0] for match in _LINE.finditer(text))


def head_of(line: str, delimiter: str) -> list[str] | None:
    """Column names in lower case, or none when the line is no head."""
    cells = [cell.strip().strip('"').lower().replace(" ", "_") for cell in line.split(delimiter)]
    return cells if any(cell in _COLUMNS["address"] for cell in cells) else None


def csv_rows(text: str, delimiter: str) -> Iterator[Row]:
    """A row for each line of a table that is not empty.

    :raises DirectoryError: a line is no CSV.
    """
    reader = csv.reader(lines_of(text), delimiter=delimiter)
    head: list[str] | None = None
    columns: dict[str, tuple[str, ...]] = {}
    try:
        for number, cells in enumerate(cells for cells in reader if any(cell.strip() for cell in cells)):
            location = f"line {reader.line_num}"
            if number == 0:
                head = head_of(delimiter.join(cells), delimiter)
                columns = {
                    use: tuple(name for name in names if name in (head or ())) for use, names in _COLUMNS.items()
                }
            if head is None:
                yield _unheaded(location, cells)
            elif number:
                yield _headed(location, dict(zip(head[:_MAX_CELLS], cells, strict=False)), columns)
    except csv.Error as error:
        raise DirectoryError(f"line {reader.line_num} is no CSV: {plain(error, 80)}") from error


def json_rows(values: list[Any]) -> Iterator[Row]:
    """A row for each value of a JSON list: an address, or an object with the columns of a table."""
    for number, value in enumerate(values, 1):
        location = f"entry {number}"
        if isinstance(value, str):
            yield Row(location, value)
        elif isinstance(value, dict):
            cells = {str(key).strip().lower().replace(" ", "_"): cell for key, cell in list(value.items())[:_MAX_CELLS]}
            yield _headed(location, cells, _COLUMNS)
        else:
            yield Row(location, "", unfit=("not_an_entry", "the entry is neither an address nor an object"))


def smart_rows(document: dict[str, Any], notes: list[str]) -> Iterator[Row]:
    """The ``associated_endpoints`` of a SMART configuration (SMART App Launch 2.2, conformance)."""
    brands = document.get("user_access_brand_bundle")
    if isinstance(brands, str):
        notes.append(f"the names are in a Bundle of brands, which was not fetched: {plain(brands[:400], 200)}")
    listed = document.get("associated_endpoints")
    for number, value in enumerate(listed if isinstance(listed, list) else (), 1):
        address = value.get("url") if isinstance(value, dict) else None
        yield Row(f"associated endpoint {number}", address if isinstance(address, str) else "")


def list_rows(lines: list[str]) -> Iterator[Row]:
    """A row for each line that is neither empty nor a remark: an address, and a name after a space."""
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        address, _, name = text.partition(" ") if "://" in text.partition(" ")[0] else (text, "", "")
        yield Row(f"line {number}", address, owners_named(name_of(name.lstrip(" #-–—"))))


def _headed(location: str, cells: dict[str, Any], columns: dict[str, tuple[str, ...]]) -> Row:
    """A row by the names of its columns. Where NPPES' file names nobody, its NPI is the name."""
    vendor = name_of(_first(cells, columns["vendor"]).replace("_", " ")) or None
    npi = _first(cells, columns["npi"])
    status = _first(cells, columns["status"])
    return Row(
        location,
        _first(cells, columns["address"]),
        owners_named(name_of(_first(cells, columns["name"]) or (f"NPI {npi}" if npi else ""))),
        vendor,
        unfit=states.by_type(_first(cells, columns["type"])) or states.by_status(status),
        release=states.release_named(_first(cells, columns["release"])),
        environment=states.environment_of(_first(cells, columns["environment"])) or states.environment_of(status),
        label=name_of(_first(cells, columns["label"])),
    )


def _unheaded(location: str, cells: list[str]) -> Row:
    """Without a head, the first cell that looks like an address is one, and the first other text is the name."""
    address = next((cell for cell in cells if "://" in cell), cells[0])
    name = next((cell for cell in cells[:_MAX_CELLS] if cell.strip() and cell is not address), "")
    return Row(location, address, owners_named(name_of(name)))


def _first(cells: dict[str, Any], columns: tuple[str, ...]) -> str:
    for column in columns:
        cell = cells.get(column)
        if cell and isinstance(cell, str) and not cell.isspace():
            return cell
    return ""
