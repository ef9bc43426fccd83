"""Chromium as a browser of a rehearsal: where it may go, and pages that would rather not be looked at."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from staging import InThisProcess, looked_at, on_stage, product_at

from chromium import find_browser
from interlock.model.errors import InterlockError
from interlock.model.rehearsal import RehearsalOutcome
from interlock.rehearse import chromium, gate
from interlock.rehearse.browser import Budget, BudgetSpentError, UnsettledError
from interlock.rehearse.chromium import Chromium, NoChromiumError
from interlock.rehearse.gate import Gate
from interlock.rehearse.run import BUILT
from interlock.rehearse.tab import ChromiumBrowser
from interlock.usecases.rehearse import _chromium

needs_chromium = pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine")

PAGES = {
    "/plain": "<p>zqxplain</p>",
    "/made": "<p id=here></p><script>setTimeout(() => here.textContent = 'zqx' + 'made', 300)</script>",
    "/shadow": """<div id=host></div><input id=field><script>
        host.attachShadow({mode: 'open'}).innerHTML = '<p>zqx' + 'shadow</p>';
        field.value = 'zqx' + 'field'</script>""",
    "/escaped": "<p>&lt;b&gt;zqxmarkup</p><script></script>",
    "/busy": "<p>zqxbusy</p><script>setTimeout(() => { for (;;); }, 50)</script>",
    "/restless": """<p id=here></p><script>
        setInterval(() => here.textContent += ' more', 100)</script>""",
    "/boxes": """<p id=here></p><script>
        alert('one'); confirm('two'); here.textContent = 'zqx' + prompt('three') + 'boxes'</script>""",
    "/windows": "<p>zqxwindows</p><script>for (let at = 0; at < 30; at++) open('/plain', 'w' + at)</script>",
    "/worker": """<p id=here>waiting</p><script>
        navigator.serviceWorker.register('/worker.js').catch(() => null);
        setTimeout(async () => here.textContent = 'zqx' + (await navigator.serviceWorker.getRegistrations()).length
          + 'workers', 200)</script>""",
    "/elsewhere": "<script>location = 'http://192.0.2.1/page'</script>",
    "/elsewhere-over-tls": "<script>location = 'https://192.0.2.1/page'</script>",
    "/asks-elsewhere": """<p id=here></p><img src="http://192.0.2.1/picture"><script>
        fetch('http://192.0.2.1/data', {mode: 'no-cors'}).then(answer => answer.text())
          .then(text => text || 'nothing', () => 'nothing').then(text => here.textContent = 'zqx' + text)
      </script>""",
}


class Server(BaseHTTPRequestHandler):
    """A product that is no good."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/loop":
            self.answer(302, b"", {"Location": "/loop"})
        elif path == "/to-a-script":
            self.answer(302, b"", {"Location": "javascript:alert(1)"})
        elif path == "/away":
            self.answer(
                302, b"", {"Location": "http://192.0.2.1/page", "Set-Cookie": "kept=yes; HttpOnly; SameSite=Strict"}
            )
        elif path == "/download":
            self.answer(200, b"zqxdownload", {"Content-Type": "application/zip", "Content-Disposition": "attachment"})
        elif path in ("/huge", "/endless"):
            self.without_end(b"x" * 100_000 if path == "/huge" else b"x", 0 if path == "/huge" else 0.05)
        elif path == "/dies":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif path in PAGES:
            body = f"<!doctype html><title>A page</title>{PAGES[path]}".encode()
            self.answer(200, body, {"Content-Type": "text/html"})
        else:
            self.answer(404, b"no", {"Content-Type": "text/plain"})

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def without_end(self, piece: bytes, pause: float) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Connection", "close")
        self.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(1_000):
                self.wfile.write(piece)
                time.sleep(pause)

    def log_message(self, *_: object) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    """Browsers break connections off; nobody has to be told."""

    def handle_error(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def product() -> Iterator[str]:
    with Quiet(("127.0.0.1", 0), Server) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="module")
def process() -> Iterator[Chromium]:
    with Chromium() as running:
        yield running


@pytest.fixture
def browser(process: Chromium) -> Iterator[ChromiumBrowser]:
    one = ChromiumBrowser(process, Budget(2_000, time.monotonic() + 600))
    yield one
    one.close()


def asked_at(address: str, text: str) -> str:
    """The first line of what a gate answers."""
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), 5) as connection:
        connection.sendall(text.encode())
        return connection.recv(4_096).decode().partition("\r\n")[0]


def test_the_gate_lets_nothing_out(product: str) -> None:
    way_out = Gate(Budget(10, time.monotonic() + 60), "https://staging.example.org", "192.0.2.1")
    try:
        for line in (
            "GET http://192.0.2.1/",
            "GET ftp://127.0.0.1/",
            "CONNECT 192.0.2.1:443",
            "CONNECT staging.example.org:80",
        ):
            assert " 403 " in asked_at(way_out.address, f"{line} HTTP/1.1\r\n\r\n"), line
        assert " 200 " in asked_at(way_out.address, f"GET {product}/plain HTTP/1.1\r\nHost: here\r\n\r\n")
        assert asked_at(way_out.address, "nonsense\r\n\r\n") == ""
        assert asked_at(way_out.address, f"POST {product}/plain HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n") == ""
    finally:
        way_out.close()


def test_the_gate_counts_what_is_asked(product: str) -> None:
    way_out = Gate(Budget(1, time.monotonic() + 60), None, None)
    try:
        answers = [asked_at(way_out.address, f"GET {product}/plain HTTP/1.1\r\nHost: here\r\n\r\n") for _ in range(2)]
    finally:
        way_out.close()
    assert " 200 " in answers[0]
    assert " 503 " in answers[1]
    assert way_out.way.spent is not None


def test_without_playwright_it_is_told_what_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "playwright.async_api", None)
    told: list[str] = []
    with _chromium(product_at(1), "chromium", (), told.append) as none:
        assert none is None
    assert "RH-L16, RH-L18 and RH-S06" in told[0]
    assert 'pip install "interlock[rehearse]"' in told[0]
    with pytest.raises(InterlockError, match="nothing is seen of RH-L16: Playwright is not installed"):  # noqa: SIM117
        with _chromium(product_at(1), "chromium", {"RH-L16"}, told.append):
            pass


def test_plain_http_says_what_it_leaves_out() -> None:
    told: list[str] = []
    with _chromium(product_at(1), "http", (), told.append) as none:
        assert none is None
    assert "--driver chromium" in told[0]
    with _chromium(product_at(1), "http", {"RH-L01"}, told.append):
        assert len(told) == 1


@pytest.mark.long
@needs_chromium
def test_a_program_that_is_no_chromium_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("/nowhere/chromium", sys.executable):
        monkeypatch.setenv(chromium.VARIABLE, name)
        with pytest.raises(NoChromiumError, match="Chromium does not start"), Chromium():
            pass


@pytest.mark.long
@needs_chromium
@pytest.mark.parametrize(
    ("path", "mark"),
    [
        ("/plain", "zqxplain"),
        ("/made", "zqxmade"),
        ("/shadow", "zqxshadow"),
        ("/shadow", "zqxfield"),
        ("/boxes", "zqxnullboxes"),
        ("/windows", "zqxwindows"),
        ("/worker", "zqx0workers"),
        ("/asks-elsewhere", "zqxnothing"),
        ("/download", "zqxdownload"),
    ],
)
def test_what_a_page_shows_is_read(browser: ChromiumBrowser, product: str, path: str, mark: str) -> None:
    page = browser.open(f"{product}{path}")
    assert (page.status, page.stopped, page.shows(mark)) == (200, None, True), page
    assert browser.windows == 1


@pytest.mark.long
@needs_chromium
def test_text_that_looks_like_markup_stays_text(browser: ChromiumBrowser, product: str) -> None:
    page = browser.open(f"{product}/escaped")
    assert "<b>" not in page.text
    assert page.visible is not None
    assert "<b>zqxmarkup" in page.visible


@pytest.mark.long
@needs_chromium
@pytest.mark.parametrize(
    ("path", "stopped", "following"),
    [
        ("/away", "elsewhere", "http://192.0.2.1/page"),
        ("/elsewhere", "elsewhere", "http://192.0.2.1/page"),
        ("/elsewhere-over-tls", "elsewhere", "https://192.0.2.1/page"),
        ("/to-a-script", "elsewhere", "javascript:alert(1)"),
        ("/loop", "redirects", ""),
        ("/huge", "too_large", ""),
        ("/endless", "too_slow", ""),
        ("/dies", "no_answer", ""),
    ],
)
def test_what_does_not_end_at_a_page_is_told(
    browser: ChromiumBrowser, product: str, monkeypatch: pytest.MonkeyPatch, path: str, stopped: str, following: str
) -> None:
    monkeypatch.setattr(gate, "PAGE_SECONDS", 2.0)
    page = browser.open(f"{product}{path}")
    assert page.stopped == stopped, page
    assert not following or page.next == following
    if path == "/away":
        (cookie,) = browser.cookies
        assert (cookie.name, cookie.get_nonstandard_attr("SameSite")) == ("kept", "Strict")
        assert cookie.has_nonstandard_attr("HttpOnly")
    assert browser.open(f"{product}/plain").shows("zqxplain")


@pytest.mark.long
@needs_chromium
@pytest.mark.parametrize("path", ["/busy", "/restless"])
def test_of_a_page_that_does_not_come_to_rest_nothing_is_said(
    browser: ChromiumBrowser, product: str, path: str
) -> None:
    with pytest.raises(UnsettledError):
        browser.open(f"{product}{path}")
    assert browser.open(f"{product}/plain").shows("zqxplain")


@pytest.mark.long
@needs_chromium
def test_it_asks_no_more_than_it_may(process: Chromium, product: str) -> None:
    poor = ChromiumBrowser(process, Budget(1, time.monotonic() + 60))
    try:
        assert poor.open(f"{product}/plain").status == 200
        with pytest.raises(BudgetSpentError):
            poor.open(f"{product}/plain")
    finally:
        poor.close()


@pytest.mark.long
@needs_chromium
@pytest.mark.parametrize("pages", ["", "/browser"])
def test_sound_applications_hold_in_chromium(process: Chromium, pages: str) -> None:
    few = "L01 L02 L06 L16 L17 L18 L19 A01 A08 C01 C03 C06 C12 T02 R01 R12 F01 F05 F09 F10 S02 S06 S07 S09 E01 E13 D01"
    with on_stage(pages=pages) as hospitals:
        seen = looked_at(hospitals, {f"RH-{number}" for number in few.split()}, chromium=process)
    assert seen.polite
    assert seen.driver.startswith("chromium ")
    fine = {RehearsalOutcome.HELD, RehearsalOutcome.NOT_APPLICABLE, RehearsalOutcome.NEEDS_HOOK}
    assert [row for row in seen.results if row.outcome not in fine] == []
    assert {check for check, built in BUILT.items() if built.scripts} <= set(seen.outcomes)
    assert InThisProcess.deaths == 0


#: The filter's answer as a page whose script makes what it shows.
MADE_BY_A_SCRIPT = (
    """        return Response(
            json.dumps([line for line in lines if wanted in line.lower()][:50]),
            media_type="application/json",
            headers=HEADERS,
        )""",
    """        coded = json.dumps([line for line in lines if wanted in line.lower()][:50]).encode().hex()
        made = f"'{coded}'.replace(/../g, two => String.fromCharCode(parseInt(two, 16)))"
        return Response(f"<p id=here></p><script>here.textContent = {made}</script>", media_type="text/html")""",
)


@pytest.mark.long
@needs_chromium
def test_a_check_that_meets_a_page_with_scripts_is_looked_at_in_chromium(process: Chromium) -> None:
    outcomes = []
    for driver in (process, None):
        with on_stage([MADE_BY_A_SCRIPT], broken="filter") as hospitals:
            seen = looked_at(hospitals, {"RH-E01"}, chromium=driver)
        outcomes.append(seen.outcomes["RH-E01"].value)
    assert outcomes == ["broke", "not_reached"]  # without scripts nothing shows what the endpoint shows


@pytest.mark.long
@needs_chromium
def test_a_chromium_that_ends_by_itself_ends_the_rehearsal() -> None:
    with Chromium() as running, on_stage(pages="/browser") as hospitals:
        assert not running.ended

        def end(_: object) -> None:
            if not running.ended:
                with contextlib.suppress(Exception):
                    running.do(running._process.close())  # type: ignore[union-attr]  # it runs

        seen = looked_at(hospitals, {"RH-L01", "RH-L02", "RH-A01"}, chromium=running, on_result=end)
    assert seen.stopped == "the rehearsal ended early: Chromium ended by itself, and nothing of it is kept"
    assert [row.seen for row in seen.results if row.id == "RH-L02"] == [seen.stopped]
