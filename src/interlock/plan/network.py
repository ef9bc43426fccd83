"""The critical path method on many runs at once (Kelley and Walker 1959): all functions are pure and vectorised.

Tasks are numbered topologically (:class:`interlock.plan.tasks.Work`); arrays have one row a task and one column a run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from interlock.plan.calendar import Span

Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int32]
Bools: TypeAlias = NDArray[np.bool_]
#: In every run, by broadcasting.
_ALWAYS: Bools = np.ones(1, dtype=np.bool_)


def advance(start: Floats, duration: Floats, spans: Sequence[Span], out: Floats | None = None) -> Floats:
    """When work ends that stands still within the spans (ordered, apart from one another).

    Never earlier for a later start or more work: the clock of the work is a non-decreasing function of time.

    :param out: where to put it.
    """
    began = start
    for first, last in spans:
        began = np.where((began >= first) & (began < last), np.float32(last), began)
    end: Floats = np.add(began, duration, out=out)
    for first, last in spans:
        np.add(end, np.float32(last - first), out=end, where=(began < first) & (end > first))
    return end


@dataclass(frozen=True)
class Times:
    """Times of every task in every run, shape (tasks, runs), in working days.

    :ivar released: when the crews of those are free again that have others after them, or before.
    :ivar absent: the runs in which such a task does not take place: it hands its crew on as it would get it.
    :ivar queued: mean working days of waiting for a crew, by row, where that was asked for.
    :ivar patience: row → most working days that it waits for one.
    """

    starts: Floats
    finishes: Floats
    released: Mapping[int, Floats]
    absent: Mapping[int, Bools]
    queued: Mapping[int, float]
    patience: Mapping[int, float] = field(default_factory=dict)

    def present(self, row: int) -> Bools:
        """The runs in which a task takes place."""
        return ~self.absent[row] if row in self.absent else _ALWAYS


def critical(
    after: Sequence[Sequence[int]],
    crews_after: Mapping[int, Sequence[int]],
    times: Times,
    members: Sequence[int],
    end: Floats,
) -> dict[int, Bools]:
    """For each member, in which runs it lies on a critical path to ``end`` (the latest finish of the members).

    Van Slyke's (1963) criticality is the mean of each. Where two paths tie, both are critical. Times are copied by the
    maximum, never recomputed, so comparing them for equality is exact.

    :param crews_after: row → the rows that take over its crew.
    :param members: in an order in which nothing comes before what it waits for; whatever a member waits for may be left
        out, what waits for it is followed.
    """
    result: dict[int, Bools] = {}
    handing: dict[int, Bools] = {}  # in which runs somebody critical waited for this task's crew
    for task in reversed(members):
        on_path: Bools = times.finishes[task] == end
        for later in after[task]:
            if later in result:
                on_path |= result[later] & (times.starts[later] == times.finishes[task])
                if later in times.patience:  # it waited for a crew as long as it ever does
                    waited_for = times.finishes[task] + np.float32(times.patience[later])
                    on_path |= result[later] & (times.starts[later] == waited_for)
        if task in crews_after:
            released, waited = times.released[task], np.zeros(end.size, dtype=np.bool_)
            for later in crews_after[task]:
                if later in result:
                    waited |= result[later] & times.present(later) & (times.starts[later] == released)
                    waited |= handing[later] & ~times.present(later) & (times.released[later] == released)
            handing[task] = waited
            on_path |= waited & times.present(task)
        else:
            handing[task] = np.zeros(1, dtype=np.bool_)
        result[task] = on_path
    return result


def quantiles(rows: Floats, *shares: float) -> list[Floats]:
    """Of every row, the smallest value that at least each share of the runs does not exceed (a P80 holds in 80 %)."""
    at = [max(0, int(np.ceil(share * rows.shape[-1] - 1e-9)) - 1) for share in shares]
    sorted_there = np.partition(rows, at)
    return [sorted_there[..., index] for index in at]


def quantile(values: Floats, share: float) -> float:
    """One of one row."""
    return float(quantiles(values, share)[0])
