from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from interlock.documents.yaml import MAX_NODES, load_yaml, model_from_yaml, parse_yaml
from interlock.model.errors import DocumentError

pytestmark = pytest.mark.fast


class Thing(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    count: int = 0


def problem(text: str) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        model_from_yaml(Thing, parse_yaml(text, "thing.yaml"))
    return caught.value


def test_words_that_look_like_booleans_stay_words() -> None:
    data = parse_yaml("a: No\nb: yes\nc: on\nd: true\ne: 2026-11-22\nf: 012\ng: 1:30\nh: ~", "f").data
    assert data == {"a": "No", "b": "yes", "c": "on", "d": True, "e": "2026-11-22", "f": "012", "g": "1:30", "h": None}


def test_every_value_has_its_place() -> None:
    document = parse_yaml("a: 1\nb:\n  - x\n  - y: 2\n", "f")
    assert str(document.place(("b", 1, "y"))) == "f:4:5"
    assert str(document.place(("b", 1, "missing"))) == "f:4:5"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("name: x\ncolour: red", 2, "unknown key 'colour'"),
        ("count: 1", 1, "missing key 'name'"),
        ("name: x\ncount: many", 2, "count"),
        ("name: x\nname: y", 2, "appears twice"),
        ("name: [x", 2, "not valid YAML"),
        ("name: x\n\tcount: 1", 2, "not valid YAML"),
        ("- name", 1, "expected keys and values"),
        ("", None, "empty"),
        ("name: x\n---\nname: y", 2, "not valid YAML"),
        ("1: x", 1, "not text"),
    ],
)
def test_a_broken_line_is_named(text: str, line: int | None, words: str) -> None:
    error = problem(text)
    assert words in error.message
    assert error.place is not None
    assert error.place.file == "thing.yaml"
    assert error.place.line == line


def test_an_unknown_key_names_the_known_ones() -> None:
    assert problem("name: x\ncolour: red").remedy == "known keys: count, name"


def test_an_alias_bomb_stops_early() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9)
    )
    with pytest.raises(DocumentError, match=f"{MAX_NODES:,}"):
        parse_yaml(bomb, "bomb.yaml")


def test_depth_is_bounded() -> None:
    with pytest.raises(DocumentError, match=r"deep"):
        parse_yaml("[" * 3000 + "]" * 3000, "deep.yaml")


def test_tags_create_nothing() -> None:
    data = parse_yaml("a: !!python/object/apply:os.system ['true']", "f").data
    assert data == {"a": ["true"]}


def test_files_that_cannot_be_read(tmp_path) -> None:
    with pytest.raises(DocumentError, match="no such file"):
        load_yaml(tmp_path / "absent.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9")
    with pytest.raises(DocumentError, match="UTF-8"):
        load_yaml(tmp_path / "latin.yaml")
    (tmp_path / "huge.yaml").write_bytes(b"#" * 5_000_000)
    with pytest.raises(DocumentError, match="larger"):
        load_yaml(tmp_path / "huge.yaml")


@given(st.text(max_size=300))
def test_any_text_parses_or_is_refused_in_words(text: str) -> None:
    try:
        parse_yaml(text, "any.yaml")
    except DocumentError as error:
        assert "any.yaml" in str(error)
