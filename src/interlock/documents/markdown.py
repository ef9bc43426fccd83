"""Text as Markdown that shows that text and nothing else."""

from __future__ import annotations

import re
from functools import lru_cache

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_SPECIAL = str.maketrans({character: f"\\{character}" for character in "\\`*{}[]|~$#"} | _ENTITIES)
_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_NUMBERED = re.compile(r"(\d{1,9})([.)])(?=\s|$)")
_SCHEME = re.compile(r"(https?|ftp|mailto|xmpp):", re.IGNORECASE)
_WWW = re.compile(r"\bwww\.", re.IGNORECASE)
_MAIL = re.compile(r"(?<![A-Za-z0-9])@(?=[A-Za-z0-9])|@(?=[A-Za-z0-9_-]+\.)")


@lru_cache(maxsize=20_000)  # a report of 50 organisations says five of six texts again
def escape(text: str) -> str:
    """Text as Markdown that renders as that text: no emphasis, link, code, table cell, HTML or block starts from it.

    ``&``, ``<`` and ``>`` become entities; punctuation that means something is escaped by a backslash, and so are the
    colon and the dot that would turn a bare address into a link (GFM autolinks), and the at sign of an address or of a
    name that would be told. An underscore within a word begins no emphasis, and an at sign within one that no dot
    follows is no address (``ORG-008@harborview``): both stay as they are.
    """
    safe = " ".join(text.split()).translate(_SPECIAL)
    if safe.startswith(("-", "+", "=")):
        safe = f"\\{safe}"
    elif numbered := _NUMBERED.match(safe):
        safe = f"{numbered[1]}\\{safe[numbered.end(1) :]}"
    # A search costs many times what it costs to see that there is nothing to search for; so does a template.
    if "_" in safe:
        safe = _UNDERSCORE.sub(r"\\_", safe)
    if ":" in safe:
        safe = _SCHEME.sub(r"\1\\:", safe)
    if "." in safe:
        safe = _WWW.sub(r"www\\.", safe)
    return _MAIL.sub(r"\\@", safe) if "@" in safe else safe
