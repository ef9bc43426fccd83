"""Organisations that set what the contract's settings do not take: loaded, kept, and told with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlock.cli.main import run
from interlock.model.base import RuleOutcome
from interlock.usecases.initialize import initialize
from interlock.usecases.judge import find_patterns, judge
from interlock.usecases.lint import lint_content
from interlock.usecases.load import load_inputs
from interlock.usecases.opening import open_workspace
from interlock.workspace.store import Workspace

RULES = ("FIT-013", "FIT-014", "FIT-015", "FIT-016")
CONTRACT = """\
version: "1"
title: T
organization_surface:
  - {name: risk_threshold, surface: per_organization, type: number, default: 0.6}
  - {name: contact, surface: per_organization, type: string}
  - {name: models_enabled, surface: per_organization, type: list}
"""


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are read as text: no cell is folded."""
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = initialize(tmp_path / "ws", "blank")
    (workspace.root / "contract.yaml").write_text(CONTRACT)
    return workspace


def write(workspace: Workspace, org: str, overrides: str) -> None:
    (workspace.root / "orgs").mkdir(exist_ok=True)
    indented = "".join(f"  {line}\n" for line in overrides.splitlines())
    (workspace.root / "orgs" / f"{org}.yaml").write_text(f"id: {org}\nname: {org.title()}\noverrides:\n{indented}")


def outcomes(workspace: Workspace, org: str) -> dict[str, tuple[RuleOutcome, str]]:
    judged = judge(load_inputs(workspace))
    return {one.rule: (one.outcome, one.message) for one in judged.findings if one.subject.id == org}


def test_each_wrong_setting_is_a_finding_and_the_file_loads(workspace: Workspace) -> None:
    write(workspace, "north", "risk_threshold: high\nmodels: [adult]\ncontact:")
    found = outcomes(workspace, "north")
    assert {rule: found[rule][0].value for rule in RULES} == {
        "FIT-013": "gap",
        "FIT-014": "met",
        "FIT-015": "gap",
        "FIT-016": "gap",
    }
    assert found["FIT-013"][1].endswith("contact, models_enabled")
    assert 'risk_threshold (a number is expected, and "high" is there)' in found["FIT-015"][1]
    assert found["FIT-016"][1] == "North: the contract has no setting models (did you mean 'models_enabled'?)"


def test_what_is_complete_has_no_gap_and_what_nobody_wrote_is_the_default(workspace: Workspace) -> None:
    write(workspace, "north", "risk_threshold: 0.7\nmodels_enabled: [adult]\ncontact: Pager 4711")
    write(workspace, "south", "models_enabled: [adult]\ncontact: Pager 4712")
    assert {outcomes(workspace, "north")[rule][0] for rule in RULES} == {RuleOutcome.MET}
    assert outcomes(workspace, "south")["FIT-014"][1].startswith("South: its file says nothing about risk_threshold")


def test_without_a_contract_nothing_is_missing(workspace: Workspace) -> None:
    write(workspace, "north", "risk_threshold: high")
    (workspace.root / "contract.yaml").unlink()
    assert {outcomes(workspace, "north")[rule][0] for rule in RULES} == {RuleOutcome.UNKNOWN}


def test_lint_names_file_line_and_what_was_expected(workspace: Workspace) -> None:
    write(workspace, "north", "contact: Pager\nrisk_threshold: high\nmodels: [adult]")
    write(workspace, "south", "contact: 4711\nmodels_enabled: [1, 2]")
    told = [(Path(one.file or "").name, one.line, one.message) for one in lint_content(workspace.root)]
    assert told == [
        ("north.yaml", 5, 'risk_threshold is of another type; a number is expected, and "high" is there'),
        ("north.yaml", 6, "models is not in the contract; did you mean 'models_enabled'?"),
        ("south.yaml", 4, "contact is of another type; a text (numbers in quotes) is expected, and 4711 is there"),
        (
            "south.yaml",
            5,
            "models_enabled is of another type; a list of texts (numbers in quotes) is expected, and [1, 2] is there",
        ),
    ]


def test_a_wrong_value_stays_in_its_file_when_the_organisation_is_changed(workspace: Workspace) -> None:
    write(workspace, "north", "risk_threshold: high\nmodels_enabled: [1, 2]\ncontact:")
    assert run(["org", "edit", "north", "--note", "Asked", "--workspace", str(workspace.root)]) == 0
    kept = load_inputs(open_workspace(workspace.root)).organization("north")
    assert kept.note == "Asked"
    assert kept.overrides == {"risk_threshold": "high", "models_enabled": [1, 2], "contact": None}


@pytest.mark.parametrize(("threshold", "holds"), [("0.7", "matched"), ("0.5", "not_matched")])
def test_one_value_at_every_organisation_is_a_pattern(workspace: Workspace, threshold: str, holds: str) -> None:
    write(workspace, "north", "risk_threshold: 0.7\nmodels_enabled: [adult]\ncontact: Pager 4711")
    write(workspace, "south", f"risk_threshold: {threshold}\nmodels_enabled: [child]\ncontact: Pager 4712")
    (found,) = (one for one in find_patterns(load_inputs(workspace)) if one.pattern == "PAT-045")
    assert found.outcome == holds
    if holds == "matched":
        assert found.messages == (
            "All 2 organisations have the same value of risk_threshold, which the contract lets differ",
        )


def test_commands_show_where_each_value_comes_from(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    write(workspace, "north", "models_enabled: [adult]\nmodels: [adult]")
    assert run(["org", "show", "north", "--workspace", str(workspace.root)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "risk_threshold 0.6 only the default" in shown
    assert "contact none without a value" in shown
    assert 'models_enabled ["adult"] none set here' in shown
    assert run(["contract", "check", "--workspace", str(workspace.root)]) == 1
    checked = capsys.readouterr()
    assert "1 setting has no value of the right type" in checked.err
    assert "did you mean 'models_enabled'?" in " ".join(checked.out.split())
