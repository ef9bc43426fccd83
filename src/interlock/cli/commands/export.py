"""``interlock export``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from textwrap import wrap
from typing import Annotated, Literal

import typer

from interlock.cli.options import OnlyOrgOption, WorkspaceOption
from interlock.cli.output import emit, say
from interlock.documents.timing import judging_day, writing_time
from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.errors import InterlockError, Location
from interlock.usecases import work
from interlock.usecases.assess import assess
from interlock.usecases.fhir_forms import export_forms, write_forms
from interlock.usecases.load import load_inputs
from interlock.usecases.opening import open_workspace
from interlock.usecases.recipient import for_recipient
from interlock.usecases.sheet import export_sheet, write_sheet
from interlock.usecases.work import write_parts

app = typer.Typer(
    help="Write the workspace for other tools: forms, issues, a plan of action, dates.", no_args_is_help=True
)
RecipientOption = Annotated[
    str | None,
    typer.Option("--org", help="For this organisation alone: its dates, and nothing of any other.", metavar="ID"),
]
OutputFile = Annotated[
    Path | None, typer.Option("--output", "--out", "-o", help="File to write; without one, stdout.", metavar="FILE")
]


@app.callback()
def export() -> None:
    """Write the workspace for other tools: forms, issues, a plan of action, dates."""


@app.command("fhir")
def fhir(
    directory: Annotated[
        Path, typer.Option("--output", "--out", "-o", help="Folder to write to.", metavar="DIR")
    ] = Path("fhir"),
    org: OnlyOrgOption = None,
    folder: WorkspaceOption = None,
) -> None:
    """Write FHIR R4 forms and the responses to them.

    One Questionnaire a questionnaire, and a QuestionnaireResponse of the product and of every organisation.
    """
    workspace = open_workspace(folder)
    forms = export_forms(load_inputs(workspace, org), org)
    for path in write_forms(forms, workspace.output(directory)):
        emit(str(path))
    if forms.left:
        answers = words.count(len(forms.left), "answer")
        say(f"Not in these files, and still in the workspace: {answers} that a form may not hold.")
        for left in forms.left:
            say(f"  {left.scope}: {left.item}, because {left.reason}")
    if forms.always_asked:
        number = len(forms.always_asked)
        depend, them = words.agree(number, "depends", "depend"), words.agree(number, "it", "them")
        say(
            f"{words.count(number, 'question')} {depend} on answers in another form, so these forms always show {them};"
        )
        say("each says in the form when it is needed:")
        for line in wrap(", ".join(item for item, _ in forms.always_asked), 76):
            say(f"  {line}")


@app.command("sheet", short_help="Write an organisation's questions, ready to mail.")
def sheet(
    org: Annotated[str, typer.Option("--org", help="Whose questions, by its id.", metavar="ID")],
    form: Annotated[
        Literal["xlsx", "fhir", "both"],
        typer.Option("--format", "-f", help="A workbook, a FHIR R4 form with what we have noted, or both."),
    ] = "both",
    directory: Annotated[
        Path, typer.Option("--output", "--out", "-o", help="Folder to write to.", metavar="DIR")
    ] = Path("sheets"),
    reply_to: Annotated[
        str | None, typer.Option("--reply-to", help="Who it goes back to: a name, an address.", metavar="TEXT")
    ] = None,
    folder: WorkspaceOption = None,
) -> None:
    """Write what an organisation is asked, in its own words, as a workbook and a FHIR form to mail to it.

    It holds no notes, evidence or weights of ours. `interlock import sheet` takes the answers.
    """
    workspace = open_workspace(folder)
    export = export_sheet(load_inputs(workspace, org), org, form, day=date.today(), reply_to=reply_to)
    for path in write_sheet(export, workspace.output(directory)):
        emit(str(path))
    say(f"{words.count(export.questions, 'question')}, {export.noted} with an answer of ours to confirm.")


@app.command("issues", short_help="Write open gaps and unknowns as issues for a tracker.")
def issues(
    tracker: Annotated[
        Literal["github", "jira", "azure"], typer.Option("--for", help="The tracker that imports them.")
    ] = "github",
    kind: Annotated[Literal["csv", "json"], typer.Option("--format", "-f", help="CSV or JSON.")] = "csv",
    routine: Annotated[
        bool, typer.Option("--routine", help="Also the routine tasks, which every integration has.")
    ] = False,
    org: OnlyOrgOption = None,
    output: OutputFile = None,
    folder: WorkspaceOption = None,
) -> None:
    """Write what is open and what is to be found out as issues with links to what blocks them."""
    _refuse_folder(output)
    inputs = load_inputs(open_workspace(folder))
    assessment = assess(inputs if org is None else for_recipient(inputs, org), today=judging_day())
    parts = work.issues(assessment, tracker, kind, routine=routine, org=org)
    if output is None:
        emit(work.only_part(parts), ours=work.JOINER)
    else:
        for path in work.write_parts(parts, output):
            say(f"Wrote {path}")


@app.command("poam", short_help="Write an OSCAL plan of action and milestones (POA&M).")
def poam(org: RecipientOption = None, output: OutputFile = None, folder: WorkspaceOption = None) -> None:
    """Write the open gaps as an OSCAL plan of action and milestones (POA&M), JSON, with deadlines."""
    _one_file(lambda assessment, now: work.poam(assessment, now=now), org, output, folder)


@app.command("calendar")
def calendar(org: RecipientOption = None, output: OutputFile = None, folder: WorkspaceOption = None) -> None:
    """Write the plan's P50, P80 and P90 dates as an iCalendar file."""
    _one_file(lambda assessment, now: work.calendar(assessment, now=now), org, output, folder)


def _refuse_folder(output: Path | None) -> None:
    if output is not None and output.is_dir():
        raise InterlockError("this is a folder", location=Location(file=str(output)), remedy="name a file in it")


def _one_file(
    make: Callable[[Assessment, datetime], str], org: str | None, output: Path | None, folder: Path | None
) -> None:

    _refuse_folder(output)
    inputs = load_inputs(open_workspace(folder))
    assessment = assess(inputs if org is None else for_recipient(inputs, org), today=judging_day())
    text = make(assessment, writing_time())
    if output is None:
        emit(text)
    else:
        for path in write_parts((text,), output):
            say(f"Wrote {path}")
