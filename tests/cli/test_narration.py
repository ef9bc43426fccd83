"""--log-file, --verbose and --timings: what the program tells besides its output."""

from __future__ import annotations

import json
import logging
import re
import shutil
import stat
from pathlib import Path

import pytest
from hostile_text import HOSTILE

from interlock.cli import logs
from interlock.cli.main import run
from interlock.documents.resources import data_dir
from interlock.documents.timing import timed, timing

CANARY = "canary-7aa1f0c3b2"


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A sample workspace with one simulated organisation."""
    return Path(shutil.copytree(data_dir("samples") / "templates" / "early", tmp_path / "early"))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "interlock.log"


def test_a_log_tells_what_was_run_and_how_it_ended(command, workspace: Path, log: Path) -> None:
    assert command("--log-file", log, "--workspace", workspace, "score", "--fail-under=99").code == 1
    first, *_, last = lines(log)
    assert first["message"] == "command begins"
    assert first["fields"]["command"] == "--log-file --workspace score --fail-under"
    assert (last["message"], last["fields"]["exit_code"]) == ("command ends", 1)
    assert last["fields"]["seconds"] >= 0
    assert {line["run"] for line in lines(log)} == {first["run"]}
    assert re.fullmatch(r"[0-9a-f]{16}", first["run"])
    assert first["time"].endswith("+00:00")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_runs_are_added_and_told_apart(command, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERLOCK_LOG_FILE", str(log))
    command("config", "schema")
    command("config", "schema")
    assert [line["message"] for line in lines(log)] == ["command begins", "command ends"] * 2
    assert len({line["run"] for line in lines(log)}) == 2


def test_requests_writes_and_locks_are_told(command, workspace: Path, log: Path) -> None:
    assert command("--log-file", log, "-w", workspace, "probe", "--org", "riverside").code == 0
    told = lines(log)
    requests = [line["fields"] for line in told if line["message"] == "request"]
    assert any(fields["url"].endswith("/metadata") and fields["status"] == 200 for fields in requests)
    assert all(fields["method"] == "GET" and fields["elapsed_ms"] > 0 for fields in requests)
    assert any("observations" in line["fields"]["file"] for line in told if line["message"] == "file written")
    assert all(line["fields"]["waited_ms"] >= 0 for line in told if line["message"] == "locked")
    assert "locked" in {line["message"] for line in told}


def test_a_crash_is_told_under_the_same_run_as_its_report(command, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from interlock.cli.crash import crash_folder

    monkeypatch.setattr("interlock.cli.commands.lint.lint_content", lambda *_: 1 / 0)
    assert command("--log-file", log, "lint").code == 70
    _, crash, last = lines(log)
    assert (crash["message"], crash["level"], crash["fields"]["type"]) == ("crash", "critical", "ZeroDivisionError")
    assert last["fields"]["exit_code"] == 70
    assert [path.stem.split("-")[1] for path in crash_folder().iterdir()] == [last["run"]]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_stays_one_line_of_ascii(
    log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest's own cannot hand a lone surrogate on
    with logs.logging_to(log, verbose=True, run_id="0"):
        logging.getLogger("interlock.x").info("%s", text, extra={"fields": {"field": text}})
        logging.getLogger("elsewhere").warning("%s", text)
    raw = log.read_bytes()
    assert len(lines(log)) == raw.count(b"\n") == 2
    assert all(byte == 10 or 32 <= byte < 127 for byte in raw)
    shown = capsys.readouterr().err
    assert shown.count("\n") == 2
    assert all(character == "\n" or character.isprintable() for character in shown)


@pytest.mark.parametrize(
    "told",
    [
        f"https://u:{CANARY}@h.example/",
        f"https://h.example/?apikey={CANARY}&x=1",
        f"Bearer {CANARY}",
        f"it is {CANARY}",
    ],
)
def test_no_secret_is_logged(
    log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    if told.startswith("it is"):
        monkeypatch.setenv("INTERLOCK_CRED_X", CANARY)
    logger = logging.getLogger("interlock.x")
    with logs.logging_to(log, verbose=True, run_id="0"):
        logger.info(told, extra={"fields": {"url": told}})
        try:
            raise ValueError(told)
        except ValueError:
            logger.exception("failed")
    assert CANARY not in log.read_text("ascii") + capsys.readouterr().err
    assert lines(log)[1]["fields"]["error"] == "ValueError"


def test_verbose_tells_the_same_on_stderr_and_leaves_the_output_alone(command, workspace: Path) -> None:
    quiet = command("-w", workspace, "org", "list", "--format", "json")
    verbose = command("-v", "-w", workspace, "org", "list", "--format", "json")
    assert quiet.out == verbose.out
    assert "command begins command=-v -w org list --format" in verbose.err
    assert quiet.err == ""


def test_a_log_that_cannot_be_written_is_bad_input(command, tmp_path: Path) -> None:
    result = command("--log-file", tmp_path / "no" / "folder.log", "config", "schema")
    assert result.code == 2
    assert "the log cannot be written" in result.err


def test_a_log_is_bounded(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_BYTES", 20_000)
    with logs.logging_to(log, verbose=False, run_id="0"):
        for _ in range(40):
            logging.getLogger("interlock.x").info("x" * 9_000)
    files = sorted(log.parent.iterdir())
    assert [path.name for path in files] == ["interlock.log", "interlock.log.1"]
    assert all(path.stat().st_size <= 20_000 and stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_log_on_a_full_disk_is_given_up_once(command, monkeypatch: pytest.MonkeyPatch) -> None:
    result = command("--log-file", "/dev/full", "config", "schema")
    assert result.code == 0
    assert result.err.count("cannot be written any more") == 1


def test_timings_tell_the_phases_and_their_sum(command, workspace: Path) -> None:
    result = command("--timings", "-w", workspace, "plan")
    assert result.code == 0
    rows = re.findall(r"^ *([\d.]+) ms  (.+)$", result.err, re.MULTILINE)
    phases = {phase: float(ms) for ms, phase in rows}
    assert {"read workspace", "judge", "plan", "everything else", "start of the program"} <= phases.keys()
    assert phases.pop("total") == pytest.approx(sum(phases.values()), abs=1)


def test_nothing_is_timed_after_a_run_nor_logged(command, log: Path) -> None:
    import builtins

    before = (builtins.__import__, logging.getLogger("interlock").level, list(logging.getLogger().handlers))
    command("--timings", "-v", "--log-file", log, "config", "schema")
    assert run(["--timings", "--log-file", str(log), "no-such-command"]) == 2
    assert before == (builtins.__import__, logging.getLogger("interlock").level, list(logging.getLogger().handlers))


def test_a_phase_counts_without_what_lies_inside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    monkeypatch.setattr("interlock.documents.timing.perf_counter", lambda: float(next(clock)))
    with timing() as phases:
        with timed("outer"), timed("inner"):  # 0 to 3, and within it 1 to 2
            pass
        with timed("inner"):  # 4 to 5
            pass
    assert phases == {"inner": 2.0, "outer": 2.0}
