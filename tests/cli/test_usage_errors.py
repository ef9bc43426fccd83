from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.fast

READING = [
    ("score",), ("gaps",), ("plan",), ("report",), ("questions",), ("next",), ("contract", "check"),
    ("contract", "export"), ("org", "list"), ("milestone", "list"), ("observe", "x"), ("probe", "--all"),
    ("diff", "last"), ("answer", "a.b", "c"), ("config", "show"), ("assess", "."), ("milestone", "save", "x"),
]  # fmt: skip


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_outside_a_workspace_every_command_says_so(
    command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    result = command(*arguments)
    assert result.code == 2
    assert "not a workspace" in result.err
    assert "interlock init" in result.err
    assert result.out == ""


def test_an_unknown_command_is_a_usage_error(command) -> None:
    result = command("scroe")
    assert result.code == 2
    assert "scroe" in result.err


def test_version(command) -> None:
    from interlock import __version__

    assert command("--version").out == f"interlock {__version__}\n"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ehr.example.org/fhir", "https://ehr.example.org/fhir"),
        ("ftp://ehr.example.org", "http"),
        ("https://", "host"),
        ("", "URL"),
    ],
)
def test_a_url_that_is_none(command, url: str, words: str) -> None:
    result = command("probe", url)
    assert result.code == 2
    assert words in result.err


def test_probe_wants_one_kind_of_target(command) -> None:
    assert command("probe").code == 2
    assert "one of" in command("probe", "https://a.example", "--all").err
