"""Nothing that the verdict postpones starts before what settles it, in any sample and under any verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date

import networkx as nx
import numpy as np
import pytest
from numpy.typing import NDArray

from interlock.model.base import Gate, RuleOutcome, Scope, VerdictValue
from interlock.model.finding import OPEN, Finding
from interlock.model.postponed import POSTPONING, argues_for
from interlock.model.rule import Rule
from interlock.plan.graph import build
from interlock.plan.schedule import simulation_of
from interlock.plan.tasks import Task, Work, collect
from interlock.usecases.assess import assess, plan_options
from interlock.usecases.initialize import templates
from interlock.usecases.judge import judge
from interlock.usecases.load import Inputs

GAP, MET, UNKNOWN = RuleOutcome.GAP, RuleOutcome.MET, RuleOutcome.UNKNOWN
TODAY = date(2026, 12, 1)
EARLY = VerdictValue.PRODUCT_FIRST, VerdictValue.PROVE_OUTSIDE_EHR

InputsOf = Callable[[str], Inputs]


def under(
    verdict: VerdictValue, outcome: RuleOutcome, findings: tuple[Finding, ...], rules: Mapping[str, Rule]
) -> Iterator[Finding]:
    """The findings when this verdict is the earliest: what argues for it is open or unknown, for earlier ones met."""
    for finding in findings:
        value = argues_for(rules[finding.rule])
        if value is not None and value.rank <= verdict.rank:
            now = outcome if value is verdict else MET
            finding = finding.model_copy(update={"outcome": now})
        yield finding


def planned(inputs: Inputs, findings: tuple[Finding, ...], rules: Mapping[str, Rule]) -> Work:
    graph = build(findings, rules, inputs.organizations, Gate.PRODUCTION)
    tasks = inputs.content.ruleset.tasks
    return collect(graph, rules, tasks, findings, inputs.organizations, Gate.PRODUCTION)


def concerns(settles: Task, task: Task) -> bool:
    return settles.scope is Scope.PRODUCT or settles.parties[settles.scope] == task.parties.get(settles.scope)


@pytest.mark.parametrize("outcome", [GAP, UNKNOWN])
@pytest.mark.parametrize("verdict", POSTPONING)
@pytest.mark.parametrize("template", templates())
def test_what_a_verdict_postpones_comes_after_all_that_settles_it(
    inputs_of: InputsOf, template: str, verdict: VerdictValue, outcome: RuleOutcome
) -> None:
    inputs = inputs_of(template)
    judged = judge(inputs)
    rules = dict(judged.rules)
    work = planned(inputs, tuple(under(verdict, outcome, judged.findings, rules)), rules)
    waiting = nx.DiGraph((first, task.id) for task in work.tasks for first in task.after)
    waiting.add_nodes_from(task.id for task in work.tasks)
    settle = [task for task in work.tasks if task.verdict is verdict]
    assert settle or verdict is VerdictValue.MAP_AUTH
    postponed = [
        task
        for task in work.tasks
        if (task.postponed_by is not None and task.postponed_by.rank >= verdict.rank)
        or (verdict in EARLY and task.kind == "routine" and task.verdict is None)
    ]
    for task in postponed:
        before = nx.ancestors(waiting, task.id)
        assert {one.id for one in settle if concerns(one, task)} <= before, task.id
    if verdict in EARLY:
        own = {task.id for task in settle if task.kind == "routine"}
        assert own == {task.id for task in inputs.content.ruleset.tasks if task.verdict is verdict}


@pytest.mark.parametrize("template", templates())
def test_everything_open_is_no_circle(inputs_of: InputsOf, template: str) -> None:
    inputs = inputs_of(template)
    judged = judge(inputs)
    open_ = tuple(finding.model_copy(update={"outcome": GAP}) for finding in judged.findings)
    assert len(planned(inputs, open_, dict(judged.rules)).tasks) > 100


def test_tests_in_the_ehr_start_after_the_outside_pilot_is_decided(inputs_of: InputsOf) -> None:
    plan = assess(inputs_of("outside-ehr"), today=TODAY, runs=200).plan
    tasks = {task.id: task for task in plan.tasks}
    decided = tasks["us.decide-outside"]
    assert tasks["us.outside-choice"].finish_p50 <= tasks["BND-006"].start_p50 < decided.start_p50
    assert tasks["us.outside-privacy"].finish_p50 <= tasks["BND-006"].start_p50, "patients' data is shown in the trial"
    assert tasks["org.integrated-test@eastbrook"].start_p50 >= decided.finish_p50
    assert tasks["us.test-scripts@eastbrook"].start_p50 >= decided.finish_p50
    assert any("assumes a yes at" in note and "us.decide-outside" in note for note in plan.notes)


def test_a_product_that_is_not_settled_is_frozen_tested_again_and_decided_first(inputs_of: InputsOf) -> None:
    plan = assess(inputs_of("too-early"), today=TODAY, runs=200).plan
    tasks = {task.id: task for task in plan.tasks}
    order = [
        "us.freeze",
        "BND-001",
        "us.retest",
        "us.decide-product",
        "us.outside-choice",
        "BND-006",
        "us.decide-outside",
    ]
    ends = [tasks[name].finish_p50 for name in order]
    assert ends == sorted(ends)
    assert tasks["us.freeze"].start_p50 == 0
    assert min(task.start_p50 for task in plan.tasks if task.id.startswith("org.")) >= ends[-1]


@pytest.mark.parametrize("template", ["too-early", "early", "blank", "outside-ehr", "fuzzy-contract"])
def test_what_is_closed_never_makes_the_plan_later(inputs_of: InputsOf, template: str) -> None:
    inputs = inputs_of(template)
    judged = judge(inputs)
    rules = dict(judged.rules)
    options = replace(plan_options(inputs, judged, today=TODAY, runs=100), capacity={}, evidence=())

    def ends(findings: tuple[Finding, ...]) -> NDArray[np.float32]:
        graph = build(findings, rules, inputs.organizations, options.target_gate)
        tasks = inputs.content.ruleset.tasks
        return simulation_of(graph, rules, tasks, findings, inputs.organizations, options).end(None)

    before = ends(judged.findings)
    for closed in [one for one in judged.findings if one.outcome in OPEN and argues_for(rules[one.rule])]:
        met = closed.model_copy(update={"outcome": MET})
        after = ends(tuple(met if finding is closed else finding for finding in judged.findings))
        assert (after <= before + 0.001).all(), closed.key


def test_no_verdict_of_its_own_no_tasks_of_its_own(inputs_of: InputsOf) -> None:
    plan = assess(inputs_of("auth-blocked"), today=TODAY, runs=200).plan
    assert {"us.freeze", "us.outside-choice"}.isdisjoint(task.id for task in plan.tasks)


def test_what_nobody_knows_to_be_a_gap_asks_for_the_verdicts_tasks_only_where_it_is_one(inputs_of: InputsOf) -> None:
    plan = assess(inputs_of("blank"), today=TODAY, runs=500).plan
    tasks = {task.id: task for task in plan.tasks}
    assert tasks["us.outside-choice"].chance == tasks["BND-006"].chance
    assert tasks["BND-001"].chance is not None and tasks["us.freeze"].chance is not None
    assert tasks["us.freeze"].chance > tasks["BND-001"].chance
    assert "find-out:BND-001" in tasks["us.freeze"].after
    unknown = sum(task.kind == "gap" and task.chance is not None for task in plan.tasks)
    assert any(note.startswith(f"Unknowns: {unknown} rules are undecided") for note in plan.notes)
    assert plan.if_no_gaps is not None and plan.if_all_gaps is not None
    # Freezing, testing again, running the pilot and deciding twice are not in a plan in which nothing is a gap.
    assert plan.if_all_gaps.p50_days - plan.if_no_gaps.p50_days > 60
