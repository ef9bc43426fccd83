"""One tab of a Chromium as the browser of a check, behind a gate of ours.

Each browser is a context of its own in the one process, and all that it asks goes through a
:class:`~interlock.rehearse.gate.Gate`. A page is read once it has come to rest: nothing that was asked lately is
unanswered, and two readings half a second apart say the same. A page without scripts is at rest when it is loaded.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookiejar import Cookie
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from interlock.rehearse.browser import (
    MAX_BODY_BYTES,
    MAX_HOPS,
    PAGE_SECONDS,
    Budget,
    BudgetSpentError,
    Hop,
    Page,
    UnsettledError,
    masked,
)
from interlock.rehearse.chromium import COMMAND_SECONDS, Chromium
from interlock.rehearse.cookies import for_chromium, of_chromium
from interlock.rehearse.gate import Gate, Way
from interlock.rehearse.in_page import KEPT, READING

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Response, Route
    from playwright.async_api import Page as Tab

T = TypeVar("T")

#: Seconds: from one reading to the next, between two that must agree, and until a page is at rest or never, once it
#: waits for no hospital.
_POLL, _AGREE, _REST = 0.05, 0.5, 5.0
_MAX_TABS = 5


@dataclass(slots=True)
class _Shared:
    """What the tabs of one browser have in common."""

    gate: Gate
    context: BrowserContext | None = None
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)


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

    def prepare(self) -> None:
        """Begin to open its window, which takes longer than a page: meanwhile something else can be done."""
        self._share()  # now, not when its tab opens: this thread may ask for it before that
        self.chromium.begin(self._prepared())

    async def _prepared(self) -> None:
        await self._page()

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
        return tuple(of_chromium(known, self.gate.given) for known in self.chromium.do(self._shared.context.cookies()))

    def hold(self, cookie: Cookie) -> None:
        """Take a cookie over from another browser."""
        self.chromium.do(self._hold(for_chromium(cookie)))

    async def _hold(self, told: Any) -> None:
        await (await self._page()).context.add_cookies([told])

    def close(self) -> None:
        """Forget cookies, storage and pages, whatever a page does."""
        shared, self._shared, self._tab = self._shared, None, None
        if shared is None:
            return
        shared.gate.close()
        self.chromium.begin(_closed(shared))

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

    def _share(self) -> _Shared:
        if self._shared is None:
            self._shared = _Shared(Gate(self.budget, self.target, self.pinned))
        return self._shared

    async def _page(self) -> Tab:
        shared = self._share()
        async with shared.opening:
            if shared.context is None:
                shared.context = await self.chromium.context(shared.gate.address)
                shared.context.set_default_timeout(COMMAND_SECONDS * 1_000)
                shared.context.on("page", _few_windows)
            if self._tab is None or self._tab.is_closed():
                self._tab = await shared.context.new_page()
                self._tab.on("response", self._heard)
                self._tab.on("request", self._headed)
            return self._tab

    def _heard(self, response: Response) -> None:
        if response.request.is_navigation_request() and response.frame.parent_frame is None:
            self._response = response

    def _headed(self, request: Any) -> None:
        if request.is_navigation_request() and request.frame.parent_frame is None:
            self._heading = request.url

    def _within(self, action: Coroutine[Any, Any, T], seconds: float = COMMAND_SECONDS) -> T:
        """Do something with the page; one that does not answer any more is given up.

        :raises UnsettledError: it does not.
        """
        try:
            return self.chromium.do(action, seconds)
        except Exception as error:
            self._lives(error)
            self._give_up()
            words = "the page kept its browser busy" if isinstance(error, TimeoutError) else "the page ended by itself"
            raise UnsettledError(f"{words}, and was not looked at") from error

    def _lives(self, error: Exception) -> None:
        """Go on where an error is about one page alone.

        :raises BudgetSpentError: Chromium itself has ended.
        """
        if self.chromium.ended:
            raise BudgetSpentError("Chromium ended by itself, and nothing of it is kept") from error

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
            self.chromium.do(action, PAGE_SECONDS + COMMAND_SECONDS)
        except TimeoutError:
            failed = "too_slow"
        except Exception as error:  # Playwright's own errors: the page was stopped, is a download, or did not come
            self._lives(error)
            failed = "too_slow" if type(error).__name__ == "TimeoutError" else str(error)
        seen: dict[str, Any] = {} if way.stopped is not None or failed == "too_slow" else self._settled(way)
        if way.spent is not None:
            raise way.spent
        return self._read(way, seen, failed)

    def _settled(self, way: Way) -> dict[str, Any]:
        """The reading of a page that is at rest; empty where the page is stopped, or is none."""
        last, since, began = "", 0.0, time.monotonic()
        calm = began  # since when it waits for no hospital
        while way.stopped is None and way.spent is None:
            seen = self._within(self._reading())
            now = time.monotonic()
            calm = now if self.gate.awaits_others() else calm
            text = masked(str(seen.get("seen", "")))
            quiet = self.gate.quiet() if seen else 0.0
            if quiet > 0.0 and not seen["moves"] and seen["ready"]:
                return seen
            if text != last or not since:
                last, since = text, now
            elif quiet >= _AGREE and now - since >= _AGREE:
                return seen
            if now > min(calm, began + PAGE_SECONDS) + _REST:
                raise UnsettledError(
                    f"the page was not at rest after {now - began:.0f} seconds, and nothing is said of it"
                )
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


async def _closed(shared: _Shared) -> None:
    """End a browser, once it has opened."""
    async with shared.opening:
        if shared.context is not None:
            await shared.context.close()


async def _few_windows(opened: Tab) -> None:
    """Windows that a page opens are let be, as long as they are few."""
    if len(opened.context.pages) > _MAX_TABS:
        with contextlib.suppress(Exception):
            await opened.close()


async def _nothing() -> None:
    """What is done where a page is only looked at."""
