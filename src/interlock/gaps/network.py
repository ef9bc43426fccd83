"""The critical path method on many runs at once (Kelley and Walker 1959): all functions are pure and vectorised.

Tasks are numbered topologically (:mod:`interlock.gaps.dag`); arrays have one row a task and one column a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from interlock.gaps.dag import Before

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]


def forward(before: Before, durations: Floats) -> tuple[Floats, Floats]:
    """Earliest start and finish of every task in every run: a task starts when all that it waits for is done."""
    starts = np.zeros_like(durations)
    finishes = np.empty_like(durations)
    for task, firsts in enumerate(before):
        start = starts[task]
        for first in firsts:
            np.maximum(start, finishes[first], out=start)
        np.add(start, durations[task], out=finishes[task])
    return starts, finishes


def critical(after: Before, starts: Floats, finishes: Floats, members: Sequence[int], end: Floats) -> dict[int, Bools]:
    """For each member, in which runs it lies on a critical path to ``end`` (the latest finish of the members).

    Van Slyke's (1963) criticality is the mean of each. Where two paths tie, both are critical. Times are copied by the
    maximum, never recomputed, so comparing them for equality is exact.

    :param members: ascending; whatever a member of them waits for may be left out, what waits for it is followed.
    """
    result: dict[int, Bools] = {}
    for task in reversed(members):
        on_path = finishes[task] == end
        for later in after[task]:
            if later in result:
                on_path |= result[later] & (starts[later] == finishes[task])
        result[task] = on_path
    return result


def downstream(after: Before, task: int) -> list[int]:
    """Everything that waits for a task, directly or not, ascending."""
    seen: set[int] = set()
    stack = list(after[task])
    while stack:
        later = stack.pop()
        if later not in seen:
            seen.add(later)
            stack.extend(after[later])
    return sorted(seen)


def without(
    before: Before, later: Sequence[int], starts: Floats, finishes: Floats, durations: Floats, task: int
) -> dict[int, Floats]:
    """Finishes of a task and of all ``later`` ones (its :func:`downstream`) if the task took no time."""
    changed: dict[int, Floats] = {task: starts[task]}
    for number in later:
        rows = [changed[first] if first in changed else finishes[first] for first in before[number]]
        start: Floats = np.maximum.reduce(rows)
        changed[number] = start + durations[number]
    return changed


def quantile(values: Floats, share: float) -> float:
    """The smallest value that at least this share of the runs does not exceed (so a P80 was kept in 80 % of runs)."""
    place = max(0, int(np.ceil(share * values.size - 1e-9)) - 1)
    return float(np.partition(values, place)[place])


def medians(rows: Floats) -> Floats:
    """Median of every row, by the definition of :func:`quantile`."""
    place = max(0, (rows.shape[1] + 1) // 2 - 1)
    result: Floats = np.partition(rows, place, axis=1)[:, place]
    return result
