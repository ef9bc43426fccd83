"""A workspace's own questionnaires: questions added, and questions that replace shipped ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlock.content.questionnaires import load_questionnaires, read_questionnaires
from interlock.model.errors import DocumentError

pytestmark = pytest.mark.fast

SHIPPED = """\
id: base
version: "1"
title: Base
items:
- {id: base.first, type: boolean, text: First?}
- id: base.group
  type: group
  text: Group
  items:
  - {id: base.inner, type: boolean, text: Inner?}
  - {id: base.other, type: boolean, text: Other?, enable_when: [{question: base.inner, operator: "=", answer: true}]}
- {id: base.last, type: boolean, text: Last?}
"""


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    shipped.mkdir()
    own.mkdir()
    (shipped / "1-base.yaml").write_text(SHIPPED)
    return shipped, own


def write(own: Path, items: str, name: str = "own") -> Path:
    path = own / f"{name}.yaml"
    path.write_text(f'id: {name}\nversion: "2"\ntitle: Own\nitems:\n{items}')
    return path


def ids(folders: tuple[Path, ...]) -> list[list[str]]:
    return [[item.id for item in questionnaire.questions()] for questionnaire in load_questionnaires(folders)]


def test_questions_are_added_after_the_shipped_ones(folders: tuple[Path, Path]) -> None:
    write(folders[1], "- {id: own.one, type: boolean, text: One?}\n")
    assert ids(folders) == [["base.first", "base.inner", "base.other", "base.last"], ["own.one"]]


def test_a_question_replaces_the_one_with_its_id_where_that_stood(folders: tuple[Path, Path]) -> None:
    path = write(
        folders[1], "- {id: base.inner, type: boolean, text: Ours?}\n- {id: own.one, type: boolean, text: One?}\n"
    )
    assert ids(folders) == [["base.first", "base.inner", "base.other", "base.last"], ["own.one"]]
    read = read_questionnaires(folders)
    assert next(item for item in read.questionnaires[0].questions() if item.id == "base.inner").text == "Ours?"
    assert str(read.location("base.inner")) == f"{path}:5:4"


def test_a_questionnaire_that_only_replaces_is_left_out(folders: tuple[Path, Path]) -> None:
    write(folders[1], "- {id: base.last, type: boolean, text: Ours?}\n")
    assert [questionnaire.id for questionnaire in load_questionnaires(folders)] == ["base"]


def test_a_group_replaces_a_group_whole(folders: tuple[Path, Path]) -> None:
    write(
        folders[1],
        "- {id: base.group, type: group, text: G, items: [{id: base.new, type: boolean, text: New?}]}\n",
    )
    assert ids(folders) == [["base.first", "base.new", "base.last"]]
    assert read_questionnaires(folders).location("base.inner").file is None


def test_a_condition_on_a_question_that_a_replacement_took_away_is_told(folders: tuple[Path, Path]) -> None:
    path = write(folders[1], "- {id: base.inner, type: string, text: Ours?}\n")
    with pytest.raises(DocumentError) as caught:
        load_questionnaires(folders)
    assert "base.other: 'base.inner' is of type string" in caught.value.message
    assert caught.value.location is not None and caught.value.location.file != str(path)


def test_the_same_id_twice_in_one_folder_is_still_a_problem(folders: tuple[Path, Path]) -> None:
    first = write(folders[1], "- {id: own.one, type: boolean, text: One?}\n", "alfa")
    write(folders[1], "- {id: own.one, type: boolean, text: Two?}\n", "bravo")
    with pytest.raises(DocumentError) as caught:
        load_questionnaires(folders)
    assert f"the item id 'own.one' is already used at {first}:5:4" in caught.value.message


def test_a_questionnaires_id_is_not_taken_twice(folders: tuple[Path, Path]) -> None:
    (folders[1] / "again.yaml").write_text(SHIPPED)
    with pytest.raises(DocumentError) as caught:
        load_questionnaires(folders)
    assert "the questionnaire id 'base' is already used at" in caught.value.message
