"""Probe the addresses on standard input, in turn; print the memory that each took. Run as a program."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from interlock.model.observation import Target
from interlock.probe.runner import probe
from interlock.probe.transport.settings import ProbeSettings
from interlock.usecases.probe import private_origins_of

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak_mb() -> int:
    """The most that this process had in memory since the last time; Linux forgets it when it is told."""
    told = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    _RESET.write_text("5")
    return int(told.split()[1]) // 1024


async def outcome_of(url: str) -> str:
    """The outcome of a probe of this address alone."""
    targets = [Target(base_url=url)]
    settings = ProbeSettings(deadline_s=10.0, private_origins=private_origins_of(targets))
    outcomes = [observation.outcome async for observation in probe(targets, settings)]
    return outcomes[0]


if __name__ == "__main__":
    for url in sys.stdin.read().split():
        print(f"{url} {asyncio.run(outcome_of(url))} {peak_mb()}", flush=True)  # noqa: T201
