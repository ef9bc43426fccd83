"""`interlock serve` in headless Chromium: the whole job from a browser, and what foreign pages cannot do to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from serving import alive, children, eventually, serving

from chromium import Browser, Tab, chromium, find_browser
from interlock.model.base import Status
from interlock.usecases.initialize import initialize
from interlock.workspace.store import Workspace

EXECUTABLE = find_browser()
pytestmark = pytest.mark.skipif(EXECUTABLE is None, reason="no Chromium; INTERLOCK_CHROMIUM names one")

#: A page of somebody else, which tries everything that a page can. It reports what came of each attempt.
FOREIGN = """<!doctype html><title>waiting</title><script>
const target = "{origin}", token = "{token}";
const socket = () => new Promise((done) => {
  const ws = new WebSocket(target.replace("http", "ws") + "/session/" + token + "?width=80&height=24");
  ws.onopen = () => done("socket opened");
  ws.onerror = () => done("refused");
});
const fetched = (path) => fetch(target + path, {credentials: "include"})
  .then((answer) => answer.text()).then((text) => "read " + text.slice(0, 40), () => "refused");
const element = (tag, attribute, path) => new Promise((done) => {
  const made = document.createElement(tag);
  made[attribute] = target + path;
  made.onload = () => done("loaded");
  made.onerror = () => done("refused");
  document.documentElement.append(made);
});
const frame = () => new Promise((done) => {
  const made = document.createElement("iframe");
  made.src = target + "/";
  made.onload = () => done("refused");  // which is told by what the frame asks for next: see the test
  document.documentElement.append(made);
});
window.attempts = Promise.all([
  socket(), fetched("/"), fetched("/?token=" + token), element("script", "src", "/static/js/textual.js"),
  element("img", "src", "/page/icon.svg"), frame(),
]);
</script>"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return initialize(tmp_path / "ws")


@asynccontextmanager
async def browser(tmp_path: Path, *flags: str) -> AsyncIterator[Browser]:
    assert EXECUTABLE is not None
    async with chromium(EXECUTABLE, tmp_path / "profile", *flags) as running:
        yield running


async def until_answered(workspace: Workspace, status: Status, note: str | None = None) -> None:
    await eventually(
        lambda: any(
            response.status is status and response.note == note for response in workspace.responses("product").values()
        )
    )


def origins(tab: Tab) -> set[str]:
    return {urlsplit(address).netloc for address in tab.requests if not address.startswith("data:")}


async def test_answer_and_report_from_a_browser(workspace: Workspace, tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    saved.mkdir()
    async with serving(workspace.root) as served, browser(tmp_path) as chrome:
        assert served.process is not None
        await chrome.save_downloads_in(saved)
        tab = await chrome.open_tab()
        await tab.go(str(served.address))
        await tab.until_shown("Do first")
        assert await tab.run("location.href") == f"{served.origin}/"
        assert await tab.run("document.cookie + document.referrer") == ""
        assert await tab.run("document.fonts.check(\"15px 'Roboto Mono'\")")
        (pid,) = children(served.process.pid)

        await tab.press("2")
        await tab.until_shown("It becomes something to find out")
        await tab.press(" ")
        await until_answered(workspace, Status.ANSWERED)

        await tab.press("g")
        await tab.until_shown("Go to")
        await tab.press("6")
        await tab.until_shown("Preview")
        await tab.press("e")
        await tab.until_shown("brings one of them")
        await tab.press("d")
        await tab.until_shown("enter chooses")
        await tab.press("Enter", 13)
        await eventually(lambda: chrome.downloads)
        report = (saved / chrome.downloads[0]).read_bytes()
        assert report == (workspace.root / "reports" / "report.md").read_bytes()
        assert b"readiness report" in report

        assert origins(tab) == {f"127.0.0.1:{served.address.port}"}
        assert not [line for line in tab.console if "Content Security Policy" in line or "exception" in line]
        await tab.close()
        await eventually(lambda: not alive(pid), seconds=20)


async def test_a_note_that_is_being_typed_is_kept_when_the_tab_closes(workspace: Workspace, tmp_path: Path) -> None:
    async with serving(workspace.root) as served, browser(tmp_path) as chrome:
        assert served.process is not None
        tab = await chrome.open_tab()
        await tab.go(str(served.address))
        await tab.until_shown("Do first")
        (pid,) = children(served.process.pid)
        await tab.press("2")
        await tab.until_shown("It becomes something to find out")
        await tab.press("u")
        await until_answered(workspace, Status.UNKNOWN)
        await tab.press("m")
        await asyncio.sleep(0.5)
        await tab.type("asked Dr Weiß on Monday")
        await tab.until(lambda: "Weiß" in tab.received)
        await tab.close()
        await eventually(lambda: not alive(pid), seconds=20)
        await until_answered(workspace, Status.UNKNOWN, "asked Dr Weiß on Monday")


@pytest.mark.long
async def test_a_reload_starts_again_and_an_end_has_words(workspace: Workspace, tmp_path: Path) -> None:
    async with serving(workspace.root) as served, browser(tmp_path) as chrome:
        tab = await chrome.open_tab()
        await tab.go(str(served.address))
        await tab.until_shown("Do first")
        await tab.go(f"{served.origin}/")
        await tab.until_shown("Do first")
        await tab.press("q")
        await tab.until_true("document.body.innerText.includes('Interlock was closed.')")
        other = await chrome.open_tab()
        await other.go(f"{served.origin}/")
        await other.until_true("document.body.innerText.includes('without its token')")


async def test_a_page_of_another_site_reaches_nothing(workspace: Workspace, tmp_path: Path) -> None:
    """Not even when it knows the token, and the browser has our cookie: the page comes from another port."""
    async with serving(workspace.root) as served, browser(tmp_path) as chrome:
        assert served.process is not None
        tab = await chrome.open_tab()
        await tab.go(str(served.address))
        await tab.until_shown("Do first")
        before = children(served.process.pid)
        async with _site(FOREIGN.replace("{origin}", served.origin).replace("{token}", served.token)) as port:
            foreign = await chrome.open_tab()
            for host in ("127.0.0.1", "localhost"):
                await foreign.go(f"http://{host}:{port}/")
                await foreign.until_true(f"location.host === '{host}:{port}' && window.attempts")
                assert await foreign.run("window.attempts") == ["refused"] * 6
                assert f"{served.origin}/" in foreign.requests  # the frame
                assert not [address for address in foreign.requests if "/page/page.js" in address]
        assert children(served.process.pid) == before
        assert not workspace.responses("product")


async def test_a_name_that_was_turned_to_this_machine_reaches_nothing(workspace: Workspace, tmp_path: Path) -> None:
    rules = "--host-resolver-rules=MAP evil.test 127.0.0.1 , MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"
    async with serving(workspace.root) as served, browser(tmp_path, rules) as chrome:
        assert served.process is not None
        tab = await chrome.open_tab()
        await tab.go(f"http://evil.test:{served.address.port}/?token={served.token}")
        await tab.until_true("document.body?.innerText.includes('not served under this address')")
        assert not children(served.process.pid)


@asynccontextmanager
async def _site(page: str) -> AsyncIterator[int]:
    """Somebody else's server on this machine, which shows one page; yields its port."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
