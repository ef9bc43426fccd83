"""Processes that Interlock starts import nothing from the folder they start in, which is a stranger's workspace."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from serving import INTERLOCK, children, eventually, serving, shows

from interlock.usecases.initialize import initialize

#: Modules that a new interpreter imports before anything of ours.
WANTED = ("multiprocessing", "json", "re", "textual", "interlock", "yaml", "typing", "runpy")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = initialize(tmp_path / "ws", "sepsis").root
    for name in WANTED:
        (root / f"{name}.py").write_text(
            f"open({str(tmp_path / 'ran')!r}, 'a').write('{name} ')\nraise SystemExit(9)\n"
        )
    (root / "endpoints.txt").write_text("https://127.0.0.1:1/a\nhttps://127.0.0.2:1/b\n")
    return root


@pytest.mark.parametrize(
    "command",
    [
        "report --format pdf --sections summary",
        "fleet endpoints.txt --workers 2 --allow-private 127.0.0.0/8 --output out.ndjson",
    ],
)
def test_commands(workspace: Path, tmp_path: Path, command: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    ran = subprocess.run(
        [INTERLOCK, *command.split()], cwd=workspace, env=environment, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode in {0, 3}, ran.stderr
    assert not (tmp_path / "ran").exists()


async def test_serve(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workspace)
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    async with serving(workspace) as served:
        assert served.process is not None
        socket = await served.connect(await served.enter())
        await shows(socket, "Overview")
        await socket.close()
        await eventually(lambda: served.process is not None and not children(served.process.pid))
    assert not (tmp_path / "ran").exists()
