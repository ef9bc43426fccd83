"""Routine tasks that follow what the contract writes: athenahealth's two routes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from interlock.model.contract import Need, WorkflowContract
from interlock.model.organization import Organization
from interlock.usecases.initialize import initialize
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.routine import instances

READ = Need(resource="Observation", interactions=("read", "search"))
WRITTEN = Need(resource="QuestionnaireResponse", interactions=("create",))
CONTRACTED = {"athena.contract", "athena.scoping", "athena.validation"}


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    inputs = load_inputs(initialize(tmp_path / "mine", "blank"))
    return replace(inputs, organizations=(Organization(id="oak", name="Oak", vendor="athenahealth"),))


def of_the_vendor(inputs: Inputs, reads: tuple[Need, ...] = (), writes: tuple[Need, ...] = ()) -> set[str]:
    written = WorkflowContract(version="1", title="Ours", inputs=reads, outputs=writes)
    names = {key.partition("@")[0] for key in instances(replace(inputs, contract=written))}
    return {name for name in names if name.startswith("athena.") or name == "vendor.registration"}


def test_a_product_that_writes_is_scoped_and_validated(inputs: Inputs) -> None:
    assert of_the_vendor(inputs, (READ,), (WRITTEN,)) == CONTRACTED | {
        "athena.preview-app",
        "athena.practice-ok",
    }


def test_a_product_that_only_reads_asks_for_its_credentials_directly(inputs: Inputs) -> None:
    assert of_the_vendor(inputs, (READ,)) == {
        "athena.preview-app",
        "athena.certified-prod",
        "athena.practice-ok",
    }


def test_while_the_contract_is_not_written_the_longer_route_is_planned(inputs: Inputs) -> None:
    assert of_the_vendor(inputs) >= CONTRACTED
    assert "athena.certified-prod" not in of_the_vendor(inputs)


def test_the_practice_waits_for_whichever_route_there_is(inputs: Inputs) -> None:
    from interlock.plan.dependencies import RoutineTasks
    from interlock.usecases.assess import assess

    for outputs, first in (((WRITTEN,), "athena.validation"), ((), "athena.certified-prod")):
        contract = WorkflowContract(version="1", title="Ours", inputs=(READ,), outputs=outputs)
        known = replace(inputs, contract=contract)
        assessment = assess(known, today=known.today, runs=10)
        book = RoutineTasks(
            known.content.ruleset.tasks,
            assessment.graph,
            assessment.rules,
            known.organizations,
            reads_only=known.reads_only,
        )
        assert f"{first}@vendor:athenahealth" in book.before("athena.practice-ok@oak")
        planned = {task.id.partition("@")[0] for task in assessment.plan.tasks}
        assert first in planned and planned.isdisjoint({"athena.validation", "athena.certified-prod"} - {first})
