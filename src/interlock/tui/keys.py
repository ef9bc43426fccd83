"""Keys of screens and widgets, made from the table of actions; and what is done, told and shown of an action."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from textual.actions import parse
from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen

from interlock.model.actions import BY_ID, SIGNS, Action, actions_of


def bindings(screen: str, *, priority: bool = False) -> list[BindingType]:
    """The bindings of a screen or a kind of widget: ``BINDINGS = bindings("gaps")``."""
    return [binding for action in actions_of(screen) if action.keys for binding in _bindings(action, priority)]


def _bindings(action: Action, priority: bool) -> Iterator[Binding]:
    own_each = "{key}" in action.action
    for key in action.keys.split(",") if own_each else (action.keys,):
        yield Binding(
            key,
            action.action.format(key=key) if own_each else action.action,
            action.words,
            show=action.foot,
            tooltip=action.help,
            priority=priority,
            id=action.id,
        )


#: The user's own keys, by an action's id.
_OWN: dict[str, str] = {}
_NAMED = re.compile(r"\{(\w+\.[\w-]+)\}")


def use(own: Mapping[str, str]) -> None:
    """Name the user's own keys from now on."""
    _OWN.clear()
    _OWN.update(own)


def key_of(action: str) -> str:
    """The first key of an action, for a sentence that says what it does: ``ctrl+z``, ``/``."""
    first = _OWN.get(action, BY_ID[action].keys).split(",")[0]
    return SIGNS.get(first, first)


def keyed(sentence: str) -> str:
    """A sentence of ours with keys in the place of actions: ``{app.undo} takes it back``."""
    return _NAMED.sub(lambda named: key_of(named[1]), sentence)


def shown_key(app: App[Any], action: Action) -> str:
    """The action's keys as they are now, the user's own if there are any: ``d delete``."""
    if not action.keys:
        return ""
    keys = app._keymap.get(action.id, action.keys)
    return " ".join(app.get_key_display(Binding(key, action.action)) for key in keys.split(","))


def possible(node: Screen[Any] | App[Any]) -> list[Action]:
    """Actions of a screen or of the app that do something now, with a key or without."""
    ids = [binding.id for binding in node.BINDINGS if isinstance(binding, Binding) and binding.id in BY_ID]
    listed = []
    for action in actions_of(BY_ID[ids[0]].screen) if ids and ids[0] else ():
        if not action.fixed:
            _, does, parameters = parse(action.action)
            if node.check_action(does, parameters):
                listed.append(action)
    return listed
