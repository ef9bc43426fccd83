"""The few shapes that an answer can have: FHIR JSON, OperationOutcome, plain JSON, an HTML page."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

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


def outcome(status: int, code: str, diagnostics: str, headers: Mapping[str, str] | None = None) -> Response:
    """An OperationOutcome with one issue. ``code`` is of the FHIR issue-type value set."""
    issue = {"severity": "error", "code": code, "diagnostics": diagnostics}
    body = encode({"resourceType": "OperationOutcome", "issue": [issue]})
    return Response(body, status, {"Content-Type": "application/fhir+json", **(headers or {})})


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
