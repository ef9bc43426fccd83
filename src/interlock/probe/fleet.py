"""Probing thousands of targets: results as lines of JSON, in whatever order they come, from this process or a cluster.

A file of results is only ever appended to: whatever ends the run, every complete line of it counts.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import BinaryIO

from interlock.model.address_secrets import redacted_json
from interlock.model.errors import InterlockError, Location
from interlock.model.observation import Observation, Target
from interlock.probe.fleet_lines import Line, LineMaker, LineReader
from interlock.probe.runner import probe
from interlock.probe.tally import Digest, digest_of
from interlock.probe.transport.settings import ProbeSettings

OnResult = Callable[[Line, Digest], None]
OnTick = Callable[[], None]

#: How often whoever watches a run is told of it while nothing comes.
TICK_S = 0.5
#: Of a line of results that is read.
_MAX_LINE = 64 * 1024 * 1024


def run_fleet(targets: Sequence[Target], settings: ProbeSettings, on_result: OnResult, on_tick: OnTick) -> None:
    """Probe every target from this process; ``on_result`` gets each observation as a line with its digest.

    ``on_tick`` is called at least twice a second while nothing comes. An exception of either ends the run.

    :raises InterlockError: the settings cannot work.
    :raises KeyboardInterrupt: the user interrupted.
    """
    if targets:
        asyncio.run(_run(targets, settings, on_result, on_tick))


async def _run(targets: Sequence[Target], settings: ProbeSettings, on_result: OnResult, on_tick: OnTick) -> None:
    lines = LineMaker()
    async with ticking(on_tick) as check, aclosing(probe(targets, settings)) as observations:
        async for observation in observations:
            on_result(lines.make(observation), digest_of(observation))
            check()


@contextlib.asynccontextmanager
async def ticking(on_tick: OnTick) -> AsyncIterator[Callable[[], None]]:
    """Calls ``on_tick`` every :data:`TICK_S`; what it yields raises what ``on_tick`` raised."""

    async def tick() -> None:
        while True:
            await asyncio.sleep(TICK_S)
            on_tick()

    task = asyncio.create_task(tick())
    try:
        yield lambda: task.result() if task.done() else None
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


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
        reader = LineReader()
        with self._path.open("rb") as lines:
            for number, line in enumerate(iter(lambda: lines.readline(_MAX_LINE), b""), 1):
                if not line.endswith(b"\n"):
                    break
                try:
                    observation = reader.read(redacted_json(line))
                except ValueError as error:
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
