"""The server of the terminal UI: page, WebSocket, files of the page and downloads, all behind the same guard."""

from __future__ import annotations

import asyncio
import contextlib
import html
import logging
import signal
import socket
import time
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from urllib.parse import quote

import textual_serve
from aiohttp import WSMsgType, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

from interlock.web.guard import Guard, Refused
from interlock.web.session import GRACE_S, INSISTING_S, Downloads, Session, bounded_size

#: Browsers that may be open at once; each is a process.
MOST_SESSIONS = 4
#: Bytes of one message of a browser: a long text that is pasted is one.
MOST_BYTES = 256 * 1024
#: Messages that may come at once, and how many a second after that. A mouse that moves sends about a hundred.
BURST, PER_SECOND = 600, 200

_PAGE = Path(str(resources.files("interlock.web"))) / "page"
_TERMINAL = Path(textual_serve.__file__).parent / "static"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
#: xterm.js writes its colours into style elements of its own, hence 'unsafe-inline' for styles; for scripts never.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self'; "
    "connect-src 'self' ws://{host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class TerminalServer:
    """Serves one workspace's terminal UI.

    :param command: starts the terminal UI; each session runs it once.
    """

    def __init__(self, guard: Guard, command: Sequence[str], title: str) -> None:
        self._guard = guard
        self._command = tuple(command)
        self._page = (_PAGE / "page.html").read_text("utf-8").replace("{title}", html.escape(title))
        self._downloads = Downloads()
        self._sockets: set[web.WebSocketResponse] = set()

    def runner(self) -> web.AppRunner:
        """The application, ready to be given sockets. No request is ever logged: a token would be in it."""
        log = logging.getLogger("interlock.web")
        log.addFilter(_is_ours)
        return web.AppRunner(self._application(), access_log=None, logger=log, shutdown_timeout=GRACE_S + INSISTING_S)

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[self._let_in], client_max_size=0)
        app.add_routes(
            [
                web.get("/", self._show_page),
                web.get("/session/{token}", self._run_session),
                web.get("/download/{key}", self._download),
                web.static("/page", _PAGE),
                web.static("/static", _TERMINAL),
            ]
        )
        app.on_response_prepare.append(self._add_headers)
        app.on_shutdown.append(self._close_sessions)
        return app

    @web.middleware
    async def _let_in(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse a request that the guard does not know; every request passes here, whatever page it asks for."""
        try:
            self._guard.check_addresses(
                request.headers.getall("Host", []),
                request.headers.getall("Origin", []),
                origin_required=request.path.startswith("/session/"),
            )
            entering = request.path == "/" and "token" in request.query
            known = (
                self._guard.knows_token(request.query["token"])
                if entering
                else self._guard.knows_cookie(request.cookies.get(self._guard.cookie_name))
            )
            if not known:
                raise Refused(403, "Open the whole address that `interlock serve` printed in its terminal.")
            return await handler(request)
        except Refused as refused:
            return web.Response(status=refused.status, text=f"{refused.message}\n")

    async def _add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)

    async def _show_page(self, request: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": _POLICY.format(host=request.headers["Host"])}
        response = web.Response(text=self._page, content_type="text/html", headers=headers)
        if "token" in request.query:
            response.set_cookie(self._guard.cookie_name, self._guard.cookie, httponly=True, samesite="Strict", path="/")
        return response

    async def _run_session(self, request: web.Request) -> web.StreamResponse:
        """A WebSocket and its process. Both end together."""
        if not self._guard.knows_token(request.match_info["token"]):
            raise Refused(403, "Open the whole address that `interlock serve` printed in its terminal.")
        channel = web.WebSocketResponse(heartbeat=15, max_msg_size=MOST_BYTES, compress=False)
        await channel.prepare(request)
        if len(self._sockets) >= MOST_SESSIONS:
            message = (
                f"{MOST_SESSIONS} windows are open already, which is the most. Close one of them, then start again."
            )
            await channel.close(code=1013, message=message.encode())
            return channel
        self._sockets.add(channel)
        session = Session(self._command, channel, self._downloads)
        try:
            await session.start(*bounded_size(_number(request, "width", 80), _number(request, "height", 24)))
            await self._receive(channel, session)
        finally:
            await session.stop()
            self._sockets.discard(channel)
        return channel

    async def _receive(self, channel: web.WebSocketResponse, session: Session) -> None:
        allowance, last = float(BURST), time.monotonic()
        async for message in channel:
            now = time.monotonic()
            allowance, last = min(BURST, allowance + (now - last) * PER_SECOND) - 1, now
            if allowance < 0:
                await channel.close(code=1008, message=b"Too many messages at once.")
            elif message.type is WSMsgType.TEXT:
                try:
                    await session.receive(message.data)
                except (ValueError, RecursionError):
                    await channel.close(code=1003, message=b"That message means nothing here.")

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """A file that the terminal UI hands over, once. Never shown in the page's own origin, always saved."""
        key = request.match_info["key"]
        try:
            download = await self._downloads.get_download_metadata(key)
        except KeyError:
            raise Refused(404, "There is nothing to download here any more.") from None
        response = web.StreamResponse(
            headers={
                "Content-Type": "application/octet-stream",
                "Content-Disposition": f"attachment; filename*=UTF-8''{quote(download.file_name)}",
            }
        )
        await response.prepare(request)
        async for chunk in self._downloads.download(key):
            await response.write(chunk)
        if key in self._downloads.whole:
            self._downloads.whole.remove(key)
            await response.write_eof()
        elif request.transport is not None:
            request.transport.abort()  # so that the browser says that the file is not whole
        return response

    async def _close_sessions(self, app: web.Application) -> None:
        message = b"`interlock serve` was stopped."
        await asyncio.gather(*(channel.close(code=1001, message=message) for channel in tuple(self._sockets)))


def _is_ours(record: logging.LogRecord) -> bool:
    """A request that is no HTTP at all is answered 400; it is no error of ours."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


def _number(request: web.Request, name: str, default: int) -> int:
    value = request.query.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 6 else default


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    :raises OSError: the address or the port cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def serve_until_stopped(listener: socket.socket, server: TerminalServer, on_ready: Callable[[], object]) -> None:
    """Serve until SIGINT or SIGTERM; then end every session and come back."""

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # Windows' event loop has no handlers of signals
                loop.add_signal_handler(name, stop.set)
        runner = server.runner()
        await runner.setup()
        await web.SockSite(runner, listener).start()
        on_ready()
        try:
            await stop.wait()
        finally:
            await runner.cleanup()

    asyncio.run(run())
