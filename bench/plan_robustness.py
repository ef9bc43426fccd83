"""How often a plan's range holds in worlds that are not as it supposes, and how wide that range is.

The plans are those of the samples, with their simulated organisations probed. A true world has unknowns that are gaps
half or twice as often, and tasks that take 0.7 to 1.5 times as long; its finishes are drawn with another seed.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from statistics import fmean
from typing import TypeVar

import numpy as np
from robustness import truths

from interlock.model.rule import Effort, LeadTime
from interlock.plan import network
from interlock.plan.sampling import Sampler
from interlock.plan.simulation import Simulation, simulate
from interlock.plan.tasks import Task
from interlock.usecases.assess import assess, plan_options
from interlock.usecases.load import Inputs
from interlock.usecases.plan import simulation_of_inputs

CHANCES, DURATIONS = (0.5, 1.0, 2.0), (0.7, 1.0, 1.5)
RUNS, TODAY = 2_000, date(2026, 11, 30)
PAGE = Path(__file__).resolve().parent.parent / "docs" / "scheduling.md"
Estimate = TypeVar("Estimate", Effort, LeadTime)
BEGIN, END = "<!-- how often the range holds -->", "<!-- end of how often -->"


def true_world(plan: Simulation, inputs: Inputs, chances: float, durations: float) -> Simulation:
    """The same work where unknowns are gaps so much more often, and everything takes so much longer; other luck."""

    def changed(task: Task) -> Task:
        chance = None if task.chance is None else min(1.0, task.chance * chances)
        return replace(
            task, chance=chance, effort=scaled(task.effort, durations), lead_time=scaled(task.lead_time, durations)
        )

    work = replace(plan.work, tasks=tuple(map(changed, plan.work.tasks)))
    sampler = Sampler(plan.sampler.seed + 1, plan.sampler.runs)
    return simulate(work, plan.orgs, plan.calendar, inputs.settings.freezes, plan.persons, sampler)


def scaled(estimate: Estimate | None, factor: float) -> Estimate | None:
    """An estimate so many times as long."""
    if estimate is None:
        return None
    return estimate.but(low=estimate.low * factor, expected=estimate.expected * factor, high=estimate.high * factor)


def main() -> int:
    """Print the table; with ``--write`` put it into docs/scheduling.md."""
    inside: dict[tuple[float, float], list[float]] = {(c, d): [] for c in CHANCES for d in DURATIONS}
    widths = []
    for inputs in truths():
        assessment = assess(inputs, today=TODAY, runs=100)
        plan = simulation_of_inputs(inputs, assessment, plan_options(inputs, assessment, today=TODAY, runs=RUNS))
        for org in (None, *plan.orgs):
            low, middle, high = (network.quantile(plan.end(org), share) for share in (0.1, 0.5, 0.9))
            if middle <= 0:
                continue
            widths.append((high - low) / middle)
            for (chances, durations), shares in inside.items():
                end = true_world(plan, inputs, chances, durations).end(org)
                shares.append(float(np.mean((end >= low) & (end <= high))))
    rows = [["", *(f"durations × {factor:g}" for factor in DURATIONS)], ["---"] * 4]
    rows += [[f"chances × {c:g}", *(f"{fmean(inside[c, d]):.0%}" for d in DURATIONS)] for c in CHANCES]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    shown = f"{table}\n\nP10 to P90 is {fmean(widths):.0%} of the P50 wide, on average over {len(widths)} finishes."
    print(shown)
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    if "--write" in sys.argv[1:] and rest:
        PAGE.write_text(f"{before}{BEGIN}\n\n{shown}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
