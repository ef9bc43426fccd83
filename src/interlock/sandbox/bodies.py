"""Faults of writing: the right content in the wrong format, encoding or size."""

from __future__ import annotations

import functools
import gzip
import json
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import quoteattr

from starlette.responses import Response

from interlock.sandbox.exchange import DISCOVERY, FHIR_CONTENT, Exchange
from interlock.sandbox.replies import accepts_json_by_name, encode, names_json, with_body

#: Takes the answer as it should be and gives the one to send.
Rewrite = Callable[[Exchange, Response], Response]

NESTING = 100_000
DIGITS = 10_000_000
BOMB_BYTES = 64 * 2**20
#: XML 1.0 allows no other control characters, not even escaped.
_FORBIDDEN = {code: "\N{REPLACEMENT CHARACTER}" for code in range(0x20) if code not in (0x9, 0xA, 0xD)}


def _as_xml(exchange: Exchange, response: Response) -> Response:
    if exchange.role not in FHIR_CONTENT or "json" not in response.headers.get("content-type", "") or not response.body:
        return response
    return with_body(response, _fhir_xml(json.loads(bytes(response.body))), content_type="application/fhir+xml")


def _xml_by_default(exchange: Exchange, response: Response) -> Response:
    return response if accepts_json_by_name(exchange.request) else _as_xml(exchange, response)


def _json_format_param_only(exchange: Exchange, response: Response) -> Response:
    return response if names_json(exchange.request.query_params.get("_format", "")) else _as_xml(exchange, response)


def _json_fhir_only(exchange: Exchange, response: Response) -> Response:
    asked = exchange.request.headers.get("accept", "").lower()
    return response if "application/json+fhir" in asked else _as_xml(exchange, response)


def _typed(content_type: str, exchange: Exchange, response: Response) -> Response:
    if exchange.role != "smart":
        return response
    return with_body(response, bytes(response.body), content_type=content_type)


def _trailing_bytes(_: Exchange, response: Response) -> Response:
    return with_body(response, bytes(response.body) + b"\n<!-- cached -->\x00") if response.body else response


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


def _huge(opening: bytes, closing: bytes, times: int, exchange: Exchange, response: Response) -> Response:
    """The discovery document with one huge value in front of the others."""
    document = _json_object(response)
    if exchange.role not in DISCOVERY or document is None:
        return response
    value = opening * times + closing * times
    comma = b"," if document else b""
    return with_body(response, b'{"extension": ' + value + comma + encode(document)[1:])


def _json_object(response: Response) -> dict[str, object] | None:
    if "json" not in response.headers.get("content-type", "") or not response.body:
        return None
    value = json.loads(bytes(response.body))
    return value if isinstance(value, dict) else None


def _fhir_xml(resource: dict[str, Any]) -> bytes:
    """FHIR JSON as FHIR XML, well enough for a server that speaks XML only.

    Every element and value comes over (FHIR R4 xml.html and json.html); extensions of primitive values (``_name``) and
    narratives do not, and the order of elements is the JSON document's.
    """
    root = str(resource.get("resourceType", "Basic"))
    children = "".join(_children(resource))
    return f'<?xml version="1.0" encoding="UTF-8"?><{root} xmlns="http://hl7.org/fhir">{children}</{root}>'.encode()


def _children(value: dict[str, Any]) -> list[str]:
    return [
        _element(name, item)
        for name, child in value.items()
        if name not in ("resourceType", "text") and not name.startswith("_")
        for item in (child if isinstance(child, list) else [child])
    ]


def _element(name: str, value: Any) -> str:
    if not isinstance(value, dict):
        return f"<{name} value={_attribute(value)}/>"
    if "resourceType" in value:
        kind = value["resourceType"]
        return f"<{name}><{kind}>{''.join(_children(value))}</{kind}></{name}>"
    attributes = "".join(f" {key}={_attribute(value[key])}" for key in _attributes(name, value))
    inner = {key: child for key, child in value.items() if key not in _attributes(name, value)}
    return f"<{name}{attributes}>{''.join(_children(inner))}</{name}>"


def _attributes(name: str, value: dict[str, Any]) -> list[str]:
    """``id`` of an element and ``url`` of an extension are attributes in XML."""
    return [
        key for key in ("id", "url") if key in value and (key == "id" or name in ("extension", "modifierExtension"))
    ]


def _attribute(value: Any) -> str:
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
    return quoteattr(text.translate(_FORBIDDEN))


#: Every fault of stage ``body``.
REWRITES: dict[str, Rewrite] = {
    "xml-only": _as_xml,
    "xml-by-default": _xml_by_default,
    "json-format-param-only": _json_format_param_only,
    "json-fhir-only": _json_fhir_only,
    "smart-as-fhir-json": functools.partial(_typed, "application/fhir+json"),
    "smart-as-html": functools.partial(_typed, "text/html; charset=utf-8"),
    "bom": _bom,
    "latin-1": _latin_1,
    "gzip-unsolicited": _gzip_unsolicited,
    "trailing-bytes": _trailing_bytes,
    "gzip-bomb": _gzip_bomb,
    "deep-json": functools.partial(_huge, b"[", b"]", NESTING),
    "big-number": functools.partial(_huge, b"7", b"", DIGITS),
}
