"""One simulated hospital while a server runs: what it declares and keeps, and the pages and exports it prepared."""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from interlock.sandbox import declared
from interlock.sandbox.organizations import Document, SimulatedOrganization
from interlock.sandbox.replies import RefusalError
from interlock.sandbox.store import Store, Version

#: Names and values of a query, in order.
Pairs = Sequence[tuple[str, str]]

MAX_RESULTS = 200
#: A client that asks more often than the organisation allows is refused within a window of this many seconds.
_WINDOW = 60.0
_MAX_CLIENTS = 1_000


@dataclass(frozen=True, slots=True)
class Result:
    """What a search or history found, kept until its pages are read.

    :ivar kind: the Bundle's type, ``searchset`` or ``history``.
    :ivar path: where it was asked, ``Observation`` or ``Observation/1/_history``.
    :ivar query: what was used, as the self link says it.
    """

    kind: str
    path: str
    query: Pairs
    matches: tuple[Version, ...]
    count: int
    includes: tuple[str, ...] = ()
    reverse_includes: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Export:
    """One bulk export: its files by name, ready once it was asked about as often as it takes."""

    request: str
    owner: str
    started: str
    files: dict[str, bytes]
    polls_left: int


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification that was sent: to whom, and the status that came back, or why none did."""

    endpoint: str
    status: int | None
    problem: str


@dataclass(slots=True)
class Hospital:
    """What one simulated hospital remembers.

    :ivar exports: bulk exports by their secret name.
    :ivar events: id of a Subscription → how many events it was told of.
    :ivar notices: the newest notifications.
    """

    organization: SimulatedOrganization
    declared: declared.Declared = field(init=False)
    store: Store = field(init=False)
    exports: dict[str, Export] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    notices: deque[Notice] = field(default_factory=lambda: deque(maxlen=200))
    _results: dict[str, Result] = field(default_factory=dict)
    _asked: dict[str, deque[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the statement and load the people."""
        self.declared = declared.read(self.organization.metadata)
        types = self.declared.types
        self.store = Store(self.organization.resources, lambda kind: kind in types and types[kind].versioned)

    def reset(self) -> None:
        """As if nobody had ever asked or written anything."""
        self.store.reset()
        for kept in (self.exports, self.events, self.notices, self._results, self._asked):
            kept.clear()

    def keep(self, result: Result) -> str:
        """Remember a result for its next pages; the name says nothing. The oldest of more than 200 is forgotten."""
        name = secrets.token_urlsafe(12)
        self._results[name] = result
        if len(self._results) > MAX_RESULTS:
            del self._results[next(iter(self._results))]
        return name

    def result(self, name: str) -> Result:
        """A result that was kept.

        :raises RefusalError: 410, its pages are gone.
        """
        if name not in self._results:
            raise RefusalError(410, "not-found", "this page is no longer kept: search again")
        return self._results[name]

    def count_request(self, client: str) -> None:
        """Let a client's request pass, or refuse it.

        :raises RefusalError: 429 with the seconds to wait (RFC 6585 section 4).
        """
        allowed = self.organization.requests_per_minute
        if allowed is None:
            return
        now = time.monotonic()
        times = self._asked.setdefault(client, deque(maxlen=allowed))
        if len(times) == allowed and now - times[0] < _WINDOW:
            wait = str(int(_WINDOW - (now - times[0])) + 1)
            raise RefusalError(429, "throttled", f"more than {allowed} requests in a minute", {"Retry-After": wait})
        times.append(now)
        if len(self._asked) > _MAX_CLIENTS:
            del self._asked[next(iter(self._asked))]


def with_parameters(resource: Document, names: Sequence[str]) -> Document:
    """The elements that were asked for, with those that no resource is without, tagged as incomplete.

    Source: FHIR R4 search.html#elements.
    """
    kept = {name: value for name, value in resource.items() if name in ("resourceType", "id", "meta", *names)}
    meta = dict(kept.get("meta", {}))
    subsetted = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
    return {**kept, "meta": {**meta, "tag": [*meta.get("tag", []), subsetted]}}
