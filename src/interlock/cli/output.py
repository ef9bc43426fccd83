"""stdout is data, stderr is narration. Everything that a server or file chose is made plain before it is shown."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from interlock.documents.visible import to_json, visible
from interlock.model.errors import DocumentError, InterlockError, Location
from interlock.model.text import plain

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_Result = TypeVar("_Result")


def emit(text: str, ours: str = "") -> None:
    """Write data to stdout, ending in one line feed; what cannot be seen, but for ``ours``, is shown as a symbol."""
    shown = visible(text, ours)
    sys.stdout.write(shown if shown.endswith("\n") else shown + "\n")


def emit_json(value: object) -> None:
    """Write models, dataclasses or plain values as JSON: two-space indent, keys in their order, floats as they are."""
    sys.stdout.write(to_json(_as_data(value)))


def _as_data(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return [_as_data(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def emit_result(output: str, result: _Result, show: Callable[[_Result], object]) -> None:
    """Write what a command found: as JSON where ``output`` says so, otherwise for a person by ``show``."""
    if output == "json":
        emit_json(result)
    else:
        show(result)


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


def show_table(
    columns: Sequence[str | tuple[str, dict[str, Any]]], rows: Iterable[Sequence[object]], *, head: bool = True
) -> None:
    """Print rows as a quiet table on stdout: a rule under the head, no box. Cells are text, or Rich texts of our own.

    A column may bring Rich's column options.
    """
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, show_header=head)
    for column in columns:
        name, options = column if isinstance(column, tuple) else (column, {})
        table.add_column(name, **({"overflow": "fold"} | options))
    for row in rows:
        table.add_row(*map(cell_text, row))
    console().print(table)


def make_grid(rows: Iterable[Sequence[object]], columns: Sequence[dict[str, Any]] = ({"style": "dim"},)) -> Table:
    """Rows without a head: narrow columns with Rich's options (by default one of labels), then one that folds."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    for options in columns:
        grid.add_column(no_wrap=True, **options)
    grid.add_column(overflow="fold")
    for row in rows:
        grid.add_row(*map(cell_text, row))
    return grid


def show_heading(text: str) -> None:
    """Print one line in bold on stdout."""
    from rich.text import Text

    console().print(Text(plain(text, 200), "bold"))


def show_paragraph(text: str, mark: str = "", style: str = "") -> None:
    """Print a paragraph on stdout, wrapped to the terminal, behind a mark by which later lines are indented."""
    from rich.text import Text

    for line in wrapped(plain(text, 2000), mark):
        console().print(Text(line, style), soft_wrap=True)


def blank() -> None:
    """Print an empty line on stdout."""
    console().print()


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
