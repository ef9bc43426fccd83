"""What must not be kept, taken out of text that is: secrets, credentials in addresses, the user's home folder.

Crash reports and logs go through :func:`redacted`. It knows the values of environment variables whose names speak of
credentials, and every value that the program itself has taken hold of as a secret (:func:`remember_secret`).
"""

from __future__ import annotations

import json
import os
import re
from functools import lru_cache
from urllib.parse import quote, quote_plus

from interlock.model.address_secrets import redacted_url

#: Stands for what was taken out.
HIDDEN = "[hidden]"

_NAME = re.compile(r"^INTERLOCK_CRED_|TOKEN|SECRET|PASSW|KEY|CREDENTIAL", re.IGNORECASE)
_SHORTEST = 4
_NO_WORD = 12
_NO_SECRETS = frozenset({"true", "false", "none", "null"})
#: Parts of a value as long as this are hidden too, so that no way of escaping what lies between them helps.
_TELLING_PART = re.compile(r"[\w.~+/=-]{12,}", re.ASCII)

_WORD = (
    r"[\w.-]{0,40}(?:token|secret|passw(?:or)?d|api[-_]?key|credential|assertion|signature|session)[\w.-]{0,40}"
    r"|code|sig|pwd|key"
)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(rf"(\b(?:{_WORD})[\"']?\s*[:=]\s*[\"']?)(?!\[?hidden)[^\s\"',&;]{{4,}}", re.IGNORECASE),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?"), HIDDEN),
)

#: The latest ones; a run has a handful for each organisation.
_remembered: dict[str, None] = {}
_MOST_REMEMBERED = 2_000


def remember_secret(value: str) -> None:
    """Take this value, however it is spelled, out of everything that is redacted from now on."""
    _remembered.pop(value, None)
    _remembered[value] = None
    if len(_remembered) > _MOST_REMEMBERED:
        del _remembered[next(iter(_remembered))]


def secrets_in_use() -> bool:
    """Whether the program has taken hold of a secret that a server could say back."""
    return any(len(value) >= _NO_WORD for value in _remembered)


def without_secrets_in_use(text: str) -> str:
    """The text without the secrets that the program has taken hold of: a server may say back what it was sent.

    Unlike :func:`redacted` it leaves the environment's values, what only looks like a secret, and what may be a word.
    """
    known = frozenset(value for value in _remembered if len(value) >= _NO_WORD)
    pattern = _values(known, frozenset()) if known else None
    return pattern.sub(HIDDEN, text) if pattern is not None else text


def redacted(text: str) -> str:
    """The text without secrets, known or by their looks, and with ``~`` for the user's home folder."""
    text = redacted_url(without_known_secrets(text))
    for shape, instead in _SHAPES:
        text = shape.sub(instead, text)
    return text


def without_known_secrets(text: str) -> str:
    """The text without the values that are known, without private keys, and with ``~`` for the user's home folder."""
    pattern = _values(frozenset(_remembered), _of_the_environment())
    if pattern is not None:
        text = pattern.sub(HIDDEN, text)
    text = _PRIVATE_KEY.sub(HIDDEN, text)
    home = os.path.expanduser("~")  # noqa: PTH111  # as text: it need not exist
    return re.sub(re.escape(home) + r"(?=[/\\\s\"':,)]|$)", "~", text) if len(home) > 1 else text


def _of_the_environment() -> frozenset[str]:
    return frozenset(value for name, value in os.environ.items() if _NAME.search(name))


@lru_cache(maxsize=4)
def _values(remembered: frozenset[str], environment: frozenset[str]) -> re.Pattern[str] | None:
    """One pattern for all values in every spelling, the longest first; none when there are none."""
    spellings = {spelling for value in remembered | environment for spelling in _spellings(value)}
    if not spellings:
        return None
    return re.compile("|".join(re.escape(spelling) for spelling in sorted(spellings, key=len, reverse=True)))


def _spellings(value: str) -> set[str]:
    """A value as it is, as it stands in an address, in JSON and in Python's notation, and its long parts."""
    whole = value.strip()
    if len(whole) < _SHORTEST or whole.lower() in _NO_SECRETS:
        return set()
    readable = whole.encode("utf-8", "replace").decode()
    escaped = {
        quote(readable, safe=""),
        quote(readable),
        quote_plus(readable),
        json.dumps(whole)[1:-1],
        repr(whole)[1:-1],
    }
    return {whole} | escaped | set(_TELLING_PART.findall(whole))
