"""The three requests of an active probe that a well-behaved server refuses, so that nothing comes of them.

The token endpoint is asked for a grant that does not exist, without any client; a resource that cannot exist is read
without a token, and patients are counted without one. Nothing is created or guessed, and no resource is asked for.
"""

from __future__ import annotations

import re
import secrets
from urllib.parse import urlencode

from interlock.fhir.tolerant import storable
from interlock.model.facts import CapabilityFacts, Facts
from interlock.model.text import plain
from interlock.probe.transport import plan
from interlock.probe.transport.client import Client
from interlock.probe.transport.exchange import Exchange, OnRecord, Purpose, Reading, without_content
from interlock.probe.transport.transfer import Ask, Reply

#: An extension grant is named by an absolute URI (RFC 6749 section 4.5); nobody offers this one.
UNKNOWN_GRANT = "urn:x-interlock:grant-type:none"

#: Bytes of the answer to a count that are read, for its type and its total, and dropped.
COUNT_BYTES = 65_536
_BEGINS_A_BUNDLE = re.compile(rb'\s*\{\s*"resourceType"\s*:\s*"Bundle"')


async def ask_token_endpoint(client: Client, url: str, deadline: float, on_record: OnRecord) -> Exchange:
    """Ask the token endpoint, whose address may be followed, for an unknown grant."""
    form = urlencode({"grant_type": UNKNOWN_GRANT})
    reply = await client.get(Ask(url, "application/json", deadline, "token-negative", method="POST", form=form))
    return _exchange("token-negative", reply, *_oauth_reading(reply), on_record)


async def read_without_token(
    client: Client, base: str, facts: Facts, deadline: float, on_record: OnRecord
) -> Exchange | None:
    """Read a resource that cannot exist, without a token; none when the statement offers no type to read."""
    kind = readable_type(facts.capability)
    if kind is None:
        return None
    url = f"{base}/{kind}/interlock-{secrets.token_hex(16)}"
    reply = await client.get(Ask(url, plan.FHIR_JSON, deadline, "anonymous-read", redirects=False))
    return _exchange("anonymous-read", reply, *_resource_reading(reply), on_record)


async def count_without_token(
    client: Client, base: str, facts: Facts, deadline: float, on_record: OnRecord
) -> Exchange | None:
    """Ask how many patients there are, without a token; none when the statement offers no patients.

    A resource that cannot exist is answered with 404 by guarded and open servers alike; a count tells them apart and
    brings no resource. Nothing of the answer is kept but its status and whether it was a Bundle that
    counts any or has an entry; the number is not kept.
    """
    capability = facts.capability
    if capability is not None and capability.resources and "Patient" not in capability.resources:
        return None
    url = f"{base}/Patient?_summary=count"
    ask = Ask(url, plan.FHIR_JSON, deadline, "anonymous-count", redirects=False, first=COUNT_BYTES)
    reply = await client.get(ask)
    return _exchange("anonymous-count", reply, *_count_reading(reply), on_record)


def readable_type(capability: CapabilityFacts | None) -> str | None:
    """The resource type to read: Patient, which any guarded server guards, or another if Patient cannot be read."""
    if capability is None or not capability.resources:
        return "Patient"
    readable = {
        name
        for name, resource in capability.resources.items()
        if "read" in resource.interactions or not resource.interactions
    }
    return "Patient" if "Patient" in readable else min(readable, default=None)


def _exchange(purpose: Purpose, reply: Reply, reading: Reading, detail: str, on_record: OnRecord) -> Exchange:
    record, failure = reply.record, reply.failure
    if failure is not None:
        reading, detail = "failed", failure.detail
        record = record.but(reading=reading, sha256=None)
    elif 200 <= (record.status or 0) < 300:
        record = without_content(record, record.url, reading, detail).but(bytes=0)
    else:
        record = record.but(reading=reading, detail=detail, sha256=None, bytes=0)
    on_record(record)
    return Exchange(purpose, (record,), reading, detail, tls=failure.tls if failure is not None else None)


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


def _count_reading(reply: Reply) -> tuple[Reading, str]:
    """A Bundle that counts nothing is one of the refusals that FHIR names (R4, Security, Access denied)."""
    value = reply.json()
    if isinstance(value, dict) and value.get("resourceType") == "Bundle":
        counted = value.get("total")
        if isinstance(counted, int) and not isinstance(counted, bool) and counted >= 0:
            return (
                ("bundle", "a Bundle whose total is above 0") if counted else ("empty", "a Bundle that counts nothing")
            )
        return "bundle", "a Bundle that has entries" if value.get("entry") else "a Bundle without a total"
    if value is None and _BEGINS_A_BUNDLE.match(reply.body):  # longer than what was read of it
        return "bundle", "a Bundle"
    return _resource_reading(reply)
