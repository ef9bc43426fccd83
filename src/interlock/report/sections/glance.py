"""Organisations at a glance: one row each, never averaged."""

from __future__ import annotations

from collections import Counter

from interlock.model import words
from interlock.model.base import Gate, RuleOutcome
from interlock.model.language import _
from interlock.model.readiness import GateState, OrgReadiness, Score
from interlock.model.words import Word
from interlock.report import safe
from interlock.report.charts import score_bar
from interlock.report.elements import Link, Mark, Pair, Shown, Tone
from interlock.report.sections.context import Context, Section
from interlock.report.sections.coverage import PRODUCT, about


def build_glance(context: Context) -> Shown:
    """The overview table, and how many organisations stand at each stage."""
    assessment = context.assessment
    reached = Counter(readiness.stage for readiness in assessment.readiness)
    stages = (*reversed(Gate), None)
    product = {
        "link": about(context, PRODUCT),
        "vendor": "",
        "environment": "",
        "observed": Mark(symbol="", label="", tone="neutral"),
        "if_unknowns_hold": "",
        "score": words.interval(assessment.product_score.interval.low, assessment.product_score.interval.high),
        "bar": bar(assessment.product_score, _("Product")),
        "recommendation": words.verdict(assessment.verdict.value, assessment.verdict.latest),
    }
    return {
        "stages": tuple(Pair(term=words.capital(words.stage(stage)), value=str(reached[stage])) for stage in stages),
        "product": product,
        "gates": tuple({"title": words.GATE[gate].title, "target": gate is assessment.target_gate} for gate in Gate),
        "rows": tuple(_row(context, readiness) for readiness in assessment.readiness),
    }


def _row(context: Context, readiness: OrgReadiness) -> Shown:
    organization = context.organizations.get(readiness.org)
    name = context.organization_name(readiness.org)
    return {
        "link": context.organization_link(readiness.org),
        "vendor": words.capital(words.vendor(organization.vendor)) if organization else "",
        "environment": words.capital(organization.environment) if organization else "",
        "observed": observed_mark(context, readiness),
        "if_unknowns_hold": if_unknowns_hold(readiness),
        "score": words.interval(readiness.score.interval.low, readiness.score.interval.high),
        "bar": bar(readiness.score, name),
        "recommendation": words.RECOMMENDATION[readiness.recommendation].title,
        "gates": tuple(map(gate_mark, readiness.gates)),
        "because": "" if context.brief else _because(readiness),
        "why": Link(
            label=_("details"), anchor=context.leads("organizations", f"{safe.anchor('org', readiness.org)}-gates")
        ),
    }


def _because(readiness: OrgReadiness) -> str:
    """Why this is recommended, and what the next gate still wants."""
    reasons = [safe.text(words.capital(readiness.because), 300), safe.text(readiness.held, 300)]
    return ". ".join(filter(None, reasons)) + "."


def bar(score: Score, name: str) -> str:
    """A score interval as a picture."""
    return score_bar(
        score.interval,
        _(
            "%(name)s: score %(interval)s of 100",
            name=name,
            interval=words.interval(score.interval.low, score.interval.high),
        ),
    )


def observed_mark(context: Context, readiness: OrgReadiness) -> Mark:
    """Whether and when an organisation was observed, or why not."""
    unseen = context.unseen(readiness.org)
    detail = context.why_unseen(readiness.org) if unseen else safe.day(readiness.observed_at)
    tone: Tone = "good" if readiness.observed == "observed" else "unknown"
    return Mark.of(words.OBSERVED[readiness.observed], tone, detail)


def stage_mark(readiness: OrgReadiness, target: Gate) -> Mark:
    """The stage reached: a tick at the target gate, a question mark where unknowns decide, else an open circle."""
    stage = words.stage(readiness.stage)
    if readiness.stage is not None and readiness.stage.rank >= target.rank:
        return Mark.of(Word(stage, words.RULE[RuleOutcome.MET].glyph), "good")
    if readiness.stage != readiness.stage_if_unknowns_hold:
        return Mark.of(Word(stage, words.RULE[RuleOutcome.UNKNOWN].glyph), "unknown")
    return Mark.of(Word(stage, "○"), "neutral")


def gate_mark(state: GateState) -> Mark:
    """Whether a gate holds, or what is in the way: open before undecided."""
    if state.holds:
        return Mark.of(Word("holds", words.RULE[RuleOutcome.MET].glyph), "good")
    if state.open:
        return Mark.of(Word(state.in_the_way, words.RULE[RuleOutcome.GAP].glyph), "bad")
    return Mark.of(Word(state.in_the_way, words.RULE[RuleOutcome.UNKNOWN].glyph), "unknown")


def if_unknowns_hold(readiness: OrgReadiness) -> str:
    """The stage if what is undecided turns out well; empty when that changes nothing."""
    if readiness.stage == readiness.stage_if_unknowns_hold or readiness.stage_if_unknowns_hold is None:
        return ""
    return _("%(gate)s if what is undecided holds", gate=words.GATE[readiness.stage_if_unknowns_hold].title)


SECTION = Section("glance", "Organisations at a glance", build_glance)
