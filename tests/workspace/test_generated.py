"""Generated files that somebody edited: nothing is lost, whatever is generated next."""

from __future__ import annotations

import errno
import json
from datetime import date
from pathlib import Path

import pytest

from interlock.model.errors import DocumentError, InterlockError, WorkspaceError
from interlock.usecases.contract import export_contract
from interlock.usecases.load import load_inputs
from interlock.workspace.generated import MANIFEST, MAX_COMPARED, MAX_DIFFERENT, write_generated
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
        "a.md.new": "orphan",
    }
    assert (tmp_path / "a.md").read_text() == "two"


def test_what_differs_from_an_edited_file_is_told_within_bounds(tmp_path: Path) -> None:
    lines = [f"line {number}" for number in range(300)]
    written(tmp_path, {"a.md": "\n".join(lines)})
    (tmp_path / "a.md").write_text("\n".join(["mine", *lines[1:]]))
    (one,) = write_generated(tmp_path, {"a.md": "\n".join([*lines, "last"])}, source=TWO, made="2026-11-30")
    assert one.difference[:2] == ("--- a.md", "+++ a.md.new")
    assert "-mine" in one.difference and "+line 0" in one.difference and "+last" in one.difference
    (tmp_path / "a.md").write_text("\n".join(line[::-1] for line in lines))
    (one,) = write_generated(tmp_path, {"a.md": "other"}, source=ONE, made="2026-11-30")
    assert len(one.difference) == MAX_DIFFERENT + 1 and "more lines" in one.difference[-1]
    (one,) = write_generated(tmp_path, {"a.md": "x" * MAX_COMPARED}, source=TWO, made="2026-11-30")
    assert one.difference == ("(too long to be compared here)",)


def test_a_secret_that_somebody_wrote_into_a_file_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORTH_CLIENT_SECRET", "correct-horse-battery")
    written(tmp_path, {"a.yaml": "id: one\n"})
    (tmp_path / "a.yaml").write_text("id: one\nsecret: correct-horse-battery\n")
    (one,) = write_generated(tmp_path, {"a.yaml": "id: two\n"}, source=TWO, made="2026-11-30")
    assert "+id: two" in one.difference and not any("horse" in line for line in one.difference)


def test_a_new_file_that_was_edited_too_survives(tmp_path: Path) -> None:
    written(tmp_path, {"a.md": "one"})
    (tmp_path / "a.md").write_text("edited")
    assert written(tmp_path, {"a.md": "two"}, TWO) == {"a.md.new": "beside"}
    assert written(tmp_path, {"a.md": "three"}, ONE) == {"a.md.new": "beside"}
    (tmp_path / "a.md.new").write_text("half merged")
    assert written(tmp_path, {"a.md": "four"}, TWO) == {"a.md.new2": "beside"}
    assert (tmp_path / "a.md.new").read_text() == "half merged"
    (tmp_path / "a.md").write_text("four")
    assert written(tmp_path, {"a.md": "four"}, TWO) == {"a.md": "same", "a.md.new": "orphan"}


def test_a_file_that_was_there_before_counts_as_edited(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("mine")
    assert written(tmp_path, {"a.md": "one"}) == {"a.md.new": "beside"}
    assert (tmp_path / "a.md").read_text() == "mine"


def test_what_is_no_longer_generated_is_named_and_stays(tmp_path: Path) -> None:
    written(tmp_path, {"a.md": "one", "b.md": "two"})
    assert written(tmp_path, {"a.md": "one"}) == {"a.md": "same", "b.md": "orphan"}
    assert (tmp_path / "b.md").exists()
    assert written(tmp_path, {"a.md": "one"}) == {"a.md": "same", "b.md": "orphan"}, "for as long as it is there"
    (tmp_path / "b.md").unlink()
    assert written(tmp_path, {"a.md": "one"}) == {"a.md": "same"}


def test_a_manifest_of_somebody_else_names_no_file_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    folder = tmp_path / "out"
    written(folder, {"a.md": "one"})
    text = (folder / MANIFEST).read_text()
    (folder / MANIFEST).write_text(text.replace('"a.md":', f'"../secret": "{ONE}", "a.md":'))
    assert written(folder, {"a.md": "one"}) == {"a.md": "same"}
    (folder / MANIFEST).write_text(text.replace('"a.md": "', '"a.md": "0').replace('0"', '"'))
    with pytest.raises(DocumentError, match="not the manifest"):
        written(folder, {"a.md": "one"})


def test_a_hash_that_was_changed_makes_a_file_count_as_edited(tmp_path: Path) -> None:
    written(tmp_path, {"a.md": "one"})
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    (tmp_path / MANIFEST).write_text(json.dumps(manifest | {"files": {"a.md": TWO}}))
    assert written(tmp_path, {"a.md": "two"}) == {"a.md.new": "beside"}
    assert (tmp_path / "a.md").read_text() == "one"


def test_a_folder_that_cannot_be_written_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("interlock.workspace.atomic.os.open", refuse)
    with pytest.raises(WorkspaceError, match="not saved: the folder cannot be written") as caught:
        written(tmp_path / "out", {"a.md": "one"})
    assert caught.value.remedy and "make it writable" in caught.value.remedy


def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "sub").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DocumentError, match="a link that leads out"):
        written(folder, {"sub/a.md": "one"})
    assert not list((tmp_path / "elsewhere").iterdir())


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
    for own in (tmp_path, tmp_path / "orgs", tmp_path / "Orgs", tmp_path / "responses" / "deep", tmp_path / ".git"):
        with pytest.raises(WorkspaceError, match="keeps its own files here"):
            export_contract(inputs, own, today=date(2026, 11, 30))
    folder = tmp_path / "contract"
    assert {one.state for one in export_contract(inputs, folder, today=date(2026, 11, 30))} == {"new"}
    again = export_contract(inputs, folder, today=date(2027, 1, 1), check=True)
    assert {one.state for one in again} == {"same"}, "the same contract gives the same files on another day"


def test_an_export_never_meets_the_workspace_by_whatever_way(tmp_path: Path) -> None:
    """Neither into it nor around it: by a link, by ``..``, by a folder of its own that lies elsewhere."""
    root = tmp_path / "repository" / "workspace"
    root.mkdir(parents=True)
    (root / "interlock.yaml").write_text("name: Sample\nproduct: Sample\n")
    (root / "contract.yaml").write_text('version: "1"\ntitle: Sample\n')
    (root / "contract").mkdir()
    (tmp_path / "answers").mkdir()
    (root / "responses").symlink_to(tmp_path / "answers")
    (tmp_path / "to-orgs").symlink_to(root / "orgs")
    (tmp_path / "to-root").symlink_to(root)
    (tmp_path / "to-parent").symlink_to(root.parent)
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    before = sorted(tmp_path.rglob("*"))
    inputs = load_inputs(Workspace(root), None)
    inside = (
        root / "contract" / "..",
        tmp_path / "to-orgs" / "new",
        tmp_path / "to-root",
        tmp_path / "answers" / "new",
    )
    around = (root / "..", root.parent, tmp_path / "to-parent", tmp_path, Path(tmp_path.anchor))
    for places, words in ((inside, "keeps its own files here"), (around, "would be a part of what is generated")):
        for place in places:
            with pytest.raises(WorkspaceError, match=words):
                export_contract(inputs, place, today=date(2026, 11, 30))
    with pytest.raises(WorkspaceError, match="lead nowhere"):
        export_contract(inputs, tmp_path / "circle" / "x", today=date(2026, 11, 30))
    other = tmp_path / "other"
    (other / "orgs").mkdir(parents=True)
    (other / "interlock.yaml").write_text("name: Other\nproduct: Other\n")
    with pytest.raises(WorkspaceError, match="keeps its own files here"):
        export_contract(inputs, other / "orgs", today=date(2026, 11, 30))
    assert sorted(path for path in tmp_path.rglob("*") if not path.is_relative_to(other)) == before
    for place in (root / "contract", other / "contract", root.parent / "beside", tmp_path / "to-root" / "out"):
        assert {one.state for one in export_contract(inputs, place, today=date(2026, 11, 30))} == {"new"}


def test_a_build_sets_the_date_of_what_it_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "interlock.yaml").write_text("name: Sample\nproduct: Sample\n")
    (tmp_path / "contract.yaml").write_text('version: "1"\ntitle: Sample\n')
    inputs = load_inputs(Workspace(tmp_path), None)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    for day in (1, 2):
        export_contract(inputs, tmp_path / f"out{day}", today=date(2026, 11, day))
    one, two = ((tmp_path / f"out{day}" / "capability-statement.json").read_text() for day in (1, 2))
    assert one == two and '"date": "2023-11-14"' in one
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(InterlockError, match="SOURCE_DATE_EPOCH is no number of seconds: yesterday"):
        export_contract(inputs, tmp_path / "out3", today=date(2026, 11, 1))
    assert not (tmp_path / "out3").exists()
