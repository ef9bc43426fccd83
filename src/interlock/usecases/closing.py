"""What closing gaps does to scores, stages, the verdict and what waits for them; and unknowns that are none.

A gap that is closed counts as met with the best evidence, so that every gate accepts it; nothing else changes. What it
does to the dates is a what-if of the plan (:func:`interlock.usecases.plan.what_if` with :func:`tasks_of`).
"""

from __future__ import annotations

from collections.abc import Collection
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
    """What closing some gaps does; of an unknown, what it does when it turns out to be no gap.

    :ivar moved: the product first, then the organisations of which something moves.
    :ivar verdict: earliest and latest before, and then.
    :ivar starts: what can start then, because it waits for nothing else.
    :ivar nearer: what waits for others too.
    """

    nodes: tuple[GapNode, ...]
    moved: tuple[Moved, ...]
    verdict: tuple[tuple[VerdictValue, VerdictValue], tuple[VerdictValue, VerdictValue]]
    starts: tuple[GapNode, ...]
    nearer: tuple[GapNode, ...]


def closing(inputs: Inputs, assessment: Assessment, keys: Collection[str]) -> Closing:
    """What closing the gaps with these keys does, all of them at once.

    :param assessment: that of ``inputs``.
    """
    closed = set(keys)
    met = {"outcome": RuleOutcome.MET, "value": 1.0, "evidence": Evidence.OBSERVED}
    findings = tuple(f.model_copy(update=met) if f.key in closed else f for f in assessment.findings)
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
    behind = [n for n in assessment.graph.nodes if n.key not in closed and waits.get(n.key, set()) & closed]
    verdict = assessment.verdict
    return Closing(
        nodes=tuple(node for node in assessment.graph.nodes if node.key in closed),
        moved=(moved[0], *(each for each in moved[1:] if not each.is_same)),
        verdict=((verdict.value, verdict.latest), (then.verdict.value, then.verdict.latest)),
        starts=tuple(other for other in behind if waits[other.key] <= closed),
        nearer=tuple(other for other in behind if not waits[other.key] <= closed),
    )


def _moved(org: str, before: Score, after: Score) -> Moved:
    return Moved(org, before.interval, after.interval, (before.uncapped, after.uncapped))


def tasks_of(assessment: Assessment, keys: Collection[str]) -> tuple[str, ...]:
    """Ids of the tasks of the plan that close these gaps or find out about them; none where no date waits for them."""
    return tuple(task.id for task in assessment.plan.tasks if not task.is_done and finding_of(task.id) in keys)
