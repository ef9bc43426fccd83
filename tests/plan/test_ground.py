"""What may be promised of a plan: no date without an organisation, a range without ground, two dates with it."""

from __future__ import annotations

import pytest

from interlock.model.base import Gate, Grade, Owner, Recommendation, VerdictValue
from interlock.model.forecast import OrgForecast, Quantiles, SpreadPart
from interlock.model.organization import Organization
from interlock.model.plan import Plan, PlanTask, UnknownThing
from interlock.model.readiness import Interval, OrgReadiness, Score, Verdict
from interlock.model.routine import TaskStatus
from interlock.plan.ground import ground, supposed
from interlock.plan.outlook import with_outlook

ALDER = Organization(id="alder", name="Alder Clinic", vendor="epic")
FINISH = Quantiles(
    p10_days=10, p50_days=20, p80_days=30, p90_days=40,
    p10_date="2027-01-15", p50_date="2027-02-01", p80_date="2027-03-01", p90_date="2027-04-01",
)  # fmt: skip
SOONER = FINISH.model_copy(update={"p10_date": "2027-01-04", "p80_date": "2027-01-15", "p90_date": "2027-02-02"})
LATER = FINISH.model_copy(update={"p10_date": "2027-05-05", "p80_date": "2027-06-20", "p90_date": "2027-08-08"})


def plan(**changes: object) -> Plan:
    task = PlanTask(
        id="AA-001", title="A", kind="gap", org=None, owner=Owner.US, gate=Gate.PILOT, wave=0, after=(),
        effort=None, lead_time=None, start_p50=0, finish_p50=1, criticality=1,
    )  # fmt: skip
    made = Plan(
        start="2027-01-01", seed=1, runs=100, target_gate=Gate.PILOT, finish=FINISH, most_likely_days=9,
        probability_of_most_likely=0.1, tasks=(task,), first=(),
        spread=tuple(SpreadPart(cause=c, grade="judgement", share=n) for c, n in (("org", 0.7), ("unknowns", 0.3))),
        orgs=(OrgForecast(org="alder", finish=FINISH, most_likely_days=9, probability_of_most_likely=0.1),),
        if_no_gaps=SOONER, if_all_gaps=LATER,
    )  # fmt: skip
    return made.model_copy(update=changes)


def verdict(value: VerdictValue = VerdictValue.INTEGRATE, latest: VerdictValue | None = None) -> Verdict:
    return Verdict(
        value=value, latest=latest or value, headline="", reasons=(), next_step="", next_step_owner=Owner.US,
        counterfactual="",
    )  # fmt: skip


def at_alder(observed: str = "observed") -> tuple[OrgReadiness, ...]:
    score = Score(
        interval=Interval(low=1, high=2),
        uncapped=Interval(low=1, high=2),
        completeness=1,
        confidence=1,
        not_applicable=0,
    )
    return (
        OrgReadiness(
            org="alder", observed=observed, score=score, stage=None, stage_if_unknowns_hold=None, gates=(),
            verdict=VerdictValue.INTEGRATE, latest_verdict=VerdictValue.INTEGRATE,
            recommendation=Recommendation.START, because="",
        ),
    )  # fmt: skip


def test_with_ground_there_are_two_dates_and_the_decision_is_the_readers() -> None:
    said = ground(plan(), verdict(), at_alder(), (ALDER,))
    assert said.firm and said.dated and not said.because
    assert "by 1 Feb 2027 (P50), a target, four of five by 1 Mar 2027 (P80)" in said.said[0]
    assert "Which date to commit to is your own decision." in said.said[0]


@pytest.mark.parametrize(
    ("verdict", "observed", "lacks"),
    [
        (verdict(), "never_probed", "never observed"),
        (verdict(), "not_observed", "never observed"),
        (verdict(), "partial", "observed only in part"),
        (verdict(VerdictValue.MAP_AUTH, VerdictValue.INTEGRATE), "observed", "the verdict is not decided"),
        (verdict(VerdictValue.PRODUCT_FIRST), "observed", "the verdict is “product first”"),
    ],
)
def test_without_ground_there_is_a_range_and_what_it_lacks(verdict: Verdict, observed: str, lacks: str) -> None:
    unknown = UnknownThing(
        key="AA-002@alder", title="Find out whether this holds: No clock", owner=Owner.US, action="", person_days=1,
        score_points=1, p80_days=12, because="",
    )  # fmt: skip
    said = ground(plan(unknowns=(unknown,)), verdict, at_alder(observed), (ALDER,))
    assert said.dated and not said.firm and lacks in said.because[0] and lacks in said.said[0]
    prose = " ".join(said.said)
    assert "15 Jan 2027 to 1 Apr 2027" in prose
    assert prose.index("A gap is a requirement that is known not to be met.") < prose.index("turns out to be a gap")
    assert "four of five runs end by 15 Jan 2027; if everything does, by 20 Jun 2027" in prose
    assert "Half of the runs end by 1 Feb 2027, four of five by 1 Mar 2027." in prose
    assert "eight of ten end in that time, one in ten before it and one in ten after" in prose
    assert "P80" not in said.said[0] and "P50" not in said.said[0]
    assert "70% of the range's width is judgement of how long things take, not measured" in prose
    assert "AA-002@alder narrows it most" in prose and "“No clock”" in prose and "12 working days" in prose
    for word in ("commit", "certain", "target"):
        assert word not in prose


def test_a_what_if_says_no_more_than_either_side_has_ground_for() -> None:
    firm = ground(plan(), verdict(), at_alder(), (ALDER,))
    ranged = ground(plan(), verdict(VerdictValue.PRODUCT_FIRST), at_alder(), (ALDER,))
    nothing = ground(plan(orgs=()), verdict(), (), ())
    assert supposed(firm, firm).firm and "your own decision" in supposed(firm, firm).said[0]
    for pair in ((firm, ranged), (ranged, firm), (ranged, ranged)):
        said = supposed(*pair)
        assert not said.firm and said.dated
        assert said.said == ("These are ranges and no dates to promise, because the verdict is “product first”.",)
    assert supposed(nothing, nothing).said == nothing.said and not supposed(nothing, nothing).dated


def test_without_an_organisation_there_is_no_date() -> None:
    said = ground(plan(orgs=()), verdict(), (), ())
    assert not said.dated and not said.firm
    assert said.said == ("There is no date yet: add the first organisation (interlock org add).",)


def test_when_nothing_is_left_there_is_no_date_either() -> None:
    said = ground(plan(tasks=()), verdict(), at_alder(), (ALDER,))
    assert not said.dated and said.said == ("Nothing is left to do before the pilot gate, as far as is known.",)


def test_judgement_is_said_with_what_would_change_it() -> None:
    rests = ground(plan(), verdict(), at_alder(), (ALDER,)).rests
    assert "all of it our judgement" in rests and "70% is how long routine tasks of organisations take" in rests
    assert "30% is whether what is unknown is a gap" in rests and "--from-history" in rests
    assert ground(plan(spread=()), verdict(), at_alder(), (ALDER,)).rests == ""
    parts = (*plan().spread[:1], SpreadPart(cause="vendor", grade=Grade.VENDOR, share=0.3))
    rests = ground(plan(spread=parts), verdict(), at_alder(), (ALDER,)).rests
    assert "take (judgement)" in rests and "take (vendor documentation)" in rests and "all of it" not in rests


def test_where_the_unknown_makes_little_of_the_width_finding_out_is_not_told_as_what_narrows_it() -> None:
    unknown = UnknownThing(
        key="AA-002@alder", title="Find out whether this holds: No clock", owner=Owner.US, action="", person_days=1,
        score_points=1, p80_days=12, because="",
    )  # fmt: skip
    parts = tuple(SpreadPart(cause=c, grade="judgement", share=n) for c, n in (("org", 0.97), ("unknowns", 0.03)))
    said = ground(plan(unknowns=(unknown,), spread=parts), verdict(), at_alder("never_probed"), (ALDER,))
    prose = " ".join(said.said)
    assert "What is unknown makes 3% of the range's width, so finding out narrows it little." in prose
    assert "narrows it most" not in prose


@pytest.mark.parametrize(
    ("progress", "said"),
    [
        (TaskStatus(status="not_begun"), "Next: Pass the board."),
        (TaskStatus(status="begun", begun="2026-12-01", by="Ada"), "Next: see through: pass the board."),
    ],
)
def test_a_line_of_the_head_says_what_is_met_and_whether_the_next_thing_is_under_way(
    progress: TaskStatus, said: str
) -> None:
    made = plan()
    task = made.tasks[0].model_copy(
        update={"title": "Pass the board", "org": "alder", "kind": "routine", "progress": progress}
    )
    dated = made.model_copy(update={"tasks": (task,), "ground": ground(made, verdict(), at_alder(), (ALDER,))})
    for stage, met in ((None, "requirements of the design gate open"), (Gate.PILOT, "met up to the pilot gate")):
        readiness = tuple(own.model_copy(update={"stage": stage}) for own in at_alder())
        line = with_outlook(dated, readiness, (ALDER,), ()).outlook[0].said
        assert said in line and met in line
