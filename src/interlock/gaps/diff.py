"""Comparing two assessments."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from interlock.gaps.subjects import UNDECIDED
from interlock.gaps.wording import gate_words, statement
from interlock.model.assessment import Assessment, Quantiles
from interlock.model.base import RuleOutcome
from interlock.model.diff import AssessmentDiff, FindingChange, ForecastMove, StageMove, VerdictChange
from interlock.model.finding import Finding


def compare(before: Assessment, after: Assessment) -> AssessmentDiff:
    """What moved from one assessment to a later one (:class:`AssessmentDiff` says how each list is meant)."""
    pairs = _Pairs(before, after)
    old, new = {o.id for o in before.organizations}, {o.id for o in after.organizations}
    return AssessmentDiff(
        opened=pairs.where(lambda a, b: a is not RuleOutcome.GAP and b is RuleOutcome.GAP),
        closed=pairs.where(lambda a, b: a is RuleOutcome.GAP and b in {RuleOutcome.MET, RuleOutcome.NOT_APPLICABLE}),
        still_open=tuple(
            change.key for change in pairs.where(lambda a, b: a is RuleOutcome.GAP and b is RuleOutcome.GAP)
        ),
        decided=pairs.where(lambda a, b: a in UNDECIDED and b is not None and b not in UNDECIDED),
        no_longer_decided=pairs.where(lambda a, b: a is not None and a not in UNDECIDED and b in UNDECIDED),
        gone=pairs.where(lambda a, b: (a is RuleOutcome.GAP or a in UNDECIDED) and b is None),
        stages=_stages(before, after),
        organizations_added=tuple(sorted(new - old)),
        organizations_removed=tuple(sorted(old - new)),
        verdict=_verdict(before, after),
        forecasts=_forecasts(before, after),
        not_comparable=_cautions(before, after),
    )


class _Pairs:
    """Findings of both assessments side by side, sorted by key."""

    def __init__(self, before: Assessment, after: Assessment) -> None:
        self._before = {finding.key: finding for finding in before.findings}
        self._after = {finding.key: finding for finding in after.findings}
        self._rules = {**before.rules, **after.rules}
        self._keys = sorted(self._before.keys() | self._after.keys())

    def where(self, wanted: Callable[[RuleOutcome | None, RuleOutcome | None], bool]) -> tuple[FindingChange, ...]:
        """The findings whose outcomes before and after ``wanted`` accepts."""
        changes = []
        for key in self._keys:
            first, then = self._before.get(key), self._after.get(key)
            outcomes = (first.outcome if first else None, then.outcome if then else None)
            finding = then or first
            if finding and wanted(*outcomes):
                changes.append(self._change(finding, *outcomes))
        return tuple(changes)

    def _change(self, finding: Finding, before: RuleOutcome | None, after: RuleOutcome | None) -> FindingChange:
        rule = self._rules.get(finding.rule)
        return FindingChange(
            key=finding.key,
            title=rule.title if rule else finding.rule,
            before=before,
            after=after,
            message=statement(finding),
        )


def _stages(before: Assessment, after: Assessment) -> tuple[StageMove, ...]:
    old = {standing.org: standing.stage for standing in before.standings}
    moves = [
        StageMove(org=standing.org, before=old[standing.org], after=standing.stage)
        for standing in after.standings
        if standing.org in old and old[standing.org] is not standing.stage
    ]
    return tuple(sorted(moves, key=lambda move: move.org))


def _verdict(before: Assessment, after: Assessment) -> VerdictChange | None:
    old, new = before.verdict.value, after.verdict.value
    return VerdictChange(before=old, after=new) if old is not new else None


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
        )
        for org, first, then in pairs
        if (first.p80_days, first.p80_date) != (then.p80_days, then.p80_date)
    )


def _cautions(before: Assessment, after: Assessment) -> tuple[str, ...]:
    cautions = []
    if before.ruleset != after.ruleset:
        cautions.append(f"The ruleset changed from {before.ruleset} to {after.ruleset}.")
    if before.target_gate is not after.target_gate:
        cautions.append(
            f"The target moved from the {gate_words(before.target_gate)} to the {gate_words(after.target_gate)}, "
            "so dates and caps do not compare."
        )
    if before.plan.seed != after.plan.seed or before.plan.runs != after.plan.runs:
        cautions.append("The plans were simulated with another seed or number of runs: small moves may be luck.")
    if before.plan.start != after.plan.start:
        cautions.append(
            f"The plans start on different days ({before.plan.start} and {after.plan.start}): compare the dates."
        )
    return tuple(cautions)
