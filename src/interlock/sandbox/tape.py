"""The tape of a running sandbox: every request that arrived at a simulated hospital, in order, and what was answered.

For tests, skeletons and rehearsals: what did this application do? No secret is on it (:mod:`interlock.sandbox.marks`).
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from interlock.model.errors import InterlockError
from interlock.sandbox.exchange import EXCHANGE, MAX_BODY_BYTES, NUMBER, Exchange
from interlock.sandbox.grants import Grant
from interlock.sandbox.marks import Marks, Pairs

MAX_ENTRIES = 5_000
MAX_BYTES = 8_388_608
MAX_FILE_BYTES = 67_108_864
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Body:
    """How long a body was, a mark of its bytes, and the fields of a form; of any other body nothing is kept."""

    bytes: int
    mark: str
    form: Pairs | None = None


@dataclass(frozen=True, slots=True)
class Party:
    """Whose request it was: the client, a mark that one sign-in's requests share, the user, the patient in context."""

    client: str
    sign_in: str
    user: str | None
    patient: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered; a fault that breaks the delivery leaves none."""

    status: int
    headers: Pairs
    bytes: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One request.

    :ivar number: from 1, in the order of arrival.
    :ivar at: when it arrived, Unix time in seconds; ``elapsed_ms`` is none while it is being answered.
    :ivar organization: where it arrived; empty for an address of no organisation.
    :ivar role: what the address is for there (``token``, ``resource``, ``unknown`` …).
    :ivar faults: those in force for it, of the organisation, the address and the grant.
    :ivar party: of the grant that it used, or was given; none when it had none.
    :ivar words: what the sandbox's log says of it.
    """

    number: int
    at: float
    elapsed_ms: float | None
    organization: str
    role: str
    faults: tuple[str, ...]
    method: str
    path: str
    query: Pairs
    headers: Pairs
    body: Body
    party: Party | None
    answer: Answer | None
    words: tuple[str, ...]

    def line(self) -> str:
        """The entry as one line of JSON; ``at`` is told in UTC."""
        at = datetime.fromtimestamp(self.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return json.dumps({**asdict(self), "at": at}, ensure_ascii=False, separators=(",", ":"))

    def size(self) -> int:
        """About as many bytes as it takes."""
        pairs = (*self.query, *self.headers, *(self.body.form or ()), *(self.answer.headers if self.answer else ()))
        return 500 + sum(len(name) + len(value) for name, value in pairs) + len(self.path) + sum(map(len, self.words))


@dataclass(slots=True)
class _Request:
    """A request that is being answered."""

    number: int
    at: float
    scope: Scope
    digest: hashlib.blake2b
    began: float = field(default_factory=time.perf_counter)
    size: int = 0
    kept: bytearray = field(default_factory=bytearray)
    status: int | None = None
    answered: Pairs = ()
    sent: int = 0


class Tape:
    """The newest 5,000 requests, or 8 MiB of them. It may be read from any thread while requests arrive.

    :ivar listeners: called with each entry once it was answered.
    :ivar forgotten: how many entries were dropped from the beginning.
    """

    def __init__(self, marks: Marks | None = None) -> None:
        self._marks = marks or Marks()
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._entries: dict[int, Entry] = {}
        self._open: dict[int, _Request] = {}
        self._bytes = 0
        self.forgotten = 0
        self.listeners: list[Callable[[Entry], None]] = []

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The requests in the order of arrival; those that are still being answered have no answer."""
        return self.after(0)

    def after(self, number: int) -> tuple[Entry, ...]:
        """Those that arrived after the one of a number."""
        with self._lock:
            kept = [entry for known, entry in self._entries.items() if known > number]
            kept += [self._entry(request, None) for known, request in self._open.items() if known > number]
        return tuple(sorted(kept, key=lambda entry: entry.number))

    @property
    def newest(self) -> int:
        """The number of the newest request; 0 before there is one."""
        with self._lock:
            return max((*self._entries, *self._open), default=0)

    def mark(self, value: str) -> str:
        """What stands on this tape in the place of a secret value, to look for it."""
        return self._marks.mark(value)

    def recording(self, app: ASGIApp, clock: Callable[[], float]) -> ASGIApp:
        """The application, with every request that it gets on this tape."""

        async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
            request = _Request(next(self._numbers), clock(), scope, self._marks.digest())
            scope[NUMBER] = request.number
            with self._lock:
                self._open[request.number] = request

            async def received() -> Message:
                message = await receive()
                if message["type"] == "http.request":
                    chunk = message.get("body", b"")
                    request.digest.update(chunk)
                    request.size += len(chunk)
                    request.kept += chunk[: MAX_BODY_BYTES - len(request.kept)]
                return message

            async def sent(message: Message) -> None:
                if message["type"] == "http.response.start":
                    request.status = message["status"]
                    request.answered = self._marks.headers(message.get("headers", ()))
                else:
                    request.sent += len(message.get("body", b""))
                if message["type"] == "http.response.body" and not message.get("more_body"):
                    self._close(request)  # before the client has the answer, and may look here
                await send(message)

            try:
                await app(scope, received, sent)
            finally:
                self._close(request)

        return recorded

    def _close(self, request: _Request) -> None:
        with self._lock:
            if self._open.pop(request.number, None) is None:
                return
            entry = self._entry(request, round((time.perf_counter() - request.began) * 1_000, 2))
            self._entries[entry.number] = entry
            self._bytes += entry.size()
            while len(self._entries) > MAX_ENTRIES or self._bytes > MAX_BYTES:
                self._bytes -= self._entries.pop(min(itertools.islice(self._entries, 64))).size()
                self.forgotten += 1
        for listen in self.listeners:
            listen(entry)

    def _entry(self, request: _Request, elapsed: float | None) -> Entry:
        scope, marks = request.scope, self._marks
        exchange: Exchange | None = scope.get(EXCHANGE)
        role = exchange.role if exchange else "unknown"
        headers = marks.headers(scope["headers"])
        form = None
        if any(name == "content-type" and value.lower().startswith(_FORM) for name, value in headers):
            form = marks.fields(request.kept.decode("utf-8", "replace"), search=role == "resource")
        grant = exchange.trace.grant if exchange else None
        query = scope.get("query_string", b"").decode("latin-1")
        return Entry(
            number=request.number,
            at=request.at,
            elapsed_ms=elapsed,
            organization=exchange.organization.id if exchange else "",
            role=role,
            faults=exchange.faults if exchange else (),
            method=marks.plain(scope["method"]),
            path=marks.path(scope["path"]),
            query=marks.fields(query, search=role == "resource"),
            headers=headers,
            body=Body(request.size, f"#{request.digest.hexdigest()}:{request.size}", form),
            party=self._party(grant) if grant else None,
            answer=None if request.status is None else Answer(request.status, request.answered, request.sent),
            words=tuple(map(marks.plain, exchange.trace.words)) if exchange else (),
        )

    def _party(self, grant: Grant) -> Party:
        return Party(
            grant.client, self.mark(grant.sign_in), grant.user.name if grant.user else None, grant.context.patient
        )


class TapeFile:
    """A tape as a file of NDJSON, a line for each request once it was answered; it ends at 64 MiB, and says so.

    :raises InterlockError: the file exists, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._left = MAX_FILE_BYTES
        try:
            opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise InterlockError(f"{path} exists already", remedy="name a new file for the tape") from error
        except OSError as error:
            raise InterlockError(f"the tape {path} cannot be written: {error.strerror}") from error
        self._file = os.fdopen(opened, "w", encoding="utf-8", errors="replace", buffering=1)

    def write(self, entry: Entry) -> None:
        """Add an entry, while there is room."""
        line = entry.line() + "\n"
        if self._left <= 0:
            return
        self._left -= len(line.encode("utf-8", "replace"))
        self._file.write(line if self._left > 0 else json.dumps(_full()) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _full() -> Mapping[str, Any]:
    return {"full": f"the tape holds {MAX_FILE_BYTES} bytes; later requests were not written"}
