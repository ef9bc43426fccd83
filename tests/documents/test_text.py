from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.model.text import paragraph, plain, slug

pytestmark = pytest.mark.fast


def test_terminal_escapes_and_overrides_do_not_pass() -> None:
    shown = plain("\x1b[31mred\x1b[0m \u202egnp.exe\u202c a\nb\tc")
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert shown.endswith("a b c")


def test_what_is_cut_is_marked() -> None:
    assert plain("x" * 400, 10) == "x" * 9 + "…"


def test_a_paragraph_keeps_its_lines() -> None:
    assert paragraph("a\nb\x07") == "a\nb\N{REPLACEMENT CHARACTER}"


@given(st.text())
def test_plain_text_is_one_bounded_line_without_controls(text: str) -> None:
    shown = plain(text, 80)
    assert len(shown) <= 80
    assert not any(unicodedata.category(character) == "Cc" for character in shown)


@given(st.text())
def test_a_slug_is_a_file_name(text: str) -> None:
    name = slug(text)
    assert 0 < len(name) <= 60
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert name[0] != "-"
