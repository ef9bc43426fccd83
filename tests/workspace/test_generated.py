"""Generated files that somebody edited: nothing is lost, whatever is generated next."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from interlock.model.errors import DocumentError, WorkspaceError
from interlock.usecases.contract import export_contract
from interlock.usecases.load import load_inputs
from interlock.workspace.generated import MANIFEST, write_generated
from interlock.workspace.store import Workspace

pytestmark = pytest.mark.fast

ONE, TWO = "1" * 64, "2" * 64


def written(folder: Path, files: dict[str, str], source: str = ONE, **how: bool) -> dict[str, str]:
    done = write_generated(folder, files, source=source, made="2026-11-30", **how)
    return {one.path.relative_to(folder).as_posix(): one.state for one in done}


def test_an_edit_survives_and_the_new_file_stands_beside_it(tmp_path: Path) -> None:
    assert written(tmp_path, {"a.md": "one", "sub/b.yaml": "b"}) == {"a.md": "new", "sub/b.yaml": "new"}
    (tmp_path / "a.md").write_text("edited")
    assert written(tmp_path, {"a.md": "one", "sub/b.yaml": "b"}) == {"a.md": "kept", "sub/b.yaml": "same"}
    assert not (tmp_path / "a.md.new").exists()
    assert written(tmp_path, {"a.md": "two", "sub/b.yaml": "c"}, TWO) == {"a.md.new": "beside", "sub/b.yaml": "renewed"}
    assert (tmp_path / "a.md").read_text() == "edited" and (tmp_path / "a.md.new").read_text() == "two"
    assert written(tmp_path, {"a.md": "two", "sub/b.yaml": "c"}, force=True) == {
        "a.md": "renewed",
        "sub/b.yaml": "same",
    }
    assert (tmp_path / "a.md").read_text() == "two"


def test_a_file_that_was_there_before_counts_as_edited(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("mine")
    assert written(tmp_path, {"a.md": "one"}) == {"a.md.new": "beside"}
    assert (tmp_path / "a.md").read_text() == "mine"


def test_what_is_no_longer_generated_is_named_and_stays(tmp_path: Path) -> None:
    written(tmp_path, {"a.md": "one", "b.md": "two"})
    assert written(tmp_path, {"a.md": "one"}) == {"a.md": "same", "b.md": "orphan"}
    assert (tmp_path / "b.md").exists()


def test_a_check_writes_nothing(tmp_path: Path) -> None:
    assert written(tmp_path / "none", {"a.md": "one"}, check=True) == {"a.md": "new"}
    assert not (tmp_path / "none").exists()
    written(tmp_path, {"a.md": "one"})
    assert written(tmp_path, {"a.md": "two"}, check=True) == {"a.md": "renewed"}
    assert (tmp_path / "a.md").read_text() == "one"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"files": {"a.md": "x"}}', '{"source": 1}'])
def test_a_manifest_that_is_none_is_told_and_nothing_is_written(tmp_path: Path, text: str) -> None:
    written(tmp_path, {"a.md": "one"})
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(DocumentError, match="not the manifest that was written here"):
        written(tmp_path, {"a.md": "two"})
    assert (tmp_path / "a.md").read_text() == "one"


def test_a_contract_is_exported_twice(tmp_path: Path) -> None:
    (tmp_path / "interlock.yaml").write_text("name: Sample\nproduct: Sample\n")
    (tmp_path / "contract.yaml").write_text('version: "1"\ntitle: Sample\n')
    inputs = load_inputs(Workspace(tmp_path), None)
    for own in (tmp_path, tmp_path / "orgs", tmp_path / "responses" / "deep"):
        with pytest.raises(WorkspaceError, match="keeps its own files here"):
            export_contract(inputs, own, today=date(2026, 11, 30))
    folder = tmp_path / "contract"
    assert {one.state for one in export_contract(inputs, folder, today=date(2026, 11, 30))} == {"new"}
    again = export_contract(inputs, folder, today=date(2027, 1, 1), check=True)
    assert {one.state for one in again} == {"same"}, "the same contract gives the same files on another day"
