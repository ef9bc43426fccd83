"""Organisations at a glance: one row each, never averaged."""

from __future__ import annotations

from interlock.model.assessment import OrgStanding, Score
from interlock.model.base import Gate
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
    for standing in assessment.standings:
        if standing.stage is None:
            none += 1
        else:
            reached[standing.stage] += 1
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
        rows=tuple(_row(context, standing) for standing in assessment.standings),
    )


def _row(context: Context, standing: OrgStanding) -> GlanceRow:
    organization = context.organizations.get(standing.org)
    name = context.organization_name(standing.org)
    return GlanceRow(
        link=context.organization_link(standing.org),
        vendor=words.vendor(organization.vendor) if organization else "",
        environment=ENVIRONMENT.get(organization.environment, "") if organization else "",
        observed=observed_mark(context, standing),
        stage=stage_mark(standing, context.assessment.target_gate),
        if_unknowns_hold=if_unknowns_hold(standing),
        score=words.interval(standing.score.interval),
        bar=bar(standing.score, name),
        verdict=words.own_verdict(standing),
    )


ENVIRONMENT = {"sandbox": "Sandbox", "non-production": "Non-production", "production": "Production"}


def bar(score: Score, name: str) -> str:
    """A score interval as a picture."""
    return score_bar(score.interval, f"{name}: score {words.interval(score.interval)} of 100")


def observed_mark(context: Context, standing: OrgStanding) -> Mark:
    """Whether and when an organisation was observed, or why not."""
    when = words.day(standing.observed_at) if standing.observed_at else ""
    if standing.observed == "observed":
        return Mark(symbol="✓", label="Observed", tone="good", detail=when)
    if standing.observed == "partial":
        return Mark(symbol="?", label="Observed in part", tone="unknown", detail=when)
    label = "Not observed" if standing.observed == "not_observed" else "Never probed"
    return Mark(symbol="·", label=label, tone="unknown", detail=context.why_unseen(standing.org))


def stage_mark(standing: OrgStanding, target: Gate) -> Mark:
    """The stage reached: a tick at the target gate, a question mark where unknowns decide, else an open circle."""
    label = words.GATE[standing.stage] if standing.stage else NO_STAGE
    if standing.stage is not None and standing.stage.rank >= target.rank:
        return Mark(symbol="✓", label=label, tone="good")
    if standing.stage != standing.stage_if_unknowns_hold:
        return Mark(symbol="?", label=label, tone="unknown")
    return Mark(symbol="○", label=label, tone="neutral")


def if_unknowns_hold(standing: OrgStanding) -> str:
    """The stage if what is undecided turns out well; empty when that changes nothing."""
    if standing.stage == standing.stage_if_unknowns_hold or standing.stage_if_unknowns_hold is None:
        return ""
    return f"{words.GATE[standing.stage_if_unknowns_hold]} if what is undecided holds"
