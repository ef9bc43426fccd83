"""The workbook that an organisation fills in: a page that explains it, and its questions with their answers to choose.

Only the cells to fill in can be written to. A hidden sheet holds what it takes to read the answers back. Text goes
through the same net as in the report's workbook, so nothing of it becomes a formula or a link.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

import xlsxwriter

from interlock.model import words
from interlock.model.questionnaire import ItemType
from interlock.model.sheet import (
    BY_ROW,
    DATE_ROW,
    FILLED_IN,
    HEAD_ROW,
    LAYOUT,
    NOT_APPLICABLE,
    QUESTIONS,
    READ_ME,
    RECORD,
    SCHEMA,
    UNKNOWN,
    Column,
    Line,
    Sheet,
)
from interlock.report.xlsx import book

_INK, _QUIET, _FILL, _BAND, _RULE = "#1f3a4d", "#55656f", "#fff7d6", "#e6edf1", "#c9d2d8"
_WIDTHS: Mapping[Column, float] = {
    Column.NUMBER: 5,
    Column.QUESTION: 54,
    Column.NOTED: 26,
    Column.ANSWER: 34,
    Column.COMMENT: 32,
    Column.BY: 18,
    Column.DATE: 12,
    Column.KEY: 10,
}
#: Width of the page that explains the sheet, and how much of a column's width is reckoned with for the height of its
#: rows: questions are bold, and other programs have wider letters.
_PAGE, _ROOM = 110, 0.88
_PAPERS = {"a4": book.A4, "letter": 1}
_TO_FILL_IN = (Column.ANSWER, Column.COMMENT, Column.BY, Column.DATE)
#: Dates that a spreadsheet takes as an answer's day.
_FIRST, _LAST = date(2000, 1, 1), date(2199, 12, 31)


def write(sheet: Sheet) -> bytes:
    """The workbook; the same sheet gives the same bytes."""
    target = io.BytesIO()
    _Form(sheet, target).write()
    return target.getvalue()


class _Form:
    """The workbook being written."""

    def __init__(self, sheet: Sheet, target: io.BytesIO) -> None:
        self._sheet = sheet
        self._book: Any = xlsxwriter.Workbook(target, book.OPTIONS)
        title = f"Questions to {book.whole(sheet.organization)}"
        self._book.set_properties({"title": title, "created": datetime.combine(sheet.day, time())})
        base = {"font_size": 10, "valign": "top", "text_wrap": True}
        lined = base | {"bottom": 1, "bottom_color": _RULE}
        filled = lined | {"locked": False, "bg_color": _FILL, "left": 1, "left_color": _RULE}
        styles: dict[str, dict[str, Any]] = {
            "title": {"bold": True, "font_size": 16, "font_color": _INK},
            "heading": base | {"bold": True, "font_size": 11, "font_color": _INK},
            "prose": base,
            "hint": base | {"text_wrap": False, "font_color": _QUIET},
            "label": base | {"bold": True, "align": "right"},
            "head": base | {"bold": True, "font_color": "#ffffff", "bg_color": _INK},
            "band": base | {"bold": True, "bg_color": _BAND, "font_color": _INK},
            "cell": lined,
            "strong": lined | {"bold": True},
            "option": lined | {"indent": 2},
            "quiet": lined | {"font_color": _QUIET},
            "fill": filled | {"num_format": "@"},
            "fill_number": filled | {"align": "left"},
            "fill_date": filled | {"num_format": "yyyy-mm-dd", "align": "left"},
        }
        self._style = {name: self._book.add_format(style) for name, style in styles.items()}
        self._why = self._book.add_format({"font_size": 9, "font_color": _QUIET})
        self._bold = self._book.add_format({"font_size": 10, "bold": True})
        self._lists: dict[tuple[str, ...], str] = {}

    def write(self) -> None:
        """Write all sheets and finish the file."""
        read_me, questions = self._book.add_worksheet(READ_ME), self._book.add_worksheet(QUESTIONS)
        self._record = self._book.add_worksheet(RECORD)
        self._read_me(read_me)
        self._questions(questions)
        self._write_record()
        self._record.very_hidden()
        self._record.protect()
        for sheet in (read_me, questions):
            sheet.protect("", {"format_columns": True, "format_rows": True, "select_locked_cells": True})
            sheet.set_paper(_PAPERS[self._sheet.paper])
            sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
            footer = f"{book.whole(self._sheet.product)}: questions to {book.whole(self._sheet.organization)}"[:120]
            sheet.set_footer(f"&L{footer.replace('&', '&&')}&RPage &P of &N")
            sheet.fit_to_pages(1, 0)
        self._book.close()

    def _put(self, sheet: Any, row: int, column: int, text: str, style: str) -> None:
        """Text in a cell whose row and column count from 1."""
        sheet.write_string(row - 1, column - 1, book.cell_text(text), self._style[style])

    def _read_me(self, sheet: Any) -> None:
        sheet.set_column(0, 0, _PAGE)
        sheet.hide_gridlines(2)
        self._put(sheet, 1, 1, f"Questions to {self._sheet.organization} about {self._sheet.product}", "title")
        sheet.set_row(0, 28)
        row = 2
        for heading, paragraphs in self._explained():
            for text, style in ((heading, "heading"), *((paragraph, "prose") for paragraph in paragraphs)):
                self._put(sheet, row, 1, text, style)
                sheet.set_row(row - 1, book.row_height([_ROOM * _PAGE], [text]) + (8 if style == "heading" else 3))
                row += 1

    def _explained(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        asked, product = self._sheet.organization, self._sheet.product
        number = sum(bool(line.number) for block in self._sheet.blocks for line in block.lines)
        back_to = self._sheet.reply_to or "whoever sent it to you"
        sources = ", ".join(f"{name} {version}" for name, version in self._sheet.questionnaires)
        return (
            ("Who asks", (f"The team of {product}, called “we” here. “You” and “here” are {asked}.",)),
            (
                "What for",
                (
                    f"{product} is to work with your EHR. {words.count(number, 'question')} on the next sheet can only "
                    "be answered, or confirmed, by you. What you say decides what is built and tested first. It is no "
                    "test, and an open point is no fault: it becomes a task with an owner.",
                ),
            ),
            (
                "How to fill it in",
                (
                    "1. Write who answers, and the day, at the top of the sheet “Questions”. Where somebody else "
                    "answers one of them, write name and day in that line. Only yellow cells can be written to.",
                    "2. Choose each answer from the list in its cell, or write it where there is no list.",
                    f"3. “{UNKNOWN}” is a good answer when it is true.",
                    f"4. “{NOT_APPLICABLE}”, where the list has it, needs a reason beside it.",
                    "5. Where we have noted something, please confirm it or correct it by choosing an answer.",
                    "6. What you leave empty stays open. Pass the file on to whoever knows.",
                    "Please write nothing about patients: no names, no numbers, no pictures of records.",
                ),
            ),
            (
                "Sending it back",
                (
                    f"Please send this file back to {back_to}, as an Excel workbook (.xlsx).",
                    "We keep each answer with its name and day. Where it differs from what we had noted, both are "
                    "looked at, and we may come back to you.",
                ),
            ),
            ("Version", (f"{self._sheet.version}, for {self._sheet.org}; questions of: {sources}.",)),
        )

    def _questions(self, sheet: Any) -> None:
        for column in Column:
            sheet.set_column(
                column.position - 1, column.position - 1, _WIDTHS[column], None, {"hidden": column == Column.KEY}
            )
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        self._put(sheet, 1, 1, f"Questions to {self._sheet.organization} about {self._sheet.product}", "title")
        sheet.set_row(0, 24)
        for row, label, style in ((BY_ROW, "Filled in by", "fill"), (DATE_ROW, "On (year-month-day)", "fill_date")):
            self._put(sheet, row, FILLED_IN - 1, label, "label")
            sheet.write_blank(row - 1, FILLED_IN - 1, None, self._style[style])
            sheet.set_row(row - 1, 18)
        hint = "for every answer that has no name or day in its own line"
        self._put(sheet, BY_ROW, FILLED_IN + 1, hint, "hint")
        sheet.set_row(HEAD_ROW - 2, 6)
        self._day(sheet, DATE_ROW, FILLED_IN)
        for column in Column:
            self._put(sheet, HEAD_ROW, column.position, column.value, "head")
        sheet.set_row(HEAD_ROW - 1, 18)
        sheet.freeze_panes(HEAD_ROW, 0)
        sheet.repeat_rows(HEAD_ROW - 1)
        sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        row = HEAD_ROW
        for block in self._sheet.blocks:
            row += 1
            for column in Column:
                self._put(sheet, row, column.position, block.title if column is Column.QUESTION else "", "band")
            sheet.set_row(row - 1, 18)
            for line in block.lines:
                row += 1
                self._line(sheet, row, line)

    def _line(self, sheet: Any, row: int, line: Line) -> None:
        self._put(sheet, row, Column.NUMBER.position, line.number, "cell")
        self._put(sheet, row, Column.NOTED.position, line.noted, "quiet")
        self._put(sheet, row, Column.KEY.position, line.key, "cell")
        text, about = book.cell_text(line.text), book.cell_text(line.about)
        cell = row - 1, Column.QUESTION.position - 1
        if about:
            sheet.write_rich_string(*cell, self._bold, text, self._why, f"\n{about}", self._style["cell"])
        else:
            sheet.write_string(*cell, text, self._style["strong" if line.number else "option"])
        for column in _TO_FILL_IN:
            style = "fill"
            if column is Column.DATE or (column is Column.ANSWER and line.type is ItemType.DATE):
                style = "fill_date"
            elif column is Column.ANSWER and line.type is ItemType.INTEGER:
                style = "fill_number"
            sheet.write_blank(row - 1, column.position - 1, None, self._style[style])
        self._answers(sheet, row, line)
        self._day(sheet, row, Column.DATE.position)
        widths = [_ROOM * _WIDTHS[column] for column in (Column.QUESTION, Column.NOTED, Column.ANSWER)]
        longest = max(line.choices, key=len, default="")
        sheet.set_row(
            row - 1, book.row_height(widths, [f"{text}\n{about}" if about else text, line.noted, longest]) + 4
        )

    def _answers(self, sheet: Any, row: int, line: Line) -> None:
        """The list of a cell to choose from, or a word about what to write."""
        if line.choices:
            told = {
                "validate": "list",
                "source": self._list(line.choices),
                "error_title": "Not in the list",
                "error_message": "Please choose from the list, and write details into the next column.",
            }
        else:
            wanted = {ItemType.DATE: "a day, as year-month-day", ItemType.INTEGER: "a whole number"}.get(line.type, "")
            wanted = wanted or ("an address (https://…)" if line.type is ItemType.URL else "your answer")
            told = {"validate": "any", "input_message": f"Write {wanted}; or: {UNKNOWN}."}
        sheet.data_validation(row - 1, Column.ANSWER.position - 1, row - 1, Column.ANSWER.position - 1, told)

    def _day(self, sheet: Any, row: int, column: int) -> None:
        told = {
            "validate": "date",
            "criteria": "between",
            "minimum": _FIRST,
            "maximum": _LAST,
            "error_title": "Not a day",
            "error_message": "Please write the day as year-month-day, such as 2026-03-31.",
        }
        sheet.data_validation(row - 1, column - 1, row - 1, column - 1, told)

    def _list(self, choices: tuple[str, ...]) -> str:
        """Where the hidden sheet has these choices; a list of its own may not be written into a cell's rule, as it may
        hold 255 characters only."""
        if choices not in self._lists:
            column = 3 + len(self._lists)
            for index, choice in enumerate(choices):
                self._record.write_string(index, column, book.cell_text(choice))
            letters = xlsxwriter.utility.xl_col_to_name(column)
            self._lists[choices] = f"={RECORD}!${letters}$1:${letters}${len(choices)}"
        return self._lists[choices]

    def _write_record(self) -> None:
        """What it takes to read the answers back, as pairs of a key and its value."""
        sheet = self._sheet
        pairs = [
            ("schema", SCHEMA),
            ("layout", LAYOUT),
            ("organization", sheet.org),
            ("product", sheet.product),
            ("version", sheet.version),
            *((f"questionnaire {name}", version) for name, version in sheet.questionnaires),
        ]
        for row, pair in enumerate(pairs):
            for column, text in enumerate(pair):
                self._record.write_string(row, column, book.cell_text(text))
