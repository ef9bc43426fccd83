"""``interlock init`` asks at a terminal what the product is, and nobody on a pipe."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interlock.workspace.store import SETTINGS_FILE


def kinds_in(folder: Path) -> list[str]:
    return [line for line in (folder / SETTINGS_FILE).read_text().splitlines() if line.startswith("kind:")]


def at_a_terminal(folder: Path, typed: bytes, *more: str) -> str:
    """Run ``init`` with a terminal as stdin and stderr, and give what stderr said."""
    ours, theirs = os.openpty()
    try:
        os.write(ours, typed)
        with subprocess.Popen(
            [sys.executable, "-m", "interlock", "init", str(folder), *more],
            stdin=theirs,
            stdout=subprocess.DEVNULL,
            stderr=theirs,
        ) as process:
            assert process.wait(60) == 0
        os.set_blocking(ours, False)
        return os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize(
    ("typed", "kinds"),
    [(b"2\n", ["kind: viewer"]), (b"9\n5\n", ["kind: staff_app"]), (b"\n", []), (b"6\n", [])],
)
def test_a_person_at_a_terminal_is_asked(tmp_path: Path, typed: bytes, kinds: list[str]) -> None:
    said = at_a_terminal(tmp_path / "ws", typed)
    assert "What is the product?" in said
    assert "a back-end service without a screen of its own" in said
    assert kinds_in(tmp_path / "ws") == kinds


@pytest.mark.parametrize("more", [("--kind", "patient_app"), ("--template", "ready")])
def test_nobody_is_asked_what_is_known(tmp_path: Path, more: tuple[str, str]) -> None:
    assert "What is the product?" not in at_a_terminal(tmp_path / "ws", b"2\n", *more)


def test_nobody_is_asked_on_a_pipe(command: Callable[..., Any], tmp_path: Path) -> None:
    said = command("init", tmp_path / "ws").err
    assert "What is the product?" not in said
    assert "everything is asked" in said
    assert kinds_in(tmp_path / "ws") == []


def test_a_kind_is_written_and_told(command: Callable[..., Any], tmp_path: Path) -> None:
    said = " ".join(command("init", tmp_path / "ws", "--kind", "backend_service", "--name", "Quiet").err.split())
    assert kinds_in(tmp_path / "ws") == ["kind: backend_service"]
    assert "The product is a back-end service without a screen of its own: " in said


def test_a_kind_that_there_is_not_is_refused(command: Callable[..., Any], tmp_path: Path) -> None:
    result = command("init", tmp_path / "ws", "--kind", "robot")
    assert result.code == 2
    assert "backend_service" in result.err
    assert not (tmp_path / "ws").exists()
