"""Faults of writing: the right content in the wrong format, encoding or size."""

from __future__ import annotations

import functools
import gzip
import json
from collections.abc import Callable

from starlette.responses import Response

from interlock.sandbox.exchange import DISCOVERY, FHIR_CONTENT, Exchange
from interlock.sandbox.fhir_xml import fhir_xml
from interlock.sandbox.negotiation import accepts_json_by_name, names_json
from interlock.sandbox.replies import encode, with_body

#: Takes the answer as it should be and gives the one to send.
Rewrite = Callable[[Exchange, Response], Response]

NESTING = 100_000
DIGITS = 10_000_000
BOMB_BYTES = 64 * 2**20


def _as_xml(exchange: Exchange, response: Response) -> Response:
    if exchange.role not in FHIR_CONTENT or "json" not in response.headers.get("content-type", "") or not response.body:
        return response
    return with_body(response, fhir_xml(json.loads(bytes(response.body))), content_type="application/fhir+xml")


def _xml_only(exchange: Exchange, response: Response) -> Response:
    return _as_xml(exchange, response)


def _xml_by_default(exchange: Exchange, response: Response) -> Response:
    return response if accepts_json_by_name(exchange.request) else _as_xml(exchange, response)


def _json_format_param_only(exchange: Exchange, response: Response) -> Response:
    return response if names_json(exchange.request.query_params.get("_format", "")) else _as_xml(exchange, response)


def _json_fhir_only(exchange: Exchange, response: Response) -> Response:
    asked = exchange.request.headers.get("accept", "").lower()
    return response if "application/json+fhir" in asked else _as_xml(exchange, response)


def _smart_as_html(exchange: Exchange, response: Response) -> Response:
    if exchange.role != "smart":
        return response
    return with_body(response, bytes(response.body), content_type="text/html; charset=utf-8")


def _trailing_bytes(_: Exchange, response: Response) -> Response:
    return with_body(response, bytes(response.body) + b"\n<!-- cached -->\x00") if response.body else response


def _smart_as_fhir_json(exchange: Exchange, response: Response) -> Response:
    if exchange.role != "smart":
        return response
    return with_body(response, bytes(response.body), content_type="application/fhir+json")


def _bom(_: Exchange, response: Response) -> Response:
    return with_body(response, b"\xef\xbb\xbf" + bytes(response.body)) if response.body else response


def _latin_1(_: Exchange, response: Response) -> Response:
    document = _json_object(response)
    if document is None:
        return response
    text = encode({**document, "publisher": "Clínica São José, Zürich"}).decode()
    return with_body(response, text.encode("latin-1", errors="replace"))


def _gzip_unsolicited(_: Exchange, response: Response) -> Response:
    if not response.body:
        return response
    return with_body(response, gzip.compress(bytes(response.body), mtime=0), content_encoding="gzip")


def _gzip_bomb(exchange: Exchange, response: Response) -> Response:
    if exchange.role not in DISCOVERY or not response.body:
        return response
    return with_body(response, _bomb(), content_encoding="gzip")


@functools.cache
def _bomb() -> bytes:
    return gzip.compress(b'{"resourceType":"CapabilityStatement"' + b" " * BOMB_BYTES + b"}", mtime=0)


def _deep_json(exchange: Exchange, response: Response) -> Response:
    return _huge(exchange, response, b"[" * NESTING + b"]" * NESTING)


def _big_number(exchange: Exchange, response: Response) -> Response:
    return _huge(exchange, response, b"7" * DIGITS)


def _huge(exchange: Exchange, response: Response, value: bytes) -> Response:
    """The discovery document with one huge value in front of the others."""
    document = _json_object(response)
    if exchange.role not in DISCOVERY or document is None:
        return response
    rest = encode(document)[1:]
    comma = b"" if not document else b","
    return with_body(response, b'{"extension": ' + value + comma + rest)


def _json_object(response: Response) -> dict[str, object] | None:
    if "json" not in response.headers.get("content-type", "") or not response.body:
        return None
    value = json.loads(bytes(response.body))
    return value if isinstance(value, dict) else None


#: Every fault of stage ``body``.
REWRITES: dict[str, Rewrite] = {
    "xml-only": _xml_only,
    "xml-by-default": _xml_by_default,
    "json-format-param-only": _json_format_param_only,
    "json-fhir-only": _json_fhir_only,
    "smart-as-fhir-json": _smart_as_fhir_json,
    "smart-as-html": _smart_as_html,
    "bom": _bom,
    "latin-1": _latin_1,
    "gzip-unsolicited": _gzip_unsolicited,
    "trailing-bytes": _trailing_bytes,
    "gzip-bomb": _gzip_bomb,
    "deep-json": _deep_json,
    "big-number": _big_number,
}
