from __future__ import annotations

import subprocess
import sys

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
    assert str(document.location(("b", 1, "y"))) == "f:4:5"
    assert str(document.location(("b", 1, "missing"))) == "f:4:5"


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
    assert error.location is not None
    assert error.location.file == "thing.yaml"
    assert error.location.line == line


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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: !!python/object/apply:os.system ['true']", "tag"),
        ("a: !secret x", "tag"),
        ("<<: {a: 1}", "merge keys"),
        ("a: *b", "called &b"),
        ("a: &a [*a]", "called &a"),
        ("[a]: b", "a key is text"),
        ("? {a: b}\n: c", "a key is text"),
        ("a: 1e999", "too large"),
        ("a: " + "9" * 5000, "too large"),
        ("a: 9223372036854775808", "too large"),
        ("a: '" + "x" * 100_001 + "'", "more than 100,000 characters"),
        ('a: "x\\eb"', r"U+001B \(a control character\)"),
        ('a: "x\\x9bb"', "U+009B"),
        ('a: "x\\u202eb"', "turns the direction"),
        ("a: x\u202eb", "turns the direction"),
        ("a\u2066: b", "turns the direction"),
        ("a: x\U000e0041", "hidden tag"),
        ("a: x\ufdd0", "no character"),
        ("a: x\x00y", "control character"),
        ("a: x\x1by", "control character"),
        ("a: x\ud800y", "half of a character"),
        ("a: 1\n<<<<<<< HEAD\nb: 2\n=======\nb: 3\n>>>>>>> theirs\n", "merge conflicts at line 2"),
        ("a: |\n  text\n>>>>>>> theirs\n", "merge conflicts at line 3"),
    ],
)
def test_what_is_refused_is_said_with_its_line(text: str, words: str) -> None:
    with pytest.raises(DocumentError, match=words.replace("U+", r"U\+")) as caught:
        parse_yaml(text, "f")
    assert caught.value.location is not None
    assert caught.value.location.line is not None


@pytest.mark.parametrize("name", ["میان\u200cرودان", "क्\u200dष", "שלום\u200f (1)", "Praxis \u200eA", "🏥 Klinik", "é"])
def test_names_in_every_script_are_taken(name: str) -> None:
    assert parse_yaml(f"name: '{name}'", "f").data == {"name": name}


@pytest.mark.parametrize(
    "text",
    [
        "[" * 50_000,
        "{a: " * 50_000,
        "- " * 50_000 + "x",
        "\n".join("  " * depth + "a:" for depth in range(1_500)),
        "? " * 50_000,
        "a: &x " + "[" * 50_000,
        "&a0 [&a1 [" + "".join(f"*a{depth % 2}, [" for depth in range(9_000)),
        "a: &x [[[[[[[[[[1]]]]]]]]]]\n"
        + "".join(f"b{n}: &x{n} [[[[[[[[[[*x{n - 1 if n else ''}]]]]]]]]]]\n" for n in range(9)),
    ],
)
def test_nesting_is_told_before_anything_recurses(text: str) -> None:
    with pytest.raises(DocumentError):
        parse_yaml(text, "deep.yaml")


def test_values_are_counted_before_they_are_built() -> None:
    script = (
        "import resource, sys\n"
        "from interlock.documents.yaml import parse_yaml\n"
        "from interlock.model.errors import DocumentError\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    parse_yaml('[' + '{},' * 1_300_000 + ']', 'f')\n"
        "except DocumentError as error:\n    print(error.message)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    message, grown = done.stdout.splitlines()
    assert message == "more than 200,000 values"
    assert int(grown) < 150_000, "kB"


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
