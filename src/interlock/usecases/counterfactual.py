"""The smallest set of answers that would change the verdict, in either direction.

Answers are tried on the rules that may argue for a verdict. *Later*: the open gaps that hold the verdict back have to
be closed: for each, the single answers that close it are found, and the smallest union of one for each is shown.
*Earlier*: one answer that opens a gap which argues for an earlier verdict, about the product if there is one. Both are
verified by judging with the answers changed. Of several sets of one size the nearest is taken: questions without an
answer before answers that would have to change, small steps before large ones. What a gap's facts or the contract
decide, no answer changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, product
from typing import TYPE_CHECKING, NamedTuple

from interlock.documents.timing import timed
from interlock.model.base import RuleOutcome, Scope, Status, VerdictValue
from interlock.model.finding import Subject
from interlock.model.questionnaire import AnswerValue, Item, ItemType, Response
from interlock.model.readiness import AnswerChange, VerdictChange
from interlock.rules.compile import ANSWER_ROOTS
from interlock.rules.rows import Row, Table
from interlock.usecases.judge import Judgement, verdict_judge_of

if TYPE_CHECKING:
    from interlock.usecases.load import Inputs

#: Largest set of answers, organisations that are tried to be cleared, and combinations that are verified.
MAX_ANSWERS = 4
MAX_ORGANIZATIONS = 4
MAX_COMBINATIONS = 2_000
MAX_VERIFIED = 60

_CLOSED = frozenset({RuleOutcome.MET, RuleOutcome.NOT_APPLICABLE})


class _Try(NamedTuple):
    """One answer to try, in the order in which tries are preferred.

    :ivar changed: an answer that was given would have to change.
    :ivar step: how far the option's value is from the present one, in [0, 1].
    """

    changed: bool
    step: float
    scope: str
    item: str
    value: AnswerValue


class _Gap(NamedTuple):
    """A rule at a subject that may argue for a verdict."""

    subject: Subject
    rule: str
    place: int
    value: VerdictValue


@timed("what would change the verdict")
def verdict_changes(inputs: Inputs) -> tuple[VerdictChange, ...]:
    """What would change the verdict; at most one entry a direction, the later verdict first."""
    search = _Search(inputs)
    found = (search.later(), search.earlier())
    return tuple(change for change in found if change is not None)


class _Search:
    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.judge = verdict_judge_of(inputs.content)
        self.judged = self.judge.judge(inputs)
        self.value = self.judged.verdict.value
        self.hidden = self.judge.hidden(inputs)

    def later(self) -> VerdictChange | None:
        """The smallest set that brings the verdict nearer to integrating."""
        if self.value is VerdictValue.INTEGRATE:
            return None
        found: list[tuple[int, list[_Try]]] = []
        for gaps in self._gap_sets():
            closers = [self._tries(gap, _CLOSED) for gap in gaps]
            if all(closers) and len(gaps) <= 2 * MAX_ANSWERS:
                for chosen in islice(product(*closers), MAX_COMBINATIONS):
                    answers = sorted(set(chosen), key=lambda one: (one.scope, one.item))
                    if len({(one.scope, one.item) for one in answers}) == len(answers) <= MAX_ANSWERS:
                        found.append((len(answers), answers))
        found.sort(key=lambda entry: (entry[0], sorted(entry[1])))
        return self._first(found, "later")

    def earlier(self) -> VerdictChange | None:
        """The nearest answer that makes the verdict an earlier one."""
        table = self.judged.table
        for rows in (
            (table.product,),
            (*table.vendors.values(), *islice(table.organizations.values(), MAX_ORGANIZATIONS)),
        ):
            candidates = {
                one
                for row in rows
                for gap in _voting(row)
                if gap.value.rank < self.value.rank and self._outcome(self.judged, gap) is not RuleOutcome.GAP
                for one in self._tries(gap, frozenset({RuleOutcome.GAP}))
            }
            found = self._first([(1, [one]) for one in sorted(candidates)], "earlier")
            if found is not None:
                return found
        return None

    def _first(self, found: Sequence[tuple[int, list[_Try]]], direction: str) -> VerdictChange | None:
        for _, answers in found[:MAX_VERIFIED]:
            changed = self.inputs
            for one in answers:
                changed = changed.with_response(one.scope, one.item, _response(one.value))
            verdict = self.judge.judge(changed).verdict.value
            if verdict is not self.value and (verdict.rank > self.value.rank) == (direction == "later"):
                shown = tuple(self._shown(one) for one in answers)
                return VerdictChange.model_validate({"direction": direction, "answers": shown, "verdict": verdict})
        return None

    # -- what has to be closed --------------------------------------------------------------------------------------

    def _gap_sets(self) -> Iterator[list[_Gap]]:
        """Sets of open gaps any of which, closed whole, may make the verdict later; see verdict._smallest_closure."""
        table = self.judged.table
        base = [gap for gap in self._open(table.product) if gap.value is self.value]
        yield base
        own = [
            [*(self._open(table.vendors[org.vendor])), *self._open(table.organizations[org.id])]
            for org in self.inputs.organizations
        ]
        for gaps in sorted((gaps for gaps in own if gaps), key=len)[:MAX_ORGANIZATIONS]:
            yield [*base, *gaps]

    def _open(self, row: Row) -> list[_Gap]:
        return [gap for gap in _voting(row) if row.conclusions[gap.place].outcome is RuleOutcome.GAP]

    # -- answers ------------------------------------------------------------------------------------------------------

    def _tries(self, gap: _Gap, wanted: frozenset[RuleOutcome]) -> list[_Try]:
        """Single answers that give a rule one of these outcomes, nearest first."""
        row = _row(self.judged.table, gap.subject)
        names = (name.partition(".") for name in row.rules[gap.place].reads)
        items = dict.fromkeys(rest for root, _, rest in names if root in ANSWER_ROOTS)
        found = []
        for item_id in items:
            item = self.inputs.content.items.get(item_id)
            scope = self._scope(item, gap.subject) if item else None
            if item is None or scope is None or item.id in self.hidden["" if scope == "product" else scope]:
                continue
            for one in self._answers(item, scope):
                after = self.judge.judge(self.inputs.with_response(scope, item.id, _response(one.value)))
                if self._outcome(after, gap) in wanted:
                    found.append(one)
        return sorted(found)

    @staticmethod
    def _scope(item: Item, subject: Subject) -> str | None:
        if item.scope is not Scope.ORG:
            return "product"
        return subject.id if subject.scope is Scope.ORG else None

    def _answers(self, item: Item, scope: str) -> Iterator[_Try]:
        """Every other answer to an item that has a bounded number of them."""
        response = self.inputs.answers(scope).get(item.id)
        before = response.value if response is not None and response.status is Status.ANSWERED else None
        now = (item.graded_value(before) if before is not None else None) or 0.0
        for value in _values(item):
            if value != before:
                step = abs((item.graded_value(value) or 0.0) - now)
                yield _Try(before is not None, round(step, 4), scope, item.id, value)

    @staticmethod
    def _outcome(judged: Judgement, gap: _Gap) -> RuleOutcome:
        return _row(judged.table, gap.subject).conclusions[gap.place].outcome

    def _shown(self, one: _Try) -> AnswerChange:
        item = self.inputs.content.items[one.item]
        response = self.inputs.answers(one.scope).get(one.item)
        status = response.status if response else Status.UNANSWERED
        answered = response is not None and response.value is not None
        before = _words(item, response.value) if answered and response and response.value is not None else status.value
        return AnswerChange(
            item=one.item,
            org=None if one.scope == "product" else one.scope,
            before=before.replace("_", " ") if not answered else before,
            after=_words(item, one.value),
            value=one.value,
        )


def _voting(row: Row) -> list[_Gap]:
    return [
        _Gap(row.subject, rule.rule.id, place, rule.rule.verdict)
        for place, rule in enumerate(row.rules)
        if rule.rule.verdict is not None and rule.rule.lifecycle == "stable"
    ]


def _row(table: Table, subject: Subject) -> Row:
    if subject.scope is Scope.PRODUCT:
        return table.product
    return (table.vendors if subject.scope is Scope.VENDOR else table.organizations)[subject.id]


def _values(item: Item) -> list[AnswerValue]:
    if item.type is ItemType.BOOLEAN:
        return [True, False]
    single: list[AnswerValue] = [option.value for option in item.options]
    if item.type is not ItemType.MULTI_CHOICE:
        return single
    several = tuple(option.value for option in item.options if not option.exclusive and option.weight != 0)
    return [*((option.value,) for option in item.options), *([several] if len(several) > 1 else [])]


def _words(item: Item, value: AnswerValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    values = value if isinstance(value, tuple) else (value,)
    return ", ".join(option.label if (option := item.option(str(one))) else str(one) for one in values)


def _response(value: AnswerValue) -> Response:
    return Response(status=Status.ANSWERED, value=value)
