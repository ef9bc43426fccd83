"""A failure of Interlock itself: three lines, a crash report without secrets, exit code 70."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from interlock.cli import crash
from interlock.cli.main import run
from interlock.documents.resources import data_dir

CANARY = "canary-5f2c9be1d7"


def reports() -> list[Path]:
    return sorted(crash.crash_folder().glob("*.txt"))


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A sample workspace with one simulated organisation."""
    return Path(shutil.copytree(data_dir("samples") / "templates" / "early", tmp_path / "early"))


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch):
    """Makes `interlock lint` fail with an exception of the test's choice."""

    def fail(error: BaseException) -> None:
        def raising(*_: object, **__: object) -> None:
            secret_local = CANARY  # noqa: F841  # a local variable that no report may hold
            raise error

        monkeypatch.setattr("interlock.cli.commands.lint.lint_content", raising)

    return fail


def test_three_lines_and_a_report(command, failing, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(TypeError("it broke"))
    result = command("--workspace", workspace, "lint", "--format=json")
    assert result.code == 70
    assert result.out == ""
    happened, position, remedy = result.err.splitlines()
    assert "TypeError" in happened
    (report,) = reports()
    assert str(report) in position
    assert remedy.startswith("   do: ")
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    text = report.read_text("utf-8")
    for told in ("it broke", "Traceback", "0.1", "Python", "--workspace lint --format\n"):
        assert told in text
    assert str(workspace) not in text  # an option's value
    assert CANARY not in text


SECRETIVE = [
    f"connecting to https://user:{CANARY}@host.example/fhir",
    f"GET https://host.example/fhir?apikey={CANARY}&x=1",
    f"GET https://host.example/fhir?x=1&access_token={CANARY}",
    f"Authorization: Bearer {CANARY}",
    f'{{"client_secret": "{CANARY}"}}',
    f"password={CANARY}",
    f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----",
]


@pytest.mark.parametrize("message", SECRETIVE)
def test_a_message_is_told_without_what_looks_secret(command, failing, message: str) -> None:
    failing(RuntimeError(message))
    result = command("lint")
    assert result.code == 70
    assert CANARY not in result.err + reports()[0].read_text("utf-8")


@pytest.mark.parametrize("name", ["INTERLOCK_CRED_RIVERSIDE", "GITHUB_TOKEN", "DB_PASSWORD", "api_key", "X_SECRET_Y"])
@pytest.mark.parametrize("spelled", ["{}", "a{}b", "{!r}"])
def test_values_of_variables_that_name_credentials_are_hidden(
    command, failing, monkeypatch: pytest.MonkeyPatch, name: str, spelled: str
) -> None:
    value = f"{CANARY}/+\"'\\é\nsecond"
    monkeypatch.setenv(name, value)
    error = KeyError(spelled.format(value))
    error.__cause__ = ValueError(value)
    error.add_note(f"while using {value}")
    failing(error)
    command("lint")
    assert CANARY not in reports()[0].read_text("utf-8")


def test_a_secret_that_was_read_is_hidden_wherever_it_came_from(command, failing) -> None:
    from interlock.probe.transport.credentials import Secret

    failing(ExceptionGroup("two", [ValueError(Secret(CANARY).reveal()), ValueError("other")]))
    command("lint")
    text = reports()[0].read_text("utf-8")
    assert CANARY not in text
    assert "other" in text


def test_the_program_text_of_a_traceback_stays(command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        token = str(1 / 0)  # noqa: F841  # its name is no secret

    monkeypatch.setattr("interlock.cli.commands.lint.lint_content", broken)
    command("lint")
    assert "token = str(1 / 0)" in reports()[0].read_text("utf-8")


def test_the_home_folder_is_not_named(command, failing) -> None:
    failing(RuntimeError(f"in {Path.home() / 'clients' / 'x.yaml'}"))
    command("lint")
    assert f"in ~{os.sep}clients" in reports()[0].read_text("utf-8")


def test_control_characters_of_a_message_reach_neither_terminal_nor_report(command, failing) -> None:
    failing(type("Odd\x1b[2J", (Exception,), {})("\x1b]52;c;AAAA\x07 \x9b2J \u202e"))
    result = command("lint")
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(result.err + reports()[0].read_text("utf-8"))


def recurse(depth: int = 0) -> int:
    return recurse(depth + 1) + 1


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


KINDS = [MemoryError(), RecursionError("too deep"), UnspeakableError(), GeneratorExit(), AssertionError()]


@pytest.mark.parametrize("error", KINDS, ids=lambda error: type(error).__name__)
def test_every_kind_of_exception_is_told(command, failing, error: BaseException) -> None:
    failing(error)
    result = command("lint")
    assert result.code == 70
    assert type(error).__name__ in result.err
    assert reports()


def test_real_recursion_is_told_in_a_report_of_bounded_length(command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interlock.cli.commands.lint.lint_content", lambda *_, **__: recurse())
    assert command("lint").code == 70
    assert len(reports()[0].read_text("utf-8").splitlines()) < 400


def test_the_oldest_reports_are_dropped(command, failing) -> None:
    folder = crash.crash_folder()
    folder.mkdir(parents=True)
    for day in range(1, 29):
        (folder / f"202001{day:02}T000000Z-0.txt").touch()
    failing(TypeError("new"))
    command("lint")
    kept = reports()
    assert len(kept) == crash.KEPT
    assert "new" in kept[-1].read_text("utf-8")


def test_without_a_folder_to_write_the_traceback_is_shown(command, failing, monkeypatch: pytest.MonkeyPatch) -> None:
    Path.home().joinpath("file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(Path.home() / "file"))
    monkeypatch.setenv("MY_TOKEN", CANARY)
    failing(TypeError(f"it broke {CANARY}"))
    result = command("lint")
    assert result.code == 70
    assert "no crash report could be written" in result.err
    assert "TypeError: it broke" in result.err
    assert CANARY not in result.err


@pytest.mark.parametrize(
    ("error", "code"),
    [(KeyboardInterrupt(), 130), (BrokenPipeError(), 141), (SystemExit(2), 2)],
    ids=["^C", "pipe", "exit"],
)
def test_what_is_no_crash_stays_as_it_is(
    failing, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    monkeypatch.setattr("interlock.cli.main._drop_output", lambda: None)
    failing(error)
    assert run(["lint"]) == code
    assert reports() == []


def test_a_command_that_cannot_be_imported(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "sys.modules['interlock.usecases.score'] = None\n"
        "from interlock.cli.main import main\n"
        "main(['score'])\n"
    )
    assert_crash(code, "ModuleNotFoundError")


def test_a_command_line_that_cannot_be_set_up() -> None:
    assert_crash(
        "import sys\nsys.modules['interlock.cli.options'] = None\nfrom interlock.cli.main import main\nmain()\n",
        "ModuleNotFoundError",
    )


def assert_crash(code: str, name: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 70, done.stderr
    assert name in done.stderr
    assert len(done.stderr.splitlines()) == 3
    assert "Traceback" in reports()[0].read_text("utf-8")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize(
    "arguments", [["--version"], ["config", "schema", "assessment"], ["questions", "--format", "json"]]
)
def test_a_full_disk_under_the_output_is_no_crash(workspace: Path, arguments: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "interlock", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=workspace,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, reports()) == (2, [])
    assert "the disk is full" in done.stderr
    assert "Traceback" not in done.stderr
