"""Probing many targets at once: bounded, fair to hosts, each isolated from the others, safe to cancel."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from interlock.model.errors import InterlockError
from interlock.model.observation import Observation, RequestRecord, Target
from interlock.model.text import plain
from interlock.probe.checks.registry import internal_errors
from interlock.probe.session import probe_target
from interlock.probe.transport.addresses import origin
from interlock.probe.transport.client import Client
from interlock.probe.transport.plan import clean_base_url
from interlock.probe.transport.settings import OnEvent, ProbeEvent, ProbeSettings


async def probe(
    targets: Sequence[Target], settings: ProbeSettings | None = None, on_event: OnEvent | None = None
) -> AsyncGenerator[Observation, None]:
    """Probe targets and yield an observation of each, as they finish.

    Nothing that a target does raises: it becomes an observation whose outcome and checks tell of it. An
    exception of ``on_event`` ends the run. Leaving the loop early, or cancelling it, ends every request under way.

    :raises InterlockError: the settings name CA certificates or a proxy that cannot be used.
    """
    if not targets:
        return
    settings = settings or ProbeSettings()
    # Each target asks its host for two documents at a time.
    queue = _FairQueue(targets, max(1, settings.per_host // 2))
    results: asyncio.Queue[Observation | BaseException] = asyncio.Queue(2 * settings.concurrency)
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


class _FairQueue:
    """Hands out targets, at most ``per_host`` of a host at a time, so that a host's crowd delays only itself.

    Every target that was taken must be given back with :meth:`done`.
    """

    def __init__(self, targets: Iterable[Target], per_host: int) -> None:
        self._waiting: dict[str, deque[Target]] = {}
        self._active: dict[str, int] = {}
        self._per_host = per_host
        self._left = 0
        for target in targets:
            self._waiting.setdefault(host_of(target), deque()).append(target)
            self._left += 1
        self._ready: deque[str] = deque(self._waiting)
        self._changed = asyncio.Condition()

    async def take(self) -> tuple[str, Target] | None:
        """The next target and its host, waiting for a host to become free; none when nothing is left."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._ready or not self._left)
            if not self._left:
                return None
            host = self._ready.popleft()
            waiting = self._waiting[host]
            target = waiting.popleft()
            self._left -= 1
            self._active[host] = self._active.get(host, 0) + 1
            if waiting and self._active[host] < self._per_host:
                self._ready.append(host)
            if not self._left:
                self._changed.notify_all()
            return host, target

    async def done(self, host: str) -> None:
        """Give a target of the host back."""
        async with self._changed:
            was_full = self._active[host] >= self._per_host
            self._active[host] -= 1
            if was_full and self._waiting[host]:
                self._ready.append(host)
                self._changed.notify()


async def _work(
    queue: _FairQueue,
    client: Client,
    settings: ProbeSettings,
    on_event: OnEvent | None,
    results: asyncio.Queue[Observation | BaseException],
) -> None:
    try:
        while (taken := await queue.take()) is not None:
            host, target = taken
            try:
                observation = await _observe(target, client, settings, on_event)
            finally:
                await queue.done(host)
            await results.put(observation)
    except Exception as error:  # on_event's own exception, or settings that cannot work: the caller has to know
        await results.put(error)


async def _observe(target: Target, client: Client, settings: ProbeSettings, on_event: OnEvent | None) -> Observation:
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
    if broken:
        raise broken[0]
    if on_event is not None:
        detail = f"{observation.outcome.replace('_', ' ')} in {observation.elapsed_ms:.0f} ms"
        on_event(ProbeEvent(target, "finished", detail, observation=observation, bodies=bodies))
    return observation
