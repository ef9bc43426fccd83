"""How ready the product and each organisation are: scores, the gates passed, and the verdict with its reasons."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from interlock.model import words
from interlock.model.base import Evidence, Gate, Model, Owner, Recommendation, RuleOutcome, VerdictValue
from interlock.model.response import AnswerValue

#: How far the last look at an organisation's endpoints came.
Observed = Literal["observed", "partial", "not_observed", "never_probed"]


class Interval(Model):
    """A score interval on 0 to 100: ``low`` if every unknown is a gap, ``high`` if every unknown is met."""

    low: float
    high: float


class Score(Model):
    """The score of one organisation, or of the product alone (docs/scoring.md).

    :ivar interval: after caps, on 0 to 100.
    :ivar uncapped: before caps, on 0 to 100.
    :ivar completeness: 1 - (U - L), share in [0, 1].
    :ivar confidence: sum(w e) / sum(w), share in [0, 1]; an undecided finding contributes no evidence.
    :ivar not_applicable: weight share left out as not applicable, in [0, 1].
    :ivar caps: why the interval was capped, one sentence each; ``capped_by`` has the keys of the blockers that do.
    """

    interval: Interval
    uncapped: Interval
    completeness: float
    confidence: float
    not_applicable: float
    caps: tuple[str, ...] = ()
    capped_by: tuple[str, ...] = ()


class WeakEvidence(Model):
    """A requirement that is met with less evidence than a gate accepts for it."""

    key: str
    evidence: Evidence
    wanted: Evidence


class GateState(Model):
    """One gate of one organisation: it holds when nothing is open or undecided, and the evidence is what it accepts.

    :ivar met: how many requirements are met with evidence that the gate accepts, of ``required``.
    :ivar weak: those that are met with less, and what the gate wants.
    """

    gate: Gate
    holds: bool
    required: int
    met: int
    open: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    weak: tuple[WeakEvidence, ...] = ()

    @property
    def in_the_way(self) -> str:
        """What keeps it from holding, counted, in words."""
        wanted = Counter(entry.wanted for entry in self.weak)
        return words.in_the_way(len(self.open), len(self.undecided), wanted)


class OrgReadiness(Model):
    """Where one organisation stands. ``stage`` none means that not even the design gate holds.

    ``stage_if_unknowns_hold`` is the stage if every undecided requirement turned out met: the two differ exactly where
    "we could not look" matters.

    :ivar verdict: the earliest verdict here that is still possible; its vendor's and the product's votes count.
    :ivar latest_verdict: the latest one, if everything undecided turned out met; the same when it is settled.
    :ivar held: what keeps the next gate from holding, the evidence that it misses among it; empty past the last one.
    :ivar recommendation: what to do here now.
    :ivar because: why, in a few words that go on after a colon.
    """

    org: str
    observed: Observed
    observed_at: str | None = None
    not_observed_because: str | None = None
    score: Score
    stage: Gate | None
    stage_if_unknowns_hold: Gate | None
    gates: tuple[GateState, ...]
    held: str = ""
    verdict: VerdictValue
    latest_verdict: VerdictValue
    recommendation: Recommendation
    because: str


class VerdictReason(Model):
    """One finding that argued for the verdict, quoted."""

    key: str
    title: str
    message: str
    outcome: RuleOutcome


class AnswerChange(Model):
    """One answer that would be different; ``before`` and ``after`` in words, ``value`` as it would be given.

    :ivar text: the question; ``item`` is its id.
    :ivar org: the organisation that is asked; none for a question about the product.
    """

    item: str
    text: str = ""
    org: str | None
    before: str
    after: str
    value: AnswerValue


class VerdictChange(Model):
    """The smallest set of answers that would make the verdict another one, and which.

    :ivar direction: ``later`` (nearer to integrating) or ``earlier``.
    :ivar verdict, latest: the earliest and the latest verdict that would then be possible.
    """

    direction: Literal["later", "earlier"]
    answers: tuple[AnswerChange, ...]
    verdict: VerdictValue
    latest: VerdictValue


class Verdict(Model):
    """Product or integration? (S04 to S08). Settled, or not decided between an earliest and a latest one.

    :ivar value: the earliest verdict that is still possible: what everything else works with.
    :ivar latest: the latest one, if everything undecided turned out met; the same when the verdict is settled.
    :ivar reasons: the open gaps that argue for ``latest``.
    :ivar undecided: what could still lead to an earlier verdict than ``latest``; empty when it is settled.
    :ivar settled_by: ids of the questions whose answers would decide it; empty when it is settled.
    :ivar next_step: in words, at length; ``next_in_words`` in short, for a reader who knows no names of files.
    :ivar next_rules, next_org: ids of the rules, and of the organisation, that the next step is about.
    :ivar organizations: what to do at which organisation, in one sentence; empty without organisations.
    :ivar counterfactual: what would have to change for another verdict, one sentence; ``counterfactual_keys`` are those
        of the findings that it is about.
    :ivar changes: the answers that would change a settled one, at most one entry a direction.
    """

    value: VerdictValue
    latest: VerdictValue
    headline: str
    organizations: str = ""
    reasons: tuple[VerdictReason, ...]
    undecided: tuple[VerdictReason, ...] = ()
    settled_by: tuple[str, ...] = ()
    next_step: str
    next_in_words: str = ""
    next_rules: tuple[str, ...] = ()
    next_org: str | None = None
    next_step_owner: Owner
    counterfactual: str
    counterfactual_keys: tuple[str, ...] = ()
    changes: tuple[VerdictChange, ...] = ()

    @property
    def settled(self) -> bool:
        """Nothing that is undecided could lead to another verdict."""
        return self.value is self.latest


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
