"""Questions in a list: how far they are answered, and which of them are listed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from interlock.model import words
from interlock.model.base import Evidence, GapClass, RuleOutcome, Scope, Status
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
    "blocking": "that a blocker hangs on",
    "asserted": "only asserted, without evidence",
    "expired": "whose evidence has expired",
    "contradicted": "contradicted by an observation",
    "mine": "that I owe",
    "owed": "that somebody owes",
}


@dataclass(frozen=True)
class QuestionFilter:
    """Which questions of a scope are listed."""

    kind: str = "all"

    @property
    def is_set(self) -> bool:
        """Is anything filtered?"""
        return self != QuestionFilter()

    @property
    def summary(self) -> str:
        """Which questions the filter takes, in words that go on from "questions"."""
        return "" if self.kind == "all" else KINDS[self.kind]

    def among(self, asked: Sequence[Asked], state: State, author: str) -> list[Asked]:
        """The questions that are listed; ``author`` is who answers here."""
        takes: dict[str, Callable[[Asked], bool]] = {
            "all": lambda _: True,
            "open": lambda question: question.status is Status.UNANSWERED,
            "unknown": lambda question: question.status is Status.UNKNOWN,
            "core": lambda question: question.item.priority == "core",
            "blocking": _blocking(state) if self.kind == "blocking" else lambda _: False,
            "asserted": _asserted,
            "expired": lambda question: _expired(question, state),
            "contradicted": lambda question: state.contradiction(question.scope, question.item.id) is not None,
            "mine": lambda question: _assignee(question) == author.casefold(),
            "owed": lambda question: bool(_assignee(question)),
        }
        return list(filter(takes[self.kind], asked))


def _asserted(asked: Asked) -> bool:
    response = asked.response
    return response is not None and asked.status is Status.ANSWERED and response.evidence is Evidence.ASSERTED


def _assignee(asked: Asked) -> str:
    return (asked.response.assignee or "").casefold() if asked.response is not None else ""


def _expired(asked: Asked, state: State) -> bool:
    documents = asked.response.documents if asked.response is not None else ()
    return state.inputs is not None and any(record.expired(state.inputs.today) for record in documents)


_BLOCKERS = {GapClass.PRODUCT_BLOCKER, GapClass.INTEGRATION_BLOCKER}


def _blocking(state: State) -> Callable[[Asked], bool]:
    """Takes questions that the condition of a blocker reads which is a gap, or undecided."""
    if state.inputs is None or state.judgement is None:
        return lambda _: False
    rules = state.judgement.rules
    read: dict[str | None, set[str]] = defaultdict(set)
    for finding in state.judgement.findings:
        if rules[finding.rule].gap_class in _BLOCKERS and finding.outcome in {RuleOutcome.GAP, RuleOutcome.UNKNOWN}:
            read[finding.subject.id if finding.subject.scope is Scope.ORG else None] |= set(finding.reads)

    def takes(asked: Asked) -> bool:
        name = f"responses.{asked.item.id}"
        if asked.scope == "product":
            return any(name in names for names in read.values())
        return name in read[None] or name in read[asked.scope]

    return takes


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
