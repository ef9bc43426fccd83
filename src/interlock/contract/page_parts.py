"""The sections of the page to sign that schema 2 added, each as a title, columns and rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from interlock.contract.scopes import needed_scopes
from interlock.model.contract import Need, WorkflowContract
from interlock.model.contract_parts import Channel


class Section(NamedTuple):
    """A table of the page."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def sections(contract: WorkflowContract) -> Iterator[Section]:
    """Those that the contract says something for; of schema 2 safeguards too while they are undecided."""
    needs = [("reads", need) for need in contract.inputs] + [("writes", need) for need in contract.outputs]
    details = [(side, _named(need), *row) for side, need in needs for row in _details(need)]
    tables = (
        Section("What each need says in detail", ("Side", "Need", "About", "Decided"), details),
        Section(
            "Channels",
            ("Channel", "Where", "About", "States", "Delivery", "At most late"),
            [_channel(channel) for channel in contract.channels],
        ),
        Section(
            "Clients",
            ("Client", "Launch mode", "Environment", "Addresses", "Contacts", "Scopes"),
            [
                (
                    client.name,
                    client.mode,
                    client.environment,
                    "; ".join(filter(None, (client.launch_url, *client.redirect_uris, client.jwks_url))) or "undecided",
                    ", ".join(client.contacts) or "undecided",
                    " ".join(needed_scopes(contract, client.mode)),
                )
                for client in contract.clients
            ],
        ),
        Section(
            "Session",
            ("Length", "Refresh"),
            [(contract.session.length or "undecided", contract.session.refresh or "undecided")]
            if contract.session.model_fields_set
            else [],
        ),
        Section(
            "States of the review",
            ("State", "Within", "Then"),
            [(one.state, one.within or "undecided", one.then or "undecided") for one in contract.review.states],
        ),
        Section(
            "Safeguards",
            ("What", "Decided"),
            [(name.replace("_", " "), value or "undecided") for name, value in contract.safeguards]
            if contract.schema_version > 1
            else [],
        ),
        Section(
            "Owners", ("Name", "Role", "Part"), [(one.name, one.role, one.part or "all") for one in contract.owners]
        ),
        Section(
            "Approvals",
            ("By", "Role", "Organisation", "Date", "Text"),
            [
                (
                    one.by,
                    one.role or "",
                    one.organization or "",
                    one.date,
                    "this one" if one.hash == contract.hash else f"another: {one.hash[:12]}",
                )
                for one in contract.approvals
            ],
        ),
    )
    yield from (table for table in tables if table.rows)


def _named(need: Need) -> str:
    return need.resource + (f" ({need.purpose})" if need.purpose else "")


def _details(need: Need) -> Iterator[tuple[str, str]]:
    """What a need says beyond its row in the table of needs."""
    said = {
        "launch modes": ", ".join(need.modes),
        "level of its scopes": need.level or "",
        "fixed query": " and ".join(need.query),
        "codes": ", ".join(need.code),
        "not at": ", ".join(need.not_at),
        "a day": f"{need.per_day:g}" if need.per_day is not None else "",
    }
    yield from ((about, value) for about, value in said.items() if value)
    for bound in need.binding:
        yield f"codes of {bound.path}", f"{bound.value_set or ', '.join(bound.codes)} ({bound.strength})"
    for one in need.missing:
        yield f"without {one.field}", f"{one.then}: {one.says}" if one.says else one.then
    for here in need.here:
        own = here.model_dump(exclude={"organization"}, exclude_none=True)
        said_there = (f"{key.replace('_', ' ')} {_joined(value)}" for key, value in own.items())
        yield f"at {here.organization}", "; ".join(said_there)
    for step in need.status_flow:
        moved = f" by {step.moved_by}" if step.moved_by else ""
        yield f"state {step.state}", f"to {', '.join(step.to)}{moved}" if step.to else "the last"
    writing = need.writing
    if writing.if_none_exist:
        yield "created once", f"If-None-Exist: {writing.if_none_exist}"
    if writing.if_match is not None:
        yield "update", "names the version that it replaces" if writing.if_match else "replaces whatever is there"
    if writing.provenance is not None:
        yield "Provenance", "is written with it" if writing.provenance else "is not written"


def _joined(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _channel(channel: Channel) -> tuple[str, ...]:
    about = (channel.resource, channel.hook, channel.message, channel.direction, *channel.prefetch)
    late = f"{channel.latency_seconds:g} s" if channel.latency_seconds is not None else "undecided"
    return (
        channel.kind,
        ", ".join(channel.organizations) or "everywhere",
        "; ".join(filter(None, about)),
        ", ".join(channel.states),
        channel.delivery or "undecided",
        late,
    )
