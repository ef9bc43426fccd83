"""``interlock plan``."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from interlock.cli.options import RunsOption, SeedOption, TableOrJson, WorkspaceOption

if TYPE_CHECKING:
    from interlock.model.base import Owner

Launch = Literal["ehr", "standalone", "backend"]


def plan(
    output: TableOrJson = "table",
    runs: RunsOption = 5000,
    seed: SeedOption = None,
    tasks: Annotated[bool, typer.Option("--tasks", help="Also list every task.")] = False,
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
        Launch | None, typer.Option("--launch", help="As if the contract asked for this way to launch.")
    ] = None,
    simulate: Annotated[
        list[str] | None,
        typer.Option(
            "--simulate", help="As if this behaviour of the test path, or all, were simulated.", metavar="BEHAVIOUR"
        ),
    ] = None,
    folder: WorkspaceOption = None,
) -> None:
    """Plan: what to do first, in which order, and how long it takes; before and after with a what-if."""
    from interlock.cli.output import emit_json
    from interlock.cli.planning import show_plan, show_what_if
    from interlock.usecases import plan as planning
    from interlock.usecases.assess import assess
    from interlock.usecases.load import load_inputs, open_workspace

    changes = planning.Changes(
        close=tuple(name.strip() for names in what_if or () for name in names.split(",") if name.strip()),
        add=_capacity(add_capacity or ()),
        drop=tuple(drop or ()),
        launch=launch,
        simulate=tuple(simulate or ()),
    )
    day = _day(by) if by is not None else None
    inputs = load_inputs(open_workspace(folder))
    today = date.today()
    assessment = assess(inputs, today=today, runs=1 if changes else runs, seed=seed, by=day)
    if changes:
        result = planning.what_if(inputs, assessment, changes, today=today, runs=runs, seed=seed)
        emit_json(result) if output == "json" else show_what_if(result)
    elif output == "json":
        emit_json(assessment.plan)
    else:
        show_plan(assessment, tasks=tasks)


def _day(text: str) -> date:
    """A day as it is written in files.

    :raises InterlockError: anything else.
    """
    from datetime import datetime

    from interlock.model.base import within_years
    from interlock.model.errors import InterlockError
    from interlock.model.text import plain

    try:
        return within_years(datetime.strptime(text.strip(), "%Y-%m-%d").date())
    except ValueError:
        raise InterlockError(
            f"--by {plain(text, 40)!r} is not a day that a plan can reckon with",
            remedy="write year, month and day: 2027-03-31",
        ) from None


def _capacity(values: list[str] | tuple[str, ...]) -> dict[Owner, float]:
    """``us=1`` as owner and number.

    :raises InterlockError: anything else.
    """
    import math

    from interlock.model.base import Owner
    from interlock.model.errors import InterlockError

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
