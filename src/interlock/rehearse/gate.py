"""What stands between a browser with scripts and everything else: a proxy that lets it go to loopback and the target.

Whatever the browser asks (pages, scripts, frames, sockets, what it would ask by itself) comes through here, because it
knows no other way out. An address anywhere else is refused, a page's way is recorded hop by hop, and a page can be
stopped before an address is asked: it is answered with 204, at which a browser stays where it is.
"""

from __future__ import annotations

import contextlib
import math
import select
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import httpx

from interlock.probe.transport.addresses import is_loopback_host, origin
from interlock.rehearse.browser import (
    MAX_BODY_BYTES,
    MAX_HOPS,
    PAGE_SECONDS,
    Budget,
    BudgetSpentError,
    Hop,
    Pinning,
    Stopped,
    joined,
    may_be_asked,
)
from interlock.rehearse.hospitals import BROWSER
from interlock.sandbox.sockets import listening

#: Of one answer that is no page, of one tunnel each way, and of one request.
_MAX_PART_BYTES, _MAX_REQUEST_BYTES = 20_000_000, 2_000_000
_MAX_LINE, _MAX_LINES = 262_144, 200
_IDLE_SECONDS = 30.0
#: A request of a page to its own server that has been open for longer is no reason to wait: some pages keep one for as
#: long as they are shown. What is asked of others, hospitals above all, is always waited for.
_AWAITED_SECONDS = 3.0
#: Headers that are between two neighbours alone, and those that say how a body is packed.
_BETWEEN = frozenset(
    ("connection", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding")
)
_PACKED = frozenset(("content-encoding", "content-length"))


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the browser."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """The value of a header, or nothing."""
        return next((value for known, value in self.headers if known.lower() == name), "")

    @property
    def is_page(self) -> bool:
        """Whether it is for what the tab itself shows."""
        return self.header("sec-fetch-dest") == "document"

    @property
    def is_visit(self) -> bool:
        """Whether the browser itself asks, and no script: for a tab, for a frame, or whether a page may ask."""
        preflight = self.method == "OPTIONS" and bool(self.header("access-control-request-method"))
        return preflight or self.header("sec-fetch-mode") == "navigate"

    @property
    def form(self) -> dict[str, str] | None:
        """The fields of a form that is posted, or none."""
        if "form-urlencoded" not in self.header("content-type"):
            return None
        pairs = parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=200)
        return dict(pairs)


@dataclass(slots=True)
class Way:
    """How one page came about.

    :ivar until: beginnings of addresses at which to stop; ``hops`` how many redirects to follow.
    :ivar body: what the last hop brought, as far as it is kept.
    :ivar stopped: why it did not get further, ``next`` the address that was not asked, and how it would have been.
    """

    until: Sequence[str] = ()
    hops: int = MAX_HOPS
    taken: list[Hop] = field(default_factory=list)
    body: bytes = b""
    stopped: Stopped | None = None
    next: str = ""
    method: str = "GET"
    form: Mapping[str, str] | None = None
    spent: BudgetSpentError | None = None

    def stop(self, why: Stopped, url: str, method: str = "GET", form: Mapping[str, str] | None = None) -> None:
        """Note why it goes no further; the first reason counts."""
        if self.stopped is None:
            self.stopped, self.next, self.method, self.form = why, url, method, form


class Gate:
    """A proxy for one browser, on a port of its own.

    :ivar way: the way of the page that is being opened.
    :ivar given: cookies as the newest answers gave them, by name: the whole header.
    :ivar pages: pages that it serves itself, by address: other sites, which nobody has to listen for.
    :ivar secrets: texts that no browser may ever get; ``leaked`` are the addresses whose answers held one.
    """

    def __init__(self, budget: Budget, target: str | None, pinned: str | None) -> None:
        self._budget, self._target = budget, target
        self._upstream = Pinning(target, pinned)
        self._pinned = pinned
        self._socket = listening(0)
        self._open: dict[int, float] = {}
        self._ended = 0.0
        self._lock = threading.Lock()
        self.way = Way()
        self.given: dict[str, str] = {}
        self.pages: dict[str, str] = {}
        self.secrets: tuple[str, ...] = ()
        self.leaked: set[str] = set()
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Let nothing through any more."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._upstream.close()

    def quiet(self) -> float:
        """For how many seconds nothing was asked that a page may wait for; 0 while something is not answered yet."""
        now = time.monotonic()
        with self._lock:
            return 0.0 if any(until > now for until in self._open.values()) else now - self._ended

    def allowed(self, url: str) -> bool:
        """Whether an address is on this machine, at the target, or a page of its own."""
        return url in self.pages or may_be_asked(url, self._target)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError, httpx.HTTPError, RuntimeError):
            _Connection(connection, ("127.0.0.1", 0), self)  # type: ignore[arg-type]  # what a server is to a handler
        connection.close()

    # -- one request ------------------------------------------------------------------------------------------------

    def pass_on(self, asked: Request, answer: _Answer) -> None:
        """Ask what the browser asks, or say that it is not asked."""
        way = self.way
        if asked.url in self.pages:
            answer.whole(200, self.pages[asked.url].encode(), [("Content-Type", "text/html; charset=utf-8")])
            return
        if asked.is_page:
            if not self.allowed(asked.url) or any(asked.url.startswith(begin) for begin in way.until):
                way.stop("elsewhere", asked.url, asked.method, asked.form)
            elif len(way.taken) > way.hops:
                way.stop("redirects", asked.url)
            if way.stopped is not None:
                answer.whole(204)
                return
        elif not self.allowed(asked.url):
            answer.whole(403)
            return
        try:
            self._budget.spend()
        except BudgetSpentError as spent:
            way.spent = spent
            answer.whole(503)
            return
        with self._noted(asked):
            self._ask(asked, answer, way)

    @contextlib.contextmanager
    def _noted(self, asked: Request) -> Iterator[None]:
        own = asked.header("sec-fetch-site") in ("same-origin", "none", "")
        with self._lock:
            self._open[id(asked)] = time.monotonic() + _AWAITED_SECONDS if own else math.inf
        try:
            yield
        finally:
            with self._lock:
                del self._open[id(asked)]
                self._ended = time.monotonic()

    def _ask(self, asked: Request, answer: _Answer, way: Way) -> None:
        began = time.monotonic()
        try:
            reply = self._upstream.handle_request(_outgoing(asked))
        except httpx.TimeoutException:
            self._failed(asked, answer, way, "too_slow")
            return
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            self._failed(asked, answer, way, "no_answer")
            return
        try:
            self._answer(asked, reply, answer, way, began)
        finally:
            reply.close()

    def _failed(self, asked: Request, answer: _Answer, way: Way, why: Stopped) -> None:
        if asked.is_page:
            way.stop(why, asked.url)
        answer.whole(502)

    def _answer(self, asked: Request, reply: httpx.Response, answer: _Answer, way: Way, began: float) -> None:
        told = {name.lower(): value for name, value in reply.headers.items()}
        cookies = tuple(reply.headers.get_list("set-cookie"))
        self.given |= {cookie.partition("=")[0].strip(): cookie for cookie in cookies}
        if asked.is_page:
            location = told.get("location") if reply.status_code in (301, 302, 303, 307, 308) else None
            seconds = time.monotonic() - began
            way.taken.append(Hop(asked.method, asked.url, reply.status_code, location, cookies, told, seconds))
            following = joined(asked.url, location) if location else ""
            if following and (not self.allowed(following) or any(following.startswith(to) for to in way.until)):
                kept = reply.status_code in (307, 308)
                way.stop(
                    "elsewhere", following, asked.method if kept else "GET", (asked.form or None) if kept else None
                )
                answer.whole(204, b"", [("Set-Cookie", cookie) for cookie in cookies])
                return
        self._body(asked, reply, answer, way)

    def _body(self, asked: Request, reply: httpx.Response, answer: _Answer, way: Way) -> None:
        """Hand the body on as it comes, within bounds; a page has to end."""
        most = MAX_BODY_BYTES if asked.is_page else _MAX_PART_BYTES
        ends = time.monotonic() + PAGE_SECONDS
        sent, kept = 0, bytearray()
        answer.begin(reply.status_code, reply.headers.multi_items())
        with contextlib.suppress(httpx.HTTPError):
            for chunk in reply.iter_bytes():
                sent += len(chunk)
                if sent > most:
                    if asked.is_page:
                        way.stop("too_large", asked.url)
                    answer.cut()
                    return
                if asked.is_page and time.monotonic() > ends:
                    way.stop("too_slow", asked.url)
                    answer.cut()
                    return
                if len(kept) <= MAX_BODY_BYTES:
                    kept += chunk
                answer.part(chunk)
        # Before the browser knows that it has everything, and goes on.
        if asked.is_page:
            way.body = bytes(kept)
        if any(secret.encode() in kept for secret in self.secrets):
            self.leaked.add(asked.url)
        answer.end()

    def tunnel(self, host: str, port: int, client: socket.socket, answer: _Answer) -> None:
        """Let bytes through to an address: what is encrypted, and sockets of pages."""
        where = f"https://{f'[{host}]' if ':' in host else host}:{port}/"
        at_target = self._target is not None and origin(where) == origin(self._target)
        try:
            if not (at_target or is_loopback_host(host)):
                answer.whole(403)
                return
            self._budget.spend()
            beyond = socket.create_connection((self._pinned or host if at_target else host, port), 3.0)
        except BudgetSpentError as spent:
            self.way.spent = spent
            answer.whole(503)
            return
        except OSError:
            answer.whole(502)
            return
        with beyond:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _join(client, beyond)


def _join(ours: socket.socket, theirs: socket.socket) -> None:
    """Carry bytes both ways until a side ends, nothing is said any more, or it is enough."""
    ends, carried = {ours: theirs, theirs: ours}, 0
    while carried < _MAX_PART_BYTES:
        ready, _, _ = select.select(list(ends), [], [], _IDLE_SECONDS)
        if not ready:
            return
        for side in ready:
            data = side.recv(65_536)
            if not data:
                return
            carried += len(data)
            ends[side].sendall(data)


def _outgoing(asked: Request) -> httpx.Request:
    """The request as it goes on: unpacked, and marked where the browser itself asks, so that the tape tells."""
    headers = []
    for name, value in asked.headers:
        lower = name.lower()
        if lower in _BETWEEN or lower in ("accept-encoding", "content-length"):
            continue
        headers.append((name, f"{value} {BROWSER}" if lower == "user-agent" and asked.is_visit else value))
    limits = {"connect": 3.0, "read": PAGE_SECONDS, "write": PAGE_SECONDS, "pool": PAGE_SECONDS}
    return httpx.Request(
        asked.method,
        asked.url,
        headers=[*headers, ("Accept-Encoding", "identity")],
        content=asked.body if asked.body or asked.method in ("POST", "PUT", "PATCH") else None,
        extensions={"timeout": limits},
    )


class _Answer:
    """The answer to the browser, written piece by piece."""

    def __init__(self, write: Callable[[bytes], Any], *, without_body: bool) -> None:
        self._write, self._bare = write, without_body
        self.closes = False

    def whole(self, status: int, body: bytes = b"", headers: Iterable[tuple[str, str]] = ()) -> None:
        """An answer of ours."""
        length = () if status == HTTPStatus.NO_CONTENT else (("Content-Length", str(len(body))),)
        self._head(status, [*headers, *length, ("Cache-Control", "no-store")])
        if not self._bare:
            self._write(body)

    def begin(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """The beginning of somebody else's answer."""
        self._bare = self._bare or status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED) or status < 200
        left_out = _BETWEEN if self._bare else _BETWEEN | _PACKED
        kept = [(name, value) for name, value in headers if name.lower() not in left_out]
        self._head(status, kept if self._bare else [*kept, ("Transfer-Encoding", "chunked")])

    def _head(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        self._write(f"HTTP/1.1 {status} -\r\n{lines}\r\n".encode("latin-1", "replace"))

    def part(self, chunk: bytes) -> None:
        """More of the body."""
        if chunk and not self._bare:
            self._write(b"%x\r\n%s\r\n" % (len(chunk), chunk))

    def end(self) -> None:
        """The end of the body."""
        if not self._bare:
            self._write(b"0\r\n\r\n")

    def cut(self) -> None:
        """No more of it: the connection ends, so that the browser knows that something is missing."""
        self.closes = True


class _Connection(socketserver.StreamRequestHandler):
    """One connection of the browser."""

    server: Gate  # type: ignore[assignment]  # it is one to us
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Answer request after request."""
        while (asked := self._read()) is not None:
            answer = _Answer(self.wfile.write, without_body=asked.method == "HEAD")
            if asked.method == "CONNECT":
                host, _, port = asked.url.rpartition(":")
                self.server.tunnel(host.strip("[]"), int(port), self.connection, answer)
                return
            self.server.pass_on(asked, answer)
            if answer.closes:
                return

    def _read(self) -> Request | None:
        parts = self._line().split(" ")
        if len(parts) != 3:
            return None
        headers = []
        while line := self._line():
            name, _, value = line.partition(":")
            headers.append((name.strip(), value.strip()))
            if len(headers) > _MAX_LINES:
                return None
        asked = Request(parts[0], parts[1], tuple(headers), b"")
        length = int(asked.header("content-length") or 0)
        if not 0 <= length <= _MAX_REQUEST_BYTES or asked.header("transfer-encoding"):
            return None
        return Request(parts[0], parts[1], tuple(headers), self.rfile.read(length)) if length else asked

    def _line(self) -> str:
        return self.rfile.readline(_MAX_LINE).decode("latin-1").rstrip("\r\n")
