"""What-ifs: the same luck with gaps closed, behaviours simulated, persons added or organisations left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from interlock.model.base import Owner
from interlock.model.contract import TestPathEntry
from interlock.model.errors import InterlockError
from interlock.model.organization import Freeze
from interlock.plan.environments import shares, simulated, waited
from interlock.plan.network import Floats, quantile
from interlock.plan.simulation import Simulation, latest, simulate
from interlock.plan.tasks import Work
from interlock.plan.timing import CLOSED, Rerun

Ends = dict[str | None, Floats]


@dataclass(frozen=True)
class Scenario:
    """What a what-if changes in the plan.

    :ivar close: ids of tasks that take no time: keys of gaps and unknowns, or ids of routine tasks.
    :ivar add: persons added (or, below zero, taken away) by owner.
    :ivar drop: organisations left out.
    :ivar simulate: behaviours of the test path that no longer need a shared environment.
    """

    close: tuple[str, ...] = ()
    add: Mapping[Owner, float] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    simulate: tuple[str, ...] = ()


def play(
    simulation: Simulation, scenario: Scenario, freezes: Sequence[Freeze], test_path: Sequence[TestPathEntry]
) -> Ends:
    """The finishes under a scenario, in the same runs; dropped organisations are left out.

    Closing and simulating only take work away, so nothing is later than it was. Adding persons and dropping
    organisations make another order of the work; the order as it was stays possible, and is kept for a finish that the
    other one would make later at the median or at the P80.

    :raises InterlockError: an id, organisation, owner or behaviour that the plan does not have.
    """
    _check(simulation, scenario)
    after = _staffed(simulation, scenario, freezes)
    row_of = after.work.row_of
    share_of = shares(test_path)
    part = sum(share_of.get(name, 0.0) for name in set(scenario.simulate))
    changed = simulated(after, waited(after), part) if part else {}
    changed |= {row_of[key]: CLOSED for key in scenario.close if key in row_of}
    absent = {**after.absent, **after.done}
    rerun = Rerun(after.timing, after.durations, absent, after.times, after.sampler.runs)
    new = rerun.changed([changed]).finishes
    only_room = all(persons >= 0 for persons in scenario.add.values())
    ends: Ends = {}
    for org in (None, *after.orgs):
        finishes = {row: new[row][0] if row in new else after.times.finishes[row] for row in after.ends[org]}
        end = latest(finishes, after.ends[org], after.sampler.runs)
        before = simulation.end(org)
        ends[org] = before if only_room and _later(end, before) else end
    return ends


def _later(end: Floats, before: Floats) -> bool:
    """Whether a finish is later than another at the median or at the P80."""
    return any(quantile(end, share) > quantile(before, share) for share in (0.5, 0.8))


def _check(simulation: Simulation, scenario: Scenario) -> None:
    for org in scenario.drop:
        if org not in simulation.orgs:
            known = ", ".join(simulation.orgs) or "none"
            raise InterlockError(f"there is no organisation {org!r} in the plan", remedy=f"organisations: {known}")
    if simulation.orgs and len(set(scenario.drop)) == len(simulation.orgs):
        raise InterlockError("no organisation would be left", remedy="drop fewer of them")
    for owner, more in scenario.add.items():
        if owner not in simulation.persons:
            raise InterlockError(
                f"the capacity of {owner.value} is not stated, so nobody waits for it",
                remedy=f"state it in interlock.yaml first: capacity: {{{owner.value}: 2}}",
            )
        if simulation.persons[owner] + more <= 0:
            raise InterlockError(
                f"the capacity of {owner.value} would be {simulation.persons[owner] + more:g}",
                remedy=f"take fewer away: there are {simulation.persons[owner]:g}",
            )


def _staffed(simulation: Simulation, scenario: Scenario, freezes: Sequence[Freeze]) -> Simulation:
    """The plan with other persons or fewer organisations, drawn with the same luck."""
    if not scenario.add and not scenario.drop:
        return simulation
    persons = {owner: number + scenario.add.get(owner, 0.0) for owner, number in simulation.persons.items()}
    kept = tuple(org for org in simulation.orgs if org not in scenario.drop)
    work = _without(simulation.work, frozenset(scenario.drop)) if scenario.drop else simulation.work
    return simulate(work, kept, simulation.calendar, freezes, persons, simulation.sampler)


def _without(work: Work, dropped: frozenset[str]) -> Work:
    """The work that is left without these organisations: what only they waited for is gone."""
    kept = [row for row, task in enumerate(work.tasks) if not task.orgs or not dropped.issuperset(task.orgs)]
    new = {row: number for number, row in enumerate(kept)}
    gone = {work.tasks[row].id for row in range(len(work.tasks)) if row not in new}
    tasks = tuple(
        replace(
            work.tasks[row],
            orgs=tuple(org for org in work.tasks[row].orgs if org not in dropped),
            after=tuple(first for first in work.tasks[row].after if first not in gone),
        )
        for row in kept
    )
    before = tuple(tuple(new[first] for first in work.before[row] if first in new) for row in kept)
    return Work(tasks, before, work.unknown)
