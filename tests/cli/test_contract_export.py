"""``contract export`` a second time, and into places that it must not write to."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.fast

CONTRACT = """\
schema: 2
version: "1"
title: Sample
launch: {modes: [backend], client: confidential-asymmetric}
inputs:
  - {resource: Patient, interactions: [read], required_fields: [birthDate]}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "orgs").mkdir()
    (tmp_path / "interlock.yaml").write_text("name: Sample\nproduct: Sample\n")
    (tmp_path / "contract.yaml").write_text(CONTRACT)
    (tmp_path / "orgs/north.yaml").write_text("id: north\nname: North\n")
    return tmp_path


def test_an_edit_is_kept_and_what_differs_is_shown(command, workspace: Path) -> None:
    export = ("contract", "export", "--workspace", workspace, "-o", workspace / "out")
    first = command(*export)
    assert first.code == 0 and str(workspace / "out/contract.lock.json") in first.out.splitlines()
    assert command(*export, "--check").code == 0
    page = workspace / "out/settings/north.yaml"
    page.write_text(page.read_text().replace('vendor: "other"', 'vendor: "mine"'))
    (workspace / "orgs/north.yaml").write_text("id: north\nname: Northern\n")
    stale = command(*export, "--check")
    assert stale.code == 1 and "not up to date" in stale.err
    again = command(*export)
    assert again.code == 0 and "edited, and kept" in again.err
    assert '-vendor: "mine"' in again.err and '+name: "Northern"' in again.err
    assert 'vendor: "mine"' in page.read_text() and 'name: "Northern"' in Path(f"{page}.new").read_text()
    (workspace / "orgs/north.yaml").unlink()
    gone = command(*export)
    assert "no longer generated" in gone.err and page.exists()


def test_nothing_is_written_over_the_workspace_nor_of_what_is_no_contract(command, workspace: Path) -> None:
    before = sorted(workspace.rglob("*"))
    for folder in (workspace, workspace / "orgs"):
        refused = command("contract", "export", "--workspace", workspace, "-o", folder)
        assert refused.code == 2 and "keeps its own files here" in refused.err
    (workspace / "contract.yaml").write_text(CONTRACT.replace("schema: 2", "schema: 3"))
    refused = command("contract", "export", "--workspace", workspace, "-o", workspace / "out")
    assert refused.code == 2 and "made by a newer Interlock" in refused.err
    assert sorted(workspace.rglob("*")) == before


def test_mistakes_of_the_contract_are_told_and_are_in_no_document_of_fhir(command, workspace: Path) -> None:
    (workspace / "contract.yaml").write_text(CONTRACT.replace("Patient", "Pateint"))
    done = command("contract", "export", "--workspace", workspace, "-o", workspace / "out")
    assert done.code == 0 and "The contract has 1 mistake" in done.err
    assert "Pateint" not in (workspace / "out/capability-statement.json").read_text()
