"""Bad input and awkward surroundings: every message says what to do, and nothing is cut off at 80 columns."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from interlock.cli.app import app
from tiers import LONG

DOCS = Path(__file__).resolve().parents[2] / "docs"


def process(*arguments: str, folder: Path, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "interlock", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"COLUMNS": "80", "NO_COLOR": "1"} | environment,
    )


@pytest.mark.parametrize("arguments", ["gaps", "gaps --format json", "config schema assessment", "--version"])
def test_a_reader_that_stops_is_neither_an_error_nor_a_threshold(finished_demo: Path, arguments: str) -> None:
    started = process(*arguments.split(), folder=finished_demo)
    assert started.stdout is not None
    assert started.stderr is not None
    started.stdout.close()
    errors = started.stderr.read().decode()
    started.stderr.close()
    assert started.wait(60) == 141
    assert "Traceback" not in errors
    assert "Broken" not in errors


@pytest.mark.parametrize(
    "arguments",
    [
        *("plan --runs 100", "observe riverside", "gaps --explain ORG-002@harborview"),
        *(("score", "gaps", "next") if LONG else ()),
    ],
)
def test_a_terminal_that_knows_ascii_only(finished_demo: Path, arguments: str) -> None:
    started = process(*arguments.split(), folder=finished_demo, PYTHONIOENCODING="ascii", LC_ALL="C")
    out, errors = started.communicate(timeout=60)
    assert started.returncode == 0, errors
    assert out
    assert out.isascii()


def test_json_stays_json_where_the_encoding_has_not_every_character(command, finished_demo: Path) -> None:
    arguments = ("score", "--format", "json")
    started = process(*arguments, folder=finished_demo, PYTHONIOENCODING="ascii")
    out, errors = started.communicate(timeout=60)
    assert started.returncode == 0, errors
    shown = command(*arguments, "--workspace", finished_demo)
    assert not shown.out.isascii()
    assert json.loads(out.decode("ascii")) == shown.json()


GROUPS = [(), *((group.name,) for group in app.registered_groups if group.name)]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: " ".join(group) or "interlock")
def test_the_list_of_commands_is_whole_at_80_columns(
    command, monkeypatch: pytest.MonkeyPatch, group: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = command(*group, "--help")
    listed = shown.out.partition("Commands:")[2]
    assert listed
    assert "..." not in listed
    assert max(map(len, shown.out.splitlines())) <= 80


def test_a_file_or_folder_to_write_to_is_named_alike_everywhere() -> None:
    checked = 0
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        for sub in getattr(command, "commands", {name: command}).values():
            names = [set(option.opts) for option in sub.params if "-o" in option.opts]
            assert names in ([], [{"--output", "--out", "-o"}]), sub.name
            checked += len(names)
    assert checked >= 8


def test_import_of_a_file_without_addresses_is_bad_input(command, demo: Path) -> None:
    (demo / "notes.txt").write_text("no address here\n")
    result = command("org", "import", demo / "notes.txt", "--workspace", demo)
    assert result.code == 2
    assert "no usable base URL" in result.err
    assert "one address a line" in result.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("org", "add", " "), "interlock org add"),
        (("milestone", "save", ""), "before-pilot"),
        (("plan", "--by", "31.3.2027"), "2027-03-31"),
        (("export", "poam", "--output", "."), "name a file in it"),
        (("export", "issues", "--output", "."), "name a file in it"),
        (("diff", "gone.json"), "check the path"),
        (("import", "fhir", "gone.json"), "check the path"),
        (("org", "import", "gone.csv"), "check the path"),
        (("probe", "sandbox://riverside", "--ca-bundle", "gone.pem"), "check the path"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_the_message_says_what_to_do(
    command, demo: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(demo)
    before = sorted(path for path in demo.rglob("*") if path.name != ".interlock.lock")
    result = command(*arguments)
    assert result.code == 2
    assert result.out == ""
    assert words in result.err.partition("do: ")[2]
    assert sorted(path for path in demo.rglob("*") if path.name != ".interlock.lock") == before


def test_broken_yaml_names_the_line_and_says_what_to_do(command, demo: Path) -> None:
    (demo / "contract.yaml").write_text("a: 1\nb: [\n")
    result = command("score", "--workspace", demo)
    assert result.code == 2
    assert "contract.yaml:3:1" in result.err
    assert "do: correct the file" in result.err


def test_a_probe_writes_into_a_folder_that_does_not_exist_yet(command, tmp_path: Path) -> None:
    file = tmp_path / "new" / "deeper" / "seen.json"
    assert command("probe", "sandbox://riverside", "--quick", "--format", "json", "--output", file).code == 0
    assert file.read_text().startswith("{")
    blocked = command("probe", "sandbox://riverside", "--quick", "--format", "json", "--output", file / "below.json")
    assert blocked.code == 2
    assert "do: choose another file" in blocked.err


def test_a_new_workspace_says_what_comes_next(command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = command("init", "two words").err
    assert "cd 'two words' && interlock org add NAME --url URL" in said
    monkeypatch.chdir(tmp_path / "two words")
    assert "Next: interlock org edit hospital --url URL" in command("org", "add", "Hospital").err
    undecided = command("contract", "lint", ".")
    assert undecided.code == 1
    assert all(line.startswith("contract.yaml:") for line in undecided.out.splitlines())
    unseen = command("contract", "check")
    assert (unseen.code, unseen.out) == (1, "")
    assert "contract.yaml still holds only what init wrote" in unseen.err


@pytest.mark.parametrize(
    "arguments", ["score", "next", "next -n 5", "plan --tasks", "patterns", "org list", "org show lakeshore", "doctor"]
)
def test_nothing_is_wider_than_80_columns(
    command, finished_demo: Path, monkeypatch: pytest.MonkeyPatch, arguments: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = command(*arguments.split(), "--workspace", finished_demo)
    assert shown.code == 0
    assert [line for line in shown.out.splitlines() if len(line) > 80 and "://" not in line] == []


def test_an_address_in_a_story_stays_whole(command, finished_demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    told = command("gaps", "--explain", "ORG-002@harborview", "--workspace", finished_demo).out
    assert re.search(r"^  https://docs\.oracle\.com/\S+/fhir-app-provisioning$", told, re.MULTILINE)


@pytest.mark.parametrize("page", ["exports.md", "forms.md"])
def test_the_commands_of_the_pages_work(
    command, demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    monkeypatch.chdir(demo)
    command("export", "fhir", "--org", "lakeshore", "--output", tmp_path)
    (tmp_path / "QuestionnaireResponse-organization.lakeshore.json").rename(demo / "response.json")
    sheet = command("export", "sheet", "--org", "lakeshore", "--format", "xlsx", "--output", tmp_path).out.strip()
    Path(sheet).rename(demo / "filled-in.xlsx")
    lines = re.findall(r"^interlock .+$", (DOCS / page).read_text("utf-8"), re.MULTILINE)
    assert len(lines) >= 4
    for line in lines:
        words = shlex.split(line.partition(" >")[0], comments=True)
        result = command(*words[1:], "--workspace", demo)
        assert result.code == 0, (line, result.err)


def test_the_workspace_may_be_named_before_any_command(
    command, demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INTERLOCK_WORKSPACE", "")  # restored after the test
    assert "needs a terminal" in command("--workspace", demo, "assess").err
    assert command("--workspace", demo, "contract", "lint").code == 0
    assert command("--workspace", demo, "config", "path").out == f"{demo}\n"


def test_serving_on_a_port_that_is_taken(command, demo: Path) -> None:
    import socket

    pytest.importorskip("textual_serve")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = command("serve", "--port", str(taken.getsockname()[1]), "--workspace", demo)
    assert result.code == 2
    assert result.out == ""
    assert "do: choose another one: --port" in result.err


def test_an_unknown_is_shown_as_a_question(command, demo: Path) -> None:
    """An unknown's title names the gap, so a table that only repeated it would claim the gap."""
    command("answer", "boundary.output_stable", "--status", "unknown", "--workspace", demo)
    (row,) = [line for line in command("gaps", "--workspace", demo).out.splitlines() if line.startswith("BND-001 ")]
    assert "to find out" in row
    assert "How stable is the AI output" in row
