"""Recorded documents, made safe to serve: every endpoint address moves under the simulated base.

A test that serves another server's documents must never lead a client to that server. Addresses that lie under the
recorded base keep their path (``https://ehr.example/r4/token`` → ``{base}/token``); all others keep host and path
(``https://auth.example/token`` → ``{base}/elsewhere/auth.example/token``), so equal addresses stay equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

#: The extension of ``rest.security`` with the OAuth endpoints (SMART App Launch 1.0, deprecated in 2.x).
OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"


def localize(documents: Mapping[str, Any]) -> dict[str, Any]:
    """The documents (keys ``metadata``, ``smart``, ``openid``, ``jwks``) with endpoint addresses under ``{base}``.

    They were recorded under the statement's ``implementation.url``, if it is a string.
    """
    base = _implementation_url(documents.get("metadata"))
    result = dict(documents)
    for name in ("smart", "openid"):
        if isinstance(result.get(name), dict):
            result[name] = _every_address(result[name], base)
    if isinstance(result.get("metadata"), dict):
        result["metadata"] = _statement(result["metadata"], base)
    return result


def move(address: str, base: str | None) -> str:
    """One address under ``{base}``; anything that is not an absolute http(s) URL stays as it is."""
    if not address.lower().startswith(("http://", "https://")):
        return address
    if base is not None:
        trimmed = base.rstrip("/")
        if address == trimmed or address.startswith(f"{trimmed}/"):
            return "{base}" + address[len(trimmed) :]
    parts = urlsplit(address)
    query = f"?{parts.query}" if parts.query else ""
    return "{base}/elsewhere/" + parts.netloc + parts.path + query


def _implementation_url(statement: Any) -> str | None:
    implementation = statement.get("implementation") if isinstance(statement, dict) else None
    url = implementation.get("url") if isinstance(implementation, dict) else None
    return url if isinstance(url, str) else None


def _every_address(value: Any, base: str | None) -> Any:
    if isinstance(value, dict):
        return {key: child if _is_vocabulary(key) else _every_address(child, base) for key, child in value.items()}
    if isinstance(value, list):
        return [_every_address(child, base) for child in value]
    return move(value, base) if isinstance(value, str) else value


def _is_vocabulary(key: str) -> bool:
    """Scopes, capabilities and methods may look like addresses and are not."""
    return key == "capabilities" or key.endswith("_supported")


def _statement(statement: dict[str, Any], base: str | None) -> dict[str, Any]:
    result = dict(statement)
    implementation = result.get("implementation")
    if isinstance(implementation, dict) and isinstance(implementation.get("url"), str):
        result["implementation"] = {**implementation, "url": move(implementation["url"], base)}
    if isinstance(result.get("rest"), list):
        result["rest"] = [_rest(entry, base) for entry in result["rest"]]
    return result


def _rest(entry: Any, base: str | None) -> Any:
    security = entry.get("security") if isinstance(entry, dict) else None
    if not isinstance(security, dict) or not isinstance(security.get("extension"), list):
        return entry
    extensions = [_extension(extension, base) for extension in security["extension"]]
    return {**entry, "security": {**security, "extension": extensions}}


def _extension(extension: Any, base: str | None) -> Any:
    if not isinstance(extension, dict) or extension.get("url") != OAUTH_URIS:
        return extension
    parts = extension.get("extension")
    return {**extension, "extension": [_part(part, base) for part in parts]} if isinstance(parts, list) else extension


def _part(part: Any, base: str | None) -> Any:
    if not isinstance(part, dict) or not isinstance(part.get("valueUri"), str):
        return part
    return {**part, "valueUri": move(part["valueUri"], base)}
