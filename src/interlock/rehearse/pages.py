"""What pages say: their words, without markup and chance, and what one says that another does not."""

from __future__ import annotations

import re
from collections import Counter
from html import unescape

from interlock.rehearse.browser import Page, masked


def words_on(page: Page) -> str:
    """What a person reads on a page, on one line."""
    if page.visible is not None:
        return " ".join(page.visible.split())
    first, *others = re.split(r"(?i)<(?:script|style)\b", page.text)
    behind = (re.split(r"(?i)</(?:script|style)\s*>", part, maxsplit=1) for part in others)
    text = " ".join([first, *(parts[1] for parts in behind if len(parts) > 1)])
    return " ".join(unescape(re.sub(r"<[^<>]*>", " ", text)).split())


def visible_text(page: Page) -> str:
    """The same without what differs from one request to the next: long marks and numbers."""
    return masked(words_on(page))


def said(page: Page, before: Page) -> str:
    """What a page says that another one does not, what it says again and again once; empty for nothing."""
    known, more = Counter(visible_text(before).split()), []
    for word in visible_text(page).split():
        if known[word]:
            known[word] -= 1
        else:
            more.append(word)
    more = more[:60]
    once = next((size for size in range(1, len(more)) if more == (more[:size] * len(more))[: len(more)]), len(more))
    return " ".join(more[:once])[:200]
