"""``interlock plan``."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from interlock.cli.options import RunsOption, SeedOption, TableOrJson, WorkspaceOption
from interlock.cli.output import emit_result, say
from interlock.cli.plan_lines import show_plan, show_weeks, show_what_if
from interlock.model.base import Owner
from interlock.model.errors import InterlockError
from interlock.model.plan import DEFAULT_RUNS
from interlock.usecases import plan as planning
from interlock.usecases.assess import assess
from interlock.usecases.history import read_history
from interlock.usecases.load import load_inputs
from interlock.usecases.opening import open_workspace


def plan(
    output: TableOrJson = "table",
    runs: RunsOption = DEFAULT_RUNS,
    seed: SeedOption = None,
    tasks: Annotated[bool, typer.Option("--tasks", help="Also list every task.")] = False,
    days: Annotated[
        int | None,
        typer.Option(
            "--days", help="The tasks that start in so many days, by week, with their people.", min=1, max=366
        ),
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", help="Also how likely it is by this day, like 2027-03-31.", metavar="DATE")
    ] = None,
    what_if: Annotated[
        list[str] | None,
        typer.Option("--what-if", help="As if this gap, or several with commas, were closed.", metavar="GAP"),
    ] = None,
    add_capacity: Annotated[
        list[str] | None,
        typer.Option("--add-capacity", help="As if there were more persons, such as us=1.", metavar="OWNER=N"),
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option("--drop", help="As if this organisation were left out.", metavar="ORG")
    ] = None,
    launch: Annotated[
        Literal["ehr", "standalone", "backend"] | None,
        typer.Option("--launch", help="As if the contract asked for this way to launch."),
    ] = None,
    simulate: Annotated[
        list[str] | None,
        typer.Option(
            "--simulate", help="As if this behaviour of the test path, or all, were simulated.", metavar="BEHAVIOUR"
        ),
    ] = None,
    from_history: Annotated[
        Path | None,
        typer.Option(
            "--from-history",
            help="Take durations from finished tasks where there are three or more of a kind: a CSV with the columns "
            "task, begun and done, and product where there are several.",
            metavar="FILE",
        ),
    ] = None,
    folder: WorkspaceOption = None,
) -> None:
    """Plan: what to do first, in which order, and how long it takes; before and after with a what-if."""
    changes = planning.Changes(
        close=tuple(name.strip() for names in what_if or () for name in names.split(",") if name.strip()),
        add=_capacity(add_capacity or ()),
        drop=tuple(drop or ()),
        launch=launch,
        simulate=tuple(simulate or ()),
    )
    day = planning.planned_day(by) if by is not None else None
    inputs = load_inputs(open_workspace(folder))
    if from_history is not None:
        history = read_history(from_history, inputs)
        inputs = replace(inputs, past=history.past)
        for told in history.told:
            say(told)
    today = date.today()
    assessment = assess(inputs, today=today, runs=1 if changes else runs, seed=seed, by=day)
    if changes:
        result = planning.what_if(inputs, assessment, changes, today=today, runs=runs, seed=seed)
        emit_result(output, result, show_what_if)
    else:
        shown = partial(show_plan, tasks=tasks) if days is None else partial(show_weeks, days=days)
        emit_result(output, assessment.plan, shown)


def _capacity(values: list[str] | tuple[str, ...]) -> dict[Owner, float]:
    """``us=1`` as owner and number.

    :raises InterlockError: anything else.
    """
    added: dict[Owner, float] = {}
    for value in values:
        name, _, number = value.partition("=")
        try:
            added[Owner(name.strip())] = float(number)
        except ValueError:
            number = ""
        if not number or not math.isfinite(added[Owner(name.strip())]):
            raise InterlockError(
                f"--add-capacity {value!r} is not OWNER=N", remedy="write us=1, vendor=0.5 or org=2"
            ) from None
    return added
