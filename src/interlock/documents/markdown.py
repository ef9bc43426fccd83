"""Text as Markdown that shows that text and nothing else."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*{}\[\]|~$#]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
_LEADING = re.compile(r"^([-+=>])")
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
_MAIL = re.compile(r"(?<![A-Za-z0-9])@(?=[A-Za-z0-9])|@(?=[A-Za-z0-9_-]+\.)")


def escape(text: str) -> str:
    """Text as Markdown that renders as that text: no emphasis, link, code, table cell, HTML or block starts from it.

    ``&``, ``<`` and ``>`` become entities; punctuation that means something is escaped by a backslash, and so are the
    colon and the dot that would turn a bare address into a link (GFM autolinks), and the at sign of an address or of a
    name that would be told. An underscore within a word begins no emphasis, and an at sign within one that no dot
    follows is no address (``ORG-008@harborview``): both stay as they are.
    """
    safe = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    safe = _SPECIAL.sub(r"\\\1", safe)
    safe = _LEADING.sub(r"\\\1", safe)
    safe = _NUMBERED.sub(r"\1\\\2", safe).replace(">", "&gt;").replace("\\&gt;", "&gt;")
    safe = re.sub(r"(?i)(https?|ftp|mailto|xmpp):", r"\1\\:", safe)
    safe = re.sub(r"(?i)\bwww\.", r"www\\.", safe)
    return _MAIL.sub(r"\\@", safe)
