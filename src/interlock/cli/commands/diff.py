"""``interlock diff``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from interlock.cli.cards import show_drift
from interlock.cli.options import TableOrJson, WorkspaceOption
from interlock.cli.output import console, emit_result, say, show_paragraph, show_table
from interlock.model import words
from interlock.model.base import RuleOutcome
from interlock.model.diff import AssessmentDiff
from interlock.model.errors import DocumentError, InterlockError, Location
from interlock.model.text import plain
from interlock.usecases.milestone import compare_references
from interlock.usecases.observations import drift_of_files, drift_of_org, is_observation_file
from interlock.usecases.opening import open_workspace


def diff(
    before: Annotated[
        str | None,
        typer.Argument(
            help="A milestone's number or name, 'last', 'now', a report.json, or an observation's file; "
            "with --org a date or 'before'.",
            metavar="A",
        ),
    ] = None,
    after: Annotated[
        str | None, typer.Argument(help="The same, for the later one; with --org a date or 'last'.", metavar="B")
    ] = None,
    org: Annotated[
        str | None, typer.Option("--org", help="Compare observations of this organisation.", metavar="ID")
    ] = None,
    output: TableOrJson = "table",
    folder: WorkspaceOption = None,
) -> None:
    """Compare two assessments, or two observations of one organisation: what changed, what matters most first."""
    if org is not None:
        emit_result(output, drift_of_org(open_workspace(folder), org, before, after), show_drift)
        return
    if before is None:
        raise InterlockError(
            "say what to compare",
            remedy="a milestone's name (interlock milestone list), two observation files, or --org ID",
        )
    for reference in (before, after):
        if reference is not None and reference.endswith(".json") and not Path(reference).is_file():
            raise DocumentError("no such file", location=Location(file=reference))
    files = [is_observation_file(reference) for reference in (before, after) if reference is not None]
    if files == [True, True]:
        later = Path(after or "")
        drift = drift_of_files(Path(before), later, folder or later.absolute().parent)
        emit_result(output, drift, show_drift)
        return
    if any(files):
        raise InterlockError("an observation is compared with another observation", remedy="give two of their files")
    compared = compare_references(open_workspace(folder), before, after or "now", today=date.today())
    emit_result(output, compared, show_diff)


def show_diff(diff: AssessmentDiff) -> None:
    """Print what moved: verdict, stages, dates, then findings by what happened to them."""
    for note in diff.not_comparable:
        say(f"Careful: {plain(note, 400)}")
    if diff.is_empty:
        say(f"Nothing moved. {_still_open(diff)}")
        return
    out = console()
    if diff.verdict:
        out.print(f"Verdict: {words.VERDICT[diff.verdict.before].phrase} → {words.VERDICT[diff.verdict.after].phrase}")
    for move in diff.stages:
        out.print(f"{move.org}: {words.stage(move.before)} → {words.stage(move.after)}")
    for org in diff.organizations_added:
        out.print(f"{org}: added")
    for org in diff.organizations_removed:
        out.print(f"{org}: removed")
    for forecast in diff.forecasts:
        out.print(Text(f"Finish of {forecast.org or 'all'}: {forecast.moved}"))
        for sentence in (*forecast.causes, *forecast.because):
            out.print(Text(f"  {plain(sentence, 300)}", style="dim"))
    _show_kinds(diff)
    groups = {
        "opened": diff.opened,
        "opened again": diff.reopened,
        "closed": diff.closed,
        "decided": diff.decided,
        "no longer decided": diff.no_longer_decided,
        "gone": diff.gone,
    }
    rows = [
        (
            name,
            change.key,
            _outcome(change.before),
            _outcome(change.after),
            change.title,
            ", ".join(_CAUSE[cause] for cause in change.causes),
        )
        for name, changes in groups.items()
        for change in changes
    ]
    if rows:
        out.print()
        show_table(["What", ("Id", {"no_wrap": True}), "Before", "After", "Rule", "Because of"], rows)
    say(_still_open(diff))


def _show_kinds(diff: AssessmentDiff) -> None:
    """What was put in otherwise, told apart: answers, observations, our own questions and rules."""
    for move in diff.answers:
        where = "" if move.scope == "product" else f" ({move.scope})"
        show_paragraph(f"{move.text}{where}: {move.before or '–'} → {move.after or '–'}  [{move.item}]", "Answer: ")
    for change in diff.observations:
        before = f"before: {words.iso_day(change.before)}" if change.before else "for the first time"
        show_paragraph(
            f"{change.org}: {words.OBSERVED[change.outcome].phrase} {words.iso_day(change.after)} ({before})",
            "Observation: ",
        )
    for told in diff.rules:
        show_paragraph(words.sentence(told), "Our own rules: ")


#: Kinds of change in a column of a table.
_CAUSE = {"answers": "answers", "observations": "observations", "rules": "our rules"}


def _still_open(diff: AssessmentDiff) -> str:
    open_gaps = len(diff.still_open)
    return f"{words.count(open_gaps, 'gap')} {words.agree(open_gaps, 'is', 'are')} still open."


def _outcome(outcome: RuleOutcome | None) -> str:
    return words.RULE[outcome].phrase if outcome else ""
