"""Nothing that was confirmed is lost, whatever happens to process, disk, folder, lock or clock."""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from interlock.cli.main import run
from interlock.model.observation import Observation, Target
from interlock.usecases.initialize import initialize
from interlock.usecases.load import load_inputs
from interlock.workspace import atomic, history, journal
from interlock.workspace.store import Workspace
from terminal_session import Session
from tiers import rounds

WRITER = Path(__file__).with_name("durable_writer.py")
#: What is killed, and the longest time until then, in seconds: a command of each takes about half as long.
KINDS = {"answer": 0.6, "import": 0.8, "milestone": 4.0, "report": 4.0, "probe": 3.0, "org": 0.5}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    early = initialize(tmp_path / "ws", "early")
    for org in early.read().organizations:
        early.remove_organization(org.id)
    assert (
        run(["org", "add", "Riverside", "--id", "riverside", "--url", "sandbox://riverside", "-w", str(early.root)])
        == 0
    )
    return early


class Rounds:
    """Kills writers of one workspace, and looks at what is left."""

    def __init__(self, workspace: Workspace, folder: Path, in_forms: set[str]) -> None:
        self.workspace = workspace
        self.confirmed = folder / "confirmed"
        self.in_forms = in_forms
        self.looked_at: set[tuple[str, int, int]] = set()
        self.total = 0
        items = list(load_inputs(workspace).content.items)
        (workspace.root / "items.json").write_text(
            json.dumps([item for item in items if item.startswith("boundary")][:4])
        )
        self.writer = subprocess.Popen(
            [sys.executable, str(WRITER), str(workspace.root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.writer.stdout is not None and self.writer.stdout.readline() == "ready\n"

    def round(self, kind: str, first: int, seconds: float) -> list[object]:
        """Kill one writer; returns the proofs of what it was told to be saved."""
        self.confirmed.write_bytes(b"")
        order = {"kind": kind, "first": first, "seconds": seconds, "confirmed": str(self.confirmed)}
        assert self.writer.stdin is not None and self.writer.stdout is not None
        self.writer.stdin.write(json.dumps(order) + "\n")
        self.writer.stdin.flush()
        assert self.writer.stdout.readline() == "9\n", "it ended by itself"
        lines = [json.loads(line) for line in self.confirmed.read_text().splitlines(keepends=False)]
        assert all(line["code"] == 0 for line in lines), lines
        self.total += len(lines)
        self.whole()
        return [line["proof"] for line in lines]

    def whole(self) -> None:
        """The workspace opens, every new file in it is whole, and no lock is left."""
        load_inputs(self.workspace)
        for path in filter(self.is_new, (milestone.path for milestone in history.milestones(self.workspace))):
            history.load_assessment(path, self.workspace)
        for org in self.workspace.read().organizations:
            for path in filter(self.is_new, history.observation_files(self.workspace, org.id)):
                history.load_observation(path, self.workspace)
        for path in filter(self.is_new, (self.workspace.root / "observations" / "bodies").glob("*.json.gz")):
            assert hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest() == path.name.removesuffix(".json.gz")
        for path in (self.workspace.root / "reports").glob("*.json"):
            json.loads(path.read_bytes())
        with atomic.locked(self.workspace.root, seconds=2.0):
            pass
        assert journal.unreadable(self.workspace.root) == 0

    def is_new(self, path: Path) -> bool:
        """Whether a file is another one than when it was looked at last."""
        mark = (path.name, path.stat().st_mtime_ns, path.stat().st_ino)
        before = len(self.looked_at)
        self.looked_at.add(mark)
        return len(self.looked_at) > before

    def close(self) -> None:
        assert self.writer.stdin is not None and self.writer.stdout is not None
        self.writer.stdin.close()
        self.writer.wait(60)
        self.writer.stdout.close()


@pytest.fixture
def killing(workspace: Workspace, tmp_path: Path) -> Iterator[Rounds]:
    asked = _forms(workspace, tmp_path)
    session = Rounds(workspace, tmp_path, asked)
    yield session
    session.close()


def _forms(workspace: Workspace, folder: Path) -> set[str]:
    """Two forms of one questionnaire, which answer some of its questions differently; returns these."""
    items = [item for item in load_inputs(workspace).content.items if item.startswith("contract.")][:6]
    for number, note in enumerate(("from the first form", "from the second form")):
        for item in items:
            where = ["--workspace", str(workspace.root)]
            assert run(["answer", item, "--status", "unknown", "--note", note, *where]) == 0
        assert run(["export", "fhir", "--output", str(folder / "forms"), "--workspace", str(workspace.root)]) == 0
        forms = [path for path in (folder / "forms").glob("*") if note in path.read_text()]
        assert len(forms) == 1, forms
        shutil.copy(forms[0], folder / f"form{number}.json")
    answered = (folder / "form1.json").read_text()
    return {item for item in items if f'"{item}"' in answered}


def test_kill_9_loses_nothing_that_was_confirmed(killing: Rounds, capsys: pytest.CaptureFixture[str]) -> None:
    luck = random.Random(20261129)
    workspace, number = killing.workspace, 0
    notes: dict[str, int] = {}
    milestones, observed, orgs = 1, 1, 1
    for turn in range(rounds(12, 300)):
        kind = list(KINDS)[turn % len(KINDS)]
        number += 1000
        proofs = killing.round(kind, number, luck.uniform(0.02, KINDS[kind]))
        match kind:
            case "answer":
                notes |= dict(proofs)  # type: ignore[arg-type]
                stored = workspace.responses("product")
                for item, last in notes.items():
                    held = int((stored[item].note or "").removeprefix("note "))
                    assert held >= last, "a confirmed note is gone"
                    notes[item] = held
            case "import":
                stored = workspace.responses("product")
                assert len({stored[item].note for item in killing.in_forms}) == 1, "an import is there in part"
            case "milestone":
                names = {milestone.name for milestone in history.milestones(workspace)}
                assert {f"m{proof}" for proof in proofs} <= names
                numbers = [milestone.number for milestone in history.milestones(workspace)]
                assert numbers == list(range(1, len(numbers) + 1))
                milestones += len(proofs)
                assert len(numbers) >= milestones
            case "probe":
                observed += len(proofs)
                held_files = len(history.observation_files(workspace, "riverside"))
                assert held_files >= observed
                observed = held_files
            case "org":
                orgs += len(proofs)
                ids = {org.id for org in workspace.read().organizations}
                assert {f"org-{proof}" for proof in proofs} <= ids
                for org in ids - {"riverside"}:
                    workspace.remove_organization(org)
    assert killing.total
    with capsys.disabled():
        print(f"\n{turn + 1} writers killed, {killing.total} saves confirmed, none lost")  # noqa: T201


def test_a_note_that_is_being_typed_survives_kill_9(workspace: Workspace) -> None:
    """Typed for eight seconds, a key at a time, and killed in the middle: all but the last second or so is there."""
    screen = Session(
        "import sys; from interlock.cli.main import main; main(sys.argv[1:])", "assess", str(workspace.root)
    )
    try:
        for keys, shown in (("", "Next question"), ("2", " Unknown "), ("m", "Leave the field")):
            screen.send(keys)
            screen.until(shown)
        typed = ""
        for number in range(rounds(4, 8) * 10):
            typed += f"{number % 10}"
            screen.send(typed[-1])
            time.sleep(0.1)
        screen.signal(signal.SIGKILL)
        assert screen.ended() == -signal.SIGKILL
    finally:
        screen.close()
    notes = [response.note or "" for response in workspace.responses("product").values()]
    notes += [str((entry.response or {}).get("note")) for entry in journal.kept(workspace.root)]
    held = max((note for note in notes if note and typed.startswith(note)), key=len, default="")
    assert len(held) * 2 > len(typed), held


def test_what_killed_writers_left_is_removed_when_it_is_old(workspace: Workspace) -> None:
    folder = workspace.root / "responses"
    folder.mkdir(exist_ok=True)
    old, fresh, foreign = (
        folder / name
        for name in (".product.yaml.0a1b2c3d.interlock.tmp", ".x.yaml.0a1b2c3d.interlock.tmp", ".mine.tmp")
    )
    for path in (old, fresh, foreign):
        path.write_text("half")
    os.utime(old, (time.time() - 86_400,) * 2)
    os.utime(foreign, (time.time() - 86_400,) * 2)
    atomic._cleaned.clear()
    atomic.write_atomically(folder / "product.yaml", b"answers: {}\n", within=workspace.root)
    assert not old.exists() and fresh.exists() and foreign.exists()
    ignored = (workspace.root / ".gitignore").read_text().splitlines()
    assert atomic.TEMPORARY in ignored and atomic.LOCK_NAME in ignored


# -- disks and folders --------------------------------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of one megabyte; skipped by name where none may be mounted."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a tmpfs needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _answer(root: Path, item: str, note: str) -> int:
    return run(["answer", item, "--status", "unknown", "--note", note, "--workspace", str(root)])


def _fill(folder: Path) -> Path:
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as handle:
        try:
            while True:
                handle.write(b"\0" * 1024)
        except OSError as error:
            assert error.errno == errno.ENOSPC
    return filler


def test_a_full_disk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with small_disk(tmp_path / "disk") as disk:
        workspace = initialize(disk / "ws", "blank")
        assert _answer(workspace.root, "boundary.output_stable", "first") == 0
        before = (workspace.root / "responses/product.yaml").read_bytes()
        filler = _fill(disk)
        capsys.readouterr()
        assert _answer(workspace.root, "boundary.output_stable", "second") == 2
        said = " ".join(capsys.readouterr().err.split())
        assert "the disk is full" in said and "is kept in" in said
        assert (workspace.root / "responses/product.yaml").read_bytes() == before
        where = ["--workspace", str(workspace.root)]
        for command in (
            ["milestone", "save", "x"],
            ["report", "--format", "md"],
            ["org", "add", "E", "--url", "https://e.example"],
        ):
            assert run([*command, *where]) == 2
            assert "the disk is full" in " ".join(capsys.readouterr().err.split())
        load_inputs(workspace)
        assert not list(workspace.root.rglob("*.tmp"))
        filler.unlink()
        item = next(item for item in load_inputs(workspace).content.items if item.startswith("contract."))
        assert _answer(workspace.root, item, "third") == 0
        assert workspace.responses("product")["boundary.output_stable"].note == "second"
        assert journal.kept(workspace.root) == ()


def test_a_read_only_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with small_disk(tmp_path / "disk") as disk:
        workspace = initialize(disk / "ws", "blank")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        where = ["--workspace", str(workspace.root)]
        assert run(["score", *where]) == 0, "reading needs no writing"
        capsys.readouterr()
        assert _answer(workspace.root, "boundary.output_stable", "kept") == 2
        said = " ".join(capsys.readouterr().err.split())
        assert "cannot be written" in said and "is kept in" in said
        for command in (["milestone", "save", "x"], ["report", "--format", "md"]):
            assert run([*command, *where]) == 2
            assert "cannot be written" in " ".join(capsys.readouterr().err.split())
        assert run(["report", "--format", "md", "--output", str(tmp_path / "out"), *where]) == 0
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        item = next(item for item in load_inputs(workspace).content.items if item.startswith("contract."))
        assert _answer(workspace.root, item, "x") == 0
        assert workspace.responses("product")["boundary.output_stable"].note == "kept"


# -- writers at once ----------------------------------------------------------------------------------------------

_MANY = """
import sys
from pathlib import Path
from interlock.model.errors import WorkspaceError
from interlock.model.response import Response
from interlock.workspace.responses import DisputedError
from interlock.workspace.store import Workspace
workspace, who, count = Workspace(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
sys.stdin.readline()
for number in range(count):
    response = Response.model_validate({"status": "answered", "value": who})
    for item in (f"{who}.item_{number}", f"shared.item_{number}"):
        try:
            workspace.save_response("product", item, response, before=None)
            print("saved", item)
        except DisputedError:
            print("disputed", item)
        except WorkspaceError as error:  # the machine is so busy that the lock did not come round
            assert "is kept in" in error.message, error
"""


@pytest.mark.parametrize("writers", [2, rounds(5, 10)])
def test_writers_at_once(workspace: Workspace, writers: int) -> None:
    """Each has questions of its own, and all have some in common: one answer stays, all others are kept beside it."""
    count = rounds(4, 12)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _MANY, str(workspace.root), f"w{number}", str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(writers)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=300)[0].split("\n") for process in processes]
    assert [process.returncode for process in processes] == [0] * writers
    workspace.save_response("product", "last.one", None, before=None)  # with whatever is still kept
    stored, names = workspace.responses("product"), {f"w{number}" for number in range(writers)}
    assert {f"{who}.item_{number}" for who in names for number in range(count)} <= stored.keys()
    for item in (f"shared.item_{number}" for number in range(count)):
        saved = [f"w{number}" for number, lines in enumerate(outputs) if f"saved {item}" in lines]
        assert len(saved) <= 1, "one of them went over the other"
        there = str(stored[item].value)
        assert there in (saved or names)
        kept = {str((entry.response or {})["value"]) for entry in journal.kept(workspace.root) if entry.item == item}
        assert kept == names - {there}


# -- clocks -------------------------------------------------------------------------------------------------------


def _seen(minutes: int, outcome: str = "not_observed") -> Observation:
    return Observation(
        target=Target(base_url="https://ehr.example.org/fhir", org="riverside"),
        started=datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=minutes),
        elapsed_ms=1.5,
        outcome=outcome,  # type: ignore[arg-type]
    )


def test_the_last_observation_is_the_last_although_the_clock_was_set_back(workspace: Workspace) -> None:
    for minutes in (60, 5, 5, 120, 1):
        history.save_observation(workspace, _seen(minutes))
        latest = history.latest_observation(workspace, "riverside")
        assert latest is not None and latest.started == _seen(minutes).started
    assert len(history.observation_files(workspace, "riverside")) == 5


def test_milestones_are_in_the_order_in_which_they_were_saved(workspace: Workspace) -> None:
    where = ["--workspace", str(workspace.root)]
    for name in ("first", "second"):
        assert run(["milestone", "save", name, *where]) == 0
    early, late = (milestone.path for milestone in history.milestones(workspace))
    os.utime(late, (1_000_000_000,) * 2)
    assert [milestone.name for milestone in history.milestones(workspace)] == ["first", "second"]
    assert history.find_milestone(history.milestones(workspace), "last") is not None
    assert early.exists()


def test_answers_are_compared_by_what_they_say_and_not_by_their_time(workspace: Workspace) -> None:
    from interlock.usecases.answer import make_response

    content = load_inputs(workspace).content
    item = content.item("boundary.output_stable")
    before = workspace.responses("product").get(item.id)
    for hour in (12, 3, 9):
        response = make_response(
            item, item.options[hour % 2].value, note=f"{hour} o'clock", now=datetime(2026, 1, 1, hour, tzinfo=UTC)
        )
        workspace.save_response("product", item.id, response, before=before)
        before = response
    assert workspace.responses("product")[item.id].note == "9 o'clock"


# -- earlier files ------------------------------------------------------------------------------------------------

EARLIER = sorted(Path(__file__).with_name("earlier_workspaces").glob("*.tar.xz"))


@pytest.mark.parametrize("packed", EARLIER, ids=lambda packed: packed.name.partition(".")[0])
def test_every_earlier_workspace_opens(packed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each was made by the program of that day: answers, an observation, a milestone, a contract."""
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path, filter="data")
    where = ["--workspace", str(tmp_path / "ws")]
    for command in (["score"], ["gaps"], ["observe", "riverside"], ["diff", "1", "now"], ["milestone", "burndown"]):
        assert run([*command, *where]) == 0, (command, capsys.readouterr().err)
    assert "riverside" in capsys.readouterr().out
    assert run(["observe", "riverside", "--recheck", *where]) == 0
    assert run(["answer", "boundary.output_stable", "--status", "unknown", *where]) == 0
    assert "it was 'unknown'" in capsys.readouterr().err
