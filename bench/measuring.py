"""What one row of the table is, and how it is measured."""

from __future__ import annotations

import inspect
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


def peak_mb(process: int | str = "self") -> float:
    """The most memory that a running program has had, in megabytes.

    What `getrusage` says is never less than what the program that started it had then.
    """
    with open(f"/proc/{process}/status") as status:  # noqa: PTH123  # stands alone, as PEAK
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


#: What a program that is given as text ends with, to print its own.
PEAK = f"{inspect.getsource(peak_mb)}\nprint(peak_mb())\n"
