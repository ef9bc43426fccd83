"""The FHIR API: reads and searches of the synthetic resources, for holders of a token.

It answers what a client of Interlock asks (by patient, encounter, category, code, id) and says so when a parameter is
not simulated, instead of ignoring it. Nothing can be written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from interlock.fhir import capability
from interlock.sandbox.bearer import grant_of, insufficient_scope
from interlock.sandbox.discovery import not_acceptable
from interlock.sandbox.exchange import Exchange
from interlock.sandbox.grants import Grant, allows
from interlock.sandbox.organizations import Document
from interlock.sandbox.replies import fhir_json, negotiate, outcome

#: First path segment of the FHIR API.
TYPE_NAME = re.compile(r"^[A-Z][A-Za-z]{1,63}$")

_INTERACTIONS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_GENERAL = ("_format", "_pretty", "_count", "_offset")
_WITHOUT_PATIENT = ("Location", "Organization", "Patient", "Practitioner")
_DEFAULT_COUNT, _MAX_COUNT = 50, 100


def answer(exchange: Exchange) -> Response:
    """Read or search: 401 without a token, 403 without the scope, 404 for what is not there, 405 undeclared."""
    kind, _, rest = exchange.path.partition("/")
    method = exchange.request.method
    grant = grant_of(exchange)
    if isinstance(grant, Response):
        return grant
    asked = _INTERACTIONS.get(method, "read" if rest else "search-type")
    if not allows(grant, asked, kind, query=exchange.request.query_params.multi_items()):
        return insufficient_scope(exchange, grant, asked, kind)
    if method not in ("GET", "HEAD"):
        return outcome(403, "forbidden", "the simulation stores nothing: reading and searching is all there is")
    declared = capability.parse(exchange.organization.metadata).resources.get(kind)
    if declared is None:
        return outcome(404, "not-supported", f"this server does not know the type {kind}")
    interaction = "read" if rest else "search-type"
    if interaction not in declared.interactions:
        return outcome(405, "not-supported", f"the statement declares no {interaction} of {kind}", {"Allow": "OPTIONS"})
    media_type = negotiate(exchange.request, exchange.organization.release)
    if media_type is None:
        return not_acceptable(exchange)
    answering = _read if rest else _search
    return answering(exchange, grant, kind, rest, media_type)


def _read(exchange: Exchange, grant: Grant, kind: str, identity: str, media_type: str) -> Response:
    for resource in _of_type(exchange, kind):
        if resource["id"] == identity and allows(grant, "read", kind, resource):
            return fhir_json(exchange.fill(resource), media_type)
    return outcome(404, "not-found", f"there is no such {kind}")


def _search(exchange: Exchange, grant: Grant, kind: str, _: str, media_type: str) -> Response:
    given = [pair for pair in exchange.request.query_params.multi_items() if pair[0] not in _GENERAL]
    unknown = sorted({name for name, _ in given if name not in _MATCHERS})
    if unknown:
        return outcome(400, "not-supported", f"searching by {', '.join(unknown)[:200]} is not simulated")
    if kind not in _WITHOUT_PATIENT and not {"patient", "subject", "_id"} & {name for name, _ in given}:
        return outcome(400, "required", "patient or _id is needed")
    try:
        count, offset = _number(exchange, "_count", _DEFAULT_COUNT), _number(exchange, "_offset", 0)
    except ValueError:
        return outcome(400, "invalid", "_count and _offset are whole numbers from 0")
    matches = [
        resource
        for resource in _of_type(exchange, kind)
        if all(_MATCHERS[name](resource, value.split(",")) for name, value in given)
        and allows(grant, "search-type", kind, resource)
    ]
    return fhir_json(_bundle(exchange, kind, given, matches, min(count, _MAX_COUNT), offset), media_type)


def _bundle(
    exchange: Exchange, kind: str, given: list[tuple[str, str]], matches: list[Document], count: int, offset: int
) -> Document:
    """A searchset page (FHIR R4 http.html#paging); ``total`` counts all matches."""

    def link(relation: str, start: int) -> Document:
        query = urlencode([*given, ("_count", count), *([("_offset", start)] if start else [])])
        return {"relation": relation, "url": f"{exchange.base}/{kind}?{query}"}

    shown = matches[offset : offset + count]
    links = [link("self", offset)]
    if count and offset + count < len(matches):
        links.append(link("next", offset + count))
    entries = [
        {
            "fullUrl": f"{exchange.base}/{kind}/{resource['id']}",
            "resource": exchange.fill(resource),
            "search": {"mode": "match"},
        }
        for resource in shown
    ]
    bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(matches), "link": links}
    return {**bundle, "entry": entries} if entries else bundle


def _number(exchange: Exchange, name: str, default: int) -> int:
    text = exchange.request.query_params.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise ValueError(name)
    return int(text)


def _of_type(exchange: Exchange, kind: str) -> Iterable[Document]:
    return (resource for resource in exchange.organization.resources if resource["resourceType"] == kind)


def _references(*elements: str) -> Callable[[Document, list[str]], bool]:
    """Match a reference in any of the elements by id alone or as ``Type/id``."""

    def matches(resource: Document, wanted: list[str]) -> bool:
        references = [_reference(resource.get(element)) for element in elements]
        return any(value in (each, each.rpartition("/")[2]) for value in wanted for each in references if each)

    return matches


def _reference(value: Any) -> str | None:
    if isinstance(value, dict) and isinstance(value.get("encounter"), list | dict):  # DocumentReference.context
        inner = value["encounter"]
        value = inner[0] if isinstance(inner, list) and inner else inner
    reference = value.get("reference") if isinstance(value, dict) else None
    return reference if isinstance(reference, str) else None


def _tokens(element: str) -> Callable[[Document, list[str]], bool]:
    """Match ``code``, ``system|code`` or ``|code`` in a code, Coding, CodeableConcept, Identifier or a list of them."""

    def matches(resource: Document, wanted: list[str]) -> bool:
        codes = set(_codes(resource.get(element)))
        for value in wanted:
            system, bar, code = value.rpartition("|")
            if any(code == known and (not bar or system == (home or "")) for home, known in codes):
                return True
        return False

    return matches


def _codes(value: Any) -> list[tuple[str | None, str]]:
    if isinstance(value, str):
        return [(None, value)]
    if isinstance(value, list):
        return [code for item in value for code in _codes(item)]
    if not isinstance(value, dict):
        return []
    code = value.get("code", value.get("value"))
    own = [(value.get("system"), code)] if isinstance(code, str) else []
    return [*own, *_codes(value.get("coding"))]


def _family(resource: Document, wanted: list[str]) -> bool:
    families = [str(name.get("family", "")).lower() for name in resource.get("name", []) if isinstance(name, dict)]
    return any(family.startswith(value.lower()) for value in wanted for family in families)


_MATCHERS: dict[str, Callable[[Document, list[str]], bool]] = {
    "_id": lambda resource, wanted: resource["id"] in wanted,
    "patient": _references("subject", "patient"),
    "subject": _references("subject"),
    "encounter": _references("encounter", "context"),
    "category": _tokens("category"),
    "code": _tokens("code"),
    "type": _tokens("type"),
    "status": _tokens("status"),
    "class": _tokens("class"),
    "clinical-status": _tokens("clinicalStatus"),
    "identifier": _tokens("identifier"),
    "family": _family,
}
