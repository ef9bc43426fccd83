"""What a user prefers, in ``config.toml`` of the user's configuration folder: colours, animations, keys.

A broken file never stops anything: what cannot be used is told with its line and left out.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from interlock.model.actions import ACTIONS, BY_ID, SIGNS, Action, actions_of
from interlock.model.text import plain

#: Themes by the names that a person writes; each has one of Interlock's own behind it.
THEMES = ("dark", "light", "high-contrast", "ansi")
#: Remarks that are told; more of them say nothing new.
_TOLD = 20
#: Keys that one action may have.
_MOST_KEYS = 4
#: Keys that move, choose, leave and type: they mean the same everywhere.
_RESERVED = frozenset(
    [
        "enter",
        "escape",
        "tab",
        "shift+tab",
        "up",
        "down",
        "left",
        "right",
        "home",
        "end",
        "pageup",
        "pagedown",
        "j",
        "k",
        "ctrl+c",
        "ctrl+q",
    ]
)
_KEY = re.compile(r"(?:(?:ctrl|alt|shift)\+){0,2}(?:[^\s,0-9]|f(?:[1-9]|1[0-2])|space|delete|insert|backspace|comma)")
#: Places on top of the others: no other screen's key works there.
_ON_TOP = frozenset({"dialog", "confirm", "review", "form", "search", "letters", "help"})


@dataclass(frozen=True)
class Preferences:
    """What the user prefers.

    :ivar theme: one of :data:`THEMES`.
    :ivar keys: by an action's id its keys, separated by commas, as Textual names them.
    """

    theme: str = THEMES[0]
    animations: bool = True
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Remark:
    """Why something in the file is left out, and the line where it stands, if that is known."""

    message: str
    line: int | None = None

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}" if self.line else self.message


def read_preferences(text: str) -> tuple[Preferences, tuple[Remark, ...]]:
    """What a ``config.toml`` says, and what of it is left out and why."""
    try:
        said = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        line_told = re.search(r"at line (\d+)", str(error))
        reason = plain(str(error).partition(" (at ")[0] or "too many brackets", 200)
        line = int(line_told[1]) if line_told else text.count("\n") + 1
        return Preferences(), (Remark(f"this is no TOML: {reason}; nothing of it is used", line),)
    remarks: list[Remark] = []

    def leave_out(message: str, *path: str) -> None:
        remarks.append(Remark(message, _line_of(text, path)))

    theme, animations = said.pop("theme", THEMES[0]), said.pop("animations", True)
    if theme not in THEMES:
        leave_out(f"there is no theme {plain(theme, 60)!r}: {', '.join(THEMES)}", "theme")
        theme = THEMES[0]
    if not isinstance(animations, bool):
        leave_out("animations is true or false", "animations")
        animations = True
    wanted = said.pop("keys", {})
    keys: dict[str, str] = {}
    if not isinstance(wanted, dict):
        leave_out("keys is a table: [keys]", "keys")
    else:
        for path, value in _flat(wanted):
            problem = _problem(".".join(path), value, keys)
            if problem is None:
                keys[".".join(path)] = ",".join(_listed(value))
            else:
                leave_out(problem, "keys", *path)
    for name in said:
        leave_out(f"there is no setting {plain(name, 60)!r}: theme, animations, [keys]", name)
    remarks.sort(key=lambda remark: remark.line or 0)
    if len(remarks) > _TOLD:
        remarks[_TOLD:] = [Remark(f"and {len(remarks) - _TOLD} more that are left out")]
    return Preferences(theme, animations, keys), tuple(remarks)


def _flat(table: Mapping[str, Any], *above: str) -> Iterator[tuple[tuple[str, ...], object]]:
    """``questions.next = "n"`` is a table in a table in TOML, and ``"questions.next" = "n"`` is not: both are meant."""
    for name, value in table.items():
        if isinstance(value, dict) and not above:
            yield from _flat(value, name)
        else:
            yield (*above, name), value


def _listed(value: Any) -> list[Any]:
    keys = value if isinstance(value, list) else [value]
    return ["comma" if key == "," else key for key in keys]


def _problem(name: str, value: object, keys: Mapping[str, str]) -> str | None:
    """Why an action cannot have these keys beside those that others have; none if it can."""
    action = BY_ID.get(name)
    if action is None:
        return f"there is no action {plain(name, 60)!r}: docs/terminal-ui.md lists them"
    if action.fixed:
        return f"the keys of {name} stay what they are"
    given = _listed(value)
    if not 0 < len(given) <= _MOST_KEYS or not all(isinstance(key, str) for key in given):
        return f"{name} is one key, or a list of at most {_MOST_KEYS}"
    for key in given:
        if key in _RESERVED or key.isdigit():
            return f"{plain(key, 20)} means the same everywhere, so {name} cannot have it"
        if not _KEY.fullmatch(key):
            return f"there is no key {plain(key, 20)!r}: one character, f1 to f12, space, delete, or ctrl+ and a letter"
        if (other := _taken(key, action, keys)) is not None:
            return f"{plain(key, 20)} is the key of {other.id} there"
    return None


def _taken(key: str, action: Action, keys: Mapping[str, str]) -> Action | None:
    """Another action that has a key where this one works."""
    if action.screen == "app":
        there: Iterable[Action] = (other for other in ACTIONS if other.screen not in _ON_TOP)
    else:
        there = [*actions_of(action.screen), *(() if action.screen in _ON_TOP else actions_of("app"))]
    for other in there:
        others = (SIGNS.get(key, key) for key in keys.get(other.id, other.keys).split(","))
        if other is not action and key in others:
            return other
    return None


def _line_of(text: str, path: tuple[str, ...]) -> int | None:
    """The line at which a value begins, as far as headings and names in front of ``=`` tell."""
    wanted, heading = ".".join(path), ""
    for number, line in enumerate(text.splitlines(), 1):
        name = line.partition("#")[0].partition("=")[0].strip()
        if name.startswith("["):
            heading = name.strip("[] ") + "."
            name = ""
        told = (heading + name).replace('"', "").replace("'", "").replace(" ", "").strip(".")
        if told == wanted:
            return number
    return None


def template() -> str:
    """A new ``config.toml``: everything that can be set, as it is without the file."""
    lines = [
        "# What you prefer in Interlock's terminal UI. What stands behind # holds already.",
        "",
        f'# theme = "{THEMES[0]}"  # {", ".join(THEMES)}',
        "# animations = true",
        "",
        "[keys]",
        "# Another key for an action, or a list of keys. interlock config show --user tells what is in force.",
    ]
    for action in ACTIONS:
        if not action.fixed:
            keys = [SIGNS.get(key, key) for key in action.keys.split(",")]
            shown = f'"{keys[0]}"' if len(keys) == 1 else "[" + ", ".join(f'"{key}"' for key in keys) + "]"
            lines.append(f"# {action.id} = {shown}  # {action.help}")
    return "\n".join(lines) + "\n"
