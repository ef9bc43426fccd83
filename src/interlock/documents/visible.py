"""Text and JSON in which every character can be seen: for terminals, pipes and files that a person may look at.

What would move the cursor, start an escape sequence, turn the direction of writing or hide something is a symbol in
text, and in JSON an escape, which says the same to a program. JSON is the same bytes wherever it goes.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from typing import Any

#: Categories of characters that do something else than to be seen: control, format, surrogate, line and paragraph.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
#: Letters that are drawn as nothing.
_BLANK = frozenset("\u115f\u1160\u17b4\u17b5\u3164\uffa0")

_ASCII = bytes(range(0x7F))
_BREAKS = {ord(character): chr(0x2400 + ord(character)) for character in "\t\n\r"}


def visible(text: str, ours: str = "") -> str:
    """Text with a symbol in the place of every character that cannot be seen; line feeds, CRLF and tabs stay.

    So do the joiners between two letters of the scripts that need them (Hebrew to Khmer).

    :param ours: characters that the program put there itself, and nobody else could.
    """
    if text.isprintable():
        return text
    unseen = [character for character in set(text) if character not in f"\n\t{ours}" and _is_unseen(character)]
    if not unseen:
        return text
    pattern = "|".join(map(_pattern, sorted(unseen)))
    return re.sub(pattern, lambda match: _symbol(match[0]), text)


def visible_line(text: str) -> str:
    """The same for what must stay one line: line feeds and tabs are symbols too, and the text is as long as before."""
    return text if text.isprintable() else visible(text.translate(_BREAKS))


def visible_json(text: str) -> str:
    """A JSON text with ``\\u`` escapes for all that cannot be seen; only strings can hold such characters."""
    return _escaped(text, lambda character: json.dumps(character)[1:-1].replace("\x7f", "\\u007f"))


def visible_in_quotes(yaml: str) -> str:
    """The same of a YAML text that has such characters in double quotes only (and in comments)."""
    return _escaped(
        yaml, lambda character: f"\\u{ord(character):04X}" if character < "\U00010000" else f"\\U{ord(character):08X}"
    )


def _escaped(text: str, escape: Callable[[str], str]) -> str:
    if text.isascii() and "\x7f" not in text:
        return text
    unseen = _unseen_in(text.encode(errors="surrogatepass"))
    return re.sub(f"[{''.join(unseen)}]", lambda match: escape(match[0]), text) if unseen else text


def _unseen_in(encoded: bytes) -> list[str]:
    others = encoded.translate(None, _ASCII).decode(errors="surrogatepass")
    return [character for character in set(others) if _is_unseen(character)]


def to_json(value: Any, *, indent: int | None = 2, sort_keys: bool = False) -> str:
    """A value as JSON that is safe to look at, with one line feed at the end."""
    return json_bytes(value, indent=indent, sort_keys=sort_keys).decode()


def json_bytes(value: Any, *, indent: int | None = 2, sort_keys: bool = False) -> bytes:
    """The same in UTF-8, as it is written into a file."""
    import msgspec  # no command's help needs it

    try:  # it takes a sixth of the time of Python's own, which indents in Python
        encoded = msgspec.json.encode(value, order="sorted" if sort_keys else None)
        if _unseen_in(encoded):
            encoded = visible_json(encoded.decode()).encode()
        return msgspec.json.format(encoded, indent=indent or 0) + b"\n"
    except (TypeError, UnicodeEncodeError):  # nor does it take half of a character, or a key that is a number
        text = json.dumps(value, indent=indent, sort_keys=sort_keys, ensure_ascii=False)
        return f"{visible_json(text)}\n".encode()


def _is_unseen(character: str) -> bool:
    code = ord(character)
    return (
        unicodedata.category(character) in _UNSEEN
        or character in _BLANK
        or code & 0xFFFE == 0xFFFE
        or 0xFDD0 <= code <= 0xFDEF
        or 0xE0000 <= code <= 0xE0FFF
    )


def _pattern(character: str) -> str:
    if character == "\r":
        return "\r(?!\n)"
    if character in "\u200c\u200d":
        return f"(?<![\u0590-\u1fff]){character}|{character}(?![\u0590-\u1fff])"
    return re.escape(character)


def _symbol(character: str) -> str:
    """U+2400 to U+2421 picture the control characters of ASCII."""
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\N{SYMBOL FOR DELETE}" if code == 0x7F else "\N{REPLACEMENT CHARACTER}"
