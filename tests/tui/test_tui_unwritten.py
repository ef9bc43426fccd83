"""The overview of a workspace whose contract nobody has written in says that the file is what is missing."""

from __future__ import annotations

from pathlib import Path

from interlock.tui.overview_page import draw_answers
from interlock.tui.page import Page
from interlock.tui.state import State
from interlock.usecases.initialize import initialize
from interlock.usecases.load import load_inputs


def drawn(root: Path, template: str) -> str:
    page = Page(100)
    draw_answers(page, {}, State(inputs=load_inputs(initialize(root / template, template))))
    return " ".join(page.content().plain.split())


def test_the_overview_says_that_the_contract_is_not_written(tmp_path: Path) -> None:
    assert "contract.yaml still holds only what init wrote" in drawn(tmp_path, "blank")
    assert "contract.yaml" not in drawn(tmp_path, "ready")
