"""``interlock org``."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from interlock.cli.commands.trust import choose, show_credentials
from interlock.cli.options import TableOrJson, WorkspaceOption
from interlock.cli.output import blank, emit_json, emit_result, say, show_table
from interlock.model import words
from interlock.model.errors import InterlockError
from interlock.model.fleet import DroppedAddress, ImportResult
from interlock.model.organization import Organization
from interlock.usecases.load import load_inputs
from interlock.usecases.opening import open_workspace
from interlock.usecases.organizations import add_organization, edit_organization
from interlock.usecases.organizations import import_organizations as run
from interlock.usecases.trust import allow_more, new_credentials

if TYPE_CHECKING:
    from interlock.workspace.store import Workspace

_ROWS = 40
_EXAMPLES = 3
_REASONS = 12


app = typer.Typer(help="Add, import, list, show, change and remove organisations.", no_args_is_help=True)

IdArgument = Annotated[str, typer.Argument(help="The organisation's id.", metavar="ID")]
VendorOption = Annotated[
    str | None, typer.Option("--vendor", help="epic, oracle, athenahealth, meditech, or another name.")
]
EnvironmentOption = Annotated[
    Literal["sandbox", "non-production", "production"] | None,
    typer.Option("--environment", help="Which environment it is."),
]
UrlOption = Annotated[str | None, typer.Option("--url", help="FHIR base URL.", metavar="URL")]
ClientIdOption = Annotated[
    str | None,
    typer.Option("--client-id-env", help="Variable that holds the client id, like INTERLOCK_CRED_…", metavar="NAME"),
]
SecretOption = Annotated[
    str | None, typer.Option("--client-secret-env", help="Variable that holds the client secret.", metavar="NAME")
]
KeyOption = Annotated[
    str | None,
    typer.Option("--private-key-env", help="Variable that holds the private key, or its file's path.", metavar="NAME"),
]
KeyIdOption = Annotated[
    str | None, typer.Option("--key-id-env", help="Variable that holds the key's id, for a PEM key.", metavar="NAME")
]
TokenOption = Annotated[
    str | None, typer.Option("--bearer-token-env", help="Variable that holds a bearer token.", metavar="NAME")
]
RefreshOption = Annotated[
    str | None,
    typer.Option("--refresh-token-env", help="Variable that holds a refresh token, to be spent.", metavar="NAME"),
]
NoteOption = Annotated[str | None, typer.Option("--note", help="A note.")]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The organisation's name.", metavar="NAME")],
    url: UrlOption = None,
    vendor: VendorOption = None,
    environment: EnvironmentOption = None,
    org_id: Annotated[str | None, typer.Option("--id", help="An id; by default made from the name.")] = None,
    note: NoteOption = None,
    client_id_env: ClientIdOption = None,
    client_secret_env: SecretOption = None,
    private_key_env: KeyOption = None,
    key_id_env: KeyIdOption = None,
    bearer_token_env: TokenOption = None,
    refresh_token_env: RefreshOption = None,
    folder: WorkspaceOption = None,
) -> None:
    """Add an organisation."""
    if not name.strip():
        raise InterlockError("an organisation needs a name", remedy='interlock org add "Riverside Regional" --url URL')

    fields = {
        "id": org_id,
        "name": name,
        "vendor": vendor,
        "environment": environment,
        "fhir_base_url": url,
        "note": note,
        "auth": _auth(
            client_id_env, client_secret_env, private_key_env, key_id_env, bearer_token_env, refresh_token_env
        ),
    }
    workspace = open_workspace(folder)
    org = add_organization(workspace, fields)
    following = f"probe --org {org.id}" if org.fhir_base_url else f"org edit {org.id} --url URL"
    say(f"Added {org.name} as {org.id}. Next: interlock {following}")
    _offer_trust(workspace, org)


@app.command("import", short_help="Add organisations from a directory of endpoints.")
def import_organizations(
    source: Annotated[
        str, typer.Argument(help="A FHIR bundle, CSV or list of endpoints, also gzip; - for stdin.", metavar="FILE")
    ],
    name: Annotated[
        str | None, typer.Option("--name", help="Only organisations named so; * and ? allowed.", metavar="TEXT")
    ] = None,
    vendor: Annotated[
        str | None,
        typer.Option("--vendor", help="Only this vendor's; in a directory that names none: whose they all are."),
    ] = None,
    environment: Annotated[
        Literal["sandbox", "non-production", "production"] | None,
        typer.Option("--environment", help="Which they are; by default what the directory says, or else production."),
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be added, and save nothing.")] = False,
    output: TableOrJson = "table",
    folder: WorkspaceOption = None,
) -> None:
    """Add organisations from a vendor's directory of endpoints; existing ones stay as they are."""
    result = run(
        open_workspace(folder),
        None if source == "-" else Path(source),
        name=name,
        vendor=vendor,
        environment=environment,
        limit=limit,
        dry_run=dry_run,
    )
    emit_result(output, result, show_import)
    if not result.distinct:
        raise InterlockError(
            "the file lists no usable base URL",
            remedy="give a FHIR Bundle of Endpoints, a CSV with a column base_url or url, or one address a line",
        )


@app.command("list")
def list_organizations(output: TableOrJson = "table", folder: WorkspaceOption = None) -> None:
    """List the organisations."""
    organizations = open_workspace(folder).read().organizations
    if output == "json":
        emit_json([org.model_dump(mode="json", exclude_none=True) for org in organizations])
    elif not organizations:
        say("No organisation yet. Add one: interlock org add NAME --url URL")
    else:
        longest = max(len(org.id) for org in organizations)
        show_table(
            [("Id", {"min_width": min(longest, 30)}), "Name", "Vendor", "Environment", "FHIR base URL"],
            [
                (org.id, org.name, words.vendor(org.vendor), org.environment, org.fhir_base_url or "not known")
                for org in organizations
            ],
        )


@app.command("show")
def show(org_id: IdArgument, output: TableOrJson = "table", folder: WorkspaceOption = None) -> None:
    """Show one organisation, with its values of the contract's settings."""
    inputs = load_inputs(open_workspace(folder))
    fields = inputs.organization(org_id).model_dump(mode="json", exclude_none=True)
    if output == "json":
        emit_json(fields)
        return
    fit = inputs.fits.get(org_id)
    told = {"overrides"} if fit and fit.settings else set()
    rows = [(name, value) for name, value in fields.items() if value not in ({}, []) and name not in told]
    show_table(["Field", "Value"], rows)
    if fit and fit.settings:
        blank()
        show_table(
            ["Setting", "Value", "Default", "Where it comes from"],
            [
                (
                    match.name,
                    match.value or "",
                    match.default or "none",
                    "; ".join(filter(None, (words.SETTING[match.outcome].phrase, match.note))),
                )
                for match in fit.settings
            ],
        )


@app.command("edit")
def edit(
    org_id: IdArgument,
    name: Annotated[str | None, typer.Option("--name", help="A new name.")] = None,
    url: UrlOption = None,
    vendor: VendorOption = None,
    environment: EnvironmentOption = None,
    note: NoteOption = None,
    client_id_env: ClientIdOption = None,
    client_secret_env: SecretOption = None,
    private_key_env: KeyOption = None,
    key_id_env: KeyIdOption = None,
    bearer_token_env: TokenOption = None,
    refresh_token_env: RefreshOption = None,
    folder: WorkspaceOption = None,
) -> None:
    """Change an organisation; what is not given stays."""
    workspace = open_workspace(folder)
    org = load_inputs(workspace).organization(org_id)
    auth = _auth(client_id_env, client_secret_env, private_key_env, key_id_env, bearer_token_env, refresh_token_env)
    changes = {
        "name": name,
        "vendor": vendor,
        "environment": environment,
        "fhir_base_url": url,
        "note": note,
        "auth": auth,
    }
    changed = edit_organization(workspace, org, changes)
    say(f"Saved {changed.id}.")
    if url is not None or any(auth.values()):
        _offer_trust(workspace, changed)


@app.command("remove")
def remove(org_id: IdArgument, folder: WorkspaceOption = None) -> None:
    """Remove an organisation; its answers and observations stay."""
    kept = open_workspace(folder).remove_organization(org_id)
    say(f"Removed {org_id}." + "".join(f"\nKept: {path}" for path in kept))


def _auth(*names: str | None) -> dict[str, str | None]:
    """The variables' names by field, as the options give them in this order."""
    fields = ("client_id", "client_secret", "private_key", "key_id", "bearer_token", "refresh_token")
    return {f"{field}_env": name for field, name in zip(fields, names, strict=True)}


def _offer_trust(workspace: Workspace, org: Organization) -> None:
    """Ask once whether an organisation's credentials may go to its base; without a terminal, say how to allow it."""
    new = new_credentials(workspace, org)
    if not new:
        return
    show_credentials([(grant, False) for grant in new])
    if sys.stdin.isatty():
        allow_more(workspace, choose(new))
    else:
        say("They are not sent anywhere yet. Allow it: interlock trust")


def show_import(result: ImportResult) -> None:
    """The organisations as a table on stdout; counts, and what was dropped and why, on stderr."""
    if result.added:
        show_table(
            [
                ("Id", {"ratio": 2}),
                ("Name", {"ratio": 3}),
                ("Vendor", {"no_wrap": True}),
                ("FHIR base URL", {"ratio": 4}),
            ],
            [(org.id, org.name, words.vendor(org.vendor), org.fhir_base_url) for org in result.added[:_ROWS]],
        )
        if len(result.added) > _ROWS:
            say(f"… and {len(result.added) - _ROWS:,} more; --format json lists them all, --name picks some")
    verb = "Added" if result.saved else "Would add"
    say(f"{verb} {words.count(len(result.added), 'organisation')}.")
    say(
        f"The file lists {words.count(result.listed, 'address', 'addresses')}: "
        f"{words.count(result.distinct, 'different base URL')} of {words.count(result.organizations, 'organisation')}."
    )
    if result.picked + result.parts != result.organizations:
        say(f"{result.picked:,} of them {words.agree(result.picked, 'was', 'were')} picked.")
    if result.known:
        known = words.listed([org.id for org in result.known], 5)
        say(f"{words.count(len(result.known), 'organisation')} known already and left as it is: {known}")
    if result.left_out:
        say(f"{result.left_out:,} left out by --limit.")
    _tell_of_bases(result)
    for note in result.notes:
        say(f"Note: {note}.")
    repaired = Counter(repair for org in result.added for repair in org.repairs)
    if repaired:
        say("Cleaned: " + ", ".join(f"{repair} ({count:,})" for repair, count in repaired.most_common()))
    _tell_dropped("Dropped {}:", words.count(len(result.dropped), "address", "addresses"), result.dropped)
    _tell_dropped("{} without a base URL:", words.count(len(result.unreached), "listed organisation"), result.unreached)


def _tell_of_bases(result: ImportResult) -> None:
    """What the table does not show of the bases: who shares one, which others there are, which are no production."""
    shared = [org for org in result.added if org.shared_by > 1]
    if shared:
        bases = len({org.fhir_base_url for org in shared})
        say(
            f"{len(shared):,} of them {words.agree(len(shared), 'has', 'have')} a base URL that several listed "
            f"organisations share ({words.count(bases, 'such base URL')}, like {shared[0].fhir_base_url}, of "
            f"{shared[0].shared_by:,}): ask how the server tells them apart."
        )
    several = [org for org in result.added if org.other_bases]
    for org in several[:_EXAMPLES]:
        others = [
            " ".join(filter(None, (base.release, base.kind if base.kind == "bulk" else "", base.fhir_base_url)))
            for base in org.other_bases
        ]
        say(f"{org.name} is listed at other base URLs too: {words.listed(others, _EXAMPLES)}")
    if len(several) > _EXAMPLES:
        say(f"So are {len(several) - _EXAMPLES:,} more; --format json lists them all.")
    if several:
        say("To integrate with another of them: interlock org edit ID --url URL")
    if result.parts:
        say(
            f"Not added: {words.count(result.parts, 'organisation')} without a base URL of its own, which is part of "
            "another that has one; --name adds it by itself."
        )
    inherited = [org for org in result.added if org.part_of]
    if inherited:
        say(f"{inherited[0].name} has the base URL of {inherited[0].part_of}, which it is part of.")
    environments = Counter(org.environment for org in result.added)
    if len(environments) > 1:
        say("Environments: " + ", ".join(f"{count:,} {name}" for name, count in environments.most_common()))


def _tell_dropped(head: str, counted: str, lines: tuple[DroppedAddress, ...]) -> None:
    """How many lines there are for each reason, the most frequent first, and one of each."""
    if not lines:
        return
    say(head.format(counted))
    first: dict[str, DroppedAddress] = {}
    for line in lines:
        first.setdefault(line.reason, line)
    reasons = Counter(line.reason for line in lines).most_common()
    for reason, count in reasons[:_REASONS]:
        line = first[reason]
        where = f"{line.location}: {line.address}" if line.address else f"{line.location}, {line.name or 'no name'}"
        say(f"  {count:,}  {reason}, like {where}")
    if len(reasons) > _REASONS:
        rest = sum(count for _, count in reasons[_REASONS:])
        say(f"  {rest:,}  for {len(reasons) - _REASONS:,} other reasons; --format json lists them all")
