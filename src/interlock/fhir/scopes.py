"""SMART scopes: reading v1 and v2 syntax, and deciding whether some scopes cover another.

v1 is ``(patient|user)/(Type|*).(read|write|*)`` (SMART App Launch 1.0, scopes and launch context); ``system/`` came
with backend services in the same syntax. v2 is ``(patient|user|system)/(Type|*).`` with letters of ``cruds`` in that
order and an optional query (SMART App Launch 2.2, FHIR resource scope syntax).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple, cast
from urllib.parse import unquote

Level = Literal["patient", "user", "system"]

_SCOPE = re.compile(r"(patient|user|system)/(\*|[A-Z][A-Za-z]{0,63})\.([a-z]+|\*)(?:\?(.+))?", re.DOTALL)
_V2_LETTERS = re.compile(r"c?r?u?d?s?")

#: v1 permission → v2 letters: SMART App Launch 2.2 reads ``.read`` as ``.rs``, ``.write`` as ``.cud``, ``.*`` as all.
_V1_LETTERS = {"read": "rs", "write": "cud", "*": "cruds"}


@dataclass(frozen=True, slots=True)
class Scope:
    """One FHIR resource scope.

    :ivar level: ``patient``, ``user`` or ``system``.
    :ivar type: a resource type, or ``*`` for every present and future one.
    :ivar letters: letters of ``cruds`` in that order; v1 words are already translated.
    :ivar constraint: the parts of the query (``category=laboratory``), decoded; an empty set when there is none.
    :ivar version: 1 or 2, by syntax.
    """

    level: Level
    type: str
    letters: str
    constraint: frozenset[str] = frozenset()
    version: Literal[1, 2] = 2


@lru_cache(maxsize=16_384)
def parse(text: str) -> Scope | None:
    """A resource scope, or none for anything else: launch, identity and refresh scopes, extensions, bad syntax.

    ``patient/Observation.sr`` (letters out of order) is none: a server MAY ignore, replace or reject it.
    """
    match = _SCOPE.fullmatch(text)
    if match is None:
        return None
    level, type_name, permission, query = match.groups()
    if permission in _V1_LETTERS:
        if query is not None:
            return None
        return Scope(cast(Level, level), type_name, _V1_LETTERS[permission], version=1)
    if not _V2_LETTERS.fullmatch(permission):
        return None
    constraint = frozenset(unquote(part) for part in query.split("&") if part) if query else frozenset()
    return Scope(cast(Level, level), type_name, permission, constraint)


def covers(supported: Iterable[str], needed: str) -> bool:
    """Whether the scopes together grant everything that ``needed`` asks for.

    Scopes add up (``.r`` and ``.s`` make ``.rs``); ``*`` covers every type; a scope with a query covers only a need
    that is at least as narrow; v1 and v2 compare by their letters. A scope that is no resource scope is covered by the
    same string only. A list of supported scopes need not be complete, so a false here is "not listed", never "refused".
    """
    wanted = parse(needed)
    if wanted is None:
        return needed in (supported if isinstance(supported, set | frozenset) else tuple(supported))
    missing = set(wanted.letters)
    for text in supported:
        if not text.startswith(wanted.level):
            continue
        offered = parse(text)
        if (
            offered is not None
            and offered.level == wanted.level
            and offered.type in {"*", wanted.type}
            and offered.constraint <= wanted.constraint
        ):
            missing.difference_update(offered.letters)
            if not missing:
                return True
    return False


class Coverage(NamedTuple):
    """How far scopes grant what another asks for.

    :ivar unlisted: letters of ``cruds`` that none of them grants; empty for a scope that is no resource scope.
    :ivar restricted: letters that only scopes with a narrower query grant, and ``queries`` are those queries' parts.
    """

    listed: bool
    unlisted: str = ""
    restricted: str = ""
    queries: tuple[str, ...] = ()


def coverage(supported: Iterable[str], needed: str) -> Coverage:
    """How far the scopes together grant what ``needed`` asks for, queries apart (:func:`covers` is yes or no)."""
    supported = tuple(supported)
    wanted = parse(needed)
    if wanted is None or covers(supported, needed):
        return Coverage(covers(supported, needed))
    plain: set[str] = set()
    narrowed: set[str] = set()
    queries: dict[str, None] = {}
    for text in supported:
        offered = parse(text) if text.startswith(wanted.level) else None
        if offered is None or offered.level != wanted.level or offered.type not in {"*", wanted.type}:
            continue
        granted = set(offered.letters) & set(wanted.letters)
        if offered.constraint <= wanted.constraint:
            plain |= granted
        elif granted:
            narrowed |= granted
            queries |= dict.fromkeys(sorted(offered.constraint))
    restricted = "".join(letter for letter in wanted.letters if letter in narrowed - plain)
    unlisted = "".join(letter for letter in wanted.letters if letter not in plain | narrowed)
    return Coverage(False, unlisted, restricted, tuple(queries) if restricted else ())


def syntax_versions(scopes: Iterable[str]) -> tuple[bool, bool]:
    """Whether any scope is written in v1 syntax, and any in v2 syntax; launch and identity scopes do not count."""
    versions = {scope.version for text in scopes if (scope := parse(text)) is not None}
    return 1 in versions, 2 in versions
