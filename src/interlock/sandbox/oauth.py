"""What the endpoints of the authorization server share: reading a form, and refusing by the book (RFC 6749)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.responses import Response

from interlock.sandbox.clients import Client, GrantType
from interlock.sandbox.exchange import MAX_BODY_BYTES, Exchange
from interlock.sandbox.offers import negotiate
from interlock.sandbox.replies import plain_json

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_MAX_FIELDS = 50
_MAX_SCOPE = 8_192
_DESCRIBING = frozenset(map(chr, range(0x20, 0x7F))) - frozenset("\"\\'")


@dataclass(eq=False)
class OAuthError(Exception):
    """A refusal in the form of RFC 6749 section 5.2."""

    error: str
    description: str
    status: int = 400
    headers: tuple[tuple[str, str], ...] = ()

    def response(self) -> Response:
        """The JSON answer, never cached."""
        body = {"error": self.error, "error_description": self.description}
        return plain_json(body, self.status, {**NO_STORE, **dict(self.headers)})


def read_form(exchange: Exchange) -> dict[str, str]:
    """The request's form fields; POST only, each field once (RFC 6749 section 3.2).

    :raises OAuthError: another method, another type, too large, not UTF-8, or a field that is repeated.
    """
    if exchange.request.method != "POST":
        raise OAuthError("invalid_request", "use POST", 405, (("Allow", "POST"),))
    content_type = exchange.request.headers.get("content-type", "").split(";")[0].strip().lower()
    if content_type != "application/x-www-form-urlencoded":
        raise OAuthError("invalid_request", "the body must be application/x-www-form-urlencoded")
    return fields_once(exchange.body)


def fields_once(encoded: bytes) -> dict[str, str]:
    """The fields of a form or a query, each given once; one without a value counts as absent (RFC 6749 section 3.1).

    :raises OAuthError: too large, too many, not UTF-8, or a field that is repeated.
    """
    if len(encoded) > MAX_BODY_BYTES:
        raise OAuthError("invalid_request", "the request is too large", 413)
    try:
        pairs = parse_qsl(encoded.decode("utf-8"), max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise OAuthError("invalid_request", "the request is not form-encoded UTF-8") from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise OAuthError("invalid_request", "a parameter is repeated")
    return fields


def granted_scopes(exchange: Exchange, client: Client, asked: str, grant_type: GrantType) -> tuple[str, ...]:
    """The scopes that this client is given of those that it asked for; the log says which were withheld.

    :raises OAuthError: ``invalid_scope`` for a list that no client needs.
    """
    if len(asked) > _MAX_SCOPE:
        raise OAuthError("invalid_scope", f"scope is longer than {_MAX_SCOPE} characters")
    wanted = asked.split()
    granted = negotiate(exchange.organization, client, wanted, grant_type)
    withheld = [scope for scope in dict.fromkeys(wanted) if scope not in granted]
    if withheld:
        words = "asked for scopes that are not registered for it or not offered"
        exchange.note(f"{client.id} {words}: {' '.join(withheld)}")
    return granted


def shown(text: str) -> str:
    """A value that a stranger sent, in single quotes and short enough to stand in a sentence; never a secret.

    What RFC 6749 section 4.1.2.1 keeps out of ``error_description`` is a question mark.
    """
    return "'" + "".join(letter if letter in _DESCRIBING else "?" for letter in text[:80]) + "'"
