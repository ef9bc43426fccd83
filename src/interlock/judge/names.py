"""Dotted names in nested maps: which part of a map they name, and the state of each.

A condition comes to the same on every map in which the names that it reads have the same states. A state therefore
tells the value, and where there is none how much of the path is there: ``has(a.b.c)`` cannot be decided without ``a.b``
and is false with it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

#: Names to keep of a map: a name without names below it is kept whole.
Wanted = dict[str, "Wanted"]


def wanted_names(reads: Iterable[str]) -> Wanted:
    """Dotted names as a tree. A name read whole covers every name below it."""
    tree: Wanted = {}
    for name in sorted(reads, key=len):
        node = tree
        parts = name.split(".")
        for index, part in enumerate(parts):
            if index < len(parts) - 1 and part in node and not node[part]:
                break
            node = node.setdefault(part, {})
    return tree


def kept(value: Any, wanted: Wanted) -> Any:
    """The wanted names of a value, at every level."""
    if not wanted or type(value) is not dict:
        return value
    return {name: kept(value[name], below) for name, below in wanted.items() if name in value}


def value_at(variables: Mapping[str, Any], name: str) -> Any:
    """The value of a dotted name, or none when it is not there."""
    value: Any = variables
    for part in name.split("."):
        value = value.get(part) if type(value) is dict else None
    return value


def state_at(variables: Mapping[str, Any], name: str) -> Hashable:
    """How far a dotted name leads into nested maps, and the value at its end."""
    value: Any = variables
    for depth, part in enumerate(name.split(".")):
        if type(value) is not dict:
            return depth, frozen(value)
        value = value.get(part)
        if value is None:
            return depth
    return frozen(value)


def frozen(value: Any) -> Hashable:
    """A hashable equivalent; unlike in Python, ``1``, ``1.0`` and ``True`` differ."""
    kind = type(value)
    if kind is str or value is None:
        return value  # type: ignore[no-any-return]
    if kind is dict:
        return "map", tuple((key, frozen(inner)) for key, inner in value.items())
    if kind is list or kind is tuple:
        return "list", tuple([frozen(inner) for inner in value])
    if kind in (bool, int, float):
        return kind.__name__, value
    return kind.__name__, repr(value)
