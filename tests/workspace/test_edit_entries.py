"""One entry of a file is changed, and every other line of it stays as its owner wrote it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from interlock.documents.yaml import parse_yaml
from interlock.workspace import edit

FILE = """\
# The answers, by hand.
"first":   {a: 1}   # not as we would write it

answers:
    # ---- of the product ----
    one:
        said:   'yes'   # said twice
        note: |
            a text
            # that goes on
        # deeper: its own
    # ---- of the workflow ----

    "two": { flow:  [ 1,2 ] }
    three:
        note: "begins
          # and ends"

# ---- what follows ----
last: 'x'
"""
NOTE = "b" * 70 + " " + "c" * 60


@pytest.fixture
def by_round_trip(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were read and written as a whole."""
    seen: list[Path] = []
    whole = edit.edit_yaml
    monkeypatch.setattr(edit, "edit_yaml", lambda path, *rest: (seen.append(path), whole(path, *rest)))
    return seen


def changed(folder: Path, text: str, changes: dict[str, dict[str, Any] | None]) -> str:
    path = folder / "product.yaml"
    path.write_bytes(text.encode())
    before = parse_yaml(text, "").data
    edit.edit_entries(path, folder, "answers", changes, lambda _: None)
    written = path.read_bytes().decode()
    expected = {**((before or {}).get("answers") or {}), **changes}
    expected = {key: value for key, value in expected.items() if value is not None}
    assert parse_yaml(written, "").data == {**(before or {}), "answers": expected}
    return written


@pytest.mark.parametrize(
    ("changes", "old", "new"),
    [
        ({"two": {"flow": [3]}}, '    "two": { flow:  [ 1,2 ] }\n', '    "two": {flow: [3]}\n'),
        ({"two": None}, '    "two": { flow:  [ 1,2 ] }\n', ""),
        ({"three": None}, '    three:\n        note: "begins\n          # and ends"\n', ""),
        ({"four": {"a": 1}, "five": {"b": 2}}, 'ends"\n', 'ends"\n    four:\n      a: 1\n    five:\n      b: 2\n'),
        (
            {"three": None, "four": {"a": 1}},
            '    three:\n        note: "begins\n          # and ends"\n',
            "    four:\n      a: 1\n",
        ),
    ],
)
def test_every_other_line_stays(tmp_path, by_round_trip, changes, old, new) -> None:
    assert changed(tmp_path, FILE, changes) == FILE.replace(old, new)
    assert not by_round_trip


def test_comments_of_an_entry_stay_with_it(tmp_path, by_round_trip) -> None:
    written = changed(tmp_path, FILE, {"one": {"said": "no", "note": NOTE}})
    assert "# said twice" in written and "# deeper: its own" in written
    assert "# ---- of the workflow ----" in written
    rest = FILE.partition("    # ---- of the workflow")[2]
    assert written.endswith(rest)
    assert not by_round_trip


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "answers:\n",
        "answers: {}\n",
        "answers: {one: {a: 1}, two: {a: 2}}\n",
        "answers:\none: {a: 1}\n",
        FILE.replace("\n", "\r\n"),
        "answers:\n  one: &a {a: 1}\n  two: *a\n",
        "answers:\n  ? one\n  : {a: 1}\n  two: {a: 1}\n",
    ],
)
def test_where_lines_and_entries_are_not_one_to_one_the_whole_file_is_written(tmp_path, by_round_trip, text) -> None:
    changed(tmp_path, text, {"one": None, "new": {"b": 1}} if "one" in text else {"new": {"b": 1}})
    assert by_round_trip


def test_the_last_entry_is_removed(tmp_path) -> None:
    assert changed(tmp_path, "answers:\n  one: {a: 1}\n", {"one": None}) == "answers: {}\n"
