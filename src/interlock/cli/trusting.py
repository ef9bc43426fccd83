"""What a workspace may do: asking a person at the terminal, and a probe that keeps to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from interlock.cli.output import say, show_table
from interlock.model import words
from interlock.model.text import plain
from interlock.model.trust import Grant
from interlock.usecases.trust import is_foreign

if TYPE_CHECKING:
    from interlock.model.observation import Observation, Target
    from interlock.usecases.probe import ProbeSettings
    from interlock.workspace.store import Workspace


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


def as_trusted(
    settings: ProbeSettings, workspace: Workspace, targets: Sequence[Target], run_only: Sequence[str], *, sample: bool
) -> ProbeSettings:
    """The settings with what a workspace's organisations may get: private addresses, credentials, the certificate.

    Says which organisations are probed without credentials. ``run_only`` are the values of ``--trust-credentials``.

    :raises InterlockError: nothing can be sampled, or a value of ``run_only`` is wrong.
    """
    from interlock.usecases.credentials import sample_plans
    from interlock.usecases.trust import certificate_origins, granted, grants_for_run, trusted_origins

    wanted = {target.org for target in targets}
    organizations = [org for org in workspace.read().organizations if org.id in wanted]
    grants = granted(workspace) | grants_for_run(organizations, run_only)
    settings = replace(settings, private_origins=settings.private_origins | trusted_origins(workspace))
    if settings.client_certificate is not None:
        bound = replace(settings.client_certificate, origins=certificate_origins(grants))
        settings = replace(settings, client_certificate=bound)
    if sample:
        plans = sample_plans(workspace.root, organizations, grants)
        for reason in plans.without.values():
            say(f"Probed without credentials: {reason}")
        settings = replace(settings, samples=plans.plans)
    return settings


def tell_private(observations: Sequence[Observation]) -> None:
    """How organisations are contacted whose base lies in a private network, where some were not."""
    refused = [
        observation.target.org
        for observation in observations
        if observation.target.org is not None
        and any(record.purpose == "metadata" and record.failure == "refused" for record in observation.requests)
    ]
    if refused:
        names = plain(words.listed(refused), 400)
        say(f"Not contacted: {names}. To look at it and allow it: interlock trust, or --allow-private ORG")
