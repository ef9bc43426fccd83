"""A browser without scripts: cookies, redirects by hand, forms that post themselves."""

from __future__ import annotations

import base64
import html
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy

import httpcore
import httpx

from interlock.rehearse.browser import MAX_BODY_BYTES, MAX_HOPS, PAGE_SECONDS, Budget, Hop, Page
from interlock.rehearse.hospitals import BROWSER
from interlock.rehearse.reach import Pinning, joined, may_be_asked

_USER_AGENT = f"Mozilla/5.0 (compatible; {BROWSER}) Gecko/20100101"
#: In front of the name of a header that httpx must not see.
_ASIDE = "interlock-aside-"
#: What a page has whose browser would go on where this one stops: scripts, frames, and parts that are asked for.
_GOES_ON = re.compile(r"<(?:script|i?frame|object|embed)\b|<[^<>]*\s(?:src|on[a-z]+)\s*=", re.IGNORECASE)
_ACCEPT = "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8"


@dataclass(slots=True)
class HttpBrowser:
    """A browser without scripts, over plain HTTP.

    :ivar target: the origin that may be asked beside loopback, or none; ``pinned`` is the address that it has.
    :ivar unlike: addresses of pages that a browser with scripts may have seen otherwise are added to it.
    """

    budget: Budget
    target: str | None = None
    pinned: str | None = None
    unlike: list[str] = field(default_factory=list)
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
            if "json" not in answered.get("content-type", "") and _GOES_ON.search(text):
                self.unlike.append(url)
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


def _put_location_aside(answer: httpx.Response) -> None:
    """httpx takes a redirect's address apart even where it shall not follow it, and fails on ``javascript:…``."""
    if "location" in answer.headers:
        answer.headers[f"{_ASIDE}location"] = answer.headers.pop("location")


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
