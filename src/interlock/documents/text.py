"""Text that a server, a file or a stranger chose, made safe to show.

Every renderer escapes for its own medium; this module removes what no medium should ever receive: control characters
(terminal escapes, C0, C1), bidirectional overrides, lone surrogates, and endless length.
"""

from __future__ import annotations

import re
import unicodedata

from interlock.model.address_secrets import redacted_url

_CONTROL = re.compile(
    r"[\ud800-\udfff\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
_SPACE = re.compile(r"\s+")


def plain(text: object, limit: int = 300) -> str:
    """One line without control characters, white space collapsed, at most ``limit`` characters.

    Anything cut is marked with an ellipsis, so a reader knows.
    """
    if type(text) is str and len(text) <= limit and text.isprintable() and "  " not in text:
        return text.strip()  # printable text holds nothing to remove, and no white space but single spaces
    head = str(text)[: limit * 8]
    line = _SPACE.sub(" ", _CONTROL.sub("\N{REPLACEMENT CHARACTER}", head)).strip()
    return line if len(line) <= limit else _cut(line, limit)


def paragraph(text: object, limit: int = 4000) -> str:
    """Like :func:`plain` but line feeds stay."""
    lines = (_CONTROL.sub("\N{REPLACEMENT CHARACTER}", line).rstrip() for line in str(text)[: limit * 4].splitlines())
    joined = "\n".join(lines).strip()
    return joined if len(joined) <= limit else _cut(joined, limit)


def _cut(text: str, limit: int) -> str:
    """The beginning of a text. Half an address no longer shows that a password is in it, so that goes out before."""
    whole = redacted_url(text)
    return whole if len(whole) <= limit else whole[: limit - 1] + "…"


def slug(text: str) -> str:
    """A lower-case identifier for file names: letters, digits and single hyphens, 1 to 60 characters."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", ascii_text.lower()).strip("-")
    return words[:60].strip("-") or "unnamed"
