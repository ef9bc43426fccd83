"""``interlock import``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from interlock.cli.options import TableOrJson, WorkspaceOption
from interlock.cli.output import emit_result, say, show_table
from interlock.model import words
from interlock.model.forms import ChangeKind, FormChange, FormImport
from interlock.model.questionnaire import Item
from interlock.model.text import plain
from interlock.usecases.fhir_import import plan_import
from interlock.usecases.form_import import FormsRefusedError, answer_words, apply_import
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.opening import open_workspace
from interlock.usecases.sheet_import import plan_sheet_import

app = typer.Typer(help="Take answers from other tools, and observations from other places.", no_args_is_help=True)

#: Most problems that are told one by one.
SHOWN = 20


@app.callback()
def import_() -> None:
    """Take answers from other tools."""


DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and write nothing.")]
By = Annotated[str | None, typer.Option("--as", help="Who answered, where a document does not say.", metavar="NAME")]
TakeOption = Annotated[
    Literal["theirs", "ours"] | None,
    typer.Option("--take", help="Whose answer stays where an organisation's own word differs from what is stored."),
]


@app.command("fhir")
def fhir(
    files: Annotated[list[Path], typer.Argument(help="FHIR R4 QuestionnaireResponses, as JSON.", metavar="FILE")],
    org: Annotated[
        str | None, typer.Option("--org", help="Whose answers they are, where a form does not say.", metavar="ID")
    ] = None,
    by: By = None,
    take: TakeOption = None,
    dry_run: DryRun = False,
    any_version: Annotated[
        bool, typer.Option("--any-version", help="Also take answers to another version of a questionnaire.")
    ] = False,
    output: TableOrJson = "table",
    folder: WorkspaceOption = None,
) -> None:
    """Take answers from FHIR R4 forms: all of them, or none. Stored answers that a form leaves out stay."""
    plan = partial(plan_import, org=org, any_version=any_version, by=by, take=take, dry_run=dry_run)
    _import(plan, files, output, folder)


@app.command("sheet")
def sheet(
    files: Annotated[list[Path], typer.Argument(help="Workbooks that organisations filled in.", metavar="FILE")],
    org: Annotated[
        str | None, typer.Option("--org", help="The organisation that they have to be of.", metavar="ID")
    ] = None,
    by: By = None,
    take: TakeOption = None,
    dry_run: DryRun = False,
    any_version: Annotated[
        bool, typer.Option("--any-version", help="Take what still fits of a sheet whose questions are others by now.")
    ] = False,
    output: TableOrJson = "table",
    folder: WorkspaceOption = None,
) -> None:
    """Take the answers of organisations from the sheets that `export sheet` wrote: all of them, or none.

    Each is stored with who gave it and when. Where one differs from ours, both stand until somebody settles it.
    """
    plan = partial(plan_sheet_import, org=org, any_version=any_version, by=by, take=take, dry_run=dry_run)
    _import(plan, files, output, folder)


@app.command("observation")
def observation(
    files: Annotated[
        list[Path], typer.Argument(help="What `probe --output` or `fleet --output` wrote elsewhere.", metavar="FILE")
    ],
    org: Annotated[
        str | None, typer.Option("--org", help="The organisation that they have to be of.", metavar="ID")
    ] = None,
    by: Annotated[str | None, typer.Option("--as", help="Who handed them over.", metavar="NAME")] = None,
    dry_run: DryRun = False,
    folder: WorkspaceOption = None,
) -> None:
    """Take observations that were made elsewhere, where this machine cannot look: all of organisations here."""
    from interlock.usecases.observation_import import import_observations

    done = import_observations(open_workspace(folder), files, org=org, by=by, dry_run=dry_run)
    for brought in done.saved:
        vantage = f", seen from {plain(brought.vantage, 60)}" if brought.vantage else ""
        verb = "would be taken" if dry_run else "taken"
        say(f"{brought.target.org}: {verb}, made at {brought.started:%Y-%m-%d %H:%M} UTC{vantage}")
    if done.known:
        say(f"{words.count(done.known, 'observation')} {words.agree(done.known, 'is', 'are')} here already.")
    if done.others:
        say(f"{words.count(done.others, 'observation')} of no organisation here; the file stays as it is.")
    for note in done.notes:
        say(f"Note: {note}.")


def _import(
    plan: Callable[[Inputs, Sequence[Path]], FormImport], files: Sequence[Path], output: str, folder: Path | None
) -> None:
    """Show what documents bring and save it; what is wrong with them is told one by one."""
    workspace = open_workspace(folder)
    inputs = load_inputs(workspace)
    try:
        planned = plan(inputs, files)
    except FormsRefusedError as refused:
        if len(refused.problems) == 1:
            raise refused.problems[0] from refused
        for problem in refused.problems[:SHOWN]:
            say(f"  {problem}")
        if len(refused.problems) > SHOWN:
            say(f"  and {len(refused.problems) - SHOWN} more")
        raise
    emit_result(output, planned, lambda planned: _show(planned, inputs))
    recovered = () if planned.dry_run else apply_import(workspace, planned).recovered
    for line in _summary(planned):
        say(line)
    if recovered:
        say(f"Also saved, from an earlier attempt: {words.listed(recovered)}")


#: What becomes of an answer, in the order in which they are shown.
_KINDS: tuple[ChangeKind, ...] = ("differs", "changed", "new", "confirmed", "older", "same")


def _show(planned: FormImport, inputs: Inputs) -> None:
    """A table of what the documents say beside what is stored; of what is the same only where somebody is named."""
    told = sorted((*planned.changes, *planned.others), key=lambda change: _KINDS.index(change.kind))
    rows = [change for change in told if change.kind != "same" or change.theirs.by]
    if not rows:
        return
    longest = max(len(change.item) for change in rows)
    several = len({change.scope for change in rows}) > 1
    columns: list[str | tuple[str, dict[str, Any]]] = ["Whose"] if several else []
    columns += [("", {"no_wrap": True}), ("Question", {"min_width": min(longest, 36)}), "Ours", "Theirs"]
    show_table(columns, (_cells(change, inputs.content.items[change.item], several) for change in rows))


def _cells(change: FormChange, item: Item, several: bool) -> list[str]:
    theirs = change.theirs
    when = words.day(theirs.at) if theirs.at else ""
    by = f" ({', '.join(filter(None, (theirs.by, when)))})" if theirs.by else ""
    cells = [change.scope] if several else []
    return [*cells, change.kind, change.item, answer_words(item, change.before), answer_words(item, theirs) + by]


def _summary(planned: FormImport) -> Iterator[str]:
    """What happened, in sentences."""
    number = Counter(change.kind for change in (*planned.changes, *planned.others))
    counts = f"{number['new']} new, {number['changed']} changed, {planned.unchanged} as stored"
    more: dict[ChangeKind, str] = {
        "confirmed": "confirmed",
        "differs": "different",
        "older": "older than what is stored",
    }
    counts += "".join(f", {number[kind]} {said}" for kind, said in more.items() if number[kind])
    yield f"Nothing was written; it would be {counts}." if planned.dry_run else f"Imported: {counts}."
    if differing := sum(change.kind == "differs" for change in planned.changes):
        stand = "would stand" if planned.dry_run else "stand"
        differ = words.agree(differing, "answer differs", "answers differ")
        yield f"{differing} {differ} from ours; both {stand}, and the question counts as unknown until one is kept:"
        yield "  interlock answer ITEM --org ID --keep NAME"
    if planned.kept:
        answers, are = words.count(len(planned.kept), "stored answer"), words.agree(len(planned.kept), "is", "are")
        yield f"{answers} {are} not in these documents; what is left out stays as it is."
    for change in planned.changes:
        if change.hidden:
            yield f"{change.scope}: {change.item} is not asked, given the other answers; its answer counts for nothing."
    yield from (f"Note: {remark}." for remark in planned.remarks)
