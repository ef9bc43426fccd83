"""The two commands, as a person runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from forms_workspace import choice, integer, make, response

from interlock.cli.main import run
from interlock.model.forms import FormImport
from interlock.workspace.store import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make(tmp_path / "w", "north", "south")


def test_the_command_shows_changes_before_and_after(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "form.json"
    path.write_text(json.dumps(response(integer(4))))
    place = ["--workspace", str(workspace.root)]
    assert run(["import", "fhir", str(path), "--dry-run", *place]) == 0
    shown = capsys.readouterr()
    assert "zoo.integer" in shown.out and "no answer" in shown.out
    assert "Nothing was written" in shown.err
    assert workspace.responses("product") == {}

    assert run(["import", "fhir", str(path), "--format", "json", *place]) == 0
    told = FormImport.model_validate_json(capsys.readouterr().out)
    assert [change.kind for change in told.changes] == ["new"]
    assert workspace.responses("product")["zoo.integer"].value == 4

    # A document that leaves the stored answer out does not remove it, and the output says so.
    path.write_text(json.dumps(response(choice("some"))))
    assert run(["import", "fhir", str(path), *place]) == 0
    assert "1 stored answer is not in these documents" in capsys.readouterr().err
    assert set(workspace.responses("product")) == {"zoo.integer", "zoo.choice"}


def test_the_command_tells_every_problem_and_writes_nothing(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "form.json"
    path.write_text(json.dumps(response(integer(99), choice("maybe"), {"linkId": "zoo.text"})))
    assert run(["import", "fhir", str(path), "--workspace", str(workspace.root)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "/item/0/answer" in shown.err and "/item/1/answer/0/valueCoding/code" in shown.err
    assert "nothing was imported: 2 problems" in shown.err
    assert workspace.responses("product") == {}


def test_export_says_what_it_leaves_out(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace.root / "responses").mkdir()
    (workspace.root / "responses/product.yaml").write_text(
        'answers:\n  zoo.integer: {status: answered, value: 1}\n  zoo.date: {status: answered, value: "2026-01-31"}\n'
    )
    out = tmp_path / "out"
    assert run(["export", "fhir", "-o", str(out), "--workspace", str(workspace.root)]) == 0
    shown = capsys.readouterr()
    assert {Path(line).name for line in shown.out.splitlines()} == {path.name for path in out.iterdir()}
    assert "product: zoo.date, because it is asked only when zoo.integer is at least 5" in shown.err
    assert "zoo.elsewhere" in shown.err
