"""The command line, run in process: what it printed and with which code it ended."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from interlock.cli.main import run


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Result]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("COLUMNS", "160")

    def call(*arguments: str | Path) -> Result:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def finished_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo workspace with its reports, made once for all workers. Tests that change it take a copy."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, whole = shared / "finished-demo", shared / "finished-demo.whole"
    with FileLock(shared / "finished-demo.lock"), pytest.MonkeyPatch.context() as patched:
        if not whole.exists():
            patched.setenv("HOME", str(tmp_path_factory.mktemp("demo-home")))
            assert run(["demo", "--fresh", "--output", str(folder)]) == 0
            whole.touch()
    return folder


@pytest.fixture
def demo(finished_demo: Path, tmp_path: Path) -> Path:
    """A private copy of the finished demo workspace."""
    return Path(shutil.copytree(finished_demo, tmp_path / "demo"))
