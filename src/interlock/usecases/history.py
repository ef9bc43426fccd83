"""The finished tasks that an organisation or team has behind it: a CSV, and the workspace's own ``tasks.yaml``.

The CSV has the columns ``task`` (``org.priority``, or ``org.priority@riverside``), ``begun`` and ``done`` (days), and
may have ``product``: what another product has taken is told, and not used.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from interlock.documents.files import read_bytes
from interlock.documents.names import did_you_mean
from interlock.model import words
from interlock.model.base import TaskState
from interlock.model.errors import DocumentError, InterlockError, Location
from interlock.model.routine import PastTask, ahead, done_before
from interlock.model.text import forbidden, plain
from interlock.plan.history import ENOUGH
from interlock.usecases.evidence import day_given
from interlock.usecases.load import Inputs

#: Largest file in bytes, and most rows.
MAX_BYTES, MAX_ROWS = 4_000_000, 20_000
_NEEDED = ("task", "begun", "done")
_REMEDY = "the columns are task, begun and done, and product where there are several"


@dataclass(frozen=True)
class History:
    """What was read of a file of finished tasks.

    :ivar told: what is not used, and why: a sentence each, with file and line.
    """

    past: tuple[PastTask, ...]
    told: tuple[str, ...]


def own_past(inputs: Inputs) -> tuple[PastTask, ...]:
    """The workspace's own tasks that are done, and of which it is known when they began."""
    return tuple(
        PastTask(task, date.fromisoformat(status.begun), date.fromisoformat(status.done))
        for task, status in inputs.tasks.items()
        if status.status is TaskState.DONE and status.begun and status.done
    )


def read_history(path: Path, inputs: Inputs) -> History:
    """The finished tasks of a CSV.

    :raises DocumentError: it is no such table, or a row is wrong; with file and line.
    """
    try:
        text = read_bytes(path, MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        remedy = "save the table as CSV in UTF-8"
        raise DocumentError("not UTF-8 text", location=Location(file=str(path)), remedy=remedy) from error
    kinds = {task.id for task in inputs.content.ruleset.tasks}
    own = {entry.task: entry for entry in own_past(inputs)}
    begun: dict[str, tuple[int, PastTask]] = {}
    used: list[tuple[int, PastTask]] = []
    others: dict[str, list[int]] = defaultdict(list)
    for line, row in _rows(text, path):
        entry = _entry(row, line, path, kinds, inputs.today)
        product = row.get("product", "")
        if product and product.casefold() != inputs.settings.product.casefold():
            others[product].append(line)
            continue
        _refuse_twice(entry, line, path, begun, own)
        if entry.task not in own:
            used.append((line, entry))
    return History(tuple(entry for _, entry in used), tuple(_told(path, used, own, others, inputs.settings.product)))


def _rows(text: str, path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row by its columns' names, with its line; empty rows are left out."""
    for number, line in enumerate(text.split("\n"), 1):
        if (wrong := forbidden(line.removesuffix("\r"))) is not None:
            location = Location(file=str(path), line=number, column=wrong.index + 1)
            raise DocumentError(f"holds {wrong.description}", location=location, remedy="remove it")
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    head: list[str] | None = None
    try:
        for number, cells in enumerate(reader):
            at = Location(file=str(path), line=reader.line_num)
            values = [cell.strip() for cell in cells]
            if number > MAX_ROWS:
                raise DocumentError(f"more than {MAX_ROWS:,} rows", location=at, remedy="split it")
            if not any(values):
                continue
            if head is None:
                head = _head(values, at)
            elif len(values) != len(head):
                told = f"this row has {words.count(len(values), 'cell')}, and the head has {len(head)}"
                raise DocumentError(told, location=at, remedy="give each column its cell")
            else:
                yield reader.line_num, dict(zip(head, values, strict=True))
    except csv.Error as error:
        location = Location(file=str(path), line=reader.line_num)
        raise DocumentError(f"not a table in CSV: {plain(error, 120)}", location=location) from error
    if head is None:
        raise DocumentError("there is no table in it", location=Location(file=str(path)), remedy=_REMEDY)


def _head(values: list[str], at: Location) -> list[str]:
    head = [value.casefold() for value in values]
    if len(set(head)) < len(head):
        raise DocumentError("two columns have the same name", location=at, remedy=_REMEDY)
    for name in head:
        if name not in {*_NEEDED, "product"}:
            raise DocumentError(
                f"the column {plain(name, 60)!r} is not known: what a task took is counted from its two days, in "
                "working days, and is not read in any unit",
                location=at,
                remedy=_REMEDY,
            )
    if missing := [name for name in _NEEDED if name not in head]:
        raise DocumentError(f"the column {missing[0]!r} is missing", location=at, remedy=_REMEDY)
    return head


def _entry(row: Mapping[str, str], line: int, path: Path, kinds: set[str], today: date) -> PastTask:
    at = Location(file=str(path), line=line)
    kind = row["task"].partition("@")[0]
    if kind not in kinds:
        wrong = f"there is no routine task {plain(kind, 80)!r}{did_you_mean(kind, kinds)}"
        raise DocumentError(wrong, location=at, remedy="interlock task list shows them")
    days = []
    for name in ("begun", "done"):
        try:
            day = day_given(row[name], f"day {name}")
        except InterlockError as error:
            raise DocumentError(error.message, location=at, remedy=error.remedy) from error
        if day is None:
            raise DocumentError(f"the day {name} is missing", location=at, remedy="leave out what is not finished")
        if (wrong_day := ahead(day, today)) is not None:
            told = f"the day {name} is {wrong_day}"
            raise DocumentError(told, location=at, remedy="leave out what is not finished")
        days.append(day)
    if days[1] < days[0]:
        raise DocumentError(done_before(days[0], days[1]), location=at, remedy="give days that fit")
    return PastTask(row["task"], date.fromisoformat(days[0]), date.fromisoformat(days[1]))


def _refuse_twice(
    entry: PastTask, line: int, path: Path, begun: dict[str, tuple[int, PastTask]], own: Mapping[str, PastTask]
) -> None:
    """A task at one organisation begins once; of tasks without one, two may not have begun on the same day."""
    at = Location(file=str(path), line=line)
    name = entry.task if "@" in entry.task else f"{entry.task} {entry.begun}"
    if name in begun:
        raise DocumentError(
            f"{entry.task} began on {words.day(entry.begun)} here, and on {words.day(begun[name][1].begun)} in line "
            f"{begun[name][0]}: it began twice",
            location=at,
            remedy=f"keep one of the two, or say where each was: {entry.kind}@ORGANISATION",
        )
    begun[name] = line, entry
    if entry.task in own and own[entry.task] != entry:
        theirs = own[entry.task]
        raise DocumentError(
            f"{entry.task} took from {words.day(entry.begun)} to {words.day(entry.done)} here, and from "
            f"{words.day(theirs.begun)} to {words.day(theirs.done)} in tasks.yaml",
            location=at,
            remedy="correct one of the two",
        )


def _told(
    path: Path,
    used: list[tuple[int, PastTask]],
    own: Mapping[str, PastTask],
    others: Mapping[str, list[int]],
    product: str,
) -> Iterator[str]:
    """What of the file is not used."""
    for other, lines in others.items():
        yield (
            f"{path}:{lines[0]}: {words.count(len(lines), 'row')} of {plain(other, 80)}, which is not "
            f"{plain(product, 80)}: not used."
        )
    lines_of: dict[str, list[int]] = defaultdict(list)
    for line, entry in used:
        lines_of[entry.kind].append(line)
    for kind, lines in lines_of.items():
        finished = len(lines) + sum(entry.kind == kind for entry in own.values())
        if finished < ENOUGH:
            yield (
                f"{path}:{lines[0]}: {words.count(finished, 'finished task')} of the kind {kind}, and it takes "
                f"{ENOUGH}: not used, the estimate stays."
            )
