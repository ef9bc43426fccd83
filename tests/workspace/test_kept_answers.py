"""Answers that are not in the workspace: promised ones go in, disputed ones wait, and none is dropped silently."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
from functools import partial
from pathlib import Path

import pytest
from filelock import FileLock

from interlock.model.base import Status
from interlock.model.errors import DocumentError, WorkspaceError
from interlock.model.response import Response
from interlock.workspace import atomic, journal, responses
from interlock.workspace.journal import Change
from interlock.workspace.responses import DisputedError
from interlock.workspace.store import Workspace

SETTINGS = b"name: Sample\nproduct: Sample product\n"
FILE = "responses/product.yaml"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "ws", {"interlock.yaml": SETTINGS})


def answered(value: str, **more: object) -> Response:
    return Response.model_validate({"status": Status.ANSWERED, "value": value, **more})


def stored(workspace: Workspace) -> dict[str, object]:
    return {item: response.value for item, response in workspace.responses("product").items()}


@pytest.fixture
def unwritable(monkeypatch: pytest.MonkeyPatch) -> None:
    """No workspace can be locked; the journal can."""
    real = FileLock.acquire

    def refuse(self: FileLock, *arguments: object, **more: object) -> object:
        if self.lock_file.endswith(atomic.LOCK_NAME):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return real(self, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(FileLock, "acquire", refuse)


def _promised(root: str, item: str, go: object) -> None:
    """Answer while the workspace is locked by somebody else."""
    responses.locked = partial(atomic.locked, seconds=0.05)  # type: ignore[attr-defined]
    go.wait()  # type: ignore[attr-defined]
    try:
        Workspace(Path(root)).save_response("product", item, answered("yes"), before=None)
    except WorkspaceError as error:
        os._exit(0 if "is kept" in error.message else 3)
    os._exit(4)


def test_ten_processes_that_are_promised_at_once_are_all_kept(workspace: Workspace) -> None:
    context = multiprocessing.get_context("fork")
    for turn in range(3):
        go = context.Barrier(10)
        items = [f"a.item_{turn}_{number}" for number in range(10)]
        writers = [context.Process(target=_promised, args=(str(workspace.root), item, go)) for item in items]
        with atomic.locked(workspace.root):
            for writer in writers:
                writer.start()
            for writer in writers:
                writer.join(60)
        assert [writer.exitcode for writer in writers] == [0] * 10
        saved = workspace.save_response("product", f"b.last_{turn}", answered("yes"), before=None)
        assert sorted(saved.recovered) == sorted(items)
    assert len(stored(workspace)) == 33
    assert journal.kept(workspace.root) == ()


def test_what_is_promised_while_another_saves_what_was_promised_is_not_forgotten(workspace: Workspace) -> None:
    journal.keep(workspace.root, Change("product", "a.first", answered("yes"), None))
    entries = journal.kept(workspace.root)
    journal.keep(workspace.root, Change("product", "a.second", answered("yes"), None))
    journal.settle(workspace.root, dropped=entries)
    assert [entry.item for entry in journal.kept(workspace.root)] == ["a.second"]


def test_an_answer_taken_back_is_kept_like_any_other(workspace: Workspace, unwritable: None) -> None:
    with pytest.raises(WorkspaceError, match=r"a\.b is kept"):
        workspace.save_response("product", "a.b", None, before=answered("yes"))
    (entry,) = journal.kept(workspace.root)
    assert entry.response is None


def test_a_taking_back_that_was_kept_goes_in(workspace: Workspace) -> None:
    workspace.save_response("product", "a.b", answered("yes"), before=None)
    journal.keep(workspace.root, Change("product", "a.b", None, answered("yes")))
    workspace.save_response("product", "a.c", answered("yes"), before=None)
    assert stored(workspace) == {"a.c": "yes"}


def test_nothing_is_promised_when_even_the_journal_cannot_be_written(
    workspace: Workspace, unwritable: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "keep", lambda *_arguments, **_more: None)
    with pytest.raises(WorkspaceError) as caught:
        workspace.save_response("product", "a.b", answered("yes"), before=None)
    assert "kept" not in caught.value.message


def test_an_answer_is_kept_when_the_file_is_broken_too(workspace: Workspace) -> None:
    path = workspace.root / FILE
    path.parent.mkdir()
    path.write_text("answers:\n<<<<<<< HEAD\n  a.x: {status: unknown}\n=======\n>>>>>>> theirs\n")
    with pytest.raises(DocumentError, match=r"unresolved merge conflicts at line 2.*a\.b is kept"):
        workspace.save_response("product", "a.b", answered("yes"), before=None)
    path.write_text("answers:\n  a.x: {status: unknown}\n")
    assert workspace.save_response("product", "a.c", answered("no"), before=None).recovered == ("a.b",)
    assert set(stored(workspace)) == {"a.x", "a.b", "a.c"}


def test_a_line_cut_off_by_a_crash_harms_no_other(workspace: Workspace) -> None:
    path = journal.keep(workspace.root, Change("product", "a.first", answered("yes"), None))
    assert path is not None
    with path.open("ab") as handle:
        handle.write(b'{"id": "x", "at": "2026-01-01T00:00:00Z", "scope": "prod')
    assert [entry.item for entry in journal.kept(workspace.root)] == ["a.first"]
    journal.keep(workspace.root, Change("product", "a.second", answered("yes"), None))
    assert [entry.item for entry in journal.kept(workspace.root)] == ["a.first", "a.second"]
    assert journal.unreadable(workspace.root) == 0


def test_what_is_no_longer_valid_blocks_nothing_and_stays(workspace: Workspace) -> None:
    path = journal.keep(workspace.root, Change("product", "a.first", answered("yes"), None))
    assert path is not None
    entry = json.loads(path.read_text())
    spoilt = [
        entry | {"id": "1", "item": "a.spoilt", "response": {"status": "perhaps"}},
        entry | {"id": "2", "item": "a.escape", "response": {"status": "answered", "value": "x\u202ey"}},
        entry | {"id": "3", "scope": "../../etc", "item": "a.path"},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in [*spoilt, entry]) + "what is this?\n")
    assert workspace.save_response("product", "a.b", answered("yes"), before=None).recovered == ("a.first",)
    assert stored(workspace) == {"a.first": "yes", "a.b": "yes"}
    assert [entry.item for entry in journal.kept(workspace.root)] == ["a.spoilt", "a.escape", "a.path"]
    assert journal.unreadable(workspace.root) == 1


def test_a_kept_answer_does_not_go_over_a_newer_one(workspace: Workspace) -> None:
    """As when a process is killed after saving what was kept, and before forgetting it."""
    journal.keep(workspace.root, Change("product", "a.b", answered("old"), None))
    entries = journal.kept(workspace.root)
    workspace.save_response("product", "a.c", answered("x"), before=None)
    workspace.save_response("product", "a.b", answered("new"), before=answered("old"))
    path = journal.journal_path(workspace.root)
    path.write_text(entries[0].model_dump_json() + "\n")
    saved = workspace.save_response("product", "a.d", answered("x"), before=None)
    assert saved.recovered == ()
    assert stored(workspace)["a.b"] == "new"
    (entry,) = journal.kept(workspace.root)
    assert entry.disputed


def test_somebody_elses_answer_is_not_overwritten_and_ours_is_kept(workspace: Workspace) -> None:
    workspace.save_response("product", "a.b", answered("first"), before=None)
    workspace.save_response("product", "a.b", answered("theirs", at="2026-03-01T10:00:00Z"), before=answered("first"))
    with pytest.raises(DisputedError) as caught:
        workspace.save_response("product", "a.b", answered("mine"), before=answered("first"))
    assert "'theirs' (1 Mar 2026, 10:00 UTC)" in caught.value.message
    assert "'mine' is kept" in caught.value.message
    assert "interlock answer a.b --keep mine" in (caught.value.remedy or "")
    assert stored(workspace) == {"a.b": "theirs"}

    workspace.save_response("product", "a.other", answered("x"), before=None)
    assert stored(workspace)["a.b"] == "theirs", "a disputed answer never goes in by itself"
    assert workspace.disputes()["product", "a.b"].message == caught.value.message


def test_a_disputed_answer_is_not_merged_when_theirs_is_taken_back(workspace: Workspace) -> None:
    workspace.save_response("product", "a.b", answered("theirs"), before=None)
    with pytest.raises(DisputedError):
        workspace.save_response("product", "a.b", answered("mine"), before=None)
    workspace.root.joinpath(FILE).write_text("answers: {}\n")
    workspace.save_response("product", "a.other", answered("x"), before=None)
    assert "a.b" not in stored(workspace)
    assert workspace.disputed()


@pytest.mark.parametrize(("keep", "value"), [("mine", "mine"), ("theirs", "theirs")])
def test_the_choice_between_both(workspace: Workspace, keep: str, value: str) -> None:
    workspace.save_response("product", "a.b", answered("theirs"), before=None)
    with pytest.raises(DisputedError):
        workspace.save_response("product", "a.b", answered("mine"), before=None)
    chosen = workspace.choose("product", "a.b", keep)  # type: ignore[arg-type]
    assert chosen.response is not None and chosen.response.value == value
    assert stored(workspace) == {"a.b": value}
    assert journal.kept(workspace.root) == ()
    with pytest.raises(WorkspaceError, match="stands against yours"):
        workspace.choose("product", "a.b", keep)  # type: ignore[arg-type]


def test_answering_again_after_seeing_theirs_settles_it(workspace: Workspace) -> None:
    workspace.save_response("product", "a.b", answered("theirs"), before=None)
    with pytest.raises(DisputedError):
        workspace.save_response("product", "a.b", answered("mine"), before=None)
    saved = workspace.save_response("product", "a.b", answered("third"), before=answered("theirs"))
    assert [entry.response and entry.response["value"] for entry in saved.settled] == ["mine"]
    assert stored(workspace) == {"a.b": "third"}
    assert journal.kept(workspace.root) == ()


def test_the_same_answer_from_two_places_is_no_dispute(workspace: Workspace) -> None:
    workspace.save_response("product", "a.b", answered("same", at="2026-01-01T00:00:00Z"), before=None)
    workspace.save_response("product", "a.b", answered("same", at="2026-01-02T00:00:00Z"), before=None)
    assert stored(workspace) == {"a.b": "same"}


def test_an_own_answer_that_waits_is_nobody_elses(workspace: Workspace) -> None:
    """A screen shows the answer that waits; the next one is given after seeing that."""
    workspace.save_response("product", "a.b", answered("first"), before=None)
    journal.keep(workspace.root, Change("product", "a.b", answered("second"), answered("first")))
    workspace.save_response("product", "a.b", answered("third"), before=answered("second"))
    assert stored(workspace) == {"a.b": "third"}
    assert journal.kept(workspace.root) == ()
    journal.keep(workspace.root, Change("product", "a.b", answered("fourth"), answered("third")))
    workspace.save_response("product", "a.b", answered("fifth"), before=answered("third"))
    assert stored(workspace) == {"a.b": "fifth"}


def test_several_answers_are_saved_together_or_none_where_somebody_else_answered(workspace: Workspace) -> None:
    workspace.save_response("product", "a.b", answered("theirs"), before=None)
    changes = [Change("product", "a.c", answered("x"), None), Change("product", "a.b", answered("y"), None)]
    with pytest.raises(WorkspaceError, match=r"nothing was saved: a\.b was answered by somebody else"):
        workspace.save_responses(changes)
    assert stored(workspace) == {"a.b": "theirs"}


@pytest.mark.parametrize("scope", ["..", "../interlock", "a/b", "", "A", "/etc/passwd"])
def test_no_scope_leads_out_of_the_folder_of_responses(workspace: Workspace, scope: str) -> None:
    with pytest.raises(WorkspaceError, match="no organisation"):
        workspace.save_response(scope, "a.b", answered("x"), before=None)
    assert (workspace.root / "interlock.yaml").read_bytes() == SETTINGS
