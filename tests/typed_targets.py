"""Probing as for somebody who typed the addresses: their origins may be on loopback, and no others."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace

from interlock.model.observation import Observation, Target
from interlock.probe.runner import probe
from interlock.probe.transport.addresses import origin
from interlock.probe.transport.settings import OnEvent, ProbeEvent, ProbeSettings


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
    """Probe targets that somebody typed, who allowed further addresses; observations in the order of the targets."""
    bases = [target.base_url.strip() for target in targets]
    return observe(targets, typed(settings or ProbeSettings(), *bases, *allowed), on_event)


def observe(
    targets: Sequence[Target], settings: ProbeSettings, on_event: OnEvent | None = None
) -> tuple[Observation, ...]:
    """Probe targets with exactly these settings; observations in the order of the targets."""
    finished: dict[int, list[Observation]] = defaultdict(list)

    def listen(event: ProbeEvent) -> None:
        if event.observation is not None:
            finished[id(event.target)].append(event.observation)
        if on_event is not None:
            on_event(event)

    async def collect() -> None:
        async with aclosing(probe(targets, settings, listen)) as observations:
            async for _ in observations:
                pass

    asyncio.run(collect())
    return tuple(finished[id(target)].pop(0) for target in targets)
