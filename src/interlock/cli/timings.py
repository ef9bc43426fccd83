"""``--timings``: where the time of a run went, as a small table on stderr."""

from __future__ import annotations

import builtins
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from interlock.documents.timing import timed, timing


@contextmanager
def shown_timings() -> Iterator[None]:
    """Count phases while this block runs, and imports as one of them; at its end write them, the longest first."""
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
