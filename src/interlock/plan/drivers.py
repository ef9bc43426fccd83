"""The tornado chart's bars: which tasks, and whose luck, move the plan's P80 most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from interlock.model.base import Scope
from interlock.model.forecast import Driver
from interlock.plan import network
from interlock.plan.network import Floats
from interlock.plan.simulation import Simulation

#: Bars shown, tasks compared, and the share of runs on either side.
SHOWN, _CANDIDATES, _SIDE = 8, 30, 0.2
#: Runs that are looked at: enough for a P80 of each fifth.
_RUNS = 10_000
_TITLES = {
    Scope.PRODUCT: "How things go for the product's own work",
    Scope.VENDOR: "How things go with the vendor",
    Scope.ORG: "How things go at the organisation",
}


def tornado(simulation: Simulation, criticality: Sequence[float]) -> tuple[Driver, ...]:
    """What moves the plan's P80 most, the widest first.

    For each task that is ever critical and for each party's shared luck, the runs are sorted by it, and the P80 of the
    best fifth is compared with that of the worst fifth: conditional quantiles of the same runs; no new ones are needed.
    What goes well together with a task (its party's luck) is part of its bar.
    """
    end = simulation.end(None)[:_RUNS]
    if end.size < 10:
        return ()
    bars = [*_tasks(simulation, end, criticality), *_parties(simulation, end)]
    bars = [bar for bar in bars if bar.p80_if_badly > bar.p80_if_well]
    return tuple(sorted(bars, key=lambda bar: (bar.p80_if_well - bar.p80_if_badly, bar.id))[:SHOWN])


def _tasks(simulation: Simulation, end: Floats, criticality: Sequence[float]) -> Iterator[Driver]:
    total = simulation.durations.total
    rows = [row for row, share in enumerate(criticality) if share > 0 and np.ptp(total[row][: end.size])]
    rows.sort(key=lambda row: (-criticality[row] * float(np.ptp(total[row][:256])), row))
    for row in rows[:_CANDIDATES]:
        task = simulation.work.tasks[row]
        yield _bar(task.id, task.title, "task", task.org, total[row][: end.size], end)


def _parties(simulation: Simulation, end: Floats) -> Iterator[Driver]:
    tasks = simulation.work.tasks
    parties = {party for task in tasks for party in task.parties.items()}
    parties |= {(Scope.PRODUCT, "") for task in tasks if task.scope is Scope.PRODUCT}
    for scope, name in sorted(parties)[:_CANDIDATES]:
        luck = simulation.sampler.factor((scope, name))[: end.size]
        known = scope.value if scope is Scope.PRODUCT else f"{scope.value}:{name}"
        yield _bar(known, _TITLES[scope], "party", name if scope is Scope.ORG else None, luck, end)


def _bar(key: str, title: str, kind: Literal["task", "party"], org: str | None, luck: Floats, end: Floats) -> Driver:
    side = max(1, int(_SIDE * end.size))
    order = np.argpartition(luck, (side, luck.size - side))
    well, badly = (round(network.quantile(end[part], 0.8), 1) for part in (order[:side], order[-side:]))
    return Driver(id=key, title=title, what=kind, org=org, p80_if_well=well, p80_if_badly=badly)
