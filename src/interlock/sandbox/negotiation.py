"""Content negotiation of FHIR content: ``_format`` before ``Accept``, JSON in its several spellings.

Sources: FHIR R4 http.html, sections mime-type, parameters and version-parameter.
"""

from __future__ import annotations

from starlette.requests import Request

from interlock.model.observation import FhirRelease

#: ``fhirVersion`` parameter of the media type, major.minor (R4 http.html#version-parameter).
_VERSIONS: dict[FhirRelease, str] = {"DSTU2": "1.0", "STU3": "3.0", "R4": "4.0", "R4B": "4.3", "R5": "5.0"}
_GENERIC = ("application/json", "text/json")
_MAX_ACCEPT = 4_096


def native(release: FhirRelease) -> str:
    """The release's own JSON media type."""
    return "application/json+fhir" if release == "DSTU2" else "application/fhir+json"


def negotiate(request: Request, release: FhirRelease) -> str | None:
    """The media type to answer with, or none when the client accepts nothing that is offered (406).

    ``application/json`` and ``text/json`` are answered in kind; anything else that means JSON in the release's own
    type. With neither ``_format`` nor ``Accept`` the type is the release's own.
    """
    wanted = request.query_params.get("_format")
    if wanted:
        return native(release) if names_json(wanted) else None
    accept = request.headers.get("accept", "")[:_MAX_ACCEPT]
    if not accept.strip():
        return native(release)
    for media_range, parameters in _ranges(accept):
        version = parameters.get("fhirversion")
        if version is not None and version != _VERSIONS[release]:
            continue
        if media_range in ("*/*", "application/*"):
            return native(release)
        if media_range in _GENERIC:
            return media_range
        if media_range == "application/fhir+json" or (
            media_range == "application/json+fhir" and release in ("DSTU2", "STU3")
        ):
            return media_range
    return None


def names_json(format_: str) -> bool:
    """Whether a ``_format`` value means JSON. A plus sign that was not escaped arrives as a space."""
    name = format_.split(";")[0].strip().lower().replace(" ", "+")
    return name in ("json", "application/fhir+json", "application/json+fhir", *_GENERIC)


def accepts_json_by_name(request: Request) -> bool:
    """Whether the client named JSON itself, by ``_format`` or in ``Accept``."""
    wanted = request.query_params.get("_format")
    return names_json(wanted) if wanted else "json" in request.headers.get("accept", "")[:_MAX_ACCEPT].lower()


def _ranges(accept: str) -> list[tuple[str, dict[str, str]]]:
    """Media ranges with lower-cased parameters, best quality first, in order of appearance; quality 0 is left out."""
    ranges: list[tuple[float, str, dict[str, str]]] = []
    for part in accept.split(","):
        name, *rest = (piece.strip() for piece in part.split(";"))
        parameters = {
            key.strip().lower(): value.strip(' "') for key, _, value in (piece.partition("=") for piece in rest)
        }
        quality = _quality(parameters.pop("q", "1"))
        if name and quality > 0:
            ranges.append((quality, name.lower(), parameters))
    ranges.sort(key=lambda entry: -entry[0])
    return [(name, parameters) for _, name, parameters in ranges]


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0
