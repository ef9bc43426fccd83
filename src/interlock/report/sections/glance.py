"""Organisations at a glance: one row each, never averaged."""

from __future__ import annotations

from interlock.model.base import Gate
from interlock.model.readiness import OrgReadiness, Score
from interlock.report import words
from interlock.report.charts import score_bar
from interlock.report.models import Glance, GlanceRow, Link, Mark, Pair
from interlock.report.sections.context import Context

NO_STAGE = "None yet"


def build_glance(context: Context) -> Glance:
    """The overview table, and how many organisations stand at each stage."""
    assessment = context.assessment
    reached = dict.fromkeys(Gate, 0)
    none = 0
    for readiness in assessment.readiness:
        if readiness.stage is None:
            none += 1
        else:
            reached[readiness.stage] += 1
    stages = [Pair(term=words.GATE[gate], value=str(reached[gate])) for gate in reversed(Gate)]
    product = GlanceRow(
        link=Link(label=words.name(assessment.product)),
        vendor="",
        environment="",
        observed=Mark(symbol="", label="", tone="neutral"),
        stage=Mark(symbol="", label="", tone="neutral"),
        if_unknowns_hold="",
        score=words.interval(assessment.product_score.interval),
        bar=bar(assessment.product_score, "Product"),
        verdict=words.product_verdict(assessment.verdict),
    )
    return Glance(
        stages=(*stages, Pair(term=NO_STAGE, value=str(none))),
        product=product,
        rows=tuple(_row(context, readiness) for readiness in assessment.readiness),
    )


def _row(context: Context, readiness: OrgReadiness) -> GlanceRow:
    organization = context.organizations.get(readiness.org)
    name = context.organization_name(readiness.org)
    return GlanceRow(
        link=context.organization_link(readiness.org),
        vendor=words.vendor(organization.vendor) if organization else "",
        environment=ENVIRONMENT.get(organization.environment, "") if organization else "",
        observed=observed_mark(context, readiness),
        stage=stage_mark(readiness, context.assessment.target_gate),
        if_unknowns_hold=if_unknowns_hold(readiness),
        score=words.interval(readiness.score.interval),
        bar=bar(readiness.score, name),
        verdict=words.own_verdict(readiness),
    )


ENVIRONMENT = {"sandbox": "Sandbox", "non-production": "Non-production", "production": "Production"}


def bar(score: Score, name: str) -> str:
    """A score interval as a picture."""
    return score_bar(score.interval, f"{name}: score {words.interval(score.interval)} of 100")


def observed_mark(context: Context, readiness: OrgReadiness) -> Mark:
    """Whether and when an organisation was observed, or why not."""
    when = words.day(readiness.observed_at) if readiness.observed_at else ""
    if readiness.observed == "observed":
        return Mark(symbol="✓", label="Observed", tone="good", detail=when)
    if readiness.observed == "partial":
        return Mark(symbol="?", label="Observed in part", tone="unknown", detail=when)
    label = "Not observed" if readiness.observed == "not_observed" else "Never probed"
    return Mark(symbol="·", label=label, tone="unknown", detail=context.why_unseen(readiness.org))


def stage_mark(readiness: OrgReadiness, target: Gate) -> Mark:
    """The stage reached: a tick at the target gate, a question mark where unknowns decide, else an open circle."""
    label = words.GATE[readiness.stage] if readiness.stage else NO_STAGE
    if readiness.stage is not None and readiness.stage.rank >= target.rank:
        return Mark(symbol="✓", label=label, tone="good")
    if readiness.stage != readiness.stage_if_unknowns_hold:
        return Mark(symbol="?", label=label, tone="unknown")
    return Mark(symbol="○", label=label, tone="neutral")


def if_unknowns_hold(readiness: OrgReadiness) -> str:
    """The stage if what is undecided turns out well; empty when that changes nothing."""
    if readiness.stage == readiness.stage_if_unknowns_hold or readiness.stage_if_unknowns_hold is None:
        return ""
    return f"{words.GATE[readiness.stage_if_unknowns_hold]} if what is undecided holds"
