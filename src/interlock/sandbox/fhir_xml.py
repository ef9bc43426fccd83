"""FHIR JSON as FHIR XML, well enough for a server that speaks XML only.

Every element and value comes over (FHIR R4 xml.html and json.html); extensions of primitive values (``_name``) and
narratives do not, and the order of elements is the JSON document's.
"""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import quoteattr

_NAMESPACE = "http://hl7.org/fhir"
#: XML 1.0 allows no other control characters, not even escaped.
_FORBIDDEN = {code: "\N{REPLACEMENT CHARACTER}" for code in range(0x20) if code not in (0x9, 0xA, 0xD)}


def fhir_xml(resource: dict[str, Any]) -> bytes:
    """One resource as a UTF-8 document."""
    root = str(resource.get("resourceType", "Basic"))
    children = "".join(_children(resource))
    return f'<?xml version="1.0" encoding="UTF-8"?><{root} xmlns="{_NAMESPACE}">{children}</{root}>'.encode()


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
