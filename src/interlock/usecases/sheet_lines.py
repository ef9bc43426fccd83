"""The lines of a sheet that came back from an organisation, each read as the answer to its question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from interlock.content.answer import Raw
from interlock.documents.names import did_you_mean
from interlock.documents.xlsx import Cell, Position, Workbook, cell_name
from interlock.model.base import Status, within_years
from interlock.model.errors import DocumentError, InterlockError, Location
from interlock.model.evidence import MAX_NAME
from interlock.model.questionnaire import Item, ItemType
from interlock.model.response import Response
from interlock.model.sheet import (
    BY_ROW,
    DATE_ROW,
    FILLED_IN,
    HEAD_ROW,
    NO,
    NOT_APPLICABLE,
    QUESTIONS,
    UNKNOWN,
    YES,
    Column,
)
from interlock.model.text import forbidden, plain, wrong_with_line
from interlock.usecases.answer import make_response
from interlock.usecases.form_import import Brought, Reading
from interlock.usecases.sheet import Asked, choices

#: Numbers below it are exact in a cell.
_EXACT = 1e15
_TO_FILL_IN = (Column.ANSWER, Column.COMMENT, Column.BY, Column.DATE)
#: What to do about a sheet that is not as it was sent.
RETURN = "ask for the file that was sent, filled in and otherwise as it was"
#: Days as text that can be read in one way only.
_DAYS = ("%Y-%m-%d", "%d %b %Y", "%d %B %Y")
#: The days from which spreadsheets count, and the last one that they know.
_DAY_0, _DAY_0_OF_1904, _LAST_DAY = date(1899, 12, 30), date(1904, 1, 1), 2_958_465


@dataclass
class _Line:
    """A question's line, and those of its options, by the option's value."""

    row: int
    options: dict[str, int] = field(default_factory=dict)


class SheetLines:
    """The questions of one workbook, as they came back."""

    def __init__(self, book: Workbook, questions: Mapping[str, Asked], path: Path, reading: Reading) -> None:
        self._cells: Mapping[Position, Cell] = book.sheets.get(QUESTIONS, {})
        self._day_0 = _DAY_0_OF_1904 if book.from_1904 else _DAY_0
        self._items = {item_id: entry.item for item_id, entry in questions.items()}
        self._path = path
        self._reading = reading

    def read(self, scope: str) -> None:
        """Take every answer of the sheet; what is wrong with it is noted.

        :raises DocumentError: its columns are not where they were, or a cell holds a formula.
        """
        self._check_layout()
        problems, answers = len(self._reading.problems), 0
        for item_id, line in self._lines().items():
            item = self._items[item_id]
            self._reading.covered[scope, item_id] = None
            try:
                response = self._response(item, line)
                if response is not None:
                    answers += 1
                    where = self._at(line.row, Column.ANSWER)
                    self._reading.add(scope, item, Brought(response, where, own_word=True))
            except DocumentError as error:
                self._note(error)
        if not answers and problems == len(self._reading.problems):
            self._reading.remarks[f"{self._path.name} brings no answer"] = None

    def _note(self, problem: DocumentError) -> None:
        """Note what is wrong, once: many lines may rest on one cell at the top."""
        if isinstance(problem, _DoesNotFitError) and self._reading.any_version:
            self._reading.remarks[f"left out: {problem}"] = None
        elif str(problem) not in map(str, self._reading.problems):
            self._reading.problems.append(problem)

    def _at(self, row: int, column: int | Column) -> Location:
        position = column.position if isinstance(column, Column) else column
        return Location(file=str(self._path), pointer=f"{QUESTIONS}!{cell_name((row, position))}")

    def _check_layout(self) -> None:
        if not self._cells:
            message, where = f"this workbook has no sheet {QUESTIONS!r}", Location(file=str(self._path))
            raise DocumentError(message, location=where, remedy=RETURN)
        if formulas := [address for address, cell in self._cells.items() if cell.formula]:
            first, *more = sorted(formulas)
            message = "this cell holds a formula" + (f", and {len(more)} more do" if more else "")
            raise DocumentError(message, location=self._at(*first), remedy="write what it shows in its place")
        for column in Column:
            cell = self._cells.get((HEAD_ROW, column.position))
            if cell is None or cell.value != column.value:
                title = plain(cell.value, 40) if cell else ""
                raise DocumentError(
                    f"this column should be {column.value!r} and is {title!r}: columns were moved or renamed",
                    location=self._at(HEAD_ROW, column),
                    remedy=RETURN,
                )

    def _lines(self) -> dict[str, _Line]:
        """The line of each question; lines without one of ours are noted as problems."""
        lines: dict[str, _Line] = {}
        for row in sorted({row for row, _ in self._cells if row > HEAD_ROW}):
            try:
                self._line(row, lines)
            except DocumentError as error:
                self._note(error)
        return {item_id: line for item_id, line in lines.items() if line.row}

    def _line(self, row: int, lines: dict[str, _Line]) -> None:
        item_id, _, option = self._text(row, Column.KEY).partition("/")
        filled = next((column for column in _TO_FILL_IN if self._text(row, column)), None)
        if not item_id:
            if filled is not None:
                message = "something is written here, and the line has no question"
                raise DocumentError(message, location=self._at(row, filled), remedy="write it beside a question")
            return
        item = self._items.get(item_id)
        if item is None or (option and item.option(option) is None):
            if filled is not None:
                message = (
                    f"no organisation is asked {plain(item_id, 96)!r}"
                    if item is None
                    else (f"{item_id} does not offer {plain(option, 64)!r}")
                )
                raise _DoesNotFitError(message, location=self._at(row, Column.KEY), remedy=RETURN)
            return
        line = lines.setdefault(item_id, _Line(0))
        earlier = line.options.get(option) if option else line.row
        if earlier:
            raise DocumentError(
                f"this line is about {item_id}, and so is line {earlier}",
                location=self._at(row, Column.KEY),
                remedy="keep one of them",
            )
        if option:
            line.options[option] = row
        else:
            line.row = row

    def _text(self, row: int, column: int | Column) -> str:
        """A cell's text, without white space around it.

        :raises DocumentError: it holds a character that no person writes.
        """
        position = column.position if isinstance(column, Column) else column
        cell = self._cells.get((row, position))
        if cell is None:
            return ""
        value = cell.value
        if isinstance(value, bool):
            return YES if value else NO
        if isinstance(value, float):
            return str(int(value)) if value.is_integer() and abs(value) < _EXACT else str(value)
        text = value.replace("\r\n", "\n").strip()
        if (wrong := forbidden(text)) is not None:
            message = f"this cell holds {wrong.description}"
            raise DocumentError(message, location=self._at(row, column), remedy="remove it")
        return text

    def _response(self, item: Item, line: _Line) -> Response | None:
        """The answer in a line; none where nothing is written."""
        status, value, at_fault = self._answer(item, line)
        comment = self._text(line.row, Column.COMMENT)
        if status is Status.UNANSWERED:
            if comment:
                message = f"{item.id} has a comment and no answer"
                remedy = f"choose one, or “{UNKNOWN}”"
                raise DocumentError(message, location=self._at(line.row, Column.ANSWER), remedy=remedy)
            return None
        not_applicable = status is Status.NOT_APPLICABLE
        if not_applicable and item.na != "never" and not comment:
            message = f"{item.id}: “{NOT_APPLICABLE}” needs a reason"
            raise DocumentError(message, location=self._at(line.row, Column.COMMENT), remedy="write why in this cell")
        by, day = self._by(line.row), self._day_of(line.row)
        try:
            return make_response(
                item,
                value,
                status=status,
                reason=comment if not_applicable else None,
                note=comment if comment and not not_applicable else None,
                by=by,
                now=datetime.combine(day, time(), UTC),
            )
        except InterlockError as error:
            raise DocumentError(
                error.message, location=self._at(at_fault, Column.ANSWER), remedy=error.remedy
            ) from error

    def _answer(self, item: Item, line: _Line) -> tuple[Status, Raw | None, int]:
        """What a question's line says: its status, the value, and the row that holds it."""
        text = self._text(line.row, Column.ANSWER)
        said = _same_words(text)
        marked = list(self._marked(item, line))
        if marked and text:
            message = f"{item.id} is answered here and in the lines below"
            raise DocumentError(message, location=self._at(line.row, Column.ANSWER), remedy="keep one of the two")
        if marked:
            taken = [option for option, yes in marked if yes]
            if not taken:
                message = f"{item.id}: none of the lines below says {YES}"
                remedy = f"say {YES} to one, or “{UNKNOWN}” here"
                raise DocumentError(message, location=self._at(line.row, Column.ANSWER), remedy=remedy)
            return Status.ANSWERED, taken, line.options[taken[0]]
        if not text:
            return Status.UNANSWERED, None, line.row
        for label, status in ((UNKNOWN, Status.UNKNOWN), (NOT_APPLICABLE, Status.NOT_APPLICABLE)):
            if said == _same_words(label):
                return status, None, line.row
        return Status.ANSWERED, self._value(item, line.row, text), line.row

    def _marked(self, item: Item, line: _Line) -> Iterator[tuple[str, bool]]:
        """The options of a question that takes several, where one says yes or no."""
        for option in item.options:
            row = line.options.get(option.value)
            text = self._text(row, Column.ANSWER) if row else ""
            if row and text:
                if text.casefold() not in {YES.casefold(), NO.casefold()}:
                    raise self._not_offered(item, row, text, (YES, NO))
                yield option.value, text.casefold() == YES.casefold()

    def _value(self, item: Item, row: int, text: str) -> Raw:
        """An answer's value: of a choice, by its label."""
        if item.type is ItemType.DATE:
            return self._day(row, Column.ANSWER).isoformat()
        if item.type not in {ItemType.CHOICE, ItemType.MULTI_CHOICE, ItemType.BOOLEAN}:
            return text
        said = _same_words(text)
        by_label = {_same_words(option.label): option.value for option in item.options}
        if item.type is ItemType.BOOLEAN:
            by_label = {_same_words(YES): "yes", _same_words(NO): "no"}
        if item.type is ItemType.MULTI_CHOICE or said not in by_label:
            raise self._not_offered(item, row, text, choices(item))
        return by_label[said]

    def _not_offered(self, item: Item, row: int, text: str, offered: Sequence[str]) -> DocumentError:
        hint = did_you_mean(text, offered)
        return _DoesNotFitError(
            f"{item.id}: {plain(text, 80)!r} is not in the list{hint}",
            location=self._at(row, Column.ANSWER),
            remedy=f"choose from: {'; '.join(offered)}",
        )

    def _by(self, row: int) -> str:
        """Who gave the answer in a line: named there, else at the top, else by whoever imports."""
        for at, column in ((row, Column.BY.position), (BY_ROW, FILLED_IN)):
            if name := self._text(at, column):
                if (wrong := wrong_with_line(name, MAX_NAME)) is not None:
                    message = f"the author's name {wrong}"
                    raise DocumentError(message, location=self._at(at, column), remedy="give a name on one line")
                return name
        if self._reading.by is not None:
            return self._reading.by
        raise DocumentError(
            "nobody is named here, and an answer has no name of its own",
            location=self._at(BY_ROW, FILLED_IN),
            remedy="write who answers, or say --as NAME",
        )

    def _day_of(self, row: int) -> date:
        """The day of the answer in a line: written there, else at the top."""
        for at, column in ((row, Column.DATE.position), (DATE_ROW, FILLED_IN)):
            if self._text(at, column):
                day = self._day(at, column)
                self._reading.check_time(datetime.combine(day, time(), UTC), self._at(at, column))
                return day
        raise DocumentError(
            "no day is written here, and an answer has no day of its own",
            location=self._at(DATE_ROW, FILLED_IN),
            remedy="write the day as year-month-day, such as 2026-03-31",
        )

    def _day(self, row: int, column: int | Column) -> date:
        """The day in a cell, as a spreadsheet's number or as text."""
        position = column.position if isinstance(column, Column) else column
        value = self._cells[row, position].value
        try:
            if isinstance(value, float) and 0 < value <= _LAST_DAY:
                return within_years(self._day_0 + timedelta(days=int(value)))
            day = next(filter(None, (_parsed(str(value).strip(), form) for form in _DAYS)), None)
            if day is not None and not isinstance(value, (bool, float)):
                return within_years(day)
        except (OverflowError, ValueError) as error:
            message = f"{plain(value, 40)!r}: {plain(error, 100)}"
            raise DocumentError(
                message, location=self._at(row, column), remedy="write the day of the answer"
            ) from error
        raise DocumentError(
            f"{plain(value, 40)!r} cannot be read as a day",
            location=self._at(row, column),
            remedy="write it as year-month-day, such as 2026-03-31",
        )


class _DoesNotFitError(DocumentError):
    """An answer to a question, or from a list, that is another one by now."""


def _same_words(text: str) -> str:
    """A label without what people and programs change by chance: white space, case, a mark against formulas."""
    return " ".join(text.removeprefix("'").split()).casefold()


def _parsed(text: str, form: str) -> date | None:
    try:
        return datetime.strptime(text, form).date()  # a day has no zone
    except ValueError:
        return None
