"""Probing many targets at once: bounded, fair to hosts, each isolated from the others, safe to cancel."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from datetime import UTC, datetime

from interlock.documents.text import plain
from interlock.model.errors import InterlockError
from interlock.model.observation import Observation, RequestRecord, Target
from interlock.probe.addresses import origin
from interlock.probe.checks.registry import internal_errors
from interlock.probe.client import Client
from interlock.probe.exchange import OnRecord
from interlock.probe.plan import clean_base_url
from interlock.probe.queueing import FairQueue
from interlock.probe.session import Probed, probe_target
from interlock.probe.settings import OnEvent, ProbeEvent, ProbeSettings

__all__ = ["ProbeEvent", "ProbeSettings", "host_of", "probe", "probe_sync"]

_Job = tuple[int, Target]

#: New containers that start a garbage collection while a run lasts. A large statement is ten thousand of them, alive
#: until its checks are done: with Python's 700, a third of a run's time went into looking at documents in use.
_COLLECT_AFTER = 50_000


async def probe(
    targets: Sequence[Target], settings: ProbeSettings | None = None, on_event: OnEvent | None = None
) -> AsyncGenerator[Observation, None]:
    """Probe targets and yield an observation of each, as they finish.

    Nothing that a target does raises: it becomes an observation whose outcome and checks tell of it. An
    exception of ``on_event`` ends the run. Leaving the loop early, or cancelling it, ends every request under way.

    :raises InterlockError: the settings name CA certificates or a proxy that cannot be used.
    """
    async with aclosing(_run(targets, settings or ProbeSettings(), on_event)) as results:
        async for _, probed in results:
            yield probed.observation


def probe_sync(
    targets: Sequence[Target], settings: ProbeSettings | None = None, on_event: OnEvent | None = None
) -> tuple[Observation, ...]:
    """Probe targets and return their observations in the order of the targets. Not for use inside a running loop."""

    async def collect() -> tuple[Observation, ...]:
        observations: dict[int, Observation] = {}
        async with aclosing(_run(targets, settings or ProbeSettings(), on_event)) as results:
            async for index, probed in results:
                observations[index] = probed.observation
        return tuple(observations[index] for index in range(len(targets)))

    return asyncio.run(collect())


@contextmanager
def _fewer_collections() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], _COLLECT_AFTER), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


async def _run(
    targets: Sequence[Target], settings: ProbeSettings, on_event: OnEvent | None
) -> AsyncGenerator[tuple[int, Probed], None]:
    if not targets:
        return
    # Each target asks its host for two documents at a time.
    queue: FairQueue[_Job] = FairQueue(
        ((host_of(target), (index, target)) for index, target in enumerate(targets)), max(1, settings.per_host // 2)
    )
    results: asyncio.Queue[tuple[int, Probed] | BaseException] = asyncio.Queue(2 * settings.concurrency)
    with _fewer_collections():
        async with Client(settings) as client:
            workers = [
                asyncio.create_task(_work(queue, client, settings, on_event, results))
                for _ in range(min(settings.concurrency, len(targets)))
            ]
            try:
                for _ in range(len(targets)):
                    result = await results.get()
                    if isinstance(result, BaseException):
                        raise result
                    yield result
            finally:
                for worker in workers:
                    worker.cancel()
                await asyncio.gather(*workers, return_exceptions=True)


def host_of(target: Target) -> str:
    """The host of a target; an address that cannot be used counts as a host of its own."""
    where = origin(target.base_url)
    if where is None:
        with suppress(InterlockError):
            where = origin(clean_base_url(target.base_url))
    return where.host if where else target.base_url


async def _work(
    queue: FairQueue[_Job],
    client: Client,
    settings: ProbeSettings,
    on_event: OnEvent | None,
    results: asyncio.Queue[tuple[int, Probed] | BaseException],
) -> None:
    try:
        while (taken := await queue.take()) is not None:
            host, (index, target) = taken
            try:
                probed = await _one(target, client, settings, on_event)
            finally:
                await queue.done(host)
            await results.put((index, probed))
    except Exception as error:  # on_event's own exception, or settings that cannot work: the caller has to know
        await results.put(error)


async def _one(target: Target, client: Client, settings: ProbeSettings, on_event: OnEvent | None) -> Probed:
    if on_event is None:
        return await _guarded(target, client, settings, _ignored)
    broken: list[Exception] = []

    def on_record(record: RequestRecord) -> None:
        try:
            on_event(ProbeEvent(target, "request", _line(record), record=record))
        except Exception as error:  # the caller's mistake, not the target's
            broken.append(error)

    on_event(ProbeEvent(target, "started", f"probing {plain(target.base_url, 200)}"))
    probed = await _guarded(target, client, settings, on_record)
    if broken:
        raise broken[0]
    observation = probed.observation
    detail = f"{observation.outcome.replace('_', ' ')} in {observation.elapsed_ms:.0f} ms"
    on_event(ProbeEvent(target, "finished", detail, observation=observation, bodies=probed.bodies))
    return probed


async def _guarded(target: Target, client: Client, settings: ProbeSettings, on_record: OnRecord) -> Probed:
    try:
        return await probe_target(target, client, settings, on_record)
    except InterlockError:
        raise
    except Exception as error:  # this program's mistake about a target: the others must not pay for it
        return _crashed(target, error)


def _ignored(record: RequestRecord) -> None:
    """Nobody wants to hear of the requests."""


def _crashed(target: Target, error: Exception) -> Probed:
    observation = Observation(
        target=target,
        started=datetime.now(UTC),
        elapsed_ms=0.0,
        outcome="not_observed",
        checks=internal_errors([error]),
    )
    return Probed(observation, {})


def _line(record: RequestRecord) -> str:
    what = record.failure or f"HTTP {record.status}"
    return f"GET {plain(record.url, 200)}: {what} in {record.elapsed_ms:.0f} ms"
