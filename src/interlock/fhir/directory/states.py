"""What a directory says of an endpoint itself: its type, state, period, environment and release."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from interlock.fhir.capability import release_of
from interlock.fhir.directory.listed import Environment, Kind
from interlock.fhir.tolerant import objects_of, storable
from interlock.model.facts import FhirRelease
from interlock.model.text import plain

Unfit = tuple[str, str]

#: FHIR R4 Endpoint.status (http://hl7.org/fhir/R4/valueset-endpoint-status.html) of endpoints that nobody should call.
_OUT_OF_USE = frozenset({"suspended", "error", "off", "entered-in-error"})
#: Types that are no FHIR REST server: those of FHIR's endpoint-connection-type and those of the NPPES endpoint file.
_OTHER_TYPES = re.compile(
    r"(?:ihe|dicom)-.*|hl7-fhir-msg|hl7v2-mllp|secure-email|direct(?:-project)?|cds-hooks-service|connect|soap|others?"
)
_TESTS = frozenset({"test", "staging", "dev", "train", "sandbox", "non-production"})
_MIME_RELEASE = re.compile(r"fhirversion=\"?(\d\.\d)", re.IGNORECASE)
_VERSION = "http://hl7.org/fhir/StructureDefinition/endpoint-fhir-version"
_IN_PATH = {"dstu2": "1.0", "stu3": "3.0", "r4": "4.0", "r4b": "4.3", "r5": "5.0"}
_IN_PATH_WORDS = re.compile(r"(?<![a-z0-9])(dstu2|stu3|r4b|r4|r5)(?![a-z0-9])", re.IGNORECASE)
_BULK = re.compile(r"(?<![a-z])bulk(?![a-z])", re.IGNORECASE)
_DAY = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?:T.*)?", re.ASCII)


def unfit(endpoint: dict[str, Any], today: date) -> Unfit | None:
    """Why an Endpoint is no FHIR server to look at, by what it says itself (FHIR R4 and R5 Endpoint); none if it is."""
    types = endpoint.get("connectionType")
    codes = [code for entry in (types if isinstance(types, list) else [types]) for code in _codes(entry)]
    if codes and not any(_is_fhir(code) for code in codes):
        return "not_fhir", f"its connection type is {plain(storable(codes[0][:200]), 60)}, not FHIR REST"
    return by_status(endpoint.get("status")) or _by_period(endpoint.get("period"), today)


def _is_fhir(code: str) -> bool:
    return "fhir" in code.lower() and not _OTHER_TYPES.fullmatch(code.lower())


def by_status(status: object) -> Unfit | None:
    """Why an endpoint of that status is not to be called, or none."""
    if isinstance(status, str) and (word := status.strip().lower()) in _OUT_OF_USE:
        return "status", f"its status is {word}"
    return None


def by_type(listed: str) -> Unfit | None:
    """Why a line of a table with that type of endpoint is no FHIR server; none for a type that nobody knows."""
    if listed and _OTHER_TYPES.fullmatch(listed.strip().lower()):
        return "not_fhir", f"its type is {plain(storable(listed[:200]), 60)}, not FHIR"
    return None


def _by_period(period: object, today: date) -> Unfit | None:
    if not isinstance(period, dict):
        return None
    first, last = _days(period.get("start")), _days(period.get("end"))
    if last is not None and last[1] < today:
        return "ended", "its period has ended"
    if first is not None and first[0] > today:
        return "not_begun", "its period has not begun"
    return None


def _days(moment: object) -> tuple[date, date] | None:
    """First and last day that a FHIR date or dateTime may mean, or none."""
    match = _DAY.fullmatch(moment[:40]) if isinstance(moment, str) else None
    if match is None:
        return None
    year, month, day = match.groups()
    try:
        first = date(int(year), int(month or 1), int(day or 1))
        if day:
            return first, first
        if not month:
            return first, date(int(year), 12, 31)
        return first, date.fromordinal(date(first.year + first.month // 12, first.month % 12 + 1, 1).toordinal() - 1)
    except ValueError:
        return None


def environment(endpoint: dict[str, Any]) -> Environment | None:
    """The environment of an Endpoint: ``status`` test (R4), or ``environmentType`` (R5, or its extension in R4)."""
    concepts = [
        *objects_of(endpoint, "environmentType"),
        *(
            extension.get("valueCodeableConcept")
            for extension in objects_of(endpoint, "extension")
            if str(extension.get("url")).lower().endswith("environmenttype")
        ),
    ]
    words = [code for concept in concepts for code in _codes(concept)]
    status = endpoint.get("status")
    return environment_of(status) or next(filter(None, map(environment_of, words)), None)


def environment_of(word: object) -> Environment | None:
    """The environment that a word of a directory means; none for any other word."""
    if not isinstance(word, str) or not word:
        return None
    word = word.strip().lower()
    if word in _TESTS:
        return "non-production"
    return "production" if word in {"prod", "production"} else None


def release(endpoint: dict[str, Any]) -> FhirRelease | None:
    """The FHIR release that an Endpoint states: by its extension, or by the parameter of its media types."""
    stated = [
        extension.get("valueCode")
        for extension in objects_of(endpoint, "extension")
        if extension.get("url") == _VERSION
    ]
    types = endpoint.get("payloadMimeType")
    for kind in types[:20] if isinstance(types, list) else ():
        match = _MIME_RELEASE.search(kind[:200]) if isinstance(kind, str) else None
        stated.append(match[1] if match else None)
    return next(filter(None, map(release_named, stated)), None)


def release_named(value: object) -> FhirRelease | None:
    """The release of a version (``4.0.1``) or of a release's own name (``R4``), or none."""
    if not isinstance(value, str) or not value:
        return None
    value = value.strip()
    return release_of(_IN_PATH.get(value.lower(), value[:20]))


def release_in_path(url: str) -> tuple[FhirRelease | None, str]:
    """The last release that a URL's path names (none if it names none), and the URL with a gap in its place."""
    start = url.find("/", url.find("://") + 3)
    match = _IN_PATH_WORDS.search(url, start) if start > 0 else None
    if match is None:
        return None, url
    last = match
    while (match := _IN_PATH_WORDS.search(url, last.end())) is not None:
        last = match
    return release_named(last[0]), f"{url[: last.start()]}*{url[last.end() :]}"


def kind_of(url: str, label: str) -> Kind:
    """Whether an endpoint is meant for bulk export, by its path and the name of the endpoint: a judgement of ours."""
    path = url.partition("://")[2].partition("/")[2]
    return "bulk" if _BULK.search(path) or _BULK.search(label) else "rest"


def _codes(concept: Any) -> Iterator[str]:
    """Codes of a Coding (R4) or a CodeableConcept (R5)."""
    for coding in (concept, *objects_of(concept, "coding")):
        code = coding.get("code") if isinstance(coding, dict) else None
        if isinstance(code, str):
            yield code
