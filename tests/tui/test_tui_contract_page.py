"""The page of the contract in the terminal: every part that schema 2 has, at any width, with nothing cut."""

from __future__ import annotations

import re

import pytest

from interlock.contract.load import load_contract
from interlock.documents.resources import data_dir
from interlock.model.contract import WorkflowContract
from interlock.model.contract_page import contract_parts
from interlock.tui.page import Page
from interlock.tui.screens.contract import draw_contract

pytestmark = pytest.mark.fast

DEMO = load_contract(data_dir("samples") / "templates" / "sepsis" / "contract.yaml")[0]


def drawn(contract: WorkflowContract, width: int) -> list[str]:
    page = Page(width)
    draw_contract(page, contract, (), ())
    return page.content().plain.splitlines()


def without_spaces(text: str) -> str:
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("width", [36, 76, 118])
def test_all_that_the_contract_says_is_there_and_nothing_is_cut(width: int) -> None:
    lines = drawn(DEMO, width)
    assert max(map(len, lines)) <= width and not any("…" in line for line in lines)
    shown = without_spaces("".join(lines))
    for part in contract_parts(DEMO, {}):
        assert without_spaces(part.title) in shown, part.title
        for said in (line for row in part.rows for cell in row for line in cell):
            assert without_spaces(said) in shown, said


def test_what_is_undecided_says_so() -> None:
    lines = drawn(WorkflowContract.model_validate({"schema": 2, "version": "1", "title": "Early"}), 76)
    assert "· Off switch  undecided" in lines and "· Event  undecided" in lines
    assert lines[lines.index("What it reads  0") + 1] == "none"
