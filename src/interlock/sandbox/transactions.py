"""Batches and transactions: several interactions in one Bundle, each for itself or all or none.

Source: FHIR R4 http.html#transaction and #trules: deletes, creates, updates, reads, in this order; ids are assigned
first, so that entries may refer to each other in a circle; a resource occurs once; references by ``fullUrl`` are
replaced wherever a reference or an address stands; conditional references are resolved last. A *condition* that waits
for another entry is refused: a search cannot find what has not been written, in whatever order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from interlock.sandbox import search, writes
from interlock.sandbox.documents import resource_of
from interlock.sandbox.matching import local
from interlock.sandbox.organizations import Document
from interlock.sandbox.replies import RefusalError
from interlock.sandbox.store import Version
from interlock.sandbox.visit import ID, Visit
from interlock.sandbox.writes import Conditions

MAX_ENTRIES = 200
_ORDER = {"DELETE": 0, "POST": 1, "PUT": 2, "GET": 3, "HEAD": 3}
_LINK = re.compile(r'(<(?:a|img)\b[^>]{0,500}?\b(?:href|src)=")([^"]{1,300})(")', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it was asked. ``identity``: an id of the address, or the one assigned to what is created."""

    number: int
    method: str
    kind: str
    identity: str
    query: str
    resource: Document | None
    full_url: str
    conditions: Conditions


def perform(visit: Visit, bundle: Document) -> Document:
    """The response Bundle of a batch or transaction.

    :raises RefusalError: the Bundle is neither, or too large; an entry of a transaction fails.
    """
    mode = bundle.get("type")
    if mode not in ("batch", "transaction"):
        raise RefusalError(400, "invalid", "a Bundle that is sent here has the type batch or transaction")
    if mode not in visit.hospital.declared.system:
        raise RefusalError(400, "not-supported", f"the statement declares no {mode}")
    sent = bundle.get("entry", [])
    if not isinstance(sent, list) or len(sent) > MAX_ENTRIES or not all(isinstance(item, dict) for item in sent):
        raise RefusalError(400, "too-costly", f"entry is a list of at most {MAX_ENTRIES} objects")
    answers = (
        _transaction(visit, sent)
        if mode == "transaction"
        else [_alone(visit, number, item) for number, item in enumerate(sent)]
    )
    return {"resourceType": "Bundle", "type": f"{mode}-response", **({"entry": answers} if answers else {})}


def _transaction(visit: Visit, sent: list[Document]) -> list[Document]:
    with visit.hospital.store.atomic():
        entries = [_entry(visit, number, item) for number, item in enumerate(sent)]
        _require_once(entries)
        replaced = _replacements(visit, entries)
        answers: dict[int, Document] = {}
        written: list[tuple[int, Version]] = []
        for entry in sorted(entries, key=lambda entry: _ORDER[entry.method]):
            try:
                answers[entry.number], version = _done(visit, _linked(entry, replaced), replaced.get(entry.full_url))
            except RefusalError as refusal:
                raise _at(entry.number, refusal) from refusal
            written += [(entry.number, version)] if version else []
        for number, version in written:
            try:
                _resolve(visit, version)
            except RefusalError as refusal:
                raise _at(number, refusal) from refusal
        return [answers[number] for number in range(len(sent))]


def _alone(visit: Visit, number: int, item: Document) -> Document:
    """An entry of a batch: its failure is its own (FHIR R4 http.html#brules)."""
    try:
        entry = _entry(visit, number, item)
        with visit.hospital.store.atomic():
            answer, version = _done(visit, _linked(entry, {}), None)
            if version:
                _resolve(visit, version)
            return answer
    except RefusalError as refusal:
        issue = {"severity": "error", "code": refusal.code, "diagnostics": refusal.words}
        failed = {"resourceType": "OperationOutcome", "issue": [issue]}
        return {"response": {"status": str(refusal.status), "outcome": failed}}


def _entry(visit: Visit, number: int, item: Document) -> Entry:
    request, resource = item.get("request"), item.get("resource")
    if not isinstance(request, dict) or request.get("method") not in _ORDER or not isinstance(request.get("url"), str):
        raise _at(number, RefusalError(400, "required", f"request needs a method of {', '.join(_ORDER)} and a url"))
    address, _, query = str(request["url"]).partition("?")
    kind, _, rest = local(address, visit.base).strip("/").partition("/")
    method = str(request["method"])
    if not kind or (rest and not ID.fullmatch(rest)) or (method == "POST" and (rest or query)):
        raise _at(number, RefusalError(400, "invalid", f"an entry cannot ask for {method} {str(request['url'])[:200]}"))
    if method in ("POST", "PUT") and not isinstance(resource, dict):
        raise _at(number, RefusalError(400, "required", f"{method} {kind} has no resource"))
    texts = {name: request[name] for name in ("ifMatch", "ifNoneExist") if isinstance(request.get(name), str)}
    return Entry(
        number, method, kind, rest, query, resource if isinstance(resource, dict) else None,
        str(item.get("fullUrl", "")), Conditions(texts.get("ifMatch"), texts.get("ifNoneExist")),
    )  # fmt: skip


def _require_once(entries: list[Entry]) -> None:
    """No resource, condition of a create or fullUrl occurs twice among what is written."""
    first_entry: dict[str, int] = {}
    for entry in entries:
        names = [f"{entry.kind}/{entry.identity}"] if entry.identity and entry.method != "GET" else []
        if entry.method == "POST" and entry.conditions.if_none_exist is not None:
            names.append(f"{entry.kind}?{entry.conditions.if_none_exist}")
        for name in [*names, *([entry.full_url] if entry.full_url and entry.method in ("POST", "PUT") else [])]:
            if first_entry.setdefault(name, entry.number) != entry.number:
                raise RefusalError(
                    400, "duplicate", f"entries {first_entry[name]} and {entry.number} are both about {name[:200]}"
                )


def _replacements(visit: Visit, entries: list[Entry]) -> dict[str, str]:
    """fullUrl → ``Type/id``, for everything that the transaction writes; ids are assigned here."""
    waiting = {entry.full_url for entry in entries if entry.full_url and entry.method == "POST"}
    addresses: dict[str, str] = {}
    for entry in entries:
        condition = entry.conditions.if_none_exist or (entry.query if entry.method in ("PUT", "DELETE") else "")
        others = [url for url in waiting if url in condition]
        if others:
            words = f"its condition waits for {others[0][:200]}, another entry: no order of processing can meet that"
            raise _at(entry.number, RefusalError(400, "processing", words))
        if entry.method == "POST":
            present = _already(visit, entry)
            identity = present.address if present else f"{entry.kind}/{visit.hospital.store.new_id()}"
        elif entry.method == "PUT":
            identity = f"{entry.kind}/{entry.identity}"
        else:
            continue
        if entry.full_url:
            addresses[entry.full_url] = identity
    return addresses


def _already(visit: Visit, entry: Entry) -> Version | None:
    criteria = entry.conditions.if_none_exist
    declared = visit.hospital.declared.types.get(entry.kind)
    if criteria is None or declared is None or not declared.conditional_create:
        return None
    try:
        return writes.existing(visit, entry.kind, criteria)
    except RefusalError as refusal:
        raise _at(entry.number, refusal) from refusal


def _linked(entry: Entry, replaced: Mapping[str, str]) -> Entry:
    """The entry with the ids that its references by fullUrl have got.

    :raises RefusalError: 400, a ``urn:`` that is the fullUrl of nothing that is written.
    """

    def link(name: str, text: str) -> str:
        address, _, version = text.partition("/_history/")
        if address in replaced:
            return replaced[address] + (f"/_history/{version}" if version else "")
        if name == "reference" and text.startswith(("urn:uuid:", "urn:oid:")):
            raise RefusalError(400, "not-found", f"{text[:200]} is the fullUrl of no entry that is written here")
        if name == "div":
            return _LINK.sub(lambda match: match[1] + replaced.get(match[2], match[2]) + match[3], text)
        return text

    return entry if entry.resource is None else replace(entry, resource=_mapped("", entry.resource, link))


def _resolve(visit: Visit, version: Version) -> None:
    """Replace conditional references, such as ``Patient?identifier=…``, once everything else is written.

    :raises RefusalError: 412, nothing or several resources match (FHIR R4 http.html#trules).
    """

    def link(name: str, text: str) -> str:
        kind, mark, query = text.partition("?")
        if name != "reference" or not mark or not kind.isalpha():
            return text
        visit.type(kind)
        visit.demand(kind, "search-type")
        target = writes.existing(visit, kind, query)
        if target is None:
            raise RefusalError(412, "not-found", f"nothing matches the reference {text[:200]}")
        return target.address

    resource = _mapped("", version.content, link)
    if resource != version.content:
        visit.hospital.store.amend(version, resource)


def _mapped(name: str, value: Any, link: Callable[[str, str], str]) -> Any:
    """A copy of a JSON value with each string replaced by what ``link`` makes of it and the name that it stands at."""
    if isinstance(value, dict):
        return {key: _mapped(key, child, link) for key, child in value.items()}
    if isinstance(value, list):
        return [_mapped(name, child, link) for child in value]
    return link(name, value) if isinstance(value, str) else value


def _done(visit: Visit, entry: Entry, assigned: str | None) -> tuple[Document, Version | None]:
    """Do what one entry asks: the entry that answers it, and the version that it wrote."""
    if entry.method in ("GET", "HEAD"):
        return _got(visit, entry), None
    if not entry.identity and entry.method != "POST":
        raise RefusalError(
            400, "not-supported", f"the statement declares no conditional {entry.method} of {entry.kind}"
        )
    if entry.method == "DELETE":
        written = writes.delete(visit, entry.kind, entry.identity, entry.conditions)
    elif entry.method == "PUT":
        resource = resource_of(entry.resource, entry.kind)
        written = writes.update(visit, entry.kind, entry.identity, resource, entry.conditions)
    else:
        identity = (assigned or "").partition("/")[2] or None
        resource = resource_of(entry.resource, entry.kind)
        written = writes.create(visit, entry.kind, resource, entry.conditions, identity)
    version = written.version
    response: Document = {"status": str(written.status), "location": version.address, "lastModified": version.updated}
    if visit.type(entry.kind).versioned:
        response |= {"etag": version.tag, "location": f"{version.address}/_history/{version.number}"}
    new = version if written.status in (200, 201) and written.changed else None
    return {"response": response}, new


def _got(visit: Visit, entry: Entry) -> Document:
    if entry.identity:
        visit.demand(entry.kind, "read")
        visit.require(entry.kind, "read")
        version = visit.known(entry.kind, entry.identity)
        return {"resource": version.filled(visit.base), "response": {"status": "200", "lastModified": version.updated}}
    pairs = parse_qsl(entry.query, keep_blank_values=True)
    visit.demand(entry.kind, "search-type", pairs)
    visit.require(entry.kind, "search-type")
    result = search.search(visit.hospital, entry.kind, pairs, visit.base, visit.searches)
    return {"resource": search.page(visit.hospital, result, visit.base, visit.sees), "response": {"status": "200"}}


def _at(number: int, refusal: RefusalError) -> RefusalError:
    """The refusal with the entry that it is about; a transaction fails as a whole."""
    return RefusalError(refusal.status, refusal.code, f"entry {number}: {refusal.words}", refusal.headers)
