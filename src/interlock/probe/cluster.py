"""Probing on a Dask cluster: worker processes of this machine, or workers elsewhere behind a scheduler.

A task is a batch of targets; a host's batches follow one another, so that its limits hold although workers do not know
of each other. A batch that was lost with its worker is done again by another, and a result counts when it has arrived:
none is lost, none counts twice.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from interlock import __version__
from interlock.documents.processes import import_only_what_is_installed
from interlock.model.errors import InterlockError, Location
from interlock.model.observation import Target
from interlock.model.text import plain
from interlock.probe.fleet import OnResult, OnTick, ticking
from interlock.probe.fleet_lines import Line
from interlock.probe.runner import crowds_of
from interlock.probe.transport.settings import ProbeSettings

if TYPE_CHECKING:
    from interlock.probe.cluster_worker import Results

#: Targets of a task, least and most: more make a task's own cost vanish (some 10 ms of processor time), fewer are done
#: again when a worker dies, and are shared out evenly when there are few.
_BATCH = (16, 64)
#: Batches that a worker process of this machine has under way, at most.
_SLOTS = 64
#: How long to wait for a scheduler, for the first worker, and for another when none is left, in seconds.
_PATIENCE_S = 30.0
_LOOK_EVERY_S = 2.0
_RESUME = "--resume goes on with what is missing"


@dataclass(frozen=True, slots=True)
class Scheduler:
    """A scheduler elsewhere, and the files by which both sides know each other (PEM).

    :raises InterlockError: the address is not ``tls://HOST:PORT``, or a file is missing.
    """

    address: str
    authority: Path
    certificate: Path
    key: Path

    def __post_init__(self) -> None:
        if not self.address.startswith("tls://"):
            raise InterlockError(
                f"a scheduler is reached as tls://HOST:PORT, not as {plain(self.address, 100)}",
                remedy="whoever reaches a scheduler can run code on its workers; docs/fleets.md says how to start one",
            )
        for file in (self.authority, self.certificate, self.key):
            if not file.is_file():
                raise InterlockError("no such file", location=Location(file=str(file)))


def run_on_cluster(
    targets: Sequence[Target],
    settings: ProbeSettings,
    on_result: OnResult,
    on_tick: OnTick,
    *,
    workers: int | Scheduler,
) -> None:
    """Probe every target with ``workers`` worker processes of this machine, or the workers of a scheduler.

    The settings' ``vantage`` is the label of the workers to use; workers on this machine have any. Results and
    ticks are handed out as :func:`interlock.probe.fleet.run_fleet` does.

    :raises InterlockError: Dask is not installed, the scheduler is not reached or dies, no worker is there or left, or
        the settings cannot work. The results so far were handed out.
    :raises KeyboardInterrupt: the user interrupted.
    """
    _dask()
    # What Dask says of a worker that dies and comes back is not for a person who waits for results. Its client has a
    # level of its own, which Dask sets when it is imported.
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if targets:
        asyncio.run(_Run(settings, on_result, on_tick).whole(targets, workers))


class _Run:
    """One run on a cluster."""

    def __init__(self, settings: ProbeSettings, on_result: OnResult, on_tick: OnTick) -> None:
        self._settings = settings
        self._on_result = on_result
        self._on_tick = on_tick
        self._name = f"interlock-{secrets.token_hex(8)}"
        self._resources: dict[str, float] | None = None
        self._numbers = count()
        #: The workers that may take a task, as they were at a moment of the loop's clock.
        self._workers: dict[str, int] = {}
        self._looked = 0.0

    async def whole(self, targets: Sequence[Target], workers: int | Scheduler) -> None:
        """Connect, probe everything, disconnect."""
        from interlock.probe.cluster_worker import LABEL, Prober, without_credentials

        chains = chains_of(targets)
        local = isinstance(workers, int)
        vantage = self._settings.vantage
        if vantage is not None and not local:
            # So little of it that a worker with 1 of the resource takes as many batches as it has threads.
            self._resources = {LABEL + vantage: 0.001}
        connect = _local(min(workers, len(chains)), self._settings) if isinstance(workers, int) else _remote(workers)
        async with connect as client, ticking(self._on_tick) as check:
            self._client = client
            slots = await self._ready(local)
            await client.register_plugin(Prober(self._name, without_credentials(self._settings)))
            lanes = [asyncio.create_task(self._lane(chains, check)) for _ in range(min(slots, len(chains)))]
            watch = asyncio.create_task(self._watch(local))
            try:
                await _first_failure([*lanes, watch], lanes)
            finally:
                for task in (watch, *lanes):
                    task.cancel()
                await asyncio.gather(watch, *lanes, return_exceptions=True)
                await _quietly(client.unregister_worker_plugin(self._name))

    async def _lane(self, chains: deque[deque[tuple[Target, ...]]], check: Callable[[], None]) -> None:
        """Take one chain of batches after the other, and each chain's batches in turn."""
        while chains:
            chain, held = chains.popleft(), dict[str, float]()
            for batch in chain:
                worker = None
                while batch:
                    results = await self._results(batch, held, worker)
                    worker, held, pieces = results.worker, results.held, results.pieces
                    for _, text, digest in results.lines:
                        self._on_result(Line(text, pieces), digest)
                        pieces = {}  # the first line brings them all
                    done = {index for index, _, _ in results.lines}
                    batch = tuple(target for index, target in enumerate(batch) if index not in done)
                    check()

    async def _results(self, batch: tuple[Target, ...], held: dict[str, float], worker: str | None) -> Results:
        """What a batch came to; one that is lost with its worker is done again by another.

        :param worker: the one that has begun it.
        :raises InterlockError: four workers in a row died of it, or the scheduler is gone.
        """
        from interlock.probe.cluster_worker import probe_batch

        future = self._client.submit(
            *(probe_batch, self._name, batch, held),
            key=f"{self._name}-{next(self._numbers)}",
            pure=False,
            resources=self._resources,
            workers=None if worker is None else [worker],
        )
        arrived = asyncio.ensure_future(future.result())
        try:
            begun = asyncio.get_running_loop().time()
            while not (await asyncio.wait({arrived}, timeout=_LOOK_EVERY_S))[0]:
                if worker is not None and self._looked > begun and worker not in self._workers:
                    return await self._results(batch, held, None)
            results: Results = arrived.result()
        except _dask().KilledWorker as error:
            raise InterlockError("four workers died one after the other of the same targets", remedy=_RESUME) from error
        except _dask().CancelledError as error:
            raise InterlockError("the scheduler is gone", remedy=_RESUME) from error
        finally:
            arrived.cancel()
            future.release()
        return results

    async def _ready(self, local: bool) -> int:
        """How many batches the workers can have under way.

        :raises InterlockError: there is no worker, or one that cannot take part.
        """
        deadline = asyncio.get_running_loop().time() + _PATIENCE_S
        while not (usable := await self._usable()):
            if asyncio.get_running_loop().time() > deadline:
                raise InterlockError(self._nobody(), remedy="docs/fleets.md says how to start one")
            await asyncio.sleep(0.2)
        if not local:
            await self._same_version(list(usable))
        return sum(usable.values())

    async def _same_version(self, workers: list[str]) -> None:
        from interlock.probe.cluster_worker import version_here

        for worker, version in (await self._client.run(version_here, workers=workers, on_error="return")).items():
            if version == __version__:
                continue
            why = (
                f"has Interlock {plain(version, 40)}" if isinstance(version, str) else f"cannot: {plain(version, 200)}"
            )
            if isinstance(version, ModuleNotFoundError):
                why = f"has no package {plain(version.name, 40)}"
            raise InterlockError(
                f"the worker {plain(worker, 100)} {why}, and {__version__} is needed",
                remedy=f"on the worker: pip install 'interlock[fleet]=={__version__}'",
            )

    async def _usable(self) -> dict[str, int]:
        """The workers that may take a task, and how many each can have under way.

        :raises InterlockError: the scheduler does not answer.
        """
        asked = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(_PATIENCE_S):
                workers = (await self._client.scheduler.identity(n_workers=-1))["workers"]
        except (OSError, TimeoutError, ValueError) as error:
            raise InterlockError("the scheduler is gone", remedy=_RESUME) from error
        wanted = self._resources or {}
        self._looked = asked
        self._workers = {
            address: worker["nthreads"]
            for address, worker in workers.items()
            if worker["status"] == "running" and wanted.keys() <= worker["resources"].keys()
        }
        return self._workers

    async def _watch(self, local: bool) -> None:
        """Ends with an error when the scheduler is gone, or no worker is left and none comes back."""
        missed = 0.0
        while missed < _PATIENCE_S:
            await asyncio.sleep(_LOOK_EVERY_S)
            missed = 0.0 if await self._usable() else missed + _LOOK_EVERY_S
        raise InterlockError(f"{self._nobody()} any more", remedy=_RESUME)

    def _nobody(self) -> str:
        vantage = self._settings.vantage
        return "there is no worker" if vantage is None else f"there is no worker at {plain(vantage, 80)}"


def chains_of(targets: Sequence[Target]) -> deque[deque[tuple[Target, ...]]]:
    """Batches of targets; the batches of a host are one chain, hosts of few targets share one, the longest come first.

    A host is never in two chains.
    """
    least, most = _BATCH
    size = max(least, min(most, len(targets) // 32))
    chains: list[deque[tuple[Target, ...]]] = []
    few: list[Target] = []
    for crowd in sorted(crowds_of(targets).values(), key=len, reverse=True):
        if len(crowd) >= size:
            members = tuple(crowd)
            chains.append(deque(members[start : start + size] for start in range(0, len(members), size)))
        elif len(few) + len(crowd) > size:
            chains.append(deque([tuple(few)]))
            few = [*crowd]
        else:
            few += crowd
    if few:
        chains.append(deque([tuple(few)]))
    return deque(chains)


def _dask() -> Any:
    """The package distributed.

    :raises InterlockError: it is not installed.
    """
    try:
        return import_module("distributed")
    except ImportError as error:
        raise InterlockError(
            "several processes need the package distributed, which is not installed",
            remedy="pip install 'interlock[fleet]'; or leave out --workers and --scheduler",
        ) from error


@asynccontextmanager
async def _local(workers: int, settings: ProbeSettings) -> AsyncIterator[Any]:
    """A client of worker processes of this machine; certificates made for the run keep everybody else out."""
    import dask.config

    from interlock.probe.cluster_worker import own_variables

    quiet: dict[str, object] = {
        # Dask's pages for a browser ask nobody who they are: there are none.
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
        # What it measures of itself nobody reads, and it takes processor time from every target.
        "distributed.worker.profile.enabled": False,
        "distributed.admin.tick.interval": "1s",
        "distributed.admin.system-monitor.interval": "10s",
        "distributed.scheduler.work-stealing": False,
    }
    import_only_what_is_installed()
    with TemporaryDirectory(prefix="interlock-fleet-") as folder, dask.config.set(quiet):
        cluster = _dask().LocalCluster(
            n_workers=workers,
            threads_per_worker=min(_SLOTS, settings.concurrency),
            memory_limit=0,
            security=True,
            dashboard_address="127.0.0.1:0",
            local_directory=folder,
            silence_logs=logging.CRITICAL,
            asynchronous=True,
            env=own_variables(settings),
        )
        try:
            await cluster
        except (OSError, RuntimeError, TimeoutError) as error:
            await _quietly(cluster.close())
            raise InterlockError(
                f"the worker processes do not start: {plain(error, 200)}",
                remedy="without --workers it goes in one process",
            ) from error
        async with cluster, _dask().Client(cluster, asynchronous=True, set_as_default=False) as client:
            yield client


@asynccontextmanager
async def _remote(scheduler: Scheduler) -> AsyncIterator[Any]:
    """A client of a scheduler elsewhere.

    :raises InterlockError: it is not reached, or does not accept us.
    """
    security = _dask().Security(
        require_encryption=True,
        tls_ca_file=str(scheduler.authority),
        tls_client_cert=str(scheduler.certificate),
        tls_client_key=str(scheduler.key),
    )
    client = _dask().Client(
        scheduler.address, security=security, asynchronous=True, timeout=_PATIENCE_S, set_as_default=False
    )
    try:
        await client
    except (OSError, TimeoutError, ValueError) as error:
        await _quietly(client.close())
        raise InterlockError(
            f"the scheduler {plain(scheduler.address, 100)} is not reached: {plain(error, 200)}",
            remedy="is it running, and did one authority sign its certificate and yours?",
        ) from error
    try:
        yield client
    finally:
        await _quietly(client.close())


async def _first_failure(tasks: list[asyncio.Task[None]], needed: list[asyncio.Task[None]]) -> None:
    """Waits until all that are needed are done, or any has failed; raises that failure."""
    waiting: set[asyncio.Task[None]] = set(tasks)
    while not all(task.done() for task in needed):
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


async def _quietly(closing: Any) -> None:
    """Ends something that may be gone already."""
    try:
        async with asyncio.timeout(2):
            await closing
    except (OSError, TimeoutError, ValueError, RuntimeError):
        return
