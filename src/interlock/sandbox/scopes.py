"""SMART scopes of the system level, as far as the simulation grants them (SMART App Launch 2.2, scopes)."""

from __future__ import annotations

import re

_V1 = {"read": "rs", "write": "cud", "*": "cruds"}
_SCOPE = re.compile(r"^system/(\*|[A-Z][A-Za-z]{1,63})\.(read|write|\*|c?r?u?d?s?)(\?.*)?$")


def parse(scope: str) -> tuple[str, str] | None:
    """Type (or ``*``) and letters of ``cruds`` of a system scope, in v1 or v2 syntax; none if it is something else.

    A scope with a search constraint is not granted, so it is none too.
    """
    match = _SCOPE.match(scope)
    if match is None or not match[2] or match[3]:
        return None
    return match[1], _V1.get(match[2], match[2])


def permits(scopes: tuple[str, ...], kind: str, letter: str) -> bool:
    """Whether any of the scopes allows this letter of ``cruds`` on this resource type."""
    return any(granted[0] in ("*", kind) and letter in granted[1] for granted in map(parse, scopes) if granted)


def covers(wide: str, narrow: str) -> bool:
    """Whether everything that ``narrow`` allows is allowed by ``wide``. Both must be system scopes."""
    outer, inner = parse(wide), parse(narrow)
    if outer is None or inner is None:
        return False
    return outer[0] in ("*", inner[0]) and set(inner[1]) <= set(outer[1])
