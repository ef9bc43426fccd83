"""Servers that lie, flood, stall and lead astray: what a probe says of each, and what nobody else hears of it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from hostile_servers import advertised, bombs, floods, framing, measured, names, redirects
from hostile_servers.behaviours import Behaviour, problems
from hostile_servers.serving import Hosts, Network, Site, name_of

from interlock.model.observation import Observation, Target
from interlock.usecases.probe import ProbeSettings, probe_targets
from typed_targets import typed

_GROUPS = (framing, floods, bombs, redirects, names, advertised)
BEHAVIOURS: tuple[Behaviour, ...] = tuple(row for group in _GROUPS for row in group.ROWS)
NUMBERS = {behaviour.name: number for number, behaviour in enumerate(BEHAVIOURS)}
MAX_BYTES = 8 * 1024 * 1024
#: How the behaviours of each run are met. Ceilings are for what hangs: a run that holds takes a fraction of them.
RUNS: dict[str, dict[str, Any]] = {
    "quick": {"deadline_s": 30.0, "thorough": True},
    "active": {"deadline_s": 30.0, "thorough": True, "active": True, "origin": "https://app.example"},
    "secure": {"deadline_s": 30.0, "thorough": True, "active": True},
    "bombs": {"deadline_s": 30.0, "concurrency": 2},
    "waiting": {"deadline_s": 3.0, "max_bytes": floods.MAX_BYTES},
}
GRACE_S = 30.0
#: What names resolve to for every behaviour alike.
NAMES: dict[str, list[Any]] = {"victim.test": [["127.0.0.2"]], "victim.localhost": [["127.0.0.1"]]}
#: Resident memory of a process that meets bombs, the program itself included.
MAX_MB = 200


@dataclass(frozen=True)
class Suite:
    """Everything that happened once all behaviours had been met."""

    hosts: Hosts
    network: Network
    observations: dict[str, Observation]
    sites: dict[str, Site]


@pytest.fixture(scope="module")
def suite() -> Iterator[Suite]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure = {number for number, behaviour in enumerate(BEHAVIOURS) if behaviour.secure}
    authority.issue_cert(*map(name_of, secure)).configure_cert(context)
    hosts = Hosts({number: row.answers for number, row in enumerate(BEHAVIOURS)}, context, secure)
    sites = {row.name: hosts.site(NUMBERS[row.name], public=row.public) for row in BEHAVIOURS}
    scripted = (_names(row, sites[row.name]) for row in BEHAVIOURS)
    network = Network(NAMES | {name: answers for row in scripted for name, answers in row})
    with pytest.MonkeyPatch.context() as patch, contextlib.closing(hosts):
        network.install(patch)
        yield Suite(hosts, network, asyncio.run(_met(sites, authority)), sites)


def _names(row: Behaviour, site: Site) -> Iterator[tuple[str, list[Any]]]:
    """What a behaviour's names resolve to, with the server's own public address filled in."""
    public = site.address.replace("127.", "8.", 1)
    for name, answers in row.names.items():
        yield (
            name,
            [
                [public if address == "PUBLIC" else address for address in answer]
                if isinstance(answer, list)
                else answer
                for answer in answers
            ],
        )


async def _met(sites: dict[str, Site], authority: trustme.CA) -> dict[str, Observation]:
    """One run after the other: what keeps the processor busy must not make what waits late."""
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    observations: dict[str, Observation] = {}
    for run in RUNS:
        observations |= await _run(run, sites, trusting)
    return observations


async def _run(run: str, sites: dict[str, Site], trusting: ssl.SSLContext) -> dict[str, Observation]:
    rows = [row for row in BEHAVIOURS if row.run == run]
    targets = [Target(base_url=row.base_url(sites[row.name]), org=f"b{NUMBERS[row.name]}") for row in rows]
    settings = ProbeSettings(**({"trust_env": False, "verify": trusting, "concurrency": len(rows) + 1} | RUNS[run]))
    settings = typed(settings, *(sites[row.name].base for row in rows if not row.public))
    names = {f"b{NUMBERS[row.name]}": row.name for row in rows}
    return {names[seen.target.org or ""]: seen async for seen in probe_targets(targets, settings)}


@pytest.mark.parametrize("name", NUMBERS)
def test_a_probe_says_what_it_met(suite: Suite, name: str) -> None:
    behaviour = BEHAVIOURS[NUMBERS[name]]
    limits: dict[str, Any] = RUNS[behaviour.run]
    ceiling = 2 * limits["deadline_s"] + GRACE_S
    wrong = problems(
        behaviour, suite.observations[name], suite.sites[name], ceiling, limits.get("max_bytes", MAX_BYTES)
    )
    if behaviour.max_sent is not None and suite.hosts.sent[NUMBERS[name]] > behaviour.max_sent:
        wrong.append(f"{suite.hosts.sent[NUMBERS[name]]:,} bytes were taken")
    asked = suite.hosts.asked.get(NUMBERS[name], [])
    wrong += [f"{target} was asked" for target in asked for part in behaviour.never_asked if part in target]
    if wrong:
        pytest.fail("; ".join(wrong), pytrace=False)


def test_no_victim_heard_anything(suite: Suite) -> None:
    assert suite.hosts.hit == []
    assert suite.network.tried == []


def test_there_are_as_many_behaviours_as_names() -> None:
    assert len(NUMBERS) == len(BEHAVIOURS)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak of memory is told by Linux alone")
def test_bombs_stay_small_in_memory(suite: Suite) -> None:
    """In a process of its own, whose peak is taken after each."""
    rows = [row for row in BEHAVIOURS if row.run == "bombs"]
    addresses = "\n".join(suite.sites[row.name].base for row in rows)
    done = subprocess.run(
        [sys.executable, measured.__file__], input=addresses, capture_output=True, text=True, check=True
    )
    peaks = {row.name: int(line.split()[2]) for row, line in zip(rows, done.stdout.splitlines(), strict=True)}
    assert {name: peak for name, peak in peaks.items() if peak >= MAX_MB} == {}
