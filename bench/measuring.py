"""What one row of the table is, and how it is measured."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import NamedTuple


class Measured(NamedTuple):
    """One row: seconds of the thing and of its base; the limit is on thing / base.

    ``at_most`` is a limit on the thing in seconds, as it was promised; it is shown and fails nothing: machines differ.
    """

    name: str
    seconds: float
    base_name: str
    base_seconds: float
    limit: float
    at_most: float | None = None

    @property
    def ratio(self) -> float:
        return self.seconds / self.base_seconds

    @property
    def holds(self) -> bool:
        return self.ratio <= self.limit


def of_children() -> float:
    """Processor seconds of the programs that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def best_of(
    repeats: int, *actions: Callable[[], object], clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """Best time of each action in seconds, run in turns so that they see the same machine."""
    best = [float("inf")] * len(actions)
    for _ in range(repeats):
        for index, action in enumerate(actions):
            started = clock()
            action()
            best[index] = min(best[index], clock() - started)
    return best
