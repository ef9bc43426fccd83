"""Secrets in addresses: a name and password before the host, and keys, tokens or codes in the query.

What the user writes is refused (:func:`refuse_secrets`), with the remedy. What a server or a file brings is
redacted before it is kept or shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

#: The type of the error for an address that holds a secret: what was found is not to be shown.
SECRET_FOUND = "secret_in_address"  # noqa: S105
REMEDY = "take it out of the address; an organisation's auth names the environment variables that hold credentials"


def refuse_secrets(address: str) -> str:
    """The same address, when it holds no secret.

    :raises PydanticCustomError: it holds one; the words do not.
    """
    if (kind := secret_in(address)) is not None:
        from pydantic_core import PydanticCustomError

        raise PydanticCustomError(SECRET_FOUND, "this address holds {kind}", {"kind": kind})
    return address


#: Stands for a secret in an address. No brackets: it stays an address.
HIDDEN = "hidden"
#: From the slashes behind a scheme to the last ``@`` before the path; a JSON text may write ``\/`` for a slash.
_USER = re.compile(r"(:[/\\]+)[^/\\?#\s\"<>]*@")
_PARAMETER = re.compile(r"([?&;#])([\w.%~+-]{1,80})=([^&;#\s\"'<>\\]+)")
_IN_USER = bytes(code for code in range(256) if code not in b'/\\?# \t\n\r\f\v"<>')
_IN_PARAMETER = b"".join(bytes([code]) for code in range(128) if re.match(rb"[\w.~%+-]", bytes([code])))
_LONGEST_USER, _LONGEST_PARAMETER = 500, 82
_ESCAPE = re.compile(r"\\(?:\\|/|u00([2-7][0-9a-fA-F]))")
_ESCAPED = re.compile(rb"\\u00")  # half the time that ``in`` takes
_NO_LETTER = re.compile(r"[^a-z0-9]")
_TELLING = re.compile(
    r"token|secret|passw|pwd|credential|assertion|signature|session|authorization|key$"
    r"|^(?:sig|code|auth|pass|pw|jwt|sid|hmac|otp|pin)$"
)


def redacted_url(text: str) -> str:
    """A text, an address or a whole JSON document, without the secrets of the addresses in it."""
    if "@" in text:
        text = _USER.sub(rf"\1{HIDDEN}@", text)
    return _PARAMETER.sub(_without_value, text) if "=" in text else text


def may_hold_secrets(raw: bytes) -> bool:
    """Whether a document may hold an address with a secret. Quick, and true in any doubt."""
    if b"\0" in raw or (b"\\" in raw and _ESCAPED.search(raw)):
        return True
    return any(_ends_user(raw, position) for position in _positions(raw, b"@")) or any(
        _tells_secret(raw, position) for position in _positions(raw, b"=")
    )


def _positions(raw: bytes, mark: bytes) -> Iterator[int]:
    """Where a byte stands, found in a fraction of the time that an expression takes."""
    position = -1
    while (position := raw.find(mark, position + 1)) >= 0:
        yield position


def _ends_user(raw: bytes, position: int) -> bool:
    """Whether what is before an ``@`` may be a name and password; so may what is too long to tell."""
    start = max(0, position - _LONGEST_USER)
    before = raw[start:position].rstrip(_IN_USER)
    if not before:
        return start > 0
    return before[-1] in b"/\\" and before.rstrip(b"/\\").endswith(b":")


def _tells_secret(raw: bytes, position: int) -> bool:
    """Whether what is before a ``=`` is a parameter's name that tells of a secret; so may one beyond ASCII."""
    before = raw[max(0, position - _LONGEST_PARAMETER) : position]
    rest = before.rstrip(_IN_PARAMETER)
    if rest[-1:] in {b"?", b"&", b";", b"#"}:
        return _tells(before[len(rest) :].decode())
    return rest[-1:] >= b"\x80"


def redacted_json(raw: bytes) -> bytes:
    """A JSON document without the secrets of the addresses in it, however their characters are escaped."""
    if not may_hold_secrets(raw):
        return raw
    text = raw.decode("utf-8", "surrogateescape")
    if "\\/" in text or "\\u00" in text:
        text = _ESCAPE.sub(_unescaped, text)
    clean = redacted_url(text)
    return raw if clean == text else clean.encode("utf-8", "surrogateescape")


def _unescaped(match: re.Match[str]) -> str:
    """What an escape of JSON stands for, where that needs none."""
    character = "/" if match[0] == "\\/" else chr(int(match[1], 16)) if match[1] else "\\"
    return match[0] if character in '"\\' else character


def redacted_base(text: str) -> str:
    """Like :func:`redacted_url`, for what was meant as a base URL, whose scheme may have been left out."""
    return redacted_url(text) if "://" in text else redacted_url(f"://{text}").removeprefix("://")


def secret_in_base(base: str) -> str | None:
    """Like :func:`secret_in`, for what can be nothing but a base URL, whose scheme may have been left out."""
    return secret_in(base if "://" in base else f"https://{base}")


def secret_in(address: str) -> str | None:
    """What kind of secret an address holds, in words that do not hold it; none when it holds none."""
    if "@" in address and _USER.search(address):
        return "a user name or a password"
    if "=" not in address:
        return None
    names = [match[2] for match in _PARAMETER.finditer(address) if _tells(match[2])]
    return f"a secret as the parameter {names[0][:40]!r}" if names else None


def _tells(name: str) -> bool:
    """Whether a parameter's name says that its value is a secret."""
    return _TELLING.search(_NO_LETTER.sub("", unquote(name).lower())) is not None


def _without_value(match: re.Match[str]) -> str:
    return f"{match[1]}{match[2]}={HIDDEN}" if _tells(match[2]) else match[0]
