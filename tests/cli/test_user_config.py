"""The user's own config.toml by the command line, and the workspaces opened last."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from interlock.cli.commands import assess
from interlock.tui.app import InterlockApp
from interlock.usecases.initialize import initialize
from interlock.usecases.preferences import LeftOff, config_path, recent_path, remember

pytestmark = pytest.mark.fast


def test_config_edit_makes_the_file_opens_it_and_tells_what_is_left_out(command, tmp_path, monkeypatch):
    editor = tmp_path / "my editor"
    editor.write_text('#!/bin/sh\nprintf \'theme = "light"\\nkeys.app.quit = 3\\n\' >> "$1"\n')
    editor.chmod(0o700)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"'{editor}'")
    assert command("config", "edit").code == 0
    said = command("config", "show", "--user")
    assert said.json()["theme"] == "dark" and "line" in said.err, "the editor's lines stand behind [keys]"
    path = Path(command("config", "path", "--user").out.strip())
    assert path == config_path() and "# questions.next = " in path.read_text()
    path.write_text('theme = "light"\nkeys.app.quit = 3\n')
    said = command("config", "show", "--user")
    assert (said.code, said.json()["theme"]) == (0, "light")
    assert f"{path}: line 2: app.quit is one key" in said.err
    monkeypatch.setenv("EDITOR", "/no/such/editor")
    failed = command("config", "edit")
    assert failed.code == 2 and "did not open it" in failed.err
    monkeypatch.delenv("EDITOR")
    assert str(path) in command("config", "edit").err


def test_without_a_workspace_here_those_opened_last_are_offered(tmp_path, monkeypatch, capsys):
    known = tmp_path / "known"
    known.mkdir()
    (known / "interlock.yaml").touch()
    remember(LeftOff(root=str(known)))
    remember(LeftOff(root=str(tmp_path / "gone")))
    monkeypatch.chdir(tmp_path)
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    asked = iter([7, 1])
    monkeypatch.setattr(assess.typer, "prompt", lambda *arguments, **options: next(asked))
    assert assess._chosen(Path()) == known
    told = capsys.readouterr().err
    assert f"1 {known}" in told and "gone" not in told and "from 1 to 1" in told
    assert assess._chosen(tmp_path / "gone") == tmp_path / "gone", "who names a folder means it"


@pytest.mark.parametrize("served", [True, False])
def test_a_browsers_session_writes_nothing_of_the_user(tmp_path, monkeypatch, served):
    root = initialize(tmp_path / "ws").root
    monkeypatch.setattr(InterlockApp, "run", lambda self: setattr(self, "left", LeftOff(root=str(root))))
    monkeypatch.setattr(assess, "_need_a_terminal", lambda: None)
    if served:
        monkeypatch.setenv("TEXTUAL_DRIVER", "interlock.tui.browser:BrowserDriver")
    assess.open_terminal_ui(root, "Ada")
    assert recent_path().exists() is not served
    assert not config_path().exists()
