"""Text from elsewhere made safe to show: one line, bounded, writable in every medium; and what is made of such text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import lru_cache
from urllib.parse import urlsplit

from interlock.model import words
from interlock.model.text import paragraph, plain

NAME_LIMIT = 120
MESSAGE_LIMIT = 600
NOTE_LIMIT = 4000
#: Where a sentence ends, and from how many words on it is not said twice.
_SENTENCE, _LONG = re.compile(r"(?<=[.!?]) "), 8
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9]+")


@lru_cache(maxsize=20_000, typed=True)  # nine of ten texts of a report were told before: a sixth of building it
def text(value: object, limit: int = MESSAGE_LIMIT) -> str:
    """One safe line (:func:`interlock.model.text.plain`) that every medium can encode."""
    return plain(value, limit)


def name(value: object) -> str:
    """A name or title: one line, at most :data:`NAME_LIMIT` characters."""
    return text(value, NAME_LIMIT)


def paragraphs(value: object | None, limit: int = 2000) -> tuple[str, ...]:
    """Paragraphs of a longer text, split at blank lines, each one line."""
    whole = paragraph(value or "", limit)
    return tuple(plain(part, limit) for part in re.split(r"\n\s*\n", whole) if part.strip())


def note(value: object | None) -> str:
    """What a person wrote about an answer, its lines as they are; at most :data:`NOTE_LIMIT` characters."""
    return paragraph(value or "", NOTE_LIMIT)


def once(lines: Iterable[str], instead: Callable[[int], str] = lambda number: "") -> list[str]:
    """Each line without the sentences of eight words and more that an earlier line has said.

    :param instead: what stands in their place, once a line, by the number of that earlier line, from 1 on.
    """
    said: dict[str, int] = {}
    kept = []
    for number, line in enumerate(lines, start=1):
        parts = []
        for sentence in _SENTENCE.split(line):
            first = said.setdefault(sentence, number) if len(sentence.split()) >= _LONG else number
            parts.append(sentence if first == number else instead(first))
        kept.append(" ".join(dict.fromkeys(filter(None, parts))))
    return kept


@lru_cache(maxsize=20_000)  # the same few ids lead everywhere
def anchor(*parts: str) -> str:
    """An element id: ASCII letters, digits and hyphens."""
    return "-".join(_NOT_IN_IDS.sub("-", part).strip("-").lower() for part in parts if part)


def web_address(url: str) -> str:
    """The address if a reader's browser may follow it (http or https with a host), else an empty string."""
    shown = text(url, 1000)
    try:
        parts = urlsplit(shown)
        followed = parts.scheme in {"http", "https"} and parts.hostname
    except ValueError:
        return ""
    return shown if followed and not re.search('[ <>"\\\\^`{|}\N{REPLACEMENT CHARACTER}]|…$', shown) else ""


def parse_day(value: str | None) -> date | None:
    """The calendar date at the start of an ISO 8601 string, or none."""
    try:
        return date.fromisoformat((value or "")[:10])
    except ValueError:
        return None


def day(value: str | None) -> str:
    """A date of our data (ISO 8601) as prose; text that is no date is shown as it is."""
    return words.iso_day(text(value or "", 40))


def moment(value: str | None) -> str:
    """A time of our data (ISO 8601) as prose, or the date alone when no time was given."""
    try:
        return words.moment(datetime.fromisoformat(value)) if value and "T" in value else day(value)
    except ValueError:
        return text(value, 40)
