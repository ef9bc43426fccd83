"""An OpenID Provider's metadata as facts (OpenID Connect Discovery 1.0, section 3)."""

from __future__ import annotations

from typing import Any

from interlock.fhir.tolerant import MAX_URL, Problems, text_at, texts_at, whole_object
from interlock.model.facts import OpenIdFacts

URL_FIELDS = ("issuer", "jwks_uri", "authorization_endpoint", "token_endpoint")
LIST_FIELDS = (
    "id_token_signing_alg_values_supported",
    "subject_types_supported",
    "response_types_supported",
)
_MAX_ENTRIES = 500


def parse(document: object) -> OpenIdFacts:
    """Facts of a discovery document. Never raises; what does not fit is left out and named in ``problems``."""
    problems = Problems()
    document = whole_object(document, problems)
    fields: dict[str, Any] = {name: text_at(document, name, problems, MAX_URL) for name in URL_FIELDS}
    fields |= {name: texts_at(document, name, problems, _MAX_ENTRIES) for name in LIST_FIELDS}
    return OpenIdFacts.trusted(**fields, problems=problems.notes(), limits=problems.limits())
