"""Probing as for somebody who typed the addresses: their origins may be on loopback, and no others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from interlock.model.observation import Observation, Target
from interlock.probe import runner
from interlock.probe.addresses import origin
from interlock.probe.settings import OnEvent, ProbeSettings


def typed(settings: ProbeSettings, *urls: str) -> ProbeSettings:
    """The settings of somebody who typed these addresses; what is none is left out."""
    named = {where for url in urls if (where := origin(url)) is not None}
    return replace(settings, private_origins=settings.private_origins | named)


def probe_sync(
    targets: Sequence[Target],
    settings: ProbeSettings | None = None,
    on_event: OnEvent | None = None,
    *,
    allowed: Iterable[str] = (),
) -> tuple[Observation, ...]:
    """Probe targets that somebody typed, who allowed further addresses."""
    bases = [target.base_url.strip() for target in targets]
    return runner.probe_sync(targets, typed(settings or ProbeSettings(), *bases, *allowed), on_event)
