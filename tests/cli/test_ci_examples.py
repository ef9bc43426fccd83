"""Every command of docs/ci.md, run as it stands there."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "ci.md").read_text(encoding="utf-8")
SHELL = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
(WORKFLOW,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def shell(script: str, folder: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    tools = tmp_path / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "interlock").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m interlock "$@"\n')
    (tools / "interlock").chmod(0o755)
    environment = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}", "COLUMNS": "80"}
    return subprocess.run(
        ["/bin/sh", "-ec", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )


def test_the_page_has_the_examples_that_are_run_here() -> None:
    assert len(SHELL) == 3


def test_any_build_server(demo: Path, tmp_path: Path) -> None:
    done = shell(SHELL[0], demo, tmp_path)
    assert done.returncode in {0, 1}, done.stderr
    if done.returncode == 1:
        assert "not at design yet" in done.stderr or "is under" in done.stderr or "worse failed" in done.stderr
    log = json.loads((demo / "interlock.sarif").read_text())
    assert {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in log["runs"][0]["results"]
    }
    for result in log["runs"][0]["results"]:
        assert (demo / result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]).is_file()
    suites = ElementTree.parse(demo / "interlock-junit.xml").getroot()
    assert {suite.get("name") for suite in suites} == {path.stem for path in (demo / "orgs").iterdir()}


def test_the_workflow_is_valid_and_its_commands_work(command, demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, which is quicker; what the shell's example has word for word is run there."""
    workflow = yaml.safe_load(WORKFLOW)
    (job,) = workflow["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step and "pip install" not in step["run"]]
    assert len(commands) == 3
    lines = [line for run in commands for line in run.splitlines()]
    assert lines[0] == "interlock lint" and lines[0] in SHELL[0]
    monkeypatch.chdir(demo)
    for line in lines[1:]:
        program, *arguments = shlex.split(line)
        assert program == "interlock"
        done = command(*arguments)
        assert done.code in ({0, 1} if "--fail-on" in line else {0}), (line, done.err)
    uploaded = [step["with"].get("sarif_file") or step["with"].get("path") for step in job["steps"][-2:]]
    assert all((demo / name).is_file() for name in uploaded)


@pytest.mark.parametrize("number", [1, 2])
def test_directories_and_networks(number: int, tmp_path: Path) -> None:
    from interlock.sandbox.server import SandboxServer

    with SandboxServer() as server:
        listed = [server.base_url("riverside"), server.base_url("lakeshore"), "/relative"]
        (tmp_path / "endpoints.txt").write_text("\n".join(listed))
        import certifi

        (tmp_path / "corporate-ca.pem").write_bytes(Path(certifi.where()).read_bytes())
        # The page's servers are public ones; these are on this machine, in a file.
        commands = SHELL[number].replace("interlock fleet", "interlock fleet --allow-private 127.0.0.1")
        done = shell(commands, tmp_path, tmp_path)
    assert done.returncode == 0, done.stderr
    if number == 1:
        assert json.loads((tmp_path / "fleet.json").read_text())["resumed"] == 2
        assert len((tmp_path / "fleet.ndjson").read_text().splitlines()) == 2
