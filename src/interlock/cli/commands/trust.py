"""``interlock trust``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.options import TableOrJson
from interlock.cli.output import emit_json, say, show_table
from interlock.cli.trusting import choose, show_credentials, state
from interlock.model import words
from interlock.model.errors import InterlockError
from interlock.model.trust import TrustReport
from interlock.usecases.load import open_workspace
from interlock.usecases.trust import allow, forget_workspace, trust_report, trusted_workspaces


def trust(
    directory: Annotated[
        Path, typer.Argument(help="Workspace folder; by default the one here or above.", metavar="DIR")
    ] = Path(),
    everything: Annotated[bool, typer.Option("--list", help="Show every workspace that you trust.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Trust this workspace with nothing any more.")] = False,
    output: TableOrJson = "table",
) -> None:
    """Show what a workspace asks for beyond being read, and allow it."""
    if everything:
        _show_trusted(output)
        return
    if forget:
        say(f"Forgotten: {forget_workspace(directory)}. It may do nothing any more.")
        return
    workspace = open_workspace(directory)
    report = trust_report(workspace)
    if output == "json":
        emit_json(report)
        return
    _show(report)
    new = [entry.grant for entry in report.asked if not entry.allowed]
    if not new:
        say("Nothing is asked for that you have not allowed." if report.asked else "This workspace asks for nothing.")
        allow(workspace, report.asked)
        return
    if not sys.stdin.isatty():
        raise InterlockError(
            "nothing was allowed: that takes a person at a terminal",
            remedy="without one, allow it for a single run: interlock probe --trust-credentials ORG=HOST, "
            "--allow-private ORG",
        )
    chosen = choose(new)
    kept = [entry for entry in report.asked if entry.allowed or entry.grant in chosen]
    allow(workspace, kept)
    say(
        f"Allowed {len(chosen)} of {len(new)}. interlock trust --forget takes everything back."
        if chosen
        else "Nothing was allowed."
    )


def _show(report: TrustReport) -> None:
    by_kind = {
        kind: [e for e in report.asked if e.grant.kind == kind] for kind in ("credential", "private_base", "content")
    }
    if by_kind["credential"]:
        show_credentials([(entry.grant, entry.allowed) for entry in by_kind["credential"]])
    if by_kind["private_base"]:
        say("Addresses on this machine or in a private network:")
        show_table(
            ["Organisation", "Address", ""],
            [(e.grant.org, e.grant.origin, state(e.allowed)) for e in by_kind["private_base"]],
        )
    for entry in by_kind["content"]:
        say(
            f"Questions and rules of its own ({state(entry.allowed)}). They are judged in any case, and a report's "
            "first page names every difference from ours."
        )
    for org in report.unresolved:
        say(f"{org}: its host has no address now; if it is a private one, that is asked for when it has.")


def _show_trusted(output: str) -> None:
    known = trusted_workspaces()
    if output == "json":
        emit_json([workspace.model_dump(mode="json", exclude_none=True) for workspace in known])
    elif not known:
        say("No workspace is trusted with anything.")
    else:
        show_table(
            ["Workspace", "Allowed", "Since"],
            [(workspace.root, len(workspace.grants), words.iso_day(workspace.changed)) for workspace in known],
        )
