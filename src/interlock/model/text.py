"""Text that a server, a file or a stranger chose: what is refused where it enters, and what is safe to show.

This module alone knows the classes of characters. What a person writes is refused with :func:`forbidden`: it says
which character and where, and the text stays in its owner's hands. What a tool wrote is read with symbols in
the place of such characters, because a record must stay readable. Every renderer escapes for its own medium;
:func:`plain` and :func:`paragraph` remove what no medium should ever receive, and endless length.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from interlock.model.address_secrets import redacted_url

#: File names that Windows keeps for devices, with any extension: a folder with one of them cannot be cloned there.
RESERVED_NAMES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))})
#: C0 but line feed and tab; then DEL, C1, line and paragraph separators, bidirectional embeddings, overrides and
#: isolates, surrogates, noncharacters, tags. Joiners and left-to-right marks are not among them: names in Arabic,
#: Persian and Indic scripts need them.
_C0 = r"\x00-\x08\x0b-\x1f"
_OTHERS = r"\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\U000e0000-\U000e007f" + "".join(
    f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
)
_REFUSED = re.compile(f"[{_C0}{_OTHERS}]")
_REFUSED_OTHERS = re.compile(f"[{_OTHERS}]")
#: Joiners stay between letters of the scripts that need them (Hebrew to Khmer); elsewhere they only hide something.
_HIDDEN = re.compile(
    rf"[{_C0}{_OTHERS}\u061c\u200b\u200e\u200f\u2060-\u2065\ufeff\ufff9-\ufffb]"
    r"|(?<![\u0590-\u1fff])[\u200c\u200d]|[\u200c\u200d](?![\u0590-\u1fff])"
)
#: All of ASCII but DEL: those of it that are refused, no parser of JSON lets through in a string.
_ASCII = bytes(range(0x7F))
_SPACE = re.compile(r"\s+")
_ESCAPED = re.compile(r"\\(?:u[0-9a-fA-F]{4}(?:(?<=\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2})?|.)")
_SHORT = {"\\b": "\b", "\\f": "\f", "\\r": "\r"}


@dataclass(frozen=True)
class Forbidden:
    """A character that no text of a person may hold: its index, and what it is (``the character U+0007 (…)``)."""

    index: int
    description: str


def forbidden(text: str) -> Forbidden | None:
    """The first character of a text that is refused where text enters, or none."""
    match = None if text.isprintable() else _REFUSED.search(text)
    if match is None:
        return None
    code = ord(match[0])
    return Forbidden(match.start(), f"the character U+{code:04X} ({_kind(code)})")


def wrong_with_line(text: str, limit: int) -> str | None:
    """What is wrong with one line that a person wrote, such as a name, in words that go on after it; or none."""
    if not text.strip():
        return "is blank"
    if len(text) > limit:
        return f"is {len(text):,} characters long, more than {limit:,}"
    if "\n" in text or "\r" in text:
        return "holds a line break"
    wrong = forbidden(text)
    return f"holds {wrong.description}" if wrong else None


def _kind(code: int) -> str:
    if code < 0xA0:
        return "a control character"
    if code in {0x2028, 0x2029}:
        return "a line separator"
    if code < 0x2070:
        return "it turns the direction of what follows"
    if code < 0xE000:
        return "half of a character"
    return "a hidden tag" if 0xE0000 <= code <= 0xE007F else "no character"


def _symbol(character: str) -> str:
    code = ord(character)
    return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\N{REPLACEMENT CHARACTER}"


def symbols_in_json(text: str) -> str:
    """JSON text with symbols in its strings, whether a character stands there as it is or as an escape.

    C0 characters as they are stand between the tokens of JSON only; in a string its parser refuses them.
    """
    if "\\" in text:
        text = _ESCAPED.sub(lambda match: _symbol_of_escape(match[0]), text)
    if text.encode().translate(None, _ASCII).decode().isprintable():  # true of nearly every record, and quickly told
        return text
    return _REFUSED_OTHERS.sub(lambda match: _symbol(match[0]), text)


def _symbol_of_escape(escape: str) -> str:
    if len(escape) > 2:
        units = [int(unit, 16) for unit in escape[2:].split("\\u")]
        character = chr(units[0]) if len(units) == 1 else chr(0x10000 + ((units[0] & 0x3FF) << 10) + (units[1] & 0x3FF))
    else:
        character = _SHORT.get(escape, "")
    return _symbol(character) if character and _REFUSED.match(character) else escape


def plain(text: object, limit: int = 300) -> str:
    """One line without control characters, white space collapsed, at most ``limit`` characters.

    Anything cut is marked with an ellipsis, so a reader knows.
    """
    line = str(text)[: limit * 8]
    if not line.isprintable() or "  " in line:  # printable text has no white space but spaces, and nothing to hide
        line = _SPACE.sub(" ", _HIDDEN.sub("\N{REPLACEMENT CHARACTER}", line))
    line = line.strip()
    return line if len(line) <= limit else _cut(line, limit)


def paragraph(text: object, limit: int = 4000) -> str:
    """Text without control characters whose line feeds stay, at most ``limit`` characters."""
    lines = (_HIDDEN.sub("\N{REPLACEMENT CHARACTER}", line).rstrip() for line in str(text)[: limit * 4].splitlines())
    joined = "\n".join(lines).strip()
    return joined if len(joined) <= limit else _cut(joined, limit)


def _cut(text: str, limit: int) -> str:
    """The beginning of a text, to the end of a word where one is near.

    Half an address no longer shows that a password is in it, so that goes out before.
    """
    whole = redacted_url(text)
    if len(whole) <= limit:
        return whole
    kept = whole[: limit - 1]
    if not whole[limit - 1].isspace():
        kept = kept[: kept.rfind(" ", 2 * limit // 3)] if " " in kept[2 * limit // 3 :] else kept
    return kept.rstrip(" ,;:") + "…"


def slug(text: str) -> str:
    """A lower-case identifier for file names: letters, digits and single hyphens, 1 to 60 characters."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9]+", "-", ascii_text.lower()).strip("-")
    name = name[:60].strip("-") or "unnamed"
    return f"{name}-1" if name in RESERVED_NAMES else name


def natural(text: str) -> tuple[tuple[int, int | str], ...]:
    """Sorts names as people do: what is a number in them by its size, so that ``org-2`` comes before ``org-10``."""
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in re.split(r"([0-9]{1,18})", text))
