"""``interlock import``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.options import TableOrJson, WorkspaceOption
from interlock.cli.output import emit_json, say, show_table
from interlock.model import words
from interlock.model.forms import FormImport
from interlock.usecases.fhir_forms import FormsRefusedError, answer_words, apply_import, plan_import
from interlock.usecases.load import load_inputs, open_workspace

app = typer.Typer(help="Take answers from other tools.", no_args_is_help=True)

#: Most problems that are told one by one.
SHOWN = 20


@app.callback()
def import_() -> None:
    """Take answers from other tools."""


@app.command("fhir")
def fhir(
    files: Annotated[list[Path], typer.Argument(help="FHIR R4 QuestionnaireResponses, as JSON.", metavar="FILE")],
    org: Annotated[
        str | None, typer.Option("--org", help="Whose answers they are, where a form does not say.", metavar="ID")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and write nothing.")] = False,
    any_version: Annotated[
        bool, typer.Option("--any-version", help="Also take answers to another version of a questionnaire.")
    ] = False,
    output: TableOrJson = "table",
    folder: WorkspaceOption = None,
) -> None:
    """Take answers from FHIR R4 forms: all of them, or none. Stored answers that a form leaves out stay."""
    workspace = open_workspace(folder)
    inputs = load_inputs(workspace)
    try:
        planned = plan_import(inputs, files, org=org, any_version=any_version, dry_run=dry_run)
    except FormsRefusedError as refused:
        if len(refused.problems) == 1:
            raise refused.problems[0] from refused
        for problem in refused.problems[:SHOWN]:
            say(f"  {problem}")
        if len(refused.problems) > SHOWN:
            say(f"  and {len(refused.problems) - SHOWN} more")
        raise
    recovered = () if dry_run else apply_import(workspace, planned).recovered
    if output == "json":
        emit_json(planned)
    elif planned.changes:
        items = inputs.content.items
        rows = [
            (
                change.scope,
                change.item,
                answer_words(items[change.item], change.before),
                answer_words(items[change.item], change.after),
            )
            for change in planned.changes
        ]
        longest = max(len(change.item) for change in planned.changes)
        question = ("Question", {"min_width": min(longest, 36)})
        show_table(["Whose", question, "Was", "Would be" if dry_run else "Is now"], rows)
    for line in _summary(planned):
        say(line)
    if recovered:
        say(f"Also saved, from an earlier attempt: {words.listed(recovered)}")


def _summary(planned: FormImport) -> Iterator[str]:
    """What happened, in sentences."""
    new = sum(change.kind == "new" for change in planned.changes)
    counts = f"{new} new, {len(planned.changes) - new} changed, {planned.unchanged} as stored"
    yield f"Nothing was written; it would be {counts}." if planned.dry_run else f"Imported: {counts}."
    if planned.kept:
        answers, are = words.count(len(planned.kept), "stored answer"), words.agree(len(planned.kept), "is", "are")
        yield f"{answers} {are} not in these documents; what is left out stays as it is."
    for change in planned.changes:
        if change.hidden:
            yield f"{change.scope}: {change.item} is not asked, given the other answers; its answer counts for nothing."
    yield from (f"Note: {remark}." for remark in planned.remarks)
