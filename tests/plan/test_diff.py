"""Comparing two assessments."""

from datetime import date

import pytest
from gaps_factory import (
    ERROR,
    GAP,
    MET,
    NOT_APPLICABLE,
    UNKNOWN,
    assessment,
    effort,
    everywhere,
    org,
    rule,
    rules_of,
)

from interlock.model import words
from interlock.model.base import Gate, Scope, VerdictValue
from interlock.model.diff import AssessmentDiff, StageMove, VerdictChange
from interlock.model.forecast import Ground
from interlock.plan.diff import burn_down, compare

pytestmark = pytest.mark.fast

ALDER, BIRCH = org("alder"), org("birch")
RULES = rules_of(*(rule(f"AA-00{n}", work=effort(n + 1, n + 1, n + 1)) for n in range(6)))


def with_outcomes(outcomes, rules=RULES, orgs=(ALDER,), **more):
    outcomes = {f"{name}@alder": outcome for name, outcome in outcomes.items()}
    findings = [f for f in everywhere(rules, orgs, outcomes) if outcomes.get(f.key) is not None]
    return assessment(findings, rules, orgs, runs=100, **more)


def keys(changes):
    return [change.key for change in changes]


def test_the_same_assessment_has_no_difference():
    same = with_outcomes({"AA-001": GAP, "AA-002": UNKNOWN, "AA-003": MET})
    diff = compare(same, same)
    assert diff.is_empty
    assert diff.still_open == ("AA-001@alder",)


def test_gaps_and_unknowns_that_moved():
    before = with_outcomes(
        {"AA-000": MET, "AA-001": GAP, "AA-002": GAP, "AA-003": UNKNOWN, "AA-004": ERROR, "AA-005": GAP}
    )
    after = with_outcomes(
        {"AA-000": GAP, "AA-001": MET, "AA-002": GAP, "AA-003": GAP, "AA-004": NOT_APPLICABLE, "AA-005": UNKNOWN}
    )
    diff = compare(before, after)
    assert keys(diff.opened) == ["AA-000@alder", "AA-003@alder"]
    assert keys(diff.closed) == ["AA-001@alder"]
    assert diff.still_open == ("AA-002@alder",)
    assert keys(diff.decided) == ["AA-003@alder", "AA-004@alder"]
    assert keys(diff.no_longer_decided) == ["AA-005@alder"]
    assert diff.gone == ()
    assert (diff.closed[0].before, diff.closed[0].after, diff.closed[0].title) == (GAP, MET, "Title of AA-001")
    assert diff.no_longer_decided[0].message.startswith("not decided yet")
    assert not diff.is_empty


def test_what_is_not_there_any_more_is_gone_not_closed():
    before = with_outcomes({"AA-001": GAP, "AA-002": UNKNOWN, "AA-003": MET})
    diff = compare(before, with_outcomes({}))
    assert keys(diff.gone) == ["AA-001@alder", "AA-002@alder"]
    assert diff.closed == ()
    back = compare(with_outcomes({}), before)
    assert keys(back.opened) == ["AA-001@alder"]
    assert (back.opened[0].before, back.opened[0].after) == (None, GAP)


def test_stages_organisations_and_verdict():
    rules = rules_of(rule("AA-001", gate=Gate.PILOT), rule("AA-002", Scope.PRODUCT, verdict=VerdictValue.MAP_AUTH))
    before = assessment(everywhere(rules, (ALDER,)), rules, (ALDER,), runs=50)
    after_findings = everywhere(rules, (ALDER, BIRCH), {"AA-001@alder": MET, "AA-002": MET})
    diff = compare(before, assessment(after_findings, rules, (ALDER, BIRCH), runs=50))
    assert diff.stages == (StageMove(org="alder", before=Gate.DESIGN, after=Gate.PRODUCTION),)
    assert (diff.organizations_added, diff.organizations_removed) == (("birch",), ())
    assert diff.verdict == VerdictChange(before=VerdictValue.MAP_AUTH, after=VerdictValue.INTEGRATE)
    assert compare(before, before).verdict is None


def test_dates_that_moved():
    before, after = with_outcomes({"AA-004": GAP}), with_outcomes({"AA-001": GAP})
    plan, alder = compare(before, after).forecasts
    assert (plan.org, plan.before_days, plan.after_days) == (None, 5.0, 2.0)
    assert (plan.before_date, plan.after_date, plan.calendar_days) == ("2026-01-09", "2026-01-06", -3)
    assert (alder.org, alder.calendar_days) == ("alder", -3)
    assert compare(after, before).forecasts[0].calendar_days == 3


def test_what_cannot_be_compared_is_said():
    ours = with_outcomes({"AA-004": GAP})
    other = with_outcomes({"AA-004": GAP}, target_gate=Gate.SANDBOX, seed=8, start=date(2026, 3, 2))
    other = other.model_copy(update={"ruleset": "core 2"})
    cautions = compare(ours, other).not_comparable
    assert [caution.split()[1] for caution in cautions] == ["ruleset", "target", "plans", "plans"]
    assert compare(ours, ours).not_comparable == ()


def test_a_difference_survives_being_stored():
    diff = compare(with_outcomes({"AA-001": GAP}), with_outcomes({"AA-001": MET, "AA-002": UNKNOWN}))
    assert AssessmentDiff.model_validate_json(diff.model_dump_json()) == diff


def test_a_gap_that_was_closed_and_is_back_was_opened_again():
    first = with_outcomes({"AA-001": GAP, "AA-002": MET})
    second = with_outcomes({"AA-001": MET, "AA-002": MET})
    third = with_outcomes({"AA-001": GAP, "AA-002": GAP})
    diff = compare(second, third, earlier=[first])
    assert (keys(diff.opened), keys(diff.reopened)) == (["AA-002@alder"], ["AA-001@alder"])
    assert keys(compare(second, third).opened) == ["AA-001@alder", "AA-002@alder"]


def test_a_date_that_moved_says_what_of_the_critical_path_changed():
    before = with_outcomes({"AA-001": GAP, "AA-005": GAP})
    after = with_outcomes({"AA-001": GAP, "AA-005": MET})
    (move,) = [forecast for forecast in compare(before, after).forecasts if forecast.org == "alder"]
    assert move.calendar_days < 0
    assert move.because[0].startswith("AA-005@alder is done with")
    (back,) = [forecast for forecast in compare(after, before).forecasts if forecast.org == "alder"]
    assert back.because[0].startswith("AA-005@alder is new")
    assert all(forecast.because for forecast in compare(before, after).forecasts)


def test_the_burn_down_has_a_point_an_assessment_and_no_average():
    first = with_outcomes({"AA-001": GAP, "AA-002": UNKNOWN, "AA-003": UNKNOWN})
    second = with_outcomes({"AA-001": MET, "AA-002": MET, "AA-003": UNKNOWN}, orgs=(ALDER, BIRCH))
    series = burn_down([("start", first), ("now", second)])
    assert [(point.name, point.open, point.undecided) for point in series.points] == [("start", 1, 2), ("now", 0, 1)]
    wide, narrow = (point.orgs["alder"] for point in series.points)
    assert narrow.high - narrow.low < wide.high - wide.low
    assert "birch" not in series.points[0].orgs
    assert series.names["birch"] == BIRCH.name
    assert series.points[0].finish_told == first.plan.finish.span, "without ground it is a range"
    firm = first.model_copy(update={"plan": first.plan.model_copy(update={"ground": Ground(dated=True, firm=True)})})
    nobody = first.model_copy(update={"plan": first.plan.model_copy(update={"orgs": ()})})
    told = [point.finish_told for point in burn_down([("firm", firm), ("nobody", nobody)]).points]
    assert told == [f"P80 {words.iso_day(first.plan.finish.p80_date)}", "no date"]
