"""What stands between a browser with scripts and everything else: a proxy that lets it go to loopback and the target.

Whatever the browser asks (pages, scripts, frames, sockets, what it would ask by itself) comes through here, because it
knows no other way out. An address anywhere else is refused, a page's way is recorded hop by hop, and a page can be
stopped before an address is asked: it is answered with 204, at which a browser stays where it is.
"""

from __future__ import annotations

import contextlib
import math
import socket
import socketserver
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from interlock.probe.transport.addresses import is_loopback_host, origin
from interlock.rehearse.browser import MAX_BODY_BYTES, MAX_HOPS, PAGE_SECONDS, Budget, BudgetSpentError, Hop, Stopped
from interlock.rehearse.hospitals import BROWSER
from interlock.rehearse.proxied import BETWEEN, IDLE_SECONDS, MAX_PART_BYTES, Answer, Request, carry, read_request
from interlock.rehearse.reach import Pinning, joined, may_be_asked
from interlock.sandbox.sockets import listening

#: A request of a page to its own server that has been open for longer is no reason to wait: some pages keep one for as
#: long as they are shown. What is asked of others, hospitals above all, is always waited for.
_AWAITED_SECONDS = 3.0


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

    def awaits_others(self) -> bool:
        """Whether somebody else than the page's own server has not answered it yet: a hospital, above all."""
        with self._lock:
            return math.inf in self._open.values()

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

    def pass_on(self, asked: Request, answer: Answer) -> None:
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

    def _ask(self, asked: Request, answer: Answer, way: Way) -> None:
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

    def _failed(self, asked: Request, answer: Answer, way: Way, why: Stopped) -> None:
        if asked.is_page:
            way.stop(why, asked.url)
        answer.whole(502)

    def _answer(self, asked: Request, reply: httpx.Response, answer: Answer, way: Way, began: float) -> None:
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
            elif following and len(way.taken) > way.hops:
                way.stop("redirects", following)
            if way.stopped is not None:
                answer.whole(204, b"", [("Set-Cookie", cookie) for cookie in cookies])
                return
        self._body(asked, reply, answer, way)

    def _body(self, asked: Request, reply: httpx.Response, answer: Answer, way: Way) -> None:
        """Hand the body on as it comes, within bounds; a page has to end."""
        most = MAX_BODY_BYTES if asked.is_page else MAX_PART_BYTES
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

    def tunnel(self, host: str, port: int, client: socket.socket, answer: Answer) -> None:
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
            carry(client, beyond)


def _outgoing(asked: Request) -> httpx.Request:
    """The request as it goes on: unpacked, and marked where the browser itself asks, so that the tape tells."""
    headers = []
    for name, value in asked.headers:
        lower = name.lower()
        if lower in BETWEEN or lower in ("accept-encoding", "content-length"):
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


class _Connection(socketserver.StreamRequestHandler):
    """One connection of the browser."""

    server: Gate  # type: ignore[assignment]  # it is one to us
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Answer request after request."""
        while (asked := read_request(self.rfile)) is not None:
            answer = Answer(self.wfile.write, without_body=asked.method == "HEAD")
            if asked.method == "CONNECT":
                host, _, port = asked.url.rpartition(":")
                self.server.tunnel(host.strip("[]"), int(port), self.connection, answer)
                return
            self.server.pass_on(asked, answer)
            if answer.closes:
                return
