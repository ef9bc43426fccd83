"""Token introspection with the user's own client: what the server says of the token that it has just issued.

The token goes where the client's credentials may go, and nowhere else. Of the answer only truth values are kept:
whether the token is active, and which of the fields that SMART requires are there.
"""

from __future__ import annotations

from interlock.model.observation import RequestRecord
from interlock.model.sample import IntrospectionFacts
from interlock.probe.tokens import Base, TokenSource
from interlock.probe.transport import plan
from interlock.probe.transport.addresses import origin
from interlock.probe.transport.client import Client
from interlock.probe.transport.credentials import Credentials
from interlock.probe.transport.exchange import OnRecord, may_carry_secrets, not_sent, without_content
from interlock.probe.transport.transfer import Ask, Reply


async def introspect(
    client: Client, base: Base, credentials: Credentials, source: TokenSource, on_record: OnRecord
) -> tuple[IntrospectionFacts, RequestRecord] | None:
    """Ask about the sample's own token, once; none where no endpoint is advertised or the client is a public one.

    RFC 7662 sections 2.1 and 2.2; SMART App Launch 2.2, token introspection. Never raises for what a server does.
    """
    smart = base.facts.smart
    client_id = credentials.client_id if credentials.authenticates else None
    if smart is None or smart.introspection_endpoint is None or client_id is None:
        return None
    token = await source.get(on_record)
    if token is None:
        return None
    advertised = smart.introspection_endpoint
    allowed = plan.follow(advertised, base.url, base.private_origins)
    reason = allowed.reason
    if base.smart_url is None or origin(base.smart_url) != origin(base.url):
        reason = "the SMART configuration came from another host than the base"
    elif allowed.url is not None and not may_carry_secrets(allowed.url):
        reason = "it is not https"
    elif allowed.url is not None and not credentials.may_go_to(allowed.url):
        reason = "the credentials were not trusted to go to that host"
    if allowed.url is None or reason:
        record = not_sent(advertised, f"the token is not sent there: {reason}", "introspection", "POST")
        on_record(record)
        return IntrospectionFacts(outcome="not_sent", reason=reason), record
    form, headers = credentials.introspection_request(allowed.url, token)
    reply = await client.get(
        Ask(
            url=allowed.url,
            accept="application/json",
            deadline=base.deadline,
            purpose="introspection",
            credentials={name: value.reveal() for name, value in headers.items()},
            client_certificate=origin(allowed.url) == origin(base.url),
            method="POST",
            form=form.reveal(),
        )
    )
    facts = read_introspection(reply, client_id.reveal())
    record = without_content(reply.record, allowed.url, "answered", facts.reason or facts.outcome)
    on_record(record)
    return facts, record


def read_introspection(reply: Reply, client_id: str) -> IntrospectionFacts:
    """What an introspection endpoint answered, without a word of it."""
    status = reply.record.status
    if reply.failure is not None or status is None:
        why = without_content(reply.record, reply.record.url, "failed").detail
        return IntrospectionFacts(outcome="failed", reason=why)
    value = reply.json()
    if not 200 <= status < 300:
        refused = 400 <= status < 500 and status != 429
        return IntrospectionFacts(outcome="refused" if refused else "failed", status=status, reason=f"HTTP {status}")
    if not isinstance(value, dict) or not isinstance(value.get("active"), bool):
        return IntrospectionFacts(outcome="failed", status=status, reason=f"HTTP {status}, no JSON object with active")
    stated = value.get("client_id")
    return IntrospectionFacts(
        outcome="answered",
        status=status,
        active=value["active"],
        scope_stated=isinstance(value.get("scope"), str),
        expiry_stated=type(value.get("exp")) is int,
        client=None if not isinstance(stated, str) else "ours" if stated == client_id else "another",
    )
