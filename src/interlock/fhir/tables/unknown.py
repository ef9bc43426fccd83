"""A name that a specification does not have, with those that may have been meant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from interlock.documents.names import close_to

NameKind = Literal[
    "release", "type", "element", "parameter", "modifier", "code", "edition", "profile", "capability", "capability set"
]

#: Longest name that is looked up, and longest part of one that is kept of a name that is not known.
MAX_NAME = 1_000
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Unknown:
    """What was asked for and does not exist.

    :ivar kind: what kind of name it is.
    :ivar name: the name, or the first part of a path or chain, that does not exist; at most 100 characters.
    :ivar at: where it was looked for: the type, element or parameter before it; empty at the start.
    :ivar near: names that do exist there and are spelt alike, the closest first; at most three.
    """

    kind: NameKind
    name: str
    at: str = ""
    near: tuple[str, ...] = ()


def unknown(kind: NameKind, name: str, known: Iterable[str], at: str = "") -> Unknown:
    """An unknown name with those of ``known`` that are close to it."""
    return Unknown(kind, name[:_SHOWN], at, close_to(name, known))
