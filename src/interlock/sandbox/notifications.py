"""Subscriptions: a rest-hook on this computer is told of what was written.

Sources: Subscriptions R5 Backport 1.1.0 (R4 and R4B: a ``history`` Bundle with a status first), FHIR R5
subscriptions.html. Only what a statement declares of Subscription works, and only the topics that it lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from interlock.fhir.tolerant import objects_of
from interlock.sandbox import search
from interlock.sandbox.hospital import Hospital, Notice
from interlock.sandbox.organizations import Document
from interlock.sandbox.outgoing import NoAnswerError, post, require_loopback
from interlock.sandbox.replies import RefusalError, encode
from interlock.sandbox.store import Version

MAX_SUBSCRIPTIONS = 50
_MAX_NOTICES = 200
_BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
_CONTENTS = ("empty", "id-only", "full-resource")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A Subscription as it was understood. ``filters``: search strings, of which a resource must match one."""

    topic: str
    endpoint: str
    content: str
    filters: tuple[str, ...]


def understood(hospital: Hospital, resource: Document) -> Wanted:
    """What a Subscription asks for.

    :raises RefusalError: 422, a topic that is not listed, another channel than a rest-hook, an endpoint elsewhere.
    """
    wanted = _of_r5(resource) if hospital.organization.release == "R5" else _of_r4(resource)
    if wanted.topic not in hospital.declared.topics:
        known = ", ".join(hospital.declared.topics) or "none"
        raise RefusalError(422, "business-rule", f"{wanted.topic[:200]} is no topic of this server; it has: {known}")
    if wanted.content not in _CONTENTS:
        raise RefusalError(422, "business-rule", f"the content of a notification is one of {', '.join(_CONTENTS)}")
    require_loopback(wanted.endpoint)
    live = [version for version in hospital.store.of("Subscription") if version.content.get("status") != "off"]
    if len(live) >= MAX_SUBSCRIPTIONS:
        raise RefusalError(422, "too-costly", f"there are {MAX_SUBSCRIPTIONS} subscriptions already")
    return wanted


def _of_r4(resource: Document) -> Wanted:
    channel = resource.get("channel")
    channel = channel if isinstance(channel, dict) else {}
    if channel.get("type") != "rest-hook":
        raise RefusalError(422, "business-rule", "channel.type: this server notifies by rest-hook alone")
    filters = [
        value for value in _extensions(resource.get("_criteria"), "backport-filter-criteria") if isinstance(value, str)
    ]
    content = next(iter(_extensions(channel.get("_payload"), "backport-payload-content")), "empty")
    return Wanted(str(resource.get("criteria", "")), str(channel.get("endpoint", "")), str(content), tuple(filters))


def _of_r5(resource: Document) -> Wanted:
    channel = resource.get("channelType")
    if not isinstance(channel, dict) or channel.get("code") != "rest-hook":
        raise RefusalError(422, "business-rule", "channelType: this server notifies by rest-hook alone")
    filters = [
        f"{entry.get('resourceType')}?{entry.get('filterParameter')}={entry.get('value')}"
        for entry in objects_of(resource, "filterBy")
    ]
    content = str(resource.get("content", "empty"))
    return Wanted(str(resource.get("topic", "")), str(resource.get("endpoint", "")), content, tuple(filters))


def _extensions(element: Any, name: str) -> list[Any]:
    extensions = [item for item in objects_of(element, "extension") if item.get("url") == f"{_BACKPORT}/{name}"]
    return [value for item in extensions for key, value in item.items() if key.startswith("value")]


def due(hospital: Hospital, base: str) -> list[tuple[str, bytes]]:
    """Endpoint and body of every notification that the latest writes cause; the writes count as told afterwards."""
    changes, hospital.store.changes = hospital.store.changes, []
    notices: list[tuple[str, bytes]] = []
    for subscription in hospital.store.of("Subscription"):
        if subscription.content.get("status") not in ("requested", "active"):
            continue
        try:
            wanted = understood(hospital, subscription.content)
        except RefusalError:
            continue  # written before the server could know it, as by a transaction's update
        if subscription in changes:
            notices.append((wanted.endpoint, encode(_bundle(hospital, subscription, wanted, "handshake", None, base))))
        for change in changes:
            if change.kind != "Subscription" and change.resource is not None and _fits(hospital, wanted, change, base):
                number = hospital.events[subscription.id] = hospital.events.get(subscription.id, 0) + 1
                body = _bundle(hospital, subscription, wanted, "event-notification", (number, change), base)
                notices.append((wanted.endpoint, encode(body)))
    return notices


def _fits(hospital: Hospital, wanted: Wanted, change: Version, base: str) -> bool:
    """Whether a write is an event of the topic: it matches a filter, or there is none."""
    for text in wanted.filters:
        kind, _, query = text.partition("?")
        try:
            if kind == change.kind and change in search.matches(hospital, kind, parse_qsl(query), base):
                return True
        except RefusalError:
            continue
    return not wanted.filters


def _bundle(
    hospital: Hospital, subscription: Version, wanted: Wanted, kind: str, event: tuple[int, Version] | None, base: str
) -> Document:
    focus = event[1] if event and wanted.content != "empty" else None
    status = _status(hospital, subscription, wanted, kind, event, f"{base}/{focus.address}" if focus else None, base)
    entries: list[Document] = [{"resource": status}]
    if focus is not None:
        entry: Document = {"fullUrl": f"{base}/{focus.address}"}
        entry |= {"resource": focus.filled(base)} if wanted.content == "full-resource" else {}
        entries.append(
            {**entry, "request": {"method": focus.method, "url": focus.address}, "response": {"status": "200"}}
        )
    if hospital.organization.release == "R5":
        return {
            "resourceType": "Bundle",
            "type": "subscription-notification",
            "timestamp": subscription.updated,
            "entry": entries,
        }
    first = {"request": {"method": "GET", "url": f"{subscription.address}/$status"}, "response": {"status": "200"}}
    entries[0] |= first
    return {"resourceType": "Bundle", "type": "history", "timestamp": subscription.updated, "entry": entries}


def told(hospital: Hospital, subscription: Version, base: str) -> Document:
    """The answer to ``$status``: how many events a subscription was told of (Backport 1.1.0, ``$status``)."""
    wanted = _of_r5(subscription.content) if hospital.organization.release == "R5" else _of_r4(subscription.content)
    status = _status(hospital, subscription, wanted, "query-status", None, None, base)
    entry = {"resource": status, "search": {"mode": "match"}}
    return {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": [entry]}


def _status(
    hospital: Hospital, subscription: Version, wanted: Wanted, kind: str, event: tuple[int, Version] | None,
    focus: str | None, base: str,
) -> Document:  # fmt: skip
    """The status in front of a notification: Parameters in R4, SubscriptionStatus from R4B on."""
    counted = hospital.events.get(subscription.id, 0)
    reference = {"reference": f"{base}/{subscription.address}"}
    if hospital.organization.release in ("R4B", "R5"):
        status: Document = {
            "resourceType": "SubscriptionStatus",
            "status": "active",
            "type": kind,
            "topic": wanted.topic,
        }
        status |= {"subscription": reference, "eventsSinceSubscriptionStart": str(counted)}
        if event:
            told: Document = {"eventNumber": str(event[0]), "timestamp": event[1].updated}
            status["notificationEvent"] = [told | ({"focus": {"reference": focus}} if focus else {})]
        return status
    parameters: list[Document] = [
        {"name": "subscription", "valueReference": reference},
        {"name": "topic", "valueCanonical": wanted.topic},
        {"name": "status", "valueCode": "active"},
        {"name": "type", "valueCode": kind},
        {"name": "events-since-subscription-start", "valueString": str(counted)},
    ]
    if event:
        parts: list[Document] = [{"name": "event-number", "valueString": str(event[0])}]
        parts.append({"name": "timestamp", "valueInstant": event[1].updated})
        parts += [{"name": "focus", "valueReference": {"reference": focus}}] if focus else []
        parameters.append({"name": "notification-event", "part": parts})
    profile = {"profile": [f"{_BACKPORT}/backport-subscription-status-r4"]}
    return {"resourceType": "Parameters", "meta": profile, "parameter": parameters}


async def deliver(hospital: Hospital, notices: Sequence[tuple[str, bytes]]) -> None:
    """Post notifications, one after the other; what came of each is kept, and a failure stops nothing."""
    for endpoint, body in notices[:_MAX_NOTICES]:
        try:
            status, _ = await post(endpoint, body, {"Content-Type": "application/fhir+json"})
            hospital.notices.append(Notice(endpoint, status, ""))
        except NoAnswerError as error:
            hospital.notices.append(Notice(endpoint, None, str(error)))
