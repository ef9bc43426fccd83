"""What makes the plan's range as wide as it is: shares of its spread by cause, each with what it rests on.

To first order the finish moves with a task's time as often as the task is critical, so of the finish's variance each
task brings about its criticality times the covariance of its time with the finish. These are added up by cause and
given as shares of their sum. What is certain brings nothing; what goes well or badly together counts wherever it does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from interlock.model.base import Grade
from interlock.model.forecast import Cause, SpreadPart
from interlock.plan.network import Bools
from interlock.plan.sampling import effort_estimate, lead_estimate, pert_mean
from interlock.plan.simulation import Simulation
from interlock.plan.tasks import Task

_CAUSES: Mapping[str, Cause] = {"gap": "gaps", "discovery": "discoveries", "evidence": "evidence"}


def spread(simulation: Simulation, on_path: Mapping[int, Bools]) -> tuple[SpreadPart, ...]:
    """The parts, the largest first; none when the finish has no width.

    A task's part is split between its effort, which is always judgement, and its lead time by their means. How long
    something takes that may not be needed at all goes with whether it is: a chance is judgement.

    :param on_path: row → in which runs it is critical.
    """
    end = simulation.end(None).astype(np.float64)
    moves = end - end.mean()
    parts: dict[tuple[Cause, Grade], float] = defaultdict(float)
    for row, task in enumerate(simulation.work.tasks):
        if on_path[row].any():
            time = simulation.times.finishes[row] - simulation.times.starts[row]
            part = float(on_path[row].mean()) * float(np.dot(time, moves)) / end.size
            for grade, share in _grades(task, simulation.timing.staffing.crews[row]).items():
                parts[_cause(task), grade] += part * share
    parts = {key: part for key, part in parts.items() if part > 0}
    whole = sum(parts.values())
    shares = [
        SpreadPart(cause=cause, grade=grade, share=round(part / whole, 3)) for (cause, grade), part in parts.items()
    ]
    return tuple(
        sorted((part for part in shares if part.share), key=lambda part: (-part.share, part.cause, part.grade))
    )


def _cause(task: Task) -> Cause:
    if task.chance is not None:
        return "unknowns"
    return _CAUSES.get(task.kind) or task.owner.value


def _grades(task: Task, crew: float) -> dict[Grade, float]:
    """What a task's time rests on, by share of its mean."""
    if task.chance is not None:
        return {Grade.JUDGEMENT: 1.0}
    if task.elapsed is not None:
        return {task.elapsed.grade: 1.0}
    effort, lead = pert_mean(effort_estimate(task.effort, crew)), pert_mean(lead_estimate(task.lead_time))
    grades: dict[Grade, float] = defaultdict(float)
    grades[Grade.JUDGEMENT] += effort
    if task.lead_time is not None:
        grades[task.lead_time.grade] += lead
    return {grade: time / (effort + lead) for grade, time in grades.items() if time}
