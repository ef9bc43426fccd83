"""``interlock lint``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.options import TableOrJson
from interlock.cli.output import emit, emit_json, say
from interlock.model import words
from interlock.model.errors import ThresholdNotMetError
from interlock.model.text import paragraph
from interlock.usecases.lint import lint_content


def lint(
    path: Annotated[
        Path | None,
        typer.Argument(
            help="Workspace, or folder with questionnaires/ or rulesets/; by default the shipped ones.",
            metavar="PATH",
        ),
    ] = None,
    output: TableOrJson = "table",
) -> None:
    """Prove that questionnaires, rules and patterns are sound: each problem with file, line and column."""
    problems = lint_content(path)
    if output == "json":
        emit_json(problems)
    else:
        for problem in problems:
            emit(paragraph(problem, 2000).replace("\n", "\n    "))
    if problems:
        raise ThresholdNotMetError(words.count(len(problems), "problem"))
    say("No problem found.")
