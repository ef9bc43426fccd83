"""``interlock checks``."""

from __future__ import annotations

from typing import Annotated

import typer

from interlock.cli.options import TableOrJson
from interlock.cli.output import emit, emit_result, show_table, wrapped
from interlock.model import words
from interlock.usecases.checks import CheckEntry, CheckList, check_list, check_named, needed_for


def checks(
    check_id: Annotated[str | None, typer.Argument(help="Explain this check, like SMART-001.", metavar="ID")] = None,
    output: TableOrJson = "table",
) -> None:
    """List what a probe checks, or explain one check: what it asks, what it needs, and its sources."""
    if check_id is not None:
        emit_result(output, check_named(check_id), _explain)
    else:
        emit_result(output, check_list(), _list)


def _list(published: CheckList) -> None:
    show_table(
        [("Id", {"no_wrap": True}), ("Severity", {"no_wrap": True}), ("Level", {"no_wrap": True}), "Title"],
        [(check.id, words.SEVERITY[check.severity].phrase, check.level, check.title) for check in published.checks],
    )


def _explain(entry: CheckEntry) -> None:
    facts = [("Severity", words.SEVERITY[entry.severity].phrase), ("Level", entry.level), ("Needs", needed_for(entry))]
    lines = [f"{entry.id} {entry.title}", "", *(f"{label:<9}{value}" for label, value in facts if value)]
    if entry.about:
        lines += ["", *wrapped(entry.about)]
    for reference in entry.references:
        lines += ["", *wrapped(reference.title), reference.url]
    emit("\n".join(lines))
