"""What a workspace may do: asking a person at the terminal."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from interlock.cli.output import say, show_table
from interlock.model import words
from interlock.model.text import plain
from interlock.model.trust import Grant
from interlock.usecases.trust import is_foreign


def state(allowed: bool) -> str:
    """Whether something is allowed, in a word."""
    return "allowed" if allowed else "new"


def show_credentials(grants: Sequence[tuple[Grant, bool]]) -> None:
    """A table of credentials: what is read, and where it goes. The second of a pair says whether it is allowed."""
    say("Credentials: the value of a variable, from your environment or keyring, goes to one address.")
    show_table(
        ["Organisation", "Variable", "Used as", "Goes to", ""],
        [
            (grant.org, grant.variable, (grant.role or "").replace("_", " "), grant.origin, state(allowed))
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
