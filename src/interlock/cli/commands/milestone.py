"""``interlock milestone``."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer
from rich.text import Text

from interlock.cli.commands.diff import diff
from interlock.cli.options import TableOrJson, WorkspaceOption
from interlock.cli.output import emit_json, emit_result, say, show_table
from interlock.model import words
from interlock.model.diff import BurnDown
from interlock.model.errors import InterlockError
from interlock.model.readiness import Interval
from interlock.model.text import plain
from interlock.usecases.assess import assess
from interlock.usecases.load import load_inputs
from interlock.usecases.milestone import burn_down_of, milestones, save_milestone
from interlock.usecases.opening import open_workspace

app = typer.Typer(help="Freeze assessments, list them, compare with now.", no_args_is_help=True)


@app.command("save")
def save(
    name: Annotated[str, typer.Argument(help="A name, like before-pilot.", metavar="NAME")],
    folder: WorkspaceOption = None,
) -> None:
    """Freeze the assessment as it stands."""
    if not name.strip():
        raise InterlockError("a milestone needs a name", remedy="give one, like before-pilot")
    workspace = open_workspace(folder)
    milestone = save_milestone(workspace, name, assess(load_inputs(workspace), today=date.today()))
    say(f"Saved milestone {milestone.number} as {milestone.path}")


@app.command("list")
def list_milestones(output: TableOrJson = "table", folder: WorkspaceOption = None) -> None:
    """List the milestones."""
    saved = milestones(open_workspace(folder))
    if output == "json":
        emit_json(
            [{"number": m.number, "name": m.name, "file": str(m.path), "saved": m.saved.isoformat()} for m in saved]
        )
    elif not saved:
        say("No milestone yet. Freeze one: interlock milestone save NAME")
    else:
        show_table(["No", "Name", "Saved"], [(m.number, m.name, words.moment(m.saved)) for m in saved])


@app.command("diff")
def diff_milestone(
    before: Annotated[str, typer.Argument(help="A milestone's number or name, or 'last'.", metavar="A")] = "last",
    after: Annotated[str, typer.Argument(help="The same, or 'now'.", metavar="B")] = "now",
    output: TableOrJson = "table",
    folder: WorkspaceOption = None,
) -> None:
    """Compare a milestone with another, or with now."""
    diff(before, after, output=output, folder=folder)


@app.command("burndown", short_help="Show how scores, open gaps and dates moved over time.")
def burndown(output: TableOrJson = "table", folder: WorkspaceOption = None) -> None:
    """How the score intervals, open gaps and dates moved from milestone to milestone."""
    emit_result(output, burn_down_of(open_workspace(folder), today=date.today()), show_burn_down)


#: Milestones that one table of 80 columns holds.
SHOWN_POINTS = 5


def show_burn_down(result: BurnDown) -> None:
    """Print how the score intervals moved: a row for the product and each organisation, a column for each milestone."""
    points = result.points[-SHOWN_POINTS:]
    if len(result.points) > len(points):
        say(f"The last {len(points)} of {len(result.points)} are shown; --format json has all.")
    orgs = [org for org in result.names if any(org in point.orgs for point in points)]
    rows: list[list[object]] = [["Product", *(_interval(point.product) for point in points)]]
    rows += [[result.names[org], *(_interval(point.orgs.get(org)) for point in points)] for org in orgs]
    rows.append(["Open gaps", *(point.open for point in points)])
    rows.append(["To find out", *(point.undecided for point in points)])
    rows.append(["Finish of all", *(Text(point.finish_told.replace(" to ", "\nto ")) for point in points)])
    heads = [(f"{plain(point.name, 20)}\n{words.iso_day(point.date)}", {"justify": "right"}) for point in points]
    show_table(["", *heads], rows)


def _interval(value: Interval | None) -> str:
    return words.interval(value.low, value.high) if value else ""
