"""The plan's what-ifs: before and after, side by side, with the same luck."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from interlock.documents.names import closest
from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.base import Owner, within_years
from interlock.model.contract_parts import LaunchMode
from interlock.model.errors import InterlockError
from interlock.model.plan import DEFAULT_RUNS, PlanChange, WhatIf
from interlock.model.text import plain
from interlock.plan.due import later, loads, sure, waits_for
from interlock.plan.ground import supposed
from interlock.plan.options import PlanOptions
from interlock.plan.outlook import order
from interlock.plan.people import (
    accepted,
    alike,
    asks,
    decided_by,
    done,
    lines,
    next_weeks,
    reckoned,
    spanned,
)
from interlock.plan.scenario import Scenario, play
from interlock.plan.schedule import simulation_of
from interlock.plan.simulation import Simulation
from interlock.usecases.assess import assess, plan_options
from interlock.usecases.load import Inputs

__all__ = [
    "Changes",
    "accepted",
    "alike",
    "asks",
    "decided_by",
    "done",
    "later",
    "lines",
    "next_weeks",
    "order",
    "reckoned",
    "spanned",
    "loads",
    "sure",
    "waits_for",
    "what_if",
]


@dataclass(frozen=True)
class Changes:
    """What a what-if asks for.

    :ivar close: keys of gaps and unknowns, ids of routine tasks, or a rule's id for all of its organisations.
    :ivar add: persons to add by owner.
    :ivar drop: organisations to leave out.
    :ivar launch: how sessions start instead of what the contract says.
    :ivar simulate: behaviours of the test path, or ``all``.
    """

    close: tuple[str, ...] = ()
    add: dict[Owner, float] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    launch: LaunchMode | None = None
    simulate: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.close or self.add or self.drop or self.launch or self.simulate)


def what_if(
    inputs: Inputs,
    assessment: Assessment,
    changes: Changes,
    *,
    today: date,
    runs: int = DEFAULT_RUNS,
    seed: int | None = None,
) -> WhatIf:
    """The finishes of a plan before and after some changes.

    :param assessment: that of ``inputs`` as they are.
    :raises InterlockError: something that the plan does not have; close names are given.
    """
    options = plan_options(inputs, assessment, today=today, runs=runs, seed=seed)
    before = simulation_of_inputs(inputs, assessment, options)
    said: list[str] = []
    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    base, grounded = before, assessment.plan.ground
    if changes.launch is not None:
        inputs = _launched(inputs, changes.launch)
        other = assess(inputs, today=today, runs=1, seed=seed)
        base = simulation_of_inputs(inputs, other, options)
        grounded = other.plan.ground
        old, new = _keys(assessment), _keys(other)
        opened, closed = tuple(key for key in new if key not in old), tuple(key for key in old if key not in new)
        said.append(
            f"Sessions start by {changes.launch} launch: {_counted(closed)} no longer stand in the way, "
            f"{_counted(opened)} do so now."
        )
    scenario = Scenario(
        close=_tasks(base, changes.close),
        add=changes.add,
        drop=changes.drop,
        simulate=_behaviours(inputs, changes.simulate),
    )
    said += _said(scenario, base)
    after = play(base, scenario, options.freezes, options.test_path)
    return WhatIf(
        seed=options.seed,
        runs=before.sampler.runs,
        target_gate=options.target_gate,
        ground=supposed(assessment.plan.ground, grounded),
        changes=tuple(said),
        finishes=tuple(
            PlanChange(
                org=org,
                before=before.quantiles(before.end(org)),
                after=base.quantiles(after[org]) if org in after else None,
            )
            for org in (*before.orgs, None)
        ),
        opened=opened,
        closed=closed,
        notes=("Both sides use the same random numbers, so the difference is not luck.",),
    )


def simulation_of_inputs(inputs: Inputs, assessment: Assessment, options: PlanOptions) -> Simulation:
    """The runs of a plan that was assessed; :func:`interlock.plan.schedule.simulation_of` lists the errors."""
    return simulation_of(
        assessment.graph,
        assessment.rules,
        inputs.content.ruleset.tasks,
        assessment.findings,
        assessment.organizations,
        options,
    )


def _launched(inputs: Inputs, launch: LaunchMode) -> Inputs:
    if inputs.contract is None:
        raise InterlockError(
            "there is no contract to change", remedy="write contract.yaml; interlock contract lint checks it"
        )
    kept = [mode for mode in inputs.contract.launch.modes if mode == "backend" and launch != "backend"]
    changed = inputs.contract.launch.model_copy(update={"modes": (launch, *kept)})
    return replace(inputs, contract=inputs.contract.model_copy(update={"launch": changed}))


def _keys(assessment: Assessment) -> dict[str, None]:
    return dict.fromkeys(task.id for task in assessment.plan.tasks if task.kind in {"gap", "discovery"})


def _counted(keys: Iterable[str]) -> str:
    names = tuple(keys)
    return f"{len(names)} ({words.listed(names)})" if names else "none"


def _tasks(simulation: Simulation, names: Iterable[str]) -> tuple[str, ...]:
    """Task ids by the names that a person gave, in any case; a rule's id stands for all its organisations."""
    ids = {task.id.upper(): task.id for task in simulation.work.tasks}
    task_ids: dict[str, None] = {}
    for name in names:
        upper = name.upper()
        of_all = [key for key in ids if key.partition("@")[0] == upper or key.startswith(f"{upper}:")]
        matching = [ids[upper]] if upper in ids else [ids[key] for key in of_all]
        if not matching:
            remedy = closest(name, ids.values(), "interlock plan --tasks lists them")
            raise InterlockError(f"nothing in the plan is called {name!r}", remedy=remedy)
        task_ids.update(dict.fromkeys(matching))
    return tuple(task_ids)


def _behaviours(inputs: Inputs, names: tuple[str, ...]) -> tuple[str, ...]:
    entries = inputs.contract.test_path if inputs.contract else ()
    sandbox = [entry.behaviour for entry in entries if entry.where == "sandbox"]
    if not names:
        return ()
    if not sandbox:
        raise InterlockError(
            "no behaviour of the contract is tested in a sandbox", remedy="see test_path in contract.yaml"
        )
    if [name.lower() for name in names] == ["all"]:
        return tuple(dict.fromkeys(sandbox))
    known = {name.lower(): name for name in sandbox}
    for name in names:
        if name.lower() not in known:
            raise InterlockError(
                f"no behaviour that is tested in a sandbox is called {name!r}", remedy=f"they are: {'; '.join(sandbox)}"
            )
    return tuple(dict.fromkeys(known[name.lower()] for name in names))


def _said(scenario: Scenario, simulation: Simulation) -> list[str]:
    said = []
    if scenario.close:
        said.append(f"Closed: {words.listed(scenario.close)}.")
    said += [
        f"{'Added' if more > 0 else 'Taken away'}: {words.persons(abs(more), owner)}, "
        f"{words.number(before + more)} instead of {words.number(before)}."
        for owner, more in scenario.add.items()
        for before in (simulation.persons.get(owner, 0.0),)
    ]
    if scenario.drop:
        said.append(f"Left out: {words.listed(scenario.drop)}.")
    if scenario.simulate:
        said.append(f"Simulated instead of in a sandbox: {words.listed(scenario.simulate)}.")
    return said


def planned_day(text: str) -> date:
    """A day that a plan is asked about, as it is written in files.

    :raises InterlockError: anything else.
    """
    try:
        return within_years(datetime.strptime(text.strip(), "%Y-%m-%d").date())
    except ValueError:
        raise InterlockError(
            f"{plain(text, 40)!r} is not a day that a plan can reckon with",
            remedy="write year, month and day: 2027-03-31",
        ) from None
