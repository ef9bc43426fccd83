"""`interlock serve`: who may come in, what one browser may do, and that nothing stays behind when it leaves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from serving import Served, alive, children, eventually, serving, shows
from textual_serve import download_manager
from yarl import URL

from interlock.usecases.initialize import initialize
from interlock.web import session
from interlock.web.guard import Guard
from interlock.web.server import BURST, MOST_BYTES, MOST_SESSIONS, TerminalServer, bind

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks at processes in /proc")

#: Stands in for the terminal UI where only the server is tested: says that it is ready, shows what it is sent.
ECHO = """
import os, sys
sys.stdout.buffer.write(b"__GANGLION__\\nD\\0\\0\\0\\5ready"); sys.stdout.flush()
while data := os.read(0, 65536):
    if b'"quit"' in data:
        break
    os.write(1, b"D" + len(data).to_bytes(4, "big") + data)
"""
#: The same, but it closes for nobody.
DEAF = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sys.stdout.buffer.write(b"__GANGLION__\\nD\\0\\0\\0\\5ready"); sys.stdout.flush()
while True:
    sys.stdout.buffer.write(b"D\\0\\0\\4\\0" + b"x" * 1024); sys.stdout.flush()
"""
#: Hands over a file of two parts, to its end or not.
DELIVERS = """
import json, os
from textual._binary_encode import dump
def said(kind, payload): os.write(1, kind + len(payload).to_bytes(4, "big") + payload)
start = {"type": "deliver_file_start", "key": "k", "path": "/x/report.md", "open_method": "download"}
os.write(1, b"__GANGLION__\\n")
said(b"M", json.dumps({**start, "mime_type": "", "encoding": "", "name": None}).encode())
parts = [b"one ", b"two", LAST]
while (data := os.read(0, 65536)) and b'"quit"' not in data:
    if b"deliver_chunk_request" in data:
        part = parts.pop(0)
        if part is None:
            break
        said(b"P", dump(("deliver_chunk", "k", part)))
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return initialize(tmp_path / "ws", "sepsis").root


@asynccontextmanager
async def stand_in(program: str) -> AsyncIterator[Served]:
    """The server in this process, with a small program in place of the terminal UI."""
    listener = bind("127.0.0.1", 0)
    guard = Guard("127.0.0.1", listener.getsockname()[1])
    server = TerminalServer(guard, (sys.executable, "-c", program), "<Test>")
    runner = server.runner()
    await runner.setup()
    await web.SockSite(runner, listener).start()
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
            yield Served(URL(guard.address).with_query(token=guard.token), client)
    finally:
        await runner.cleanup()


async def closed(socket: aiohttp.ClientWebSocketResponse) -> tuple[int | None, str]:
    """Code and words with which the server closes."""
    while (message := await socket.receive(60)).type is not aiohttp.WSMsgType.CLOSE:
        assert message.type in {aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT}, message
    await socket.close()
    return message.data, message.extra or ""


async def ready(socket: aiohttp.ClientWebSocketResponse) -> None:
    assert (await socket.receive(60)).data == b"ready"


# -- who may come in ------------------------------------------------------------------------------------------------


class TestWhoMayComeIn:
    """Page, files, downloads and sessions are all behind the same door."""

    @pytest.fixture
    async def served(self) -> AsyncIterator[Served]:
        async with stand_in(ECHO) as server:
            yield server

    @pytest.mark.parametrize(
        "path", ["/", "/page/page.js", "/static/js/textual.js", "/download/0", "/session/0", "/nothing", "/?token="]
    )
    async def test_nobody_without_token_or_cookie(self, served: Served, path: str) -> None:
        for headers in ({}, {"Origin": served.origin}, {"Cookie": f"interlock-{served.address.port}=x"}):
            status, text = await served.get(path, {"Origin": served.origin} | headers)
            assert status == 403
            assert served.token not in text

    async def test_no_token_but_the_right_one(self, served: Served) -> None:
        for token in (
            "x",
            served.token[:-1],
            served.token + "x",
            served.token.swapcase(),
            "",
            "%00",
            "%C3%A9",
            f"x&token={served.token}",
        ):
            status, _ = await served.get(f"/?token={token}")
            assert status == 403, token
        assert len(served.token) >= 43  # 256 bits

    async def test_the_cookie_is_for_this_site_and_for_no_script(self, served: Served) -> None:
        async with served.client.get(served.address) as response:
            cookie = response.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert served.token not in cookie

    @pytest.mark.parametrize(
        "origin",
        [
            "https://evil.test",
            "null",
            "http://127.0.0.1",
            "http://127.0.0.1:1",
            "http://localhost.evil.test",
            "file://",
        ],
    )
    async def test_no_page_of_another_site(self, served: Served, origin: str) -> None:
        """Another port of this machine is another site as well, although it is sent our cookie."""
        headers = await served.enter() | {"Origin": origin}
        for path in ("/", "/page/page.js", "/download/0", f"/?token={served.token}"):
            assert (await served.get(path, headers))[0] == 403
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await served.connect(headers)
        assert refused.value.status == 403

    async def test_no_socket_without_an_origin(self, served: Served) -> None:
        headers = await served.enter()
        del headers["Origin"]
        assert (await served.get("/", headers))[0] == 200
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await served.connect(headers)
        assert refused.value.status == 403

    async def test_the_cookie_alone_opens_no_session(self, served: Served) -> None:
        """Whoever serves on another port of this machine is sent the cookie, and no more."""
        headers = await served.enter()
        for token in ("x", headers["Cookie"].partition("=")[2]):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await served.connect(headers, token)
            assert refused.value.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await served.connect({"Origin": served.origin})  # nor does the token alone
        assert not served.sessions()

    @pytest.mark.parametrize(
        "host",
        [
            "evil.test",
            "evil.test:{port}",
            "127.0.0.1",
            "127.0.0.1:1",
            "127.0.0.1.evil.test:{port}",
            "",
            "2130706433:{port}",
            "[::]:{port}",
        ],
    )
    async def test_no_other_name_leads_here(self, served: Served, host: str) -> None:
        """A name whose DNS was turned to this machine (rebinding) is no address of ours."""
        rebound = host.format(port=served.address.port)
        headers = await served.enter() | {"Host": rebound, "Origin": f"http://{rebound}"}
        for path in ("/", f"/?token={served.token}", "/static/js/textual.js"):
            assert (await served.get(path, headers))[0] == 421
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await served.connect(headers)
        assert refused.value.status == 421

    async def test_a_cookie_that_is_no_text(self, served: Served) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.address.port)
        authority = f"127.0.0.1:{served.address.port}".encode()
        cookie = b"interlock-%d=\xff\xed\xa0\x80" % (served.address.port or 0)
        writer.write(b"GET / HTTP/1.0\r\nHost: " + authority + b"\r\nCookie: " + cookie + b"\r\n\r\n")
        assert (await reader.read()).split()[1] == b"403"
        writer.close()

    async def test_a_host_twice_or_never(self, served: Served) -> None:
        port = served.address.port
        for hosts in ("", f"Host: 127.0.0.1:{port}\r\nHost: evil.test\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET /?token={served.token} HTTP/1.0\r\n{hosts}\r\n".encode())
            answer = await reader.read()
            writer.close()
            assert answer.split()[1] in {b"400", b"421"}
            assert b"Set-Cookie" not in answer

    async def test_the_other_names_of_this_machine(self, served: Served) -> None:
        for name in ("localhost", "LOCALHOST", "[::1]"):
            host = f"{name}:{served.address.port}"
            status, _ = await served.get(f"/?token={served.token}", {"Host": host, "Origin": f"http://{host.lower()}"})
            assert status == 200

    async def test_every_answer_is_locked_down(self, served: Served) -> None:
        headers = await served.enter()
        for path in ("/", "/static/js/textual.js", "/nothing", "/../../etc/passwd", "/page/%2e%2e/guard.py"):
            for given in (headers, {}):
                async with served.client.get(served.address.join(URL(path, encoded=True)), headers=given) as response:
                    policy = response.headers["Content-Security-Policy"]
                    assert response.status in ({200, 404} if given else {403})
                    assert policy.startswith("default-src 'none'; ")
                    assert "frame-ancestors 'none'" in policy
                    assert "unsafe" not in policy.partition("script-src")[2].partition(";")[0]
                    assert response.headers["Referrer-Policy"] == "no-referrer"
                    assert response.headers["X-Content-Type-Options"] == "nosniff"
                    assert response.headers["X-Frame-Options"] == "DENY"
                    assert "Guard" not in await response.text()

    async def test_the_page_names_no_other_origin(self, served: Served) -> None:
        headers = await served.enter()
        _, page = await served.get("/", headers)
        assert "&lt;Test&gt;" in page
        assert "://" not in page
        for path in ("/page/page.css", "/static/css/xterm.css"):
            _, style = await served.get(path, headers)
            assert "url(http" not in style.replace('"', "")
            assert "@import" not in style


def test_wider_than_this_machine_still_takes_no_foreign_name() -> None:
    guard = Guard("0.0.0.0", 8008)
    guard.check_addresses(["192.0.2.7:8008"], ["http://192.0.2.7:8008"], origin_required=True)
    for host in ("evil.test:8008", "192.0.2.7", "192.0.2.7:80", "evil.test"):
        with pytest.raises(Exception, match="not served"):
            guard.check_addresses([host], [], origin_required=False)
    assert guard.token not in repr(guard)
    assert guard.cookie not in repr(guard)


# -- what a browser may do -------------------------------------------------------------------------------------------


async def test_the_fifth_window_is_told_why_not() -> None:
    async with stand_in(ECHO) as served:
        headers = await served.enter()
        windows = [await served.connect(headers) for _ in range(MOST_SESSIONS)]
        for window in windows:
            await ready(window)
        code, reason = await closed(await served.connect(headers))
        assert code == 1013
        assert "Close one of them" in reason
        await windows[0].close()
        await eventually(lambda: len(served.sessions()) == MOST_SESSIONS - 1)
        for _ in range(100):  # the process is gone a moment before its window is counted out
            first = await (await served.connect(headers)).receive(60)
            if first.data == b"ready":
                return
            assert first.data == 1013
            await asyncio.sleep(0.05)
        pytest.fail("the place of the closed window is never free")


HOSTILE_MESSAGES = {
    "not json": "hello",
    "nothing": "",
    "a number": "1",
    "an object": "{}",
    "an empty list": "[]",
    "an unknown kind": '["run", "rm"]',
    "keys that are no text": '["stdin", {"a": 1}]',
    "a size that is none": '["resize", {"width": "a", "height": 1}]',
    "a size with more": '["resize", 5]',
    "a stamp without end": json.dumps(["ping", "1" * 50]),
    "deep nesting": "[" * 100_000,
    "an endless number": '["resize", {"width": ' + "9" * 5000 + ', "height": 1}]',
}


@pytest.mark.parametrize("message", HOSTILE_MESSAGES.values(), ids=HOSTILE_MESSAGES)
async def test_a_message_that_is_not_ours_ends_the_session(message: str) -> None:
    async with stand_in(ECHO) as served:
        socket = await served.connect(await served.enter())
        await ready(socket)
        await socket.send_str(message)
        assert await closed(socket) == (1003, "That message means nothing here.")
        await eventually(lambda: not served.sessions())


async def test_odd_keys_and_sizes_do_no_harm() -> None:
    async with stand_in(ECHO) as served:
        socket = await served.connect(await served.enter())
        await ready(socket)
        for message in ('["stdin", "\\ud800 a"]', '["resize", {"width": -5, "height": 1e3}]'):
            await socket.send_str(message)
        await socket.send_str('["resize", {"width": -5, "height": 100000}]')
        assert await closed(socket) == (1003, "That message means nothing here.")


async def test_a_message_too_large_and_messages_too_many_end_the_session() -> None:
    async with stand_in(ECHO) as served:
        headers = await served.enter()
        large = await served.connect(headers)
        await ready(large)
        await large.send_json(["stdin", "x" * MOST_BYTES])
        assert (await closed(large))[0] == 1009
        many = await served.connect(headers)
        await ready(many)
        with contextlib.suppress(ConnectionError):
            for _ in range(20 * BURST):
                await many.send_str('["focus"]')
        assert await closed(many) == (1008, "Too many messages at once.")
        await eventually(lambda: not served.sessions())


async def test_only_pages_are_opened() -> None:
    """An address comes from a document that somebody else wrote."""
    said = ("javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "https://example.org/")
    metas = [json.dumps({"type": "open_url", "url": url, "new_tab": True}).encode() for url in said]
    frames = b"".join(b"M" + len(meta).to_bytes(4, "big") + meta for meta in metas)
    program = ECHO.replace("while data", f"sys.stdout.buffer.write({frames!r}); sys.stdout.flush()\nwhile data", 1)
    async with stand_in(program) as served:
        socket = await served.connect(await served.enter())
        await ready(socket)
        assert json.loads((await socket.receive(60)).data)[1]["url"] == "https://example.org/"


@pytest.mark.parametrize("whole", [True, False])
async def test_a_file_without_its_end_is_no_download(whole: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download_manager, "DOWNLOAD_TIMEOUT", 2)
    async with stand_in(DELIVERS.replace("LAST", "b''" if whole else "None")) as served:
        headers = await served.enter()
        socket = await served.connect(headers)
        assert json.loads((await socket.receive(60)).data) == ["deliver_file_start", "k"]
        if whole:
            assert await served.get("/download/k", headers) == (200, "one two")
        else:
            with pytest.raises(aiohttp.ClientError):
                await served.get("/download/k", headers)
        await socket.close()


# -- nothing stays behind --------------------------------------------------------------------------------------------


async def test_a_process_that_closes_for_nobody_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "GRACE_S", 0.2)
    monkeypatch.setattr(session, "INSISTING_S", 0.2)
    async with stand_in(DEAF) as served:
        socket = await served.connect(await served.enter())
        await ready(socket)
        (pid,) = served.sessions()
        await socket.close()
        await eventually(lambda: not alive(pid))


async def test_a_process_that_fails_is_told() -> None:
    async with stand_in("raise SystemExit('no luck')") as served:
        code, reason = await closed(await served.connect(await served.enter()))
        assert code == 1011
        assert "stopped unexpectedly" in reason


@pytest.mark.parametrize("way", ["closes", "vanishes", "interrupt", "kill"])
async def test_the_terminal_ui_ends_with_its_browser_and_its_server(workspace: Path, way: str) -> None:
    async with serving(workspace) as served:
        assert served.process is not None
        socket = await served.connect(await served.enter())
        await shows(socket, "Overview")
        (pid,) = children(served.process.pid)
        if way == "closes":
            await socket.close()
        elif way == "vanishes":
            socket._response.connection.transport.abort()
        else:
            served.process.send_signal(signal.SIGINT if way == "interrupt" else signal.SIGKILL)
        await eventually(lambda: not alive(pid), seconds=20)
        if way in {"interrupt", "kill"}:
            assert await served.process.wait() == (0 if way == "interrupt" else -signal.SIGKILL)


async def test_the_token_is_on_the_users_terminal_alone(workspace: Path, tmp_path: Path) -> None:
    async with serving(workspace) as served:
        assert served.process is not None
        headers = await served.enter()
        socket = await served.connect(headers)
        await shows(socket, "Overview")
        secrets = (served.token.encode(), headers["Cookie"].partition("=")[2].encode())
        pids = {served.process.pid, *children(served.process.pid)}
        assert len(pids) == 2
        shown = [Path(f"/proc/{pid}/{name}").read_bytes() for pid in pids for name in ("cmdline", "environ")]  # noqa: ASYNC240
        assert all(shown)
        assert not any(secret in content for secret in secrets for content in shown)
        await socket.close()
    assert served.process.stdout is not None
    assert not await served.process.stdout.read()
    homes = (tmp_path, Path.home())
    written = [path for home in homes for path in home.rglob("*") if path.is_file()]
    assert written
    assert not any(secret in path.read_bytes() for secret in secrets for path in written)
    assert "WARNING" not in "".join(served.said)


async def test_wider_than_this_machine_warns(workspace: Path) -> None:
    async with serving(workspace, "--host", "0.0.0.0") as served:
        assert "WARNING: Everybody who can reach 0.0.0.0" in served.said[0]
        status, _ = await served.get("/")
        assert status == 403
