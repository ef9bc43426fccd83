"""What a rehearsal of the product says of the questions that it looked at.

An option is observed only when every check that the catalogue lists for it held, and nothing that the catalogue lists
for the question did otherwise; a check that needs a hook and was given none is not asked. When a check broke, the
question is at most at the option that the check names; of several options that one falls. Everything else changes
nothing. As with an organisation's observation the file keeps the answer, what was observed is judged, and where there
is no answer nothing is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, timedelta
from typing import NamedTuple

from interlock.content.messages import line
from interlock.judge.answers import AnswerState
from interlock.model import words
from interlock.model.base import Evidence, Scope
from interlock.model.questionnaire import Item, ItemType
from interlock.model.rehearsal import ProductObservation, RehearsalCheck, RehearsalOutcome, RehearsalResult
from interlock.model.response import AnswerValue

#: For how many days a rehearsal counts as an observation; after that as a document of one (a judgement: products change
#: by the week, and nothing says that one did not).
REHEARSAL_DAYS = 30
_MAX_EVIDENCE = 400
_HOLDS = {RehearsalOutcome.HELD, RehearsalOutcome.NOT_APPLICABLE}


class Rehearsed(NamedTuple):
    """What a rehearsal says of one question.

    :ivar held: the options that were observed: of a choice the best one, of several options each.
    :ivar fell: of a choice the option that it is at most at, of several options each that is not so; empty when nothing
        broke.
    :ivar rows: what broke, worst first.
    :ivar observation: the rehearsal.
    :ivar aged: it is too old, or of another version, and counts one grade less.
    """

    item: Item
    held: tuple[str, ...]
    fell: tuple[str, ...]
    rows: tuple[RehearsalResult, ...]
    observation: ProductObservation
    aged: bool = False

    @property
    def grade(self) -> Evidence:
        """What it counts as."""
        return Evidence.DOCUMENTED if self.aged else Evidence.OBSERVED

    @property
    def best(self) -> AnswerValue:
        """The answer that it shows where none was given: the most that is left, or that was seen."""
        if self.item.type is ItemType.MULTI_CHOICE:
            return self.held
        return (self.fell or self.held)[0]

    @property
    def evidence(self) -> str:
        """When it was, and what broke by which requests, or that its checks held, on one line."""
        day = words.moment(self.observation.started)
        if not self.rows:
            return line(f"rehearsal on {day}: all checks for it held", _MAX_EVIDENCE)
        broke = "; ".join(
            f"{row.id} {row.seen or row.title}"
            + (f" (requests {words.listed(list(map(str, row.requests)), 5)})" if row.requests else "")
            for row in self.rows
        )
        return line(f"rehearsal on {day}: {broke}", _MAX_EVIDENCE)

    def value(self, given: AnswerValue) -> AnswerValue:
        """What is judged in the place of an answer; the same answer where nothing speaks against it.

        A break lowers an answer. That all checks for a better option held raises none: what the team said is less.
        """
        if isinstance(given, tuple):
            left = tuple(option for option in given if option not in self.fell)
            none = next((option.value for option in self.item.options if option.exclusive and not option.unknown), None)
            return left or ((none,) if none is not None and given else given)
        at_most = self._graded(self.fell)
        graded = self._graded((given,)) if isinstance(given, str) else None
        return self.fell[0] if graded is not None and at_most is not None and graded > at_most else given

    def state(self, given: AnswerState) -> AnswerState:
        """What is judged of an answer.

        What a better option than the observed one adds (a test of one's own, an alert) stays in the score as it was
        given: the gates ask whether what was observed is enough.
        """
        if given.value is None:
            return given
        value = self.value(given.value)
        if value != given.value:
            graded = self.item.graded_value(value)
            return AnswerState(value, None if graded is None else float(graded), self.grade)
        if not self.supports(value):
            return given
        grades = (Evidence.ASSERTED, Evidence.DOCUMENTED, Evidence.OBSERVED)
        return given._replace(evidence=max(given.evidence or Evidence.ASSERTED, self.grade, key=grades.index))

    def supports(self, value: AnswerValue) -> bool:
        """Whether an answer that stands was seen to be so: what is said of it, or nothing better than what is left."""
        if isinstance(value, tuple):
            return set(value) <= {*self.held}
        return bool(self.held) or value in self.fell

    def _graded(self, options: Iterable[str]) -> float | None:
        graded = [value for option in options if (value := self.item.graded_value(option)) is not None]
        return graded[0] if graded else None


def rehearsed(
    checks: Sequence[RehearsalCheck],
    items: Mapping[str, Item],
    observation: ProductObservation,
    today: date | None = None,
    version: str | None = None,
    commit: str | None = None,
) -> dict[str, Rehearsed]:
    """What a rehearsal says of the product's questions, by id; of the others nothing.

    :param checks: the whole catalogue: one that was not looked at keeps its option from being observed.
    :param version: of the product as it is now, where it is stated; ``commit`` of its checkout, where that is known.
    """
    outcomes = observation.outcomes
    listed: dict[str, list[tuple[RehearsalCheck, str]]] = {}
    for check in checks:
        for reference in check.turns:
            question, _, option = reference.partition("=")
            listed.setdefault(question, []).append((check, option))
    said = {}
    aged = _aged(observation, today, (version, commit))
    for question, entries in listed.items():
        item = items.get(question)
        if item is None or item.scope is Scope.ORG or not item.options:
            continue
        fell, rows = _fallen(item, entries, observation)
        held = () if fell and item.type is ItemType.CHOICE else _held(item, entries, outcomes)
        held = tuple(option for option in held if option not in fell)
        if fell or held:
            said[question] = Rehearsed(item, held, fell, rows, observation, aged)
    return said


def _aged(observation: ProductObservation, today: date | None, now: tuple[str | None, str | None]) -> bool:
    began = observation.started.astimezone(UTC).date()
    old = today is not None and today - began > timedelta(days=REHEARSAL_DAYS)
    then = (observation.app.version, observation.app.commit)
    return old or any(None not in pair and pair[0] != pair[1] for pair in zip(then, now, strict=True))


def _fallen(
    item: Item, entries: Iterable[tuple[RehearsalCheck, str]], observation: ProductObservation
) -> tuple[tuple[str, ...], tuple[RehearsalResult, ...]]:
    """The options that broke, the lowest first, and the rows by which they did."""
    checks = {check.id: check for check, _ in entries}
    options: dict[str, None] = {}
    rows = []
    for row in observation.broken:
        fell = checks[row.id].fallen(item.id, row.about) if row.id in checks else ()
        options |= dict.fromkeys(option for option in fell if item.option(option) is not None)
        rows += [row] if fell else []
    order = sorted(options, key=lambda option: item.graded_value(option) or 0.0)
    return tuple(order[:1] if item.type is ItemType.CHOICE else order), tuple(rows)


def _held(
    item: Item, entries: Sequence[tuple[RehearsalCheck, str]], outcomes: Mapping[str, RehearsalOutcome]
) -> tuple[str, ...]:
    """The options that were observed, the best one first."""
    looked_at = [(check, option) for check, option in entries if check.counts(outcomes.get(check.id))]
    if any(outcomes.get(check.id) not in _HOLDS for check, option in looked_at if not option):
        return ()
    by_option: dict[str, list[RehearsalCheck]] = {}
    for check, option in looked_at:
        if option:
            by_option.setdefault(option, []).append(check)
    held = [
        option
        for option, checks in by_option.items()
        if all(outcomes.get(check.id) is RehearsalOutcome.HELD for check in checks)
    ]
    held.sort(key=lambda option: item.graded_value(option) or 0.0, reverse=True)
    return tuple(held[:1] if item.type is ItemType.CHOICE else held)
