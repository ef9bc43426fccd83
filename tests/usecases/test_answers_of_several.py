"""Who said it: author, assignee, evidence, answers of several authors, and proposals that are confirmed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from interlock.cli.main import run
from interlock.model.questionnaire import Response
from interlock.usecases.load import Inputs, load_inputs
from interlock.workspace.store import Workspace

ITEM = "boundary.output_stable"
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    monkeypatch.setenv("USER", "sysuser")
    monkeypatch.setenv("LOGNAME", "sysuser")
    assert run(["init", str(tmp_path / "w"), "--template", "sepsis"]) == 0
    capsys.readouterr()
    monkeypatch.chdir(tmp_path / "w")
    return tmp_path / "w"


@pytest.fixture
def told(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command; its exit code, and what it said on both streams."""

    def call(*arguments: str) -> tuple[int, str]:
        code = run(list(arguments))
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return call


def inputs(folder: Path) -> Inputs:
    return load_inputs(Workspace(folder))


def stored(folder: Path, item: str = ITEM, scope: str = "product") -> Response:
    return inputs(folder).answers(scope)[item]


def put(folder: Path, item: str, entry: str, scope: str = "product") -> int:
    """Append an answer to a scope's file as a person would; returns the line that it begins on."""
    path = folder / "responses" / f"{scope}.yaml"
    kept, skip = [], False
    for line in path.read_text().splitlines():
        skip = line == f"  {item}:" or (skip and line.startswith("    "))
        if not skip:
            kept.append(line)
    path.write_text("\n".join([*kept, f"  {item}:", *(f"    {line}" for line in entry.strip().splitlines())]) + "\n")
    return len(kept) + 1
