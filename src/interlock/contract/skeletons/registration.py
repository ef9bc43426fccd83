"""``registration/ORG-CLIENT.md`` and ``.json``: what the vendor's form asks for one client, filled or marked OPEN."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from interlock.contract.registration_forms import GENERIC, Form, FormField, Interface, form_of
from interlock.contract.scopes import category_of
from interlock.contract.skeletons.base import RestsOn, named, not_offered, of_contract, of_server
from interlock.contract.skeletons.scopes import syntax_of, written
from interlock.documents.markdown import escape
from interlock.documents.visible import to_json
from interlock.model.contract import Need
from interlock.model.resolved import ResolvedClient, ResolvedContract, ResolvedOrganization
from interlock.model.text import plain, slug

_WRITES = ("create", "update", "patch", "delete")
State = Literal["filled", "OPEN", "theirs", "not asked here"]


class Entry(NamedTuple):
    """A field of the form with its value, or why it has none."""

    field: FormField
    state: State
    value: str = ""


class Record(NamedTuple):
    """What a vendor counts as one client: the product's clients of the launch modes that share a record there."""

    resolved: ResolvedContract
    org: ResolvedOrganization
    form: Form
    clients: tuple[ResolvedClient, ...]
    alone: bool

    @property
    def scope(self) -> str:
        """Every scope of the record, in the syntax that the server takes."""
        syntax, _ = syntax_of(self.org)
        return " ".join(dict.fromkeys(written(scope, syntax) for client in self.clients for scope in client.scopes))

    @property
    def modes(self) -> set[str]:
        """Its launch modes."""
        return {client.client.mode for client in self.clients}

    @property
    def needs(self) -> list[Need]:
        """The needs that a scope of it is for."""
        keys = {key for client in self.clients for scope in client.scopes for key in scope.needs}
        return [need.need for need in self.org.needs if need.key in keys]

    def first(self, key: str) -> str | None:
        """A value that is said of one of its clients."""
        return next((value for client in self.clients if (value := getattr(client.client, key))), None)

    def all(self, key: str) -> list[str]:
        """Every value of a list that its clients have."""
        return list(dict.fromkeys(value for client in self.clients for value in getattr(client.client, key)))


def registration(resolved: ResolvedContract) -> Mapping[str, str]:
    """Two files for each client that the vendor counts, at each organisation. No secret is ever in one."""
    files: dict[str, str] = {}
    for org in resolved.organizations:
        form = form_of(org.vendor)
        groups = list(_records(form, org.clients))
        for clients in groups:
            record = Record(resolved, org, form, clients, alone=len(groups) == 1)
            name = f"registration/{org.id}-{slug(clients[0].client.name)}"
            while f"{name}.md" in files:
                name += "-2"
            entries = [_entry(record, field) for field in form.fields]
            files[f"{name}.md"] = "\n".join(_page(record, entries)) + "\n"
            files[f"{name}.json"] = to_json(_data(record, entries))
    return files


def _records(form: Form, clients: tuple[ResolvedClient, ...]) -> Iterator[tuple[ResolvedClient, ...]]:
    """Clients of different modes in one record where the vendor counts them so; two of one mode are two records."""
    for modes in form.records:
        of_modes = [[client for client in clients if client.client.mode == mode] for mode in modes]
        for together in zip_longest(*of_modes):
            yield tuple(client for client in together if client is not None)


def _entry(record: Record, field: FormField) -> Entry:
    asked = not field.modes or record.modes & set(field.modes)
    if not asked or (field.environments and record.org.environment not in field.environments):
        return Entry(field, "not asked here")
    if field.choose:
        words = dict.fromkeys(field.choose[client.client.mode] for client in record.clients)
        return Entry(field, "filled", ", ".join(words))
    assert field.from_ is not None  # a form's model says so
    if field.from_ == "jwks_url" and _authentication(record) not in {None, "private_key_jwt"}:
        return Entry(field, "not asked here")
    value, whole = _VALUES[field.from_](record), True
    if field.from_ == "interfaces":
        whole = "OPEN" not in (value or "")
    if value and whole:
        return Entry(field, "filled", value)
    return Entry(field, "OPEN" if value or field.who.startswith("us") else "theirs", value or "")


def _authentication(record: Record) -> str | None:
    """The token endpoint's method of the client type (SMART App Launch 2.2; RFC 7591); none while it is undecided."""
    return {
        "public": "none",
        "confidential-symmetric": "client_secret_basic",
        "confidential-asymmetric": "private_key_jwt",
        None: None,
    }[record.clients[0].authentication]


def _confidential(record: Record) -> str | None:
    method = _authentication(record)
    return None if method is None else "no: public, with PKCE" if method == "none" else "yes: confidential"


def _access(record: Record) -> str | None:
    refresh = record.resolved.contract.session.refresh
    return None if refresh is None else "Offline" if refresh == "offline" else "Online"


def _refresh(record: Record) -> str | None:
    refresh = record.resolved.contract.session.refresh
    return None if refresh is None else "no" if refresh == "none" else f"yes ({refresh}_access)"


def _scope_version(record: Record) -> str | None:
    syntax, open_ = syntax_of(record.org)
    return None if open_ else f"SMART {syntax}"


def _scopes_product(record: Record) -> str | None:
    version = _scope_version(record)
    return version and f"FHIR {record.resolved.contract.fhir_release} {version.upper()}"


def _tenant(record: Record) -> str | None:
    base = record.org.fhir_base_url or ""
    return urlsplit(base).path.rpartition("/")[2] or None if base.startswith("http") else None


def _client_id(record: Record) -> str | None:
    """The variable that holds it; an organisation's file names one, which a probe signs in with as a service."""
    name = record.org.auth.client_id_env
    return f"in the variable {name}" if name and (record.alone or "backend" in record.modes) else None


def _interfaces(record: Record) -> str:
    needs = record.needs
    if any(need.writing.provenance and {*need.interactions} & {*_WRITES} for need in needs):
        needs = [*needs, Need(resource="Provenance", interactions=("create",))]
    return "; ".join(dict.fromkeys(line for need in needs for line in _interfaces_of(need, record.form)))


def _interfaces_of(need: Need, form: Form) -> Iterator[str]:
    """The vendor's name of each interaction of a need, or what is open about it."""
    category = category_of(need)
    for interaction in need.interactions:
        of_type = [
            name for name in form.interfaces if (name.resource, name.interaction) == (need.resource, interaction)
        ]
        interfaces: list[Interface] = [name for name in of_type if name.category in {None, category}]
        if interfaces:
            yield interfaces[0].name
        elif of_type and category is None:
            yield f"OPEN: which of {', '.join(interface.name for interface in of_type)}"
        else:
            yield f"OPEN: the name for {need.resource} {interaction}" + (f" ({category})" if category else "")


_VALUES: dict[str, Callable[[Record], str | None]] = {
    "access_type": _access,
    "authentication": _authentication,
    "client_id_env": _client_id,
    "confidential": _confidential,
    "contacts": lambda record: ", ".join(record.all("contacts")),
    "description": lambda record: record.resolved.description or record.resolved.contract.title,
    "fhir_base_url": lambda record: record.org.fhir_base_url,
    "fhir_release": lambda record: record.resolved.contract.fhir_release,
    "interfaces": _interfaces,
    "jwks_url": lambda record: record.first("jwks_url"),
    "launch_url": lambda record: record.first("launch_url"),
    "nothing": lambda record: None,
    "preview_or_production": lambda record: "Production" if record.org.environment == "production" else "Preview",
    "privacy_url": lambda record: record.first("privacy_url"),
    "product": lambda record: record.resolved.product,
    "redirect_uris": lambda record: " ".join(record.all("redirect_uris")),
    "refresh": _refresh,
    "scope_version": _scope_version,
    "scopes": lambda record: record.scope,
    "scopes_product": _scopes_product,
    "tenant": _tenant,
    "terms_url": lambda record: record.first("terms_url"),
}


def _metadata(record: Record) -> dict[str, Any]:
    """Client metadata of RFC 7591; a member that nobody has decided is left out."""
    user = bool(record.modes - {"backend"})
    refresh = user and record.resolved.contract.session.refresh in {"online", "offline"}
    grants = ["authorization_code"] * user + ["refresh_token"] * refresh
    members: dict[str, Any] = {
        "client_name": record.resolved.product,
        "redirect_uris": record.all("redirect_uris"),
        "token_endpoint_auth_method": _authentication(record),
        "grant_types": grants + ["client_credentials"] * ("backend" in record.modes),
        "response_types": ["code"] if user else None,
        "scope": record.scope,
        "contacts": record.all("contacts"),
        "tos_uri": record.first("terms_url"),
        "policy_uri": record.first("privacy_url"),
        "jwks_uri": record.first("jwks_url"),
        "software_id": str(uuid5(NAMESPACE_URL, f"{record.resolved.product} / {record.resolved.contract.title}")),
        "software_version": record.resolved.contract.version,
    }
    return {name: value for name, value in members.items() if value}


def _not_carried(record: Record) -> list[str]:
    """Outputs that nobody may write after this form alone."""
    writes = record.form.writes
    if writes is None:
        return []
    return [
        f"{named(need)}: {', '.join(name for name in need.need.interactions if name in _WRITES)}; {writes.why}"
        for need in record.org.needs
        if need.direction == "output" and need.need.resource not in writes.carried and need.need in record.needs
    ]


def _rests_on(record: Record, entries: list[Entry]) -> RestsOn:
    server, (_, syntax_open) = of_server(record.org, record.resolved.contract.fhir_release), syntax_of(record.org)
    open_ = [entry.field.label for entry in entries if entry.state == "OPEN"]
    guessed = [client.client.name for client in record.clients if not client.declared]
    assumed = [f"the labels are those of {record.form.seen.date}; a form changes without notice"]
    if record.form.id == GENERIC:
        assumed.append(f"no form of {record.org.vendor} is known: these are the members of RFC 7591")
    if guessed:
        assumed.append(
            f"{', '.join(guessed)} follows from the launch modes: contract.yaml names no such client "
            f"for {record.org.environment}"
        )
    ways = [client.path for client in record.clients if record.org.server is not None]
    unclear = [way.summary() for way in ways if way.state != "possible"]
    return RestsOn(
        (of_contract(record.resolved), f"orgs/{record.org.id}.yaml", *server.known),
        tuple(assumed),
        (*(f"{label} (OPEN)" for label in open_), *server.open, *syntax_open, *unclear, *not_offered(record.org)),
    )


def _data(record: Record, entries: list[Entry]) -> dict[str, Any]:
    return {
        "organization": record.org.id,
        "clients": [client.client.name for client in record.clients],
        "environment": record.org.environment,
        "client_metadata": _metadata(record),
        "form": {
            "title": record.form.title,
            "labels_seen": record.form.seen.date,
            "fields": [
                {"label": entry.field.label, "state": entry.state, "who": entry.field.who}
                | {key: value for key, value in (("value", entry.value), ("change", entry.field.change)) if value}
                for entry in entries
            ],
            "not_carried": _not_carried(record),
        },
        "credentials_from_environment": record.org.variables(),
        "rests_on": _rests_on(record, entries).as_data(),
    }


def _page(record: Record, entries: list[Entry]) -> Iterator[str]:
    form, org = record.form, record.org
    names = ", ".join(client.client.name for client in record.clients)
    yield f"# Registration at {_md(org.name)}: {_md(names)}"
    yield ""
    labels = f"labels as seen on {form.seen.date} in {', '.join(form.seen.sources)}"
    yield f"{_md(form.title)} · {org.environment} · {labels}"
    yield ""
    yield "| Field | Value | State | Who | Can be changed | Note |"
    yield "|---|---|---|---|---|---|"
    for field, state, value in entries:
        if state != "not asked here":
            note = " ".join(filter(None, (field.note, f"[{field.source}]" if field.source else "")))
            change = field.change or ("nobody said" if field.change is None else "")
            yield "| " + " | ".join(_md(cell) for cell in (field.label, value, state, field.who, change, note)) + " |"
    unasked = [entry.field.label for entry in entries if entry.state == "not asked here"]
    if unasked:
        yield from ("", f"Not asked here: {_md(', '.join(unasked))}.")
    for title, sentences in (
        ("What this form cannot carry", _not_carried(record)),
        (
            "What went wrong for others",
            [f"{trap.text} {f'[{trap.source}]' if trap.source else ''}" for trap in form.traps],
        ),
        ("What this rests on", list(_rests_on(record, entries).lines())),
    ):
        if sentences:
            yield from ("", f"## {title}", "", *(f"- {_md(text.strip())}" for text in sentences))
    yield from ("", "## Sources", "")
    for key, source in form.sources.items():
        address = f", {source.url}" if source.url else ""
        yield f"- {key}: {_md(source.title)}{address} ({source.date})"
    yield ""
    yield "No secret belongs here: orgs/ names the environment variables that hold them."


def _md(text: str) -> str:
    return escape(plain(text, 1200))
