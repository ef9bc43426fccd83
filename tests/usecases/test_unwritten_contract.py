"""A contract that holds only what ``init`` wrote concludes nothing, and whoever answers is told that it is missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from interlock.cli.main import run
from interlock.judge.verdict import VerdictValue
from interlock.model.base import RuleOutcome, Status
from interlock.model.contract import Launch, WorkflowContract
from interlock.model.finding import NO_CONTRACT
from interlock.model.response import Response
from interlock.usecases.initialize import initialize
from interlock.usecases.judge import judge
from interlock.usecases.load import Inputs, load_inputs
from interlock.workspace.store import Workspace

SAID = "contract.yaml still holds only what init wrote"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return initialize(tmp_path / "mine", "blank")


@pytest.fixture
def inputs(workspace: Workspace) -> Inputs:
    return load_inputs(workspace)


def shown(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    return " ".join((captured.out + captured.err).split())


def outcomes(inputs: Inputs) -> dict[str, RuleOutcome]:
    return {finding.key: finding.outcome for finding in judge(inputs).findings}


def test_an_untouched_contract_opens_no_gap(inputs: Inputs) -> None:
    assert inputs.contract is not None and inputs.contract.says_nothing and inputs.written is None
    found = outcomes(inputs)
    assert RuleOutcome.GAP not in found.values()
    reading = [finding for finding in judge(inputs).findings if NO_CONTRACT in (finding.detail or "")]
    assert {"AUTH-001", "PROD-001", "WF-006"} <= {finding.rule for finding in reading}
    assert {finding.outcome for finding in reading} == {RuleOutcome.UNKNOWN}
    assert inputs.fits == {}


def test_from_the_first_entry_on_what_the_contract_leaves_open_is_a_gap(inputs: Inputs) -> None:
    assert inputs.contract is not None
    begun = inputs.contract.model_copy(update={"launch": Launch(modes=("ehr",))})
    assert not begun.says_nothing
    written = replace(inputs, contract=begun)
    assert written.unwritten is None
    assert outcomes(written)["PROD-001"] is RuleOutcome.GAP


def test_another_name_or_release_says_nothing_yet() -> None:
    assert WorkflowContract(version="2", title="Ours", fhir_release="R5").says_nothing


def test_an_answer_that_is_bad_whatever_the_contract_says_is_a_gap(inputs: Inputs) -> None:
    bad = Response(status=Status.ANSWERED, value="not_drawn")
    assert outcomes(inputs.with_response("product", "auth.path_matrix", bad))["AUTH-001"] is RuleOutcome.GAP


def test_the_headline_counts_the_contract_among_what_settles_the_verdict(inputs: Inputs) -> None:
    verdict = judge(inputs).verdict
    assert verdict.latest is VerdictValue.INTEGRATE
    assert "answers and the workflow contract settle it" in verdict.headline


@pytest.mark.parametrize(
    "command", [["next"], ["next", "-n", "3"], ["score"], ["answer", "auth.path_matrix", "all_decided"]]
)
def test_who_answers_is_told_that_the_file_is_missing(
    workspace: Workspace, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command, "--workspace", str(workspace.root)]) == 0
    said = shown(capsys)
    assert said.count(SAID) == 1 and "interlock contract lint" in said


def test_an_answer_that_no_contract_is_needed_for_does_not_nag(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["answer", "boundary.output_stable", "frozen", "--workspace", str(workspace.root)]) == 0
    assert SAID not in shown(capsys)


def test_a_written_contract_is_not_spoken_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = initialize(tmp_path / "ready", "ready").root
    for command in ("next", "score"):
        assert run([command, "--workspace", str(root)]) == 0
    assert "contract.yaml" not in shown(capsys)


def test_a_folder_without_the_file_says_so(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace.root / "contract.yaml").unlink()
    assert run(["next", "--workspace", str(workspace.root)]) == 0
    assert "There is no contract.yaml" in shown(capsys)
