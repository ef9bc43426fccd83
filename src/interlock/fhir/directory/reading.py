"""Directories of FHIR endpoints from a file: bundles, tables, plain lists; what cannot be used is told with its reason.

Each may be gzip. Nothing raises but :class:`DirectoryError`, for a file that as a whole is none of these.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from interlock.documents.bounds import JsonBoundsError, check_json
from interlock.fhir.directory.bundles import entries_of, rows_of
from interlock.fhir.directory.listed import Directory, DirectoryError, Part, Row
from interlock.fhir.directory.merging import Merger
from interlock.fhir.directory.tables import csv_rows, head_of, json_rows, lines_of, list_rows, smart_rows
from interlock.fhir.directory.unpacking import text_of
from interlock.model.text import plain

MAX_ENTRIES = 500_000
#: Values and keys of a JSON document; the national list of the United States has fewer than half of them.
MAX_VALUES = 5_000_000
MAX_DEPTH = 100
#: Lines of a list or table; several entries of it may be empty or dropped.
MAX_LINES = 4 * MAX_ENTRIES
_LINE_ENDS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"


def read_directory(data: bytes, today: date) -> Directory:
    """The directory in some bytes, as it is on a day: endpoints have a period.

    :raises DirectoryError: too large, damaged gzip, not text, or JSON that is no directory.
    """
    notes: list[str] = []
    form, rows = _rows(text_of(data, notes), today, notes)
    merger = Merger()
    for row in rows:
        if isinstance(row, Part):
            merger.add_part(row)
            continue
        merger.add(row)
        if merger.listed > MAX_ENTRIES:
            raise DirectoryError(f"it lists more than {MAX_ENTRIES:,} addresses")
    return merger.directory(form, notes)


def _rows(text: str, today: date, notes: list[str]) -> tuple[str, Iterator[Row | Part]]:
    start = text.lstrip()[:1]
    if not start:
        raise DirectoryError("it is empty")
    if start == "<":
        raise DirectoryError("it is XML or HTML; give the directory as JSON, CSV or a list of addresses")
    if start in {"{", "["}:
        return _json_rows(text, today, notes)
    if sum(map(text.count, _LINE_ENDS)) > MAX_LINES:
        raise DirectoryError(f"it has more than {MAX_LINES:,} lines")
    first = next(line for line in lines_of(text) if line.strip())
    delimiter = max(",;\t|", key=first.count)
    if first.count(delimiter) and (head_of(first, delimiter) or delimiter in {",", "\t"}):
        if text.count(delimiter) > MAX_VALUES:
            raise DirectoryError(f"it holds more than {MAX_VALUES:,} cells")
        return "csv", csv_rows(text, delimiter)
    return "list", list_rows(text.splitlines())


def _json_rows(text: str, today: date, notes: list[str]) -> tuple[str, Iterator[Row | Part]]:
    try:
        check_json(text, max_nodes=MAX_VALUES, max_depth=MAX_DEPTH)
    except JsonBoundsError as error:
        raise DirectoryError(f"it {error}") from error
    try:
        value = json.loads(text)
    except ValueError as error:
        value = _json_lines(text)
        if value is None:
            raise DirectoryError(f"it is not valid JSON: {plain(error, 120)}") from error
    values = value if isinstance(value, list) else [value]
    if any(isinstance(entry, dict) and "resourceType" in entry for entry in values):
        form = "bundle" if len(values) == 1 and values[0].get("resourceType") == "Bundle" else "resources"
        return form, rows_of(entries_of(values, notes), today)
    if isinstance(value, dict) and "associated_endpoints" in value:
        return "smart", smart_rows(value, notes)
    if not isinstance(value, list):
        raise DirectoryError("it is a JSON object, but no Bundle, Endpoint or Organization")
    return "json", json_rows(value)


def _json_lines(text: str) -> list[Any] | None:
    """The values of newline-delimited JSON, as FHIR bulk exports have it; none when it is not that."""
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError:
        return None
