"""What moved between two assessments, and how the score burned down over several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.base import RuleOutcome
from interlock.model.content import told_changes
from interlock.model.diff import (
    AssessmentDiff,
    BurnDown,
    BurnDownPoint,
    ChangeKind,
    FindingChange,
    ForecastMove,
    StageMove,
    VerdictChange,
)
from interlock.model.finding import OPEN, UNDECIDED, statement
from interlock.model.forecast import Quantiles
from interlock.model.plan import PlanTask
from interlock.plan.causes import causes
from interlock.plan.told_apart import Causes, answer_moves, content_moves, observation_moves

#: Reasons given for one date that moved.
BECAUSE_LIMIT = 3


def compare(before: Assessment, after: Assessment, earlier: Iterable[Assessment] = ()) -> AssessmentDiff:
    """What moved from one assessment to a later one (:class:`AssessmentDiff` says how each list is meant).

    :param earlier: assessments from before ``before``; a gap that was open in one of them has been opened again.
    """
    changes = _changes(before, after)
    known = {f.key for assessment in earlier for f in assessment.findings if f.outcome is RuleOutcome.GAP}
    opened = [change for change in changes if change.before is not RuleOutcome.GAP and change.after is RuleOutcome.GAP]
    gaps = [change for change in changes if change.before is RuleOutcome.GAP]
    unsure = [change for change in changes if change.before in UNDECIDED]
    verdicts = before.verdict.value, after.verdict.value
    old, new = {o.id for o in before.organizations}, {o.id for o in after.organizations}
    return AssessmentDiff(
        opened=tuple(change for change in opened if change.key not in known),
        reopened=tuple(change for change in opened if change.key in known),
        closed=tuple(change for change in gaps if change.after in {RuleOutcome.MET, RuleOutcome.NOT_APPLICABLE}),
        still_open=tuple(change.key for change in gaps if change.after is RuleOutcome.GAP),
        decided=tuple(change for change in unsure if change.after and change.after not in UNDECIDED),
        no_longer_decided=tuple(
            change
            for change in changes
            if change.before and change.before not in UNDECIDED and change.after in UNDECIDED
        ),
        gone=tuple(change for change in changes if change.before in OPEN and change.after is None),
        stages=_stages(before, after),
        organizations_added=tuple(sorted(new - old)),
        organizations_removed=tuple(sorted(old - new)),
        verdict=VerdictChange(before=verdicts[0], after=verdicts[1]) if verdicts[0] is not verdicts[1] else None,
        forecasts=_forecasts(before, after),
        answers=answer_moves(before, after),
        observations=observation_moves(before, after),
        rules=tuple(content_moves(before, after)),
        not_comparable=_cautions(before, after),
    )


def _changes(before: Assessment, after: Assessment) -> list[FindingChange]:
    """Findings of both assessments side by side, sorted by key."""
    rules = before.rules | after.rules
    old, new = ({finding.key: finding for finding in assessment.findings} for assessment in (before, after))
    owed_to = Causes(before, after)

    def owed(key: str) -> tuple[ChangeKind, ...]:
        both = [side[key] for side in (old, new) if key in side]
        return owed_to.of(*both) if len(both) < 2 or both[0].outcome is not both[1].outcome else ()

    return [
        FindingChange(
            key=key,
            title=rules[finding.rule].title if finding.rule in rules else finding.rule,
            before=old[key].outcome if key in old else None,
            after=new[key].outcome if key in new else None,
            message=statement(finding),
            causes=owed(key),
        )
        for key, finding in sorted((old | new).items())
    ]


def _stages(before: Assessment, after: Assessment) -> tuple[StageMove, ...]:
    old = {readiness.org: readiness.stage for readiness in before.readiness}
    moves = [
        StageMove(org=readiness.org, before=old[readiness.org], after=readiness.stage)
        for readiness in after.readiness
        if readiness.org in old and old[readiness.org] is not readiness.stage
    ]
    return tuple(sorted(moves, key=lambda move: move.org))


def _forecasts(before: Assessment, after: Assessment) -> tuple[ForecastMove, ...]:
    """Forecasts whose P80 date or days moved: the plan's first, then organisations that are in both."""
    old = {forecast.org: forecast.finish for forecast in before.plan.orgs}
    pairs: list[tuple[str | None, Quantiles, Quantiles]] = [(None, before.plan.finish, after.plan.finish)]
    later = sorted(after.plan.orgs, key=lambda forecast: forecast.org)
    pairs += [(forecast.org, old[forecast.org], forecast.finish) for forecast in later if forecast.org in old]
    return tuple(
        ForecastMove(
            org=org,
            before_days=first.p80_days,
            after_days=then.p80_days,
            before_date=first.p80_date,
            after_date=then.p80_date,
            calendar_days=(date.fromisoformat(then.p80_date) - date.fromisoformat(first.p80_date)).days,
            firm=before.plan.ground.firm and after.plan.ground.firm,
            before_range=first.span,
            after_range=then.span,
            causes=tuple(causes(before, after, org)),
            because=_because(before, after, org),
        )
        for org, first, then in pairs
        if (first.p80_days, first.p80_date) != (then.p80_days, then.p80_date)
    )


def _because(before: Assessment, after: Assessment, org: str | None) -> tuple[str, ...]:
    """What changed among the tasks that decide this finish: gone, new, or of another length."""
    old, new = _deciding(before, org), _deciding(after, org)
    every = {task.id for task in before.plan.tasks}, {task.id for task in after.plan.tasks}
    said = [
        (task.criticality, key, f"{key} is done with: {task.title}.")
        for key, task in old.items()
        if key not in every[1]
    ]
    for key, task in new.items():
        if key not in every[0]:
            said.append((task.criticality, key, f"{key} is new: {task.title}."))
        elif key in old and abs(_length(task) - _length(old[key])) >= 0.5:
            change = f"{words.number(_length(old[key]))} to {words.number(_length(task))} working days"
            said.append((task.criticality, key, f"{key} takes {change} at the median: {task.title}."))
    said.sort(key=lambda entry: (-entry[0], entry[1]))
    sentences = [sentence for _, _, sentence in said[:BECAUSE_LIMIT]]
    if before.plan.start != after.plan.start:
        sentences.insert(
            0, f"Counting starts on {words.iso_day(after.plan.start)} instead of {words.iso_day(before.plan.start)}."
        )
    return tuple(sentences)


def _deciding(assessment: Assessment, org: str | None) -> dict[str, PlanTask]:
    """Tasks that are critical in at least one run in twenty: an organisation's own and the product's, or all."""
    tasks = (task for task in assessment.plan.tasks if org is None or task.org in {org, None})
    return {task.id: task for task in tasks if task.criticality >= 0.05}


def _length(task: PlanTask) -> float:
    return task.finish_p50 - task.start_p50


def burn_down(series: Sequence[tuple[str, Assessment]]) -> BurnDown:
    """The intervals of several assessments in the order given, each with its name."""
    names = {org.id: org.name for _, assessment in series for org in assessment.organizations}
    points = tuple(
        BurnDownPoint(
            name=name,
            date=assessment.as_of or assessment.plan.start,
            product=assessment.product_score.interval,
            orgs={readiness.org: readiness.score.interval for readiness in assessment.readiness},
            open=sum(finding.outcome is RuleOutcome.GAP for finding in assessment.findings),
            undecided=sum(finding.outcome in UNDECIDED for finding in assessment.findings),
            finish=assessment.plan.finish if assessment.plan.left and assessment.plan.orgs else None,
            firm=assessment.plan.ground.firm,
        )
        for name, assessment in series
    )
    return BurnDown(points=points, names=names)


def _cautions(before: Assessment, after: Assessment) -> tuple[str, ...]:
    cautions = []
    if before.ruleset != after.ruleset:
        cautions.append(f"The ruleset changed from {before.ruleset} to {after.ruleset}.")
    if before.content_changes != after.content_changes:
        told = [told_changes(assessment.content_changes) or "none." for assessment in (before, after)]
        cautions.append(f"The workspace's own content changed: before, {told[0]} Now: {told[1]}")
    if before.target_gate is not after.target_gate:
        cautions.append(
            f"The target moved from the {words.gate(before.target_gate)} to the {words.gate(after.target_gate)}, "
            "so dates and caps do not compare."
        )
    if before.plan.seed != after.plan.seed or before.plan.runs != after.plan.runs:
        cautions.append("The plans were simulated with another seed or number of runs: small moves may be luck.")
    if before.plan.start != after.plan.start:
        cautions.append(
            f"The plans start on different days ({words.iso_day(before.plan.start)} and "
            f"{words.iso_day(after.plan.start)}): compare the dates."
        )
    return tuple(cautions)
