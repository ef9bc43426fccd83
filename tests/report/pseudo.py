"""A translation that puts every fixed sentence between ⟦ and ⟧, and what a report shows outside them."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from interlock.report.fixed_words import fixed_words

HEAD = """msgid ""
msgstr ""
"Language: de\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"""


def write_pseudo(path: Path) -> Path:
    """Every fixed word of the report, translated into itself between brackets."""
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import write_po

    catalog = Catalog(locale="de", charset="utf-8", fuzzy=False)
    for word in fixed_words():
        if word.plural:
            catalog.add((word.english, word.plural), (f"⟦{word.english}⟧", f"⟦{word.plural}⟧"))
        else:
            catalog.add(word.english, f"⟦{word.english}⟧")
    written = io.BytesIO()
    write_po(written, catalog, width=0)
    path.write_bytes(written.getvalue())
    return path


def outside(text: str) -> str:
    """The text without what stands between brackets, however deep."""
    kept, depth = [], 0
    for character in text:
        depth += character == "⟦"
        kept.append("\n" if depth else character)
        depth -= character == "⟧"
    return "".join(kept)


class _Shown(HTMLParser):
    """Each section of a page with the texts that a reader sees or hears in it."""

    def __init__(self) -> None:
        super().__init__()
        self.section, self.hidden = "cover", False
        self.texts: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.hidden = tag in {"script", "style"}
        if tag == "h2":
            self.section = named.get("id") or self.section
        self.texts += [
            (self.section, value)
            for key in ("aria-label", "alt", "title", "content")
            if (value := named.get(key)) and tag != "meta"
        ]

    def handle_endtag(self, tag: str) -> None:
        self.hidden = False

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.texts.append((self.section, data))


def shown(page: str) -> list[tuple[str, str]]:
    """Section and text of everything that an HTML page shows."""
    parser = _Shown()
    parser.feed(page)
    return parser.texts


def known(*data: object) -> str:
    """All words of the data, as one text to look in."""
    texts: list[str] = []

    def walk(value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                texts.append(str(key))
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)
        elif isinstance(value, str):
            texts.append(value)

    for each in data:
        walk(json.loads(json.dumps(each, default=str)))
    return _plain("\n".join(texts))


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^a-z\n]+", " ", text.casefold()).split(" "))


def escaped(text: str, data: str) -> Iterator[str]:
    """Pieces outside the brackets that no data holds: fixed words that no translation reaches."""
    for piece in re.split(r"[\n,;:·()“”|…/\[\]→.!?]+|\s[–-]\s|\d+", outside(text)):
        bare = _plain(piece).strip()
        if len(bare.replace(" ", "")) > 2 and bare not in data:
            yield piece.strip()
