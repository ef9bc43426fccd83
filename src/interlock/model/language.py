"""The language that fixed words are written in: English, or a translation that was handed in for one report.

A fixed sentence stands in the code in English, once and whole: ``_("%(name)s has no answer", name=org)``. What a
translation lacks is said in English. It holds inside :func:`using` alone, so data and other threads stay English.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from typing import TypeVar

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_Key = TypeVar("_Key")


class Language:
    """British English, and what a translation replaces of it.

    :ivar tag: BCP 47, for ``lang`` attributes.
    :ivar told: what a reader should know of the translation, a sentence each; nothing of English.
    :ivar catalogue: a translation's words as a ``.mo`` file; empty for English.
    """

    tag = "en-GB"
    told: tuple[str, ...] = ()
    catalogue = b""

    def one(self, message: str) -> str:
        """A fixed sentence, its placeholders as they are."""
        return message

    def counted(self, singular: str, plural: str, number: float) -> str:
        """The form of a fixed sentence that goes with a number."""
        return singular if number == 1 else plural

    def decimal(self, value: float, digits: int = 0) -> str:
        """A number in figures: ``1,200``, ``12.5``."""
        return f"{value:,.{digits}f}"

    def day(self, value: date) -> str:
        """``7 Mar 2028``."""
        return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"

    def month(self, value: date, *, year: bool = True) -> str:
        """``Mar 2028``, ``Mar``."""
        return f"{_MONTHS[value.month - 1]} {value.year}" if year else _MONTHS[value.month - 1]


ENGLISH = Language()
_CURRENT: ContextVar[Language] = ContextVar("language", default=ENGLISH)


def current() -> Language:
    """The language that is written now."""
    return _CURRENT.get()


@contextmanager
def using(language: Language) -> Iterator[None]:
    """Write in this language until the block ends."""
    before = _CURRENT.set(language)
    try:
        yield
    finally:
        _CURRENT.reset(before)


def _(message: str, /, **values: object) -> str:
    """A fixed sentence in the language that is written now, with ``%(name)s`` filled; ``%%`` is a percent sign then."""
    said = _CURRENT.get().one(message)
    return said % values if values else said


def ngettext(singular: str, plural: str, number: float, /, **values: object) -> str:
    """A fixed sentence in the form that goes with ``number``, which is not filled in by itself."""
    said = _CURRENT.get().counted(singular, plural, number)
    return said % values if values else said


def N_(message: str) -> str:  # noqa: N802  # gettext's own name, known to every tool
    """Marks a fixed sentence that is looked up later, where it is shown."""
    return message


def NN_(singular: str, plural: str) -> tuple[str, str]:  # noqa: N802  # the same of two forms
    """Marks both forms of a fixed sentence that is looked up later."""
    return singular, plural


class Said(Mapping[_Key, str]):
    """A table of fixed words, each looked up when it is read."""

    def __init__(self, table: dict[_Key, str]) -> None:
        self._table = table

    def __getitem__(self, key: _Key) -> str:
        return _(self._table[key])

    def __iter__(self) -> Iterator[_Key]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)
