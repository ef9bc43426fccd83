"""Bodies of requests as JSON objects: bounded in size, depth and count before anything looks at them."""

from __future__ import annotations

import json
from typing import Any

from interlock.sandbox.exchange import MAX_RESOURCE_BYTES, Exchange
from interlock.sandbox.organizations import Document
from interlock.sandbox.replies import RefusalError

MAX_DEPTH = 50
MAX_VALUES = 50_000
_TYPES = ("application/fhir+json", "application/json", "text/json", "application/json+fhir")


def object_of(exchange: Exchange, types: tuple[str, ...] = _TYPES) -> Any:
    """The request's body as JSON of one of these media types.

    :raises RefusalError: 413 too large, 415 another media type, 400 no JSON, or one that FHIR's JSON does not allow.
    """
    media_type = exchange.request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type not in types:
        raise RefusalError(
            415, "not-supported", f"the body is {media_type or 'of no type'}; this server reads {types[0]}"
        )
    if len(exchange.body) > MAX_RESOURCE_BYTES:
        raise RefusalError(413, "too-long", f"the body is larger than {MAX_RESOURCE_BYTES} bytes")
    return parsed(exchange.body)


def parsed(body: bytes) -> Any:
    """A JSON value, nested at most 50 deep, with at most 50,000 values.

    :raises RefusalError: 400, in words.
    """
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_unique)
    except UnicodeDecodeError as error:
        raise RefusalError(400, "structure", "the body is not UTF-8") from error
    except json.JSONDecodeError as error:
        words = f"the body is no JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        raise RefusalError(400, "structure", words) from error
    except (ValueError, RecursionError) as error:
        words = "nested too deep" if isinstance(error, RecursionError) else str(error)[:200]
        raise RefusalError(400, "structure", f"the body is no JSON that FHIR allows: {words}") from error
    _bound(value)
    return value


def resource_of(value: Any, kind: str | None = None) -> Document:
    """A JSON value as a resource, of this type.

    :raises RefusalError: 400, it is none.
    """
    if not isinstance(value, dict):
        raise RefusalError(400, "structure", "a resource is a JSON object")
    resource_type = value.get("resourceType")
    if not isinstance(resource_type, str) or not resource_type:
        raise RefusalError(400, "structure", "the body is no resource: it has no resourceType")
    if kind is not None and resource_type != kind:
        raise RefusalError(400, "invalid", f"the body is a {resource_type[:64]}, the address is for {kind}")
    return value


def _bound(value: Any) -> None:
    """Refuse what is too deep or too much; what FHIR's JSON has no place for: null outside lists, empty objects."""
    level, values = [value], 0
    for depth in range(MAX_DEPTH + 1):
        values += len(level)
        if not level:
            return
        if values > MAX_VALUES or depth == MAX_DEPTH:
            raise RefusalError(
                400, "too-costly", f"the body is deeper than {MAX_DEPTH} levels or has over {MAX_VALUES} values"
            )
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                for name, child in item.items():
                    if child is None or child in ({}, [], ""):
                        raise RefusalError(
                            400, "structure", f"{name[:64]} is empty: an element has a value, or is not there"
                        )
                    below.append(child)
            elif isinstance(item, list):
                below += item
        level = below


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name occurs twice in one object")
    return members
