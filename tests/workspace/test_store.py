from __future__ import annotations

import errno
import multiprocessing
import os
from pathlib import Path

import pytest

from interlock.model.base import Evidence, Status
from interlock.model.errors import DocumentError, WorkspaceError
from interlock.model.organization import Organization
from interlock.model.response import Response
from interlock.workspace import atomic, journal
from interlock.workspace.store import Workspace

SETTINGS = b"name: Sample\nproduct: Sample product\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "ws", {"interlock.yaml": SETTINGS})


def answered(value: str, **more: object) -> Response:
    return Response.model_validate({"status": Status.ANSWERED, "value": value, **more})


def test_an_answer_survives_a_round_trip(workspace: Workspace) -> None:
    workspace.save_response(
        "product", "auth.jwks", answered("hosted", evidence=Evidence.DOCUMENTED, note="see wiki"), before=None
    )
    saved = workspace.responses("product")["auth.jwks"]
    assert (saved.value, saved.evidence, saved.note) == ("hosted", Evidence.DOCUMENTED, "see wiki")


def test_comments_survive_a_save(workspace: Workspace) -> None:
    path = workspace.root / "responses" / "product.yaml"
    path.parent.mkdir()
    path.write_text(
        "# our answers\nanswers:\n  # decided in May\n  auth.jwks:\n    status: answered\n    value: none  # not yet\n"
    )
    workspace.save_response("product", "auth.other", answered("yes"), before=None)
    workspace.save_response("product", "auth.jwks", answered("hosted"), before=answered("none"))
    text = path.read_text()
    assert "# our answers" in text
    assert "# decided in May" in text
    assert "# not yet" in text
    assert workspace.responses("product")["auth.jwks"].value == "hosted"


def test_a_folder_that_is_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"not a workspace") as caught:
        Workspace.find(tmp_path)
    assert "interlock init" in (caught.value.remedy or "")
    with pytest.raises(WorkspaceError, match="no such folder"):
        Workspace.find(tmp_path / "absent")


def test_a_workspace_is_found_from_below(workspace: Workspace) -> None:
    below = workspace.root / "reports" / "deep"
    below.mkdir(parents=True)
    assert Workspace.find(below).root == workspace.root


def test_init_overwrites_nothing(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="already"):
        Workspace.create(workspace.root, {"interlock.yaml": b"name: other"})
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "contract.yaml").write_text("mine")
    with pytest.raises(WorkspaceError, match="overwritten"):
        Workspace.create(tmp_path / "other", {"interlock.yaml": SETTINGS, "contract.yaml": b"theirs"})
    assert (tmp_path / "other" / "contract.yaml").read_text() == "mine"
    assert not (tmp_path / "other" / "interlock.yaml").exists()


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("answers:\n  auth.jwks:\n    status: maybe\n", 3, "status"),
        ("answers:\n  auth.jwks:\n    status: answered\n", 2, "has a value"),
        ("answers:\n  a.b: {status: not_applicable}\n", 2, "reason"),
        ("answer: {}\n", 1, "unknown key 'answer'"),
        ("answers: [1]\n", 1, "expected item ids"),
        ("answers:\n  a.b: {status: unknown}\n  a.b: {status: unknown}\n", 3, "appears twice"),
    ],
)
def test_a_broken_response_file_names_its_line(workspace: Workspace, text: str, line: int, message: str) -> None:
    path = workspace.root / "responses" / "product.yaml"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(DocumentError, match=message) as caught:
        workspace.read()
    assert caught.value.location is not None
    assert caught.value.location.line == line
    assert caught.value.location.file == str(path)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.yaml", "id: b\nname: B\n", "file name differ"),
        ("product.yaml", "id: product\nname: P\n", "not an organisation"),
        ("a.yaml", "id: a\nname: A\nfhir_base_url: ehr.example.org/fhir\n", "no scheme"),
        ("a.yaml", "id: a\nname: A\nsecret: hunter2\n", "unknown key 'secret'"),
    ],
)
def test_a_broken_organisation_file(workspace: Workspace, name: str, text: str, message: str) -> None:
    (workspace.root / "orgs").mkdir()
    (workspace.root / "orgs" / name).write_text(text)
    with pytest.raises(DocumentError, match=message):
        workspace.read()


def test_organisations_are_added_changed_and_removed(workspace: Workspace) -> None:
    org = Organization(id="st-mary", name="St Mary", vendor="epic", fhir_base_url="https://ehr.example.org/fhir/")
    workspace.save_organization(org, new=True)
    with pytest.raises(WorkspaceError, match="exists already"):
        workspace.save_organization(org, new=True)
    path = workspace.root / "orgs" / "st-mary.yaml"
    path.write_text("# the first customer\n" + path.read_text())
    workspace.save_organization(org.model_copy(update={"name": "St Mary's"}), new=False)
    assert "# the first customer" in path.read_text()
    assert workspace.read().organizations[0].name == "St Mary's"
    assert workspace.read().organizations[0].fhir_base_url == "https://ehr.example.org/fhir"
    workspace.save_response("st-mary", "org.x", answered("yes"), before=None)
    assert workspace.remove_organization("st-mary") == (workspace.root / "responses" / "st-mary.yaml",)
    with pytest.raises(WorkspaceError, match="there is no organisation"):
        workspace.remove_organization("st-mary")
    with pytest.raises(WorkspaceError, match="there is no organisation"):
        workspace.save_organization(org, new=False)


def _save_many(root: str, who: str, count: int) -> None:
    workspace = Workspace(Path(root))
    for number in range(count):
        workspace.save_response("product", f"{who}.item_{number}", answered("yes"), before=None)


def test_two_processes_that_save_at_once_lose_nothing(workspace: Workspace) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_save_many, args=(str(workspace.root), who, 10)) for who in ("left", "right")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert len(workspace.responses("product")) == 20


def test_a_held_lock_is_said_in_words(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        atomic.locked(workspace.root),
        pytest.raises(WorkspaceError, match="another Interlock"),
        atomic.locked(workspace.root, seconds=0.05),
    ):
        pytest.fail("the lock was taken twice")


@pytest.mark.parametrize(
    ("number", "message"),
    [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "cannot be written"), (errno.EACCES, "cannot be written")],
)
def test_a_failed_save_keeps_the_old_file_and_the_answer(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, number: int, message: str
) -> None:
    workspace.save_response("product", "a.first", answered("yes"), before=None)
    before = (workspace.root / "responses" / "product.yaml").read_bytes()
    real = os.fsync

    def broken(descriptor: int) -> None:
        target = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        if str(workspace.root) in target:
            raise OSError(number, os.strerror(number))
        real(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", broken)
        with pytest.raises(WorkspaceError, match=message) as caught:
            workspace.save_response("product", "a.second", answered("no"), before=None)
    assert "a.second is kept" in caught.value.message
    assert (workspace.root / "responses" / "product.yaml").read_bytes() == before
    assert sorted(path.name for path in (workspace.root / "responses").iterdir()) == ["product.yaml"]

    saved = workspace.save_response("product", "a.third", answered("yes"), before=None)
    assert saved.recovered == ("a.second",)
    assert set(workspace.responses("product")) == {"a.first", "a.second", "a.third"}
    assert journal.kept(workspace.root) == ()


def test_a_damaged_journal_counts_as_empty(workspace: Workspace) -> None:
    path = journal.journal_path(workspace.root)
    path.parent.mkdir(parents=True)
    path.write_text("{broken")
    assert workspace.save_response("product", "a.b", answered("yes"), before=None).recovered == ()


def test_nothing_but_the_old_content_is_there_when_a_writer_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic.write_atomically(path, b"old")
    pid = os.fork()
    if pid == 0:
        os.fsync = lambda _descriptor: os.kill(os.getpid(), 9)  # type: ignore[assignment]
        atomic.write_atomically(path, b"new")
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.WTERMSIG(status) == 9
    assert path.read_bytes() == b"old"


def test_organisations_come_in_the_order_of_their_numbers(workspace: Workspace) -> None:
    for number in (10, 2, 1):
        workspace.save_organization(Organization(id=f"org-{number}", name=str(number), vendor="epic"), new=True)
    ids = [org.id for org in workspace.read().organizations if org.id.startswith("org-")]
    assert ids == ["org-1", "org-2", "org-10"]
