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
from typing import NamedTuple

from interlock.content.compile import ANSWER_ROOTS
from interlock.documents.timing import timed
from interlock.judge.tallies import Counted, tally_all
from interlock.judge.verdict import Range, ballot_of, may_vote
from interlock.model.base import RuleOutcome, Scope, Status, VerdictValue
from interlock.model.finding import OPEN, PRODUCT, Finding, Subject
from interlock.model.organization import Organization
from interlock.model.questionnaire import Item, ItemType
from interlock.model.readiness import AnswerChange, VerdictChange
from interlock.model.response import AnswerValue, Response
from interlock.usecases.judge import Judgement, judge_of
from interlock.usecases.load import Inputs
from interlock.usecases.questions import scope_asked, value_words

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


@timed("what would change the verdict")
def verdict_changes(inputs: Inputs, judged: Judgement) -> tuple[VerdictChange, ...]:
    """What would change a settled verdict; at most one entry a direction, the later verdict first.

    :param judged: what the inputs amount to as they are.
    """
    if judged.verdict.value is not judged.verdict.latest:
        return ()
    search = _Search(inputs, judged)
    changes = (search.later(), search.earlier())
    return tuple(change for change in changes if change is not None)


class _Search:
    def __init__(self, inputs: Inputs, judged: Judgement) -> None:
        self.inputs = inputs
        self.judge = judge_of(inputs.content)
        self.rules = self.judge.rules
        self.votes = tuple(finding for finding in judged.findings if may_vote(self.rules[finding.rule]))
        self.value = judged.verdict.value
        self.counted: Counted = {}
        self.hidden = self.judge.hidden(inputs)

    def later(self) -> VerdictChange | None:
        """The smallest set that brings the verdict nearer to integrating."""
        if self.value is VerdictValue.INTEGRATE:
            return None
        candidates: list[tuple[int, list[_Try]]] = []
        for gaps in self._gap_sets():
            closers = [self._tries(gap, _CLOSED) for gap in gaps]
            if all(closers) and len(gaps) <= 2 * MAX_ANSWERS:
                for chosen in islice(product(*closers), MAX_COMBINATIONS):
                    answers = sorted(set(chosen), key=lambda attempt: (attempt.scope, attempt.item))
                    if len({(attempt.scope, attempt.item) for attempt in answers}) == len(answers) <= MAX_ANSWERS:
                        candidates.append((len(answers), answers))
        candidates.sort(key=lambda entry: (entry[0], sorted(entry[1])))
        return self._first(candidates, "later")

    def earlier(self) -> VerdictChange | None:
        """The nearest answer that makes the verdict an earlier one."""
        organizations = self.inputs.organizations
        others = {_vendor(org) for org in organizations} | {_org(org) for org in organizations[:MAX_ORGANIZATIONS]}
        for subjects in ({PRODUCT}, others):
            candidates = {
                attempt
                for finding in self.votes
                if finding.subject in subjects and finding.outcome is not RuleOutcome.GAP
                if self._argues_for(finding).rank < self.value.rank
                for attempt in self._tries(finding, frozenset({RuleOutcome.GAP}))
            }
            change = self._first([(1, [attempt]) for attempt in sorted(candidates)], "earlier")
            if change is not None:
                return change
        return None

    def _first(self, candidates: Sequence[tuple[int, list[_Try]]], direction: str) -> VerdictChange | None:
        for _, answers in candidates[:MAX_VERIFIED]:
            changed = self.inputs
            for attempt in answers:
                changed = changed.with_response(attempt.scope, attempt.item, _response(attempt.value))
            then = self._verdicts(changed)
            if then.earliest is not self.value and (then.earliest.rank > self.value.rank) == (direction == "later"):
                shown = tuple(self._shown(attempt) for attempt in answers)
                fields = {"direction": direction, "answers": shown, "verdict": then.earliest, "latest": then.latest}
                return VerdictChange.model_validate(fields)
        return None

    # -- what has to be closed --------------------------------------------------------------------------------------

    def _gap_sets(self) -> Iterator[list[Finding]]:
        """Sets of open gaps any of which, closed whole, may make the verdict later; see verdict._smallest_closure."""
        open_gaps: dict[Subject, list[Finding]] = {}
        for finding in self.votes:
            undecided = finding.outcome in OPEN and self._argues_for(finding) is self.value
            if finding.outcome is RuleOutcome.GAP or undecided:
                open_gaps.setdefault(finding.subject, []).append(finding)
        base = [gap for gap in open_gaps.get(PRODUCT, []) if self._argues_for(gap) is self.value]
        yield base
        own = [[*open_gaps.get(_vendor(org), []), *open_gaps.get(_org(org), [])] for org in self.inputs.organizations]
        for gaps in sorted((gaps for gaps in own if gaps), key=len)[:MAX_ORGANIZATIONS]:
            yield [*base, *gaps]

    def _argues_for(self, finding: Finding) -> VerdictValue:
        verdict = self.rules[finding.rule].verdict
        assert verdict is not None  # votes are findings of rules that name one
        return verdict

    def _verdicts(self, inputs: Inputs) -> Range:
        tallies = tally_all(self.judge.votes(inputs), self.rules, earlier=self.counted)
        return ballot_of(tallies, inputs.organizations).range()

    # -- answers ------------------------------------------------------------------------------------------------------

    def _tries(self, finding: Finding, wanted: frozenset[RuleOutcome]) -> list[_Try]:
        """Single answers that give a finding one of these outcomes, nearest first."""
        names = (name.partition(".") for name in finding.reads)
        tries: list[_Try] = []
        for item_id in dict.fromkeys(rest for root, _, rest in names if root in ANSWER_ROOTS):
            item = self.inputs.content.items.get(item_id)
            scope = scope_asked(item, finding.subject) if item else None
            if item is None or scope is None or item.id in self.hidden["" if scope == "product" else scope]:
                continue
            tries += self._answers(item, scope)
        after = (self.inputs.with_response(to.scope, to.item, _response(to.value)) for to in tries)
        concluded = self.judge.conclude(finding.rule, finding.subject, after)
        return sorted(attempt for attempt, then in zip(tries, concluded, strict=True) if then.outcome in wanted)

    def _answers(self, item: Item, scope: str) -> Iterator[_Try]:
        """Every other answer to an item that has a bounded number of them."""
        response = self.inputs.answers(scope).get(item.id)
        before = response.value if response is not None and response.agreed_status is Status.ANSWERED else None
        now = (item.graded_value(before) if before is not None else None) or 0.0
        for value in _values(item):
            if value != before:
                step = abs((item.graded_value(value) or 0.0) - now)
                yield _Try(before is not None, round(step, 4), scope, item.id, value)

    def _shown(self, attempt: _Try) -> AnswerChange:
        item = self.inputs.content.items[attempt.item]
        response = self.inputs.answers(attempt.scope).get(attempt.item)
        status = response.agreed_status if response else Status.UNANSWERED
        value = response.value if response and status is Status.ANSWERED else None
        return AnswerChange(
            item=attempt.item,
            text=item.text,
            org=None if attempt.scope == "product" else attempt.scope,
            before=status.value.replace("_", " ") if value is None else value_words(item, value),
            after=value_words(item, attempt.value),
            value=attempt.value,
        )


def _vendor(org: Organization) -> Subject:
    return Subject(scope=Scope.VENDOR, id=org.vendor)


def _org(org: Organization) -> Subject:
    return Subject(scope=Scope.ORG, id=org.id)


def _values(item: Item) -> list[AnswerValue]:
    if item.type is ItemType.BOOLEAN:
        return [True, False]
    single: list[AnswerValue] = [option.value for option in item.options]
    if item.type is not ItemType.MULTI_CHOICE:
        return single
    several = tuple(option.value for option in item.options if not option.exclusive and option.weight != 0)
    return [*((option.value,) for option in item.options), *([several] if len(several) > 1 else [])]


def _response(value: AnswerValue) -> Response:
    return Response(status=Status.ANSWERED, value=value)
