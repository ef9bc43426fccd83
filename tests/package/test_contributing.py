"""The five changes of CONTRIBUTING.md, made as they are printed in a copy of the checkout, work."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
COPIED = ("src", "questionnaires", "rulesets", "reports", "samples", "skeletons", "docs", "tests/probe", "tests/tui")
BLOCK = re.compile(r"^`([^`]+)`, ([^\n]+):\n\n```\w+\n(.*?)```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout in which every block of the page stands where the page says."""
    home = tmp_path_factory.mktemp("changed")
    for name in COPIED:
        shutil.copytree(ROOT / name, home / name, ignore=shutil.ignore_patterns("__pycache__", "*.tar.xz"))
    for name, position, block in BLOCK.findall(PAGE):
        put(home / name, position, block)
    return home


def put(file: Path, position: str, block: str) -> None:
    if position == "new":
        assert not file.exists(), f"{file.name} is there already"
        file.write_text(block, "utf-8")
        return
    lines = file.read_text("utf-8").splitlines(keepends=True)
    if position == "at the end":
        after = len(lines)
    else:
        kind, text = re.fullmatch(r"after the (line|row) `(.*)`", position).groups()
        after = 1 + next(
            number
            for number, line in enumerate(lines)
            if (line.rstrip("\n") == text if kind == "line" else f"</a>{text} |" in line)
        )
    file.write_text("".join([*lines[:after], block, *lines[after:]]), "utf-8")


def python(home: Path, *arguments: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(home / "src"), "INTERLOCK_LOG_FILE": ""}
    done = subprocess.run([sys.executable, *arguments], cwd=home, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_page_has_five_changes() -> None:
    assert len(re.findall(r"^### \d\. ", PAGE, re.MULTILINE)) == 5
    assert len(BLOCK.findall(PAGE)) >= 12


def test_the_question_and_the_rule_hold_all_proofs(changed: Path) -> None:
    python(changed, "-m", "interlock", "lint")
    assert "delivery.components" in python(
        changed, "-m", "interlock", "questions", "--format", "json", *in_demo(changed)
    )


def test_the_check_is_explained_and_runs(changed: Path) -> None:
    assert "Authorization by POST is declared" in python(changed, "-m", "interlock", "checks", "SMART-029")
    assert 'id="cpb-02"' in (changed / "docs" / "requirements.md").read_text("utf-8")


def test_the_section_is_in_the_report(changed: Path) -> None:
    python(
        changed,
        "-m",
        "interlock",
        "report",
        "--sections",
        "owners",
        "--format",
        "md,html",
        "--output",
        "out",
        *in_demo(changed),
    )
    assert "| Product team |" in (changed / "out" / "report.md").read_text("utf-8")
    assert "Who has to act" in (changed / "out" / "report.html").read_text("utf-8")


def test_the_terminal_ui_has_the_section(changed: Path) -> None:
    shown = python(
        changed,
        "-c",
        "from interlock.tui.app import InterlockApp as App, SECTIONS; print(SECTIONS[8].load().MODE, len(App.MODES))",
    )
    assert shown.split() == ["patterns", "9"]


def in_demo(home: Path) -> list[str]:
    """The options that name a sample workspace, made once."""
    if not (home / "ours").exists():
        python(home, "-m", "interlock", "init", "ours", "--template", "sepsis")
    return ["--workspace", "ours"]
