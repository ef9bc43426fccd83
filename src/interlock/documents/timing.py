"""How long the phases of a run took, for ``interlock --timings``. Costs next to nothing while nobody asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

_totals: dict[str, float] | None = None
_inside = threading.local()


@contextmanager
def timed(phase: str) -> Iterator[None]:
    """Count the time of this block, without the time of blocks inside it, towards a phase."""
    totals = _totals
    if totals is None:
        yield
        return
    began, outer = perf_counter(), getattr(_inside, "seconds", 0.0)
    _inside.seconds = 0.0
    try:
        yield
    finally:
        took = perf_counter() - began
        totals[phase] = totals.get(phase, 0.0) + took - _inside.seconds
        _inside.seconds = outer + took


@contextmanager
def timing() -> Iterator[dict[str, float]]:
    """Count phases while this block runs: seconds by phase, in the order in which they first ended."""
    global _totals
    totals: dict[str, float] = {}
    _totals = totals
    try:
        yield totals
    finally:
        _totals = None
