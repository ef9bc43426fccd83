"""The plan. The worked example is computed by hand in docs/scheduling.md."""

import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from gaps_factory import (
    GAP,
    MET,
    MONDAY,
    UNKNOWN,
    at_org,
    effort,
    everywhere,
    finding,
    fixed,
    lead,
    org,
    plan_of,
    rule,
    rules_of,
    task,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.model.base import Evidence, Gate, Grade, Owner, Scope
from interlock.model.errors import InterlockError
from interlock.model.evidence import EvidenceTask
from interlock.model.finding import Finding
from interlock.model.plan import PlanTask
from interlock.model.words import FIRST_MEANS
from interlock.plan import schedule
from interlock.plan.capacity import staff
from interlock.plan.evidence import evidence_work
from interlock.plan.graph import build
from interlock.plan.outlook import order
from interlock.plan.sampling import Sampler, pert_mean, sample
from interlock.plan.tasks import collect
from interlock.plan.timing import Timing

pytestmark = pytest.mark.fast

ALDER, BIRCH, CEDAR = org("alder"), org("birch"), org("cedar", "oracle")
DOCUMENT = Path(__file__).parents[2] / "docs" / "scheduling.md"


def worked_example(**more):
    rules = rules_of(
        rule("EX-001", work=effort(1, 2, 5), wait=lead(7, 14, 28, "days")),
        rule("EX-002", work=effort(2, 4, 6), after=["EX-001"]),
        rule("EX-003", work=fixed(3)),
    )
    tasks = [
        task("org.review", lead_time=lead(10, 20, 60)),
        task("us.golive", after=("org.review", "EX-002", "EX-003"), owner=Owner.US, effort=fixed(1)),
    ]
    settings = {"capacity": {"us": 1.0}, "runs": 10_000, "seed": 20260101, **more}
    return plan_of(everywhere(rules, (ALDER,)), rules, (ALDER,), tasks, **settings)


class TestWorkedExample:
    def test_the_most_likely_path_is_what_was_computed_by_hand(self):
        plan = worked_example()
        assert plan.most_likely_days == 21.0
        assert plan.most_likely_date == "2026-02-02"
        assert plan.orgs[0].most_likely_days == 21.0
        assert [planned.id for planned in plan.tasks] == [
            "EX-001@alder", "EX-003@alder", "org.review@alder", "EX-002@alder", "us.golive@alder"
        ]  # fmt: skip
        assert [planned.wave for planned in plan.tasks] == [0, 0, 0, 1, 2]

    def test_the_one_person_starts_with_the_longest_way(self):
        """EX-003 waits for the touch effort of EX-001, 7/3 days on average, and is done while its lead time goes on."""
        waits = {planned.id: planned.queue_days for planned in worked_example(runs=40_000).tasks}
        assert waits["EX-003@alder"] == pytest.approx(7 / 3, abs=0.06)
        assert waits["EX-001@alder"] == 0.0
        assert "2.3 days" in DOCUMENT.read_text(encoding="utf-8")

    def test_the_means_are_what_was_computed_by_hand(self):
        assert pert_mean((1, 2, 5)) + pert_mean((5, 10, 20)) == pytest.approx(79 / 6)
        assert pert_mean((2, 4, 6)) == 4.0
        assert pert_mean((10, 20, 60)) == 25.0

    def test_the_simulated_figures_are_those_of_the_documentation(self):
        plan = worked_example()
        text = DOCUMENT.read_text(encoding="utf-8")
        finish = plan.finish
        assert finish.p50_days < finish.p80_days < finish.p90_days
        assert plan.probability_of_most_likely < 0.4
        for days, day in (
            (finish.p50_days, finish.p50_date),
            (finish.p80_days, finish.p80_date),
            (finish.p90_days, finish.p90_date),
        ):
            assert f"{days:g}" in text
            assert day in text
        assert f"{100 * plan.probability_of_most_likely:.1f} %" in text
        for planned in plan.tasks:
            assert f"{100 * planned.criticality:.1f} %" in text

    def test_a_most_likely_date_is_written_down_too(self):
        sure = worked_example(runs=1)
        assert sure.start == "2026-01-05"
        assert "2026-02-02" in DOCUMENT.read_text(encoding="utf-8")


def test_a_chain_agrees_with_the_closed_form():
    """The mean of a chain is the sum of the means, whatever the correlation."""
    rules = rules_of(
        rule("AA-001", work=effort(1, 2, 9), wait=lead(0, 7, 21, "days")),
        rule("AA-002", work=effort(2, 2, 8), after=["AA-001"]),
        rule("AA-003", work=effort(0.5, 3, 4), wait=lead(1, 5, 30), after=["AA-002"]),
    )
    findings = everywhere(rules, (ALDER,))
    work = collect(build(findings, rules, (ALDER,), Gate.PILOT), rules, (), findings, (ALDER,), Gate.PILOT)
    staffing = staff(work, {})
    durations = sample(work.tasks, Sampler(1, 40_000), staffing.crews, staffing.split)
    finishes = Timing.of(work, staffing, {}, durations).times(durations).finishes.astype(float)
    estimates = [(1, 2, 9), (0, 5, 15), (2, 2, 8), (0.5, 3, 4), (1, 5, 30)]
    expected = sum((a + 4 * m + b) / 6 for a, m, b in estimates)
    assert finishes[-1].mean() == pytest.approx(expected, rel=0.01)


def test_two_parallel_tasks_agree_with_the_closed_form():
    """(0, 0, 10) is 10 × Beta(1, 5): F(x) = 1 - (1 - x/10)^5. At two vendors the tasks are independent: F squared."""
    rules = rules_of(rule("AA-001", work=effort(0, 0, 10)))
    plan = plan_of(everywhere(rules, (ALDER, CEDAR)), rules, (ALDER, CEDAR), runs=100_000)
    for share, got in ((0.5, plan.finish.p50_days), (0.8, plan.finish.p80_days), (0.9, plan.finish.p90_days)):
        assert got == pytest.approx(10 * (1 - (1 - share**0.5) ** 0.2), abs=0.11)
        assert plan.orgs[0].finish.p80_days == pytest.approx(10 * (1 - 0.2**0.2), abs=0.11)


def test_without_variance_every_figure_is_the_longest_path():
    rules = rules_of(
        rule("AA-001", work=fixed(3), wait=lead(4, 4, 4)),
        rule("AA-002", work=fixed(2), after=["AA-001"]),
        rule("AA-003", work=fixed(5)),
    )
    plan = plan_of(everywhere(rules, (ALDER,)), rules, (ALDER,))
    finish = plan.finish
    assert (finish.p50_days, finish.p80_days, finish.p90_days, plan.most_likely_days) == (9.0, 9.0, 9.0, 9.0)
    assert finish.p80_date == "2026-01-15"
    assert plan.probability_of_most_likely == 1.0
    times = {planned.id: (planned.start_p50, planned.finish_p50, planned.criticality) for planned in plan.tasks}
    assert times == {"AA-001@alder": (0, 7, 1.0), "AA-002@alder": (7, 9, 1.0), "AA-003@alder": (0, 5, 0.0)}


def test_nothing_to_do_is_done_on_the_first_working_day():
    plan = plan_of((), {}, (ALDER,), start=date(2026, 1, 10))
    assert plan.start == plan.finish.p90_date == plan.orgs[0].finish.p50_date == "2026-01-12"
    assert (plan.finish.p90_days, plan.most_likely_days, plan.probability_of_most_likely) == (0.0, 0.0, 1.0)
    assert (plan.tasks, plan.first, plan.spread, plan.judgement_share) == ((), (), (), 0.0)
    assert plan.notes == () and plan.first_note.startswith("Nothing is left to do before the production gate")


def test_a_product_alone_can_be_planned():
    rules = rules_of(rule("AA-001", Scope.PRODUCT, work=fixed(4)))
    plan = plan_of(everywhere(rules, ()), rules, (), [task("us.pack", Scope.PRODUCT, effort=fixed(6))])
    assert plan.orgs == ()
    assert plan.finish.p80_days == 6.0
    assert [(thing.key, thing.unlocks) for thing in plan.first] == [("us.pack", 0), ("AA-001", 1)]


def test_an_organisation_with_nothing_open_is_not_held_up_by_others():
    rules = rules_of(rule("AA-001", work=fixed(9)))
    plan = plan_of(everywhere(rules, (ALDER, BIRCH), {"AA-001@birch": MET}), rules, (ALDER, BIRCH))
    assert [forecast.finish.p80_days for forecast in plan.orgs] == [9.0, 0.0]
    assert plan.finish.p80_days == 9.0


def test_criticality_is_that_of_a_tasks_own_finish():
    rules = rules_of(rule("AA-001", work=fixed(2)), rule("AA-002", work=fixed(9)))
    outcomes = {"AA-002@birch": MET}
    plan = plan_of(everywhere(rules, (ALDER, BIRCH), outcomes), rules, (ALDER, BIRCH))
    assert {planned.id: planned.criticality for planned in plan.tasks} == {
        "AA-001@alder": 0.0, "AA-002@alder": 1.0, "AA-001@birch": 1.0
    }  # fmt: skip


def test_a_shared_task_is_measured_against_the_plans_finish():
    rules = rules_of(rule("AA-001", Scope.PRODUCT, work=fixed(3)), rule("AA-002", work=fixed(10)))
    plan = plan_of(everywhere(rules, (ALDER, BIRCH), {"AA-002@birch": MET}), rules, (ALDER, BIRCH))
    assert plan.orgs[1].finish.p80_days == 3.0
    assert {planned.id: planned.criticality for planned in plan.tasks} == {"AA-001": 0.0, "AA-002@alder": 1.0}


def test_more_capacity_of_an_owner_makes_its_work_shorter():
    rules = rules_of(rule("AA-001", work=fixed(60), owner=Owner.VENDOR, wait=lead(1, 1, 1)))
    findings = everywhere(rules, (ALDER,))
    assert plan_of(findings, rules, (ALDER,), capacity={"vendor": 3}).finish.p80_days == 21.0
    assert plan_of(findings, rules, (ALDER,), capacity={"us": 3}).finish.p80_days == 61.0


def test_unknowns_are_work_of_ours_with_a_small_effort():
    rules = rules_of(rule("AA-001", owner=Owner.VENDOR, wait=lead(90, 90, 90)))
    unknown = finding(
        rules["AA-001"], at_org("alder"), UNKNOWN, missing_answers=("auth.jwks",), missing_facts=("smart",)
    )
    plan = plan_of([unknown], rules, (ALDER,))
    asking, gap = plan.tasks
    assert (asking.id, asking.kind, asking.owner) == ("find-out:AA-001@alder", "discovery", Owner.US)
    assert (asking.effort.low, asking.effort.expected, asking.effort.high) == (0.25, 0.5, 2.0)
    assert (asking.lead_time.expected, asking.lead_time.grade) == (3.0, Grade.JUDGEMENT)
    assert (gap.id, gap.kind, gap.owner, gap.after, gap.chance) == (
        "AA-001@alder", "gap", Owner.VENDOR, ("find-out:AA-001@alder",), 0.5
    )  # fmt: skip
    [first] = plan.first
    assert first.action == "Find out first: answer auth.jwks, and probe again, or ask the organisation"
    assert any("1 rule is undecided: 1 to be found out one by one" in note for note in plan.notes)


def test_an_unknown_is_a_gap_with_its_chance_and_dates_never_run_backwards():
    rules = rules_of(rule("AA-001", wait=lead(90, 90, 90), chance=0.25), rule("AA-002", work=fixed(3)))
    findings = [finding(rules["AA-001"], at_org("alder"), UNKNOWN), finding(rules["AA-002"], at_org("alder"), GAP)]
    plan = plan_of(findings, rules, (ALDER,), runs=4_000)
    assert plan.if_no_gaps.p80_days < 25 < 90 < plan.if_all_gaps.p10_days
    assert plan.if_no_gaps.p50_days <= plan.finish.p50_days <= plan.finish.p80_days <= plan.if_all_gaps.p80_days
    assert plan.finish.p50_days < 25 and plan.finish.p80_days > 90, "a quarter of the runs have it"
    assert plan.orgs[0].if_all_gaps == plan.if_all_gaps


@pytest.mark.parametrize(("chance", "none", "every"), [(0.0, True, False), (1.0, False, True)])
def test_a_chance_of_nothing_and_a_certainty(chance, none, every):
    rules = rules_of(rule("AA-001", wait=lead(90, 90, 90), chance=chance))
    plan = plan_of([finding(rules["AA-001"], at_org("alder"), UNKNOWN)], rules, (ALDER,))
    assert (plan.finish == plan.if_no_gaps, plan.finish == plan.if_all_gaps) == (none, every)


def test_all_that_one_probe_settles_is_one_task_of_minutes():
    rules = rules_of(rule("AA-001"), rule("AA-002"), rule("AA-003"))
    findings = [
        finding(rules["AA-001"], at_org("alder"), UNKNOWN, missing_facts=("smart",)),
        finding(rules["AA-002"], at_org("alder"), UNKNOWN, missing_facts=("capability",)),
        finding(rules["AA-003"], at_org("alder"), UNKNOWN, missing_facts=("smart",), missing_answers=("a.b",)),
    ]
    plan = plan_of(findings, rules, (ALDER,), unseen=frozenset({"alder"}))
    asking = {task.id: task for task in plan.tasks if task.kind == "discovery"}
    assert sorted(asking) == ["find-out:AA-003@alder", "probe:alder"]
    assert asking["probe:alder"].effort.high == 0.25
    after = {task.id: task.after for task in plan.tasks if task.kind == "gap"}
    assert after == {
        "AA-001@alder": ("probe:alder",),
        "AA-002@alder": ("probe:alder",),
        "AA-003@alder": ("find-out:AA-003@alder", "probe:alder"),
    }
    probes = [thing for thing in (*plan.first, *plan.apart) if thing.key == "probe:alder"]
    assert [thing.action for thing in probes] == ["Run: interlock probe --org alder"]


class TestSpread:
    def test_independent_work_in_a_row_shares_the_spread_as_its_variances_do(self):
        """Two routine tasks in a row of different parties, one with twice the width: 4 to 1, but for shared luck."""
        tasks = [
            task("us.a", Scope.PRODUCT, owner=Owner.US, effort=effort(0, 20, 40)),
            task("org.b", after=("us.a",), lead_time=lead(0, 10, 20, grade="vendor")),
        ]
        plan = plan_of((), {}, (ALDER,), tasks, runs=20_000)
        assert [(part.cause, part.grade) for part in plan.spread] == [("us", Grade.JUDGEMENT), ("org", Grade.VENDOR)]
        assert [part.share for part in plan.spread] == [pytest.approx(0.8, abs=0.02), pytest.approx(0.2, abs=0.02)]
        assert plan.judgement_share == plan.spread[0].share

    def test_what_is_certain_or_never_decides_brings_nothing(self):
        rules = rules_of(
            rule("AA-001", work=fixed(30), wait=lead(6, 6, 6)),
            rule("AA-002", work=effort(1, 5, 9), after=["AA-001"]),
            rule("AA-003", work=effort(1, 2, 6)),
        )
        plan = plan_of(everywhere(rules, (ALDER,)), rules, (ALDER,))
        assert [(part.cause, part.share) for part in plan.spread] == [("gaps", 1.0)]

    def test_whether_an_unknown_is_a_gap_is_told_apart_from_how_long_known_gaps_take(self):
        rules = rules_of(rule("AA-001", work=fixed(40)), rule("AA-002", after=["AA-001"], work=effort(4, 5, 6)))
        findings = everywhere(rules, (ALDER,), {"AA-001@alder": UNKNOWN})
        plan = plan_of(findings, rules, (ALDER,))
        assert plan.spread[0].cause == "unknowns" and plan.spread[0].share > 0.9
        assert {part.cause for part in plan.spread} <= {"unknowns", "gaps", "discoveries"}


class TestFirst:
    def test_days_off_the_p80_for_each_person_day_come_first(self):
        rules = rules_of(
            rule("AA-001", work=fixed(4)),
            rule("AA-002", work=fixed(6), after=["AA-001"]),
            rule("AA-003", work=fixed(8)),
        )
        plan = plan_of(everywhere(rules, (ALDER,)), rules, (ALDER,))
        # Finish 10. Without AA-001 max(6, 8) = 8: two days for four person-days. Then AA-003 may go: 6, two for eight;
        # AA-002 would save nothing beside it. Then AA-002 may go too: six days for six, and the gate passes.
        assert [(t.key, t.p80_days_saved_per_person_day, t.unlocks, t.criticality) for t in plan.first] == [
            ("AA-001@alder", 0.5, 0, 1.0),
            ("AA-003@alder", 0.25, 0, 0.0),
            ("AA-002@alder", 1.0, 1, 1.0),
        ]
        assert [(t.p80_days_saved, t.together_days, t.together_p80_date) for t in plan.first] == [
            (2.0, 2.0, "2026-01-14"),
            (2.0, 4.0, "2026-01-12"),
            (6.0, 10.0, "2026-01-05"),
        ]
        assert plan.first[0].because == (
            "About 4 person-days of ours. Were it done already, that would save 2 working days. The date of its "
            "organisation waits for it in 100% of runs."
        )
        assert plan.first[0].action == "Do AA-001. Then tell everyone."
        assert "1 to 3 together would take 10 working days off the P80:" in plan.first_note

    def test_what_all_bring_together_is_told_for_each_organisation(self):
        rules = rules_of(rule("AA-001", work=fixed(2)), rule("AA-002", work=fixed(3)))
        findings = (finding(rules["AA-001"], at_org("alder")), finding(rules["AA-002"], at_org("birch")))
        plan = plan_of(findings, rules, (ALDER, BIRCH))
        assert plan.first[-1].together_orgs == {"alder": 2.0, "birch": 3.0}
        own = "bring the organisations' own P80s forward (alder 2 working days and birch 3 working days)"
        assert own in plan.first_note

    def test_what_a_first_thing_waits_for_is_told_by_its_number_and_what_waits_for_nothing_says_so(self):
        slow = [
            task("org.review", lead_time=lead(50, 50, 50)),
            task("org.board", lead_time=lead(20, 20, 20), after=["org.review"]),
            task("org.licence", lead_time=lead(60, 60, 60)),
        ]
        plan = plan_of((), {}, (ALDER,), slow)
        told = {thing.key: thing.action for thing in plan.first}
        assert list(told) == ["org.review@alder", "org.licence@alder", "org.board@alder"]
        assert "it waits for nothing, and" in told["org.licence@alder"], "though it stands below another"
        assert "it waits for nothing but number 1 above, and" in told["org.board@alder"]

    def test_a_small_effort_is_told_as_it_is(self):
        rules = rules_of(rule("AA-001", work=fixed(0.1)))
        thing = plan_of(everywhere(rules, (ALDER,)), rules, (ALDER,)).first[0]
        assert thing.because.startswith("About 0.1 person-days of ours. Were it done already")

    def test_savings_add_up_over_organisations(self):
        rules = rules_of(rule("AA-001", Scope.PRODUCT, work=fixed(2)), rule("AA-002", work=fixed(3), after=["AA-001"]))
        thing = plan_of(everywhere(rules, (ALDER, BIRCH)), rules, (ALDER, BIRCH)).first[0]
        assert (thing.key, thing.p80_days_saved, thing.p80_days_saved_per_person_day) == ("AA-001", 4.0, 2.0)

    def test_one_thing_at_several_organisations_is_one_entry(self):
        rules = rules_of(rule("AA-001", work=fixed(2)))
        orgs = (ALDER, BIRCH, CEDAR)
        [thing] = plan_of(everywhere(rules, orgs), rules, orgs).first
        assert (thing.key, thing.orgs) == ("AA-001", ("alder", "birch", "cedar"))
        assert thing.keys == ("AA-001@alder", "AA-001@birch", "AA-001@cedar")
        assert (thing.p80_days_saved, thing.p80_days_saved_per_person_day) == (6.0, 1.0)
        assert "would save 6 working days" in thing.because and "added up" not in thing.because
        assert "added up over the organisations" in FIRST_MEANS

    def test_a_routine_task_may_be_what_saves_most(self):
        rules = rules_of(rule("AA-001", work=fixed(2)))
        sponsor = task("org.priority", lead_time=lead(60, 60, 60))
        first = plan_of(everywhere(rules, (ALDER,)), rules, (ALDER,), [sponsor]).first[0]
        assert (first.key, first.kind, first.p80_days_saved) == ("org.priority@alder", "routine", 58.0)
        assert first.action.startswith("Ask the organisation to begin it")

    def test_what_argues_for_the_verdict_comes_first_and_what_saves_nothing_stands_apart(self):
        slow = [task(name, lead_time=lead(50, 50, 50)) for name in ("org.review", "org.board")]
        rules = rules_of(
            rule("AA-001", gate=Gate.PILOT, severity="low"),
            rule("AA-002", gate=Gate.PILOT, severity="high"),
            rule("AA-003", gate=Gate.PILOT, severity="high"),
            rule("AA-004", gate=Gate.DESIGN, severity="low"),
        )
        plan = plan_of(
            everywhere(rules, (ALDER,)), rules, (ALDER,), slow, argue={"AA-003@alder": "It argues for the verdict."}
        )
        assert [(t.key, t.argues) for t in plan.first] == [("AA-003@alder", True)]
        assert plan.first[0].because.startswith("It argues for the verdict.")
        assert [t.key for t in plan.apart] == ["AA-004@alder", "org.board@alder", "org.review@alder"]
        assert "save no day by itself" in plan.apart[0].because

    def test_the_list_is_sorted_by_what_it_says(self):
        for seed in range(20):
            plan = fleet_plan(seed)
            own = [t.p80_days_saved_per_person_day for t in plan.first if not t.argues]
            assert len(plan.first) <= 5 and all(rate > 0 for rate in own)
            assert all(t.p80_days_saved == 0 for t in plan.apart)

    def test_work_without_effort_counts_a_quarter_of_a_day(self):
        rules = rules_of(rule("AA-001", work=fixed(0), wait=lead(10, 10, 10)))
        [thing] = plan_of(everywhere(rules, (ALDER,)), rules, (ALDER,)).first
        assert thing.p80_days_saved_per_person_day == 40.0


class TestDeterminism:
    def test_same_seed_same_bytes(self):
        assert worked_example().model_dump_json() == worked_example().model_dump_json()

    def test_another_seed_other_luck(self):
        assert worked_example(seed=1).finish != worked_example(seed=2).finish

    def test_the_order_of_the_input_does_not_matter(self):
        rules = rules_of(
            *(rule(f"AA-{n:03d}", list(Scope)[n % 3], after=[f"AA-{n // 2:03d}"] if n else []) for n in range(12))
        )
        orgs = (ALDER, BIRCH, CEDAR)
        findings, tasks = list(everywhere(rules, orgs)), [task("org.a"), task("org.b", after=("org.a", "AA-003"))]
        plan = plan_of(findings, rules, orgs, tasks)
        random.Random(1).shuffle(findings)
        assert plan_of(findings, dict(reversed(rules.items())), orgs, tasks[::-1]) == plan


class TestBadInput:
    @pytest.mark.parametrize("seed", [-1, 2**63])
    def test_a_seed_is_a_whole_number(self, seed):
        with pytest.raises(InterlockError, match="the seed is"):
            worked_example(seed=seed)


def test_our_own_work_that_does_not_fit_is_said():
    rules = rules_of(*(rule(f"AA-{n:03d}", work=fixed(5)) for n in range(8)))
    plan = plan_of(everywhere(rules, (ALDER,)), rules, (ALDER,))
    assert plan.finish.p80_days == 5.0
    assert any("adds up to 40 person-days: the P80 needs 8.0 of us" in note for note in plan.notes)
    roomy = plan_of(everywhere(rules, (ALDER,)), rules, (ALDER,), [task("org.wait", lead_time=lead(90, 90, 90))])
    assert not any("adds up" in note for note in roomy.notes)
    assert any("0 of them begun" in note for note in roomy.notes)


@pytest.mark.parametrize(("persons", "days"), [(1, 40.0), (2, 20.0), (3, 15.0), (8, 5.0), (50, 5.0)])
def test_work_is_levelled_over_the_persons_there_are(persons, days):
    """Eight tasks of five days for one, two, three or eight persons."""
    rules = rules_of(*(rule(f"AA-{n:03d}", work=fixed(5)) for n in range(8)))
    plan = plan_of(everywhere(rules, (ALDER,)), rules, (ALDER,), capacity={"us": persons})
    assert plan.finish.p80_days == plan.most_likely_days == days
    assert any(note.startswith(f"Our people: {persons} of us for 40 person-days") for note in plan.notes)


def random_fleet(seed, size=8):
    random_ = random.Random(seed)
    names = [f"AA-{n:03d}" for n in range(size)]
    rules = rules_of(
        *(
            rule(
                name,
                random_.choice(list(Scope)),
                gate=random_.choice(list(Gate)),
                after=random_.sample(names[:n], min(n, random_.randint(0, 2))),
                work=effort(random_.uniform(0, 2), random_.uniform(2, 4), random_.uniform(4, 9)),
                wait=lead(0, random_.uniform(0, 5), random_.uniform(5, 30)) if random_.random() < 0.5 else None,
            )
            for n, name in enumerate(names)
        )
    )
    tasks = [
        task("org.a", lead_time=lead(0, 5, 20), after=(names[0],)),
        task("us.z", Scope.PRODUCT, after=("org.a", names[-1])),
    ]
    return rules, tasks, list(everywhere(rules, (ALDER, BIRCH, CEDAR)))


def fleet_plan(seed, **more):
    """Of three organisations, some of whose findings are undecided; with one or two of us."""
    chance = random.Random(seed)
    rules, tasks, findings = random_fleet(seed)
    findings = [f.model_copy(update={"outcome": chance.choice([GAP, UNKNOWN])}) for f in findings]
    settings = {"runs": 150, "target_gate": Gate.PILOT, "capacity": {"us": chance.choice([1, 2, 2.5])}, **more}
    return plan_of(findings, rules, (ALDER, BIRCH, CEDAR), tasks, **settings)


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.booleans())
def test_dates_never_run_backwards_from_no_gap_to_all_gaps(seed, levelled):
    """Per organisation and in all, at every quantile, with teams that are short of persons and without."""
    plan = fleet_plan(seed, **({} if levelled else {"capacity": {}}))
    for none, drawn, every in [
        (plan.if_no_gaps, plan.finish, plan.if_all_gaps),
        *((own.if_no_gaps, own.finish, own.if_all_gaps) for own in plan.orgs),
    ]:
        if none is None:
            continue
        for quantile in ("p10_days", "p50_days", "p80_days", "p90_days"):
            assert getattr(none, quantile) <= getattr(drawn, quantile) <= getattr(every, quantile)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.data())
def test_closing_a_gap_never_makes_anything_later(seed, data):
    rules, tasks, findings = random_fleet(seed)
    orgs = (ALDER, BIRCH, CEDAR)
    closed = data.draw(st.sampled_from(findings)).key
    fewer = [f.model_copy(update={"outcome": MET}) if f.key == closed else f for f in findings]
    before = plan_of(findings, rules, orgs, tasks, runs=150, target_gate=Gate.PILOT)
    after = plan_of(fewer, rules, orgs, tasks, runs=150, target_gate=Gate.PILOT)
    for old, new in [(before, after), *zip(before.orgs, after.orgs, strict=True)]:
        assert new.finish.p50_days <= old.finish.p50_days
        assert new.finish.p80_days <= old.finish.p80_days
        assert new.finish.p90_days <= old.finish.p90_days
        assert new.most_likely_days <= old.most_likely_days
    ends = {planned.id: planned.finish_p50 for planned in before.tasks}
    assert all(planned.finish_p50 <= ends[planned.id] for planned in after.tasks)


@settings(max_examples=15)
@given(st.integers(0, 10**6))
def test_tasks_are_listed_after_all_that_they_wait_for(seed):
    rules, tasks, findings = random_fleet(seed)
    plan = plan_of(findings, rules, (ALDER, BIRCH, CEDAR), tasks, runs=50)
    position = {planned.id: number for number, planned in enumerate(plan.tasks)}
    wave = {planned.id: planned.wave for planned in plan.tasks}
    for planned in plan.tasks:
        assert all(position[first] < position[planned.id] and wave[first] < planned.wave for first in planned.after)
        assert planned.wave == 1 + max((wave[first] for first in planned.after), default=-1)
        assert 0 <= planned.start_p50 <= planned.finish_p50


def test_huge_fleets_get_fewer_runs_and_are_told(monkeypatch):
    monkeypatch.setattr(schedule, "MAX_CELLS", 3_000)
    rules = rules_of(*(rule(f"AA-{n:03d}", after=[f"AA-{n - 1:03d}"] if n else []) for n in range(10)))
    plan = plan_of(everywhere(rules, (ALDER, BIRCH)), rules, (ALDER, BIRCH), runs=20_000)
    assert plan.runs == 150
    assert plan.notes[-1] == "Runs: 150 instead of 20,000, because there are 20 tasks."
    assert len(plan.tasks) == 20


def test_outcomes_other_than_open_are_not_planned():
    rules = rules_of(rule("AA-001"))
    for outcome in (MET, "not_applicable"):
        assert plan_of([finding(rules["AA-001"], at_org("alder"), outcome)], rules, (ALDER,)).tasks == ()
    assert len(plan_of([finding(rules["AA-001"], at_org("alder"), GAP)], rules, (ALDER,)).tasks) == 1
    assert plan_of((), {}, (), start=MONDAY).start == "2026-01-05"


def test_evidence_that_a_gate_wants_or_that_has_expired_is_work_of_ours():
    """Written down, tested by others where a gate wants it seen, and renewed even where the gate still accepts it."""

    def wanted(key: str, gate: Gate, want: Evidence, **more: Any) -> EvidenceTask:
        return EvidenceTask(
            key=key, rule=key[:6], title="", orgs=("alder", "birch"), gate=gate, has=Evidence.ASSERTED, wanted=want,
            items=(), sentence="", **more,
        )  # fmt: skip

    expired = {"expired": ("the evidence was valid until 3 Mar 2026",)}
    wanting = (
        wanted("AA-005", Gate.DESIGN, Evidence.OBSERVED, accepted=True, **expired),
        wanted("AA-001", Gate.PILOT, Evidence.DOCUMENTED),
        wanted("AA-003@alder", Gate.PILOT, Evidence.DOCUMENTED),
        wanted("AA-002", Gate.PRODUCTION, Evidence.OBSERVED),
    )
    rules = rules_of(rule("AA-004", Scope.PRODUCT, gate=Gate.DESIGN, verdict="product_first"))

    def planned(target: Gate, findings: tuple[Finding, ...] = ()) -> dict[str, PlanTask]:
        work = tuple(evidence_work(wanting, (ALDER, BIRCH), target))
        return {t.id: t for t in plan_of(findings, rules, (ALDER, BIRCH), target_gate=target, evidence=work).tasks}

    assert sorted(planned(Gate.SANDBOX)) == ["renew:product"]
    pilot = planned(Gate.PILOT)
    assert sorted(pilot) == ["evidence:alder", "evidence:product", "renew:product"]
    assert pilot["evidence:product"].title == "Write down and file what 1 met requirement rests on"
    assert pilot["renew:product"].title == "Renew the evidence that 1 met requirement rests on and that has expired"
    assert pilot["renew:product"].lead_time is None, "the gate accepts it: filing it will do"
    assert {t.kind for t in pilot.values()} == {"evidence"} and pilot["renew:product"].about == ("AA-005",)
    assert sorted(planned(Gate.PRODUCTION)) == [*sorted(pilot), "test:product"]
    later = planned(Gate.PRODUCTION, (finding(rules["AA-004"]),))
    assert later["test:product"].after == ("AA-004",), "what is not settled is not given to others to test"
    assert later["evidence:product"].after == ()


def test_an_organisation_that_waits_for_our_work_at_another_says_so():
    rules = rules_of(rule("AA-001", work=fixed(5)))
    alone = plan_of(everywhere(rules, (ALDER, BIRCH)), rules, (ALDER, BIRCH), capacity={"us": 2})
    assert [forecast.waits for forecast in alone.orgs] == [{}, {}]
    shared = plan_of(everywhere(rules, (ALDER, BIRCH)), rules, (ALDER, BIRCH), capacity={"us": 1})
    assert {forecast.org: forecast.waits for forecast in shared.orgs} == {"alder": {}, "birch": {"alder": 1.0}}
    assert any(
        "at birch the date waits for our people's work at alder (100 in 100 runs)" in said for said in order(shared)
    )


def test_our_work_adds_up_to_that_at_each_organisation_and_that_which_is_done_once():
    rules = rules_of(rule("AA-001", work=fixed(2.4)), rule("AA-002", Scope.PRODUCT, work=fixed(3.4)))
    findings = (*everywhere(rules_of(rules["AA-001"]), (ALDER, BIRCH)), finding(rules["AA-002"]))
    plan = plan_of(findings, rules, (ALDER, BIRCH), capacity={"us": 2})
    [note] = [note for note in plan.notes if note.startswith("Our people")]
    once = "2 of us for 7 person-days (4 at the organisations, 3 once for the product and the vendors)"
    assert once in note and "on average for its turn in the list of our work" in note


AGAIN = (
    "whoever of us is the contact there goes through what is left with theirs, and states the days that are known "
    "(interlock task)"
)


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (20, f"That is so here: Alder Hospital is through in 4 weeks in half of the runs: {AGAIN}."),
        (100, "It is not so here: Alder Hospital is through in 20 weeks in half of the runs."),
        (500, f"That is so here: Alder Hospital is through in 23 months in half of the runs: {AGAIN}."),
    ],
)
def test_the_cross_check_is_applied_and_says_for_whom_it_fires(days, told):
    rules = rules_of(rule("AA-001", work=fixed(1), wait=lead(days - 1, days - 1, days - 1)))
    plan = plan_of(everywhere(rules, (ALDER,)), rules, (ALDER,))
    [note] = [note for note in plan.notes if note.startswith("Cross-check")]
    assert note.endswith(told)
