"""Opaque bearer tokens of the simulation: issued, looked up, revoked, forgotten. Thread-safe and bounded."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass

_MAX_TOKENS = 1_000
_MAX_ASSERTIONS = 10_000


@dataclass(frozen=True, slots=True)
class Grant:
    """An access token's organisation and scopes. ``expires`` is a Unix time in seconds."""

    organization: str
    scopes: tuple[str, ...]
    expires: float


class Tokens:
    """The tokens of one running sandbox; a token of one organisation opens nothing at another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._grants: dict[str, Grant] = {}
        self._assertions: dict[tuple[str, str], float] = {}

    def issue(self, organization: str, scopes: tuple[str, ...], seconds: float) -> str:
        """A new opaque token; beyond 1,000 live ones the oldest is forgotten."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._grants[token] = Grant(organization, scopes, time.time() + seconds)
            if len(self._grants) > _MAX_TOKENS:
                del self._grants[next(iter(self._grants))]
        return token

    def grant(self, organization: str, token: str) -> Grant | None:
        """The grant behind a token at this organisation; none when it is unknown, expired, revoked or another's."""
        with self._lock:
            known = self._grants.get(token)
            if known is None or known.organization != organization:
                return None
            if known.expires <= time.time():
                del self._grants[token]
                return None
            return known

    def revoke(self, organization: str, token: str) -> None:
        """Forget a token of this organisation; an unknown one is no error (RFC 7009 section 2.2)."""
        with self._lock:
            grant = self._grants.get(token)
            if grant is not None and grant.organization == organization:
                del self._grants[token]

    def first_use(self, organization: str, assertion_id: str, expires: float) -> bool:
        """Whether this ``jti`` is new at the organisation. A replay within its lifetime is not (SMART 2.2, ASYM)."""
        now = time.time()
        with self._lock:
            for key in [key for key, until in self._assertions.items() if until <= now]:
                del self._assertions[key]
            if (organization, assertion_id) in self._assertions or len(self._assertions) >= _MAX_ASSERTIONS:
                return False
            self._assertions[organization, assertion_id] = expires
            return True
