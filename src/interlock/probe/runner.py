"""Probing many targets at once: bounded, fair to hosts, each isolated from the others, safe to cancel."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

from interlock.model.errors import InterlockError
from interlock.model.observation import Observation, RequestRecord, Target
from interlock.model.text import plain
from interlock.probe.checks.registry import internal_errors
from interlock.probe.session import probe_target
from interlock.probe.transport.addresses import origin
from interlock.probe.transport.client import Client
from interlock.probe.transport.plan import clean_base_url
from interlock.probe.transport.settings import OnEvent, ProbeEvent, ProbeSettings

#: Seconds between two questions whether a target is still wanted.
_ASKED_S = 0.1


async def probe(
    targets: Sequence[Target],
    settings: ProbeSettings | None = None,
    on_event: OnEvent | None = None,
    wanted: Callable[[Target], bool] | None = None,
) -> AsyncGenerator[Observation, None]:
    """Probe targets and yield an observation of each, as they finish; of one that is no longer ``wanted``, none.

    Nothing that a target does raises: it becomes an observation whose outcome and checks tell of it. An
    exception of ``on_event`` ends the run. Leaving the loop early, or cancelling it, ends every request under way.

    :raises InterlockError: the settings name CA certificates or a proxy that cannot be used.
    """
    if not targets:
        return
    settings = settings or ProbeSettings()
    # A host's crowd delays only itself: few of it have a turn at a time, for each asks its host for two documents.
    turns: asyncio.Queue[deque[Target]] = asyncio.Queue()
    for crowd in [*crowds_of(targets).values()] * max(1, settings.per_host // 2):
        turns.put_nowait(crowd)
    results: asyncio.Queue[Observation | BaseException | None] = asyncio.Queue(2 * settings.concurrency)
    async with Client(settings) as client:
        workers = [
            asyncio.create_task(_work(turns, client, settings, on_event, wanted, results))
            for _ in range(min(settings.concurrency, len(targets)))
        ]
        try:
            for _ in range(len(targets)):
                result = await results.get()
                if isinstance(result, BaseException):
                    raise result
                if result is not None:
                    yield result
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)


def crowds_of(targets: Iterable[Target]) -> dict[str, deque[Target]]:
    """The targets of each host; an address that cannot be used counts as a host of its own."""
    crowds: defaultdict[str, deque[Target]] = defaultdict(deque)
    for target in targets:
        crowds[host_key(target)].append(target)
    return crowds


def host_key(target: Target) -> str:
    """The host of a target; of an address that cannot be used, the address."""
    where = origin(target.base_url)
    if where is None:
        with suppress(InterlockError):
            where = origin(clean_base_url(target.base_url))
    return where.host if where else target.base_url


async def _work(
    turns: asyncio.Queue[deque[Target]],
    client: Client,
    settings: ProbeSettings,
    on_event: OnEvent | None,
    wanted: Callable[[Target], bool] | None,
    results: asyncio.Queue[Observation | BaseException | None],
) -> None:
    """Probe a target of whichever host has its turn, until cancelled; a turn goes back to its host."""
    try:
        while True:
            crowd = await turns.get()
            if crowd:
                target = crowd.popleft()
                observing = observe(target, client, settings, on_event)
                observation = await (observing if wanted is None else _while(partial(wanted, target), observing))
                turns.put_nowait(crowd)
                await results.put(observation)
    except Exception as error:  # on_event's own exception, or settings that cannot work: the caller has to know
        await results.put(error)


async def _while(wanted: Callable[[], bool], observing: Coroutine[Any, Any, Observation]) -> Observation | None:
    """What is observed, or none as soon as it is no longer wanted."""
    task = asyncio.create_task(observing)
    try:
        while wanted():
            if (await asyncio.wait({task}, timeout=_ASKED_S))[0]:
                return task.result()
        return None
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def observe(
    target: Target, client: Client, settings: ProbeSettings, on_event: OnEvent | None = None
) -> Observation:
    """Probe a target, tell of it, and turn a mistake of this program into an observation."""
    broken: list[Exception] = []

    def on_record(record: RequestRecord) -> None:
        if on_event is None:
            return
        detail = (
            f"GET {plain(record.url, 200)}: {record.failure or f'HTTP {record.status}'} in {record.elapsed_ms:.0f} ms"
        )
        try:
            on_event(ProbeEvent(target, "request", detail, record=record))
        except Exception as error:  # the caller's mistake, not the target's
            broken.append(error)

    if on_event is not None:
        on_event(ProbeEvent(target, "started", f"probing {plain(target.base_url, 200)}"))
    try:
        observation, bodies = await probe_target(target, client, settings, on_record)
    except InterlockError:
        raise
    except Exception as error:  # this program's mistake about a target: the others must not pay for it
        checks, bodies = internal_errors([error]), {}
        observation = Observation(
            target=target, started=datetime.now(UTC), elapsed_ms=0.0, outcome="not_observed", checks=checks
        )
    if settings.vantage is not None:
        observation = observation.but(vantage=settings.vantage)
    if broken:
        raise broken[0]
    if on_event is not None:
        detail = f"{observation.outcome.replace('_', ' ')} in {observation.elapsed_ms:.0f} ms"
        on_event(ProbeEvent(target, "finished", detail, observation=observation, bodies=bodies))
    return observation
