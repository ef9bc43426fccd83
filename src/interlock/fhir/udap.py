"""UDAP metadata as facts (UDAP Security, Discovery). A JWT is taken apart to look at its form; nothing is verified."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from interlock.fhir.tolerant import MAX_URL, Problems, text_at, texts_at, whole_object
from interlock.model.facts import UdapFacts

URL_FIELDS = ("authorization_endpoint", "token_endpoint", "registration_endpoint")
LIST_FIELDS = (
    "udap_versions_supported",
    "udap_profiles_supported",
    "udap_authorization_extensions_supported",
    "udap_authorization_extensions_required",
    "udap_certifications_supported",
    "udap_certifications_required",
    "grant_types_supported",
    "scopes_supported",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "registration_endpoint_jwt_signing_alg_values_supported",
)
_MAX_ENTRIES = 2000
_MAX_ENTRY = 512
_MAX_JWT = 200_000
_YEAR_S = 366 * 86_400


def parse(document: object, base_url: str, now: datetime) -> UdapFacts:
    """Facts of UDAP metadata at a moment. Never raises; what does not fit is left out and named in ``problems``."""
    problems = Problems()
    document = whole_object(document, problems)
    fields: dict[str, Any] = {
        name: texts_at(document, name, problems, _MAX_ENTRIES, _MAX_ENTRY) for name in LIST_FIELDS
    }
    fields |= {name: text_at(document, name, problems, MAX_URL) for name in URL_FIELDS}
    signed: bool | None = None
    signed_problems: tuple[str, ...] = ()
    if document.get("signed_metadata") is not None:
        parts = _jwt(document["signed_metadata"])
        signed = parts is not None
        signed_problems = tuple(_signed_problems(*parts, document, base_url, now)) if parts else ()
    return UdapFacts.trusted(**fields, signed=signed, signed_problems=signed_problems, problems=problems.notes())


def _jwt(value: object) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Header and claims of a compact JWS (RFC 7515 section 7.1), or none."""
    if not isinstance(value, str) or len(value) > _MAX_JWT or value.count(".") != 2:
        return None
    header, claims = (_segment(part) for part in value.split(".")[:2])
    return (header, claims) if header is not None and claims is not None else None


def _segment(part: str) -> dict[str, Any] | None:
    try:
        value = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _signed_problems(
    header: dict[str, Any], claims: dict[str, Any], document: dict[str, Any], base_url: str, now: datetime
) -> Iterator[str]:
    """Problems of the form, the dates and the endpoints of ``signed_metadata`` (specifications: UDP-09)."""
    if header.get("alg") != "RS256":
        yield "its algorithm is not RS256"
    if not isinstance(header.get("x5c"), list) or not header["x5c"]:
        yield "its header carries no certificate (x5c)"
    if claims.get("iss") != claims.get("sub") or not isinstance(claims.get("iss"), str):
        yield "iss and sub are not the same"
    elif claims["iss"].rstrip("/") != base_url.rstrip("/"):
        yield "iss is another base URL than the one asked"
    yield from (f"{name} is missing" for name in ("iat", "exp", "jti") if claims.get(name) is None)
    issued, expires = _seconds(claims.get("iat")), _seconds(claims.get("exp"))
    if expires is not None and expires < now.timestamp():
        yield "it has expired"
    if expires is not None and issued is not None and expires - issued > _YEAR_S:
        yield "it is valid for more than a year"
    different = [name for name in URL_FIELDS if name in claims and claims[name] != document.get(name)]
    if different:
        yield f"it names other addresses for {', '.join(different)}"


def _seconds(value: object) -> float | None:
    """A NumericDate (RFC 7519 section 2) of this geological age, or none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) < 1e12 else None  # type: ignore[arg-type]
