"""``interlock milestone``."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from interlock.cli.options import TableOrJson, WorkspaceOption

app = typer.Typer(help="Freeze assessments, list them, compare with now.", no_args_is_help=True)


@app.command("save")
def save(
    name: Annotated[str, typer.Argument(help="A name, like before-pilot.", metavar="NAME")],
    folder: WorkspaceOption = None,
) -> None:
    """Freeze the assessment as it stands."""
    from interlock.cli.output import say
    from interlock.model.errors import InterlockError
    from interlock.usecases.assess import assess
    from interlock.usecases.load import load_inputs, open_workspace
    from interlock.usecases.milestone import save_milestone

    if not name.strip():
        raise InterlockError("a milestone needs a name", remedy="give one, like before-pilot")
    workspace = open_workspace(folder)
    milestone = save_milestone(workspace, name, assess(load_inputs(workspace), today=date.today()))
    say(f"Saved milestone {milestone.number} as {milestone.path}")


@app.command("list")
def list_milestones(output: TableOrJson = "table", folder: WorkspaceOption = None) -> None:
    """List the milestones."""
    from interlock.cli.output import emit_json, say, show_table
    from interlock.model import words
    from interlock.usecases.load import open_workspace
    from interlock.usecases.milestone import milestones

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
    from interlock.cli.commands.diff import diff

    diff(before, after, output=output, folder=folder)


@app.command("burndown", short_help="Show how scores, open gaps and dates moved over time.")
def burndown(output: TableOrJson = "table", folder: WorkspaceOption = None) -> None:
    """How the score intervals, open gaps and dates moved from milestone to milestone."""
    from interlock.cli.comparison import show_burn_down
    from interlock.cli.output import emit_json
    from interlock.usecases.load import open_workspace
    from interlock.usecases.milestone import burn_down_of

    result = burn_down_of(open_workspace(folder), today=date.today())
    if output == "json":
        emit_json(result)
    else:
        show_burn_down(result)
