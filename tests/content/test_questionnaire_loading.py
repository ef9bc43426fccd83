"""Questionnaires from files: order, and errors that name file, line and column."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from interlock.content.questionnaires import load_questionnaires, read_questionnaires
from interlock.model.errors import DocumentError

pytestmark = pytest.mark.fast

HEAD = """\
id: {id}
version: "1"
title: An area
items:
"""


def write(directory: Path, name: str, items: str, head: str = HEAD) -> Path:
    path = directory / f"{name}.yaml"
    path.write_text(head.format(id=name) + dedent(items), encoding="utf-8")
    return path


def failure(directory: Path) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        load_questionnaires([directory])
    return caught.value


CHOICE = """\
- id: {id}
  type: choice
  text: Which?
  options:
    - {{value: none, label: None, weight: 0}}
    - {{value: all, label: All, weight: 1}}
"""


def test_files_come_in_order_of_directories_and_names(tmp_path: Path) -> None:
    for folder, name in (("a", "zebra"), ("a", "aardvark"), ("b", "bee")):
        (tmp_path / folder).mkdir(exist_ok=True)
        write(tmp_path / folder, name, f"- {{id: {name}.one, type: boolean, text: One?}}\n")
    (tmp_path / "a" / "notes.txt").write_text("not a questionnaire")
    loaded = load_questionnaires([tmp_path / "a", tmp_path / "b"])
    assert [questionnaire.id for questionnaire in loaded] == ["aardvark", "zebra", "bee"]


def test_groups_may_be_continued_by_their_children(tmp_path: Path) -> None:
    write(
        tmp_path,
        "auth",
        """\
        - id: auth.keys
          type: group
          text: Keys
          items:
            - {id: auth.keys.hosted, type: boolean, text: Hosted?}
        """,
    )
    (loaded,) = load_questionnaires([tmp_path])
    assert [item.id for item in loaded.questions()] == ["auth.keys.hosted"]


def test_duplicate_item_ids_name_both_places(tmp_path: Path) -> None:
    first = write(tmp_path, "one", "- {id: one.a, type: boolean, text: A?}\n")
    second = write(tmp_path, "two", "- {id: two.a, type: boolean, text: A?}\n- {id: one.a, type: boolean, text: A?}\n")
    error = failure(tmp_path)
    assert f"'one.a' is already used at {first}:5:4" in error.message
    assert error.location is not None
    assert (error.location.file, error.location.line, error.location.column) == (str(second), 6, 4)


def test_a_questionnaire_id_is_used_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    write(tmp_path / "a", "same", "- {id: same.a, type: boolean, text: A?}\n")
    write(tmp_path / "b", "same", "- {id: same.b, type: boolean, text: B?}\n")
    with pytest.raises(DocumentError, match="the questionnaire id 'same' is already used at"):
        load_questionnaires([tmp_path / "a", tmp_path / "b"])


@pytest.mark.parametrize(
    ("items", "line", "column", "message"),
    [
        ("- {id: area.a, type: boolean, text: 'A?}\n", 6, 1, "not valid YAML"),
        ("- {id: area.a, type: boolean, text: A?, colour: red}\n", 5, 41, "unknown key 'items.0.colour'"),
        ("- {id: area.a, type: boolean}\n", 5, 3, "missing key 'items.0.text'"),
        ("- {id: area.a, type: colour, text: A?}\n", 5, 16, "items.0.type"),
        ("- {id: Area A, type: boolean, text: A?}\n", 5, 4, "items.0.id"),
        ("- {id: area.a, type: choice, text: A?}\n", 5, 3, "a choice item needs at least two options"),
        ("- {id: area.a, type: boolean, text: A?, ask: {text: Yours?}}\n", 5, 3, "leave ask out"),
        (
            "- {id: area.a, type: boolean, scope: org, text: A?, ask: {text: Yours?, labels: {maybe: Perhaps}}}\n",
            5,
            3,
            "ask has a label for 'maybe', which is no option",
        ),
        ("- {id: area.a, type: boolean, text: A?, text: B?}\n", 5, 41, "'text' appears twice"),
        (f"- {{id: area.a, type: boolean, text: {'x' * 1001}}}\n", 5, 31, "text is 1,001 characters long"),
        (f"- {{id: area.a, type: boolean, help: {'x' * 4001}, text: A?}}\n", 5, 31, "help is 4,001 characters long"),
        (f"- {{id: area.a, type: boolean, {'k' * 97}: A?}}\n", 5, 31, "is longer than 96 characters"),
    ],
)
def test_what_is_wrong_in_a_file_has_a_line_and_a_column(
    tmp_path: Path, items: str, line: int, column: int, message: str
) -> None:
    path = write(tmp_path, "area", items)
    error = failure(tmp_path)
    assert message in error.message
    assert len(error.message) < 300
    assert error.location is not None
    assert (error.location.file, error.location.line, error.location.column) == (str(path), line, column)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("{question: area.missing, operator: '=', answer: none}", "which no questionnaire has"),
        ("{question: area.frist, operator: '=', answer: none}", "did you mean 'area.first'?"),
        ("{question: area.group, operator: '=', answer: none}", "a group, which is never answered"),
        ("{question: area.second, operator: '=', answer: true}", "names the item itself"),
        ("{question: area.site, operator: '=', answer: true}", "answered once per org"),
        ("{question: area.first, operator: '=', answer: maybe}", "does not offer the answer 'maybe'"),
        ("{question: area.first, operator: '=', answer: true}", "does not offer the answer True"),
        ("{question: area.first, operator: '>', answer: none}", "needs a question with an order"),
        ("{question: area.first, operator: exists, answer: none}", "takes answer: true or false"),
        ("{question: area.number, operator: '>', answer: true}", "is of type integer, and True is not"),
        ("{question: area.inside, operator: '=', answer: 1}", "is of type boolean, and 1 is not"),
    ],
)
def test_conditions_that_cannot_hold_are_errors(tmp_path: Path, condition: str, message: str) -> None:
    path = write(
        tmp_path,
        "area",
        CHOICE.format(id="area.first")
        + f"- {{id: area.second, type: boolean, text: B?, enable_when: [{condition}]}}\n"
        + "- {id: area.group, type: group, text: G, items: [{id: area.inside, type: boolean, text: I?}]}\n"
        + "- {id: area.site, type: boolean, text: S?, scope: org}\n"
        + "- {id: area.number, type: integer, text: N?}\n",
    )
    error = failure(tmp_path)
    assert message in error.message
    assert error.location is not None
    assert (error.location.file, error.location.line) == (str(path), 11)


def test_a_condition_may_name_a_question_of_another_file(tmp_path: Path) -> None:
    write(tmp_path, "one", CHOICE.format(id="one.a"))
    write(
        tmp_path,
        "two",
        "- {id: two.a, type: boolean, text: A?, scope: org, "
        "enable_when: [{question: one.a, operator: '=', answer: all}]}\n",
    )
    assert len(load_questionnaires([tmp_path])) == 2


def test_circles_of_conditions_are_shown_as_a_path(tmp_path: Path) -> None:
    items = "".join(
        f"- {{id: area.{name}, type: boolean, text: Q?, "
        f"enable_when: [{{question: area.{after}, operator: '=', answer: true}}]}}\n"
        for name, after in (("start", "a"), ("a", "b"), ("b", "c"), ("c", "a"))
    )
    write(tmp_path, "area", items)
    assert "area.a → area.b → area.c → area.a" in failure(tmp_path).message


def test_a_question_cannot_continue_another_question(tmp_path: Path) -> None:
    write(tmp_path, "area", "- {id: area.a, type: boolean, text: A?}\n- {id: area.a.b, type: boolean, text: B?}\n")
    assert "'area.a.b' continues 'area.a', a question at" in failure(tmp_path).message


def test_a_group_is_never_read_so_its_id_may_continue_a_question(tmp_path: Path) -> None:
    inside = "{id: area.other, type: boolean, text: O?}"
    write(
        tmp_path,
        "area",
        "- {id: area.a, type: boolean, text: A?}\n"
        f"- {{id: area.a.more, type: group, text: More, items: [{inside}]}}\n",
    )
    (loaded,) = load_questionnaires([tmp_path])
    assert [item.id for item in loaded.questions()] == ["area.a", "area.other"]


def test_a_long_chain_of_conditions_is_no_problem(tmp_path: Path) -> None:
    chain = "- {id: area.q0, type: boolean, text: Q?}\n" + "".join(
        f"- {{id: area.q{number}, type: boolean, text: Q?, "
        f"enable_when: [{{question: area.q{number - 1}, operator: '=', answer: true}}]}}\n"
        for number in range(1, 1500)
    )
    write(tmp_path, "area", chain)
    (loaded,) = load_questionnaires([tmp_path])
    assert sum(1 for _ in loaded.questions()) == 1500


def test_everything_that_is_wrong_is_collected(tmp_path: Path) -> None:
    write(tmp_path, "a", "- {id: a.a, type: boolean}\n")
    write(tmp_path, "b", "- {id: b.a, type: boolean, text: A?}\n- {id: b.a, type: boolean, text: A?}\n")
    read = read_questionnaires([tmp_path, tmp_path / "nowhere"])
    assert [questionnaire.id for questionnaire in read.questionnaires] == ["b"]
    assert [error.message.split(" at ")[0] for error in read.problems] == [
        "missing key 'items.0.text'",
        "no such directory",
        "the item id 'b.a' is already used",
    ]
    assert read.location("b.a").line == 5


def test_a_missing_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no such directory"):
        load_questionnaires([tmp_path / "nowhere"])
