"""Probing thousands of targets: results as lines of JSON, from one process or several, in whatever order they come.

A file of results is only ever appended to: whatever ends the run, every complete line of it counts.

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
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import BinaryIO

from pydantic import TypeAdapter, ValidationError

from interlock.documents.visible import visible_json
from interlock.model.address_secrets import redacted_json
from interlock.model.errors import InterlockError, Location
from interlock.model.observation import Observation, Target
from interlock.probe.runner import crowds_of, probe
from interlock.probe.tally import Digest, digest_of
from interlock.probe.transport.settings import ProbeSettings

OnResult = Callable[[bytes, Digest], None]
OnTick = Callable[[], None]

_LINES = TypeAdapter(Observation)
_TICK_S = 0.5
#: A worker hands over so many results at once, or fewer at a tick: each time costs a change of process.
_AT_ONCE = 8
_PIPE_BYTES = 1024 * 1024
#: Of a line of results that is read.
_MAX_LINE = 64 * 1024 * 1024


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
    shares = share_out(targets, workers)
    if len(shares) == 1:
        asyncio.run(_in_this_process(targets, settings, on_result, on_tick))
    else:
        _in_processes(shares, settings, on_result, on_tick)


def share_out(targets: Sequence[Target], workers: int) -> list[list[Target]]:
    """The targets of each worker: a host is never divided, the largest hosts are handed out first (greedy balance)."""
    shares: list[list[Target]] = [[] for _ in range(workers)]
    for crowd in sorted(crowds_of(targets).values(), key=len, reverse=True):
        min(shares, key=len).extend(crowd)
    return [share for share in shares if share]


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


def key_of(target: Target) -> tuple[str, str | None]:
    """The key of a target: its base URL as given, and its organisation."""
    return target.base_url, target.org


class ResultFile:
    """Newline-delimited observations. A context manager; lines are only ever appended.

    A line is written with a single call and counts once its line feed is there: a killed process leaves behind at most
    a torn last line, which :meth:`earlier` removes.

    :raises InterlockError: the file exists although nothing is to be resumed, or it cannot be written.
    """

    def __init__(self, path: Path, *, resume: bool) -> None:
        self._path = path
        location = Location(file=str(path))
        if not resume and path.exists() and path.stat().st_size:
            raise InterlockError(
                "the file exists already and would be overwritten",
                location=location,
                remedy="--resume continues it; or name another file",
            )
        try:
            self._file: BinaryIO = path.open("a+b", buffering=0)
        except OSError as error:
            raise InterlockError(f"cannot be written: {error.strerror or error}", location=location) from error

    def __enter__(self) -> ResultFile:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def earlier(self) -> Iterator[Observation]:
        """The observations that are in the file already; a torn last line is cut off.

        :raises InterlockError: a complete line is no observation; with its number.
        """
        good = 0
        with self._path.open("rb") as lines:
            for number, line in enumerate(iter(lambda: lines.readline(_MAX_LINE), b""), 1):
                if not line.endswith(b"\n"):
                    break
                try:
                    observation = Observation.model_validate_json(redacted_json(line))
                except ValidationError as error:
                    raise InterlockError(
                        "this line is no result of a probe",
                        location=Location(file=str(self._path), line=number),
                        remedy="remove the line, or name another file",
                    ) from error
                good += len(line)
                yield observation
        self._file.truncate(good)

    def write(self, line: bytes) -> None:
        """Append a line, its line feed included.

        :raises InterlockError: the disk is full or the file is gone.
        """
        try:
            left = memoryview(line)
            while left:  # a disk that fills up takes part of a line
                left = left[os.write(self._file.fileno(), left) :]
        except OSError as error:
            raise InterlockError(
                f"cannot be written: {error.strerror or error}",
                location=Location(file=str(self._path)),
                remedy="make room and go on with --resume",
            ) from error
