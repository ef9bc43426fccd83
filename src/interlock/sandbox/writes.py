"""Creates, updates and deletes, with the conditions under which they happen.

Source: FHIR R4 http.html, sections create, update, delete, cond-update, concurrency (412 for another version, 400 for a
missing If-Match where one is required); DSTU2 and STU3 answer 409 and 412 there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from interlock.sandbox import notifications, search
from interlock.sandbox.bearer import insufficient_scope
from interlock.sandbox.documents import parsed, resource_of
from interlock.sandbox.organizations import Document
from interlock.sandbox.replies import RefusalError
from interlock.sandbox.store import Version
from interlock.sandbox.visit import ID, Visit

_TAG = re.compile(r'(?:W/)?"([A-Za-z0-9\-.]{1,64})"')
_VOID = "entered-in-error"
_MAX_HEADER = 8_000


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which a write happens: the headers, or the members of an entry's request, of the same meaning."""

    if_match: str | None = None
    if_none_exist: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did: the HTTP status, and the version that is there now, which it need not have made."""

    status: int
    version: Version
    changed: bool = True


def create(visit: Visit, kind: str, resource: Document, conditions: Conditions, identity: str | None = None) -> Written:
    """Keep a new resource under an id of the server's.

    :param identity: an id that was assigned before, as a transaction does.
    :raises RefusalError: not declared, not granted, another resource; 412, the condition has several matches.
    """
    visit.demand(kind, "create")
    declared = visit.require(kind, "create")
    resource_of(resource, kind)
    _require_valid(visit, resource)
    _permit(visit, "create", resource)
    if conditions.if_none_exist is not None:
        if not declared.conditional_create:
            raise RefusalError(400, "not-supported", f"the statement declares no conditional create of {kind}")
        present = existing(visit, kind, conditions.if_none_exist)
        if present is not None:
            return Written(200, present, changed=False)
    if kind == "Subscription":
        notifications.understood(visit.hospital, resource)
        resource = {**resource, "status": "active"}
    version = visit.hospital.store.put(resource, identity or visit.hospital.store.new_id(), "POST")
    visit.exchange.note(f"{visit.grant.client} created {version.address}")
    return Written(201, version)


def update(visit: Visit, kind: str, identity: str, resource: Document, conditions: Conditions) -> Written:
    """Replace a resource by its next version.

    :raises RefusalError: 405 no such id and clients choose none, 410 deleted, 412 (409) another version is current.
    """
    visit.demand(kind, "update")
    declared = visit.require(kind, "update")
    resource_of(resource, kind)
    if not ID.fullmatch(identity) or resource.get("id") != identity:
        raise RefusalError(400, "invalid", f"the body's id must be the address's, {identity[:64]}")
    _require_valid(visit, resource)
    current = visit.hospital.store.get(kind, identity)
    if current is None or current.resource is None:
        if not declared.update_create:
            if current is not None:
                raise RefusalError(410, "deleted", f"{kind}/{identity} was deleted")
            raise RefusalError(405, "not-supported", f"there is no {kind}/{identity}, and clients choose no ids here")
        visit.demand(kind, "create")
        _permit(visit, "create", resource)
        if conditions.if_match is not None:
            raise RefusalError(412, "conflict", f"If-Match names a version of {kind}/{identity}, which has none")
    else:
        if not visit.sees(current, "update"):
            raise RefusalError(404, "not-found", f"there is no {kind}/{identity}")
        _permit(visit, "update", resource)
        _require_version(visit, current, conditions.if_match, required=declared.versioning == "versioned-update")
        if _is_void(current.content) and not _is_void(resource):
            words = f"{current.address} is entered in error and stays so: create another resource instead"
            raise RefusalError(422, "business-rule", words)
    version = visit.hospital.store.put(resource, identity, "PUT")
    visit.exchange.note(f"{visit.grant.client} made version {version.number} of {version.address}")
    return Written(200 if current is not None and current.resource is not None else 201, version)


def delete(visit: Visit, kind: str, identity: str, conditions: Conditions) -> Written:
    """Delete a resource; one that is deleted already stays as it is.

    :raises RefusalError: 404, there was never one; 412, another version is current.
    """
    visit.demand(kind, "delete")
    visit.require(kind, "delete")
    current = visit.hospital.store.get(kind, identity)
    if current is None or not visit.sees(current, "delete"):
        raise RefusalError(404, "not-found", f"there is no {kind}/{identity[:64]}")
    if current.resource is None:
        return Written(204, current, changed=False)
    _require_version(visit, current, conditions.if_match, required=False)
    visit.exchange.note(f"{visit.grant.client} deleted {current.address}")
    return Written(204, visit.hospital.store.delete(kind, identity))


def existing(visit: Visit, kind: str, criteria: str) -> Version | None:
    """The one match of a condition, or none.

    :raises RefusalError: 412, there are several; 400, the condition cannot be read.
    """
    try:
        pairs = parse_qsl(criteria.partition("?")[2] or criteria, keep_blank_values=True, max_num_fields=20)
    except ValueError as error:
        raise RefusalError(400, "invalid", "the condition has too many parameters") from error
    matches = search.matches(visit.hospital, kind, pairs, visit.base)
    if len(matches) > 1:
        raise RefusalError(
            412, "multiple-matches", f"{len(matches)} resources match {criteria[:200]}: it must be one at most"
        )
    return matches[0] if matches else None


def _require_valid(visit: Visit, resource: Document) -> None:
    """Keep nothing that breaks the basic rules of its release; profiles are not looked at.

    :raises RefusalError: 400 with where and what is wrong (FHIR R4 http.html#create).
    """
    from interlock.fhir.validation import validate  # half a second that only a hospital which is written to needs

    validation = validate(resource, visit.exchange.organization.release)
    if validation.problems or validation.unread is not None:
        raise RefusalError(400, "invalid", validation.sentence())


def _permit(visit: Visit, interaction: str, resource: Document) -> None:
    """Let the client keep this very resource: of its patient, within the constraints of its scopes."""
    if not visit.may(interaction, resource):
        raise insufficient_scope(visit.exchange, visit.grant, interaction, str(resource["resourceType"]))


def _require_version(visit: Visit, current: Version, if_match: str | None, *, required: bool) -> None:
    old = visit.exchange.organization.release in ("DSTU2", "STU3")
    if if_match is None:
        if required:
            words = f"an update of {current.kind} needs If-Match: read {current.address} and send its ETag"
            raise RefusalError(412 if old else 400, "required", words)
        return
    named = _TAG.fullmatch(if_match.strip())
    if named is None and if_match.strip() != "*":
        raise RefusalError(400, "invalid", 'If-Match is an ETag, such as W/"3"')
    if named is not None and named[1] != str(current.number):
        words = f"version {named[1]} of {current.address} was meant, but {current.number} is current: read it again"
        raise RefusalError(409 if old else 412, "conflict", words)


def _is_void(resource: Document) -> bool:
    """Whether a resource says that it should never have been: ``status`` or ``verificationStatus``."""
    if resource.get("status") == _VOID:
        return True
    status = resource.get("verificationStatus")
    coding = status.get("coding") if isinstance(status, dict) else None
    return status == _VOID or any(
        isinstance(item, dict) and item.get("code") == _VOID for item in (coding if isinstance(coding, list) else [])
    )


def provenance(visit: Visit, header: str, target: Version) -> None:
    """Keep the Provenance of an ``X-Provenance`` header, with the written version as its target.

    Source: FHIR R4 provenance.html#header.

    :raises RefusalError: 400, it is no Provenance or names a target already.
    """
    if len(header) > _MAX_HEADER:
        raise RefusalError(400, "too-long", f"X-Provenance is longer than {_MAX_HEADER} letters")
    resource = resource_of(parsed(header.encode("latin-1", errors="replace")), "Provenance")
    if "target" in resource:
        raise RefusalError(400, "invalid", "X-Provenance names no target: it is what this request writes")
    reference = f"{target.address}/_history/{target.number}"
    create(visit, "Provenance", {**resource, "target": [{"reference": reference}]}, Conditions())
