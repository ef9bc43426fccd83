"""Shipped YAML that is kept parsed: only shipped files, only for exactly their text, and never needed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from interlock.documents import parsed, yaml
from interlock.documents.resources import data_dir


@pytest.fixture(autouse=True)
def _nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(parsed, "_used", {})
    parsed._kept.cache_clear()
    yield
    parsed._kept.cache_clear()


def shipped() -> Path:
    return data_dir("rulesets") / "core" / "ruleset.yaml"


def kept_file() -> Path:
    return next(platformdirs.user_cache_path("interlock").iterdir())


def next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsed, "_used", {})
    parsed._kept.cache_clear()


def test_a_shipped_file_is_parsed_once_and_says_where_everything_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    first = yaml.load_yaml(shipped())
    parsed.keep_parsed()
    assert kept_file().stat().st_mode & 0o077 == 0 or kept_file().parent.stat().st_mode & 0o077 == 0
    next_run(monkeypatch)
    again = parsed.parsed(shipped().read_text(), lambda: pytest.fail("parsed again"))
    assert again == first.data
    assert yaml.load_yaml(shipped()).location(("id",)) == first.location(("id",))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"0": 1}'])
def test_a_damaged_file_is_passed_over_and_replaced(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    first = yaml.load_yaml(shipped()).data
    parsed.keep_parsed()
    kept_file().write_bytes(content)
    next_run(monkeypatch)
    assert yaml.load_yaml(shipped()).data == first
    parsed.keep_parsed()
    assert list(json.loads(kept_file().read_bytes()).values()) == [first]


def test_nothing_of_a_workspace_is_kept(tmp_path: Path) -> None:
    own = tmp_path / "rulesets" / "core" / "ruleset.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("id: core\nversion: mine\n")
    assert yaml.load_yaml(own).data["version"] == "mine"
    parsed.keep_parsed()
    assert not platformdirs.user_cache_path("interlock").exists()


def test_a_folder_that_cannot_be_written_stops_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    before: Any = yaml.load_yaml(shipped()).data
    parsed.keep_parsed()
    next_run(monkeypatch)
    assert yaml.load_yaml(shipped()).data == before
