"""Names by which documents refer to one another: the closest one to a misspelt name, and references in a circle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'launch'?``, to follow what is said about an unknown name; empty when no known one is close."""
    close = get_close_matches(name[:100], list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def close_to(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Up to three known names that are spelt like an unknown one, in letters of any case; the closest first."""
    by_upper = {entry.upper(): entry for entry in known}
    return tuple(by_upper[upper] for upper in get_close_matches(name.upper()[:100], by_upper, n=3, cutoff=0.5))


def closest(name: str, known: Iterable[str], otherwise: str) -> str:
    """What to do about an unknown name: ``did you mean a, b?``, in letters of any case, or ``otherwise``."""
    close = close_to(name, known)
    return f"did you mean {', '.join(close)}?" if close else otherwise


def find_circle(following: Mapping[str, Sequence[str]]) -> list[str] | None:
    """A circle in a graph as a path that ends where it starts, or none. Names without an entry have no followers."""
    try:
        TopologicalSorter(following).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle[::-1]
    return None
