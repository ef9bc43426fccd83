"""A workspace that somebody else filled: what leads out of it, never ends, costs too much or is no text of a person."""

from __future__ import annotations

import errno
import json
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from interlock.cli.main import run
from interlock.documents.resources import data_dir
from interlock.model.errors import InterlockError
from interlock.model.observation import Observation, Target
from interlock.usecases.initialize import initialize
from interlock.workspace import history
from interlock.workspace.store import Workspace
from tiers import LONG

SECRET = "MIIEvQIBADANBgkqhkiG9w0B"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "id_rsa").write_text(f"-----BEGIN PRIVATE KEY-----\n{SECRET}: [\n")
    (folder / "org.yaml").write_text("id: north\nname: Outside\n")
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    blank = initialize(tmp_path / "ws", "blank")
    (blank.root / "orgs").mkdir(exist_ok=True)
    (blank.root / "orgs" / "north.yaml").write_text("id: north\nname: North\n")
    (blank.root / "responses").mkdir(exist_ok=True)
    return blank


def told(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    """The exit code, and all that was printed."""
    code = run([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def moved_out(workspace: Workspace, name: str, outside: Path) -> Path:
    """Put a link in the place of a file or folder, to what was there, moved outside."""
    path, target = workspace.root / name, outside / Path(name).name
    if path.exists():
        path.rename(target)
    elif not path.suffix:
        target.mkdir()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    return target


# -- links --------------------------------------------------------------------------------------------------------

READERS = {
    "interlock.yaml": ("score",),
    "contract.yaml": ("score",),
    "orgs": ("score",),
    "orgs/north.yaml": ("score",),
    "responses": ("answer", "boundary.output_stable", "--status", "unknown"),
    "responses/product.yaml": ("answer", "boundary.output_stable", "--status", "unknown"),
    "tasks.yaml": ("task", "list"),
    "milestones": ("milestone", "list"),
    "questionnaires": ("score",),
    "rulesets": ("score",),
}


@pytest.mark.parametrize("name", READERS)
def test_nothing_is_read_through_a_link_that_leads_out(
    workspace: Workspace, outside: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    moved_out(workspace, name, outside)
    code, said = told(capsys, *READERS[name], "--workspace", workspace.root)
    assert code == 2, said
    assert "leads out" in said and Path(name).name in said
    assert str(outside) in " ".join(said.split()).replace(" ", "") or str(outside) in said


LINKED = ("interlock.yaml", "contract.yaml", "orgs/x.yaml", "responses/product.yaml", "tasks.yaml")
SAYING = (("score",), ("lint",), ("doctor",), ("contract", "lint"))


@pytest.mark.parametrize(
    ("name", "command"),
    [
        (name, command)
        for number, name in enumerate(LINKED)
        for turn, command in enumerate(SAYING)
        if LONG or turn in (0, 1 + number % 3)  # otherwise one that reads everything, and one of the others
    ],
)
def test_the_content_of_a_file_outside_is_never_shown(
    workspace: Workspace, outside: Path, name: str, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    path = workspace.root / name
    path.unlink(missing_ok=True)
    path.symlink_to(outside / "id_rsa")
    where = [workspace.root] if "lint" in command else ["--workspace", workspace.root]
    _, said = told(capsys, *command, *where)
    assert SECRET not in said


def test_a_ruleset_is_a_name_and_no_path(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace.root / "interlock.yaml").write_text('name: x\nproduct: y\nruleset: "../../../etc"\n')
    code, said = told(capsys, "score", "--workspace", workspace.root)
    assert code == 2
    assert "ruleset: " in said and "interlock.yaml:3:" in said and "etc" in said


WRITERS = {
    "responses": ("answer", "boundary.output_stable", "--status", "unknown"),
    "milestones": ("milestone", "save", "first"),
    "orgs": ("org", "add", "East", "--url", "https://ehr.example.org/fhir"),
    "reports": ("report", "--format", "md"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_nothing_is_written_through_a_link_that_leads_out(
    workspace: Workspace, outside: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    target = outside / "elsewhere"
    target.mkdir()
    path = workspace.root / name
    for file in path.iterdir() if path.is_dir() else ():
        file.unlink()
    if path.is_dir():
        path.rmdir()
    path.symlink_to(target)
    code, said = told(capsys, *WRITERS[name], "--workspace", workspace.root)
    assert code == 2, said
    assert "leads out" in said
    assert not list(target.iterdir())


def test_observations_are_not_written_or_read_through_a_link(workspace: Workspace, outside: Path) -> None:
    observation = Observation(
        target=Target(base_url="https://ehr.example.org/fhir", org="north"),
        started=datetime(2026, 1, 1, tzinfo=UTC),
        elapsed_ms=1.0,
        outcome="not_observed",
    )
    target = moved_out(workspace, "observations", outside)
    for act in (
        lambda: history.save_observation(workspace, observation),
        lambda: history.save_body(workspace, b"{}"),
        lambda: history.latest_observation(workspace, "north"),
    ):
        with pytest.raises(InterlockError, match="leads out"):
            act()
    assert not list(target.iterdir())


def test_a_report_goes_where_its_user_says(
    workspace: Workspace, outside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = told(capsys, "report", "--format", "md", "--output", outside, "--workspace", workspace.root)
    assert code == 0, said
    assert (outside / "report.md").exists()


def test_a_link_in_the_place_of_a_report_is_replaced_and_not_followed(
    workspace: Workspace, outside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace.root / "reports").mkdir()
    (workspace.root / "reports" / "report.md").symlink_to(outside / "id_rsa")
    before = (outside / "id_rsa").read_text()
    assert told(capsys, "report", "--format", "md", "--workspace", workspace.root)[0] == 0
    assert (outside / "id_rsa").read_text() == before
    assert not (workspace.root / "reports" / "report.md").is_symlink()


def test_the_lock_is_no_link(workspace: Workspace, outside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace.root / ".interlock.lock").unlink(missing_ok=True)
    (workspace.root / ".interlock.lock").symlink_to(outside / "id_rsa")
    before = (outside / "id_rsa").read_text()
    code, said = told(capsys, *WRITERS["responses"], "--workspace", workspace.root)
    assert code == 2
    assert "the lock is no file" in said and "is kept in" in said
    assert (outside / "id_rsa").read_text() == before


def test_a_link_that_stays_inside_is_followed(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace.root / "orgs" / "north.yaml").rename(workspace.root / "shared.yaml")
    (workspace.root / "orgs" / "north.yaml").symlink_to("../shared.yaml")
    code, said = told(capsys, "org", "list", "--workspace", workspace.root)
    assert code == 0 and "North" in said


# -- what is no file ----------------------------------------------------------------------------------------------


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the name of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    finally:
        os.chdir(here)


def _device(path: Path) -> None:
    try:
        os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))  # /dev/zero
    except OSError as error:
        if error.errno in {errno.EPERM, errno.EACCES}:
            pytest.skip("only root makes devices")
        raise


@pytest.mark.parametrize("make", [_fifo, _socket, _device, Path.mkdir], ids=["fifo", "socket", "device", "folder"])
@pytest.mark.parametrize(
    "name",
    ["contract.yaml", "orgs/x.yaml", "responses/product.yaml", "milestones/1-x.json", "observations/north/x.json"],
)
def test_what_is_no_file_is_told_and_waits_for_nobody(
    workspace: Workspace, name: str, make: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    path = workspace.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    make(path)
    command = ("diff", "1", "now") if name.startswith("milestones") else ("score",)
    code, said = told(capsys, *command, "--workspace", workspace.root)
    assert code == 2, said
    assert path.name in said


# -- cost ---------------------------------------------------------------------------------------------------------

BOMBS = {
    "orgs/x.yaml": "[" * 50_000,
    "orgs/y.yaml": "- " * 50_000,
    "responses/product.yaml": "answers: " + "{a: " * 50_000,
    "contract.yaml": "a: &a [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1 or ''}, *a{n - 1 or ''}]\n" for n in range(1, 60)),
    "interlock.yaml": "name: x\nproduct: [" + "{}," * 1_000_000 + "]\n",
    "questionnaires/x.yaml": "\n".join("  " * depth + "a:" for depth in range(900)),
    "milestones/1-x.json": "[" * 50_000,
    "milestones/2-x.json": '{"a":[' + "{}," * 3_000_000 + "{}]}",
    "observations/north/x.json": '{"target":' * 50_000,
    "observations/north/y.json": "[" + "0," * 4_000_000 + "0]",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_told_in_words_within_bounds(workspace: Workspace, name: str) -> None:
    path = workspace.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(BOMBS[name])
    command = ["diff", path.stem.partition("-")[0], "now"] if "milestones" in name else ["score"]
    done = subprocess.run(
        [sys.executable, "-m", "interlock", *command, "--workspace", str(workspace.root)],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1_500_000_000, 1_500_000_000)),
    )
    assert done.returncode == 2, (done.returncode, done.stderr[-500:])
    assert path.name in done.stderr
    assert "Traceback" not in done.stderr


def test_a_body_that_unfolds_for_ever_is_bounded(workspace: Workspace) -> None:
    import gzip

    folder = workspace.root / "observations" / "bodies"
    folder.mkdir(parents=True)
    digest = "0" * 64
    (folder / f"{digest}.json.gz").write_bytes(gzip.compress(b" " * 70_000_000))
    with pytest.raises(InterlockError, match="not what its name says"):
        history.load_bodies(workspace, [digest])


# -- dates and numbers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("interlock.yaml", "name: x\nproduct: y\nstart: '9999-12-31'\n"),
        ("interlock.yaml", "name: x\nproduct: y\nstart: '0001-01-01'\n"),
        ("interlock.yaml", "name: x\nproduct: y\nstart: '2026-02-31'\n"),
        ("interlock.yaml", "name: x\nproduct: y\nholidays: ['9999-12-31']\n"),
        ("interlock.yaml", "name: x\nproduct: y\nfreezes: [{from: '0001-01-01', to: '9999-12-31'}]\n"),
        ("interlock.yaml", "name: x\nproduct: y\ncapacity: {us: 1e400}\n"),
        ("interlock.yaml", "name: x\nproduct: y\nseed: 99999999999999999999\n"),
        ("orgs/north.yaml", "id: north\nname: N\naccess_windows: {every_days: .inf, open_days: 1}\n"),
        ("orgs/north.yaml", "id: north\nname: N\noverrides: {x: 1e999}\n"),
        ("responses/product.yaml", "answers: {a.b: {status: unknown, at: '9999-12-31T23:59:59Z'}}\n"),
        (
            "contract.yaml",
            "version: '1'\ntitle: x\ntest_path: [{behaviour: x, where: live, runs_per_week: 1e300}]\n",
        ),
    ],
)
def test_dates_and_numbers_have_bounds(
    workspace: Workspace, name: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace.root / name).write_text(text)
    code, said = told(capsys, "score", "--workspace", workspace.root)
    assert code == 2, said
    assert Path(name).name in said


def test_the_furthest_dates_and_the_longest_times_still_make_a_plan(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = "name: x\nproduct: y\nstart: '2200-12-31'\ncapacity: {us: 0.001}\nruleset: slow\n"
    (workspace.root / "interlock.yaml").write_text(settings)
    folder = workspace.root / "rulesets" / "slow" / "tasks"
    folder.mkdir(parents=True)
    (folder.parent / "ruleset.yaml").write_text("id: slow\nversion: '1'\ntitle: Slow\nextends: core\n")
    shipped = yaml.safe_load(next((data_dir("rulesets") / "core" / "tasks").glob("*.yaml")).read_text())
    for task in shipped["tasks"]:
        task["lead_time"] = {
            **dict.fromkeys(("low", "expected", "high"), 10_000),
            **{"grade": "judgement", "source": "judgement", "as_of": "2026"},
        }
    (folder / "slow.yaml").write_text(yaml.safe_dump(shipped))
    code, said = told(capsys, "plan", "--runs", "100", "--workspace", workspace.root)
    assert code == 0, said
    code, said = told(capsys, "plan", "--by", "9999-12-31", "--workspace", workspace.root)
    assert code == 2 and "is not a day that a plan can reckon with" in said


# -- text ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("escape", [r"\e]52;c;x", r"\x9b2J", r"\u202e", r"\u2066", r"\u2028", r"\uFFFE", r"\U000E0041"])
def test_what_no_person_writes_is_refused_with_its_line(
    workspace: Workspace, escape: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace.root / "responses" / "product.yaml").write_text(
        f'answers:\n  a.b:\n    status: unknown\n    evidence_url: "https://x/{escape}"\n'
    )
    code, said = told(capsys, "score", "--workspace", workspace.root)
    assert code == 2
    assert "product.yaml:4:" in said and "U+" in said


@pytest.mark.parametrize("character", ["\x1b", "\x9b", "\u202e", "\u2028", "\U000e0041", "\ufdd0"])
def test_commands_refuse_it_too(workspace: Workspace, character: str, capsys: pytest.CaptureFixture[str]) -> None:
    question = ("answer", "boundary.output_stable", "--status", "unknown")
    for command in (
        (*question, "--note", f"a{character}b"),
        (*question, "--link", f"https://x/{character}"),
        ("org", "add", f"East{character}", "--url", "https://ehr.example.org/fhir"),
        ("org", "add", "East", "--url", f"https://ehr.example.org/{character}"),
        ("org", "edit", "north", "--name", f"North{character}"),
    ):
        code, said = told(capsys, *command, "--workspace", workspace.root)
        assert code == 2, (command, said)
        assert "U+" in said, said
        assert character not in said
    assert not (workspace.root / "orgs" / "east.yaml").exists()


def test_what_a_tool_wrote_is_read_with_symbols(workspace: Workspace) -> None:
    observation = Observation(
        target=Target(base_url="https://ehr.example.org/fhir", org="north", name="N"),
        started=datetime(2026, 1, 1, tzinfo=UTC),
        elapsed_ms=1.0,
        outcome="not_observed",
    )
    path = history.save_observation(workspace, observation)
    document = json.loads(path.read_text())
    document["target"]["name"] = 'a\x1b[2Jb\u202ec\x9bd\\u001be\\\\u001b"\U0001f3e5\x7f'
    for text in (json.dumps(document), json.dumps(document, ensure_ascii=False)):
        path.write_text(text.replace("HALF", "\\ud800"))
        name = history.load_observation(path, workspace).target.name
        assert name == 'a␛[2Jb\ufffdc\ufffdd\\u001be\\\\u001b"\U0001f3e5␡'
    document["target"]["name"] = "HALF"
    path.write_text(json.dumps(document).replace("HALF", "\\ud800x\\ude00\\ud83c\\udfe5"))
    assert history.load_observation(path, workspace).target.name == "\ufffdx\ufffd\U0001f3e5"


# -- merges, names, versions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["interlock.yaml", "contract.yaml", "orgs/north.yaml", "responses/product.yaml", "milestones/1-x.json"]
)
def test_an_unfinished_merge_is_told_as_such(
    workspace: Workspace, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = workspace.root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("name: x\n<<<<<<< HEAD\nproduct: y\n=======\nproduct: z\n>>>>>>> origin/main\n")
    command = ("diff", "1", "now") if name.startswith("milestones") else ("score",)
    code, said = told(capsys, *command, "--workspace", workspace.root)
    assert code == 2
    assert "unresolved merge conflicts at line 2" in " ".join(said.split())
    assert "resolve them in git" in " ".join(said.split())


@pytest.mark.parametrize("name", ["con", "nul", "aux", "prn", "com1", "lpt9"])
def test_devices_of_windows_are_no_ids(workspace: Workspace, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace.root / "orgs" / f"{name}.yaml").write_text(f"id: {name}\nname: X\n")
    code, said = told(capsys, "score", "--workspace", workspace.root)
    assert code == 2 and "Windows" in said
    (workspace.root / "orgs" / f"{name}.yaml").unlink()
    code, said = told(capsys, "org", "add", name, "--url", "https://ehr.example.org/fhir", "-w", workspace.root)
    assert code == 0, said
    assert (workspace.root / "orgs" / f"{name}-1.yaml").exists()


def test_a_newer_workspace_is_refused_in_words(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    settings = workspace.root / "interlock.yaml"
    settings.write_text("schema: 2\nunheard: of\n" + settings.read_text())
    code, said = told(capsys, "score", "--workspace", workspace.root)
    assert code == 2
    assert "made by a newer Interlock (schema 2" in " ".join(said.split()) and "update Interlock" in said


def test_a_newer_record_is_refused_in_words(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("milestones/1-x.json", "observations/north/2026-01-01T000000.000000Z.json"):
        path = workspace.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"unheard": "of", "schema_version": "4"}')
        command = ("diff", "1", "now") if "milestones" in name else ("score",)
        code, said = told(capsys, *command, "--workspace", workspace.root)
        assert code == 2
        reads = 3 if "milestones" in name else 1
        assert f"made by a newer Interlock (schema 4; this one reads up to {reads})" in " ".join(said.split())
