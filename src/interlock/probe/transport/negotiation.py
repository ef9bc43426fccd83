"""Asking for JSON in another way, and remembering for each host the way that it understands."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from interlock.model.observation import RequestRecord
from interlock.probe.transport.exchange import Exchange
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
        if known is None or known not in ladder or known == ladder[0]:
            return ladder
        return (known, *(rung for rung in ladder if rung != known))

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
    if exchange.reading in _WORTH_ANOTHER_RUNG:
        return next(iter(rest), None)
    if exchange.reading == "html":
        return next((index for index in rest if ladder[index].query), None)
    if exchange.record.status == 500 and ";" in ladder[position].accept:
        return next(iter(rest), None)
    return None
