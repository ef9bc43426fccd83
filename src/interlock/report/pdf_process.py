"""PDF rendering in a process of its own.

Laying out a report keeps a core busy for seconds. In a process of its own it leaves the terminal UI responsive, loads
WeasyPrint while the assessment is still being computed, and a crash of a native library is an error message.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import Self

from interlock.model.errors import InterlockError
from interlock.report import pdf

#: What laying out one report may take; far beyond the largest, and an end to a page that has none.
CPU_SECONDS = 1_200
MEMORY_BYTES = 6_000_000_000


class PdfProcess:
    """A context manager; the process starts at once and ends with the context."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_prepare)
        self._warm: Future[None] = self._pool.submit(_load)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=kind is None, cancel_futures=True)

    def submit(self, html: str, own: Path | None) -> Callable[[], bytes]:
        """Start :func:`interlock.report.pdf.render`; calling what is returned waits for the bytes.

        :raises InterlockError: (the call) as the function does, and when the process ended unexpectedly.
        """
        job = self._pool.submit(pdf.render, html, own)

        def result() -> bytes:
            try:
                return job.result()
            except BrokenProcessPool as error:
                raise InterlockError(
                    "the PDF library ended unexpectedly, or the report was too much for it",
                    remedy="choose fewer --sections, or the HTML report",
                ) from error

        return result


def _prepare() -> None:
    """Leave interrupts to the parent, bound the work, and keep the native libraries' words off the user's terminal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(ImportError, ValueError, OSError):  # not on Windows; a stricter limit may hold already
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    sink = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            os.dup2(sink, stream.fileno())


def _load() -> None:
    """Import WeasyPrint ahead of the first report; what is wrong with it is said when that is asked for."""
    with contextlib.suppress(Exception):
        pdf.render("<!doctype html><html lang='en'><title>x</title><p>x</p></html>")
