"""A translation that puts every fixed sentence between ⟦ and ⟧, and what a report shows outside them."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from interlock.report.fixed_words import fixed_words

HEAD = """msgid ""
msgstr ""
"Language: de\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"""
_BETWEEN = re.compile(
    r"https?://[^\s,]+|(?:patient|user|system)/\S+|[\n,;:·()“”|…/\[\]→.!?<>=&]+|\s[–-]\s|\d+", re.IGNORECASE
)
_SPOKEN = ("aria-label", "alt", "title")


def write_pseudo(path: Path) -> Path:
    """Every fixed word of the report, translated into itself between brackets."""
    catalog = Catalog(locale="en", charset="utf-8", fuzzy=False)
    for word in fixed_words():
        if word.plural:
            catalog.add((word.english, word.plural), (f"⟦{word.english}⟧", f"⟦{word.plural}⟧"))
        else:
            catalog.add(word.english, f"⟦{word.english}⟧")
    written = io.BytesIO()
    write_po(written, catalog, width=0)
    path.write_bytes(written.getvalue())
    return path


class _Shown(HTMLParser):
    """What a reader sees or hears of a page outside the brackets, by the section that it stands in."""

    def __init__(self) -> None:
        super().__init__()
        self.section, self.hidden, self.depth = "cover", False, 0
        self.texts: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.hidden = tag in {"script", "style"}
        self.section = (named.get("id") or self.section) if tag == "h2" else self.section
        self.texts += [(self.section, outside(value)[0]) for key in _SPOKEN if (value := named.get(key))]

    def handle_endtag(self, tag: str) -> None:
        self.hidden = False

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            text, self.depth = outside(data, self.depth)
            self.texts.append((self.section, text))


def outside(text: str, depth: int = 0) -> tuple[str, int]:
    """The text without what stands between brackets, and how deep in them it ends."""
    kept = []
    for character in text:
        depth += character == "⟦"
        kept.append("\n" if depth else character)
        depth -= character == "⟧"
    return "".join(kept), depth


def escaped(page: str, data: Known) -> Iterator[tuple[str, str]]:
    """Section and piece of everything on a page that is neither translated nor data."""
    parser = _Shown()
    parser.feed(page)
    for section, text in parser.texts:
        yield from ((section, piece) for piece in strange(text, data))


def strange(text: str, data: Known) -> Iterator[str]:
    """What no data holds of a text from which the brackets were taken."""
    return (piece for piece in pieces(text) if piece not in data)


def pieces(text: str) -> Iterator[str]:
    """The runs of words of a text, without addresses and scopes."""
    for piece in _BETWEEN.split(text.casefold()):
        bare = " ".join(re.sub(r"[^a-z]+", " ", piece).split())
        if len(bare) > 2:
            yield bare


class Known:
    """What is data: a run of words that stands in it, and of single words those that stand in it alone."""

    def __init__(self, *data: object) -> None:
        texts = {text for each in data for text in texts_of(json.loads(json.dumps(each, default=str)))}
        self._alone = {piece for text in texts for piece in pieces(text)}
        self._all = "\n".join({re.sub(r"[^a-z]+", " ", text.casefold()) for text in texts})
        self._seen: dict[str, bool] = {}

    def __contains__(self, piece: str) -> bool:
        if piece not in self._seen:
            self._seen[piece] = piece in self._alone or (" " in piece and piece in self._all)
        return self._seen[piece]


def texts_of(value: object) -> Iterable[str]:
    """Every string in plain data, keys too."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner)
    elif isinstance(value, str):
        yield value
