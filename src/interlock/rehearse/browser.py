"""What a browser is to a check, and one without scripts: cookies, redirects by hand, forms that post themselves.

It goes to loopback, and to the one origin that its user named. An address anywhere else is told and never asked. What
comes back is bounded in bytes and time.
"""

from __future__ import annotations

import base64
import html
import re
import secrets
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from typing import Literal, Protocol
from urllib.parse import urlsplit

import httpcore
import httpx

from interlock.model.errors import InterlockError
from interlock.probe.transport.addresses import is_loopback_host, origin
from interlock.rehearse.hospitals import BROWSER
from interlock.sandbox.tls import published_authority

MAX_BODY_BYTES = 2_000_000
MAX_HOPS = 20
PAGE_SECONDS = 15.0
_USER_AGENT = f"Mozilla/5.0 (compatible; {BROWSER}) Gecko/20100101"
#: In front of the name of a header that httpx must not see.
_ASIDE = "interlock-aside-"
_ACCEPT = "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8"

#: Why a page is not the end of its way: an address elsewhere, redirects without end, no answer, an answer without end.
Stopped = Literal["elsewhere", "redirects", "no_answer", "too_slow", "too_large"]


class BudgetSpentError(InterlockError):
    """A rehearsal has sent as many requests, or taken as long, as it may."""


@dataclass(slots=True)
class Budget:
    """How much a rehearsal may do: requests of its browsers, and seconds until it ends.

    :ivar stop: asked before each request whether somebody wants it to end now.
    """

    requests: int
    until: float
    sent: int = 0
    stop: Callable[[], bool] | None = None

    def spend(self) -> None:
        """Count one request.

        :raises BudgetSpentError: it would be one too many, or too late, or is not wanted any more.
        """
        if self.stop is not None and self.stop():
            raise BudgetSpentError("it was told to stop")
        if self.sent >= self.requests:
            raise BudgetSpentError(f"it had sent {self.requests} requests, which is its limit")
        if time.monotonic() > self.until:
            raise BudgetSpentError("it had taken as long as it may")
        self.sent += 1


@dataclass(frozen=True, slots=True)
class Hop:
    """One request of a browser and its answer; ``set_cookies`` are the headers as they came."""

    method: str
    url: str
    status: int
    location: str | None
    set_cookies: tuple[str, ...]
    headers: Mapping[str, str]
    seconds: float


@dataclass(frozen=True, slots=True)
class Page:
    """Where a browser ended: the last answer, and the way to it.

    :ivar stopped: why it did not get further; ``next`` is the address that it did not ask, and ``method`` and ``form``
        are how it would have.
    :ivar visible: what a person reads on it, where the browser can tell that from what is only there; else none.
    :ivar frames: the addresses of what its frames show.
    """

    url: str
    status: int
    text: str
    headers: Mapping[str, str]
    way: tuple[Hop, ...]
    stopped: Stopped | None = None
    next: str = ""
    method: str = "GET"
    form: Mapping[str, str] | None = None
    visible: str | None = None
    frames: tuple[str, ...] = ()

    def shows(self, mark: str) -> bool:
        """Whether a canary stands in it, in letters of any case."""
        return mark in self.text.lower()

    @property
    def refused(self) -> bool:
        """Whether it is an answer of the application that says no: a status of 4xx."""
        return self.stopped is None and 400 <= self.status < 500

    @property
    def told(self) -> str:
        """What it is, in a few words."""
        if self.stopped == "elsewhere":
            return f"a redirect to {self.next[:100]}"
        words = {"redirects": "redirects without end", "no_answer": "no answer", "too_slow": "no answer in time"}
        if self.stopped is not None:
            return words.get(self.stopped, "an answer without end")
        return f"a page of status {self.status}"


def masked(text: str) -> str:
    """A text without what differs from one look to the next: long marks and numbers."""
    return " ".join(re.sub(r"[\w-]{20,}|\d+", "#", text).split())


class UnsettledError(Exception):
    """A page did not come to rest, or not within its time, so that nothing can be said of it; says so."""


class Browser(Protocol):
    """One browser with cookies of its own, and one tab of it."""

    def open(
        self,
        url: str,
        *,
        method: str = "GET",
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        hops: int = MAX_HOPS,
        until: Sequence[str] = (),
    ) -> Page:
        """Go to an address and on, until a page shows.

        :param content: a body that is no form, for the first request alone.
        :param hops: redirects to follow.
        :param until: beginnings of addresses at which to stop before asking them; the page says ``elsewhere``.
        :raises BudgetSpentError: the rehearsal may do no more.
        """

    @property
    def cookies(self) -> tuple[Cookie, ...]:
        """Every cookie that it holds."""

    def hold(self, cookie: Cookie) -> None:
        """Take a cookie over from another browser."""

    def tab(self) -> Browser:
        """Another tab: the same cookies, and a page of its own."""

    def close(self) -> None:
        """Forget everything."""


@dataclass(slots=True)
class HttpBrowser:
    """A browser without scripts, over plain HTTP.

    :ivar target: the origin that may be asked beside loopback, or none; ``pinned`` is the address that it has.
    """

    budget: Budget
    target: str | None = None
    pinned: str | None = None
    jar: CookieJar = field(init=False)
    _client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        """Open nothing yet. Browsers take loopback for trustworthy, so Secure cookies work there without TLS."""
        self.jar = CookieJar(DefaultCookiePolicy(secure_protocols=("http", "https")))
        self._client = httpx.Client(
            cookies=self.jar,
            trust_env=False,
            transport=Pinning(self.target, self.pinned),
            follow_redirects=False,
            timeout=httpx.Timeout(PAGE_SECONDS, connect=3.0),
            event_hooks={"response": [_put_location_aside]},
            headers={"User-Agent": _USER_AGENT, "Accept": _ACCEPT, "Accept-Language": "en"},
        )

    def close(self) -> None:
        """Forget its cookies and close its connections."""
        self._client.close()

    def open(
        self,
        url: str,
        *,
        method: str = "GET",
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        hops: int = MAX_HOPS,
        until: Sequence[str] = (),
    ) -> Page:
        """Go to an address and on, by redirects and by what a page does by itself."""
        way: list[Hop] = []
        text, status, answered = "", 0, dict[str, str]()
        while True:
            if not may_be_asked(url, self.target) or any(url.startswith(begin) for begin in until):
                at = way[-1].url if way else url
                return Page(at, status, text, answered, tuple(way), "elsewhere", url, method, form)
            self.budget.spend()
            began = time.monotonic()
            try:
                status, text, answered, cookies, whole = self._ask(method, url, form, content, headers or {})
            except httpx.TimeoutException:
                return Page(url, 0, "", {}, tuple(way), "too_slow", url)
            except (httpx.HTTPError, httpx.InvalidURL, ValueError):
                return Page(url, 0, "", {}, tuple(way), "no_answer", url)
            location = answered.get("location") if status in (301, 302, 303, 307, 308) else None
            way.append(Hop(method, url, status, location, cookies, answered, time.monotonic() - began))
            if not whole:
                return Page(url, status, text, answered, tuple(way), "too_large", url)
            following = joined(url, location) if location else None
            content = None
            method, form, following = _onward(method, form, status, text, url, following)
            if following is None:
                return Page(url, status, text, answered, tuple(way))
            if len(way) > hops:
                return Page(url, status, text, answered, tuple(way), "redirects", following)
            url = following

    def _ask(
        self,
        method: str,
        url: str,
        form: Mapping[str, str] | None,
        content: bytes | None,
        headers: Mapping[str, str],
    ) -> tuple[int, str, dict[str, str], tuple[str, ...], bool]:
        """Status, text, headers and cookies of one answer, and whether it was whole."""
        request = self._client.build_request(
            method, url, data=dict(form) if form is not None else None, content=content, headers=headers
        )
        end, body = time.monotonic() + PAGE_SECONDS, bytearray()
        answer = self._client.send(request, stream=True)
        try:
            for chunk in answer.iter_bytes():
                body += chunk
                if time.monotonic() > end:
                    raise httpx.ReadTimeout("the answer did not end in time")
                if len(body) > MAX_BODY_BYTES:
                    break
        finally:
            answer.close()
        whole = len(body) <= MAX_BODY_BYTES
        text = bytes(body[:MAX_BODY_BYTES]).decode(answer.encoding or "utf-8", "replace")
        told = {name.lower().removeprefix(_ASIDE): value for name, value in answer.headers.items()}
        return answer.status_code, text, told, tuple(answer.headers.get_list("set-cookie")), whole

    def listen(self, url: str, headers: Mapping[str, str], *, socket: bool, seconds: float) -> Page:
        """What comes at an address of live updates within some seconds; status 101 is a WebSocket that was opened.

        :raises BudgetSpentError: the rehearsal may do no more.
        """
        if not may_be_asked(url, self.target):
            return Page(url, 0, "", {}, (), "elsewhere", url)
        self.budget.spend()
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        wanted = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": key,
        }
        kind = wanted if socket else {"Accept": "text/event-stream"}
        end, heard, status = time.monotonic() + seconds, bytearray(), 0
        try:
            with self._client.stream("GET", url, headers={**kind, **headers}, timeout=seconds) as answer:
                status = answer.status_code
                stream = answer.extensions.get("network_stream") if status == 101 else None
                while stream is not None and time.monotonic() < end and len(heard) < MAX_BODY_BYTES:
                    came = stream.read(65_536, timeout=max(0.01, end - time.monotonic()))
                    heard += came
                    if not came:
                        break
                for chunk in answer.iter_bytes() if stream is None else ():
                    heard += chunk
                    if time.monotonic() > end or len(heard) > MAX_BODY_BYTES:
                        break
        except (httpx.HTTPError, httpx.InvalidURL, httpcore.NetworkError, httpcore.TimeoutException, ValueError):
            pass  # it said no more
        return Page(url, status, bytes(heard).decode("utf-8", "replace"), {}, (), None if status else "no_answer", url)

    @property
    def cookies(self) -> tuple[Cookie, ...]:
        """Every cookie that it holds."""
        return tuple(self.jar)

    def tab(self) -> HttpBrowser:
        """Itself: without scripts a tab keeps nothing."""
        return self

    def hold(self, cookie: Cookie) -> None:
        """Take a cookie over from another browser."""
        self.jar.set_cookie(cookie)


def may_be_asked(url: str, target: str | None) -> bool:
    """Whether a rehearsal may ask an address: it is http or https, on this machine or at the target."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme not in ("http", "https"):
        return False
    return is_loopback_host(host) or (target is not None and origin(url) == origin(target))


class Pinning(httpx.HTTPTransport):
    """Connections to the one address that the target had when it was looked up, whatever its name means later."""

    def __init__(self, target: str | None, pinned: str | None) -> None:
        super().__init__(verify=_trusted(), trust_env=False)
        where = origin(target) if target and pinned else None
        self._name, self._address = (where.host if where else ""), pinned or ""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Ask, at the pinned address where it is the target's."""
        if self._name and request.url.host == self._name:
            request = httpx.Request(
                request.method,
                request.url.copy_with(host=self._address),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": self._name},
            )
        return super().handle_request(request)


@cache
def _trusted() -> ssl.SSLContext:
    """What every browser trusts; loading it takes 30 ms, and a rehearsal has hundreds of browsers."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_verify_locations(cadata=published_authority().pem)
    return context


def _put_location_aside(answer: httpx.Response) -> None:
    """httpx takes a redirect's address apart even where it shall not follow it, and fails on ``javascript:…``."""
    if "location" in answer.headers:
        answer.headers[f"{_ASIDE}location"] = answer.headers.pop("location")


def joined(url: str, location: str) -> str:
    """Where a Location header leads; one that is no address stays as it is."""
    try:
        return str(httpx.URL(url).join(location))
    except (httpx.InvalidURL, ValueError):
        return location


def _onward(
    method: str, form: Mapping[str, str] | None, status: int, text: str, url: str, following: str | None
) -> tuple[str, Mapping[str, str] | None, str | None]:
    """How a browser goes on: by the redirect, by a refresh, or by a form that the page posts by itself."""
    if following is not None:
        return (method, form, following) if status in (307, 308) else ("GET", None, following)
    if "<" not in text or status != 200:
        return method, form, None
    page = _Forms()
    page.feed(text[:200_000])
    if page.refresh:
        return "GET", None, joined(url, page.refresh)
    if page.posts_itself and page.action is not None:
        return page.method, page.fields, joined(url, page.action or url)
    return method, form, None


class _Forms(HTMLParser):
    """The one form of a page, if a script posts it when it loads, and its refresh, if it has one."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.method = "GET"
        self.fields: dict[str, str] = {}
        self.refresh = ""
        self.posts_itself = False
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and self.action is None:
            self.action, self.method = given.get("action", ""), given.get("method", "get").upper()
        elif tag == "input" and self.action is not None and given.get("name"):
            self.fields[given["name"]] = given.get("value", "")
        elif tag == "meta" and given.get("http-equiv", "").lower() == "refresh":
            match = re.search(r"url\s*=\s*['\"]?([^'\"]+)", given.get("content", ""), re.IGNORECASE)
            self.refresh = html.unescape(match[1].strip()) if match else ""
        elif tag == "body" and "submit()" in given.get("onload", ""):
            self.posts_itself = True
        self._script = tag == "script"

    def handle_data(self, data: str) -> None:
        if self._script and ".submit()" in data:
            self.posts_itself = True
