"""``interlock probe``: formats, files, thresholds, and what goes together."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from interlock.model.fleet import FleetSummary


def test_a_build_servers_formats(command) -> None:
    sarif = command("probe", "sandbox://riverside", "--format", "sarif")
    assert sarif.code == 0
    assert sarif.json()["version"] == "2.1.0"
    junit = command("probe", "sandbox://riverside", "--format", "junit")
    assert junit.code == 0
    assert ElementTree.fromstring(junit.out).tag == "testsuites"


def test_a_result_can_go_to_a_file(command, tmp_path: Path) -> None:
    for output in ("json", "ndjson", "sarif", "junit"):
        out = tmp_path / output
        result = command("probe", "sandbox://riverside", "--format", output, "--out", out)
        assert (result.code, result.out) == (0, "")
        assert ("SMART-001" if output != "ndjson" else "riverside") in out.read_text()
    assert command("probe", "sandbox://riverside", "--out", tmp_path / "table").code == 2


def test_several_targets_are_a_table(command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = command("probe", "sandbox://riverside", "sandbox://pinecrest", "sandbox://harborview")
    assert result.code == 0
    assert "Stands out" in result.out
    assert "STU3" in result.out
    assert "not observed" in result.out
    assert max(map(len, result.out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("org", "limit", "code"),
    [("pinecrest", "critical", 0), ("pinecrest", "high", 1), ("pinecrest", "low", 1), ("riverside", "high", 0)],
)
def test_failed_checks_decide_the_exit_code(command, org: str, limit: str, code: int) -> None:
    result = command("probe", f"sandbox://{org}", "--fail-on", limit, "--format", "json")
    assert result.code == code
    assert result.json()["target"]
    if code:
        assert "SMART-001 (high)" in result.err


def test_nothing_observed_is_3_whatever_else_is_asked(command) -> None:
    assert command("probe", "sandbox://harborview", "--fail-on", "low").code == 3


def test_stages_decide_the_exit_code(command, demo: Path) -> None:
    result = command("probe", "--org", "riverside", "--min-stage", "production", "-w", demo)
    assert result.code == 1
    assert "not at production yet: riverside" in result.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("probe", "sandbox://riverside", "--min-stage", "pilot"),
        ("probe", "sandbox://riverside", "--resume"),
        ("probe", "sandbox://riverside", "--workers", "2"),
        ("probe", "sandbox://riverside", "--client-key", "key.pem"),
        ("probe", "sandbox://riverside", "--all"),
        ("probe",),
        ("fleet",),
        ("fleet", "list.txt", "--format", "sarif"),
        ("fleet", "list.txt", "--min-stage", "pilot"),
        ("fleet", "list.txt", "--resume"),
        ("fleet", "missing.txt"),
        ("fleet", "list.txt", "--all"),
        ("fleet", "list.txt", "--rate", "0"),
        ("fleet", "list.txt", "--user-agent", "ünïcode"),
        ("checks", "SMART-999"),
    ],
)
def test_what_does_not_go_together_is_said(command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments) -> None:
    monkeypatch.chdir(tmp_path)
    Path("list.txt").write_text("https://nowhere.invalid/fhir\n")
    result = command(*arguments)
    assert result.code == 2
    assert result.out == ""
    assert result.err


def test_a_directory_streams_lines_and_ends_with_a_summary(command, tmp_path: Path) -> None:
    from interlock.sandbox.server import SandboxServer

    with SandboxServer() as server:
        listed = tmp_path / "list.csv"
        rows = [
            f"{server.base_url(name)},{name.title()} Health,Made_Up" for name in ("riverside", "pinecrest", "lakeshore")
        ]
        listed.write_text("url,name,vendor\n" + "\n".join([*rows, "/lost,Lost,Made_Up"]) + "\n")
        refused = command("fleet", listed, "--out", tmp_path / "refused.ndjson")
        assert refused.code == 3
        assert "refused 3" in refused.err and "--allow-private" in refused.err
        arguments = ["fleet", listed, "--out", tmp_path / "o.ndjson", "--summary", tmp_path / "s.json"]
        result = command(*arguments, "--allow-private", "127.0.0.1")
        assert result.code == 0
        lines = [json.loads(line) for line in (tmp_path / "o.ndjson").read_text().splitlines()]
        assert {line["target"]["name"] for line in lines} == {
            "Riverside Health",
            "Pinecrest Health",
            "Lakeshore Health",
        }
        summary = FleetSummary.model_validate_json((tmp_path / "s.json").read_bytes())
        assert summary.releases == {"R4": 2, "STU3": 1}
        assert summary.vendors == {"Made Up": 3}
        assert "1 listed address cannot be used" in result.err
        assert "3 targets" in result.err and "SMART-001" in result.err
        named = ["fleet", listed, "--name", "pinecrest*", "--out", tmp_path / "p", "--fail-on", "high"]
        failing = command(*named, "--allow-private", "127.0.0.0/8")
        assert failing.code == 1
        assert "severity high failed" in failing.err


def test_a_reader_who_has_seen_enough_ends_the_run_quietly(tmp_path: Path) -> None:
    from interlock.sandbox.server import SandboxServer

    with SandboxServer() as server:
        (tmp_path / "list.txt").write_text("\n".join(server.base_url(name) for name in ("riverside", "lakeshore")))
        probe = f'"{sys.executable}" -m interlock fleet list.txt --allow-private 127.0.0.1 --concurrency 1'
        script = f"{probe} 2>err | head -c 100 > out"
        subprocess.run(["/bin/sh", "-c", script], cwd=tmp_path, check=True, timeout=120)
    assert len((tmp_path / "out").read_bytes()) == 100
    assert "Traceback" not in (tmp_path / "err").read_text()


def test_a_directory_of_nothing_but_silence_is_3(command, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("http://127.0.0.9:9/fhir\n")
    assert command("fleet", listed, "--out", tmp_path / "o.ndjson", "--allow-private", "127.0.0.9").code == 3


def test_stored_observations_in_every_format(command, demo: Path) -> None:
    assert "pinecrest" in command("observe", "--all", "-w", demo).out
    assert len(command("observe", "--all", "-f", "json", "-w", demo).json()) == 4
    assert command("observe", "--all", "-f", "sarif", "-w", demo).json()["version"] == "2.1.0"
    assert command("observe", "riverside", "-f", "junit", "-w", demo).out.startswith("<?xml")
    (file,) = (demo / "observations" / "riverside").glob("*.json")
    stored = command("observe", file, "-f", "json")
    again = command("observe", file, "--recheck", "-f", "json")
    assert stored.json()["facts"] == again.json()["facts"]
    assert command("observe", "-w", demo).code == 2
    assert command("observe", "riverside", "--all", "-w", demo).code == 2


def test_a_file_outside_a_workspace_cannot_be_checked_anew(command, demo: Path, tmp_path: Path) -> None:
    (file,) = (demo / "observations" / "riverside").glob("*.json")
    copy = tmp_path / "elsewhere" / "one.json"
    copy.parent.mkdir()
    copy.write_bytes(file.read_bytes())
    assert command("observe", copy).code == 0
    assert "not at hand" in command("observe", copy, "--recheck").err
