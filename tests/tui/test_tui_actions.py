"""One table of actions: every screen's keys come from it, every entry does something, and the documentation has it."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import pytest
from textual.actions import parse
from textual.binding import Binding
from textual.dom import DOMNode
from textual.widgets import DataTable, Tree

import interlock.tui
from interlock.model.actions import ACTIONS, BY_ID, SCREENS, actions_of, keys_page
from interlock.tui.sections import SECTIONS
from interlock.tui.widgets.flow import ScrollingFlow

PAGE = Path(__file__).resolve().parents[2] / "docs" / "terminal-ui.md"


def _owners() -> dict[str, list[type[DOMNode]]]:
    """Every class of ours with bindings of its own, by the place in the table that its bindings are taken from."""
    owners: dict[str, list[type[DOMNode]]] = {}
    for module in pkgutil.walk_packages(interlock.tui.__path__, "interlock.tui."):
        for kind in vars(importlib.import_module(module.name)).values():
            if isinstance(kind, type) and issubclass(kind, DOMNode) and kind.__module__ == module.name:
                own = [binding for binding in vars(kind).get("BINDINGS", ()) if isinstance(binding, Binding)]
                for place in {BY_ID[binding.id or f"{kind.__name__}: {binding.action}"].screen for binding in own}:
                    owners.setdefault(place, []).append(kind)
    return owners


def test_every_key_comes_from_the_table_and_every_entry_does_something():
    owners = _owners()
    for action in ACTIONS:
        assert action.screen in owners, f"{action.id}: no screen takes its keys from there"
        _, name, _ = parse(action.action.format(key="1"))
        for kind in owners[action.screen]:
            there = (f"action_{name}", f"_action_{name}")
            assert any(hasattr(kind, method) for method in there), f"{kind.__name__} has no action {name}"


def test_ids_and_keys_are_used_once_and_everything_is_explained():
    ids = [action.id for action in ACTIONS]
    assert len(ids) == len(set(ids))
    for screen in SCREENS:
        keys = [key for action in actions_of(screen) for key in action.keys.split(",") if key]
        assert len(keys) == len(set(keys)), screen
    for action in ACTIONS:
        assert action.screen in SCREENS and action.words and action.help and not action.help.endswith("."), action.id
    for number, section in enumerate(SECTIONS, 1):
        entry = BY_ID[f"app.section-{number}"]
        assert (entry.words, entry.action) == (section.title, f"go('{section.mode}')")


@pytest.mark.fast
def test_the_documentation_has_the_table():
    assert keys_page() in PAGE.read_text(), "scripts/keys_page.py writes it"


async def test_a_letter_goes_to_each_part_in_sight_and_to_a_field_of_a_dialog(terminal):
    async with terminal((80, 24)) as t:
        await t.press("6", "ctrl+o")
        overlay = t.app.screen
        there = {letter: widget for letter, (widget, _) in overlay._targets.items()}
        below = t.app.screen_stack[-2]
        assert list(there.values()) == [w for w in below.focus_chain if below.find_widget(w).visible_region.area]
        letter = next(key for key, widget in there.items() if widget.id == "folder")
        assert f" {letter} " in t.text
        await t.press(letter)
        assert t.app.focused.id == "folder"
        await t.press("ctrl+o", "escape")
        assert t.app.focused.id == "folder" and t.app.screen is below, "one may stay where one is, while typing too"
        await t.press("escape", "7", "a")
        await t.until_shown("Add an organisation")
        await t.press("ctrl+o")
        await t.press(list(t.app.screen._targets)[1])
        assert t.app.focused is not None and t.app.screen.query("Input")


async def test_j_and_k_move_in_lists_trees_tables_and_texts_and_are_letters_in_a_field(terminal):
    async with terminal((120, 36)) as t:
        await t.press("2", "t")
        await t.until(lambda: isinstance(t.app.focused, DataTable) and t.app.focused.row_count > 3)
        row, column = t.app.focused.cursor_coordinate
        await t.press("j", "j", "l", "k")
        assert t.app.focused.cursor_coordinate == (row + 1, column + 1)
        await t.press("escape", "m", "j", "k")
        assert t.app.focused.id == "note" and t.app.focused.value.endswith("jk")
        await t.press("f1")
        await t.until_shown("What it asks")
        await t.press("f1")
        await t.press("escape", "g", "8", "e")
        await t.until(lambda: isinstance(t.app.focused, Tree) and t.app.focused.cursor_line >= 0)
        line = t.app.focused.cursor_line
        await t.press("j", "j", "k")
        assert t.app.focused.cursor_line == line + 1
        await t.press("escape", "t")
        await t.until(lambda: isinstance(t.app.focused, ScrollingFlow))
        await t.press("j", "j", "k")
        await t.until(lambda: t.app.focused.scroll_offset.y == 1)
