"""Whole directories: every target once, whatever happens on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from probe_documents import smart, statement
from probe_loopback import Loopback, Reply, Request, as_json, hang, slam

import interlock.probe.runner as runner_module
from interlock.model.errors import InterlockError
from interlock.model.fleet import FleetSummary
from interlock.model.observation import Target
from interlock.probe.fleet_lines import LineReader
from interlock.usecases.fleet import FleetProgress, probe_fleet
from interlock.usecases.probe import ProbeSettings
from typed_targets import typed

SETTINGS = ProbeSettings(per_host=16, deadline_s=5)
ALLOWED = ["--allow-private", "127.0.0.0/8"]


@pytest.fixture
def served(loopback: Loopback) -> Loopback:
    """Answers any base below its origin."""

    class Anywhere(dict[str, Any]):
        def get(self, path: str, default: Any = None) -> Any:
            if path in self:
                return self[path]
            if path.endswith("/metadata"):
                return as_json(statement(publisher=path))
            return as_json(smart()) if path.endswith("/smart-configuration") else default

    loopback.routes = Anywhere(loopback.routes)
    return loopback


def targets(loopback: Loopback, count: int, host: str = "127.0.0.1") -> list[Target]:
    return [Target(base_url=f"http://{host}:{loopback.port}/{number}/fhir") for number in range(count)]


def allowing(loopback: Loopback) -> ProbeSettings:
    return typed(SETTINGS, *(f"http://127.0.0.{last}:{loopback.port}" for last in (1, 2, 3)))


def urls(lines: list[bytes]) -> list[str]:
    return [json.loads(line)["target"]["base_url"] for line in lines]


def test_each_target_is_one_line_that_can_be_read_back(served: Loopback) -> None:
    wanted = targets(served, 12)
    lines: list[bytes] = []
    progress: list[FleetProgress] = []
    run = probe_fleet(wanted, allowing(served), on_line=lines.append, on_progress=progress.append)
    assert sorted(urls(lines)) == sorted(target.base_url for target in wanted)
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines)
    reader = LineReader()
    assert {reader.read(line).outcome for line in lines} == {"observed"}
    assert run.outcomes == {"observed": 12}
    assert run.vendors == {"Example EHR": 12}
    assert run.releases == {"R4": 12}
    assert (progress[-1].done, progress[-1].total) == (12, 12)


def test_the_summary_counts_what_failed_and_why(served: Loopback) -> None:
    served.routes["/0/fhir/metadata"] = served.routes["/0/fhir/.well-known/smart-configuration"] = slam
    served.routes["/1/fhir/metadata"] = Reply(b"<!doctype html>", 200, "text/html")
    served.routes["/1/fhir/.well-known/smart-configuration"] = as_json({})
    wanted = [target.model_copy(update={"vendor": "Made Up"}) for target in targets(served, 3)]
    run = probe_fleet(wanted, allowing(served), on_line=lambda line: None)
    summary = run
    assert summary.outcomes == {"not_observed": 2, "observed": 1}
    assert summary.reasons == {"reset": 1, "html": 1}
    assert summary.vendors == {"Made Up": 3}
    failed = {check.id: check for check in summary.failed_checks}
    assert failed["SMART-001"].count == 1
    assert failed["SMART-001"].title
    assert run.failed_checks
    assert summary.errors == 0


def test_a_mistake_of_this_program_costs_one_target_only(served: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    real = runner_module.probe_target

    async def broken(target: Target, *arguments: Any) -> Any:
        if "/1/" in target.base_url:
            raise ZeroDivisionError("surprise")
        return await real(target, *arguments)

    monkeypatch.setattr(runner_module, "probe_target", broken)
    lines: list[bytes] = []
    run = probe_fleet(targets(served, 3), allowing(served), on_line=lines.append)
    assert run.errors == 1
    assert run.outcomes == {"observed": 2, "not_observed": 1}
    reader = LineReader()
    (crashed,) = [seen for seen in map(reader.read, lines) if "/1/" in seen.target.base_url]
    assert [(check.id, check.outcome) for check in crashed.checks] == [("NET-000", "error")]
    assert "surprise" in crashed.checks[0].message


def test_an_existing_file_is_not_overwritten(served: Loopback, tmp_path: Path) -> None:
    out = tmp_path / "out.ndjson"
    out.write_text("precious\n")
    with pytest.raises(InterlockError, match="exists already"):
        probe_fleet(targets(served, 1), allowing(served), out=out)
    assert out.read_text() == "precious\n"
    assert not served.requests


def test_a_torn_last_line_is_dropped_and_probed_again(served: Loopback, tmp_path: Path) -> None:
    out = tmp_path / "out.ndjson"
    probe_fleet(targets(served, 6), allowing(served), out=out)
    whole = out.read_bytes().splitlines(keepends=True)
    out.write_bytes(b"".join(whole[:3]) + whole[3][: len(whole[3]) // 2])
    served.requests.clear()
    run = probe_fleet(targets(served, 6), allowing(served), out=out, resume=True)
    lines = out.read_bytes().splitlines(keepends=True)
    assert lines[:3] == whole[:3]
    assert sorted(urls(lines)) == sorted(target.base_url for target in targets(served, 6))
    assert (run.resumed, run.done) == (3, 6)
    assert len({request.path for request in served.requests if request.path.endswith("/metadata")}) == 3


def test_a_broken_line_in_the_middle_is_named(served: Loopback, tmp_path: Path) -> None:
    out = tmp_path / "out.ndjson"
    probe_fleet(targets(served, 2), allowing(served), out=out)
    first, second = out.read_bytes().splitlines(keepends=True)
    out.write_bytes(first + b'{"not": "ours"}\n' + second)
    with pytest.raises(InterlockError) as caught:
        probe_fleet(targets(served, 2), allowing(served), out=out, resume=True)
    assert str(caught.value.location) == f"{out}:2"


def start(arguments: list[str], **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "interlock", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"COLUMNS": "80"},
        **options,
    )


def gate(served: Loopback, opened: threading.Event, after: int) -> None:
    """Statements beyond the first ``after`` wait until the gate opens."""
    answered: list[str] = []

    def answer(request: Request) -> Any:
        if len(answered) >= after and not opened.is_set():
            return hang(request, _Never(), None)  # type: ignore[arg-type]
        answered.append(request.path)
        return as_json(statement(publisher=request.path))

    real = type(served.routes).get

    class Gated(type(served.routes)):  # type: ignore[misc]
        def get(self, path: str, default: Any = None) -> Any:
            return answer if path.endswith("/metadata") else real(self, path, default)

    served.routes = Gated()


class _Never:
    async def read(self) -> bytes:
        import asyncio

        await asyncio.sleep(3600)
        return b""


def wait_for_lines(out: Path, count: int) -> None:
    for _ in range(600):
        if out.exists() and out.read_bytes().count(b"\n") >= count:
            return
        time.sleep(0.05)
    raise AssertionError(f"{out} never got {count} lines")


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.long)])
def test_killed_in_the_middle_and_resumed(served: Loopback, tmp_path: Path, workers: str) -> None:
    wanted = [target.base_url for target in targets(served, 10)]
    wanted += [f"http://127.0.0.9:{served.port}/{number}/fhir" for number in range(3)]  # nobody listens there
    listed, out = tmp_path / "list.txt", tmp_path / "out.ndjson"
    listed.write_text("\n".join(wanted))
    opened = threading.Event()
    gate(served, opened, after=4)
    arguments = ["fleet", str(listed), "--out", str(out), "--timeout", "60", "--workers", workers, *ALLOWED]
    process = start(arguments)
    try:
        wait_for_lines(out, 7)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    before = out.read_bytes()
    assert before.count(b"\n") < len(wanted)
    with out.open("ab") as file:  # what a kill in the middle of a write leaves
        file.write(before[:100])
    opened.set()
    again = start([*arguments, "--resume", "--summary", str(tmp_path / "summary.json")])
    _, said = again.communicate(timeout=120)
    assert again.returncode == 0, said
    lines = out.read_bytes().splitlines()
    assert out.read_bytes().startswith(before)
    assert sorted(urls(lines)) == sorted(wanted)
    summary = FleetSummary.model_validate_json((tmp_path / "summary.json").read_bytes())
    assert (summary.done, summary.resumed) == (13, before.count(b"\n"))
    assert summary.outcomes == {"observed": 10, "not_observed": 3}
    assert b"from earlier runs" in said


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.long)])
def test_an_interrupt_ends_with_a_summary_and_130(served: Loopback, tmp_path: Path, workers: str) -> None:
    wanted = [target.base_url for target in targets(served, 6)] + [f"http://127.0.0.9:{served.port}/fhir"]
    listed, out = tmp_path / "list.txt", tmp_path / "out.ndjson"
    listed.write_text("\n".join(wanted))
    gate(served, threading.Event(), after=2)
    arguments = ["fleet", str(listed), "--out", str(out), "--timeout", "60", "--workers", workers]
    process = start([*arguments, *ALLOWED])
    try:
        wait_for_lines(out, 3)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert b"3 of 7 targets interrupted after" in said
    assert out.read_bytes().count(b"\n") == 3
