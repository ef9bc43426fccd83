"""How ready the product and each organisation are: scores, the gates passed, and the verdict with its reasons."""

from __future__ import annotations

from typing import Literal

from interlock.model.base import Gate, Model, Owner, RuleOutcome, VerdictValue
from interlock.model.questionnaire import AnswerValue


class Interval(Model):
    """A score interval on 0 to 100: ``low`` is verified so far, ``high`` the best case once unknowns are answered."""

    low: float
    high: float


class Score(Model):
    """The score of one organisation, or of the product alone (docs/scoring.md).

    :ivar interval: after caps, on 0 to 100.
    :ivar uncapped: before caps, on 0 to 100.
    :ivar completeness: 1 - (U - L), share in [0, 1].
    :ivar confidence: sum(w e) / sum(w), share in [0, 1]; an undecided finding contributes no evidence.
    :ivar not_applicable: weight share left out as not applicable, in [0, 1].
    :ivar caps: why the interval was capped, one sentence each.
    """

    interval: Interval
    uncapped: Interval
    completeness: float
    confidence: float
    not_applicable: float
    caps: tuple[str, ...] = ()


class GateState(Model):
    """One gate of one organisation: it holds when nothing is open and nothing is undecided."""

    gate: Gate
    holds: bool
    required: int
    met: int
    open: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()


class OrgReadiness(Model):
    """Where one organisation stands. ``stage`` none means that not even the design gate holds.

    ``stage_if_unknowns_hold`` is the stage if every undecided requirement turned out met: the two differ exactly where
    "we could not look" matters. ``verdict_provisional``: something undecided here argues for an earlier verdict.
    """

    org: str
    observed: Literal["observed", "partial", "not_observed", "never_probed"]
    observed_at: str | None = None
    not_observed_because: str | None = None
    score: Score
    stage: Gate | None
    stage_if_unknowns_hold: Gate | None
    gates: tuple[GateState, ...]
    verdict: VerdictValue
    verdict_provisional: bool = False


class VerdictReason(Model):
    """One finding that argued for the verdict, quoted."""

    key: str
    title: str
    message: str
    outcome: RuleOutcome


class AnswerChange(Model):
    """One answer that would be different; ``before`` and ``after`` in words, ``value`` as it would be given.

    :ivar org: the organisation that is asked; none for a question about the product.
    """

    item: str
    org: str | None
    before: str
    after: str
    value: AnswerValue


class VerdictChange(Model):
    """The smallest set of answers that would make the verdict another one, and which.

    :ivar direction: ``later`` (nearer to integrating) or ``earlier``.
    """

    direction: Literal["later", "earlier"]
    answers: tuple[AnswerChange, ...]
    verdict: VerdictValue


class Verdict(Model):
    """Product or integration? (S04 to S08).

    :ivar provisional: an undecided finding argues for an earlier verdict than this one.
    :ivar counterfactual: what would have to change for the next verdict; one sentence.
    :ivar changes: the answers that would change it, at most one entry a direction; empty when no set of few would.
    """

    value: VerdictValue
    headline: str
    reasons: tuple[VerdictReason, ...]
    provisional: bool
    undecided: tuple[VerdictReason, ...] = ()
    next_step: str
    next_step_owner: Owner
    counterfactual: str
    changes: tuple[VerdictChange, ...] = ()


class Totals(Model):
    """Counts for the summary: organisations per stage (never averaged), findings per outcome."""

    organizations: int
    observed: int
    by_stage: dict[str, int]
    findings: dict[RuleOutcome, int]
    questions: int
    answered: int
    unknown: int
    not_applicable: int
