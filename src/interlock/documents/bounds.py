"""How deep and how large a JSON text is, told from its brackets and commas before a parser builds anything of it."""

from __future__ import annotations

_MARKS, _BRACKETS = b'[]{},:"', b'[]{}"'
_AS_SQUARE = bytes.maketrans(b"{}", b"[]")
#: A text is divided at its quotes so many bytes at a time: a list of all parts would cost more than the text itself.
_BLOCK = 65_536


class JsonBoundsError(ValueError):
    """A JSON text goes beyond a bound; the message follows the document's name: ``is nested more than 64 deep``."""


def check_json(text: str | bytes, *, max_nodes: int, max_depth: int | None = None) -> None:
    """Make sure that a JSON text may be built.

    ``max_nodes`` bounds values and keys together; a list or an object may count twice. A text with fewer characters
    costs nothing. Without ``max_depth`` the depth is left to the parser. What is no JSON is left to the parser too: up
    to its first mistake, which is as far as a parser builds, it is held to the same bounds.

    :raises JsonBoundsError: it is nested too deeply or holds too many values.
    """
    if len(text) < max_nodes and max_depth is None:
        return
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    counted = len(text) >= max_nodes and _separators(data) >= max_nodes
    if not counted and max_depth is None:
        return
    if counted and _separators(_outside_strings(data, _MARKS)) >= max_nodes:
        raise JsonBoundsError(f"holds more than {max_nodes:,} values")
    # Commas and colons are in most strings, brackets in few: without them nearly every string is empty, and gone.
    if max_depth is not None and _is_deeper(_outside_strings(data, _BRACKETS).translate(_AS_SQUARE), max_depth):
        raise JsonBoundsError(f"is nested more than {max_depth} deep")


def _separators(data: bytes) -> int:
    """At least as many as there are values and keys but the first: each stands behind one of these."""
    return sum(map(data.count, b",:[{"))


def _outside_strings(text: bytes, marks: bytes) -> bytes:
    """Those of the marks that stand in none of the strings of a JSON text, without its quotes.

    :param marks: quotes among them; two quotes side by side hold nothing, or nothing that counts stands between them.
    """
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    punctuation = text.translate(None, bytes(set(range(256)) - set(marks))).replace(b'""', b"")
    if b'"' not in punctuation:
        return punctuation
    outside: list[bytes] = []
    within = 0
    for start in range(0, len(punctuation), _BLOCK):
        parts = punctuation[start : start + _BLOCK].split(b'"')
        outside.append(b"".join(parts[within::2]))
        within ^= (len(parts) - 1) & 1
    return b"".join(outside)


def _is_deeper(brackets: bytes, max_depth: int) -> bool:
    """Whether brackets are nested too deeply: each round takes the innermost pairs away."""
    for depth in range(max_depth + 1):
        rest = brackets.replace(b"[]", b"")
        if len(rest) == len(brackets):  # only what is never closed, or never opened, is left
            return depth + rest.count(b"[") > max_depth
        brackets = rest
    return True
