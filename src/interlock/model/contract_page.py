"""The workflow contract in words, part by part: what the page to sign, the report and the terminal UI show of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from interlock.model import words
from interlock.model.base import Model
from interlock.model.contract import SECOND_FAILURES, ContractFit, Need, WorkflowContract
from interlock.model.contract_parts import Channel, Client, LaunchMode, NeedHere, Writing
from interlock.model.language import N_, _

#: What stands where somebody still has to decide.
UNDECIDED = N_("undecided")
#: One cell: its lines.
Cell = tuple[str, ...]


class Part(Model):
    """One part of the contract: a table, or without columns what is said under labels.

    :ivar rows: cells as lines of text, not bounded and not escaped; the first cell of a row is its label.
    :ivar detail: a reader who is short of time can do without it.
    """

    title: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    detail: bool = False


def contract_parts(
    contract: WorkflowContract, scopes: Mapping[LaunchMode, Sequence[str]], text_hash: str | None = None
) -> tuple[Part, ...]:
    """Every part, in the order in which a reader asks; what is undecided says so, and tables without rows stay.

    :param scopes: the scopes that each launch mode asks for.
    :param text_hash: the hash of the text that approvals are compared with, where this contract is a part of it.
    """
    second = contract.schema_version > 1
    return (
        Part(title=_("Clinical event"), rows=_event(contract)),
        Part(title=_("Launch and session"), rows=_labelled(_launch(contract, scopes))),
        *_clients(contract, scopes),
        *_table(
            _("Channels"),
            (_("Channel"), _("Where"), _("About"), _("States"), _("Delivery"), _("At most late")),
            map(_channel, contract.channels),
        ),
        Part(
            title=_("What it reads"), columns=tuple(map(_, _READS)), rows=tuple(_read(need) for need in contract.inputs)
        ),
        Part(
            title=_("What it writes"),
            columns=tuple(map(_, _WRITES)),
            rows=tuple(_written(need, second=second) for need in contract.outputs),
        ),
        Part(title=_("When the output is wrong"), rows=_labelled(_named(contract.output_is_wrong))),
        Part(title=_("Failures"), rows=_labelled(_failures(contract))),
        Part(title=_("Review before the record"), rows=_labelled(_review(contract))),
        *((Part(title=_("Safeguards"), rows=_labelled(_named(contract.safeguards))),) if second else ()),
        Part(
            title=_("Configuration surface"),
            columns=(_("Setting"), _("Surface"), _("Type"), _("Default"), _("Meaning")),
            rows=tuple(
                (
                    (setting.name,),
                    (spaced(setting.surface),),
                    (setting.type,),
                    (_("none") if setting.default is None else json.dumps(setting.default, ensure_ascii=False),),
                    _said(setting.description),
                )
                for setting in contract.organization_surface
            ),
        ),
        Part(
            title=_("The product's own endpoints"),
            columns=(_("Path"), _("Audience"), _("Patient data"), _("Authentication")),
            rows=tuple(
                (
                    (endpoint.path,),
                    (endpoint.audience,),
                    _yes_no(endpoint.carries_phi),
                    (endpoint.authentication or _("none"),),
                )
                for endpoint in contract.endpoints
            ),
            detail=True,
        ),
        Part(
            title=_("Test path"),
            columns=(_("Behaviour"), _("Where"), _("Why")),
            rows=tuple(((entry.behaviour,), (entry.where,), _said(entry.why)) for entry in contract.test_path),
            detail=True,
        ),
        *_table(
            _("Owners"),
            (_("Name"), _("Role"), _("Part")),
            (((owner.name,), (owner.role,), (owner.part or _("all"),)) for owner in contract.owners),
        ),
        *_table(
            _("Approvals"),
            (_("By"), _("Role"), _("Organisation"), _("Date"), _("Text")),
            _approvals(contract, text_hash),
        ),
    )


def scopes_by_mode(contract: WorkflowContract, fits: Sequence[ContractFit]) -> dict[LaunchMode, tuple[str, ...]]:
    """The scopes that each launch mode asks for, as they were held against the first organisation; else none."""
    matches = [match for match in (fits[0].matches if fits else ()) if match.kind == "scope"]
    return {
        mode: tuple(match.name for match in matches if not match.modes or mode in match.modes)
        for mode in contract.launch.modes
    }


_READS = (
    N_("Need"),
    N_("How it is asked for"),
    N_("Fields"),
    N_("When something is missing"),
    N_("Where, how often"),
)
_WRITES = (
    N_("Output"),
    N_("How it is written"),
    N_("Fields"),
    N_("States"),
    N_("When something is missing"),
    N_("Where, how often"),
)


def _yes_no(value: bool | None) -> Cell:
    return _open() if value is None else (_("yes") if value else _("no"),)


def _open() -> Cell:
    return (_(UNDECIDED),)


def spaced(name: str) -> str:
    """A key as words, spelt as everywhere else."""
    return name.replace("_", " ").replace("organization", "organisation").replace("ehr ", "EHR ")


def _table(title: str, columns: tuple[str, ...], rows: Iterable[tuple[Cell, ...]]) -> tuple[Part, ...]:
    """A table that is left out while the contract says nothing for it."""
    said = tuple(rows)
    return (Part(title=title, columns=columns, rows=said),) if said else ()


def _said(value: str | None) -> Cell:
    return (value,) if value else _open()


def _labelled(rows: Iterable[tuple[str, Cell]]) -> tuple[tuple[Cell, ...], ...]:
    return tuple(((label,), lines or _open()) for label, lines in rows)


def _named(group: Iterable[tuple[str, str | None]]) -> Iterator[tuple[str, Cell]]:
    return ((words.capital(spaced(name)), _said(value)) for name, value in group)


def _failures(contract: WorkflowContract) -> Iterator[tuple[str, Cell]]:
    """The first schema does not ask about all of them."""
    asked = (
        failure
        for failure in contract.failures
        if failure[1] or contract.schema_version > 1 or failure[0] not in SECOND_FAILURES
    )
    return _named(asked)


def _event(contract: WorkflowContract) -> tuple[tuple[Cell, ...], ...]:
    event = contract.clinical_event
    if event is None:
        return _labelled([(_("Event"), _open())])
    return _labelled(
        [
            (_("Trigger"), _said(event.trigger)),
            (_("Actor"), _said(event.actor)),
            (_("Setting"), _said(event.setting)),
            (_("States that start the behaviour"), _said(", ".join(event.states))),
            (_("Action that follows"), _said(event.action)),
        ]
    )


def _launch(contract: WorkflowContract, scopes: Mapping[LaunchMode, Sequence[str]]) -> Iterator[tuple[str, Cell]]:
    launch, session = contract.launch, contract.session
    yield _("Modes"), _said(", ".join(launch.modes))
    yield _("Context"), _said(", ".join(launch.context))
    yield _("Client"), _said(launch.client)
    yield _("The browser calls the FHIR server"), _yes_no(launch.browser)
    if contract.schema_version > 1 and set(launch.modes) != {"backend"}:
        yield _("Length of a session"), _said(session.length)
        yield _("Refresh"), _said(session.refresh)
    for mode in launch.modes:
        if scopes.get(mode):
            yield _("Scopes (%(mode)s)", mode=mode), (" ".join(scopes[mode]),)


def _clients(contract: WorkflowContract, scopes: Mapping[LaunchMode, Sequence[str]]) -> tuple[Part, ...]:
    def addresses(client: Client) -> Iterator[str]:
        for label, urls in (
            (_("launch"), (client.launch_url,)),
            (_("redirect"), client.redirect_uris),
            (_("key set"), (client.jwks_url,)),
            (_("terms"), (client.terms_url,)),
            (_("privacy"), (client.privacy_url,)),
        ):
            yield from (f"{label} {url}" for url in urls if url)

    return _table(
        _("Clients"),
        (_("Client"), _("Way in"), _("Environment"), _("Addresses"), _("Contacts")),
        (
            (
                (client.name,),
                (client.mode,),
                (client.environment,),
                tuple(addresses(client)) or _open(),
                client.contacts or _open(),
            )
            for client in contract.clients
        ),
    )


def _channel(channel: Channel) -> tuple[Cell, ...]:
    about = (channel.resource, channel.hook, channel.message, channel.direction, *channel.prefetch)
    late = f"{channel.latency_seconds:g} s" if channel.latency_seconds is not None else None
    return (
        (channel.kind,),
        channel.organizations or ("everywhere",),
        tuple(filter(None, about)),
        channel.states,
        _said(channel.delivery),
        _said(late),
    )


def _need(need: Need) -> Cell:
    said = (need.resource, need.purpose, need.profile, _("optional") if need.optional else None)
    return tuple(filter(None, said))


def _asked(need: Need | NeedHere) -> Iterator[str]:
    """Parameters, queries and codes of a search, of a need or of an organisation's own."""
    if need.search_parameters:
        yield _("by %(search_parameters)s", search_parameters=", ".join(need.search_parameters))
    if need.query:
        yield _("query %(query)s", query=" and ".join(need.query))
    if need.code:
        yield _("codes %(code)s", code=", ".join(need.code))


def _how(need: Need) -> Cell:
    operations = ", ".join(f"${name.removeprefix('$')}" for name in need.operations)
    return tuple(filter(None, (", ".join(need.interactions) or _(UNDECIDED), *_asked(need), operations)))


def _fields(need: Need) -> Cell:
    bound = (
        f"{binding.path}: {binding.value_set or ', '.join(binding.codes)} ({binding.strength})"
        for binding in need.binding
    )
    systems = _("codes of %(terminology)s", terminology=", ".join(need.terminology)) if need.terminology else None
    return tuple(filter(None, (", ".join(need.required_fields) or _(UNDECIDED), systems, *bound)))


def _missing(need: Need) -> Cell:
    single = (
        f"{missing.field}: {missing.then}" + (f": {missing.says}" if missing.says else "") for missing in need.missing
    )
    covered = {missing.field for missing in need.missing} >= set(need.required_fields)
    others = need.when_missing or (None if covered and need.missing else _(UNDECIDED))
    return tuple(filter(None, (*single, others)))


def _where(need: Need) -> Cell:
    return tuple(_where_read(need))


def _where_read(need: Need) -> Iterator[str]:
    yield spaced(need.surface)
    if need.modes:
        yield _("launch modes: %(modes)s", modes=", ".join(need.modes))
    if need.level:
        yield _("level of its scopes: %(level)s", level=need.level)
    if need.organizations:
        yield _("only at %(organizations)s", organizations=", ".join(need.organizations))
    if need.not_at:
        yield _("not at %(not_at)s", not_at=", ".join(need.not_at))
    if need.per_day is not None:
        often = f"{need.per_day:,g}" if need.per_day < 1_000_000 else f"{need.per_day:,.0f}"
        yield _("%(number)s a day", number=often)
    for here in need.here:
        own = [_("profile %(profile)s", profile=here.profile)] if here.profile else []
        own += list(_asked(here))
        own += (
            [_("fields %(required_fields)s", required_fields=", ".join(here.required_fields))]
            if here.required_fields
            else []
        )
        yield _("at %(organization)s: %(own)s", organization=here.organization, own="; ".join(own))


def _read(need: Need) -> tuple[Cell, ...]:
    return (_need(need), _how(need), _fields(need), _missing(need), _where(need))


def _written(need: Need, *, second: bool) -> tuple[Cell, ...]:
    written = (*_how(need), *(_writing(need.writing, need) if second else ()))
    return (_need(need), written, _fields(need), tuple(_states(need)), _missing(need), _where(need))


def _states(need: Need) -> Iterator[str]:
    for step in need.status_flow:
        to = ", ".join(step.to)
        if not step.to:
            yield _("%(state)s: the last", state=step.state)
        elif step.moved_by:
            yield _("%(state)s to %(to)s by %(who)s", state=step.state, to=to, who=step.moved_by)
        else:
            yield _("%(state)s to %(to)s by whom is %(undecided)s", state=step.state, to=to, undecided=_(UNDECIDED))


def _writing(writing: Writing, need: Need) -> Iterator[str]:
    if writing.if_none_exist:
        yield _("created once, If-None-Exist: %(if_none_exist)s", if_none_exist=writing.if_none_exist)
    elif "create" in need.interactions:
        yield _("how a repeated create is recognised is %(undecided)s", undecided=_(UNDECIDED))
    if writing.if_match is not None:
        yield (
            _("an update names the version that it replaces")
            if writing.if_match
            else _("an update replaces what is there")
        )
    elif {"update", "patch"} & set(need.interactions):
        yield _("whether an update names the version that it replaces is %(undecided)s", undecided=_(UNDECIDED))
    if writing.provenance is not None:
        yield _("a Provenance is written with it") if writing.provenance else _("no Provenance is written")


def _review(contract: WorkflowContract) -> Iterator[tuple[str, Cell]]:
    review = contract.review
    yield _("Required"), _yes_no(review.required)
    yield _("Role"), _said(review.role)
    yield _("If nobody acts"), _said(review.timeout)
    yield _("If refused"), _said(review.on_refusal)
    for state in review.states:
        yield (
            _("State: %(state)s", state=state.state),
            (
                _(
                    "within: %(within)s; then: %(then)s",
                    within=state.within or _(UNDECIDED),
                    then=state.then or _(UNDECIDED),
                ),
            ),
        )


def _approvals(contract: WorkflowContract, text_hash: str | None) -> Iterator[tuple[Cell, ...]]:
    now = text_hash or contract.hash
    for approval in contract.approvals:
        text = _("this one") if approval.hash == now else _("another: %(hash)s", hash=approval.hash[:12])
        role, organization = ((value,) if value else () for value in (approval.role, approval.organization))
        yield (approval.by,), role, organization, (words.iso_day(approval.date),), (text,)
