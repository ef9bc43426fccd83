"""The few shapes that an answer can have (FHIR JSON, OperationOutcome, plain JSON, an HTML page), and negotiating one.

Sources: FHIR R4 http.html, sections mime-type, parameters and version-parameter: ``_format`` before ``Accept``.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from interlock.model.facts import FhirRelease

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


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b2733;background:#fff}}
h1{{font-size:1.5rem}} table{{border-collapse:collapse;width:100%}} code{{overflow-wrap:anywhere}}
th,td{{text-align:left;vertical-align:top;padding:.5rem .75rem .5rem 0;border-bottom:1px solid #d7dee5}}
</style></head><body><main><h1>{title}</h1>{body}</main></body></html>
"""


def fhir_json(resource: Mapping[str, Any], media_type: str = "application/fhir+json") -> Response:
    """A FHIR resource as UTF-8 JSON."""
    return Response(encode(resource), 200, {"Content-Type": media_type})


def plain_json(value: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Any other JSON object, typed ``application/json``."""
    return Response(encode(value), status, {"Content-Type": "application/json", **(headers or {})})


def outcome(
    status: int, code: str, diagnostics: str, headers: Mapping[str, str] | None = None, *, severity: str = "error"
) -> Response:
    """An OperationOutcome with one issue. ``code`` is of the FHIR issue-type value set."""
    issue = {"severity": severity, "code": code, "diagnostics": diagnostics}
    body = encode({"resourceType": "OperationOutcome", "issue": [issue]})
    return Response(body, status, {"Content-Type": "application/fhir+json", **(headers or {})})


class RefusalError(Exception):
    """What a hospital does not do, as the OperationOutcome that says so; raised wherever it is found out.

    :ivar words: for a person: what is wrong, and what would be right.
    """

    def __init__(self, status: int, code: str, words: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(words)
        self.status, self.code, self.words, self.headers = status, code, words, dict(headers or {})

    def response(self) -> Response:
        """The answer to send."""
        return outcome(self.status, self.code, self.words, self.headers)


def not_found(reason: str) -> Response:
    """404 in plain JSON, for paths outside every organisation."""
    return plain_json({"error": "not_found", "error_description": reason}, 404)


def page(title: str, body: str, status: int = 200) -> Response:
    """An HTML page; ``title`` is text and is escaped, ``body`` is markup."""
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(_PAGE.format(title=html.escape(title), body=body).encode(), status, headers)


def encode(value: Any) -> bytes:
    """JSON as UTF-8, indented by two for people who look with a terminal."""
    return json.dumps(value, ensure_ascii=False, indent=2).encode(errors="replace")


def with_body(response: Response, body: bytes, **headers: str) -> Response:
    """The same answer with another body and some headers replaced (underscores stand for hyphens)."""
    kept = {name: value for name, value in response.headers.items() if name != "content-length"}
    replaced = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(body, response.status_code, {**kept, **replaced})
