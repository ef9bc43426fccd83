"""What moved between two assessments (a milestone and now, say): gaps, unknowns, stages, verdict, dates."""

from __future__ import annotations

from typing import Literal

from interlock.model import words
from interlock.model.base import Gate, Model, RuleOutcome, VerdictValue
from interlock.model.forecast import Quantiles
from interlock.model.readiness import Interval, Observed

#: What a change is owed to: what a team said, what was seen at an organisation, or what our own rules ask.
ChangeKind = Literal["answers", "observations", "rules"]


class FindingChange(Model):
    """One finding in both assessments. An outcome is none where the finding did not exist.

    :ivar causes: what may have changed it, as far as what it reads tells; empty where it did not change, or by
        something else (the contract, time).
    """

    key: str
    title: str
    before: RuleOutcome | None
    after: RuleOutcome | None
    message: str
    causes: tuple[ChangeKind, ...] = ()


class AnswerMove(Model):
    """One answer that differs, with its evidence, in words; empty where there was or is none.

    :ivar scope: ``product`` or an organisation's id; ``text`` the question.
    """

    item: str
    scope: str
    text: str
    before: str
    after: str


class ObservationMove(Model):
    """An organisation of which another observation is the last one: when it was made, and how far it came.

    :ivar before: ISO 8601; none where it had never been probed.
    """

    org: str
    before: str | None
    after: str
    outcome_before: Observed
    outcome: Observed


class StageMove(Model):
    """An organisation whose stage changed; a stage is none when not even the design gate holds."""

    org: str
    before: Gate | None
    after: Gate | None


class VerdictChange(Model):
    """The verdict before and after."""

    before: VerdictValue
    after: VerdictValue


class ForecastMove(Model):
    """The P80 before and after, in working days from each plan's own start and as dates.

    :ivar org: none for the whole plan.
    :ivar calendar_days: by how many calendar days the date moved; positive is later.
    :ivar firm: both finishes had ground for a single date; else ``before_range`` and ``after_range`` are shown.
    :ivar causes: what may have moved it: answers, observations, routine tasks, time, our own rules; one sentence each.
    :ivar because: what of the critical path changed, weightiest first, one sentence each; empty when nothing there did.
    """

    org: str | None
    before_days: float
    after_days: float
    before_date: str
    after_date: str
    calendar_days: int
    firm: bool = False
    before_range: str = ""
    after_range: str = ""
    causes: tuple[str, ...] = ()
    because: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """From which date to which, or from which range to which."""
        if self.firm:
            return f"P80 {words.iso_day(self.before_date)} → {words.iso_day(self.after_date)}"
        return f"{self.before_range} → {self.after_range}"

    @property
    def shift(self) -> str:
        """By how much the P80 moved: ``9 calendar days later``."""
        if not self.calendar_days:
            return "on the same date"
        return (
            f"{words.count(abs(self.calendar_days), 'calendar day')} {'later' if self.calendar_days > 0 else 'earlier'}"
        )

    @property
    def moved(self) -> str:
        """From where to where, and by how much: no P80 is named where there is no ground for a date."""
        measure = "its P80" if self.firm else "the day that four of five runs keep"
        return f"{self.told}; {measure} is {self.shift}"


class AssessmentDiff(Model):
    """The difference of two assessments. Every tuple is sorted by key or organisation.

    A gap counts as closed only when its rule was decided again (met or not applicable). One that can no longer be
    decided is in ``no_longer_decided``, and one whose rule or subject is not there any more is in ``gone``: neither is
    progress.

    :ivar opened: gaps now that were none before, whatever they were, but for those in ``reopened``.
    :ivar reopened: gaps now that were none before and had been gaps in an earlier assessment.
    :ivar closed: gaps before that are met or not applicable now.
    :ivar still_open: keys of gaps in both.
    :ivar decided: undecided before, met, gap or not applicable now (new gaps among them are in ``opened`` too).
    :ivar no_longer_decided: decided before, unknown or in error now.
    :ivar gone: gaps or unknowns before whose finding does not exist now.
    :ivar answers, observations, rules: what was put in otherwise: answers, observations, and our own questions and
        rules (a part of a sentence each).
    :ivar not_comparable: reasons to be careful, one sentence each (other ruleset, other target gate).
    """

    opened: tuple[FindingChange, ...] = ()
    reopened: tuple[FindingChange, ...] = ()
    closed: tuple[FindingChange, ...] = ()
    still_open: tuple[str, ...] = ()
    decided: tuple[FindingChange, ...] = ()
    no_longer_decided: tuple[FindingChange, ...] = ()
    gone: tuple[FindingChange, ...] = ()
    stages: tuple[StageMove, ...] = ()
    organizations_added: tuple[str, ...] = ()
    organizations_removed: tuple[str, ...] = ()
    verdict: VerdictChange | None = None
    forecasts: tuple[ForecastMove, ...] = ()
    answers: tuple[AnswerMove, ...] = ()
    observations: tuple[ObservationMove, ...] = ()
    rules: tuple[str, ...] = ()
    not_comparable: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True when nothing moved."""
        return self == AssessmentDiff(still_open=self.still_open)


class Since(Model):
    """The last milestone and what changed since, in a report alone.

    :ivar name, as_of: what it is called, and the day (ISO 8601) that it is of.
    """

    name: str
    as_of: str
    diff: AssessmentDiff


class BurnDownPoint(Model):
    """One assessment in a series of them.

    :ivar name: the milestone's name, or ``now``.
    :ivar date: ISO 8601, the day that it is of.
    :ivar product: the product's score.
    :ivar orgs: each organisation's score; one that was not there yet is absent.
    :ivar open: gaps up to the target gate and beyond. ``undecided``: findings that could not be decided.
    :ivar finish: when every organisation passes the target gate; none where there is no date.
    :ivar firm: a single date had ground then.
    """

    name: str
    date: str
    product: Interval
    orgs: dict[str, Interval]
    open: int
    undecided: int
    finish: Quantiles | None
    firm: bool = False

    @property
    def finish_told(self) -> str:
        """The finish as far as it had ground: the P80, a range, or that there is no date."""
        return self.finish.told(firm=self.firm) if self.finish else "no date"


class BurnDown(Model):
    """How the score intervals narrowed from one milestone to the next; ``names`` are the organisations' names."""

    points: tuple[BurnDownPoint, ...]
    names: dict[str, str]
