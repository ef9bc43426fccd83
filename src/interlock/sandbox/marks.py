"""What a tape writes down of a request: plainly what is known to be no secret, everything else as a mark.

A mark stands for a value without telling it: a keyed hash, the same for the same value on one tape, and its length.
The key is the tape's own and is kept nowhere, so that not even a short secret can be found by trying.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit

MAX_FIELDS = 50
MAX_HEADERS = 60
MAX_TEXT = 500

#: Fields of forms and queries that are no secret (RFC 6749, RFC 7009, RFC 7523, RFC 7636, RFC 9207, OpenID Connect Core
#: 1.0, SMART App Launch 2.2, the launch page of a simulated hospital). ``state``, ``nonce`` and ``launch`` are marked.
_PLAIN_FIELDS = frozenset(
    (
        *("response_type", "response_mode", "client_id", "redirect_uri", "scope", "aud", "iss", "resource"),
        *("code_challenge_method", "grant_type", "client_assertion_type", "token_type_hint", "expires_in"),
        *("login_hint", "prompt", "display", "max_age", "error", "error_description", "error_uri"),
        *("client", "patient", "encounter", "intent", "user", "fault"),
    )
)
#: Parameters of a FHIR search are plain, but for these names.
_SECRET_FIELD = re.compile(
    r"token|secret|passw|assertion|credential|verifier|cookie|session|api[-_]?key", re.IGNORECASE
)
_PLAIN_HEADERS = re.compile(
    r"host|user-agent|accept(-.*)?|content-(type|length|encoding|language)|connection|cache-control|pragma|date|te"
    r"|prefer|if-.*|origin|sec-.*|access-control-.*|upgrade-insecure-requests|transfer-encoding|expect|range|dnt"
    r"|www-authenticate|retry-after|etag|last-modified|allow|vary|expires|x-progress"
)
_ADDRESS_HEADERS = frozenset(("referer", "location", "content-location"))
#: Tokens and codes as the simulated hospitals make them, and anything that is a JWT.
_SECRET_LOOKS = re.compile(r"eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?|(?<![0-9A-Za-z])[0-9a-f]{64}(?![0-9A-Za-z])")
_EXPORT = re.compile(r"(\$export-(?:status|file)/)([^/?#]+)")

Pairs = tuple[tuple[str, str], ...]


class Marks:
    """One tape's way of writing values down.

    :param known: the secrets that clients have registered; none of them is written, wherever it stands.
    """

    def __init__(self, known: Callable[[], Collection[str]] = frozenset) -> None:
        self._key = secrets.token_bytes(32)
        self._known = known

    def digest(self, value: bytes = b"") -> hashlib.blake2b:
        """A running hash, for what arrives in pieces (RFC 7693, keyed)."""
        return hashlib.blake2b(value, key=self._key, digest_size=8)

    def mark(self, value: str) -> str:
        """``#5f0c6a7e9b1d2c34:43``: the same for the same value, with its length in characters."""
        return f"#{self.digest(value.encode('utf-8', 'surrogatepass')).hexdigest()}:{len(value)}"

    def plain(self, text: str) -> str:
        """A text with every secret in it marked, control characters as question marks, 500 characters at most."""
        for secret in self._known():
            if secret in text:
                text = text.replace(secret, self.mark(secret))
        text = _SECRET_LOOKS.sub(lambda match: self.mark(match[0]), text)
        text = text[:MAX_TEXT]
        return text if text.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in text)

    def path(self, path: str) -> str:
        """A path; the name of a bulk export, which opens it, is marked."""
        return self.plain(_EXPORT.sub(lambda match: match[1] + self.mark(match[2]), path))

    def address(self, address: str) -> str:
        """An address: its user, and what is secret in its query or fragment, marked; one that is none is a mark."""
        try:
            parts = urlsplit(address)
            _ = parts.port
        except ValueError:
            return self.mark(address)
        user, at, host = parts.netloc.rpartition("@")
        query, fragment = (
            urlencode(self.fields(text), safe="#:/") if "=" in text else self.mark(text) if text else ""
            for text in (parts.query, parts.fragment)
        )
        netloc = f"{self.mark(user)}@{host}" if at else host
        return (
            self.plain(parts._replace(netloc=netloc, path=self.path(parts.path), query="", fragment="").geturl())
            + (f"?{query}" if query else "")
            + (f"#{fragment}" if fragment else "")
        )

    def fields(self, encoded: str, *, search: bool = False) -> Pairs:
        """The fields of a form or query, in order, at most 50.

        :param search: they are the parameters of a FHIR search, of which only what is named like a secret is one.
        """
        try:
            pairs = parse_qsl(encoded, keep_blank_values=True, max_num_fields=MAX_FIELDS * 20)[:MAX_FIELDS]
        except ValueError:
            return (("?", self.mark(encoded)),)
        return tuple((self.plain(name), self._value(name, value, search)) for name, value in pairs)

    def _value(self, name: str, value: str, search: bool) -> str:
        if name in ("redirect_uri", "iss", "aud"):
            return self.address(value)
        shown = not _SECRET_FIELD.search(name) if search else name in _PLAIN_FIELDS
        return self.plain(value) if shown or not value else self.mark(value)

    def headers(self, raw: Iterable[Sequence[bytes]]) -> Pairs:
        """Headers in order, at most 60; of credentials the scheme is plain, of cookies the names."""
        read = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in list(raw)[:MAX_HEADERS]]
        return tuple((self.plain(name), self._header(name, value)) for name, value in read)

    def _header(self, name: str, value: str) -> str:
        if name in _ADDRESS_HEADERS:
            return self.address(value)
        if name in ("authorization", "proxy-authorization"):
            scheme, _, rest = value.partition(" ")
            known = scheme.lower() in ("bearer", "basic", "digest", "dpop") and rest
            return f"{scheme} {self.mark(rest)}" if known else self.mark(value)
        if name == "cookie":
            crumbs = (crumb.strip().partition("=") for crumb in value.split(";")[:MAX_FIELDS])
            return "; ".join(f"{self.plain(crumb)}={self.mark(held)}" for crumb, _, held in crumbs)[: 2 * MAX_TEXT]
        return self.plain(value) if _PLAIN_HEADERS.fullmatch(name) else self.mark(value)
