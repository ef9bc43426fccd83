"""The sheet of questions that is mailed to an organisation: what writing it and reading it back agree on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from interlock.model.questionnaire import ItemType

#: What the record of a sheet says that it is, and the version of its layout.
SCHEMA, LAYOUT = "interlock-sheet", "1"
#: Names of the workbook's sheets; the last one is hidden.
READ_ME, QUESTIONS, RECORD = "Read me", "Questions", "interlock"
#: Answers that every question takes, and those that take a reason.
UNKNOWN, NOT_APPLICABLE = "Not known here", "Does not apply here"
YES, NO = "Yes", "No"


class Column(StrEnum):
    """The columns of the questions, in order, by what stands above each."""

    NUMBER = "No."
    QUESTION = "Question"
    NOTED = "What we have noted"
    ANSWER = "Your answer"
    COMMENT = "Reason or comment"
    BY = "Answered by"
    DATE = "Date"
    KEY = "Key"

    @property
    def position(self) -> int:
        """Its position, from 1."""
        return list(Column).index(self) + 1


#: The rows of the questions' sheet, from 1: who filled it in, on which day, and the heads of the columns.
BY_ROW, DATE_ROW, HEAD_ROW = 2, 3, 5
#: The column in which the name and the day stand that hold for every answer without its own.
FILLED_IN = Column.ANSWER.position


@dataclass(frozen=True)
class Line:
    """One line to fill in: a question, or one option of a question that takes several.

    :ivar key: the question's id; of an option ``ID/VALUE``.
    :ivar number: how it is counted; empty for an option.
    :ivar about: why it is asked, and what to say.
    :ivar noted: what we think or have noted, with the request to confirm it.
    :ivar choices: the answers to choose from; none where it is answered in words.
    """

    key: str
    number: str
    text: str
    about: str = ""
    noted: str = ""
    choices: tuple[str, ...] = ()
    type: ItemType = ItemType.CHOICE


@dataclass(frozen=True)
class Block:
    """Lines under one heading."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Sheet:
    """What an organisation is asked, ready to be written.

    :ivar version: day of writing and fingerprint of the questions.
    :ivar questionnaires: id and version of each questionnaire that a question is from.
    :ivar reply_to: who it goes back to, in words.
    :ivar paper: ``a4`` or ``letter``.
    """

    product: str
    org: str
    organization: str
    day: date
    version: str
    questionnaires: tuple[tuple[str, str], ...]
    blocks: tuple[Block, ...]
    reply_to: str | None = None
    paper: str = "a4"
