"""Servers that lie, flood, stall and lead astray: what a probe says of each, and what nobody else hears of it."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hostile_servers import (
    advertised,
    bombs,
    certificates,
    documents,
    floods,
    framing,
    headers,
    keys,
    measured,
    names,
    redirects,
    samples,
)
from hostile_servers.behaviours import RAW, Behaviour, problems
from hostile_servers.serving import Hosts, Network, Site, name_of, unusable

from interlock.cli.main import run
from interlock.model.observation import Observation, Target
from interlock.usecases.probe import ProbeSettings, probe_targets
from tiers import LONG
from typed_targets import probe_sync, typed

_GROUPS = (framing, floods, bombs, redirects, names, advertised, documents, keys, samples, headers, certificates)
#: Behaviours that are met once more by the command, one or two of each group.
BY_COMMAND = (
    "framing: binary noise",
    "framing: terminal escapes in the reason",
    "framing: two Content-Lengths that disagree",
    "body: gzip with a wrong checksum",
    "body: a page whose title is an escape",
    "body: half of a surrogate pair",
    "body: one key 100,000 times",
    "bomb: 8 MB of {}",
    "bomb: 100,000 lists in each other, inside a statement",
    "redirect: another port of the same host",
    "redirect: a bidirectional override in the address",
    "redirect: to Patient/1/$everything",
    "redirect: to link-local, the clouds' metadata",
    "redirect: every document to a victim",
    "advertised: keys behind an escape",
    "advertised: keys at one decimal number",
    "document: hostile texts in every list of the configuration",
    "document: hostile texts in every element of the statement",
    "document: every field of the configuration is objects in objects",
    "keys: an id of escapes",
    "keys: a private exponent",
    "signed: claims nested 30,000 deep",
    "header: Server with escapes",
    "header: WWW-Authenticate, of escapes",
)
ALL: tuple[Behaviour, ...] = tuple(row for group in _GROUPS for row in group.ROWS)
#: Those that are met: all in `make test-all`, otherwise every third and what the command meets.
BEHAVIOURS = tuple(row for number, row in enumerate(ALL) if LONG or number % 3 == 0 or row.name in BY_COMMAND)
NUMBERS = {behaviour.name: number for number, behaviour in enumerate(BEHAVIOURS)}
MAX_BYTES = 8 * 1024 * 1024
#: How the behaviours of each run are met. Ceilings are for what hangs: a run that holds takes a fraction of them.
RUNS: dict[str, dict[str, Any]] = {
    "quick": {"deadline_s": 60.0, "connect_timeout_s": 30.0, "concurrency": 100, "thorough": True},
    "active": {"deadline_s": 30.0, "thorough": True, "active": True, "origin": "https://app.example"},
    "secure": {"deadline_s": 30.0, "thorough": True, "active": True},
    "bearer": {"deadline_s": 30.0},
    "secret": {"deadline_s": 30.0},
    "pauses": {"deadline_s": 10.0},
    "bombs": {"deadline_s": 30.0, "concurrency": 2},
    "waiting": {"deadline_s": 6.0, "max_bytes": floods.MAX_BYTES},
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


@pytest.fixture(scope="module", autouse=True)
def _no_proxy() -> Iterator[None]:
    """No proxy of this machine stands between a probe and the servers."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    if (reason := unusable(2 * len(BEHAVIOURS))) is not None:
        pytest.skip(reason)
    secure = [(name_of(number), number, row) for number, row in enumerate(BEHAVIOURS) if row.secure]
    contexts = {number: (row.context or certificates.good)(host) for host, number, row in secure}
    authority = certificates.trusted(tmp_path_factory.mktemp("authority"))
    hosts = Hosts({number: row.answers for number, row in enumerate(BEHAVIOURS)}, contexts)
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


async def _met(sites: dict[str, Site], authority: Path) -> dict[str, Observation]:
    """One run after the other: what keeps the processor busy must not make what waits late."""
    observations: dict[str, Observation] = {}
    for run_name in RUNS:
        observations |= await _meet(run_name, sites, authority)
    return observations


async def _meet(run_name: str, sites: dict[str, Site], authority: Path) -> dict[str, Observation]:
    rows = [row for row in BEHAVIOURS if row.run == run_name]
    targets = [Target(base_url=row.base_url(sites[row.name]), org=f"b{NUMBERS[row.name]}") for row in rows]
    settings = ProbeSettings(**({"ca_bundle": authority, "concurrency": len(rows) + 1} | RUNS[run_name]))
    if run_name in samples.RUNS:
        settings = replace(
            settings, samples={target.org or "": samples.plan_of(run_name, target.base_url) for target in targets}
        )
    settings = typed(settings, *(sites[row.name].base for row in rows if not row.public))
    by_org = {f"b{NUMBERS[row.name]}": row.name for row in rows}
    return {by_org[met.target.org or ""]: met async for met in probe_targets(targets, settings)}


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
    if behaviour.run in samples.RUNS:
        written = suite.observations[name].model_dump_json()
        wrong += [f"{canary} was written down" for canary in samples.CANARIES if canary in written]
    if wrong:
        pytest.fail("; ".join(wrong), pytrace=False)


def test_no_victim_heard_anything(suite: Suite) -> None:
    assert suite.hosts.hit == []
    assert suite.network.tried == []


def test_a_victim_hears_what_is_allowed(suite: Suite) -> None:
    """The victims do listen, and the way out of this machine is watched: otherwise the test above would say nothing."""
    site = suite.sites["redirect: another port of the same host"]
    victim = f"http://{site.victim}"
    try:
        probe_sync([Target(base_url=site.base)], ProbeSettings(), allowed=[victim])
        probe_sync([Target(base_url="http://10.0.0.5/fhir")], ProbeSettings())
        assert suite.hosts.hit[0] == (site.address, site.victim_port)
        assert suite.network.tried[0] == "10.0.0.5"
    finally:
        suite.hosts.hit.clear()
        suite.network.tried.clear()


def test_the_behaviours_are_many_and_distinct() -> None:
    assert len({row.name for row in ALL}) == len(ALL) >= 1000 and len(BEHAVIOURS) >= (1000 if LONG else 333)
    for group in _GROUPS:
        assert len(group.ROWS) >= 20, group.__name__


@pytest.mark.parametrize("name", BY_COMMAND)
def test_the_command_says_what_it_met(suite: Suite, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """JSON on one stream, the narration on the other, nothing in either that a terminal acts upon."""
    behaviour, site = BEHAVIOURS[NUMBERS[name]], suite.sites[name]
    before = len(suite.hosts.hit)
    code = run(["probe", behaviour.base_url(replace(site, name="")), "--format", "json"])
    said = capsys.readouterr()
    assert code == (3 if behaviour.outcome == "not_observed" else 0)
    observation = Observation.model_validate_json(said.out)
    assert observation.outcome == behaviour.outcome
    assert not RAW.search(said.out.replace("\n", "")), "a raw control character"
    assert not RAW.search(said.err.replace("\n", "")), "a raw control character"
    assert "Traceback" not in said.err
    assert suite.hosts.hit[before:] == []


def _peaks(suite: Suite, run_name: str) -> dict[str, int]:
    """Megabytes that a process of its own takes at most for each behaviour of a run, with the usual limits."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("the peak of memory is told by Linux alone")
    rows = [row for row in BEHAVIOURS if row.run == run_name and row.base == "BASE" and not row.public]
    addresses = "\n".join(suite.sites[row.name].base for row in rows)
    done = subprocess.run(
        [sys.executable, measured.__file__], input=addresses, capture_output=True, text=True, check=True
    )
    return {row.name: int(line.split()[2]) for row, line in zip(rows, done.stdout.splitlines(), strict=True)}


def test_bombs_stay_small_in_memory(suite: Suite) -> None:
    peaks = _peaks(suite, "bombs")
    assert {name: peak for name, peak in peaks.items() if peak >= MAX_MB} == {}


@pytest.mark.long
def test_floods_stay_small_in_memory(suite: Suite) -> None:
    """Silence takes the whole deadline of each, so this takes minutes."""
    peaks = _peaks(suite, "waiting")
    assert {name: peak for name, peak in peaks.items() if peak >= MAX_MB} == {}
