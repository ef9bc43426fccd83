"""``interlock assess --plain``: the questions in plain lines, for a screen reader or a bare terminal."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from interlock.cli import walk
from interlock.model.base import Evidence, Status
from interlock.usecases.initialize import initialize
from interlock.usecases.load import load_inputs
from interlock.workspace.store import Workspace

FIRST, SECOND = "boundary.output_stable", "boundary.workflow_settled"


@pytest.fixture
def blank(tmp_path: Path) -> Workspace:
    """A workspace without any answer."""
    return initialize(tmp_path / "ws", "blank")


@pytest.fixture
def walked(command, blank: Workspace, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    def walk(*lines: str) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        result = command("assess", "--plain", blank.root, "--as", "Ada")
        assert result.code == 0, result.err
        return f"{result.out}{result.err}"

    return walk


def test_answers_by_number_unknown_note_evidence_and_back(walked, blank: Workspace) -> None:
    said = walked("3", "u", "b", "n", "counted by Bo", "b", "b", "e", "2", "q")
    answers = blank.responses("product")
    third = load_inputs(blank).content.item(FIRST).options[2].value
    assert (answers[FIRST].value, answers[FIRST].by) == (third, "Ada")
    assert answers[FIRST].evidence is Evidence.DOCUMENTED
    assert answers[SECOND].status is Status.UNKNOWN and answers[SECOND].note == "counted by Bo"
    assert "Score of the product" in said and "Everything is saved." in said
    assert "\x1b" not in said and "│" not in said


def test_a_wrong_line_is_told_and_changes_nothing_and_the_end_of_input_ends_it(walked, blank: Workspace) -> None:
    said = walked("99", "0", "²", "1 2", "nonsense", "?", "x")
    assert said.count("Type a number from 1 to ") == 4
    assert "takes one answer" in said and "This question always applies" in said
    assert said.count("How stable is the AI output") == 1, "the question is not read out again after a mistake"
    assert not blank.responses("product")


def test_what_somebody_else_answered_meanwhile_stands_and_is_told(walked, blank: Workspace, monkeypatch) -> None:
    theirs, read = None, walk._read

    def late(prompt: str) -> str:
        nonlocal theirs
        if theirs is None:
            item = next(iter(load_inputs(blank).content.questionnaires[0].questions()))
            theirs = walk.revised(item, None, walk.Given(value=item.options[0].value), "Bob")
            blank.save_response("product", item.id, theirs, before=None)
        return read(prompt)

    monkeypatch.setattr(walk, "_read", late)
    said = walked("3", "q")
    assert theirs is not None
    assert "Bob" in said
    assert blank.responses("product")[FIRST].by == "Bob"
