"""What runs in a Dask worker: batches of targets, with one client and one memory of the hosts for all of them.

A worker has its own credentials, in its environment: none is ever sent to it (docs/fleets.md).
"""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from distributed import Worker, WorkerPlugin

from interlock import __version__
from interlock.model.errors import InterlockError
from interlock.model.observation import Target
from interlock.probe.fleet_lines import Line, LineMaker
from interlock.probe.runner import host_key, observe
from interlock.probe.tally import Digest, digest_of
from interlock.probe.transport.client import Client
from interlock.probe.transport.settings import ClientCertificate, ProbeSettings

#: Results are handed over after so many seconds, or when all are there. Each time costs 10 ms of processor time.
_WAIT_S = 5.0
#: The variables of a worker's own environment: files of its machine, a password, a proxy.
CERTIFICATE, KEY, PASSWORD = "INTERLOCK_CLIENT_CERT", "INTERLOCK_CLIENT_KEY", "INTERLOCK_CLIENT_KEY_PASSWORD"
CA_BUNDLE, PROXY = "INTERLOCK_CA_BUNDLE", "INTERLOCK_PROXY"
#: A worker's label is a resource that it was started with: ``--resources vantage-clinic=1``.
LABEL = "vantage-"


@dataclass(frozen=True, slots=True)
class Results:
    """What a batch came to so far.

    :ivar worker: the address of the worker, which goes on with the rest.
    :ivar lines: each with the place of its target in the batch.
    :ivar pieces: what any of its lines needs.
    :ivar held: hosts that asked to be left alone, and for how many seconds yet.
    """

    worker: str
    pieces: dict[str, str]
    lines: tuple[tuple[int, str, Digest], ...]
    held: dict[str, float]


class Prober(WorkerPlugin):
    """A worker's part in one run: it opens what all batches share, and closes it."""

    def __init__(self, run: str, settings: ProbeSettings) -> None:
        self.name = run
        self._settings = settings

    async def setup(self, worker: Worker) -> None:
        """Begin.

        :raises InterlockError: the worker's own files or limits cannot work.
        """
        self._stack = AsyncExitStack()
        settings = with_own_credentials(self._settings, os.environ)
        labels = [name.removeprefix(LABEL) for name in worker.state.total_resources if name.startswith(LABEL)]
        if settings.vantage is None and len(labels) == 1:
            settings = replace(settings, vantage=labels[0])
        self._settings = settings
        self._client = await self._stack.enter_async_context(Client(self._settings))
        self._free = asyncio.Semaphore(self._settings.concurrency)
        # As in one process: few of a host have a turn at a time, for each asks its host for two documents.
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(max(1, self._settings.per_host // 2))
        )
        self._lines = LineMaker()
        self._running: dict[Target, asyncio.Task[tuple[Line, Digest]]] = {}
        self._address: str = worker.address
        _PROBERS[self.name] = self

    async def teardown(self, worker: Worker) -> None:
        """End."""
        _PROBERS.pop(self.name, None)
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        await self._stack.aclose()

    async def results(self, targets: Sequence[Target], held: Mapping[str, float]) -> Results:
        """The results of a batch that are there within :data:`_WAIT_S`; the rest goes on, and is asked for again.

        ``held`` are hosts that asked other workers to be left alone.
        """
        for host, seconds in held.items():
            self._client.limits.hold(host, seconds)
        tasks = [self._task(target) for target in targets]
        await asyncio.wait(tasks, timeout=_WAIT_S)
        done = [(index, task.result()) for index, task in enumerate(tasks) if task.done()]
        pieces: dict[str, str] = {}
        for index, (line, _) in done:
            pieces |= line.pieces
            self._running.pop(targets[index], None)
        hosts = {host_key(target) for target in targets}
        if len(done) == len(targets):
            for host in hosts:
                self._turns.pop(host, None)
        lines = tuple((index, line.text, digest) for index, (line, digest) in done)
        return Results(self._address, pieces, lines, self._client.limits.held(hosts))

    def _task(self, target: Target) -> asyncio.Task[tuple[Line, Digest]]:
        running = self._running.get(target)
        if running is None:
            running = self._running[target] = asyncio.create_task(self._line(target))
        return running

    async def _line(self, target: Target) -> tuple[Line, Digest]:
        async with self._turns[host_key(target)], self._free:
            observation = await observe(target, self._client, self._settings)
        return self._lines.make(observation), digest_of(observation)


_PROBERS: dict[str, Prober] = {}


async def probe_batch(run: str, targets: Sequence[Target], held: Mapping[str, float]) -> Results:
    """A task: probe some targets of a run.

    :raises InterlockError: the worker has no part in that run.
    """
    if run not in _PROBERS:
        raise InterlockError("a worker could not begin: its log says why", remedy="start it again, or leave it out")
    return await _PROBERS[run].results(targets, held)


def version_here() -> str:
    """The version of Interlock in this process."""
    return __version__


def without_credentials(settings: ProbeSettings) -> ProbeSettings:
    """The settings that travel: without a certificate, a proxy, files of this machine, and credentials."""
    return replace(settings, client_certificate=None, proxy=None, ca_bundle=None, samples={})


def own_variables(settings: ProbeSettings) -> dict[str, str]:
    """The environment in which a worker on this machine finds what :func:`without_credentials` left out.

    The password is not in it: a process on this machine has this one's environment.
    """
    own = settings.client_certificate
    named: dict[str, Any] = {CA_BUNDLE: settings.ca_bundle, PROXY: settings.proxy}
    if own is not None:
        named |= {CERTIFICATE: own.certificate, KEY: own.key}
    return {name: str(value) for name, value in named.items() if value is not None}


def with_own_credentials(settings: ProbeSettings, environment: Mapping[str, str]) -> ProbeSettings:
    """The settings with what a worker's own environment names."""
    certificate, key, bundle = (environment.get(name) for name in (CERTIFICATE, KEY, CA_BUNDLE))
    own = None
    if certificate:
        own = ClientCertificate(Path(certificate), Path(key) if key else None, environment.get(PASSWORD))
    return replace(
        settings,
        client_certificate=own,
        ca_bundle=Path(bundle) if bundle else None,
        proxy=environment.get(PROXY) or None,
    )
