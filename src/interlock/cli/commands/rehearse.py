"""``interlock rehearse``."""

from __future__ import annotations

from typing import Annotated

import typer

from interlock.cli.options import TableOrJson
from interlock.cli.output import emit, emit_result, show_table, wrapped
from interlock.model import words
from interlock.model.errors import InterlockError
from interlock.model.rehearsal import RehearsalCheck
from interlock.usecases.rehearse import catalogue, rehearsal_check


def rehearse(
    explain: Annotated[
        str | None, typer.Option("--explain", help="Show one check as a sequence, like RH-C06.", metavar="ID")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the checks and stop.")] = False,
    output: TableOrJson = "table",
) -> None:
    """Let simulated hospitals launch your own running product: politely first, then not; and see what it does."""
    if explain is not None:
        emit_result(output, rehearsal_check(explain), _explain)
    elif list_:
        emit_result(output, catalogue(), _list)
    else:
        raise InterlockError("nothing is rehearsed yet", remedy="interlock rehearse --list, or --explain RH-C06")


def _list(checks: tuple[RehearsalCheck, ...]) -> None:
    show_table(
        [("Id", {"no_wrap": True}), ("Severity", {"no_wrap": True}), "Looks at", "Title"],
        [
            (
                check.id,
                words.SEVERITY[check.severity].phrase,
                words.REHEARSAL_FAMILY[check.family].phrase,
                check.title,
            )
            for check in checks
        ],
    )


def _explain(check: RehearsalCheck) -> None:
    needs = words.listed([words.REHEARSAL_MEANS[means] for means in check.how], last="or")
    facts = [("Severity", words.SEVERITY[check.severity].phrase), ("Needs", needs)]
    lines = [f"{check.id} {check.title}", "", *(f"{label:<9}{value}" for label, value in facts), ""]
    for label, text in (("What we do", check.does), ("What a good app does", check.good)):
        lines += wrapped(f"{label}: {text}")
    if check.steps:
        lines += ["", *(line for number, step in enumerate(check.steps, 1) for line in wrapped(step, f"{number:>2}. "))]
    if check.turns:
        lines += ["", "What it says something about:"]
        lines += [f"  {question}" + (f", “{option}”" if option else "") for question, _, option in _parts(check)]
    if check.rules:
        lines += ["", f"Rules: {', '.join(check.rules)}"]
    if check.judgement:
        lines += ["", "No public source asks for it in these words: a judgement."]
    for reference in check.references:
        lines += ["", *wrapped(reference.title), reference.url]
    emit("\n".join(lines))


def _parts(check: RehearsalCheck) -> list[tuple[str, str, str]]:
    return [turned.partition("=") for turned in check.turns]
