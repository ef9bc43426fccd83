"""A browser with scripts: the system's Chromium, driven by Playwright, behind a gate of ours.

One process serves a rehearsal, and each browser is a context of its own in it. Everything that it asks goes through a
:class:`~interlock.rehearse.gate.Gate`. A page is read once it has come to rest: nothing that was asked lately is
unanswered, and two readings half a second apart say the same. A page without scripts is at rest when it is loaded.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookiejar import Cookie
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from interlock.model.errors import InterlockError
from interlock.model.text import plain
from interlock.rehearse.browser import (
    MAX_BODY_BYTES,
    MAX_HOPS,
    PAGE_SECONDS,
    Budget,
    Hop,
    Page,
    UnsettledError,
    masked,
)
from interlock.rehearse.gate import Gate, Way
from interlock.rehearse.in_page import KEPT, READING

if TYPE_CHECKING:
    from playwright.async_api import Browser as Process
    from playwright.async_api import BrowserContext, Playwright, Response, Route
    from playwright.async_api import Page as Tab

T = TypeVar("T")

#: Where a person names a Chromium that is not found by itself.
VARIABLE = "INTERLOCK_CHROMIUM"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
_MAC = tuple(
    f"/Applications/{name}.app/Contents/MacOS/{name}" for name in ("Google Chrome", "Chromium", "Microsoft Edge")
)
_FLAGS = (
    "--disable-quic",
    # Names mean nothing to it: addresses are looked up by the gate, or not at all.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-features=LocalNetworkAccessChecks,Translate,MediaRouter,OptimizationHints",
    "--js-flags=--max-old-space-size=256",
)
#: Seconds: from one reading to the next, between two that must agree, until a page has to be at rest, for one command.
_POLL, _AGREE, _REST, _COMMAND = 0.05, 0.5, 5.0, 5.0
_START_SECONDS = 60.0
_MAX_TABS = 5


class NoChromiumError(InterlockError):
    """There is no browser with scripts to be had; says why, and how to get one."""


def find_chromium() -> str | None:
    """The system's Chromium, or a sibling of it, or the one that the user names."""
    named = os.environ.get(VARIABLE)
    if named:
        return named
    paths = (path for name in _NAMES if (path := shutil.which(name)))
    return next(paths, next((path for path in _MAC if Path(path).exists()), None))


class Chromium:
    """A Chromium process for one rehearsal, as a context manager; nothing is ever downloaded for it.

    :ivar version: what it says of itself, once it runs.
    """

    def __init__(self) -> None:
        self.version = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._playwright: Playwright | None = None
        self._process: Process | None = None

    def __enter__(self) -> Chromium:
        """Start it.

        :raises NoChromiumError: Playwright or Chromium is not installed, or does not start.
        """
        self._thread.start()
        try:
            self.do(self._start(), _START_SECONDS)
        except BaseException:
            self.__exit__()
            raise
        return self

    async def _start(self) -> None:
        try:
            from playwright.async_api import Error, async_playwright
        except ImportError as error:
            raise NoChromiumError(
                "Playwright is not installed, which drives a browser with scripts",
                remedy='pip install "interlock[rehearse]"; it downloads no browser',
            ) from error
        path = find_chromium()
        remedy = f"install Chromium or Chrome, or name the program in {VARIABLE}; none is downloaded"
        if path is None and sys.platform != "win32":
            raise NoChromiumError("there is no Chromium on this computer", remedy=remedy)
        self._playwright = await async_playwright().start()
        try:
            self._process = await self._playwright.chromium.launch(
                executable_path=path,
                channel=None if path else "msedge",
                args=list(_FLAGS),
                # As people have it: a page opens no window by itself.
                ignore_default_args=["--disable-popup-blocking"],
                chromium_sandbox=sys.platform == "linux" and os.geteuid() != 0,
                # Of itself it asks nobody: every context has a gate of its own, and nothing listens here.
                proxy={"server": "http://127.0.0.1:9"},
                timeout=_START_SECONDS * 900,
            )
        except Error as error:
            said = plain(error.message.strip().partition("\n")[0], 200)
            raise NoChromiumError(f"Chromium does not start: {said}", remedy=remedy) from error
        self.version = self._process.version

    def __exit__(self, *problem: object) -> None:
        """End it, whatever its pages do."""
        with contextlib.suppress(Exception):
            self.do(self._end(), 20.0)
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5.0)
        if not self._thread.is_alive():
            self._loop.close()

    async def _end(self) -> None:
        if self._process is not None:
            await self._process.close()
        if self._playwright is not None:
            await self._playwright.stop()

    async def context(self, proxy: str) -> BrowserContext:
        """A new browser that goes out by this proxy alone."""
        assert self._process is not None
        return await self._process.new_context(
            proxy={"server": proxy}, service_workers="block", accept_downloads=False, locale="en"
        )

    def do(self, action: Coroutine[Any, Any, T], seconds: float = _COMMAND) -> T:
        """Let something be done in the browser, within its time.

        :raises TimeoutError: it takes longer.
        """
        return asyncio.run_coroutine_threadsafe(asyncio.wait_for(action, seconds), self._loop).result()


@dataclass(slots=True)
class _Shared:
    """What the tabs of one browser have in common."""

    gate: Gate
    context: BrowserContext | None = None


@dataclass
class ChromiumBrowser:
    """One tab of one browser with cookies and storage of its own; nothing is opened before it is used."""

    chromium: Chromium
    budget: Budget
    target: str | None = None
    pinned: str | None = None
    _shared: _Shared | None = None
    _tab: Tab | None = None
    _response: Response | None = field(default=None, init=False)
    _heading: str = field(default="", init=False)

    # -- what every browser does ------------------------------------------------------------------------------------

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
        """Go to an address, and wait until the page is at rest.

        :raises UnsettledError: it never is.
        """
        gate = self.gate
        if not gate.allowed(url) or any(url.startswith(begin) for begin in until):
            return Page(self._address, 0, "", {}, (), "elsewhere", url, method, form)
        return self._gone(self._go(url, method, form, content, headers), until, hops)

    def tab(self) -> ChromiumBrowser:
        """Another tab of this browser."""
        return ChromiumBrowser(self.chromium, self.budget, self.target, self.pinned, self._share())

    @property
    def cookies(self) -> tuple[Cookie, ...]:
        """Every cookie that it holds, with what its answer said of it."""
        if self._shared is None or self._shared.context is None:
            return ()
        return tuple(_cookie(known, self.gate.given) for known in self.chromium.do(self._shared.context.cookies()))

    def hold(self, cookie: Cookie) -> None:
        """Take a cookie over from another browser."""
        same = str(vars(cookie)["_rest"].get("SameSite") or "").capitalize()
        told: Any = {
            "name": cookie.name,
            "value": cookie.value or "",
            "domain": cookie.domain.removesuffix(".local"),
            "path": cookie.path,
            "secure": cookie.secure,
            "httpOnly": any(name.lower() == "httponly" for name in vars(cookie)["_rest"]),
            "sameSite": same if same in ("Lax", "Strict", "None") else "Lax",
        }
        self.chromium.do(self._hold(told))

    async def _hold(self, told: Any) -> None:
        await (await self._context()).add_cookies([told])

    def close(self) -> None:
        """Forget cookies, storage and pages, whatever a page does."""
        shared, self._shared, self._tab = self._shared, None, None
        if shared is None:
            return
        shared.gate.close()
        if shared.context is not None:
            with contextlib.suppress(Exception):
                self.chromium.do(shared.context.close())

    # -- what only a browser with scripts does ------------------------------------------------------------------------

    @property
    def gate(self) -> Gate:
        """What it goes out by."""
        return self._share().gate

    def look(self) -> Page:
        """What the tab shows now, without asking for anything."""
        return self._gone(_nothing(), (), MAX_HOPS)

    @property
    def windows(self) -> int:
        """How many tabs and windows are open."""
        context = self._share().context
        return len(context.pages) if context is not None else 0

    def back(self, until: Sequence[str] = ()) -> Page:
        """Press the back button."""

        async def press() -> None:
            await (await self._page()).go_back(wait_until="load", timeout=PAGE_SECONDS * 1_000)

        return self._gone(press(), until, MAX_HOPS)

    def show(self, url: str, page: str, until: Sequence[str] = ()) -> Page:
        """Open a page of another site, which the gate serves itself."""
        self.gate.pages[url] = page
        return self.open(url, until=until)

    def kept(self) -> dict[str, str]:
        """What the page's site keeps in this browser, by place; cookies are apart.

        :raises UnsettledError: the page does not let itself be asked.
        """

        async def ask() -> Any:
            return await (await self._page()).evaluate(KEPT)

        return {str(where)[:300]: str(value) for where, value in dict(self._within(ask())).items()}

    def history(self) -> list[str]:
        """The addresses that the tab's history holds."""

        async def ask() -> Any:
            tab = await self._page()
            session = await tab.context.new_cdp_session(tab)
            try:
                return await session.send("Page.getNavigationHistory")
            finally:
                await session.detach()

        addresses = [str(entry["url"]) for entry in self._within(ask())["entries"]]
        return [address for address in addresses if address != "about:blank"]

    # -- how it is done -----------------------------------------------------------------------------------------------

    @property
    def _address(self) -> str:
        return self._tab.url if self._tab is not None else ""

    async def _context(self) -> BrowserContext:
        shared = self._share()
        if shared.context is None:
            shared.context = await self.chromium.context(shared.gate.address)
            shared.context.set_default_timeout(_COMMAND * 1_000)
            shared.context.on("page", _few_windows)
        return shared.context

    def _share(self) -> _Shared:
        if self._shared is None:
            self._shared = _Shared(Gate(self.budget, self.target, self.pinned))
        return self._shared

    async def _page(self) -> Tab:
        if self._tab is None or self._tab.is_closed():
            self._tab = await (await self._context()).new_page()
            self._tab.on("response", self._heard)
            self._tab.on("request", self._headed)
        return self._tab

    def _heard(self, response: Response) -> None:
        if response.request.is_navigation_request() and response.frame.parent_frame is None:
            self._response = response

    def _headed(self, request: Any) -> None:
        if request.is_navigation_request() and request.frame.parent_frame is None:
            self._heading = request.url

    def _within(self, action: Coroutine[Any, Any, T], seconds: float = _COMMAND) -> T:
        """Do something with the page; one that does not answer any more is given up.

        :raises UnsettledError: it does not.
        """
        try:
            return self.chromium.do(action, seconds)
        except Exception as error:
            self._give_up()
            words = "the page kept its browser busy" if isinstance(error, TimeoutError) else "the page ended by itself"
            raise UnsettledError(f"{words}, and was not looked at") from error

    def _give_up(self) -> None:
        tab, self._tab = self._tab, None
        if tab is not None:
            with contextlib.suppress(Exception):
                self.chromium.do(tab.close())

    async def _go(
        self,
        url: str,
        method: str,
        form: Mapping[str, str] | None,
        content: bytes | None,
        headers: Mapping[str, str] | None,
    ) -> None:
        tab = await self._page()
        if method == "GET" and not headers:
            await tab.goto(url, wait_until="load", timeout=PAGE_SECONDS * 1_000)
            return
        body = urlencode(form).encode() if form is not None else content

        async def instead(route: Route) -> None:
            kind = {"content-type": "application/x-www-form-urlencoded"} if form is not None else {}
            given = {name.lower(): value for name, value in (headers or {}).items()}
            told = {**await route.request.all_headers(), **kind, **given}
            await route.continue_(method=method, headers=told, post_data=body)

        await tab.route("**/*", instead, times=1)
        try:
            await tab.goto(url, wait_until="load", timeout=PAGE_SECONDS * 1_000)
        finally:
            await tab.unroute("**/*")

    def _gone(self, action: Coroutine[Any, Any, None], until: Sequence[str], hops: int) -> Page:
        """Do something that may lead to another page, wait until it is at rest, and read it."""
        way = self.gate.way = Way(until, hops)
        self._response, self._heading, failed = None, "", ""
        try:
            self.chromium.do(action, PAGE_SECONDS + _COMMAND)
        except TimeoutError:
            failed = "too_slow"
        except Exception as error:  # Playwright's own errors: the page was stopped, is a download, or did not come
            failed = "too_slow" if type(error).__name__ == "TimeoutError" else str(error)
        seen: dict[str, Any] = {} if way.stopped is not None or failed == "too_slow" else self._settled(way)
        if way.spent is not None:
            raise way.spent
        return self._read(way, seen, failed)

    def _settled(self, way: Way) -> dict[str, Any]:
        """The reading of a page that is at rest; empty where the page is stopped, or is none."""
        last, since, ends = "", 0.0, time.monotonic() + _REST
        while way.stopped is None and way.spent is None:
            seen = self._within(self._reading())
            now = time.monotonic()
            text = masked(str(seen.get("seen", "")))
            quiet = self.gate.quiet() if seen else 0.0
            if quiet > 0.0 and not seen["moves"] and seen["ready"]:
                return seen
            if text != last or not since:
                last, since = text, now
            elif quiet >= _AGREE and now - since >= _AGREE:
                return seen
            if now > ends:
                raise UnsettledError(f"the page was not at rest after {_REST:.0f} seconds, and nothing is said of it")
            time.sleep(_POLL)
        return {}

    async def _reading(self) -> dict[str, Any]:
        """What the tab and its frames show; empty while it goes from one page to another."""
        from playwright.async_api import Error

        tab = await self._page()
        try:
            seen = dict(await tab.evaluate(READING))
            texts = [f"{seen['text']}\n{seen['more']}"]
            for frame in tab.frames[1:20]:
                with contextlib.suppress(Error):
                    inner = await asyncio.wait_for(frame.evaluate(READING), 1.0)
                    texts.append(f"{inner['text']}\n{inner['more']}")
        except Error:
            return {}
        return {**seen, "seen": "\n".join(texts)}

    def _read(self, way: Way, seen: Mapping[str, Any], failed: str) -> Page:
        """The page as a check sees it."""
        taken = tuple(way.taken)
        hop = taken[-1] if taken else self._by_response()
        told: dict[str, Any] = {"headers": hop.headers if hop else {}, "way": taken or ((hop,) if hop else ())}
        status = hop.status if hop else int(seen.get("status") or 0)
        if way.stopped is not None:
            at = hop.url if hop else self._address
            text = way.body.decode("utf-8", "replace") if taken else ""
            return Page(at, status, text, **told, stopped=way.stopped, next=way.next, method=way.method, form=way.form)
        if self._heading and not self.gate.allowed(self._heading):
            return Page(self._address, status, "", **told, stopped="elsewhere", next=self._heading)
        if failed and hop is None:
            slow = failed == "too_slow"
            return Page(self._heading, 0, "", **told, stopped="too_slow" if slow else "no_answer", next=self._heading)
        if failed == "too_slow":
            self._give_up()
            return Page(hop.url if hop else "", status, "", **told, stopped="too_slow", next=self._heading)
        kind = str(seen.get("type", ""))
        if failed or ("html" not in kind and "xml" not in kind):
            # A download, or what a browser shows in a page of its own making: as it came.
            body = way.body.decode("utf-8", "replace") or str(seen.get("seen", ""))
            return Page(hop.url if hop else self._address, status, body, **told)
        text, frames = (str(seen["html"]), ()) if seen.get("html") else self._within(self._content())
        shown = f"{text}\n{html.escape(str(seen['seen']))}"
        return Page(self._address, status, shown, **told, visible=str(seen["seen"]), frames=frames)

    async def _content(self) -> tuple[str, tuple[str, ...]]:
        """The page and its frames as they stand, written down again."""
        from playwright.async_api import Error

        tab = await self._page()
        texts = [await tab.content()]
        for frame in tab.frames[1:20]:
            with contextlib.suppress(Error, TimeoutError):
                texts.append(await asyncio.wait_for(frame.content(), 1.0))
        return "\n".join(texts)[:MAX_BODY_BYTES], tuple(frame.url for frame in tab.frames[1:20])

    def _by_response(self) -> Hop | None:
        """The last hop of a page that the gate cannot read: over TLS, or out of the browser's own cache."""
        response = self._response
        if response is None:
            return None
        try:
            headers = self.chromium.do(response.all_headers())
        except Exception:  # it is gone
            headers = {}
        location = headers.get("location") if 300 <= response.status < 400 else None
        cookies = tuple(headers.get("set-cookie", "").split("\n")) if headers.get("set-cookie") else ()
        return Hop("GET", response.url, response.status, location, cookies, headers, 0.0)


async def _few_windows(opened: Tab) -> None:
    """Windows that a page opens are let be, as long as they are few."""
    if len(opened.context.pages) > _MAX_TABS:
        with contextlib.suppress(Exception):
            await opened.close()


async def _nothing() -> None:
    """What is done where a page is only looked at."""


def _cookie(known: Any, given: Mapping[str, str]) -> Cookie:
    """A cookie of Chromium's as the standard library has it; what its answer said is taken from there."""
    header = given.get(known["name"])
    rest: dict[str, Any] = {"HttpOnly": None} if known.get("httpOnly") else {}
    if header is None:
        rest["SameSite"] = known.get("sameSite")
    elif match := re.search(r"(?i);\s*samesite\s*=\s*(\w+)", header):
        rest["SameSite"] = match[1]
    domain, expires = str(known["domain"]), known.get("expires", -1)
    ends = int(expires) if expires and expires > 0 else None
    return Cookie(
        0, known["name"], known["value"], None, False, domain, False, domain.startswith("."), known["path"], True,
        bool(known["secure"]), ends, ends is None, None, None, rest,
    )  # fmt: skip
