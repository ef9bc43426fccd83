"""The smallest elements of a report: marks, links, citations, pictures, figures.

A report has thousands: they are plain dataclasses, which are made and turned into data in a fraction of a model's time.

Templates are given them and what the sections make of them: plain text without control characters, bounded in length
and not escaped, because each format escapes for itself. The only markup is :attr:`Picture.svg`, which ``report.charts``
builds and escapes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeAlias, TypeVar

from interlock.model import words
from interlock.model.base import RuleOutcome, Severity
from interlock.model.words import Word

_Key = TypeVar("_Key")
#: What a template is given of a section or of a part of one: names with texts, elements, and rows of the like.
Shown: TypeAlias = dict[str, Any]
#: What a mark means; never carried by colour alone, every mark has a symbol and a label.
Tone = Literal["good", "bad", "warn", "unknown", "neutral"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """A symbol with its meaning in words; ``detail`` is shown after the label."""

    symbol: str
    label: str
    tone: Tone
    detail: str = ""

    @classmethod
    def of(cls, word: Word, tone: Tone, detail: str = "") -> Mark:
        """A word with its glyph, in a tone."""
        return _mark(word.glyph, word.title, tone, detail)


@lru_cache(maxsize=1024)
def _mark(symbol: str, label: str, tone: Tone, detail: str) -> Mark:
    """A report has hundreds of the same few marks, and making one takes 7 µs."""
    return Mark(symbol=symbol, label=label, tone=tone, detail=detail)


class Marks(Mapping[_Key, Mark]):
    """What each value is marked with, its word looked up when it is read."""

    def __init__(self, marks: dict[_Key, tuple[Word, Tone]]) -> None:
        self._marks = marks

    def __getitem__(self, key: _Key) -> Mark:
        return Mark.of(*self._marks[key])

    def __iter__(self) -> Iterator[_Key]:
        return iter(self._marks)

    def __len__(self) -> int:
        return len(self._marks)


SEVERITY_MARK = Marks(
    {
        Severity.CRITICAL: (words.SEVERITY[Severity.CRITICAL], "bad"),
        Severity.HIGH: (words.SEVERITY[Severity.HIGH], "warn"),
        Severity.MEDIUM: (words.SEVERITY[Severity.MEDIUM], "neutral"),
        Severity.LOW: (words.SEVERITY[Severity.LOW], "neutral"),
    }
)
OUTCOME_MARK = Marks(
    {
        RuleOutcome.MET: (words.RULE[RuleOutcome.MET], "good"),
        RuleOutcome.GAP: (words.RULE[RuleOutcome.GAP], "bad"),
        RuleOutcome.UNKNOWN: (words.RULE[RuleOutcome.UNKNOWN], "unknown"),
        RuleOutcome.NOT_APPLICABLE: (words.RULE[RuleOutcome.NOT_APPLICABLE], "neutral"),
        RuleOutcome.ERROR: (words.RULE[RuleOutcome.ERROR], "unknown"),
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """A term and its value, for definition lists."""

    term: str
    value: str


def pairs(values: Mapping[str, str]) -> tuple[Pair, ...]:
    """Terms with their values, without those of which nothing is to be said."""
    return tuple(Pair(term=term, value=value) for term, value in values.items() if value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A label, and the anchor in this document that it leads to (empty: nowhere)."""

    label: str
    anchor: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cite:
    """A numbered reference and the anchor of its entry."""

    number: int
    anchor: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A chart. ``wide`` pictures get a landscape page of their own in print."""

    svg: str
    alt: str
    caption: str
    wide: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One key figure: the number, what it is, how to read it, and where it is told in full."""

    value: str
    label: str
    note: str
    at: Link


@dataclass(frozen=True, kw_only=True, slots=True)
class ReferenceEntry:
    """One numbered reference. ``url`` is empty unless it is an http or https address."""

    number: int
    anchor: str
    title: str
    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Brand:
    """The look of one report, prepared: everything is text, a checked ``#rrggbb`` or a picture as ``data:``."""

    logo: str = ""
    confidentiality: str = ""
    heading: str = ""
    accent: str = ""
    paper: str = "a4"
