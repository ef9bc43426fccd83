"""The moment that files are written at, and how long the phases of a run took, for ``interlock --timings``."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from time import perf_counter

from interlock.model.errors import InterlockError
from interlock.model.text import plain

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


def build_time() -> datetime | None:
    """The moment of ``SOURCE_DATE_EPOCH``, which a build sets to be reproducible; none where it is not set.

    :raises InterlockError: it is no number of seconds (https://reproducible-builds.org/specs/source-date-epoch/).
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return None
    try:
        return datetime.fromtimestamp(int(epoch), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise InterlockError(
            f"SOURCE_DATE_EPOCH is no number of seconds: {plain(epoch, 40)}",
            remedy="unset it, or set it to a whole number",
        ) from error


def writing_time() -> datetime:
    """Now in whole seconds of UTC, or what :func:`build_time` says."""
    return build_time() or datetime.now(UTC).replace(microsecond=0)


def judging_day() -> date:
    """Today where we are, or the day that :func:`build_time` says."""
    moment = build_time()
    return moment.date() if moment else date.today()
