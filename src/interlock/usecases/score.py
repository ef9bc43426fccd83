"""The score as data, and the thresholds that CI asks for."""

from __future__ import annotations

from collections.abc import Collection

from interlock.model import words
from interlock.model.base import Gate, Model
from interlock.model.content import ContentChange
from interlock.model.errors import ThresholdNotMetError
from interlock.model.evidence import EvidenceTask
from interlock.model.readiness import OrgReadiness, Score, Totals, Verdict
from interlock.usecases.counterfactual import verdict_changes
from interlock.usecases.judge import judge, totals
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.owed import evidence_tasks
from interlock.workspace.store import Workspace


class ScoreResult(Model):
    """What ``interlock score --format json`` prints; schema version 2.

    :ivar evidence: what is met with evidence that has expired, or that is less than a gate accepts.
    """

    schema_version: str = "2"
    name: str
    product: str
    ruleset: str
    shipped_ruleset: str
    content_changes: tuple[ContentChange, ...]
    target_gate: Gate
    verdict: Verdict
    product_score: Score
    organizations: tuple[OrgReadiness, ...]
    evidence: tuple[EvidenceTask, ...]
    totals: Totals


def score_of(inputs: Inputs, org: str | None = None) -> ScoreResult:
    """Scores, stages and verdict, of all organisations or of one; nothing is planned for it."""
    judged, content = judge(inputs), inputs.content
    return ScoreResult(
        name=inputs.settings.name,
        product=inputs.settings.product,
        ruleset=content.name,
        shipped_ruleset=content.shipped_ruleset,
        content_changes=content.changes,
        target_gate=inputs.settings.target_gate,
        verdict=judged.verdict.model_copy(update={"changes": verdict_changes(inputs, judged)}),
        product_score=judged.product_score,
        organizations=tuple(own for own in judged.readiness if org in (None, own.org)),
        evidence=evidence_tasks(inputs, judged, org),
        totals=totals(inputs, judged),
    )


def check_thresholds(result: ScoreResult, *, fail_under: float | None, gate: str | None) -> None:
    """Hold the result against what the caller asked for.

    ``fail_under`` is compared with what is verified so far (the interval's low end), of the product and of each
    organisation; ``gate`` with each organisation's stage.

    :raises ThresholdNotMetError: names everything that falls short.
    """
    short: list[str] = []
    if fail_under is not None:
        lows = [("product", result.product_score.interval.low)]
        lows += [(readiness.org, readiness.score.interval.low) for readiness in result.organizations]
        short += [f"{name} {low:.0f} is under {fail_under:g}" for name, low in lows if low < fail_under]
    if gate is not None:
        wanted = Gate(gate)
        short += [
            f"{readiness.org} has not passed {words.GATE[wanted].phrase}"
            for readiness in result.organizations
            if readiness.stage is None or readiness.stage.rank < wanted.rank
        ]
    if short:
        raise ThresholdNotMetError("; ".join(short))


def check_stage(workspace: Workspace, probed: Collection[str | None], wanted: Gate) -> None:
    """Hold the stages of the organisations that were probed, with what was seen now, against a gate.

    :raises ThresholdNotMetError: names every organisation that has not passed it.
    """
    short = [
        f"{readiness.org} ({words.stage(readiness.stage)})"
        for readiness in judge(load_inputs(workspace)).readiness
        if readiness.org in probed and (readiness.stage is None or readiness.stage.rank < wanted.rank)
    ]
    if short:
        raise ThresholdNotMetError(
            f"not at {words.GATE[wanted].phrase} yet: {words.listed(short)}", remedy="interlock gaps says why"
        )
