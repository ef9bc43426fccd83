"""The two requests of an active probe that a well-behaved server refuses, so that nothing comes of them.

The token endpoint is asked for a grant that does not exist, without any client; a resource that cannot exist is read
without a token. Nothing is created, searched or guessed.
"""

from __future__ import annotations

import secrets
from urllib.parse import urlencode

from interlock.fhir.tolerant import storable
from interlock.model.observation import CapabilityFacts, Facts
from interlock.model.text import plain
from interlock.probe.transport import plan
from interlock.probe.transport.addresses import Origin
from interlock.probe.transport.client import Client, Reply
from interlock.probe.transport.exchange import Exchange, OnRecord, Purpose, Reading
from interlock.probe.transport.guarded import not_sent, without_content
from interlock.probe.transport.transfer import Ask

#: An extension grant is named by an absolute URI (RFC 6749 section 4.5); nobody offers this one.
UNKNOWN_GRANT = "urn:x-interlock:grant-type:none"


async def ask_token_endpoint(
    client: Client, base: str, facts: Facts, deadline: float, private_origins: frozenset[Origin], on_record: OnRecord
) -> Exchange | None:
    """Ask the token endpoint for an unknown grant; none when no token endpoint is known."""
    advertised = facts.smart.token_endpoint if facts.smart is not None else None
    if advertised is None:
        return None
    purpose: Purpose = "token-negative"
    allowed = plan.follow(advertised, base, private_origins)
    if allowed.url is None:
        record = not_sent(advertised, f"not followed: {allowed.reason}", purpose, "POST")
        on_record(record)
        return Exchange(purpose, (record,), "failed", record.detail or "")
    reply = await client.get(
        Ask(
            url=allowed.url,
            accept="application/json",
            deadline=deadline,
            purpose=purpose,
            method="POST",
            form=urlencode({"grant_type": UNKNOWN_GRANT}),
        )
    )
    reading, detail = _oauth_reading(reply)
    return _exchange(purpose, reply, reading, detail, on_record)


async def read_without_token(
    client: Client, base: str, facts: Facts, deadline: float, on_record: OnRecord
) -> Exchange | None:
    """Read a resource that cannot exist, without a token; none when the statement offers no type to read."""
    kind = readable_type(facts.capability)
    if kind is None:
        return None
    purpose: Purpose = "anonymous-read"
    url = f"{base}/{kind}/interlock-{secrets.token_hex(16)}"
    reply = await client.get(Ask(url=url, accept=plan.FHIR_JSON, deadline=deadline, purpose=purpose, redirects=False))
    reading, detail = _resource_reading(reply)
    return _exchange(purpose, reply, reading, detail, on_record)


def readable_type(capability: CapabilityFacts | None) -> str | None:
    """The resource type to read: Patient, which any guarded server guards, or another if Patient cannot be read."""
    if capability is None or not capability.resources:
        return "Patient"
    readable = [
        name
        for name, resource in capability.resources.items()
        if "read" in resource.interactions or not resource.interactions
    ]
    return "Patient" if "Patient" in readable else next(iter(sorted(readable)), None)


def _exchange(purpose: Purpose, reply: Reply, reading: Reading, detail: str, on_record: OnRecord) -> Exchange:
    last = reply.records[-1]
    if reply.failure is not None:
        record = last.model_copy(update={"reading": "failed", "sha256": None})
        said = reply.failure.detail
    elif 200 <= (last.status or 0) < 300:
        record, said = without_content(last, last.url, reading, detail), detail
    else:
        record, said = last.model_copy(update={"reading": reading, "detail": detail, "sha256": None}), detail
    on_record(record)
    tls = reply.failure.tls if reply.failure is not None else None
    return Exchange(purpose, (record,), "failed" if reply.failure is not None else reading, said, tls=tls)


def _form_of(reply: Reply) -> tuple[Reading, str]:
    """The reading of a body without usable JSON, and its description."""
    head = reply.body[:200].lstrip().lower()
    if not head:
        return "empty", "an empty body"
    if head.startswith((b"<!doctype html", b"<html")):
        return "html", "an HTML page"
    return ("xml", "XML") if head.startswith(b"<") else ("not_json", "something that is not JSON")


def _oauth_reading(reply: Reply) -> tuple[Reading, str]:
    value = reply.json()
    if isinstance(value, dict):
        error = value.get("error")
        if isinstance(error, str) and error:
            return "oauth_error", plain(storable(error), 60)
        return "unrelated", "JSON without error"
    return ("not_an_object", "JSON that is no object") if value is not None else _form_of(reply)


def _resource_reading(reply: Reply) -> tuple[Reading, str]:
    value = reply.json()
    kind = value.get("resourceType") if isinstance(value, dict) else None
    if kind == "OperationOutcome":
        return "operation_outcome", "an OperationOutcome"
    if kind == "Bundle":
        return "bundle", "a Bundle"
    if isinstance(kind, str):
        return "other_resource", "a resource"
    return ("unrelated", "JSON that is no resource") if value is not None else _form_of(reply)
