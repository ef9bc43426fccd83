"""stdout is data, stderr is narration. Everything that a server or file chose is made plain before it is shown."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from interlock.documents.visible import to_json, visible
from interlock.model.errors import DocumentError, InterlockError, Location
from interlock.model.text import plain

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text


def emit(text: str, ours: str = "") -> None:
    """Write data to stdout, ending in one line feed; what cannot be seen, but for ``ours``, is shown as a symbol."""
    shown = visible(text, ours)
    sys.stdout.write(shown if shown.endswith("\n") else shown + "\n")


def emit_json(value: BaseModel | dict[str, Any] | list[Any]) -> None:
    """Write JSON: two-space indent, keys in model order, floats as they are, escapes for what cannot be seen."""
    data = value if isinstance(value, (dict, list)) else value.model_dump(mode="json")
    sys.stdout.write(to_json(data))


def save(path: Path, text: str) -> None:
    """Write data to the file of ``--output``, and its folder where that is absent.

    :raises InterlockError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InterlockError(
            f"cannot be written: {error.strerror or error}",
            location=Location(file=str(path)),
            remedy="choose another file for --output",
        ) from error


def say(text: str) -> None:
    """Narration on stderr; line feeds and indentation stay."""
    for line in text.split("\n"):
        sys.stderr.write(line[: len(line) - len(line.lstrip(" "))] + plain(line, 4000) + "\n")


def console(*, stderr: bool = False) -> Console:
    """A console that neither interprets markup nor emoji, and shows what cannot be seen as symbols.

    Without a terminal it has 100 columns (or ``COLUMNS``).
    """
    from interlock.cli.visible_console import VisibleConsole

    stream = sys.stderr if stderr else sys.stdout
    columns = os.environ.get("COLUMNS", "")
    width = None if stream.isatty() else (int(columns) if columns.isdigit() and int(columns) > 20 else 100)
    return VisibleConsole(file=stream, markup=False, emoji=False, highlight=False, width=width, soft_wrap=False)


def make_table(columns: Sequence[str | tuple[str, dict[str, Any]]], title: str | None = None) -> Table:
    """A quiet table: a rule under the head, no box. A column may bring Rich's column options."""
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        name, options = column if isinstance(column, tuple) else (column, {})
        table.add_column(name, **({"overflow": "fold"} | options))
    return table


def show_table(columns: Sequence[str | tuple[str, dict[str, Any]]], rows: Iterable[Sequence[object]]) -> None:
    """Print rows as a table on stdout; cells are text, or Rich texts of our own."""
    table = make_table(columns)
    for row in rows:
        table.add_row(*(cell_text(cell) for cell in row))
    console().print(table)


def say_paragraph(text: str, mark: str = "") -> None:
    """Narration on stderr, wrapped to the terminal (at most 100 columns) and indented behind ``mark``."""
    for line in wrapped(plain(text, 4000), mark, indent=" " * (len(mark) or 2)):
        sys.stderr.write(line + "\n")


def wrapped(text: str, first: str = "", *, indent: str | None = None) -> list[str]:
    """Lines for this terminal, at most 100 columns wide; long words such as addresses stay whole."""
    import textwrap

    return textwrap.wrap(
        text,
        min(console().width, 100) - 1,
        initial_indent=first,
        subsequent_indent=" " * len(first) if indent is None else indent,
        break_on_hyphens=False,
        break_long_words=False,
    ) or [first]


def cell_text(cell: object) -> Text:
    """A cell's content as styled text without markup; strings are made plain."""
    from rich.text import Text

    return cell if isinstance(cell, Text) else Text(plain("" if cell is None else cell, 2000))


def show_error(error: InterlockError) -> None:
    """What happened, where, what to do: on stderr."""
    from rich.text import Text

    out = console(stderr=True)
    out.print(Text.assemble(("error: ", "bold red"), plain(error.message, 2000)), soft_wrap=True)
    if error.location:
        out.print(Text.assemble(("   at: ", "dim"), plain(error.location, 1000)), soft_wrap=True)
    remedy = error.remedy or _default_remedy(error)
    if remedy:
        out.print(Text.assemble(("   do: ", "bold"), plain(remedy, 1000)), soft_wrap=True)


def _default_remedy(error: InterlockError) -> str | None:
    """What to do about a file, where the error only says what is wrong with it."""
    location = error.location
    if not isinstance(error, DocumentError) or location is None or location.file is None:
        return None
    if location.line is None and location.pointer is None and error.message == "no such file":
        return "check the path"
    return "correct the file there, then run the command again"
