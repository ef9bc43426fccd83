"""The score as data, and the thresholds that CI asks for."""

from __future__ import annotations

from interlock.model import words
from interlock.model.assessment import Assessment, Totals
from interlock.model.base import Gate, Model
from interlock.model.content import ContentChange
from interlock.model.errors import InterlockError, ThresholdNotMetError
from interlock.model.readiness import OrgReadiness, Score, Verdict


class ScoreResult(Model):
    """What ``interlock score --format json`` prints; schema version 1."""

    schema_version: str = "1"
    name: str
    product: str
    ruleset: str
    shipped_ruleset: str
    content_changes: tuple[ContentChange, ...]
    target_gate: Gate
    verdict: Verdict
    product_score: Score
    organizations: tuple[OrgReadiness, ...]
    totals: Totals


def score_of(assessment: Assessment, org: str | None = None) -> ScoreResult:
    """The score part of an assessment, of all organisations or of one.

    :raises InterlockError: there is no such organisation.
    """
    readiness = tuple(own for own in assessment.readiness if org in (None, own.org))
    if org is not None and not readiness:
        raise InterlockError(f"there is no organisation {org!r}", remedy="interlock org list shows them")
    return ScoreResult(
        name=assessment.name,
        product=assessment.product,
        ruleset=assessment.ruleset,
        shipped_ruleset=assessment.shipped_ruleset,
        content_changes=assessment.content_changes,
        target_gate=assessment.target_gate,
        verdict=assessment.verdict,
        product_score=assessment.product_score,
        organizations=readiness,
        totals=assessment.totals,
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
