"""``interlock init``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.output import say, say_paragraph
from interlock.model import words
from interlock.model.base import ProductKind
from interlock.usecases.initialize import initialize
from interlock.usecases.load import load_inputs
from interlock.usecases.questions import kind_words


def init(
    directory: Annotated[Path, typer.Argument(help="Folder to make the workspace in.", metavar="DIR")] = Path(),
    template: Annotated[
        str,
        typer.Option(
            "--template",
            "-t",
            help="What to start from: blank; sepsis or early, with organisations; ci-gate, with a workflow file; or a "
            "finished example: ready, too-early, outside-ehr, fuzzy-contract, auth-blocked.",
        ),
    ] = "blank",
    name: Annotated[str | None, typer.Option("--name", help="The product's name.")] = None,
    kind: Annotated[
        ProductKind | None,
        typer.Option("--kind", help="What the product is: what such a product cannot have is not asked."),
    ] = None,
) -> None:
    """Make a workspace: settings, contract and answers as files that belong in git."""
    if kind is None and template == "blank" and sys.stdin.isatty() and sys.stderr.isatty():
        kind = _ask()
    workspace = initialize(directory, template, name=name, kind=kind)
    say(f"Made a workspace in {workspace.root}")
    say_paragraph(kind_words(load_inputs(workspace)))
    here = shlex.quote(str(directory))
    say(f"Next: interlock assess {here}")
    if template == "blank":
        say(f"or:   {'' if directory == Path() else f'cd {here} && '}interlock org add NAME --url URL")


def _ask() -> ProductKind | None:
    """What the person at the terminal says that the product is; none where it is nothing of the list."""
    say("What is the product?")
    kinds = list(ProductKind)
    for number, kind in enumerate(kinds, 1):
        say(f"  {number}  {words.PRODUCT_KIND[kind].phrase}")
    say(f"  {len(kinds) + 1}  something else, or several of these: everything is asked")
    last = len(kinds) + 1
    chosen = 0
    while chosen not in range(1, last + 1):
        chosen = typer.prompt(f"Number from 1 to {last}", type=int, default=last, err=True)
    return kinds[chosen - 1] if chosen < last else None
