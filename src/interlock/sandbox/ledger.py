"""What a running sandbox has issued and has seen: launches, codes, tokens, and the ids of client assertions.

Everything is bounded by count and by age, and safe to use from several threads. Times are Unix times in seconds.
"""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from interlock.sandbox.grants import Context, Grant, User

_MAX_LAUNCHES = 1_000
_MAX_CODES = 1_000
_MAX_TOKENS = 2_000
_MAX_ASSERTIONS = 10_000
#: How long what has expired is still known as such, so that a refusal can say "expired" instead of "unknown".
_REMEMBERED_SECONDS = 3_600.0


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long things live, in seconds.

    An access token one hour at most, a backend one five minutes (SMART App Launch 2.2: app launch, token response;
    backend services, token response); a code about one minute (RFC 6749 section 4.1.2 allows ten); a refresh token
    three months offline (ONC (g)(10)), and online as long as the user's own session at the organisation.
    """

    launch: float = 300.0
    code: float = 60.0
    access: float = 3_600.0
    backend: float = 300.0
    online: float = 28_800.0
    offline: float = 90 * 86_400.0


@dataclass(frozen=True, slots=True)
class Launch:
    """What an EHR knows about a launch that it began; ``client`` is the id of the client that it launched.

    :ivar refusal: an error code of RFC 6749 section 4.1.2.1 with which the sign-in ends, instead of a code.
    :ivar access_seconds: lifetime of its access tokens, where it is another than usual.
    :ivar faults: names of the faults that its access tokens meet.
    """

    organization: str
    client: str
    context: Context
    user: User | None
    expires: float
    refusal: str | None = None
    access_seconds: float | None = None
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code: what it gives, and what the token request must prove.

    :ivar grant: as its access tokens will have it, but for their times.
    :ivar challenge: the S256 code challenge; none when the client sent none.
    """

    grant: Grant
    redirect_uri: str
    challenge: str | None
    nonce: str | None
    expires: float
    access_seconds: float
    spent: bool = False


@dataclass(frozen=True, slots=True)
class Refresh:
    """A refresh token: what it renews. A spent one was replaced by another."""

    grant: Grant
    expires: float
    access_seconds: float
    spent: bool = False


V = TypeVar("V")


class _Kept(Generic[V]):
    """Values by key, in order of arrival: beyond ``most`` the oldest is forgotten, and so is what ended long ago."""

    def __init__(self, most: int, ends: Callable[[V], float]) -> None:
        self._most = most
        self._ends = ends
        self._values: dict[str, V] = {}

    def __len__(self) -> int:
        return len(self._values)

    def put(self, key: str, value: V, now: float) -> None:
        self._values[key] = value
        if len(self._values) > self._most:
            self.drop(lambda kept: self._ends(kept) + _REMEMBERED_SECONDS <= now)
        if len(self._values) > self._most:
            del self._values[next(iter(self._values))]

    def get(self, key: str) -> V | None:
        return self._values.get(key)

    def pop(self, key: str) -> V | None:
        return self._values.pop(key, None)

    def drop(self, unwanted: Callable[[V], bool]) -> int:
        """Forget these; says how many there were."""
        keys = [key for key, value in self._values.items() if unwanted(value)]
        for key in keys:
            del self._values[key]
        return len(keys)


@dataclass(slots=True)
class Ledger:
    """What was issued, by its own value. Nothing here knows what a request is.

    :ivar clock: the time; a test's own clock makes expiry a matter of one assignment.
    :ivar rng: where every code and token comes from; a seeded one gives the same values in every run.
    """

    clock: Callable[[], float] = time.time
    rng: random.Random = field(default_factory=random.SystemRandom)
    lifetimes: Lifetimes = Lifetimes()
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _launches: _Kept[Launch] = field(default_factory=lambda: _Kept(_MAX_LAUNCHES, lambda launch: launch.expires))
    _codes: _Kept[Code] = field(default_factory=lambda: _Kept(_MAX_CODES, lambda code: code.expires))
    _access: _Kept[Grant] = field(default_factory=lambda: _Kept(_MAX_TOKENS, lambda grant: grant.expires))
    _refresh: _Kept[Refresh] = field(default_factory=lambda: _Kept(_MAX_TOKENS, lambda refresh: refresh.expires))
    _assertions: _Kept[float] = field(default_factory=lambda: _Kept(_MAX_ASSERTIONS, lambda until: until))

    def secret(self) -> str:
        """A new value that nobody can guess: 256 bits (RFC 6749 section 10.10 asks for 128)."""
        with self._lock:
            return self.rng.randbytes(32).hex()

    def add_launch(self, launch: Launch, handle: str | None = None) -> str:
        """Its handle, the value of the ``launch`` parameter; a new one unless it is given."""
        with self._lock:
            handle = handle or self.secret()
            self._launches.put(handle, launch, self.clock())
            return handle

    def launch(self, organization: str, handle: str) -> Launch | None:
        """The launch behind a handle, while it lasts."""
        with self._lock:
            launch = self._launches.get(handle)
            return launch if launch and launch.organization == organization and launch.expires > self.clock() else None

    def add_code(self, code: Code) -> str:
        """A new authorization code."""
        with self._lock:
            value = self.secret()
            self._codes.put(value, code, self.clock())
            return value

    def spend_code(self, organization: str, value: str) -> Code | None:
        """The code as it was before this, spent from now on; none when this organisation issued no such code."""
        with self._lock:
            code = self._codes.get(value)
            if code is None or code.grant.organization != organization:
                return None
            self._codes.put(value, replace(code, spent=True), self.clock())
            return code

    def add_token(self, grant: Grant, value: str | None = None) -> str:
        """A new access token for this grant: opaque, unless its value is given."""
        with self._lock:
            value = value or self.secret()
            self._access.put(value, grant, self.clock())
            return value

    def token(self, organization: str, value: str) -> Grant | None:
        """The grant behind an access token of this organisation, expired ones included; none for any other."""
        with self._lock:
            grant = self._access.get(value)
            return grant if grant is not None and grant.organization == organization else None

    def set_faults(self, organization: str, value: str, faults: tuple[str, ...]) -> bool:
        """Let this access token meet these faults, and no others, from now on; false for one that nobody holds."""
        with self._lock:
            grant = self.token(organization, value)
            if grant is not None:
                self._access.put(value, replace(grant, faults=faults), self.clock())
            return grant is not None

    def add_refresh(self, refresh: Refresh) -> str:
        """A new refresh token."""
        with self._lock:
            value = self.secret()
            self._refresh.put(value, refresh, self.clock())
            return value

    def refresh(self, organization: str, value: str) -> Refresh | None:
        """The refresh token as it is, spent and expired ones included; none when this organisation issued no such."""
        with self._lock:
            refresh = self._refresh.get(value)
            return refresh if refresh is not None and refresh.grant.organization == organization else None

    def spend_refresh(self, value: str) -> None:
        """Mark a refresh token as replaced."""
        with self._lock:
            refresh = self._refresh.get(value)
            if refresh is not None:
                self._refresh.put(value, replace(refresh, spent=True), self.clock())

    def revoke_token(self, value: str) -> None:
        """Forget one access token."""
        with self._lock:
            self._access.pop(value)

    def revoke_sign_in(self, sign_in: str) -> int:
        """Forget every token of one sign-in; says how many access tokens ended by that."""
        with self._lock:
            self._refresh.drop(lambda refresh: refresh.grant.sign_in == sign_in)
            return self._access.drop(lambda grant: grant.sign_in == sign_in)

    def first_use(self, organization: str, client: str, assertion_id: str, expires: float) -> bool:
        """Whether this ``jti`` of this client is new here. A replay within its lifetime is not (SMART 2.2, ASYM)."""
        key = hashlib.sha256("\0".join((organization, client, assertion_id)).encode(errors="replace")).hexdigest()
        with self._lock:
            now = self.clock()
            until = self._assertions.get(key)
            if until is not None and until > now:
                return False
            self._assertions.drop(lambda until: until <= now)
            if len(self._assertions) >= _MAX_ASSERTIONS:
                return False
            self._assertions.put(key, expires, now)
            return True
