"""Probing organisations or bare URLs, and saving what was seen."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from interlock.model import words
from interlock.model.base import CheckOutcome, Severity
from interlock.model.errors import InterlockError, ThresholdNotMetError
from interlock.model.fleet import FleetSummary
from interlock.model.observation import Observation, Target
from interlock.model.text import plain
from interlock.probe.runner import probe
from interlock.probe.transport.addresses import Origin, literal, origin
from interlock.probe.transport.plan import clean_base_url
from interlock.probe.transport.settings import USER_AGENT, ClientCertificate, ProbeEvent, ProbeSettings

if TYPE_CHECKING:
    from interlock.model.organization import Organization
    from interlock.usecases.observations import Comparer

SANDBOX_SCHEME = "sandbox://"

__all__ = [
    "USER_AGENT",
    "ProbeEvent",
    "ProbeSettings",
    "bare_targets",
    "client_certificate",
    "named_origins",
    "private_origins_of",
    "probe_targets",
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
    if certificate is None and key is not None:
        raise InterlockError("a client key was given without its certificate", remedy="add --client-cert FILE")
    return ClientCertificate(certificate, key, password) if certificate is not None else None


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
    comparer: Comparer | None = None,
    wanted: Callable[[Target], bool] | None = None,
) -> AsyncIterator[Observation]:
    """Observations as they finish. Targets that share a base are asked once, and each has its observation.

    ``comparer`` is a workspace's: an organisation's observation is compared and saved, with its documents, before it is
    handed out. A target that is no longer ``wanted`` is left, and has no observation; it is asked again and again.

    :raises InterlockError: there is nothing to probe.
    """
    if not targets:
        raise InterlockError("there is nothing to probe", remedy="give a URL, or add an organisation with a base URL")

    def heard(event: ProbeEvent) -> None:
        for target in sharing[_key(event.target)]:
            if comparer is not None and target.org is not None and event.bodies:
                comparer.save_documents(event.bodies.values())
            if on_event is not None:
                observation = event.observation.but(target=target) if event.observation is not None else None
                on_event(replace(event, target=target, observation=observation))

    def crowd_wanted(first: Target) -> bool:
        return wanted is None or any(wanted(target) for target in sharing[_key(first)])

    with resolved(targets, settings) as (addresses, allowed):
        sharing = _sharing(addresses, settings)
        firsts = [crowd[0] for crowd in sharing.values()]
        async for observation in probe(firsts, allowed, heard, None if wanted is None else crowd_wanted):
            # An address that holds a secret is kept without it, and is shared by nobody.
            for target in sharing.get(_key(observation.target), [observation.target]):
                if wanted is not None and not wanted(target):
                    continue
                told = observation.but(target=target)
                yield told if comparer is None else comparer.saved(told)


def _key(target: Target) -> str:
    return target.org or target.base_url


def _sharing(targets: Sequence[Target], settings: ProbeSettings) -> dict[str, list[Target]]:
    """The targets of each base, by the key of the first; one that a sample is taken for stands alone.

    A sample is taken with the credentials of its organisation, which see what others may not.
    """
    crowds: dict[tuple[str, str | None], list[Target]] = {}
    for target in targets:
        base = target.base_url
        with contextlib.suppress(InterlockError):
            base = clean_base_url(base)
        crowds.setdefault((base, target.org if target.org in settings.samples else None), []).append(target)
    return {_key(crowd[0]): crowd for crowd in crowds.values()}


def check_failures(observations: Sequence[Observation], fail_on: Severity) -> None:
    """Hold failed checks against a severity.

    :raises ThresholdNotMetError: a check of at least that severity failed; names the first of them.
    """
    failed = [
        f"{observation.target.org or observation.target.base_url}: {check.id} ({words.SEVERITY[check.severity].phrase})"
        for observation in observations
        for check in observation.checks
        if check.outcome is CheckOutcome.FAIL and check.severity.rank <= fail_on.rank
    ]
    if failed:
        checks = f"{words.count(len(failed), 'check')} of severity {words.SEVERITY[fail_on].phrase} or worse failed"
        more = f" and {len(failed) - 5} more" if len(failed) > 5 else ""
        raise ThresholdNotMetError(f"{checks}: {'; '.join(failed[:5])}{more}")


def check_summary(summary: FleetSummary, fail_on: Severity) -> None:
    """The same for a run over a directory.

    :raises ThresholdNotMetError: the severest failed check is at least that severe.
    """
    failed = [check.severity for check in summary.failed_checks if check.severity.rank <= fail_on.rank]
    if failed:
        worst = words.SEVERITY[min(failed, key=lambda severity: severity.rank)].phrase
        limit = words.SEVERITY[fail_on].phrase
        raise ThresholdNotMetError(f"checks of severity {worst} failed, and {limit} was the limit")
