"""Probing many targets at once: bounded, fair to hosts, isolated from one another, safe to cancel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

from interlock.documents.text import plain
from interlock.model.errors import InterlockError
from interlock.model.observation import Observation, RequestRecord, Target
from interlock.probe.addresses import origin
from interlock.probe.client import Client
from interlock.probe.plan import clean_base_url
from interlock.probe.queueing import FairQueue
from interlock.probe.session import Probed, probe_target
from interlock.probe.settings import OnEvent, ProbeEvent, ProbeSettings

__all__ = ["ProbeEvent", "ProbeSettings", "probe", "probe_sync"]

_Job = tuple[int, Target]


async def probe(
    targets: Sequence[Target], settings: ProbeSettings | None = None, on_event: OnEvent | None = None
) -> AsyncIterator[Observation]:
    """Probe targets and yield one observation each, as they finish.

    Nothing that a target does raises: it becomes an observation whose outcome and checks say what happened. An
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
        found: dict[int, Observation] = {}
        async with aclosing(_run(targets, settings or ProbeSettings(), on_event)) as results:
            async for index, probed in results:
                found[index] = probed.observation
        return tuple(found[index] for index in range(len(targets)))

    return asyncio.run(collect())


async def _run(
    targets: Sequence[Target], settings: ProbeSettings, on_event: OnEvent | None
) -> AsyncGenerator[tuple[int, Probed], None]:
    if not targets:
        return
    # Each target asks its host for two documents at a time.
    queue: FairQueue[_Job] = FairQueue(
        ((_host(target), (index, target)) for index, target in enumerate(targets)), max(1, settings.per_host // 2)
    )
    results: asyncio.Queue[tuple[int, Probed] | BaseException] = asyncio.Queue(2 * settings.concurrency)
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


def _host(target: Target) -> str:
    """What targets are grouped by; an address that cannot be used is its own group."""
    try:
        where = origin(clean_base_url(target.base_url))
    except InterlockError:
        where = None
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
    def emit(event: ProbeEvent) -> None:
        if on_event is not None:
            on_event(event)

    broken: list[Exception] = []

    def on_record(record: RequestRecord) -> None:
        try:
            emit(ProbeEvent(target, "request", _line(record), record=record))
        except Exception as error:  # the caller's mistake: kept apart from what the target does
            broken.append(error)

    emit(ProbeEvent(target, "started", f"probing {plain(target.base_url, 200)}"))
    probed = await probe_target(target, client, settings, on_record)
    if broken:
        raise broken[0]
    observation = probed.observation
    detail = f"{observation.outcome.replace('_', ' ')} in {observation.elapsed_ms:.0f} ms"
    emit(ProbeEvent(target, "finished", detail, observation=observation, bodies=probed.bodies))
    return probed


def _line(record: RequestRecord) -> str:
    what = record.failure or f"HTTP {record.status}"
    return f"GET {plain(record.url, 200)}: {what} in {record.elapsed_ms:.0f} ms"
