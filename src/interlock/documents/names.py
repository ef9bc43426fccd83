"""Names by which documents refer to one another: the closest one to a misspelt name, and references in a circle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'launch'?``, to follow what is said about an unknown name; empty when no known one is close."""
    close = get_close_matches(name[:100], list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def find_circle(following: Mapping[str, Sequence[str]]) -> list[str] | None:
    """A circle in a graph as a path that ends where it starts, or none. Names without an entry have no followers.

    Depth-first, with a stack of its own: a chain of references may be longer than Python's.
    """
    done: set[str] = set()
    for start in following:
        path: list[str] = []
        stack: list[tuple[str, Iterator[str]]] = []
        if start in done:
            continue
        path.append(start)
        stack.append((start, iter(following[start])))
        while stack:
            node, rest = stack[-1]
            target = next(rest, None)
            if target is None:
                stack.pop()
                path.pop()
                done.add(node)
            elif target in path:
                return [*path[path.index(target) :], target]
            elif target not in done:
                path.append(target)
                stack.append((target, iter(following.get(target, ()))))
    return None
