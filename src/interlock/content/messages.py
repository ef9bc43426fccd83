"""A rule's message with its fields filled in from the subject's variables."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from interlock.model.text import plain

#: How many entries of a list are named, and how long one value may be, in characters.
MAX_ENTRIES = 6
MAX_VALUE = 120
_FIELD = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_-]+)*)\}")


def fill(template: str, shown: Callable[[str], str]) -> str:
    """Replace each ``{dotted.name}`` by what ``shown`` gives for the name; what it gives is not filled in again."""
    parts = _split(template)
    if len(parts) == 1:
        return parts[0]
    return "".join(part if index % 2 == 0 else shown(part) for index, part in enumerate(parts))


def fields(template: str) -> tuple[str, ...]:
    """The dotted names that a template shows."""
    return _split(template)[1::2]


def show(value: Any) -> str:
    """A value in words: yes or no, a number, one line of text, or the first entries of a list and how many more.

    ``?`` for what is not there and for what has no short form. Bounded, without control characters; never raises.
    """
    if isinstance(value, (list, tuple)):
        named = ", ".join(_entry(entry) for entry in value[:MAX_ENTRIES]) or "none"
        return named if len(value) <= MAX_ENTRIES else f"{named} and {len(value) - MAX_ENTRIES} more"
    return _entry(value)


def line(text: object, limit: int = MAX_VALUE) -> str:
    """One bounded line that any terminal can show and any file can hold."""
    return plain(text, limit)


def _entry(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return line(value)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int) and abs(value) < 10**18:
        return str(value)
    return "?"


@lru_cache(maxsize=2048)
def _split(template: str) -> tuple[str, ...]:
    return tuple(_FIELD.split(template))
