"""What closing one gap does to scores, stages, the verdict and what waits for it; and an unknown that is none.

A gap that is closed counts as met with the best evidence, so that every gate accepts it; nothing else changes. What it
does to the dates is a what-if of the plan (:func:`interlock.usecases.plan.what_if` with :func:`tasks_of`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from interlock.model.assessment import Assessment
from interlock.model.base import Evidence, Gate, RuleOutcome, VerdictValue
from interlock.model.gap_graph import GapNode
from interlock.model.plan import finding_of
from interlock.model.readiness import Interval, Score
from interlock.usecases.judge import judge_of
from interlock.usecases.load import Inputs


@dataclass(frozen=True)
class Moved:
    """Score and stage of the product (``org`` empty; it has no stage of its own) or of an organisation.

    :ivar uncapped: the score before and then, without what other blockers cap.
    :ivar gate: the first gate that does not hold before, with what is in the way before and then; none past the last.
    """

    org: str
    before: Interval
    after: Interval
    uncapped: tuple[Interval, Interval]
    stage_before: Gate | None = None
    stage_after: Gate | None = None
    gate: tuple[Gate, str, str] | None = None

    @property
    def is_same(self) -> bool:
        """Whether nothing moves."""
        score = (self.before, self.uncapped[0]) == (self.after, self.uncapped[1])
        return score and self.stage_before is self.stage_after and (self.gate is None or self.gate[1] == self.gate[2])


@dataclass(frozen=True)
class Closing:
    """What closing one gap does; of an unknown, what it does when it turns out to be no gap.

    :ivar moved: the product first, then the organisations of which something moves.
    :ivar verdict: earliest and latest before, and then.
    :ivar starts: what can start then, because it waits for nothing else.
    :ivar nearer: what waits for others too.
    """

    node: GapNode
    moved: tuple[Moved, ...]
    verdict: tuple[tuple[VerdictValue, VerdictValue], tuple[VerdictValue, VerdictValue]]
    starts: tuple[GapNode, ...]
    nearer: tuple[GapNode, ...]


def closing(inputs: Inputs, assessment: Assessment, key: str) -> Closing:
    """What closing the gap with this key does.

    :param assessment: that of ``inputs``.
    :raises KeyError: no open gap or unknown has this key.
    """
    node = assessment.graph.node(key)
    if node is None:
        raise KeyError(key)
    met = {"outcome": RuleOutcome.MET, "value": 1.0, "evidence": Evidence.OBSERVED}
    findings = tuple(f.model_copy(update=met) if f.key == key else f for f in assessment.findings)
    then = judge_of(inputs.content).amounts_to(findings, inputs)
    now = {own.org: own for own in assessment.readiness}
    moved = [_moved("", assessment.product_score, then.product_score)]
    for own in then.readiness:
        before = now[own.org]
        move = _moved(own.org, before.score, own.score)
        held = next(((b, a) for b, a in zip(before.gates, own.gates, strict=True) if not b.holds), None)
        gate = (held[0].gate, held[0].in_the_way, held[1].in_the_way) if held else None
        moved.append(replace(move, stage_before=before.stage, stage_after=own.stage, gate=gate))
    waits: dict[str, set[str]] = {}
    for edge in assessment.graph.reduced:
        waits.setdefault(edge.after, set()).add(edge.before)
    behind = [other for other in assessment.graph.nodes if key in waits.get(other.key, ())]
    verdict = assessment.verdict
    return Closing(
        node=node,
        moved=(moved[0], *(each for each in moved[1:] if not each.is_same)),
        verdict=((verdict.value, verdict.latest), (then.verdict.value, then.verdict.latest)),
        starts=tuple(other for other in behind if waits[other.key] == {key}),
        nearer=tuple(other for other in behind if waits[other.key] != {key}),
    )


def _moved(org: str, before: Score, after: Score) -> Moved:
    return Moved(org, before.interval, after.interval, (before.uncapped, after.uncapped))


def tasks_of(assessment: Assessment, key: str) -> tuple[str, ...]:
    """Ids of the tasks of the plan that close this gap or find out about it; none where no date waits for it."""
    return tuple(task.id for task in assessment.plan.tasks if not task.is_done and finding_of(task.id) == key)
