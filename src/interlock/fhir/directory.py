"""Directories of FHIR endpoints as entries: bundles, CSV, plain lists; dirt is cleaned, and what is dropped is told.

Read are FHIR ``Bundle``s of ``Endpoint`` and ``Organization`` (linked by ``Organization.endpoint``, contained, or by
the portals of SMART App Launch 2.2 User-access Brands), lists of such resources, JSON lists, CSV with or without a
head, and one address a line; each may be gzip. Nothing raises but :class:`DirectoryError`, for a file that as a whole
is none of these.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from interlock.documents.bounds import JsonBoundsError, check_json
from interlock.fhir.addresses import repair_address
from interlock.fhir.tolerant import objects_of, storable
from interlock.model.address_secrets import redacted_base
from interlock.model.fleet import DroppedAddress
from interlock.model.text import plain

MAX_BYTES = 128 * 1024 * 1024
MAX_ENTRIES = 500_000
#: Values and keys of a JSON document; the national list of the United States has fewer than half of them.
MAX_VALUES = 5_000_000
MAX_DEPTH = 100
#: Lines of a list or table; several entries of it may be empty or dropped.
MAX_LINES = 4 * MAX_ENTRIES
_LINE_ENDS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_MAX_NAME = 200
_MAX_CELLS = 64
_MAX_NAMES = 20

_URL_COLUMNS = (
    "base_url",
    "fhir_base_url",
    "url",
    "fhir_url",
    "service_base_url",
    "endpoint_url",
    "endpoint",
    "address",
)
_NAME_COLUMNS = (
    "organization",
    "organisation",
    "organization_name",
    "organisation_name",
    "name",
    "facility",
    "practice",
)
_VENDOR_COLUMNS = ("vendor", "vendor_name", "developer", "ehr", "source", "list_source")

_PORTAL = "http://hl7.org/fhir/StructureDefinition/organization-portal"


class DirectoryError(Exception):
    """The file as a whole is no directory; the message is one sentence without a full stop."""


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """One base URL that a directory lists.

    :ivar url: the cleaned base URL.
    :ivar names: organisations that it is listed for, each once, in order; may be empty.
    :ivar vendor: who publishes it, as listed, or none.
    :ivar location: where it stands in the file (``line 12``, ``entry 3``); the first one when it is listed repeatedly.
    :ivar repairs: what was cleaned, in words.
    :ivar listed: how often it is listed.
    """

    url: str
    names: tuple[str, ...] = ()
    vendor: str | None = None
    location: str = ""
    repairs: tuple[str, ...] = ()
    listed: int = 1

    @property
    def name(self) -> str:
        """The first name, or an empty string."""
        return self.names[0] if self.names else ""


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory that was read.

    :ivar form: ``bundle``, ``resources``, ``json``, ``csv`` or ``list``.
    :ivar entries: one a distinct base URL, in order of first appearance.
    :ivar listed: how many addresses the file lists, dropped and repeated ones included.
    """

    form: str
    entries: tuple[DirectoryEntry, ...]
    dropped: tuple[DroppedAddress, ...]
    listed: int


@dataclass(frozen=True, slots=True)
class _Row:
    """One listed address before it is judged; ``unfit`` is a word and a sentence when it is no FHIR base anyway."""

    location: str
    address: str
    names: tuple[str, ...] = ()
    vendor: str | None = None
    unfit: tuple[str, str] | None = None


def read_directory(data: bytes) -> Directory:
    """The directory in some bytes.

    :raises DirectoryError: too large, damaged gzip, not text, or JSON that is no directory.
    """
    text = _text(_unzipped(data))
    form, rows = _rows(text)
    entries: dict[str, DirectoryEntry] = {}
    dropped: list[DroppedAddress] = []
    listed = 0
    for row in rows:
        listed += 1
        if listed > MAX_ENTRIES:
            raise DirectoryError(f"it lists more than {MAX_ENTRIES:,} addresses")
        repaired = repair_address(row.address)
        unfit = row.unfit or (None if repaired.url else (repaired.word, repaired.reason))
        if unfit is not None or repaired.url is None:
            word, reason = unfit or ("address", "")
            shown = plain(redacted_base(storable(row.address[:400])), 200)
            name = next(iter(row.names), "")
            dropped.append(
                DroppedAddress.trusted(location=row.location, name=name, address=shown, word=word, reason=reason)
            )
            continue
        known = entries.get(repaired.url)
        if known is None:
            entries[repaired.url] = DirectoryEntry(repaired.url, row.names, row.vendor, row.location, repaired.repairs)
        else:
            names = tuple(dict.fromkeys((*known.names, *row.names)))[:_MAX_NAMES]
            vendor = known.vendor or row.vendor
            entries[repaired.url] = replace(known, names=names, vendor=vendor, listed=known.listed + 1)
    return Directory(form, tuple(entries.values()), tuple(dropped), listed)


def _unzipped(data: bytes) -> bytes:
    if not data.startswith(b"\x1f\x8b"):
        if len(data) > MAX_BYTES:
            raise DirectoryError(f"it is larger than {MAX_BYTES // 1024 // 1024} MB")
        return data
    unzip = zlib.decompressobj(wbits=31)
    try:
        plain_data = unzip.decompress(data, MAX_BYTES + 1)
    except zlib.error as error:
        raise DirectoryError("its gzip data are damaged") from error
    if len(plain_data) > MAX_BYTES:
        raise DirectoryError(f"it is larger than {MAX_BYTES // 1024 // 1024} MB when unpacked")
    if not unzip.eof:
        raise DirectoryError("its gzip data end too early")
    return plain_data


def _text(data: bytes) -> str:
    if b"\0" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DirectoryError("it holds binary data, not text")
    with contextlib.suppress(UnicodeDecodeError):
        return data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    return data.decode("latin-1")


def _rows(text: str) -> tuple[str, Iterator[_Row]]:
    start = text.lstrip()[:1]
    if not start:
        raise DirectoryError("it is empty")
    if start == "<":
        raise DirectoryError("it is XML or HTML; give the directory as JSON, CSV or a list of addresses")
    if start in {"{", "["}:
        return _json_rows(text)
    if sum(map(text.count, _LINE_ENDS)) > MAX_LINES:
        raise DirectoryError(f"it has more than {MAX_LINES:,} lines")
    lines = text.splitlines()
    first = next(line for line in lines if line.strip())
    delimiter = max(",;\t|", key=first.count)
    if first.count(delimiter) and (_head(first, delimiter) or delimiter in {",", "\t"}):
        if text.count(delimiter) > MAX_VALUES:
            raise DirectoryError(f"it holds more than {MAX_VALUES:,} cells")
        return "csv", _csv_rows(text, delimiter)
    return "list", _list_rows(lines)


# -- JSON ------------------------------------------------------------------------------------------------------------


def _json_rows(text: str) -> tuple[str, Iterator[_Row]]:
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
    if isinstance(value, dict) and value.get("resourceType") == "Bundle":
        entries = value.get("entry")
        resources = [entry.get("resource") if isinstance(entry, dict) else None for entry in _list(entries)]
        urls = [entry.get("fullUrl") if isinstance(entry, dict) else None for entry in _list(entries)]
        return "bundle", _resource_rows(resources, urls)
    values = value if isinstance(value, list) else [value]
    if any(isinstance(entry, dict) and "resourceType" in entry for entry in values):
        return "resources", _resource_rows(values, [None] * len(values))
    if not isinstance(value, list):
        raise DirectoryError("it is a JSON object, but no Bundle, Endpoint or Organization")
    return "json", _plain_json_rows(value)


def _json_lines(text: str) -> list[Any] | None:
    """The values of newline-delimited JSON, as FHIR bulk exports have it; none when it is not that."""
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError:
        return None


def _plain_json_rows(values: list[Any]) -> Iterator[_Row]:
    for number, value in enumerate(values, 1):
        location = f"entry {number}"
        if isinstance(value, str):
            yield _Row(location, value)
        elif isinstance(value, dict):
            cells = {str(key).strip().lower().replace(" ", "_"): cell for key, cell in list(value.items())[:_MAX_CELLS]}
            yield _headed(location, cells)
        else:
            yield _Row(location, "", unfit=("not_an_entry", "the entry is neither an address nor an object"))


def _resource_rows(resources: list[Any], urls: list[Any]) -> Iterator[_Row]:
    names = _names_by_endpoint(resources)
    for number, (resource, full_url) in enumerate(zip(resources, urls, strict=True), 1):
        if not isinstance(resource, dict) or resource.get("resourceType") != "Endpoint":
            continue
        location = f"entry {number}"
        address = resource.get("address")
        keys = [f"Endpoint/{resource.get('id')}", full_url]
        listed = [name for key in keys if isinstance(key, str) for name in names.get(key, ())]
        own = dict.fromkeys(
            name for name in (*_contained_names(resource), *listed, _name(resource.get("name"))) if name
        )
        yield _Row(
            location, address if isinstance(address, str) else "", tuple(own)[:_MAX_NAMES], unfit=_unfit(resource)
        )


def _unfit(endpoint: dict[str, Any]) -> tuple[str, str] | None:
    """Why an Endpoint is no FHIR server to probe, by what it says itself (FHIR R4 and R5 Endpoint)."""
    status = endpoint.get("status")
    if status in {"entered-in-error", "off"}:
        return "status", f"its status is {status}"
    types = endpoint.get("connectionType")
    codes = [code for entry in (types if isinstance(types, list) else [types]) for code in _codes(entry)]
    if codes and not any("fhir" in code.lower() for code in codes):
        return "not_fhir", f"its connection type is {plain(storable(codes[0][:200]), 60)}, not FHIR"
    return None


def _codes(concept: Any) -> Iterator[str]:
    """Codes of a Coding (R4) or a CodeableConcept (R5)."""
    for coding in (concept, *objects_of(concept, "coding")):
        code = coding.get("code") if isinstance(coding, dict) else None
        if isinstance(code, str):
            yield code


def _contained_names(endpoint: dict[str, Any]) -> list[str]:
    contained = objects_of(endpoint, "contained")
    return [_name(resource.get("name")) for resource in contained if resource.get("resourceType") == "Organization"]


def _names_by_endpoint(resources: list[Any]) -> dict[str, list[str]]:
    """Names of the organisations that refer to an endpoint, by reference."""
    names: dict[str, list[str]] = {}
    for resource in resources:
        if not isinstance(resource, dict) or resource.get("resourceType") != "Organization":
            continue
        name = _name(resource.get("name"))
        if not name:
            continue
        for reference in (*_list(resource.get("endpoint")), *_portal_endpoints(resource)):
            target = reference.get("reference") if isinstance(reference, dict) else None
            if isinstance(target, str):
                listed = names.setdefault(target, [])
                if len(listed) < _MAX_NAMES:
                    listed.append(name)
    return names


def _portal_endpoints(organization: dict[str, Any]) -> Iterator[Any]:
    """References in the portals of a brand (SMART App Launch 2.2, User-access Brands, ``organization-portal``)."""
    for portal in objects_of(organization, "extension"):
        if portal.get("url") == _PORTAL:
            parts = objects_of(portal, "extension")
            yield from (part.get("valueReference") for part in parts if part.get("url") == "portalEndpoint")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


# -- tables and lists ------------------------------------------------------------------------------------------------


def _head(line: str, delimiter: str) -> list[str] | None:
    """Column names in lower case, or none when the line is no head."""
    cells = [cell.strip().strip('"').lower().replace(" ", "_") for cell in line.split(delimiter)]
    return cells if any(cell in _URL_COLUMNS for cell in cells) else None


def _csv_rows(text: str, delimiter: str) -> Iterator[_Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    head: list[str] | None = None
    try:
        for number, cells in enumerate(cells for cells in reader if any(cell.strip() for cell in cells)):
            location = f"line {reader.line_num}"
            if number == 0:
                head = _head(delimiter.join(cells), delimiter)
            if head is None:
                yield _unheaded(location, cells)
            elif number:
                yield _headed(location, dict(zip(head[:_MAX_CELLS], cells, strict=False)))
    except csv.Error as error:
        raise DirectoryError(f"line {reader.line_num} is no CSV: {plain(error, 80)}") from error


def _headed(location: str, cells: dict[str, Any]) -> _Row:
    """A row by the names of its columns."""
    vendor = _name(_first(cells, _VENDOR_COLUMNS).replace("_", " ")) or None
    return _Row(location, _first(cells, _URL_COLUMNS), _names(_first(cells, _NAME_COLUMNS)), vendor)


def _unheaded(location: str, cells: list[str]) -> _Row:
    """Without a head, the first cell that looks like an address is one, and the first other text is the name."""
    address = next((cell for cell in cells if "://" in cell), cells[0])
    name = next((cell for cell in cells[:_MAX_CELLS] if cell.strip() and cell is not address), "")
    return _Row(location, address, _names(name))


def _list_rows(lines: list[str]) -> Iterator[_Row]:
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        address, _, name = text.partition(" ") if "://" in text.partition(" ")[0] else (text, "", "")
        yield _Row(f"line {number}", address, _names(name.lstrip(" #-–—")))


def _first(cells: dict[str, Any], columns: tuple[str, ...]) -> str:
    return next((str(cells[column]) for column in columns if isinstance(cells.get(column), str) and cells[column]), "")


def _name(value: Any) -> str:
    return plain(storable(value[: _MAX_NAME * 8]), _MAX_NAME) if isinstance(value, str) else ""


def _names(value: str) -> tuple[str, ...]:
    name = _name(value)
    return (name,) if name else ()
