"""Hosts: the limits that spare them, and what a run remembers of them.

A host gets so many requests at a time and a second, and none while it asks to be left alone. Remembered are its TLS and
the way of asking for JSON that it understands.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TypeVar

from interlock.model.observation import RequestRecord
from interlock.model.text import plain
from interlock.probe.transport.exchange import Exchange
from interlock.probe.transport.failures import RequestFailed
from interlock.probe.transport.plan import Rung
from interlock.probe.transport.tls import Inspection

_K = TypeVar("_K")
_V = TypeVar("_V")

Ladder = Sequence[Rung]

#: Readings that may change when JSON is asked for in another way.
_WORTH_ANOTHER_RUNG = frozenset({"not_acceptable", "unsupported_media_type", "client_error", "xml"})


class HostMemory:
    """Knowledge of hosts, shared by all targets of a run; the least recently used are forgotten.

    It belongs to a single event loop.
    """

    def __init__(self, limit: int = 4096) -> None:
        self._limit = limit
        self._rungs: OrderedDict[str, Rung] = OrderedDict()
        self._inspections: OrderedDict[tuple[str, int, bool], Inspection] = OrderedDict()
        self._locks: dict[tuple[str, int, bool], asyncio.Lock] = {}
        self._issuers: OrderedDict[str, frozenset[str]] = OrderedDict()

    def order(self, host: str, ladder: Ladder) -> Ladder:
        """The ladder with the rung that the host understood last time first."""
        known = self._rungs.get(host)
        return ladder if known is None else (known, *(rung for rung in ladder if rung != known))

    def learn(self, host: str, exchange: Exchange, ladder: Ladder) -> None:
        """Remember the rung that brought the document."""
        rung = rung_of(exchange.records[-1], ladder) if exchange.reading == "document" else None
        if rung is not None:
            _keep(self._rungs, host, rung, self._limit)

    async def inspect_once(
        self, host: str, port: int, look: Callable[[], Awaitable[Inspection]], *, versions: bool
    ) -> Inspection:
        """The host's TLS; looked at once, however many targets it has. An empty look is not remembered."""
        key = (host, port, versions)
        async with self._locks.setdefault(key, asyncio.Lock()):
            known = self._inspections.get(key)
            if known is None:
                known = await look()
                if known.chain:
                    _keep(self._inspections, key, known, self._limit)
        if len(self._locks) > 2 * self._limit:
            self._locks = {held: lock for held, lock in self._locks.items() if lock.locked()}
        return known

    def shares_issuer(self, host: str, issuer: str) -> bool:
        """Note an unknown issuer met at a host; true when hosts of another owner have presented it before.

        An owner is the last two labels of a name: a judgement, and enough to tell a middlebox from a private authority.
        """
        owner = ".".join(host.split(".")[-2:])
        before = self._issuers.get(issuer, frozenset())
        _keep(self._issuers, issuer, frozenset([*sorted(before)[:9], owner]), self._limit)
        return bool(before - {owner})


def _keep(store: OrderedDict[_K, _V], key: _K, value: _V, limit: int) -> None:
    store[key] = value
    store.move_to_end(key)
    while len(store) > limit:
        store.popitem(last=False)


def rung_of(record: RequestRecord, ladder: Ladder) -> Rung | None:
    """The rung that a request stood on."""
    asked = [
        rung
        for rung in ladder
        if rung.accept == record.accept and record.url.endswith(f"?{rung.query}") == bool(rung.query)
    ]
    return asked[0] if asked else None


def next_rung(exchange: Exchange, position: int, ladder: Ladder) -> int | None:
    """The position to try after an answer, or none when asking differently cannot help.

    A page for people is answered to ``_format`` alone; a server that breaks on the version parameter is asked without.
    """
    rest = range(position + 1, len(ladder))
    if exchange.reading == "html":
        return next((index for index in rest if ladder[index].query), None)
    breaks = exchange.record.status == 500 and ";" in ladder[position].accept
    return next(iter(rest), None) if breaks or exchange.reading in _WORTH_ANOTHER_RUNG else None


#: Statuses that ask for a pause; after it a second attempt may succeed (RFC 6585 section 4, RFC 9110 section 15.6.4).
SLOW_DOWN = frozenset({429, 503})
#: A server that asks for more is not believed: it is tried again after this, in seconds.
MAX_HOLD_S = 300.0
#: Hosts that are remembered although no request to them is under way; only their pace would be forgotten.
_MAX_REMEMBERED = 4096


@dataclass(slots=True)
class _Host:
    """A host: its free slots, when the next request may start and until when it wants none (the loop's clock)."""

    free: asyncio.Semaphore
    next_start: float = 0.0
    quiet_until: float = 0.0
    users: int = 0


class HostLimits:
    """Limits that hold for every request and every handshake of an inspection, whichever target it belongs to.

    :param per_host: requests and handshakes to a host at a time.
    :param rate: requests and handshakes to a host that may start in a second, evenly spaced; none for no limit.
    """

    def __init__(self, per_host: int, rate: float | None = None) -> None:
        self._per_host = per_host
        self._gap = 1 / rate if rate else 0.0
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def slot(self, host: str, deadline: float) -> AsyncIterator[None]:
        """A turn in the host's queue, given when the limits allow the request to start.

        :raises RequestFailed: the host asked to be left alone until after the deadline (the loop's clock).
        """
        state = self._state(host)
        state.users += 1
        try:
            async with state.free:
                await self._wait(host, state, deadline)
                yield
        finally:
            state.users -= 1

    def hold(self, host: str, seconds: float) -> None:
        """Let no further request to a host start for some seconds: the host asked for that (Retry-After)."""
        state = self._state(host)
        state.quiet_until = max(state.quiet_until, asyncio.get_running_loop().time() + seconds)

    def held(self, hosts: Iterable[str]) -> dict[str, float]:
        """Seconds for which each of these hosts still wants no request; those that want any are left out."""
        now = asyncio.get_running_loop().time()
        states = {host: state for host in hosts if (state := self._hosts.get(host)) is not None}
        return {host: state.quiet_until - now for host, state in states.items() if state.quiet_until > now}

    async def _wait(self, host: str, state: _Host, deadline: float) -> None:
        """Take the next start that the limits allow, and wait for it; again when the host asked for quiet meanwhile."""
        loop = asyncio.get_running_loop()
        while True:
            if state.quiet_until > deadline:
                seconds = state.quiet_until - loop.time()
                raise RequestFailed(
                    "timeout", f"not sent: {plain(host, 100)} asked to be left alone for {seconds:.0f} s more"
                )
            start = max(loop.time(), state.next_start, state.quiet_until)
            state.next_start = start + self._gap
            if (pause := start - loop.time()) > 0:
                await asyncio.sleep(pause)
            if state.quiet_until <= loop.time():
                return

    def _state(self, host: str) -> _Host:
        state = self._hosts.get(host)
        if state is None:
            if len(self._hosts) >= _MAX_REMEMBERED:
                self._forget()
            state = self._hosts[host] = _Host(asyncio.Semaphore(self._per_host))
        return state

    def _forget(self) -> None:
        now = asyncio.get_running_loop().time()
        self._hosts = {
            host: state
            for host, state in self._hosts.items()
            if state.users or max(state.next_start, state.quiet_until) > now
        }


def asked_to_wait(status: int | None, headers: Mapping[str, str]) -> float | None:
    """Seconds that an answer asks to wait (RFC 9110 section 10.2.3: seconds or a date), or none."""
    if status not in SLOW_DOWN:
        return None
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        until = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None
    moment = until.timestamp() if until.tzinfo else until.replace(tzinfo=UTC).timestamp()
    return max(0.0, moment - time.time())
