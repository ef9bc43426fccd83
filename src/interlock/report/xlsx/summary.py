"""Rows of the first sheet: the verdict and how sure it is, the organisations at a glance, and what to do first."""

from __future__ import annotations

from collections.abc import Iterator

from interlock.model import words
from interlock.model.base import RuleOutcome
from interlock.model.content import first_changes, ruleset_words, told_changes
from interlock.model.forecast import Quantiles
from interlock.model.language import _
from interlock.model.plan import finding_of
from interlock.model.readiness import OrgReadiness
from interlock.report import estimates, safe
from interlock.report.sections.context import UNDECIDED
from interlock.report.sections.coverage import NOT_OBSERVED_MEANS, not_seen
from interlock.report.sections.first import first_steps
from interlock.report.sections.glance import observed_mark
from interlock.report.sections.summary import build_summary
from interlock.report.xlsx.book import Row, Value, day, lines, moment, sheet_title, whole
from interlock.report.xlsx.rows import Content


def facts(content: Content, version: str) -> Iterator[Row]:
    """Term, value and what it means."""
    assessment, summary = content.assessment, build_summary(content.context)
    plan, score, totals = assessment.plan, assessment.product_score, assessment.totals
    gate, finish = words.GATE[assessment.target_gate], plan.finish
    changes = assessment.content_changes
    ruleset = whole(ruleset_words(assessment.ruleset, assessment.shipped_ruleset, changes))
    to = assessment.recipient
    yield _("For"), words.report_for(content.context.organization_name(to) if to else None), None
    yield (
        _("Assessed on"),
        day(assessment.as_of),
        _("Interlock %(version)s, ruleset %(ruleset)s", version=version, ruleset=ruleset),
    )
    if changes:
        told = first_changes(changes, 20, "report.json")
        yield _("Changes of this workspace"), len(changes), lines(told_changes(changes), *told)
    others = [f"{change['term']}: {change['value']}" for change in summary["changes"]]
    capped = lines(_("Points of 100: what is verified so far."), *summary["caps"])
    best = _("Points of 100: the best case, once everything undecided has turned out well.")
    undecided = sum(totals.findings.get(outcome, 0) for outcome in UNDECIDED)
    want = _see(content, _("For want of an answer or an observation"), "Questions open")
    yield from (
        (_("Verdict"), summary["verdict"], lines(summary["headline"], summary["organizations"], *summary["lead"])),
        (_("How sure"), _("Settled") if assessment.verdict.settled else _("Not decided"), lines(*summary["sure"])),
        (_("Next step"), summary["next_owner"], summary["next_step"]),
        (_("What would change the verdict"), None, lines(summary["counterfactual"], *others)),
        (_("Target gate"), gate.title, _("The gate that the plan leads to")),
        (_("Product’s own score, verified so far"), score.interval.low, capped),
        (_("Product’s own score, at best"), score.interval.high, best),
        (_("Organisations"), totals.organizations, _("Organisations are counted by stage and never averaged.")),
        (_("Organisations observed"), totals.observed, _("in full or in part, by looking at their own endpoints")),
        (_("Findings open"), totals.findings.get(RuleOutcome.GAP, 0), _see(content, _("Gaps"), "Gaps")),
        (_("Findings undecided"), undecided, want),
        (
            _("Questions answered"),
            totals.answered,
            _("of %(questions)s that apply", questions=words.count(totals.questions, "question")),
        ),
    )
    unseen = not_seen(content.context)
    for organization in unseen:
        why = words.capital(words.sentence(organization["why"]))
        yield organization["link"].label, words.capital(organization["state"]), why
    if unseen:
        yield _("Not observed"), None, _(NOT_OBSERVED_MEANS)
    if not plan.left:
        yield _("Plan"), None, words.nothing_left(plan.target_gate)
        return
    yield _("Plan starts on"), day(plan.start), _see(content, words.count(len(plan.left), "task"), "Plan")
    said = lines(*plan.ground.said[1:])
    if not plan.ground.firm:
        yield (
            _("All pass the %(gate)s gate", gate=gate.phrase),
            finish.span if plan.ground.dated else _("no date"),
            lines(*plan.ground.said[:1], said),
        )
        return
    for level, ends, days, says in (
        (_("P50, target"), finish.p50_date, finish.p50_days, _("Half")),
        ("P80", finish.p80_date, finish.p80_days, _("Four fifths")),
        ("P90", finish.p90_date, finish.p90_days, _("Nine tenths")),
    ):
        passed = _("%(says)s of the simulated runs: %(days)s from the start.", says=says, days=estimates.days(days))
        yield _("All pass the %(gate)s gate, %(level)s", gate=gate.phrase, level=level), day(ends), passed


def _see(content: Content, text: str, name: str) -> str:
    return (
        _("%(text)s: see the sheet %(name)s.", text=text, name=sheet_title(name))
        if name in content.names
        else f"{text}."
    )


def shares(content: Content) -> list[Row]:
    """Shares, with what each is a share of."""
    score = content.assessment.product_score
    evidence = _("an answer counts half, a document three quarters, an observation in full")
    judged = _("Share of the range’s width that rests on judgement, with no published source")
    return [
        (_("Complete"), score.completeness, _("Share of the product’s own score that is decided")),
        (_("Confidence"), score.confidence, _("Strength of the evidence: %(evidence)s", evidence=evidence)),
        (_("Judgement in the plan"), content.assessment.plan.judgement_share, judged),
    ]


def organizations(content: Content) -> Iterator[Row]:
    """Where each organisation stands."""
    for readiness in content.assessment.readiness:
        finish = content.forecasts.get(readiness.org) if content.context.tasks else None
        yield (
            content.context.organization_name(readiness.org),
            words.RECOMMENDATION[readiness.recommendation].title,
            _sure(content, readiness),
            words.capital(words.stage(readiness.stage)),
            words.capital(words.stage(readiness.stage_if_unknowns_hold)),
            observed_mark(content.context, readiness).label,
            moment(readiness.observed_at),
            readiness.score.interval.low,
            readiness.score.interval.high,
            readiness.score.completeness,
            readiness.score.confidence,
            *_passed(content, finish),
        )


def _passed(content: Content, finish: Quantiles | None) -> tuple[Value, ...]:
    """P10, P50, P80 and P90 of a finish; P50 and P80 only where single dates have ground."""
    if finish is None or not content.assessment.plan.ground.dated:
        return (None,) * 4
    single = (day(finish.p50_date), day(finish.p80_date)) if content.assessment.plan.ground.firm else (None, None)
    return (day(finish.first_date), *single, day(finish.p90_date))


def _sure(content: Content, readiness: OrgReadiness) -> str:
    undecided = len({key for state in readiness.gates for key in state.undecided})
    said = (
        [words.counted(undecided, "%(number)s requirement undecided.", "%(number)s requirements undecided.")]
        if undecided
        else [_("Every requirement decided.")]
    )
    if readiness.observed == "partial":
        said.append(
            _(
                "%(observed)s; what could not be read counts as not observed.",
                observed=words.OBSERVED[readiness.observed].title,
            )
        )
    elif readiness.observed != "observed":
        said.append(
            _(
                "Not observed: %(why_unseen)s. Rests on answers alone.",
                why_unseen=content.context.why_unseen(readiness.org),
            )
        )
    said += [words.capital(words.sentence(safe.text(cap))) for cap in readiness.score.caps]
    return lines(*said)


def first(content: Content) -> Iterator[Row]:
    """What to do first, best first."""
    for step, first_thing in zip(first_steps(content.context), content.assessment.plan.first, strict=False):
        finding = finding_of(first_thing.key).partition("@")[0]
        name = " ".join(part for part in (safe.text(finding, 80), step["where"]) if part)
        yield (
            f"{step['rank']}. {name}",
            step["owner"],
            lines(step["title"], step["action"], step["because"]),
            first_thing.p80_days_saved,
            first_thing.unlocks,
            first_thing.criticality,
        )
