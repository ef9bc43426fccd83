"""A hospital's own report: its own dates and verdict, and nothing of any other hospital."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.contract_parts import Approval, NeedHere
from interlock.model.errors import InterlockError
from interlock.report.alone import alone
from interlock.usecases.assess import assess
from interlock.usecases.initialize import initialize
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.report import for_organization, write_report

OTHERS = re.compile("harborview|pinecrest|riverside regional", re.IGNORECASE)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return load_inputs(initialize(tmp_path_factory.mktemp("alone") / "ws", "sepsis"))


@pytest.fixture(scope="module")
def whole(inputs: Inputs) -> Assessment:
    return assess(inputs, today=date(2026, 11, 30), runs=200)


def test_it_has_its_own_dates_and_never_the_whole_plans(inputs: Inputs, whole: Assessment, tmp_path: Path) -> None:
    narrowed, own_inputs = for_organization(whole, inputs, "lakeshore")
    own = next(forecast for forecast in whole.plan.orgs if forecast.org == "lakeshore")
    assert narrowed.plan.finish == own.finish != whole.plan.finish
    assert (narrowed.plan.if_no_gaps, narrowed.plan.if_all_gaps) == (own.if_no_gaps, own.if_all_gaps)
    (path,) = write_report(narrowed, own_inputs, tmp_path, ("md",), sections=("summary", "first", "plan", "unknowns"))
    text = path.read_text()
    assert own.finish.span in text
    assert whole.plan.finish.span not in text and words.iso_day(whole.plan.finish.p90_date) not in text


def test_it_names_no_other_organisation(inputs: Inputs, whole: Assessment, tmp_path: Path) -> None:
    narrowed, own_inputs = for_organization(whole, inputs, "lakeshore")
    (path,) = write_report(narrowed, own_inputs, tmp_path, ("md",))
    assert OTHERS.findall(path.read_text()) == []
    readiness = whole.readiness_of("lakeshore")
    assert (narrowed.verdict.value, narrowed.verdict.latest) == (readiness.verdict, readiness.latest_verdict)
    assert {finding.subject.id for finding in narrowed.findings} <= {"", "oracle", "lakeshore"}


def test_the_contract_has_its_own_needs_and_approvals_alone(whole: Assessment) -> None:
    assert whole.contract is not None
    needs = whole.contract.inputs
    at = NeedHere(organization="lakeshore", query=("category=laboratory",))
    changed = (
        needs[0].but(not_at=("lakeshore",)),
        needs[1].but(organizations=("riverside",)),
        needs[2].but(here=(at, NeedHere(organization="pinecrest"))),
    )
    approvals = tuple(
        Approval(by="Ada", organization=org, date="2026-11-01", hash="0" * 64)
        for org in (None, "lakeshore", "pinecrest")
    )
    contract = whole.contract.but(inputs=changed, approvals=approvals)
    own = alone(whole.but(contract=contract), "lakeshore").contract
    assert own is not None
    assert [need.resource for need in own.inputs] == [needs[2].resource]
    assert own.inputs[0].query == ("category=laboratory",)
    assert [approval.organization for approval in own.approvals] == [None, "lakeshore"]
    assert "pinecrest" not in own.model_dump_json() and "riverside" not in own.model_dump_json()


def test_every_organisation_can_have_one(whole: Assessment) -> None:
    for organization in whole.organizations:
        narrowed = alone(whole, organization.id)
        assert [forecast.org for forecast in narrowed.plan.orgs] == [organization.id]
        known = {task.id for task in narrowed.plan.tasks}
        assert all(set(task.after) <= known for task in narrowed.plan.tasks)


def test_one_that_is_not_there_is_refused(inputs: Inputs, whole: Assessment) -> None:
    with pytest.raises(InterlockError, match="no organisation 'nowhere'"):
        for_organization(whole, inputs, "nowhere")
