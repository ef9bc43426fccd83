"""Processes of our own run no code of the folder that one is in: it may be a stranger's workspace."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

#: What a folder brings: a module that the start of a process looks for.
PLANTED = "open('ran', 'a').write('ran')\nraise SystemExit\n"
TRACKER = "from interlock.tui.work import _let_processes_start; _let_processes_start()"
PDF = """
from interlock.report.pdf import PdfProcess
if __name__ == "__main__":
    with PdfProcess() as pdf:
        pdf._warm.result()
"""
PLANNER = "from interlock.tui.planner import Planner\nplanner = Planner()\nplanner.run(print, 1)\nplanner.close()"


@pytest.mark.parametrize("program", [TRACKER, PLANNER, pytest.param(PDF, marks=pytest.mark.long)])
def test_a_planted_module_is_not_run(tmp_path: Path, program: str) -> None:
    script, here = tmp_path / "bin" / "ours.py", tmp_path / "workspace"
    for folder in (script.parent, here):
        folder.mkdir()
    script.write_text(program)
    for name in ("multiprocessing", "pickle", "threading"):
        (here / f"{name}.py").write_text(PLANTED)
    subprocess.run([sys.executable, str(script)], cwd=here, check=True, timeout=120)
    assert not (here / "ran").exists()
