"""``interlock org``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from interlock.cli.options import TableOrJson, WorkspaceOption

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
NoteOption = Annotated[str | None, typer.Option("--note", help="A note.")]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The organisation's name.", metavar="NAME")],
    url: UrlOption = None,
    vendor: VendorOption = None,
    environment: EnvironmentOption = None,
    org_id: Annotated[str | None, typer.Option("--id", help="An id; by default made from the name.")] = None,
    note: NoteOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Add an organisation."""
    from interlock.cli.output import say
    from interlock.model.errors import InterlockError
    from interlock.usecases.load import open_workspace
    from interlock.usecases.organizations import add_organization

    if not name.strip():
        raise InterlockError("an organisation needs a name", remedy='interlock org add "Riverside Regional" --url URL')

    fields = {
        "id": org_id,
        "name": name,
        "vendor": vendor,
        "environment": environment,
        "fhir_base_url": url,
        "note": note,
    }
    org = add_organization(open_workspace(workspace or Path()), fields)
    following = f"probe --org {org.id}" if org.fhir_base_url else f"org edit {org.id} --url URL"
    say(f"Added {org.name} as {org.id}. Next: interlock {following}")


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
        Literal["sandbox", "non-production", "production"], typer.Option("--environment", help="Which they are.")
    ] = "production",
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be added, and save nothing.")] = False,
    output: TableOrJson = "table",
    workspace: WorkspaceOption = None,
) -> None:
    """Add organisations from a vendor's directory of endpoints; existing ones stay as they are."""
    from interlock.cli.imports import show_import
    from interlock.cli.output import emit_json
    from interlock.model.errors import InterlockError
    from interlock.usecases.load import open_workspace
    from interlock.usecases.org_import import import_organizations as run

    result = run(
        open_workspace(workspace or Path()),
        None if source == "-" else Path(source),
        name=name,
        vendor=vendor,
        environment=environment,
        limit=limit,
        dry_run=dry_run,
    )
    if output == "json":
        emit_json(result)
    else:
        show_import(result)
    if not result.distinct:
        raise InterlockError(
            "the file lists no usable base URL",
            remedy="give a FHIR Bundle of Endpoints, a CSV with a column base_url or url, or one address a line",
        )


@app.command("list")
def list_organizations(output: TableOrJson = "table", workspace: WorkspaceOption = None) -> None:
    """List the organisations."""
    from interlock.cli.output import emit_json, say, show_table
    from interlock.usecases.load import open_workspace

    organizations = open_workspace(workspace or Path()).read().organizations
    if output == "json":
        emit_json([org.model_dump(mode="json", exclude_none=True) for org in organizations])
    elif not organizations:
        say("No organisation yet. Add one: interlock org add NAME --url URL")
    else:
        longest = max(len(org.id) for org in organizations)
        show_table(
            [("Id", {"min_width": min(longest, 30)}), "Name", "Vendor", "Environment", "FHIR base URL"],
            [(o.id, o.name, o.vendor, o.environment, o.fhir_base_url or "not known") for o in organizations],
        )


@app.command("show")
def show(org_id: IdArgument, output: TableOrJson = "table", workspace: WorkspaceOption = None) -> None:
    """Show one organisation."""
    from interlock.cli.output import emit_json, show_table
    from interlock.usecases.load import load_inputs, open_workspace

    org = load_inputs(open_workspace(workspace or Path())).organization(org_id)
    data: dict[str, Any] = org.model_dump(mode="json", exclude_none=True)
    if output == "json":
        emit_json(data)
    else:
        show_table(["Field", "Value"], [(key, value) for key, value in data.items() if value not in ({}, [])])


@app.command("edit")
def edit(
    org_id: IdArgument,
    name: Annotated[str | None, typer.Option("--name", help="A new name.")] = None,
    url: UrlOption = None,
    vendor: VendorOption = None,
    environment: EnvironmentOption = None,
    note: NoteOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Change an organisation; what is not given stays."""
    from interlock.cli.output import say
    from interlock.usecases.load import load_inputs, open_workspace
    from interlock.usecases.organizations import edit_organization

    place = open_workspace(workspace or Path())
    org = load_inputs(place).organization(org_id)
    changes = {"name": name, "vendor": vendor, "environment": environment, "fhir_base_url": url, "note": note}
    changed = edit_organization(place, org, changes)
    say(f"Saved {changed.id}.")


@app.command("remove")
def remove(org_id: IdArgument, workspace: WorkspaceOption = None) -> None:
    """Remove an organisation; its answers and observations stay."""
    from interlock.cli.output import say
    from interlock.usecases.load import open_workspace

    kept = open_workspace(workspace or Path()).remove_organization(org_id)
    say(f"Removed {org_id}." + "".join(f"\nKept: {path}" for path in kept))
