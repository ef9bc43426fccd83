"""What shared test environments cost the plan (S41, S46), and what simulating a behaviour would save (S42, S43)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from interlock.model.base import Grade
from interlock.model.contract import TestPathEntry
from interlock.model.forecast import Behaviour, SandboxCost, SandboxOrg
from interlock.model.organization import AccessWindows, Organization
from interlock.model.rule import LeadTime
from interlock.plan.network import Floats
from interlock.plan.sampling import lead_estimate, pert_mean, sample
from interlock.plan.simulation import Comparison, Simulation
from interlock.plan.tasks import Task
from interlock.plan.timing import Changed

#: Rounds of tests until everything passes: the first, one more after the defects are fixed, at most four. Judgement.
ROUNDS = (1, 2, 4)
#: How often a behaviour is tested when the contract does not say.
RUNS_PER_WEEK = 1.0


def mean_wait(windows: AccessWindows) -> float:
    """Mean working days until a window is open, for a wish that comes at any time: ``(E - L)² / (2 E)``.

    With probability L/E the window is open now; otherwise the wait is anything up to E - L, evenly.
    """
    closed = windows.every_days - windows.open_days
    return closed * closed / (2.0 * windows.every_days)


def within_windows(task: Task, organizations: Mapping[str, Organization]) -> Task:
    """A task in a shared environment, its lead time worked out from the stated windows where there are any.

    Each round of tests takes one window and the wait for it: at best one round in a window that is open, most likely
    two with the mean wait, at worst four with the longest wait.
    """
    org = organizations.get(task.org or "")
    if not task.shared_environment or org is None or org.access_windows is None:
        return task
    windows = org.access_windows
    lead = LeadTime(
        low=ROUNDS[0] * windows.open_days,
        expected=ROUNDS[1] * (mean_wait(windows) + windows.open_days),
        high=ROUNDS[2] * windows.every_days,
        unit="working_days",
        source=f"access windows stated in orgs/{org.id}.yaml; number of rounds is judgement",
        grade=Grade.JUDGEMENT,
        as_of=task.lead_time.as_of if task.lead_time else "2026-11",
    )
    return replace(task, lead_time=lead)


def shares(test_path: Sequence[TestPathEntry]) -> dict[str, float]:
    """Behaviour → its part of the time in shared environments, by runs a week; what is simulated already has none."""
    weights: dict[str, float] = {}
    for entry in test_path:
        if entry.where != "simulate":
            weights[entry.behaviour] = weights.get(entry.behaviour, 0.0) + _runs(entry)
    total = sum(weights.values())
    return {name: weight / total if total else 1.0 / len(weights) for name, weight in weights.items()}


def waited(simulation: Simulation) -> dict[int, Floats]:
    """Row of each task in a shared environment → the lead time that goes by there, in each run."""
    tasks = simulation.work.tasks
    return {
        row: sample([replace(tasks[row], effort=None)], simulation.sampler, [1.0], frozenset()).total[0]
        for row in _shared(simulation)
    }


def simulated(simulation: Simulation, waits: Mapping[int, Floats], part: float) -> dict[int, Changed]:
    """Durations of the tasks in shared environments when this part of their lead time is simulated away."""
    total, nothing = simulation.durations.total, np.float32(0.0)
    return {row: Changed(np.maximum(total[row] - np.float32(part) * wait, nothing)) for row, wait in waits.items()}


def _shared(simulation: Simulation) -> list[int]:
    """Rows of the tasks whose time goes by in shared environments, but of those that are done."""
    tasks = enumerate(simulation.work.tasks)
    return [row for row, task in tasks if task.shared_environment and task.lead_time and not task.is_done]


def cost(
    simulation: Simulation,
    comparison: Comparison,
    test_path: Sequence[TestPathEntry],
    organizations: Sequence[Organization],
) -> SandboxCost | None:
    """What the plan spends on shared environments; none when no task of it goes by there."""
    rows = _shared(simulation)
    if not rows:
        return None
    waits = waited(simulation)
    without = comparison.changed([simulated(simulation, waits, 1.0)])
    orgs = []
    for org in organizations:
        own = [row for row in rows if simulation.work.tasks[row].org == org.id]
        if own:
            tasks = [simulation.work.tasks[row] for row in own]
            mean = sum(pert_mean(lead_estimate(task.elapsed or task.lead_time)) for task in tasks)
            saved = comparison.p80(org.id) - comparison.p80s(org.id, without)[0]
            orgs.append(
                SandboxOrg(
                    org=org.id, days=round(mean, 1), p80_days=round(saved, 1), stated=org.access_windows is not None
                )
            )
    return SandboxCost(
        p80_days=round(comparison.p80(None) - comparison.p80s(None, without)[0], 1),
        orgs=tuple(orgs),
        behaviours=tuple(_behaviours(waits, simulation, comparison, test_path)),
    )


def _behaviours(
    waits: Mapping[int, Floats], simulation: Simulation, comparison: Comparison, test_path: Sequence[TestPathEntry]
) -> Iterable[Behaviour]:
    """Behaviours in a sandbox, those first that save most; live ones are live because nothing else will do (S43)."""
    share_of = shares(test_path)
    behaviours = []
    for entry in {entry.behaviour: entry for entry in test_path if entry.where == "sandbox"}.values():
        changed = comparison.changed([simulated(simulation, waits, share_of[entry.behaviour])])
        behaviours.append(
            Behaviour(
                behaviour=entry.behaviour,
                why=entry.why,
                runs_per_week=_runs(entry),
                share=round(share_of[entry.behaviour], 3),
                p80_days_saved=round(comparison.p80(None) - comparison.p80s(None, changed)[0], 1),
                org_days_saved=round(comparison.saved(changed)[0], 1),
            )
        )
    return sorted(behaviours, key=lambda b: (-b.org_days_saved, -b.share, b.behaviour))


def _runs(entry: TestPathEntry) -> float:
    return RUNS_PER_WEEK if entry.runs_per_week is None else max(0.0, entry.runs_per_week)
