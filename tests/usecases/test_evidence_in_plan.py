"""Evidence that has expired is a task of the plan, whether or not the gate still accepts what is left of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from interlock.model.base import Evidence, Gate, RuleOutcome
from interlock.model.errors import InterlockError
from interlock.model.evidence import EvidenceRecord
from interlock.usecases.assess import assess
from interlock.usecases.initialize import initialize
from interlock.usecases.judge import judge
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.owed import evidence_tasks
from interlock.usecases.routine import Said, begin_tasks

TODAY = date(2026, 12, 1)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """The ready sample, one answer of a design requirement that is met resting on a document that has expired."""
    workspace = initialize(tmp_path_factory.mktemp("ready") / "ws", "ready")
    inputs = replace(load_inputs(workspace), today=TODAY)
    judged = judge(inputs)
    finding = next(
        f for f in judged.findings
        if f.outcome is RuleOutcome.MET and not f.subject.id and judged.rules[f.rule].gate is Gate.DESIGN
        and f.reads and all(name.partition(".")[2] in inputs.product for name in f.reads)
    )  # fmt: skip
    old = EvidenceRecord(title="Decision of last year", valid_until="2026-11-02")
    for name in finding.reads:
        item = name.partition(".")[2]
        answer = inputs.product[item].but(
            evidence=Evidence.DOCUMENTED, documents=(old,), assignee="Ada Ng", due="2026-12-11"
        )
        inputs = inputs.with_response("product", item, answer)
    return inputs


def test_what_the_gate_still_accepts_is_renewed_in_the_plan(inputs: Inputs) -> None:
    [owed] = [task for task in evidence_tasks(inputs, judge(inputs)) if task.accepted]
    [task] = [task for task in assess(inputs, today=TODAY, runs=50).plan.tasks if task.id == "renew:product"]
    assert task.kind == "evidence" and owed.key in task.about
    assert (task.whose, task.by_said) == ("Ada Ng", "by 11 Dec 2026")
    assert (
        task.accepted.startswith("attached to the answers that say that this is not so: “")
        and owed.title in task.accepted
    )


def test_evidence_is_not_begun_by_saying_so(inputs: Inputs) -> None:
    with pytest.raises(InterlockError, match="no routine task 'renew:product'") as caught:
        begin_tasks(inputs, ["renew:product"], Said("Ada"))
    assert caught.value.remedy is not None and "when an answer has it" in caught.value.remedy


def test_a_start_that_has_passed_is_told_and_nothing_is_planned_before_today(inputs: Inputs) -> None:
    late = date(2027, 3, 1)
    plan = assess(inputs, today=late, runs=50).plan
    assert plan.start == late.isoformat()
    assert any("Start: the start in interlock.yaml, 1 Dec 2026, has passed" in note for note in plan.notes)
    on_time = assess(inputs, today=TODAY, runs=50).plan
    assert on_time.start == "2026-12-01" and not any("has passed" in note for note in on_time.notes)
