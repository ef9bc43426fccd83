"""What one row of the table is, and how it is measured."""

from __future__ import annotations

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


def best_of(repeats: int, *actions: Callable[[], object]) -> list[float]:
    """Best time of each action in seconds, run in turns so that they see the same machine."""
    best = [float("inf")] * len(actions)
    for _ in range(repeats):
        for index, action in enumerate(actions):
            started = time.perf_counter()
            action()
            best[index] = min(best[index], time.perf_counter() - started)
    return best
