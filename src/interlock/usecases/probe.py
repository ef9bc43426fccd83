"""Probing organisations or bare URLs, and saving what was seen."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from interlock.documents.redaction import without_secrets_in_use
from interlock.model.address_secrets import redacted_json
from interlock.model.errors import InterlockError
from interlock.model.observation import Observation, Target
from interlock.model.text import plain
from interlock.probe.checks.registry import list_checks
from interlock.probe.recheck import recheck, with_contract
from interlock.probe.runner import probe
from interlock.probe.transport.addresses import Origin, literal, origin
from interlock.probe.transport.plan import clean_base_url
from interlock.probe.transport.settings import USER_AGENT, ClientCertificate, ProbeEvent, ProbeSettings

if TYPE_CHECKING:
    from interlock.model.organization import Organization
    from interlock.usecases.drift import Comparer
    from interlock.workspace.store import Workspace

SANDBOX_SCHEME = "sandbox://"

__all__ = [
    "USER_AGENT",
    "ProbeEvent",
    "ProbeSettings",
    "bare_targets",
    "client_certificate",
    "earlier_observations",
    "list_checks",
    "named_origins",
    "private_origins_of",
    "probe_targets",
    "recheck_observation",
    "resolved",
    "targets_of",
]


def bare_targets(urls: Sequence[str]) -> tuple[Target, ...]:
    """Targets of URLs typed by a person.

    :raises InterlockError: a URL has no scheme or no host; the message shows the repaired one.
    """
    return tuple(
        Target.trusted(base_url=url if url.startswith(SANDBOX_SCHEME) else clean_base_url(url)) for url in urls
    )


def targets_of(organizations: Sequence[Organization]) -> tuple[Target, ...]:
    """Targets of organisations; those without a base URL are left out."""
    return tuple(
        Target(base_url=org.fhir_base_url, org=org.id, name=org.name, vendor=org.vendor)
        for org in organizations
        if org.fhir_base_url
    )


def private_origins_of(targets: Sequence[Target]) -> frozenset[Origin]:
    """Origins of targets that may be in a private network or on this machine, because the user named them."""
    return frozenset(where for target in targets if (where := origin(target.base_url.strip())) is not None)


def named_origins(names: Sequence[str], targets: Sequence[Target]) -> frozenset[Origin]:
    """Origins that ``--allow-private`` names, each by an organisation's id, a host, a host with its port, or a network.

    A host without a port stands for the usual ports and for those of its targets, a network for the targets in it.

    :raises InterlockError: a name is none of these.
    """
    homes = private_origins_of(targets)
    allowed: set[Origin] = set()
    for name in names:
        own = [target for target in targets if target.org == name]
        if own:
            allowed |= private_origins_of(own)
        elif "/" in name:
            network = _network(name)
            allowed |= {home for home in homes if (address := literal(home.host)) is not None and address in network}
        else:
            named = _host(name)
            allowed |= named
            if ":" not in name.rpartition("]")[2]:
                allowed |= {home for home in homes if home.host in {where.host for where in named}}
    return frozenset(allowed)


_ALLOWED = "--allow-private takes an organisation's id, HOST, HOST:PORT or a network like 10.1.0.0/16"


def _host(text: str) -> set[Origin]:
    try:
        urls = [clean_base_url(f"{scheme}://{text}") for scheme in ("http", "https")]
    except InterlockError:
        raise InterlockError(f"“{plain(text.rpartition('@')[2], 100)}” is no host", remedy=_ALLOWED) from None
    return {where for url in urls if (where := origin(url)) is not None}


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise InterlockError(f"“{plain(text, 100)}” is no network", remedy=_ALLOWED) from None


def client_certificate(certificate: Path | None, key: Path | None, password: str | None) -> ClientCertificate | None:
    """The client certificate that options and environment name, or none.

    :raises InterlockError: there is a key and no certificate.
    """
    if certificate is None:
        if key is not None:
            raise InterlockError("a client key was given without its certificate", remedy="add --client-cert FILE")
        return None
    return ClientCertificate(certificate, key, password)


@contextlib.contextmanager
def resolved(targets: Sequence[Target], settings: ProbeSettings) -> Iterator[tuple[tuple[Target, ...], ProbeSettings]]:
    """Replace ``sandbox://ID`` by the embedded sandbox's address, which is allowed and lives as long as the context.

    :raises InterlockError: the sandbox has no such organisation.
    """
    if not any(target.base_url.startswith(SANDBOX_SCHEME) for target in targets):
        yield tuple(targets), settings
        return
    from interlock.sandbox.server import SandboxServer

    with SandboxServer() as server:
        ours = {where for url in server.origins if (where := origin(url)) is not None}
        allowed = replace(settings, private_origins=settings.private_origins | ours)
        yield tuple(_resolve(target, server.base_url) for target in targets), allowed


def _resolve(target: Target, base_url: Callable[..., str]) -> Target:
    if not target.base_url.startswith(SANDBOX_SCHEME):
        return target
    org, *faults = target.base_url.removeprefix(SANDBOX_SCHEME).split("+")
    return target.model_copy(update={"base_url": base_url(org, *faults)})


async def probe_targets(
    targets: Sequence[Target],
    settings: ProbeSettings,
    on_event: Callable[[ProbeEvent], object] | None = None,
    workspace: Workspace | None = None,
    comparer: Comparer | None = None,
) -> AsyncIterator[Observation]:
    """Observations as they finish; an organisation's is saved, with its documents, before it is handed out.

    With a workspace each is compared with the organisation's last one; ``comparer`` is who does that.

    :raises InterlockError: there is nothing to probe.
    """
    if not targets:
        raise InterlockError("there is nothing to probe", remedy="give a URL, or add an organisation with a base URL")

    def heard(event: ProbeEvent) -> None:
        if workspace is not None and event.target.org is not None and event.bodies:
            from interlock.workspace.history import save_body

            for body in event.bodies.values():
                if _may_be_kept(body):
                    save_body(workspace, body)
        if on_event is not None:
            on_event(event)

    compared = _comparison(workspace)
    if workspace is not None and comparer is None:
        comparer = earlier_observations(workspace, targets)
    with resolved(targets, settings) as (addresses, allowed):
        async for observed in probe(addresses, allowed, heard):
            observation = compared(observed)
            if comparer is not None:
                observation = comparer.compared(observation)
            if workspace is not None and observation.target.org is not None:
                from interlock.workspace.history import save_observation

                save_observation(workspace, observation)
            yield observation


def _may_be_kept(body: bytes) -> bool:
    """Whether a document holds neither a secret in an address nor one that the server was sent by us."""
    text = body.decode("utf-8", "replace")
    return redacted_json(body) == body and without_secrets_in_use(text) == text


def earlier_observations(workspace: Workspace, targets: Sequence[Target]) -> Comparer:
    """What compares new observations of these targets with the last stored ones."""
    from interlock.usecases.drift import Comparer

    return Comparer(workspace, [target.org for target in targets if target.org is not None])


def _comparison(workspace: Workspace | None) -> Callable[[Observation], Observation]:
    """What adds the checks against the workspace's contract to an organisation's observation."""
    from interlock.contract.match import match_contract

    contract = workspace.contract() if workspace is not None else None
    if workspace is None or contract is None:
        return lambda observation: observation
    organizations = {org.id: org for org in workspace.read().organizations}

    def compare(observation: Observation) -> Observation:
        org = organizations.get(observation.target.org or "")
        if org is None:
            return observation
        return with_contract(observation, contract, match_contract(contract, org, observation))

    return compare


def recheck_observation(workspace: Workspace, observation: Observation) -> Observation:
    """The same observation with facts and checks worked out anew from the stored documents; nothing is contacted."""
    from interlock.workspace.history import load_bodies

    digests = {request.sha256 for request in observation.requests if request.sha256}
    return _comparison(workspace)(recheck(observation, load_bodies(workspace, sorted(digests))))
