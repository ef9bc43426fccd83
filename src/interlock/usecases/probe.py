"""Probing organisations or bare URLs, and saving what was seen."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

from interlock.model.errors import InterlockError
from interlock.model.observation import Observation, Target
from interlock.model.organization import Organization
from interlock.probe.checks.registry import list_checks
from interlock.probe.plan import clean_base_url
from interlock.probe.recheck import recheck
from interlock.probe.runner import ProbeEvent, ProbeSettings, probe
from interlock.workspace.history import load_bodies, save_body, save_observation
from interlock.workspace.store import Workspace

SANDBOX_SCHEME = "sandbox://"

__all__ = [
    "ProbeEvent",
    "ProbeSettings",
    "bare_targets",
    "list_checks",
    "probe_targets",
    "recheck_observation",
    "resolved",
    "targets_of",
]


def bare_targets(urls: Sequence[str]) -> tuple[Target, ...]:
    """Targets of URLs typed by a person.

    :raises InterlockError: a URL has no scheme or no host; the message shows the repaired one.
    """
    return tuple(Target(base_url=url if url.startswith(SANDBOX_SCHEME) else clean_base_url(url)) for url in urls)


def targets_of(organizations: Sequence[Organization]) -> tuple[Target, ...]:
    """Targets of organisations; those without a base URL are left out."""
    return tuple(Target(base_url=org.fhir_base_url, org=org.id) for org in organizations if org.fhir_base_url)


@contextlib.contextmanager
def resolved(targets: Sequence[Target]) -> Iterator[tuple[Target, ...]]:
    """Replace ``sandbox://ID`` by the embedded sandbox's address, which lives as long as the context.

    :raises InterlockError: the sandbox has no such organisation.
    """
    if not any(target.base_url.startswith(SANDBOX_SCHEME) for target in targets):
        yield tuple(targets)
        return
    from interlock.sandbox.server import SandboxServer

    with SandboxServer() as server:
        yield tuple(_resolve(target, server.base_url) for target in targets)


def _resolve(target: Target, base_url: Callable[..., str]) -> Target:
    if not target.base_url.startswith(SANDBOX_SCHEME):
        return target
    org, *faults = target.base_url.removeprefix(SANDBOX_SCHEME).split("+")
    return target.model_copy(update={"base_url": base_url(org, *faults)})


async def probe_targets(
    targets: Sequence[Target],
    settings: ProbeSettings,
    on_event: Callable[[ProbeEvent], None] | None = None,
    workspace: Workspace | None = None,
) -> AsyncIterator[Observation]:
    """Observations as they finish; an organisation's is saved, with its documents, before it is handed out.

    :raises InterlockError: there is nothing to probe.
    """
    if not targets:
        raise InterlockError("there is nothing to probe", remedy="give a URL, or add an organisation with a base URL")

    def heard(event: ProbeEvent) -> None:
        if workspace is not None and event.target.org is not None:
            for body in event.bodies.values():
                save_body(workspace, body)
        if on_event is not None:
            on_event(event)

    with resolved(targets) as addresses:
        async for observation in probe(addresses, settings, heard):
            if workspace is not None and observation.target.org is not None:
                save_observation(workspace, observation)
            yield observation


def recheck_observation(workspace: Workspace, observation: Observation) -> Observation:
    """The same observation with facts and checks worked out anew from the stored documents; nothing is contacted."""
    digests = {request.sha256 for request in observation.requests if request.sha256}
    return recheck(observation, load_bodies(workspace, sorted(digests)))
