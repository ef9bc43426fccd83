"""Why a finish moved: each kind of cause is told on its own, and none is told that was not there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from interlock.model.assessment import Assessment
from interlock.model.routine import TaskStatus
from interlock.plan.causes import causes
from interlock.plan.diff import compare
from interlock.usecases.assess import assess
from interlock.usecases.initialize import initialize
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.milestone import save_milestone, since_last

TODAY = date(2026, 11, 30)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return load_inputs(initialize(tmp_path_factory.mktemp("ready") / "ready", "ready"))


@pytest.fixture(scope="module")
def before(inputs: Inputs) -> Assessment:
    return assess(inputs, today=TODAY, runs=50)


def test_nothing_changed_has_no_cause(before: Assessment) -> None:
    assert list(causes(before, before, None)) == []


def test_an_answer_is_a_cause_where_it_was_given(inputs: Inputs, before: Assessment) -> None:
    (given,) = (answer for answer in before.answers if answer.item == "boundary.output_stable")
    unknown = given.response.model_copy(update={"value": None, "status": "unknown"})
    after = assess(inputs.with_response("product", given.item, unknown), today=TODAY, runs=50)
    (said,) = causes(before, after, "northgate")
    assert said.startswith("1 answer changed (boundary.output_stable), and ")
    assert "0 findings" not in said


def test_a_routine_task_that_is_done_is_a_cause_and_one_that_only_has_an_owner_is_none(
    inputs: Inputs, before: Assessment
) -> None:
    done = TaskStatus(status="done", done="2026-11-27", by="Ada")
    owned = TaskStatus(status="not_begun", owner="Bea")
    undone = {task.id for task in before.plan.tasks if task.progress is None}
    assert {"us.launch@northgate", "us.golive@northgate"} <= undone
    tasks = {**inputs.tasks, "us.launch@northgate": done, "us.golive@northgate": owned}
    after = assess(replace(inputs, tasks=tasks), today=TODAY, runs=50)
    assert list(causes(before, after, "northgate")) == ["Routine tasks: us.launch@northgate is done."]
    move = next(move for move in compare(before, after).forecasts if move.org == "northgate")
    assert move.causes == ("Routine tasks: us.launch@northgate is done.",)
    assert not move.firm and " to " in move.told and "P80" not in move.told


def test_time_and_our_own_rules_are_causes(before: Assessment) -> None:
    plan = before.plan.model_copy(update={"start": "2026-12-14"})
    changed = {"plan": plan, "ruleset": "core 9.9", "questionnaires": {**before.questionnaires, "own": "1"}}
    time, rules = causes(before, before.model_copy(update=changed), None)
    assert time.startswith("Time: counted from 14 Dec 2026 instead of ")
    assert f"the ruleset is core 9.9 instead of {before.ruleset}" in rules
    assert "questionnaire own is 1 instead of new" in rules


def test_an_observation_is_a_cause_at_its_organisation_alone(before: Assessment) -> None:
    seen = tuple(own.model_copy(update={"observed_at": "2026-11-29T10:00:00Z"}) for own in before.readiness)
    after = before.model_copy(update={"readiness": seen})
    assert list(causes(before, after, "northgate")) == ["Observed since: northgate on 29 Nov 2026."]
    assert list(causes(before, after, "elsewhere")) == []


def test_what_moved_since_the_last_milestone_is_told_in_words(tmp_path: Path) -> None:
    workspace = initialize(tmp_path / "ready", "ready")
    inputs = load_inputs(workspace)
    now = assess(inputs, today=TODAY, runs=50)
    assert since_last(workspace, now) == ()
    save_milestone(workspace, "before pilot", now)
    gaps, finish = since_last(workspace, now)
    assert gaps.startswith("Since milestone before-pilot (") and gaps.endswith("): no gap has moved.")
    assert finish == "The finish has not moved."
    done = TaskStatus(status="done", done="2026-11-27", by="Ada")
    given = inputs.product["boundary.output_stable"].model_copy(update={"value": "changing"})
    changed = replace(
        inputs.with_response("product", "boundary.output_stable", given),
        tasks={**inputs.tasks, "us.launch@northgate": done},
    )
    after = assess(changed, today=TODAY, runs=50)
    gaps, finish, *causes = since_last(workspace, after)
    assert "opened" in gaps and "→" in gaps and "no gap has moved" not in gaps
    assert finish.startswith("Finish: ") and "Routine tasks: us.launch@northgate is done." in " ".join(causes)
