"""The FHIR API: which interaction a request asks for, and the answer over HTTP.

Sources: FHIR R4 http.html; search.html. What the statement declares works and nothing else does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.responses import Response

from interlock.sandbox import export, notifications, search, transactions, writes
from interlock.sandbox.bearer import grant_of
from interlock.sandbox.discovery import not_acceptable
from interlock.sandbox.documents import object_of, resource_of
from interlock.sandbox.exchange import Exchange
from interlock.sandbox.hospital import Result
from interlock.sandbox.organizations import Document
from interlock.sandbox.replies import RefusalError, fhir_json, negotiate, outcome
from interlock.sandbox.store import Version
from interlock.sandbox.visit import Visit, allowed_methods
from interlock.sandbox.writes import Conditions, Written

#: First path segment of the FHIR API: a type, or what belongs to bulk exports.
FIRST_SEGMENT = re.compile(r"[A-Z][A-Za-z]{1,63}|\$export(-status|-file)?")

_FORM = "application/x-www-form-urlencoded"


def answer(exchange: Exchange) -> Response:
    """Answer one request: 401 without a token, 403 without the scope, 404 for what is not there, 405 undeclared."""
    grant = grant_of(exchange)
    if isinstance(grant, Response):
        return grant
    hospital = exchange.state.hospital(exchange.organization)
    try:
        hospital.count_request(grant.client)
        return _routed(Visit(exchange, hospital, grant))
    except RefusalError as refusal:
        request_line = f"{exchange.request.method} {exchange.path[:200] or '[base]'}"
        exchange.note(f"{request_line} of {grant.client} was refused with {refusal.status}: {refusal.words}")
        return refusal.response()


def _routed(visit: Visit) -> Response:
    exchange = visit.exchange
    method, segments = exchange.request.method, exchange.path.split("/")
    kind, *rest = segments
    method = "GET" if method == "HEAD" else method
    if kind.startswith("$") or rest[-1:] == ["$export"]:
        return export.answer(visit, segments)
    media_type = negotiate(exchange.request, exchange.organization.release)
    if media_type is None:
        # Who may not know of a resource learns that first.
        visit.demand(kind or "*", "read" if rest else "search-type")
        return not_acceptable(exchange)
    if not kind:
        return _root(visit, method, media_type)
    match method, rest:
        case "GET", []:
            return _search(visit, kind, exchange.request.query_params.multi_items(), media_type)
        case "POST", ["_search"]:
            return _search(visit, kind, [*exchange.request.query_params.multi_items(), *_form(exchange)], media_type)
        case "POST", []:
            return _create(visit, kind, media_type)
        case "GET", ["_history"]:
            return _history(visit, kind, None, media_type)
        case "GET", [identity]:
            return _read(visit, kind, identity, media_type)
        case "GET", [identity, "_history"]:
            return _history(visit, kind, identity, media_type)
        case "GET", [identity, "_history", number]:
            return _vread(visit, kind, identity, number, media_type)
        case "GET" | "POST", [identity, "$everything"]:
            return _everything(visit, kind, identity, media_type)
        case "GET", [identity, "$status"] if "status" in visit.type(kind).operations and kind == "Subscription":
            visit.demand(kind, "read")
            return fhir_json(notifications.told(visit.hospital, visit.known(kind, identity), visit.base), media_type)
        case "PUT", [identity]:
            written = writes.update(
                visit, kind, identity, _body(visit, kind, "update"), conditions_of(exchange.request.headers)
            )
            return _written(visit, written, media_type)
        case "DELETE", [identity]:
            return _written(
                visit, writes.delete(visit, kind, identity, conditions_of(exchange.request.headers)), media_type
            )
    return _nothing(visit, kind, rest)


def _nothing(visit: Visit, kind: str, rest: Sequence[str]) -> Response:
    """405 where the address exists, 404 where it does not."""
    method = visit.exchange.request.method
    visit.demand(kind, {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}.get(method, "read"))
    if len(rest) > 1:
        raise RefusalError(404, "not-supported", "nothing is at this address")
    raise RefusalError(
        405,
        "not-supported",
        f"{method} is not declared here",
        {"Allow": allowed_methods(visit.type(kind).interactions)},
    )


def _root(visit: Visit, method: str, media_type: str) -> Response:
    """``POST [base]``: a batch or transaction."""
    if method != "POST" or not visit.hospital.declared.system & {"batch", "transaction"}:
        raise RefusalError(
            405, "not-supported", "the statement declares nothing for the whole system here", {"Allow": "OPTIONS"}
        )
    bundle = resource_of(object_of(visit.exchange), "Bundle")
    return fhir_json(transactions.perform(visit, bundle), media_type)


def _read(visit: Visit, kind: str, identity: str, media_type: str) -> Response:
    visit.demand(kind, "read")
    visit.require(kind, "read")
    return _shown(visit, visit.known(kind, identity), media_type)


def _vread(visit: Visit, kind: str, identity: str, number: str, media_type: str) -> Response:
    visit.demand(kind, "read")
    if "vread" not in visit.type(kind).interactions:
        raise RefusalError(404, "not-supported", f"the statement declares no vread of {kind}")
    for version in visit.hospital.store.history(kind, identity):
        if str(version.number) == number:
            if not visit.sees(version, "vread"):
                break
            if version.resource is None:
                raise RefusalError(410, "deleted", f"version {number} of {version.address} is its deletion")
            return _shown(visit, version, media_type)
    raise RefusalError(404, "not-found", f"there is no such version of such a {kind}")


def _history(visit: Visit, kind: str, identity: str | None, media_type: str) -> Response:
    """The versions of a resource or of a type, newest first; a page at a time."""
    interaction = "history-instance" if identity else "history-type"
    visit.demand(kind, interaction)
    if interaction not in visit.type(kind).interactions:
        raise RefusalError(404, "not-supported", f"the statement declares no {interaction} of {kind}")
    path = f"{kind}/{identity}/_history" if identity else f"{kind}/_history"
    asked = visit.exchange.request.query_params
    if "_page" in asked:
        return fhir_json(search.next_page(visit.hospital, path, asked["_page"], visit.base, visit.sees), media_type)
    count = asked.get("_count", str(search.DEFAULT_COUNT))
    if not count.isascii() or not count.isdigit() or len(count) > 6:
        raise RefusalError(400, "invalid", "_count is a whole number from 0")
    versions = [version for version in visit.hospital.store.history(kind, identity) if visit.sees(version, interaction)]
    if identity and not versions:
        raise RefusalError(404, "not-found", f"there is no such {kind}")
    result = Result("history", path, (("_count", count),), tuple(versions), min(int(count), search.MAX_COUNT))
    return fhir_json(search.page(visit.hospital, result, visit.base, visit.sees), media_type)


def _search(visit: Visit, kind: str, pairs: Sequence[tuple[str, str]], media_type: str) -> Response:
    visit.demand(kind, "search-type", pairs)
    visit.require(kind, "search-type")
    names = dict(pairs)
    if "_page" in names:
        page = search.next_page(visit.hospital, kind, names["_page"], visit.base, visit.sees)
        return fhir_json(page, media_type)
    handling = _preferences(visit.exchange.request.headers).get("handling")
    lenient = handling == "lenient" or (handling != "strict" and visit.exchange.organization.lenient)
    result = search.search(visit.hospital, kind, pairs, visit.base, visit.searches, lenient=lenient)
    return fhir_json(search.page(visit.hospital, result, visit.base, visit.sees), media_type)


def _everything(visit: Visit, kind: str, identity: str, media_type: str) -> Response:
    """A patient with all that refers to it and is read by this client (FHIR R4 patient-operation-everything.html)."""
    visit.demand(kind, "read")
    if "everything" not in visit.type(kind).operations or kind != "Patient":
        raise RefusalError(404, "not-supported", f"the statement declares no $everything of {kind}")
    patient = visit.known(kind, identity)
    versions = [patient, *export.compartment(visit.hospital, frozenset({patient.address}), visit.base)]
    shown = tuple(version for version in versions if visit.sees(version))
    result = Result("searchset", f"{kind}/{identity}/$everything", (), shown, len(shown))
    return fhir_json(search.page(visit.hospital, result, visit.base, visit.sees), media_type)


def _create(visit: Visit, kind: str, media_type: str) -> Response:
    resource = _body(visit, kind, "create")
    provenance = visit.exchange.request.headers.get("x-provenance")
    declared = visit.hospital.declared.types.get("Provenance")
    with visit.hospital.store.atomic():
        written = writes.create(visit, kind, resource, conditions_of(visit.exchange.request.headers))
        if provenance is not None and declared is not None and "create" in declared.interactions:
            writes.provenance(visit, provenance, written.version)
    return _written(visit, written, media_type)


def _body(visit: Visit, kind: str, interaction: str) -> Document:
    """The resource of a write, looked at only once it is sure that the client may write it."""
    visit.demand(kind, interaction)
    visit.require(kind, interaction)
    return resource_of(object_of(visit.exchange), kind)


def _shown(visit: Visit, version: Version, media_type: str) -> Response:
    headers = headers_of(visit, version)
    if visit.exchange.request.headers.get("if-none-match") == headers.get("ETag", ""):
        return Response(status_code=304, headers=headers)
    return Response(version.text(visit.base), 200, {"Content-Type": media_type, **headers})


def _written(visit: Visit, written: Written, media_type: str) -> Response:
    """The answer to a write, with as much in it as the client prefers (FHIR R4 http.html#ops)."""
    version = written.version
    headers = headers_of(visit, version)
    if written.status == 201:
        headers["Location"] = f"{visit.base}/{version.address}" + (
            f"/_history/{version.number}" if "ETag" in headers else ""
        )
    if written.status == 204 or version.resource is None:
        return Response(status_code=204, headers=headers)
    wanted = _preferences(visit.exchange.request.headers).get("return", visit.exchange.organization.writes_return)
    if wanted == "representation":
        return Response(version.text(visit.base), written.status, {"Content-Type": media_type, **headers})
    if wanted == "OperationOutcome":
        return outcome(written.status, "informational", f"{version.address} was kept", headers, severity="information")
    return Response(status_code=written.status, headers=headers)


def headers_of(visit: Visit, version: Version) -> dict[str, str]:
    """ETag, where the type's versions are declared, and Last-Modified."""
    modified = format_datetime(datetime.fromisoformat(version.updated), usegmt=True)
    tag = {"ETag": version.tag} if visit.type(version.kind).versioned else {}
    return {**tag, "Last-Modified": modified}


def conditions_of(headers: Headers) -> Conditions:
    """The conditions in the headers of a write."""
    return Conditions(headers.get("if-match"), headers.get("if-none-exist"))


def _preferences(headers: Headers) -> dict[str, str]:
    """``Prefer`` as name → value (RFC 7240 section 2)."""
    parts = headers.get("prefer", "")[:1_000].replace(";", ",").split(",")
    return {name.strip().lower(): value.strip(' "') for name, _, value in (part.partition("=") for part in parts)}


def _form(exchange: Exchange) -> list[tuple[str, str]]:
    """The parameters in the body of ``POST _search`` (FHIR R4 http.html#search)."""
    if exchange.request.headers.get("content-type", "").split(";")[0].strip().lower() != _FORM:
        raise RefusalError(415, "not-supported", f"_search takes {_FORM}")
    try:
        return parse_qsl(exchange.body.decode("utf-8"), keep_blank_values=True, max_num_fields=100)
    except ValueError as error:
        raise RefusalError(400, "invalid", "the body is no form in UTF-8 of at most 100 fields") from error
