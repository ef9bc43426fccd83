"""The plan's calendar, the chance of a date, and input that is wrong."""

from datetime import date

import pytest
from gaps_factory import GAP, at_org, effort, everywhere, finding, fixed, lead, org, plan_of, rule, rules_of, task
from pydantic import ValidationError

from interlock.model.base import Gate, Scope
from interlock.model.organization import Freeze, Settings
from interlock.model.rule import Effort, LeadTime

ALDER, BIRCH = org("alder"), org("birch")
NONE = ()


def freeze(first, last, where=None):
    return Freeze.model_validate({"from": first, "to": last, "org": where})


class TestFreezes:
    #: Ten days of review, then two days in production.
    TASKS = (
        task("org.review", lead_time=lead(10, 10, 10)),
        task("org.build", lead_time=lead(2, 2, 2), after=("org.review",), waits_in_freeze=True),
    )

    def test_work_in_production_waits_for_the_end_of_a_freeze_and_a_review_does_not(self):
        """The review ends on Friday the 16th; the freeze holds the build from Monday to Wednesday of the third week."""
        plan = plan_of((), {}, (ALDER, BIRCH), self.TASKS, freezes=(freeze("2026-01-19", "2026-01-21", "alder"),))
        assert [forecast.finish.p80_days for forecast in plan.orgs] == [15, 12]
        assert [forecast.finish.p80_date for forecast in plan.orgs] == ["2026-01-23", "2026-01-20"]
        assert any("1 task can stand still" in note for note in plan.notes)

    def test_a_freeze_in_the_middle_of_the_work(self):
        plan = plan_of((), {}, (ALDER,), self.TASKS, freezes=(freeze("2026-01-20", "2026-01-30"),))
        assert plan.finish.p80_date == "2026-02-02"

    def test_a_freeze_that_is_over_or_far_away_changes_nothing(self):
        far = (freeze("2025-01-01", "2025-02-01"), freeze("2029-01-01", "2029-02-01"))
        assert plan_of((), {}, (ALDER,), self.TASKS, freezes=far).finish.p80_days == 12

    def test_stated_freezes_stand_for_the_unknown_ones(self):
        tasks = (
            *self.TASKS,
            task("org.freeze", after=("org.build",), lead_time=lead(9, 9, 9), unless="freezes_stated"),
        )
        plan = plan_of((), {}, (ALDER, BIRCH), tasks, freezes=(freeze("2029-01-01", "2029-01-05", "alder"),))
        assert [forecast.finish.p80_days for forecast in plan.orgs] == [12, 21]
        everywhere_ = plan_of((), {}, (ALDER, BIRCH), tasks, freezes=(freeze("2029-01-01", "2029-01-05"),))
        assert [forecast.finish.p80_days for forecast in everywhere_.orgs] == [12, 12]


def test_holidays_move_dates_and_no_days():
    tasks = (task("org.review", lead_time=lead(10, 10, 10)),)
    plain = plan_of((), {}, (ALDER,), tasks)
    off = plan_of((), {}, (ALDER,), tasks, holidays=(date(2026, 1, 7), date(2026, 1, 8), date(2026, 1, 10)))
    assert (plain.finish.p80_days, plain.finish.p80_date) == (10, "2026-01-16")
    assert (off.finish.p80_days, off.finish.p80_date) == (10, "2026-01-20")
    assert any("Holidays: none are stated" in note for note in plain.notes)
    assert not any("Holidays: none are stated" in note for note in off.notes)


class TestByADay:
    RULES = rules_of(rule("AA-001", work=effort(0, 0, 10)))

    def test_the_chance_is_that_of_the_closed_form(self):
        """(0, 0, 10) is 10 × Beta(1, 5): by the end of day 2 it is through with 1 - 0.8 ** 5."""
        plan = plan_of(
            [finding(self.RULES["AA-001"], at_org("alder"), GAP)],
            self.RULES,
            (ALDER, BIRCH),
            runs=40_000,
            by=date(2026, 1, 6),
        )
        chances = {chance.org: chance.probability for chance in plan.chances}
        assert chances["alder"] == chances[None] == pytest.approx(1 - 0.8**5, abs=0.01)
        assert chances["birch"] == 1.0
        assert {chance.date for chance in plan.chances} == {"2026-01-06"}

    def test_a_day_that_is_not_worked_counts_as_the_one_before_it(self):
        findings = everywhere(self.RULES, (ALDER,))
        friday, sunday = (plan_of(findings, self.RULES, (ALDER,), by=date(2026, 1, day)) for day in (9, 11))
        assert [c.probability for c in friday.chances] == [c.probability for c in sunday.chances]
        assert "Asked for: 11 Jan 2026 is not worked; what is done by the working day before it counts." in sunday.notes

    def test_a_day_before_the_start_has_no_chance(self):
        plan = plan_of(everywhere(self.RULES, (ALDER,)), self.RULES, (ALDER,), by=date(2025, 12, 31))
        assert {chance.probability for chance in plan.chances} == {0.0}

    def test_nobody_asked(self):
        assert plan_of(NONE, {}, (ALDER,)).chances == ()


def test_a_start_that_is_not_worked_is_moved_and_said():
    rules = rules_of(rule("AA-001"))
    plan = plan_of(everywhere(rules, (ALDER,)), rules, (ALDER,), start=date(2026, 1, 10))
    assert plan.start == "2026-01-12"
    assert "Start: 10 Jan 2026 is not worked; the plan starts on 12 Jan 2026." in plan.notes


class TestSizes:
    def test_one_task(self):
        rules = rules_of(rule("AA-001", work=fixed(2)))
        plan = plan_of(everywhere(rules, (ALDER,)), rules, (ALDER,), capacity={"us": 1})
        assert (len(plan.tasks), plan.finish.p80_days, plan.tasks[0].criticality) == (1, 2.0, 1.0)

    @pytest.mark.parametrize("capacity", [{}, {"us": 3}])
    def test_no_task(self, capacity):
        plan = plan_of(NONE, {}, (), capacity=capacity)
        assert (plan.tasks, plan.first, plan.drivers, plan.unknowns, plan.sandbox) == ((), (), (), (), None)
        assert plan.most_likely == ""

    @staticmethod
    def fleet(size):
        """Organisations with ten chains of six tasks, one day each."""
        rules = rules_of(
            *(rule(f"AA-{n:03d}", after=[f"AA-{n - 1:03d}"] if n % 6 else (), work=fixed(1)) for n in range(60))
        )
        return rules, tuple(org(f"o{n:04d}") for n in range(size))

    @pytest.mark.long
    def test_sixty_thousand_tasks(self):
        rules, orgs = self.fleet(1_000)
        plan = plan_of(everywhere(rules, orgs), rules, orgs)
        assert len(plan.tasks) == 60_000
        assert plan.runs < 1_000
        assert plan.finish.p80_days == 6.0
        assert "because there are 60,000 tasks" in plan.notes[-1]

    def test_many_tasks_for_few_people(self):
        """600 days of work for ten persons."""
        rules, orgs = self.fleet(10)
        plan = plan_of(everywhere(rules, orgs), rules, orgs, capacity={"us": 10}, runs=20)
        assert plan.finish.p80_days == 60.0


class TestEstimates:
    """Bad estimates never reach the plan: the models refuse them, with the place in the file."""

    @pytest.mark.parametrize(
        "numbers",
        [
            (3, 2, 5),
            (1, 6, 5),
            (-1, 2, 5),
            (1, None, 5),
            (1, 2),
            ("soon", 2, 5),
            (float("nan"), 1, 2),
            (1, 2, float("inf")),
        ],
    )
    def test_out_of_order_negative_missing_or_no_number(self, numbers):
        numbers_of = dict(zip(("low", "expected", "high"), numbers, strict=False))
        with pytest.raises(ValidationError):
            Effort.model_validate(numbers_of)
        with pytest.raises(ValidationError):
            LeadTime.model_validate({**numbers_of, "source": "judgement", "grade": "judgement", "as_of": "2026-11"})

    def test_other_units(self):
        with pytest.raises(ValidationError, match="person_days"):
            Effort.model_validate({**effort(1, 2, 5), "unit": "hours"})
        with pytest.raises(ValidationError, match="working_days"):
            LeadTime.model_validate({**lead(1, 2, 5), "unit": "weeks"})

    def test_a_task_without_effort_and_lead_time_takes_no_time(self):
        plan = plan_of(NONE, {}, (ALDER,), [task("org.nod", Scope.ORG, gate=Gate.PILOT)], capacity={"org": 1})
        assert (plan.finish.p90_days, len(plan.tasks)) == (0.0, 1)


class TestSettings:
    @pytest.mark.parametrize(
        "bad",
        [
            {"capacity": {"us": 0}},
            {"capacity": {"us": -1}},
            {"capacity": {"them": 1}},
            {"seed": 1.5},
            {"seed": "seven"},
            {"seed": -1},
            {"holidays": ["25 December"]},
            {"holidays": ["2026-02-30"]},
            {"freezes": [{"from": "2026-12-20"}]},
            {"freezes": [{"from": "2026-12-20", "to": "2026-12-10"}]},
            {"freezes": [{"from": "2026-12-20", "to": "2027-01-10", "organisation": "alder"}]},
        ],
    )
    def test_what_interlock_yaml_may_not_say(self, bad):
        with pytest.raises(ValidationError):
            Settings.model_validate({"name": "n", "product": "p", **bad})

    def test_what_it_may(self):
        settings = Settings.model_validate(
            {
                "name": "n",
                "product": "p",
                "capacity": {"us": 2.5},
                "holidays": ["2026-12-25"],
                "freezes": [{"from": "2026-12-20", "to": "2027-01-10", "org": "alder", "reason": "Holidays"}],
            }
        )
        assert settings.holidays == (date(2026, 12, 25),)
        assert settings.freezes[0].last == date(2027, 1, 10)
