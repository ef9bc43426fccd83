"""``interlock task``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.options import OnlyOrgOption, TableOrJson, WorkspaceOption
from interlock.cli.output import emit_result, say, show_table
from interlock.model import words
from interlock.model.base import EvidenceKind
from interlock.model.errors import InterlockError
from interlock.model.routine import TaskList
from interlock.usecases.author import author_of
from interlock.usecases.evidence import Piece, evidence_record
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.opening import open_workspace
from interlock.usecases.routine import (
    NOT_BEGUN,
    Said,
    assign_tasks,
    begin_tasks,
    finish_tasks,
    reopen_tasks,
    task_list,
)

if TYPE_CHECKING:
    from interlock.workspace.routine import TaskChange

app = typer.Typer(help="Say which routine tasks have begun, and which are done.", no_args_is_help=True)

IdsArgument = Annotated[
    list[str],
    typer.Argument(help="Ids, like org.priority@riverside; without @… it stands for all of its kind.", metavar="ID…"),
]
OnOption = Annotated[
    str | None, typer.Option("--on", help="The day, like 2026-11-02; by default today.", metavar="DAY")
]
ByOption = Annotated[
    str | None,
    typer.Option("--by", help="Who says so; by default git's user, else this system's.", metavar="NAME"),
]
OwnerOption = Annotated[
    str | None, typer.Option("--owner", help="The person who does it; '' for nobody.", metavar="NAME")
]
DueOption = Annotated[str | None, typer.Option("--due", help="By when; '' for no day.", metavar="DAY")]
NoteOption = Annotated[str | None, typer.Option("--note", help="A note; '' for none.")]


@app.command("list")
def list_tasks(
    org: OnlyOrgOption = None,
    owner: Annotated[
        str | None, typer.Option("--owner", help="Only those of us, vendor, org, or of a person.", metavar="WHO")
    ] = None,
    output: TableOrJson = "table",
    folder: WorkspaceOption = None,
) -> None:
    """List the routine tasks, and how far each has come."""
    emit_result(output, task_list(load_inputs(open_workspace(folder), org), org, owner), show_tasks)


@app.command("begin")
def begin(
    ids: IdsArgument,
    on: OnOption = None,
    by: ByOption = None,
    owner: OwnerOption = None,
    due: DueOption = None,
    note: NoteOption = None,
    folder: WorkspaceOption = None,
) -> None:
    """Say that tasks have begun."""
    _save(folder, ids, begin_tasks, Said(_by(by), on=on, owner=owner, due=due, note=note))


@app.command("done")
def done(
    ids: IdsArgument,
    on: OnOption = None,
    begun: Annotated[str | None, typer.Option("--begun", help="Also the day on which it began.", metavar="DAY")] = None,
    by: ByOption = None,
    note: NoteOption = None,
    attach: Annotated[
        EvidenceKind | None, typer.Option("--attach", help="Evidence of this kind, with --link, --file or --title.")
    ] = None,
    link: Annotated[str | None, typer.Option("--link", help="Where the evidence is.")] = None,
    file: Annotated[
        str | None, typer.Option("--file", help="Its file, by the path in the workspace.", metavar="FILE")
    ] = None,
    title: Annotated[str | None, typer.Option("--title", help="What the evidence is called.")] = None,
    folder: WorkspaceOption = None,
) -> None:
    """Say that tasks are done."""
    workspace = open_workspace(folder)
    given = attach is not None or link is not None or file is not None or title is not None
    piece = Piece(attach, title, link, file)
    record = evidence_record(piece, workspace.root, load_inputs(workspace).today) if given else None
    _save(folder, ids, finish_tasks, Said(_by(by), on=on, begun=begun, note=note, attach=record))


@app.command("reopen")
def reopen(ids: IdsArgument, by: ByOption = None, note: NoteOption = None, folder: WorkspaceOption = None) -> None:
    """Take back that tasks are done, or that they have begun."""
    _save(folder, ids, reopen_tasks, Said(_by(by), note=note))


@app.command("assign")
def assign(
    ids: IdsArgument,
    owner: OwnerOption = None,
    due: DueOption = None,
    note: NoteOption = None,
    folder: WorkspaceOption = None,
) -> None:
    """Say who does tasks, and by when."""
    _save(folder, ids, assign_tasks, Said(author_of(), owner=owner, due=due, note=note))


def _by(name: str | None) -> str:
    """Who says so.

    :raises InterlockError: the name is blank, too long, or holds what no name does.
    """
    if name is not None and not name.strip():
        raise InterlockError("nobody says so: the name is blank", remedy="give --by NAME, or leave it out")
    return author_of(name)


def _save(
    folder: Path | None,
    ids: Sequence[str],
    change: Callable[[Inputs, Sequence[str], Said], list[TaskChange]],
    said: Said,
) -> None:
    workspace = open_workspace(folder)
    changes = change(load_inputs(workspace), ids, said)
    if changes:
        workspace.save_tasks(changes)
    for entry in changes:
        was = f" (it was {entry.before.told})" if entry.before else ""
        say(f"{entry.task}: {(entry.now or NOT_BEGUN).told}{was}.")
    if not changes:
        say("Nothing changes: that is what the file says already.")


def show_tasks(task_list: TaskList) -> None:
    """Print the routine tasks."""
    if task_list.tasks:
        show_table(
            [("Task", {"no_wrap": True}), "", "Whose", ("Since", {"no_wrap": True}), ("Due", {"no_wrap": True})],
            [
                (
                    entry.id,
                    f"{words.TASK_STATE[entry.progress.status].glyph} {words.TASK_STATE[entry.progress.status].phrase}",
                    entry.progress.owner or words.OWNER[entry.owner].title,
                    words.iso_day(entry.progress.done or entry.progress.begun or ""),
                    words.iso_day(entry.progress.due or "") + (" overdue" if entry.overdue else ""),
                )
                for entry in task_list.tasks
            ],
        )
    counts = [
        f"{sum(entry.progress.status is state for entry in task_list.tasks):,} {word.phrase}"
        for state, word in words.TASK_STATE.items()
    ]
    say(f"{words.count(len(task_list.tasks), 'routine task')}: {words.listed(counts)}.")
    if task_list.unknown:
        say(f"tasks.yaml also has what no routine task here is called: {words.listed(task_list.unknown)}.")
