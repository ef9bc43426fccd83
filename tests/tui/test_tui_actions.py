"""One table of actions: every screen's keys come from it, every entry does something, and the documentation has it."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import pytest
from textual.actions import parse
from textual.binding import Binding
from textual.dom import DOMNode

import interlock.tui
from interlock.model.actions import ACTIONS, BY_ID, PLACES, actions_of, keys_page
from interlock.tui.screens.sections import SECTIONS

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
    for screen in PLACES:
        keys = [key for action in actions_of(screen) for key in action.keys.split(",") if key]
        assert len(keys) == len(set(keys)), screen
    for action in ACTIONS:
        assert action.screen in PLACES and action.words and action.help and not action.help.endswith("."), action.id
    for number, section in enumerate(SECTIONS, 1):
        entry = BY_ID[f"app.section-{number}"]
        assert (entry.words, entry.action) == (section.TITLE, f"go('{section.MODE}')")


@pytest.mark.fast
def test_the_documentation_has_the_table():
    assert keys_page() in PAGE.read_text(), "scripts/keys_page.py writes it"
