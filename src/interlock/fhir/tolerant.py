"""Reading values that a stranger's JSON may hold: the right type or nothing, bounded, with a note of what was wrong.

Nothing here raises on anything that :func:`json.loads` can return.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from interlock.model.text import plain

MAX_PROBLEMS = 50
MAX_URL = 2048
MAX_CODE = 128
MAX_TEXT = 1024


class Problems:
    """Notes on what a document got wrong, and on what this program did not read of it: each once, and not too many."""

    __slots__ = ("_dropped", "_limits", "_notes")

    def __init__(self) -> None:
        self._notes: dict[str, None] = {}
        self._limits: dict[str, None] = {}
        self._dropped = 0

    def __bool__(self) -> bool:
        return bool(self._notes or self._limits)

    def add(self, note: str) -> None:
        """Add one note, one sentence without a full stop."""
        if note in self._notes:
            return
        if len(self._notes) < MAX_PROBLEMS:
            self._notes[note] = None
        else:
            self._dropped += 1

    def cut(self, note: str) -> None:
        """Add a note on a bound of this program's own, which the document is not to blame for."""
        if len(self._limits) < MAX_PROBLEMS:
            self._limits[note] = None

    def limits(self) -> tuple[str, ...]:
        """What was not read, in order of discovery."""
        return tuple(self._limits)

    def notes(self) -> tuple[str, ...]:
        """All notes in order of discovery; the last one says how many more there were."""
        more = (f"and {self._dropped} more problems",) if self._dropped else ()
        return (*self._notes, *more)


def kind_of(value: object) -> str:
    """JSON's own name for the type of a value, for a message."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an object" if isinstance(value, dict) else "a list"


def storable(text: str) -> str:
    """The same text with lone surrogates replaced: JSON may hold them, UTF-8 may not."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def text_at(parent: dict[str, Any], key: str, problems: Problems, limit: int = MAX_TEXT) -> str | None:
    """The string at ``key``, trimmed; none when it is absent, empty, of another type or longer than ``limit``."""
    value = parent.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        problems.add(f"{key} is {kind_of(value)}, not a string")
        return None
    if len(value) > limit:
        problems.cut(f"{key} is longer than {limit} characters and was not read")
        return None
    value = value.strip()
    return (value if value.isascii() else storable(value)) or None


def bool_at(parent: dict[str, Any], key: str, problems: Problems) -> bool | None:
    """A boolean member, or none; anything else is noted as a problem."""
    value = parent.get(key)
    if value is None or isinstance(value, bool):
        return value
    problems.add(f"{key} is {kind_of(value)}, not a boolean")
    return None


def whole_object(document: object, problems: Problems) -> dict[str, Any]:
    """The object that a whole document should be; an empty one when it is anything else."""
    if isinstance(document, dict):
        return document
    problems.add(f"the document is {kind_of(document)}, not an object")
    return {}


def object_at(parent: dict[str, Any], key: str, problems: Problems) -> dict[str, Any]:
    """The object at ``key``; an empty one when it is absent or of another type."""
    value = parent.get(key)
    if isinstance(value, dict):
        return value
    if value is not None:
        problems.add(f"{key} is {kind_of(value)}, not an object")
    return {}


def objects_at(parent: dict[str, Any], key: str, problems: Problems, cap: int) -> Iterator[dict[str, Any]]:
    """The objects of the list at ``key``, at most ``cap``; a single object counts as a list of one."""
    return (entry for _, entry in numbered_at(parent, key, problems, cap))


def numbered_at(parent: dict[str, Any], key: str, problems: Problems, cap: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Like :func:`objects_at`, each with its position in the list."""
    for position, entry in enumerate(entries_at(parent, key, problems, cap)):
        if isinstance(entry, dict):
            yield position, entry
        else:
            problems.add(f"{key} holds {kind_of(entry)} where an object belongs")


def entries_at(parent: dict[str, Any], key: str, problems: Problems, cap: int) -> list[Any]:
    """What stands in the list of objects at ``key``, at most ``cap`` of them, objects or not."""
    value = parent.get(key)
    if isinstance(value, dict):
        problems.add(f"{key} is an object, not a list of objects")
        return [value]
    return list_at(parent, key, problems, cap) or []


def list_at(parent: dict[str, Any], key: str, problems: Problems, cap: int) -> list[Any] | None:
    """The list at ``key``, cut after ``cap`` entries; none when it is absent or of another type."""
    value = parent.get(key)
    if value is None:
        return None
    if not isinstance(value, list):
        problems.add(f"{key} is {kind_of(value)}, not a list")
        return None
    if len(value) > cap:
        problems.cut(f"{key} has {len(value):,} entries, of which the first {cap:,} were read")
    return value[:cap]


def is_plain(text: str) -> bool:
    """ASCII without white space, not empty: nothing to trim or to replace."""
    return text.isascii() and text.split(None, 1) == [text]


def are_plain(values: list[Any], limit: int) -> bool:
    """Whether all of them are plain strings within the limit, which is the rule."""
    try:
        joined = "".join(values)
    except TypeError:
        return False
    return is_plain(joined) and "" not in values and (len(joined) <= limit or max(map(len, values)) <= limit)


def texts_at(
    parent: dict[str, Any], key: str, problems: Problems, cap: int, limit: int = MAX_CODE
) -> tuple[str, ...] | None:
    """The strings of the list at ``key``, each once, in order; none when the key is absent or holds no list.

    A wrong type is never read as an empty list: an absent list says nothing, an empty one says "none".
    """
    value = list_at(parent, key, problems, cap)
    if value is None:
        return None
    if are_plain(value, limit):
        return tuple(dict.fromkeys(value))
    kept: dict[str, None] = {}
    for entry in value:
        if not isinstance(entry, str):
            problems.add(f"{key} holds {kind_of(entry)} where a string belongs")
        elif len(entry) > limit:
            problems.cut(f"{key} holds an entry longer than {limit} characters, which was not read")
        elif text := entry.strip():
            kept[storable(text)] = None
    return tuple(kept)


def shown(value: object) -> str:
    """A server-chosen value in a message: quoted, one line, short."""
    return f"“{plain(storable(str(value)[:400]), 80)}”"


def objects_of(parent: object, key: str, cap: int = 1000) -> list[dict[str, Any]]:
    """The objects of the list at ``key``, at most ``cap``, without a word about anything else."""
    value = parent.get(key) if isinstance(parent, dict) else None
    return [entry for entry in value[:cap] if isinstance(entry, dict)] if isinstance(value, list) else []


def repeated_members(text: str, names: Iterable[str], within: str | None = None) -> tuple[str, ...]:
    """Slips: members that an object of a JSON text has twice, which each parser reads in its own way.

    The text is looked through only when one of ``names`` is written twice in it, or in the part ``within`` of it.
    """
    part = text if within is None else within
    if all(part.count(f'"{name}":') < 2 for name in names):
        return ()
    twice: dict[str, None] = {}

    def note(members: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(members) > len(value := dict(members)):
            once: set[str] = set()
            for name, _ in members:
                if name in once and len(twice) < MAX_PROBLEMS:
                    twice[name] = None
                once.add(name)
        return value

    with suppress(ValueError, RecursionError):
        json.loads(text, object_pairs_hook=note)
    return tuple(f"the member {shown(name)} is given twice in one object" for name in twice)
