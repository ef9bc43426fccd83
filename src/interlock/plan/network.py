"""The critical path method on many runs at once (Kelley and Walker 1959): all functions are pure and vectorised.

Tasks are numbered topologically (:class:`interlock.plan.tasks.Work`); arrays have one row a task and one column a run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from interlock.plan.calendar import Span

Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int32]
Bools: TypeAlias = NDArray[np.bool_]


def advance(start: Floats, duration: Floats, spans: Sequence[Span]) -> Floats:
    """When work ends that stands still within the spans (ordered, apart from one another).

    Never earlier for a later start or more work: the clock of the work is a non-decreasing function of time.
    """
    if not spans:
        return start + duration
    began = start
    for first, last in spans:
        began = np.where((began >= first) & (began < last), np.float32(last), began)
    end: Floats = began + duration
    for first, last in spans:
        end = np.where((began < first) & (end > first), end + np.float32(last - first), end)
    return end


def critical(
    after: Sequence[Sequence[int]],
    starts: Floats,
    finishes: Floats,
    members: Sequence[int],
    end: Floats,
    held: Mapping[int, Ints],
) -> dict[int, Bools]:
    """For each member, in which runs it lies on a critical path to ``end`` (the latest finish of the members).

    Van Slyke's (1963) criticality is the mean of each. Where two paths tie, both are critical. Times are copied by the
    maximum, never recomputed, so comparing them for equality is exact.

    :param members: in an order in which nothing comes before what it waits for; whatever a member waits for may be left
        out, what waits for it is followed.
    :param held: for tasks that may have waited for a person: the row whose end they waited for in each run, or -1.
    """
    if not members:
        return {}
    index_of = np.full(len(finishes), -1, dtype=np.int32)
    index_of[list(members)] = np.arange(len(members), dtype=np.int32)
    critical_runs: Bools = np.zeros((len(members), end.size), dtype=np.bool_)
    result: dict[int, Bools] = {}
    for at in range(len(members) - 1, -1, -1):
        task = members[at]
        on_path = critical_runs[at]
        on_path |= finishes[task] == end
        for later in after[task]:
            if later in result:
                on_path |= result[later] & (starts[later] == finishes[task])
        result[task] = on_path
        if task in held:
            columns = np.flatnonzero(on_path & (held[task] >= 0))
            indexes = index_of[held[task][columns]]
            critical_runs[indexes[indexes >= 0], columns[indexes >= 0]] = True
    return result


def quantiles(rows: Floats, share: float) -> Floats:
    """Of every row, the smallest value that at least this share of the runs does not exceed (a P80 holds in 80 %)."""
    at = max(0, int(np.ceil(share * rows.shape[-1] - 1e-9)) - 1)
    result: Floats = np.partition(rows, at)[..., at]
    return result


def quantile(values: Floats, share: float) -> float:
    """The same of one row."""
    return float(quantiles(values, share))
