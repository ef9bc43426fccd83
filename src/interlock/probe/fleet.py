"""Probing thousands of targets: results as lines of JSON, from one process or several, in whatever order they come.

Worker processes get whole hosts, so the limits of a host hold although its requests are not counted together. They
send back finished lines and a short digest of each, several at once: no observation is pickled, and none is kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import aclosing
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from pydantic import TypeAdapter

from interlock.documents.visible import visible_json
from interlock.model.errors import InterlockError
from interlock.model.observation import Observation, Target
from interlock.probe.runner import host_of, probe
from interlock.probe.tally import Digest, digest_of
from interlock.probe.transport.settings import ProbeSettings

OnResult = Callable[[bytes, Digest], None]
OnTick = Callable[[], None]

_LINES = TypeAdapter(Observation)
_TICK_S = 0.5
#: A worker hands over so many results at once, or fewer at a tick: each time costs a change of process.
_AT_ONCE = 8
_PIPE_BYTES = 1024 * 1024


class WorkerCrash(Exception):  # noqa: N818  # a failure of the program, of which its parent learns
    """A worker process failed unexpectedly; the message is its traceback."""


def run_fleet(
    targets: Sequence[Target], settings: ProbeSettings, on_result: OnResult, on_tick: OnTick, *, workers: int = 1
) -> None:
    """Probe every target; ``on_result`` gets each observation as a line of JSON with its digest, as they finish.

    ``on_tick`` is called at least twice a second while nothing comes. An exception of either ends the run.

    :raises InterlockError: the settings cannot work, or a worker process died; the results so far were handed out.
    :raises WorkerCrash: a worker process failed unexpectedly.
    :raises KeyboardInterrupt: the user interrupted; every worker has ended.
    """
    if not targets:
        return
    workers = min(workers, len({host_of(target) for target in targets}))
    if workers == 1:
        asyncio.run(_in_this_process(targets, settings, on_result, on_tick))
    else:
        _in_processes(share_out(targets, workers), settings, on_result, on_tick)


def share_out(targets: Sequence[Target], workers: int) -> list[list[Target]]:
    """The targets of each worker: a host is never divided, the largest hosts are handed out first (greedy balance)."""
    counts = Counter(host_of(target) for target in targets)
    loads = [0] * workers
    chosen: dict[str, int] = {}
    for host, count in counts.most_common():
        worker = loads.index(min(loads))
        chosen[host] = worker
        loads[worker] += count
    target_shares: list[list[Target]] = [[] for _ in range(workers)]
    for target in targets:
        target_shares[chosen[host_of(target)]].append(target)
    return [share for share in target_shares if share]


async def _in_this_process(
    targets: Sequence[Target], settings: ProbeSettings, on_result: OnResult, on_tick: OnTick
) -> None:
    async def tick() -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            on_tick()

    ticking = asyncio.create_task(tick())
    try:
        async with aclosing(probe(targets, settings)) as observations:
            async for observation in observations:
                on_result(visible_json(_LINES.dump_json(observation).decode()).encode() + b"\n", digest_of(observation))
                if ticking.done():
                    ticking.result()
    finally:
        ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ticking


def _in_processes(shares: list[list[Target]], settings: ProbeSettings, on_result: OnResult, on_tick: OnTick) -> None:
    context = multiprocessing.get_context("spawn")
    processes: list[SpawnProcess] = []
    open_ends: list[Connection] = []
    try:
        for number, share in enumerate(shares):
            ours, theirs = context.Pipe(duplex=False)
            _widen(theirs)
            process = context.Process(
                target=_worker, args=(theirs, share, settings, os.getpid()), name=f"probe {number + 1}", daemon=True
            )
            process.start()
            theirs.close()  # so that the end of the process is the end of the stream
            processes.append(process)
            open_ends.append(ours)
        _collect(open_ends, on_result, on_tick)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(5)
            process.kill()
            process.join()
        for end in open_ends:
            end.close()


def _widen(end: Connection) -> None:
    """Let a worker write several lines without waiting for the parent, where the system can (Linux)."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(end.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _collect(open_ends: list[Connection], on_result: OnResult, on_tick: OnTick) -> None:
    waiting = list(open_ends)
    while waiting:
        ready = wait(waiting, timeout=_TICK_S)
        if not ready:
            on_tick()
        for end in ready:
            assert isinstance(end, Connection)
            try:
                message = end.recv()
            except (EOFError, OSError) as error:
                raise InterlockError(
                    "a worker process died before it was done", remedy="--resume goes on with what is missing"
                ) from error
            if message is None:
                waiting.remove(end)
            elif isinstance(message, Exception):
                raise message
            else:
                for line, digest in message:
                    on_result(line, digest)


def _worker(end: Connection, targets: list[Target], settings: ProbeSettings, parent: int) -> None:
    """The whole life of a worker process: it sends lists of results, then none, or the exception that ended it.

    The parent alone answers an interrupt; without a parent there is no work.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ready: list[tuple[bytes, Digest]] = []

    def flush() -> None:
        if ready:
            end.send(ready)
            ready.clear()

    def keep(line: bytes, digest: Digest) -> None:
        ready.append((line, digest))
        if len(ready) >= _AT_ONCE:
            flush()

    def tick() -> None:
        if os.getppid() != parent:
            os._exit(1)
        flush()

    try:
        try:
            asyncio.run(_in_this_process(targets, settings, keep, tick))
        finally:
            flush()
        end.send(None)
    except InterlockError as error:
        end.send(InterlockError(str(error)))
    except BrokenPipeError:
        os._exit(1)
    except Exception:
        end.send(WorkerCrash(traceback.format_exc()))
