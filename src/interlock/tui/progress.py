"""Questions in a list: how far they are answered, and which of them are listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from interlock.model import words
from interlock.model.base import Evidence, Status
from interlock.model.text import plain
from interlock.tui.page import BAD, DIM, STATUS, line, text
from interlock.tui.state import State
from interlock.tui.widgets.rows import Row

if TYPE_CHECKING:
    from interlock.usecases.load import Inputs
    from interlock.usecases.questions import Asked


Counts = Counter[Status]


def count(questions: Iterable[Asked]) -> Counts:
    """How many questions have which status."""
    return Counter(question.status for question in questions)


def settled(counts: Counts) -> int:
    """How many questions are answered, or said not to apply."""
    return counts[Status.ANSWERED] + counts[Status.NOT_APPLICABLE]


def by_area(inputs: Inputs) -> dict[str, Counts]:
    """Area title → counts, in reading order; an organisation's questions are counted once for each of them."""
    areas: dict[str, list[Asked]] = {questionnaire.title: [] for questionnaire in inputs.content.questionnaires}
    for scope in ("product", *(org.id for org in inputs.organizations)):
        for question in questions(inputs, scope):
            areas[question.area].append(question)
    return {title: count(asked) for title, asked in areas.items() if asked}


def questions(inputs: Inputs, scope: str) -> tuple[Asked, ...]:
    """The questions of a scope; imported late, for it brings the rules and the scheduler with it."""
    from interlock.usecases.questions import questions as of_scope

    return of_scope(inputs, scope)


def kind_of_product(inputs: Inputs) -> str:
    """What kind of product it is, and how many questions that leaves; imported late as well."""
    from interlock.usecases.questions import kind_words

    return kind_words(inputs)


#: Which questions are listed, in words that go on from "questions".
KINDS = {
    "all": "all",
    "open": words.STATUS[Status.UNANSWERED].phrase,
    "unknown": words.STATUS[Status.UNKNOWN].phrase,
    "core": "of the core",
    "asserted": "only asserted, without evidence",
    "contradicted": "contradicted by an observation",
}


@dataclass(frozen=True)
class QuestionFilter:
    """Which questions are listed: of a kind, with certain words in their text, help or id."""

    kind: str = "all"
    find: str = ""

    @property
    def is_set(self) -> bool:
        """Is anything filtered?"""
        return self != QuestionFilter()

    @property
    def summary(self) -> str:
        """Which questions the filter takes, in words that go on from "questions"."""
        parts = [KINDS[self.kind]] if self.kind != "all" else []
        parts += [f"with “{plain(self.find, 40)}”"] if self.find else []
        return " ".join(parts)

    def takes(self, asked: Asked, state: State) -> bool:
        """Is this question listed?"""
        item, response = asked.item, asked.response
        if self.find and self.find.casefold() not in f"{asked.text}\n{item.help or ''}\n{item.id}".casefold():
            return False
        asserted = response is not None and response.evidence is Evidence.ASSERTED
        kinds = {
            "all": True,
            "open": asked.status is Status.UNANSWERED,
            "unknown": asked.status is Status.UNKNOWN,
            "core": item.priority == "core",
            "asserted": asked.status is Status.ANSWERED and asserted,
            "contradicted": state.contradiction(asked.scope, item.id) is not None,
        }
        return kinds[self.kind]


def question_rows(asked: Sequence[Asked], state: State, everything: Sequence[Asked]) -> list[Row]:
    """Rows for the listed questions, each area under a heading that counts its settled questions."""
    rows: list[Row] = []
    area = ""
    for question in asked:
        if question.area != area:
            area = question.area
            part = count(entry for entry in everything if entry.area == area)
            rows.append(Row(f"area:{area}", heading=area, aside=f"{settled(part)}/{part.total()}"))
        rows.append(_row(question, state))
    return rows


def _row(asked: Asked, state: State) -> Row:
    sign = STATUS[asked.status]
    waiting = state.waiting.get((asked.scope, asked.item.id))
    warnings = []
    if waiting is not None and waiting.error is not None:
        warnings.append(("not saved ", f"bold {BAD}"))
    if state.contradiction(asked.scope, asked.item.id) is not None:
        warnings.append(("≠ ", f"bold {BAD}"))
    return Row(asked.item.id, (text(sign.glyph, sign.style), line(*warnings, asked.text)))


def scope_line(state: State, inputs: Inputs, scope: str) -> Content:
    """The name of a scope and how far its answers are."""
    counts = count(questions(inputs, scope))
    kind = "the product, asked once" if scope == "product" else "an organisation"
    return line(
        (state.name_of(scope), "bold"),
        (f"  {kind}  ", DIM),
        f"{settled(counts)} of {counts.total()}",
        (f", {counts[Status.UNKNOWN]} {STATUS[Status.UNKNOWN].word}" if counts[Status.UNKNOWN] else "", DIM),
    )
