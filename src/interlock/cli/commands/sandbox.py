"""``interlock sandbox``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from interlock.cli.options import WorkspaceOption
from interlock.cli.output import emit, say, show_table
from interlock.model.errors import InterlockError
from interlock.usecases.opening import open_workspace
from interlock.usecases.sandbox import Application, fault_names, observed_hospital, serve


def sandbox(
    orgs: Annotated[
        str | None, typer.Option("--orgs", help="Organisations, with faults: riverside,lakeshore+slow.", metavar="A,B")
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port on loopback; 0 takes a free one.")] = 0,
    apart: Annotated[
        Literal["addresses", "ports"] | None,
        typer.Option("--apart", help="Each hospital at an address (127.0.0.2, 127.0.0.3 …) or a port of its own."),
    ] = None,
    list_faults: Annotated[bool, typer.Option("--list-faults", help="List the faults by name and stop.")] = False,
    redirect: Annotated[
        list[str] | None, typer.Option("--redirect", help="Redirect address of your own application.", metavar="URL")
    ] = None,
    launch_url: Annotated[
        str | None, typer.Option("--launch-url", help="Its EHR launch address.", metavar="URL")
    ] = None,
    client_id: Annotated[str, typer.Option("--client-id", help="Its client id at every organisation.")] = "my-app",
    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", help="Fault that it alone meets, once it has signed in.", metavar="NAME"),
    ] = None,
    tape: Annotated[
        Path | None,
        typer.Option("--tape", help="New file for every request that arrives, as NDJSON.", metavar="FILE"),
    ] = None,
    from_observation: Annotated[
        list[str] | None,
        typer.Option(
            "--from-observation",
            help="Play this organisation of the workspace as it was last observed. May be repeated.",
            metavar="ORG",
        ),
    ] = None,
    folder: WorkspaceOption = None,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0, help="Stop after this time.")] = None,
) -> None:
    """Serve the simulated organisations on loopback until interrupted, and say what is asked of them.

    With --redirect your own application is registered at all of them, as a public client: it can sign in there.
    """
    if list_faults:
        show_table(["Fault", "What it does"], list(fault_names().items()))
        return
    if fault and not redirect:
        raise InterlockError(
            "--fault is for an application that signs in", remedy="add --redirect URL, or use --orgs riverside+slow"
        )

    def ready(urls: object) -> None:
        assert isinstance(urls, dict)
        for name, url in urls.items():
            emit(f"{name}\t{url}")
        say("Serving. Stop with Ctrl-C.")

    played = {}
    for org in dict.fromkeys(from_observation or ()):
        hospital = observed_hospital(open_workspace(folder), org)
        played[org] = hospital.organization
        say(f"{org}: {hospital.organization.description} Not played:")
        for limit in hospital.limits:
            say(f"  - {limit}")
    application = Application(client_id, tuple(redirect), launch_url, tuple(fault or ())) if redirect else None
    names = [name.strip() for name in orgs.split(",") if name.strip()] if orgs else None
    serve(names, port, ready, seconds, say, application, apart=apart, tape=tape, observed=tuple(played.values()))
