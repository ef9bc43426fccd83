"""``interlock trust``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.options import TableOrJson
from interlock.cli.output import emit_json, say, show_table
from interlock.model import words
from interlock.model.errors import InterlockError
from interlock.model.text import plain
from interlock.model.trust import Grant, TrustReport
from interlock.usecases.opening import open_workspace
from interlock.usecases.trust import allow, forget_workspace, is_foreign, trust_report, trusted_workspaces


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
        kind: [e for e in report.asked if e.grant.kind == kind]
        for kind in ("credential", "private_base", "content", "command")
    }
    if by_kind["credential"]:
        show_credentials([(entry.grant, entry.allowed) for entry in by_kind["credential"]])
    if by_kind["private_base"]:
        say("Addresses on this machine or in a private network:")
        show_table(
            ["Organisation", "Address", ""],
            [(e.grant.org, e.grant.origin, _state(e.allowed)) for e in by_kind["private_base"]],
        )
    for entry in by_kind["content"]:
        say(
            f"Questions and rules of its own ({_state(entry.allowed)}). They are judged in any case, and a report's "
            "first page names every difference from ours."
        )
    for entry in by_kind["command"]:
        say(f"A program, run for a rehearsal of the product ({_state(entry.allowed)}):")
        say(f"  {plain(entry.grant.command or '', 1000)}")
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


def _state(allowed: bool) -> str:
    """Whether something is allowed, in a word."""
    return "allowed" if allowed else "new"


def show_credentials(grants: Sequence[tuple[Grant, bool]]) -> None:
    """A table of credentials: what is read, and where it goes. The second of a pair says whether it is allowed."""
    say("Credentials: the value of a variable, from your environment or keyring, goes to one address.")
    show_table(
        ["Organisation", "Variable", "Used as", "Goes to", ""],
        [
            (grant.org, grant.variable, (grant.role or "").replace("_", " "), grant.origin, _state(allowed))
            for grant, allowed in grants
        ],
    )


def choose(new: Sequence[Grant]) -> list[Grant]:
    """What the person at the terminal allows."""
    foreign = [grant for grant in new if is_foreign(grant)]
    rest = [grant for grant in new if not is_foreign(grant)]
    chosen: list[Grant] = []
    names = tuple(dict.fromkeys(grant.variable or "" for grant in foreign))
    apart = f", apart from {plain(words.listed(names), 400)}" if names else ""
    if rest and typer.confirm(f"Allow what is new here{apart}?", err=True):
        chosen += rest
    for name in names:
        wanted = [grant for grant in foreign if grant.variable == name]
        origins = ", ".join(dict.fromkeys(grant.origin or "" for grant in wanted))
        typed = typer.prompt(
            f"{plain(name, 130)} may belong to another program. Type its name to let its value go to "
            f"{plain(origins, 400)}; press Enter to leave it out",
            default="",
            show_default=False,
            err=True,
        )
        if typed.strip() == name:
            chosen += wanted
    return chosen
