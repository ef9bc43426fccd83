"""Every command of README.md works, in the order in which a reader meets it."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from interlock.cli.app import app
from interlock.cli.main import run

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
#: Commands that end with 1 because the sample does not reach the threshold: that is what they show.
MAY_FALL_SHORT = ("interlock score", "interlock contract", "interlock doctor")
#: Needs a terminal; the terminal UI's own tests drive it.
NEEDS_TERMINAL = ("interlock assess",)


def lines() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    return [line.partition(" #")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


def test_the_commands_run_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = 0
    for line in lines():
        words = shlex.split(line)
        if words[0] == "cd":
            os.chdir(words[1])
        elif words[0] == "interlock":
            code = run(words[1:])
            shown = capsys.readouterr()
            allowed = {0, 1} if line.startswith(MAY_FALL_SHORT) else {2} if line.startswith(NEEDS_TERMINAL) else {0}
            assert code in allowed, f"{line}\n{shown.out}{shown.err}"
            ran += 1
        elif words[0] == ".":
            assert words[1] == ".venv/bin/activate", line
        else:
            assert words[0] == "make", line
    assert ran > 20


def test_the_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = set(re.findall(r"make ([a-z-]+)", README))
    assert {"demo", "test", "tui"} <= named
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_command_is_in_the_readme_or_in_its_help() -> None:
    commands = {name for info in app.registered_commands if (name := info.name)} | {
        group.name for group in app.registered_groups if group.name
    }
    unnamed = {name for name in commands if f"interlock {name}" not in README}
    assert unnamed == set()


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(((?!https?:)[^)#]+)\)", README))))
def test_relative_links_lead_somewhere(link: str) -> None:
    assert (ROOT / link).exists()
