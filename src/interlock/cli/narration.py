"""One run of the program, and what it tells besides its output: a log of JSON lines, the same on stderr, timings."""

from __future__ import annotations

import builtins
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlock.documents.timing import timed, timing

if TYPE_CHECKING:
    import logging


class Run:
    """A run of one command line.

    :ivar run_id: the same random name in the log, in a crash report and nowhere else.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self.arguments = arguments
        self.run_id = os.urandom(8).hex()
        self._began = time.perf_counter()
        self._narrators = ExitStack()
        self._logger: logging.Logger | None = None

    def narrate(self, *, log_file: Path | None, verbose: bool, timings: bool) -> None:
        """Begin to tell what the options ask for.

        :raises InterlockError: the log file cannot be written.
        """
        if timings:
            self._narrators.enter_context(_shown_timings())
        if log_file is None and not verbose:
            return
        import logging

        from interlock import __version__
        from interlock.cli.crash import described
        from interlock.cli.logs import logging_to

        self._narrators.enter_context(logging_to(log_file, verbose=verbose, run_id=self.run_id))
        self._logger = logging.getLogger("interlock")
        fields = {"command": described(self.arguments), "version": __version__, "process": os.getpid()}
        self._logger.info("command begins", extra={"fields": fields})

    def crashed(self, error: BaseException) -> int:
        """Tell of a failure of the program itself; the exit code."""
        from interlock.cli.crash import tell_crash

        if self._logger is not None:
            self._logger.critical("crash", extra={"fields": {"type": type(error).__name__}})
        return tell_crash(error, self.arguments, self.run_id)

    def end(self, code: int) -> None:
        """Tell how it ended, and close what was opened."""
        if self._logger is not None:
            seconds = round(time.perf_counter() - self._began, 3)
            self._logger.info("command ends", extra={"fields": {"exit_code": code, "seconds": seconds}})
        self._narrators.close()


@contextmanager
def _shown_timings() -> Iterator[None]:
    """``--timings``: count phases while this block runs, imports as one of them; then write them, the longest first."""
    start = time.process_time()  # until now the process has done nothing but start
    began = time.perf_counter()
    import_ = builtins.__import__

    def timed_import(name: str, *arguments: Any, **named: Any) -> Any:
        if name in sys.modules:
            return import_(name, *arguments, **named)
        with timed("imports"):
            return import_(name, *arguments, **named)

    with timing() as phases:
        builtins.__import__ = timed_import
        try:
            yield
        finally:
            builtins.__import__ = import_
            took = time.perf_counter() - began
            rows = {"start of the program": start} | phases
            rows["everything else"] = max(0.0, took - sum(phases.values()))
            for phase, seconds in sorted(rows.items(), key=lambda row: -row[1]):
                sys.stderr.write(f"{seconds * 1000:9.1f} ms  {phase}\n")
            sys.stderr.write(f"{(start + took) * 1000:9.1f} ms  total\n")
