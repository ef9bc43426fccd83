"""Text and JSON in which every character can be seen."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hostile_text import HOSTILE
from hypothesis import given
from hypothesis import strategies as st

from interlock.documents.visible import to_json, visible, visible_json

UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def unseen(text: str) -> list[str]:
    return [character for character in text if character not in "\n\t" and unicodedata.category(character) in UNSEEN]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_seen(name: str) -> None:
    assert unseen(visible(HOSTILE[name]).replace("\r\n", "\n")) == []
    text = to_json({HOSTILE[name]: [HOSTILE[name]]})
    assert unseen(text) == []
    assert json.loads(text) == {HOSTILE[name]: [HOSTILE[name]]}


@given(st.text(st.characters(codec=None)))
def test_any_text_is_seen_and_its_json_says_the_same(text: str) -> None:
    assert [c for c in unseen(visible(text).replace("\r\n", "\n")) if c not in "\u200c\u200d"] == []
    written = to_json(text, indent=None)
    assert unseen(written) == []
    assert json.loads(written) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("fine \N{BULLET} line\n\tnext\r\nend", "fine \N{BULLET} line\n\tnext\r\nend"),
        ("a\x1b[31m\x07\x00\x7f", "a␛[31m␇␀␡"),
        ("a\rb", "a␍b"),
        ("\x9b2J\u202e\u200b\u2028\ufeff", "\ufffd2J\ufffd\ufffd\ufffd\ufffd"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # Persian needs the joiner
        ("pay\u200dpal", "pay\ufffdpal"),
        ("漢字 \U0001fa7a é \u00a0 \u3000", "漢字 \U0001fa7a é \u00a0 \u3000"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_json_has_escapes_outside_ascii_only_where_nothing_is_seen() -> None:
    assert visible_json('"é漢\u202e\x7f\U000e0001"') == '"é漢\\u202e\\u007f\\udb40\\udc01"'
